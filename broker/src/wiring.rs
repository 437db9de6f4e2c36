//! A running node: everything that an endpoint needs, made once from the configuration.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use broker_core::{
    assurance::{Assurance, AssuranceProfile, OutputMap},
    identifier::Language,
    moment::{Moment, Timestamp},
    port::{HeadMoved, Store, StoreError},
    subject::SubjectSecret,
};
use broker_oidc::op::{OidcOp, OpSettings};
use broker_saml::sp::{SamlSp, SpEntities, SpEntity};
use broker_store::{
    admin_socket::AdminSocket,
    embedded,
    record::NodeSecret,
    redis::{RedisOptions, RedisStore},
    vault::Vault,
};
use certs::{
    key_directory::KeyDirectory,
    mac::{MacKey, Secret},
};
use metadata::Registry;

use crate::{
    alarm::{AlarmKind, Alarms},
    api::Api,
    choice_index::ChoiceIndexes,
    config::Config,
    cookie::Origins,
    desk::DeskFile,
    failed::FailedSeal,
    feed::Feed,
    heavy_work::{Work, WorkBounds},
    key_use::KeyUseNotes,
    oidc_keys::OidcKeys,
    operator::Counters,
    own_metadata::OwnMetadata,
    page::{Branding, Pages},
    proposals::Office,
    registry_edit::RegistryFile,
    registry_watch::{RegistryWatch, Unconfirmed},
    source_watch::{self, Sources},
    throttle::Throttle,
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
    /// Other federations' metadata.
    pub(crate) sources: Arc<Sources>,
    /// How the registry changes.
    pub(crate) edits: RegistryFile,
    /// What somebody must look at.
    pub(crate) alarms: Alarms,
    /// What waits between an author and the registry, and who may propose.
    pub(crate) desk: DeskFile,
    /// How many files each operator gave lately.
    pub(crate) given: Counters,
    /// The keys that sign tokens.
    pub(crate) oidc_keys: OidcKeys,
    /// The pages.
    pub(crate) pages: Pages,
    /// What the choice of organisation is searched by.
    pub(crate) choices: ChoiceIndexes,
    /// Sealed addresses of error pages.
    pub(crate) failed: FailedSeal,
    /// Who asked, by what a login's cookie says.
    pub(crate) origins: Origins,
    /// What subject identifiers are made with.
    pub(crate) subjects: Subjects,
    /// The key that client secrets are hashed with.
    pub(crate) client_secrets: MacKey,
    /// Runs what is heavy.
    pub(crate) work: Work,
    /// How often one may ask.
    pub(crate) throttle: Throttle,
    /// What the API needs.
    pub(crate) api: Api,
    /// Which keys of providers verified messages here.
    pub(crate) key_use: KeyUseNotes,
    op: OpSettings,
    sp: SpEntities,
    keys_agreed: AtomicBool,
    own_metadata: OwnMetadata,
    /// What is published of the federation.
    pub(crate) feed: Feed,
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

/// The key that authenticates the registry's head.
pub(crate) fn registry_key(keys: &KeyDirectory) -> MacKey {
    keys.registry_secret().mac_key("registry head")
}

/// The key that authenticates the record of when keys were used.
pub(crate) fn key_use_key(keys: &KeyDirectory) -> MacKey {
    keys.registry_secret().mac_key("key use")
}

impl Node {
    /// Makes a node around a store that is open.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub(crate) fn new(
        config: Config,
        keys: KeyDirectory,
        store: Arc<dyn Store>,
    ) -> Result<Arc<Self>, String> {
        let node_secret = NodeSecret::new(NODE_SECRET_NAME, *keys.node_secret().expose())
            .map_err(|error| error.to_string())?;
        let branding = Branding {
            federation_name: config.file.federation.name.clone(),
            accessibility_url: config.file.federation.accessibility_url.clone(),
            contact: config.file.federation.contact.clone(),
        };
        let pages = Pages::new(config.file.pages.directory.as_deref(), branding)
            .map_err(|error| error.to_string())?;
        let failed = FailedSeal::new(keys.node_secret()).ok_or("the seal of error pages cannot be made")?;
        let subjects = Subjects(keys.subject_secret().mac_key("subject identifier"));
        let sources = Arc::new(Sources::new(&config, &keys)?);
        let registry =
            RegistryWatch::new(registry_key(&keys), config.file.state.clone(), Arc::clone(&sources));
        let edits = RegistryFile::new(&keys, config.file.state.clone()).map_err(|error| error.to_string())?;
        let desk = DeskFile::new(&keys, &config.file.state).map_err(|error| error.to_string())?;
        let oidc_keys = OidcKeys::new(clone_secret(keys.node_secret()));
        Ok(Arc::new(Self {
            op: settings::op(&config, pages.languages()),
            sp: settings::sp(&config)?,
            client_secrets: client_secret_key(&keys),
            vault: Vault::new(store, node_secret, Vec::new()),
            work: Work::new(WorkBounds::on_this_machine(
                config.file.limits.work_queue,
                Duration::from_millis(config.file.limits.work_milliseconds),
            )),
            throttle: Throttle::new(&config.file.limits),
            api: Api::new(&keys, &config.file.api),
            key_use: KeyUseNotes::new(key_use_key(&keys)),
            origins: Origins::new(keys.node_secret().mac_key("login cookie")),
            config,
            keys,
            registry,
            sources,
            edits,
            alarms: Alarms::default(),
            desk,
            given: Counters::new(),
            oidc_keys,
            pages,
            choices: ChoiceIndexes::default(),
            failed,
            subjects,
            keys_agreed: AtomicBool::new(false),
            own_metadata: OwnMetadata::default(),
            feed: Feed::default(),
        }))
    }

    /// Where proposals are handled: as a local command does, from here.
    pub(crate) fn office(&self) -> Office<'_> {
        Office {
            store: &**self.vault.store(),
            registry: &self.edits,
            desk: &self.desk,
            client_secrets: &self.client_secrets,
            clock: crate::moment::now,
        }
    }

    /// Our OpenID provider face over a registry snapshot.
    pub(crate) fn op<'a>(
        &'a self,
        registry: &'a Registry,
        keyring: &'a certs::keyring::Keyring,
    ) -> OidcOp<'a> {
        OidcOp { settings: &self.op, registry, keyring, client_secrets: &self.client_secrets }
    }

    /// The OpenID provider's settings with the levels that can leave: what the registered providers may assert, through the output map.
    pub(crate) fn op_settings_with_levels(&self, registry: &Registry) -> OpSettings {
        let levels: BTreeSet<Assurance> = registry
            .providers_by_name()
            .iter()
            .flat_map(|provider| provider.assurance.iter().filter(|level| provider.authority.covers(level)))
            .flat_map(|level| {
                let map = self.output_map();
                AssuranceProfile::ALL.iter().filter_map(|profile| map.leaving(level, *profile))
            })
            .collect();
        OpSettings { acr_values: levels.into_iter().rev().collect(), ..self.op.clone() }
    }

    /// Our SAML service provider face over a registry snapshot.
    pub(crate) fn sp<'a>(&'a self, registry: &'a Registry) -> SamlSp<'a> {
        SamlSp {
            entities: &self.sp,
            registry,
            signer: &**self.keys.saml_signing(),
            decryption: self.keys.saml_decryption(),
        }
    }

    /// Looks at what may have changed in the store: the registry and the token keys. Failures are logged, and tell in `/health` and in new logins
    /// after a while.
    ///
    /// # Errors
    /// When this node's keys are others than the cluster's: it must not serve at all (design decision 11). Until the store has answered once, no
    /// login begins here.
    pub(crate) async fn refresh(&self) -> Result<(), String> {
        let store = &**self.vault.store();
        if !self.keys_agreed.load(Ordering::Acquire) {
            match agree_on_keys(store, &self.keys, true).await {
                Ok(()) => self.keys_agreed.store(true, Ordering::Release),
                Err(Disagreement::Differs(error)) => return Err(error),
                Err(Disagreement::Unknown(error)) => {
                    tracing::error!(%error, "this node does not serve logins yet");
                    return Ok(());
                }
            }
        }
        let now = crate::moment::now();
        let before = self.registry.any().number();
        match self.registry.refresh(store, crate::moment::now).await {
            Ok(()) => self.alarms.clear(AlarmKind::Registry),
            Err(error @ Unconfirmed::Alarm(_)) => {
                self.alarms.raise(AlarmKind::Registry, &error.to_string(), now);
            }
            Err(error) => tracing::error!(%error, "the registry could not be confirmed"),
        }
        // Logins need neither history nor desk: they go on whatever happens to those.
        if self.registry.any().number() != before || self.alarms.is_raised(AlarmKind::History) {
            match self.edits.check_newest(store).await {
                Ok(()) => self.alarms.clear(AlarmKind::History),
                Err(error) if error.is_alarm() => {
                    self.alarms.raise(AlarmKind::History, &error.to_string(), now);
                }
                Err(error) => tracing::error!(%error, "the record of the newest revision could not be read"),
            }
        }
        // What the sources had is used until it expires, whatever happens to their head.
        match self.sources.follow(store).await {
            Ok(changed) => {
                self.alarms.clear(AlarmKind::Sources);
                if changed {
                    self.rejoin().await;
                }
            }
            Err(error) if self.sources.is_alarmed() => self.alarms.raise(AlarmKind::Sources, &error, now),
            Err(error) => tracing::error!(%error, "the sources could not be confirmed"),
        }
        match self.sources.old(now) {
            None => self.alarms.clear(AlarmKind::SourceOld),
            Some(old) => self.alarms.raise(AlarmKind::SourceOld, &old, now),
        }
        match self.desk.refresh(store, crate::moment::now).await {
            Ok(()) => self.alarms.clear(AlarmKind::Desk),
            Err(error) if error.is_alarm() => self.alarms.raise(AlarmKind::Desk, &error.to_string(), now),
            Err(error) => tracing::error!(%error, "the desk could not be confirmed"),
        }
        if let Err(error) = self.oidc_keys.refresh(store).await {
            tracing::error!(%error, "the token keys could not be read");
        }
        if let Err(error) = self.key_use.write_if_due(store, crate::moment::now()).await {
            tracing::warn!(%error, "when keys were used could not be written; the next try is in a minute");
        }
        Ok(())
    }

    /// Lets what the sources have now take part in logins.
    pub(crate) async fn rejoin(&self) {
        if let Err(error) = self.registry.rejoin().await {
            tracing::error!(%error, "what the sources have could not be joined to the registry");
        }
    }

    /// Begins what goes on by itself while serving.
    pub(crate) fn begin_rounds(self: &Arc<Self>, stop: &tokio::sync::watch::Receiver<bool>) {
        source_watch::keep_fresh(self, stop);
    }

    /// The SAML metadata of one of our service providers, signed; `None`: there is none of that name.
    ///
    /// # Errors
    /// When the key does not sign.
    pub(crate) fn own_metadata(&self, name: &str, moment: Moment<'_>) -> Result<Option<Vec<u8>>, String> {
        self.own_metadata.today(self, name, moment)
    }

    /// Our service providers.
    pub(crate) fn service_providers(&self) -> impl Iterator<Item = &SpEntity> {
        self.sp.all()
    }

    /// What we may say of levels.
    pub(crate) fn output_map(&self) -> &OutputMap {
        &self.config.output_map
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

/// A store that is open, with what must live as long as it.
pub(crate) struct Opened {
    /// The store.
    pub(crate) store: Arc<dyn Store>,
    /// Answers local commands while the embedded store's file is ours.
    _admin: Option<AdminSocket>,
}

/// Opens the store that a configuration names, for a node that serves. A Redis that does not answer is no error: the node serves its documents
/// and says that the store is away.
///
/// # Errors
/// A sentence for the operator.
pub(crate) async fn open_store(config: &Config) -> Result<Opened, String> {
    if let Some(path) = embedded_path(config)? {
        let (store, admin) =
            embedded::open_for_serve(&path, embedded::machine_clock()).map_err(|error| error.to_string())?;
        return Ok(Opened { store, _admin: Some(admin) });
    }
    Ok(Opened { store: redis(config)?, _admin: None })
}

/// Opens the store for a local command: the embedded one through the node that holds it, if one does.
///
/// # Errors
/// A sentence for the operator.
pub(crate) async fn open_store_for_command(config: &Config) -> Result<Arc<dyn Store>, String> {
    match embedded_path(config)? {
        Some(path) => embedded::open_for_command(&path).await.map_err(|error| error.to_string()),
        None => redis(config),
    }
}

/// The embedded store's file, its folder made.
fn embedded_path(config: &Config) -> Result<Option<PathBuf>, String> {
    let Some(path) = config.file.store.url.strip_prefix("embedded:").map(PathBuf::from) else {
        return Ok(None);
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
    }
    Ok(Some(path))
}

fn redis(config: &Config) -> Result<Arc<dyn Store>, String> {
    let options = RedisOptions {
        certificate_authorities: config.file.store.ca.clone(),
        ..RedisOptions::new(config.file.store.url.as_str())
    };
    Ok(Arc::new(RedisStore::new(&options).map_err(|error| error.to_string())?))
}

/// Compares this node's key directory with the one that the store was first used with: a node with other secrets would give people other
/// subject identifiers, and must not serve (design decision 11).
///
/// # Errors
/// Which files differ, or that the store is away.
pub(crate) async fn agree_on_keys(
    store: &dyn Store,
    keys: &KeyDirectory,
    first: bool,
) -> Result<(), Disagreement> {
    let prints = keys.fingerprints().into_iter().map(|print| (print.item, print.value)).collect();
    agree_on_prints(store, &prints, first).await
}

/// Why a node may not serve with its keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Disagreement {
    /// Nobody can say: the store does not answer. It may yet agree.
    #[error("{0}")]
    Unknown(String),
    /// They are others than the cluster's.
    #[error("{0}")]
    Differs(String),
}

