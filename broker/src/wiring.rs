//! A running node: everything that an endpoint needs, made once from the configuration.

use std::{path::Path, sync::Arc, time::Duration};

use broker_core::{assurance::OutputMap, identifier::Language, moment::Timestamp, port::Store, subject::SubjectSecret};
use broker_oidc::op::{OidcOp, OpSettings};
use broker_saml::sp::{SamlSp, SpSettings};
use broker_store::{
    embedded::EmbeddedStore,
    record::NodeSecret,
    redis::{RedisSettings, RedisStore},
    vault::Vault,
};
use certs::{
    key_directory::KeyDirectory,
    mac::{MacKey, Secret},
};
use metadata::Registry;

use crate::{
    config::Config,
    failed::FailedSeal,
    oidc_keys::OidcKeys,
    page::{Branding, Pages},
    registry_watch::RegistryWatch,
};

/// The name of the nodes' secret in sealed records: a rotation gives a new one.
const NODE_SECRET_NAME: &str = "1";

/// A running node.
pub(crate) struct Node {
    /// The configuration.
    pub(crate) config: Config,
    /// What cannot be made again.
    pub(crate) keys: KeyDirectory,
    /// The store, and sealed records in it.
    pub(crate) vault: Vault,
    /// Who the peers are.
    pub(crate) registry: RegistryWatch,
    /// The keys that sign tokens.
    pub(crate) oidc_keys: OidcKeys,
    /// The pages.
    pub(crate) pages: Pages,
    /// Sealed addresses of error pages.
    pub(crate) failed: FailedSeal,
    /// What subject identifiers are made with.
    pub(crate) subjects: Subjects,
    /// The key that client secrets are hashed with.
    pub(crate) client_secrets: MacKey,
    op: OpSettings,
    sp: SpSettings,
}

/// The subject secret, behind the core's port.
pub(crate) struct Subjects(MacKey);

impl SubjectSecret for Subjects {
    fn pseudonym(&self, input: &[u8]) -> [u8; 32] {
        self.0.mac(input)
    }
}

/// The key that client secrets are hashed with.
pub(crate) fn client_secret_key(keys: &KeyDirectory) -> MacKey {
    keys.registry_secret().mac_key("client secret")
}

impl Node {
    /// Makes a node around a store that is open.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub(crate) fn new(config: Config, keys: KeyDirectory, store: Arc<dyn Store>) -> Result<Arc<Self>, String> {
        let node_secret = NodeSecret::new(NODE_SECRET_NAME, *keys.node_secret().expose()).map_err(|error| error.to_string())?;
        let branding = Branding {
            federation_name: config.file.federation.name.clone(),
            accessibility_url: config.file.federation.accessibility_url.clone(),
            contact: config.file.federation.contact.clone(),
        };
        let pages = Pages::new(config.file.pages.directory.as_deref(), branding).map_err(|error| error.to_string())?;
        let failed = FailedSeal::new(keys.node_secret()).ok_or("the seal of error pages cannot be made")?;
        let subjects = Subjects(keys.subject_secret().mac_key("subject identifier"));
        let registry = RegistryWatch::new(
            keys.registry_secret(),
            config.file.state.clone(),
            settings::build(&config),
        );
        let oidc_keys = OidcKeys::new(clone_secret(keys.node_secret()));
        Ok(Arc::new(Self {
            op: settings::op(&config),
            sp: settings::sp(&config),
            client_secrets: client_secret_key(&keys),
            vault: Vault::new(store, node_secret, Vec::new()),
            config,
            keys,
            registry,
            oidc_keys,
            pages,
            failed,
            subjects,
        }))
    }

    /// Our OpenID provider face over a registry snapshot.
    pub(crate) fn op<'a>(&'a self, registry: &'a Registry, keyring: &'a certs::keyring::Keyring) -> OidcOp<'a> {
        OidcOp { settings: &self.op, registry, keyring, client_secrets: &self.client_secrets }
    }

    /// Our SAML service provider face over a registry snapshot.
    pub(crate) fn sp<'a>(&'a self, registry: &'a Registry) -> SamlSp<'a> {
        SamlSp { settings: &self.sp, registry, signer: &**self.keys.saml_signing() }
    }

    /// Its settings.
    pub(crate) fn op_settings(&self) -> &OpSettings {
        &self.op
    }

    /// Its settings.
    pub(crate) fn sp_settings(&self) -> &SpSettings {
        &self.sp
    }

    /// What we may say of levels.
    pub(crate) fn output_map(&self) -> OutputMap {
        OutputMap { reviewed: self.config.file.federation.reviewed }
    }

    /// When a login that begins now is over.
    pub(crate) fn login_ends(&self, now: Timestamp) -> Timestamp {
        now.plus(i64::try_from(self.config.file.limits.login_seconds).unwrap_or(i64::MAX))
    }

    /// The language of a page.
    pub(crate) fn language(&self, asked: &[Language], headers: &http::HeaderMap) -> Language {
        let accept = headers.get(http::header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        self.pages.negotiate(asked, accept)
    }
}

/// Opens the store that a configuration names, for a node that serves.
///
/// # Errors
/// A sentence for the operator.
pub(crate) async fn open_store(config: &Config) -> Result<Arc<dyn Store>, String> {
    let url = &config.file.store.url;
    if let Some(path) = url.strip_prefix("embedded:") {
        let store = EmbeddedStore::open(Path::new(path), Arc::new(crate::moment::now)).map_err(|error| error.to_string())?;
        return Ok(Arc::new(store));
    }
    redis(config).await
}

/// Connects to Redis. Not being able to is no error: the node serves its documents and says that the store is away.
pub(crate) async fn redis(config: &Config) -> Result<Arc<dyn Store>, String> {
    let ca = config.file.store.ca.as_deref().map(std::fs::read_to_string).transpose().map_err(|error| {
        format!("the certificate authorities of [store] ca cannot be read: {error}")
    })?;
    let settings = RedisSettings { ca, connect_timeout: Duration::from_secs(2), response_timeout: Duration::from_secs(1) };
    let store = RedisStore::connect(&config.file.store.url, settings).await.map_err(|error| error.to_string())?;
    Ok(Arc::new(store))
}

fn clone_secret(secret: &Secret) -> Secret {
    Secret::from_octets(*secret.expose())
}

mod settings {
    //! The roles' settings out of the configuration.
    use broker_oidc::claims::ClaimNames;

    use super::{Config, OpSettings, OutputMap, SpSettings};

    pub(super) fn op(config: &Config) -> OpSettings {
        OpSettings {
            issuer: config.file.issuer.clone(),
            authorization_endpoint: config.at("/oidc/authorize"),
            token_endpoint: config.at("/oidc/token"),
            userinfo_endpoint: config.at("/oidc/userinfo"),
            jwks_uri: config.at("/oidc/jwks"),
            service_documentation: None,
            acr_values: Vec::new(),
            claim_names: ClaimNames::default(),
        }
    }

    pub(super) fn sp(config: &Config) -> SpSettings {
        SpSettings {
            skew_seconds: i64::from(config.file.saml.skew_seconds),
            output_map: OutputMap { reviewed: config.file.federation.reviewed },
            require_signed_response: config.file.saml.require_signed_response,
            ..SpSettings::new(config.entity_id(), config.at("/saml/acs"))
        }
    }
}
