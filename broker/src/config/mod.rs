//! The configuration file: TOML, unknown keys refused, every problem reported at once with its line.
//!
//! `docs/configuration.md` describes each key; the test at the end of `schema.rs` fails when that page and [`schema::KEYS`] differ.

mod problem;
mod publish;
mod schema;
mod service_provider;
mod validate;

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

pub(crate) use problem::{Problem, Problems, Severity};

pub(crate) use publish::PublishSection;
pub(crate) use service_provider::ServiceProvider;

use broker_core::{
    assurance::{LevelRow, OutputMap},
    organisation::LocalText,
};
use metadata::lint::{Profile, Profiles};
use metadata::source::SourceSettings;
use serde::Deserialize;

/// The file, as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// The broker's public address: OpenID issuer, and the host of everything else.
    pub(crate) issuer: String,
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// The directory of what cannot be made again.
    pub(crate) keys: PathBuf,
    /// The shared state.
    pub(crate) store: StoreSection,
    /// Where this node keeps its copy of the last good registry.
    #[serde(default = "default_state")]
    pub(crate) state: PathBuf,
    /// Transport certificate, where the broker ends TLS itself.
    #[serde(default)]
    pub(crate) tls: Option<TlsSection>,
    /// Proxies in front.
    #[serde(default)]
    pub(crate) proxy: ProxySection,
    /// What the federation calls itself, and how it behaves.
    #[serde(default)]
    pub(crate) federation: FederationSection,
    /// The SAML face towards providers.
    #[serde(default)]
    pub(crate) saml: SamlSection,
    /// What is published of the federation.
    #[serde(default)]
    pub(crate) publish: Option<PublishSection>,
    /// Pages.
    #[serde(default)]
    pub(crate) pages: PagesSection,
    /// Bounds.
    #[serde(default)]
    pub(crate) limits: LimitsSection,
    /// The API for operators.
    #[serde(default)]
    pub(crate) api: ApiSection,
    /// Calls to others.
    #[serde(default)]
    pub(crate) outbound: OutboundSection,
    /// Other federations' metadata, in order of precedence: `[[source]]`.
    #[serde(default)]
    pub(crate) source: Vec<SourceSettings>,
    /// The log.
    #[serde(default)]
    pub(crate) log: LogSection,
}

fn default_state() -> PathBuf {
    PathBuf::from("state")
}

/// `[store]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoreSection {
    /// `redis://`, `rediss://`, `unix:` or `embedded:PATH`.
    pub(crate) url: String,
    /// Certificate authorities for `rediss://`, PEM; default: the public ones.
    #[serde(default)]
    pub(crate) ca: Option<PathBuf>,
}

/// `[tls]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TlsSection {
    /// Certificate chain, PEM.
    pub(crate) certificate: PathBuf,
    /// Private key, PEM.
    pub(crate) key: PathBuf,
}

/// `[proxy]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProxySection {
    /// Addresses of the proxies that end TLS in front of us. Connections from elsewhere are refused.
    #[serde(default)]
    pub(crate) trusted: Vec<IpAddr>,
}

/// `[federation]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct FederationSection {
    /// What the pages call the federation.
    pub(crate) name: LocalText,
    /// Our own organisation, for SAML metadata.
    pub(crate) organisation: LocalText,
    /// The assertion function is reviewed and approved: levels leave as themselves.
    pub(crate) reviewed: bool,
    /// What leaves for a level, where it is to be less than by rule: `[[federation.level]]`.
    pub(crate) level: Vec<LevelRow>,
    /// Whether the person is shown what is sent before each login ends.
    pub(crate) notice: Notice,
    /// Accessibility statement, linked from every page.
    pub(crate) accessibility_url: Option<String>,
    /// Where the operator is reached: a mail address.
    pub(crate) contact: Option<String>,
    /// Whose rules everything that is added is judged by, beside the base (docs/rules.md).
    pub(crate) profiles: Vec<Profile>,
}