impl From<StoreError> for Disagreement {
    fn from(error: StoreError) -> Self {
        Self::Unknown(error.to_string())
    }
}

/// Makes this node's key directory the one that nodes compare with: after a key was replaced on purpose. Returns the files that differed.
///
/// # Errors
/// When the store is away.
pub(crate) async fn accept_keys(
    store: &dyn Store,
    keys: &KeyDirectory,
) -> Result<Vec<&'static str>, Disagreement> {
    let ours: BTreeMap<&str, String> =
        keys.fingerprints().into_iter().map(|print| (print.item, print.value)).collect();
    let there = store.head(KEY_FINGERPRINTS).await?;
    let theirs: BTreeMap<String, String> =
        there.as_deref().and_then(|there| serde_json::from_slice(there).ok()).unwrap_or_default();
    let differ: Vec<&'static str> = keys
        .fingerprints()
        .into_iter()
        .filter(|print| theirs.get(print.item) != Some(&print.value))
        .map(|print| print.item)
        .collect();
    let written = serde_json::to_vec(&ours).map_err(|error| Disagreement::Unknown(error.to_string()))?;
    match store.move_head(KEY_FINGERPRINTS, there.as_deref(), &written).await? {
        HeadMoved::Moved => Ok(differ),
        HeadMoved::Conflict(_) => {
            Err(Disagreement::Unknown("somebody else changed it at the same moment; try again".to_owned()))
        }
    }
}

