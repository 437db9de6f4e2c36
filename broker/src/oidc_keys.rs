//! The keys that sign tokens. They lie in the store, wrapped under the nodes' secret, so that all nodes share them and a rotation
//! reaches each (design decision 11).

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use broker_core::{
    failure::{Failure, FailureCode},
    port::{HeadMoved, Store},
};
use certs::{PrivateKey, SignatureAlgorithm, keyring::Keyring, mac::Secret};

use crate::moment;

/// The head in the store, and the name under the seal.
const NAME: &str = "oidc-keys";
/// The version of what is wrapped.
const VERSION: u64 = 1;

/// The key ring as this node knows it.
pub(crate) struct OidcKeys {
    node_secret: Secret,
    current: ArcSwapOption<(Vec<u8>, Arc<Keyring>)>,
}

impl OidcKeys {
    /// None yet.
    pub(crate) fn new(node_secret: Secret) -> Self {
        Self { node_secret, current: ArcSwapOption::empty() }
    }

    /// The key ring.
    ///
    /// # Errors
    /// When this node has not seen it yet.
    pub(crate) fn current(&self) -> Result<Arc<Keyring>, Failure> {
        self.current.load().as_ref().map(|current| current.1.clone()).ok_or_else(|| {
            Failure::new(FailureCode::KeyMissing, "the token keys have not been read from the store")
        })
    }

    /// Reads the key ring, and makes the first one where there is none. Two nodes that start together agree on one.
    ///
    /// # Errors
    /// A sentence for the log.
    pub(crate) async fn refresh(&self, store: &dyn Store) -> Result<(), String> {
        let mut head = store.head(NAME).await.map_err(|error| error.to_string())?;
        if head.is_none() {
            if self.current.load().is_some() {
                // New keys now would leave every token of the old ones without a check, and hide that somebody emptied the store.
                return Err(
                    "the store has no token keys, and this node has seen some: was it emptied?".to_owned()
                );
            }
            let made = tokio::task::spawn_blocking(first).await.map_err(|error| error.to_string())??;
            let wrapped = made.wrap(&self.node_secret, NAME, VERSION).map_err(|error| error.to_string())?;
            head = match store.move_head(NAME, None, &wrapped).await.map_err(|error| error.to_string())? {
                HeadMoved::Moved => Some(wrapped),
                HeadMoved::Conflict(theirs) => theirs,
            };
        }
        let wrapped = head.ok_or("the head of the token keys vanished")?;
        if self.current.load().as_ref().is_some_and(|current| current.0 == wrapped) {
            return Ok(());
        }
        let keyring = Keyring::unwrap(&wrapped, &self.node_secret, NAME, VERSION).map_err(|error| {
            format!("the token keys in the store do not open with this node's secret: {error}")
        })?;
        self.current.store(Some(Arc::new((wrapped, Arc::new(keyring)))));
        Ok(())
    }
}

/// One RSA key and one P-256 key, both signing: RS256 is what every relying party knows, ES256 what it should ask for.
fn first() -> Result<Keyring, String> {
    let now = moment::system_time();
    let mut keyring = Keyring::new();
    let keys = [PrivateKey::generate_rsa(2048, SignatureAlgorithm::RsaSha256), PrivateKey::generate_p256()];
    for key in keys {
        let key = Arc::new(key.map_err(|error| error.to_string())?);
        let id = certs::Signer::key_id(&*key).to_owned();
        keyring.publish(key, now).map_err(|error| error.to_string())?;
        keyring.activate(&id, now).map_err(|error| error.to_string())?;
    }
    Ok(keyring)
}