impl FederationSection {
    /// The profiles that hold for what is added.
    pub(crate) fn profiles(&self) -> Profiles {
        self.profiles.iter().copied().collect()
    }
}

impl Default for FederationSection {
    fn default() -> Self {
        let name = serde_json::from_str(r#"{"sv": "Spårvidd", "en": "Spårvidd"}"#).unwrap_or_default();
        Self {
            name,
            organisation: LocalText::default(),
            reviewed: false,
            level: Vec::new(),
            notice: Notice::EachLogin,
            accessibility_url: None,
            contact: None,
            profiles: Vec::new(),
        }
    }
}

/// When the notice is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Notice {
    /// Before each login ends.
    EachLogin,
    /// Never by us: every provider shows its own (Sweden Connect, Tekniska anslutningsregler 2.1.2).
    ByProvider,
}

/// `[saml]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SamlSection {
    /// Our entity ID as the main service provider; default: `ISSUER/saml/metadata`.
    pub(crate) entity_id: Option<String>,
    /// Refuse responses in which only the assertion is signed (Sweden Connect deployment profile 6.1).
    pub(crate) require_signed_response: bool,
    /// Clock difference that is forgiven, seconds.
    pub(crate) skew_seconds: u32,
    /// Our service providers, where others are wanted than the two that are built in.
    pub(crate) service_provider: Vec<ServiceProviderSection>,
}

/// `[[saml.service_provider]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceProviderSection {
    /// Its name in addresses and registrations. One is called `main`.
    pub(crate) name: String,
    /// Its entity ID; default: where its metadata is.
    #[serde(default)]
    pub(crate) entity_id: Option<String>,
    /// What it asks providers for.
    pub(crate) attributes: Vec<String>,
    /// The entity categories that it is published with.
    #[serde(default)]
    pub(crate) categories: Vec<String>,
}

impl Default for SamlSection {
    fn default() -> Self {
        Self {
            entity_id: None,
            require_signed_response: false,
            skew_seconds: 60,
            service_provider: Vec::new(),
        }
    }
}

/// `[pages]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PagesSection {
    /// A directory whose templates replace ours.
    #[serde(default)]
    pub(crate) directory: Option<PathBuf>,
}

/// `[limits]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LimitsSection {
    /// Open connections; more wait.
    pub(crate) connections: usize,
    /// Seconds in which a request's headers must have arrived.
    pub(crate) header_seconds: u64,
    /// Seconds in which a request must have been answered.
    pub(crate) request_seconds: u64,
    /// Seconds that a login may take, the person's own time included.
    pub(crate) login_seconds: u64,
    /// Seconds after which a connection is closed when its requests have ended.
    pub(crate) connection_seconds: u64,
    /// Requests over one connection, likewise.
    pub(crate) connection_requests: usize,
    /// Megabytes of request bodies in memory at a time.
    pub(crate) body_megabytes: usize,
    /// Pieces of heavy work (XML, signatures) that may wait; more are told to come again.
    pub(crate) work_queue: usize,
    /// Milliseconds that a piece of heavy work waits at most.
    pub(crate) work_milliseconds: u64,
    /// Token requests a second of one relying party that proves itself; twice as many at once.
    pub(crate) client_per_second: u32,
    /// Failed authentications a minute under one client_id.
    pub(crate) guesses_per_minute: u32,
    /// Logins that one browser begins within a minute.
    pub(crate) begun_per_minute: u32,
    /// Logins that begin within a second, of all together, before those who begin most give way.
    pub(crate) begun_per_second: u32,
    /// Answers of a provider that are looked at for one login.
    pub(crate) answers_per_login: u32,
}

impl Default for LimitsSection {
    fn default() -> Self {
        Self {
            connections: 10_000,
            header_seconds: 10,
            request_seconds: 30,
            login_seconds: 1_200,
            connection_seconds: 600,
            connection_requests: 10_000,
            body_megabytes: 64,
            work_queue: 500,
            work_milliseconds: 5_000,
            client_per_second: 500,
            guesses_per_minute: 60,
            begun_per_minute: 20,
            begun_per_second: 1_000,
            answers_per_login: 10,
        }
    }
}