/// The head that holds the fingerprints that nodes compare their key directories with.
const KEY_FINGERPRINTS: &str = "key-fingerprints";

async fn agree_on_prints(
    store: &dyn Store,
    ours: &BTreeMap<&str, String>,
    first: bool,
) -> Result<(), Disagreement> {
    let mut there = store.head(KEY_FINGERPRINTS).await?;
    if there.is_none() && first {
        let written = serde_json::to_vec(ours).map_err(|error| Disagreement::Unknown(error.to_string()))?;
        there = match store.move_head(KEY_FINGERPRINTS, None, &written).await? {
            HeadMoved::Moved => return Ok(()),
            HeadMoved::Conflict(theirs) => theirs,
        };
    }
    let Some(there) = there else { return Ok(()) };
    let theirs: BTreeMap<String, String> = serde_json::from_slice(&there).map_err(|error| {
        Disagreement::Differs(format!("the key fingerprints in the store are unreadable: {error}"))
    })?;
    let differ: Vec<&str> = ours
        .iter()
        .filter(|(item, value)| theirs.get(**item) != Some(value))
        .map(|(item, _)| *item)
        .collect();
    if differ.is_empty() {
        return Ok(());
    }
    Err(Disagreement::Differs(format!(
        "this node's {} are not those that the store was first used with; copy the key directory of the nodes that serve",
        differ.join(", ")
    )))
}

