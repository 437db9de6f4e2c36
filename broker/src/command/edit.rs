//! The registry and the desk, open for a local command: the same doors as inside a node that serves (`registry_edit.rs`, `desk.rs`), and what a person
//! at the terminal is told.

use std::{collections::HashMap, os::unix::fs::MetadataExt as _, path::Path, sync::Arc};

use broker_core::port::Store;
use certs::{key_directory::KeyDirectory, mac::MacKey};
use clap::Args;
use metadata::{
    Registry,
    desk::Actor,
    key_use::KeyUse,
    lint::Tongue,
    revision::{Change, document_name, guard},
};

use super::Stopped;
pub(crate) use crate::registry_edit::{Changes, Signed};
use crate::{
    config::Config,
    desk::{DeskFailed, DeskFile},
    moment,
    proposals::ProposalFailed,
    prune::{self, PruneFailed},
    registry_edit::{ATTEMPTS, EditFailed, Live, RegistryFile},
    wiring,
};

/// `--as NAME --note TEXT`
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Author {
    /// Who does this, for the history. Without it: the user of this machine who runs the command.
    #[arg(long = "as", value_name = "NAME")]
    name: Option<String>,
    /// What to write into the history beside it.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

impl Author {
    /// As the history has it.
    ///
    /// # Errors
    /// When a name is empty or overlong.
    pub(crate) fn signed(&self) -> Result<Signed, Stopped> {
        let note = self.note.as_deref().map(str::trim).unwrap_or_default();
        if note.chars().count() > LONGEST_NOTE {
            return Err(Stopped::could_not(format!("a note has at most {LONGEST_NOTE} characters")));
        }
        Ok(Signed::by(operator(self.name.as_deref())?, note))
    }
}

/// `--despite-hold REASON`
#[derive(Debug, Args)]
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

/// The longest note, in characters.
const LONGEST_NOTE: usize = 2000;
/// The longest name of a person, in characters.
const LONGEST_NAME: usize = 200;

/// The operator who runs this command: by the name given, else the user of this machine.
///
/// # Errors
/// When the name is empty, overlong, or has control characters.
pub(crate) fn operator(name: Option<&str>) -> Result<Actor, Stopped> {
    let name = name.map_or_else(user, |name| name.trim().to_owned());
    let fits = (1..=LONGEST_NAME).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if fits {
        Ok(Actor::Operator { name })
    } else {
        Err(Stopped::could_not(format!("--as takes a name of 1 to {LONGEST_NAME} printable characters")))
    }
}

/// The user of this machine who runs this process, by the system and not by a variable that anybody can set.
fn user() -> String {
    let Ok(id) = std::fs::metadata("/proc/self").map(|process| process.uid()) else {
        return std::env::var("USER").unwrap_or_else(|_| "the operator".to_owned());
    };
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
    });
    named.unwrap_or_else(|| format!("user {id}"))
}