/// `[api]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ApiSection {
    /// Whether this node answers below `/api`.
    pub(crate) enabled: bool,
    /// Requests a minute with one token, and as many at once.
    pub(crate) requests_per_minute: u32,
}

impl Default for ApiSection {
    fn default() -> Self {
        Self { enabled: true, requests_per_minute: 120 }
    }
}

/// `[outbound]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutboundSection {
    /// Networks that are not public and may be called all the same.
    #[serde(default)]
    pub(crate) allow: Vec<String>,
    /// Certificate authorities that are trusted beside the public ones, PEM.
    #[serde(default)]
    pub(crate) ca: Option<PathBuf>,
}

/// `[log]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogSection {
    /// How lines are written.
    #[serde(default)]
    pub(crate) format: LogFormat,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// A configuration that holds together, its paths made relative to its file.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// What the file says.
    pub(crate) file: File,
    /// The issuer, taken apart.
    pub(crate) origin: url::Url,
    /// What may be said of levels.
    pub(crate) output_map: OutputMap,
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// Every problem that the file alone shows, in the order of its lines.
    pub(crate) fn read(path: &Path) -> Result<Self, Problems> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Problems::one(
                path,
                Problem::error(
                    "config.unreadable",
                    format!("the file cannot be read: {error}"),
                    "Check the path and who may read the file.",
                ),
            )
        })?;
        Self::parse(path, &text)
    }

    /// Like [`Config::read`], for a text that is there already.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, Problems> {
        let mut problems = Problems::new(path, text);
        schema::check_keys(text, &mut problems);
        if problems.has_errors() {
            return Err(problems);
        }
        let mut file: File = match toml::from_str(text) {
            Ok(file) => file,
            Err(error) => {
                problems.add(schema::wrong_type(&error));
                return Err(problems);
            }
        };
        let base = path.parent().unwrap_or(Path::new(""));
        let in_base = |path: &mut PathBuf| *path = base.join(&*path);
        in_base(&mut file.keys);
        in_base(&mut file.state);
        for path in
            [&mut file.store.ca, &mut file.pages.directory, &mut file.outbound.ca].into_iter().flatten()
        {
            in_base(path);
        }
        if let Some(tls) = &mut file.tls {
            in_base(&mut tls.certificate);
            in_base(&mut tls.key);
        }
        for source in &mut file.source {
            source.keys.iter_mut().for_each(in_base);
            for address in source.url.iter_mut().chain(&mut source.urls) {
                if let Some(path) = address.strip_prefix("file:") {
                    *address = format!("file:{}", base.join(path.trim_start_matches("//")).display());
                }
            }
        }
        if let Some(embedded) = file.store.url.strip_prefix("embedded:") {
            file.store.url = format!("embedded:{}", base.join(embedded).display());
        }
        service_provider::validate(&file, &mut problems);
        publish::validate(&file, &mut problems);
        match (validate::origin(&file, &mut problems), validate::output_map(&file, &mut problems)) {
            (Some(origin), Some(output_map)) if !problems.has_errors() => {
                Ok(Self { file, origin, output_map })
            }
            _ => Err(problems),
        }
    }

    /// An address of ours.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.file.issuer)
    }

    /// Scheme, host and port, as a browser names them.
    pub(crate) fn origin(&self) -> String {
        self.origin.origin().ascii_serialization()
    }

    /// Our service providers, the main one first.
    pub(crate) fn service_providers(&self) -> Vec<ServiceProvider> {
        service_provider::all(self)
    }

    /// Whether browsers reach us over TLS, by us or by a proxy.
    pub(crate) fn is_https(&self) -> bool {
        self.origin.scheme() == "https"
    }
}