fn clone_secret(secret: &Secret) -> Secret {
    Secret::from_octets(*secret.expose())
}

mod settings {
    //! The roles' settings out of the configuration.
    use broker_oidc::claims::ClaimNames;
    use broker_saml::sp::SpSettings;

    use super::{Config, OpSettings, SpEntities, SpEntity};

    pub(super) fn op(config: &Config, ui_locales: Vec<String>) -> OpSettings {
        OpSettings {
            issuer: config.file.issuer.clone(),
            authorization_endpoint: config.at("/oidc/authorize"),
            token_endpoint: config.at("/oidc/token"),
            userinfo_endpoint: config.at("/oidc/userinfo"),
            jwks_uri: config.at("/oidc/jwks"),
            service_documentation: None,
            acr_values: Vec::new(),
            ui_locales,
            claim_names: ClaimNames::default(),
        }
    }

    pub(super) fn sp(config: &Config) -> Result<SpEntities, String> {
        let mut entities = config.service_providers().into_iter().map(|one| SpEntity {
            settings: SpSettings {
                skew_seconds: i64::from(config.file.saml.skew_seconds),
                output_map: config.output_map.clone(),
                require_signed_response: config.file.saml.require_signed_response,
                ..SpSettings::new(one.entity_id, one.acs_url)
            },
            name: one.name,
            attributes: one.attributes,
            categories: one.categories,
        });
        let main = entities.next().ok_or("there is no main service provider")?;
        Ok(SpEntities::new(main, entities.collect(), &config.file.issuer))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use broker_store::embedded;

    use super::{Disagreement, agree_on_prints};

    fn prints(node: &str, subject: &str) -> BTreeMap<&'static str, String> {
        BTreeMap::from([("node-secret", node.to_owned()), ("subject-secret", subject.to_owned())])
    }

    #[tokio::test]
    async fn a_node_with_other_keys_is_told_which_and_one_with_the_same_is_let_in() {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, _socket) =
            embedded::open_for_serve(&folder.path().join("registry.redb"), embedded::machine_clock())
                .expect("a store");
        let store = &*store;
        assert_eq!(agree_on_prints(store, &prints("a", "b"), false).await, Ok(()), "nobody was first yet");
        assert_eq!(agree_on_prints(store, &prints("a", "b"), true).await, Ok(()), "the first");
        assert_eq!(agree_on_prints(store, &prints("a", "b"), true).await, Ok(()), "the same again");
        for first in [true, false] {
            let refused = agree_on_prints(store, &prints("a", "c"), first).await;
            let Err(Disagreement::Differs(said)) = refused else { panic!("{refused:?}") };
            assert!(said.contains("subject-secret") && !said.contains("node-secret"), "{said}");
        }
    }
}
