//! How local commands change the registry: read what is live, prepare the change, put documents first and move the head last, if nobody moved it in
//! between. What was live stays live whenever something is refused.

use std::{collections::HashMap, path::Path, sync::Arc};

use broker_core::port::{HeadMoved, Store};
use certs::{key_directory::KeyDirectory, mac::MacKey};
use metadata::{
    Registry,
    key_use::{KeyUse, KeyUseRefused},
    lint::Tongue,
    revision::{Change, Head, Manifest, document_name, guard},
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
    /// When keys of providers last verified a message.
    pub(crate) key_use: KeyUse,
    key_use_mac: MacKey,
    key_use_refused: Option<KeyUseRefused>,
    despite_hold: Option<String>,
    dry_run: bool,
}

/// `--despite-hold REASON`
#[derive(Debug, clap::Args)]
pub(crate) struct DespiteHold {
    /// Make the change although the rollover guard holds it, and say why. The guard says what is at risk, and the order of steps without one.
    #[arg(long, value_name = "REASON")]
    despite_hold: Option<String>,
}

impl DespiteHold {
    /// The reason, if one is given.
    ///
    /// # Errors
    /// When it says nothing.
    pub(crate) fn reason(&self) -> Result<Option<String>, Stopped> {
        match self.despite_hold.as_deref().map(str::trim) {
            Some("") => Err(Stopped::could_not("--despite-hold must say why")),
            reason => Ok(reason.map(str::to_owned)),
        }
    }
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
            key_use: KeyUse::default(),
            key_use_mac: wiring::key_use_key(&keys),
            key_use_refused: None,
            despite_hold: None,
            dry_run: false,
            config,
            head: None,
            registry: Registry::default(),
        };
        edit.read().await?;
        Ok(edit)
    }

    /// Lets changes through that the rollover guard holds, for a reason; they are told all the same.
    pub(crate) fn despite_hold(&mut self, reason: Option<String>) {
        self.despite_hold = reason;
    }

    /// Lets changes be prepared and judged, and not made.
    pub(crate) fn dry_run(&mut self, dry_run: bool) {
        self.dry_run = dry_run;
    }

    /// Asks the rollover guard, and says what it says.
    async fn guarded(&self, changes: &Changes) -> Result<(), Stopped> {
        let needed = guard::needed(&self.registry, &changes.list);
        let removes = changes.list.iter().any(|change| matches!(change, Change::Remove { .. }));
        if let (Some(refused), None) = (self.key_use_refused, &self.despite_hold)
            && (removes || !needed.is_empty())
            && !self.dry_run
        {
            return Err(Stopped::refused(format!(
                "{refused}. The rollover guard cannot go by it. Nothing was changed. If the change must be made all the same: --despite-hold REASON."
            )));
        }
        let mut documents: HashMap<String, Vec<u8>> =
            changes.documents.iter().map(|octets| (document_name(octets), octets.clone())).collect();
        let missing: Vec<String> = needed.into_iter().filter(|name| !documents.contains_key(name)).collect();
        let found = self.store.kept(&missing).await.map_err(Stopped::could_not)?;
        documents.extend(missing.into_iter().zip(found).filter_map(|(name, octets)| Some((name, octets?))));
        let find = |name: &str| documents.get(name).map(Vec::as_slice);
        let held = guard::judge(&self.registry, &changes.list, &find, &self.key_use, moment::now());
        if held.findings.is_empty() {
            return Ok(());
        }
        let told = held.render("the change", tongue());
        match &self.despite_hold {
            None if !self.dry_run => Err(Stopped::refused(format!(
                "{}\n\nThe change is held: it would keep people from signing in. Nothing was changed. If it must be made all the same: --despite-hold REASON.",
                told.trim_end()
            ))),
            reason => {
                let mut lines = super::Lines::to_stderr();
                lines.say(super::Tone::Look, told.trim_end());
                lines.gap();
                if let Some(reason) = reason {
                    lines.say(super::Tone::Look, format!("The change is made despite that: {reason}"));
                }
                Ok(())
            }
        }
    }

    async fn read(&mut self) -> Result<(), Stopped> {
        let used = self.store.head(metadata::key_use::HEAD).await.map_err(Stopped::could_not)?;
        // What is not authentic says nothing. The guard then cannot judge, and says that.
        (self.key_use, self.key_use_refused) = match crate::key_use::read(used.as_deref(), &self.key_use_mac)
        {
            Ok(seen) => (seen, None),
            Err(refused) => (KeyUse::default(), Some(refused)),
        };
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
            self.guarded(&changes).await?;
            if self.dry_run {
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