/// The registry and the desk, open for a change.
pub(crate) struct Edit {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) file: RegistryFile,
    pub(crate) desk: DeskFile,
    pub(crate) live: Live,
    /// What client secrets are hashed with.
    pub(crate) client_secrets: Arc<MacKey>,
    /// What tokens for the API are hashed with.
    pub(crate) tokens: MacKey,
    /// What our service providers are called.
    pub(crate) service_providers: Vec<String>,
    /// Who publishes.
    pub(crate) signed: Signed,
    /// When keys of providers last verified a message.
    pub(crate) key_use: KeyUse,
    key_use_refused: Option<EditFailed>,
    despite_hold: Option<String>,
    dry_run: bool,
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
        let file = RegistryFile::new(&keys, config.file.state.clone())?;
        let desk = DeskFile::new(&keys, &config.file.state)?;
        let live = file.read(&*store, None, moment::now()).await?;
        // What is not authentic says nothing. The guard then cannot judge, and says that.
        let (key_use, key_use_refused) = match file.key_use(&*store).await {
            Ok(seen) => (seen, None),
            Err(refused @ EditFailed::Tampered(_)) => (KeyUse::default(), Some(refused)),
            Err(away) => return Err(away.into()),
        };
        Ok(Self {
            store,
            file,
            desk,
            live,
            tokens: crate::api::token_key(&keys),
            client_secrets: Arc::new(wiring::client_secret_key(&keys)),
            service_providers: config.service_providers().into_iter().map(|one| one.name).collect(),
            signed: Author::default().signed()?,
            key_use,
            key_use_refused,
            despite_hold: None,
            dry_run: false,
        })
    }

    /// The same, by whoever is named.
    ///
    /// # Errors
    /// As [`Author::signed`].
    pub(crate) fn signed(mut self, author: &Author) -> Result<Self, Stopped> {
        self.signed = author.signed()?;
        Ok(self)
    }

    /// What is live.
    pub(crate) fn registry(&self) -> &Registry {
        &self.live.registry
    }

    /// The octets of a registered document.
    ///
    /// # Errors
    /// When the store is away or has lost it.
    pub(crate) async fn document(&self, name: &str) -> Result<Vec<u8>, Stopped> {
        Ok(self.file.document(&*self.store, name).await?)
    }

    /// Lets changes through that the rollover guard holds, for a reason; they are told all the same.
    pub(crate) fn despite_hold(&mut self, reason: Option<String>) {
        self.despite_hold = reason;
    }

    /// Lets changes be prepared and judged, and not made.
    pub(crate) fn dry_run(&mut self, dry_run: bool) {
        self.dry_run = dry_run;
    }

    /// Prepares and makes a change, anew when somebody else was faster.
    ///
    /// # Errors
    /// What `prepare` refuses with, what the guard holds, what the manifest refuses, or that the store is away.
    pub(crate) async fn change<T>(
        &mut self,
        mut prepare: impl FnMut(&Registry) -> Result<(Changes, T), Stopped>,
    ) -> Result<(u64, T), Stopped> {
        for _ in 0..ATTEMPTS {
            self.file.refresh(&*self.store, &mut self.live, moment::now).await?;
            let before = self.live.registry.number();
            let (mut changes, told) = prepare(&self.live.registry)?;
            if changes.list.is_empty() {
                return Ok((before, told));
            }
            changes.despite_hold = self.guarded(&changes).await?;
            if self.dry_run {
                return Ok((before, told));
            }
            let made =
                self.file.attempt(&*self.store, &mut self.live, changes, &self.signed, moment::now).await?;
            if let Some(number) = made {
                if number > before {
                    self.after(number).await;
                }
                return Ok((number, told));
            }
        }
        Err(EditFailed::Busy.into())
    }

    /// Asks the rollover guard, and says what it says. Returns why the change is made all the same, where it is held.
    async fn guarded(&self, changes: &Changes) -> Result<Option<String>, Stopped> {
        let needed = guard::needed(self.registry(), &changes.list);
        let removes = changes.list.iter().any(|change| matches!(change, Change::Remove { .. }));
        if let (Some(refused), None) = (&self.key_use_refused, &self.despite_hold)
            && (removes || !needed.is_empty())
            && !self.dry_run
        {
            return Err(Stopped::refused(format!(
                "{refused}. The rollover guard cannot go by it. Nothing was changed. If the change must be made all the same: --despite-hold REASON."
            )));
        }
        let mut documents: HashMap<String, Vec<u8>> =
            changes.documents.iter().map(|octets| (document_name(octets), octets.clone())).collect();
        let missing = needed.into_iter().filter(|name| !documents.contains_key(name));
        let found = self.file.documents(&*self.store, missing).await?;
        documents.extend(found);
        let find = |name: &str| documents.get(name).map(Vec::as_slice);
        let held = guard::judge(self.registry(), &changes.list, &find, &self.key_use, moment::now());
        if held.findings.is_empty() {
            return Ok(None);
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
                let said = match reason {
                    Some(reason) => format!("The change is made despite that: {reason}"),
                    None => "The change would be held for that.".to_owned(),
                };
                lines.say(super::Tone::Look, said);
                Ok(reason.clone())
            }
        }
    }

    /// What follows a publication, and is no reason to say that it failed: proposals that it overtook are closed, and what is older than history is
    /// kept goes.
    pub(crate) async fn after(&self, number: u64) {
        if let Err(error) = crate::proposals::reconcile(self.office(), &self.live).await {
            tracing::warn!(%error, "proposals that this revision overtakes could not be closed");
        }
        prune::after(number, &*self.store, &self.file, &self.desk, moment::now).await;
    }

    /// What proposals are handled with.
    pub(crate) fn office(&self) -> crate::proposals::Office<'_> {
        crate::proposals::Office {
            store: &*self.store,
            registry: &self.file,
            desk: &self.desk,
            client_secrets: &self.client_secrets,
            clock: moment::now,
        }
    }
}

impl From<EditFailed> for Stopped {
    fn from(failed: EditFailed) -> Self {
        if failed.is_refusal() { Self::refused(failed) } else { Self::could_not(failed) }
    }
}

impl From<DeskFailed> for Stopped {
    fn from(failed: DeskFailed) -> Self {
        Self::could_not(failed)
    }
}

impl From<PruneFailed> for Stopped {
    fn from(failed: PruneFailed) -> Self {
        Self::could_not(failed)
    }
}

impl From<ProposalFailed> for Stopped {
    fn from(failed: ProposalFailed) -> Self {
        match failed {
            ProposalFailed::Refused(refused) => Self::refused(refused),
            ProposalFailed::Rules(report) => Self::refused(format!(
                "{}\nNothing was changed.",
                report.render("the proposal", tongue()).trim_end()
            )),
            other => Self::could_not(other),
        }
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
