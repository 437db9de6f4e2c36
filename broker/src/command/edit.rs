//! How local commands change the registry: read what is live, prepare the change, put documents first and move the head last, if nobody moved it in
//! between. What was live stays live whenever something is refused.

use std::{path::Path, sync::Arc};

use broker_core::port::{HeadMoved, Store};
use certs::{key_directory::KeyDirectory, mac::MacKey};
use metadata::{
    Registry,
    lint::Tongue,
    revision::{Change, Head, Manifest},
};

use super::Stopped;
use crate::{
    config::Config,
    moment,
    registry_watch::{self, HEAD},
    wiring,
};

/// How often somebody else may be faster before we give up.
const ATTEMPTS: usize = 5;

/// The registry, open for a change.
pub(crate) struct Edit {
    store: Arc<dyn Store>,
    mac: MacKey,
    /// What client secrets are hashed with.
    pub(crate) client_secrets: Arc<MacKey>,
    config: Config,
    head: Option<Vec<u8>>,
    /// What is live.
    pub(crate) registry: Registry,
    /// What our service providers are called.
    pub(crate) service_providers: Vec<String>,
}

/// What a change puts and moves.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Documents to keep.
    pub(crate) documents: Vec<Vec<u8>>,
    /// Changes of the manifest, in order.
    pub(crate) list: Vec<Change>,
}

impl Edit {
    /// Opens the registry of a configuration.
    ///
    /// # Errors
    /// When configuration, keys or store cannot be used.
    pub(crate) async fn open(config: &Path) -> Result<Self, Stopped> {
        Self::of(Config::read(config).map_err(Stopped::could_not)?).await
    }

    /// Opens the registry of a configuration that is read.
    ///
    /// # Errors
    /// When keys or store cannot be used.
    pub(crate) async fn of(config: Config) -> Result<Self, Stopped> {
        let keys = KeyDirectory::open(&config.file.keys).map_err(Stopped::could_not)?;
        let store = wiring::open_store_for_command(&config).await.map_err(Stopped::could_not)?;
        wiring::agree_on_keys(&*store, &keys, true).await.map_err(Stopped::could_not)?;
        let mut edit = Self {
            store,
            mac: wiring::registry_key(&keys),
            client_secrets: Arc::new(wiring::client_secret_key(&keys)),
            service_providers: config.service_providers().into_iter().map(|one| one.name).collect(),
            config,
            head: None,
            registry: Registry::default(),
        };
        edit.read().await?;
        Ok(edit)
    }

    async fn read(&mut self) -> Result<(), Stopped> {
        self.head = self.store.head(HEAD).await.map_err(Stopped::could_not)?;
        let Some(head) = &self.head else {
            self.registry = Registry::default();
            return Ok(());
        };
        let opened = Head::open(head, &self.mac).map_err(Stopped::could_not)?;
        let directory = self.config.file.state.join("registry");
        let (manifest, contents) =
            registry_watch::fetch(&*self.store, &opened, &directory).await.map_err(Stopped::could_not)?;
        self.registry = registry_watch::build(opened.number, &manifest, &contents, None, moment::now())
            .map_err(Stopped::could_not)?;
        Ok(())
    }

    /// The octets of a registered document.
    ///
    /// # Errors
    /// When the store is away or has lost it.
    pub(crate) async fn document(&self, name: &str) -> Result<Vec<u8>, Stopped> {
        let found = self.store.kept(&[name.to_owned()]).await.map_err(Stopped::could_not)?;
        found
            .into_iter()
            .next()
            .flatten()
            .ok_or_else(|| Stopped::could_not(format!("the store has lost the document {name}")))
    }

    /// Prepares and makes a change, anew when somebody else was faster.
    ///
    /// # Errors
    /// What `prepare` refuses with, what the manifest refuses, or that the store is away.
    pub(crate) async fn change<T>(
        &mut self,
        mut prepare: impl FnMut(&Registry) -> Result<(Changes, T), Stopped>,
    ) -> Result<(u64, T), Stopped> {
        for _ in 0..ATTEMPTS {
            let (changes, told) = prepare(&self.registry)?;
            if changes.list.is_empty() {
                return Ok((self.registry.number(), told));
            }
            let mut manifest: Manifest = self.registry.manifest().clone();
            for change in changes.list {
                manifest = manifest.with(change).map_err(Stopped::refused)?;
            }
            let document = manifest.to_document().map_err(Stopped::could_not)?;
            let head = Head {
                number: self.registry.number() + 1,
                manifest: manifest.name().map_err(Stopped::could_not)?,
                at: moment::now(),
                record: None,
            };
            let sealed = head.seal(&self.mac);
            let mut contents = changes.documents;
            contents.push(document);
            self.store.keep(&contents).await.map_err(Stopped::could_not)?;
            match self
                .store
                .move_head(HEAD, self.head.as_deref(), &sealed)
                .await
                .map_err(Stopped::could_not)?
            {
                HeadMoved::Moved => {
                    self.read().await?;
                    return Ok((head.number, told));
                }
                HeadMoved::Conflict(_) => self.read().await?,
            }
        }
        Err(Stopped::could_not(
            "somebody else changed the registry again and again; nothing was changed. Try again.",
        ))
    }
}

/// The language of a person at the terminal.
pub(crate) fn tongue() -> Tongue {
    let language = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    if language.is_some_and(|language| language.starts_with("sv")) {
        Tongue::Swedish
    } else {
        Tongue::English
    }
}

/// Reads a file that somebody names.
///
/// # Errors
/// With the file's name.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, Stopped> {
    std::fs::read(path)
        .map_err(|error| Stopped::could_not(format!("{} cannot be read: {error}", path.display())))
}
