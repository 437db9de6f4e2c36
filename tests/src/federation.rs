//! A small federation, joined as its operator would join it: keys made, files written, the program's own commands run.
//!
//! Granvik (a municipality) has a provider that takes requests by Redirect and signs the Response; Fjorden (a region) has one that takes
//! POST and signs the assertion. Hamnverket (an agency) owns the relying parties.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bytes::Bytes;
use certs::{JwkSet, PublicKey, SignatureAlgorithm};
use http::{Request, header};
use http_body_util::Full;
use tempfile::TempDir;

use crate::{
    browser::{Browser, Page},
    node::Node,
    program::{self, free_port},
    provider::{Provider, TakenBy, published_encryption_key, published_keys},
    redis::Redis,
    relying_party::{Authentication, RelyingParty},
    wire::{Reply, Wire},
};
use broker_saml::idp::Signed;

/// Name and number of the organisations, and what their records say beside.
const ORGANISATIONS: [(&str, &str, &str, &str); 3] = [
    ("granvik", "2120009903", "Granviks kommun", "may_assert = [\"personal_identity_number\"]"),
    ("fjorden", "2321009900", "Region Fjorden", ""),
    (
        "hamnverket",
        "2021009903",
        "Hamnverket",
        "entitled = [\"display_name\", \"surname\", \"given_name\", \"mail\", \"org_affiliation\", \
         \"organisation_name\", \"organisation_number\"]",
    ),
];

/// How a federation is to be.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How many nodes, on one Redis server; 0: one node on the embedded store.
    pub nodes: usize,
    /// Every login shows the notice.
    pub notice: bool,
    /// P-256 throughout instead of RSA.
    pub ec: bool,
    /// The relying parties are registered before the nodes start; more can come later.
    pub relying_parties: Vec<RelyingParty>,
    /// Further lines of the nodes' configuration.
    pub more: String,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            nodes: 1,
            notice: true,
            ec: false,
            relying_parties: vec![RelyingParty::with_basic("journal")],
            more: String::new(),
        }
    }
}

/// A federation that runs.
pub struct Federation {
    /// Where everything of it lies.
    pub folder: TempDir,
    /// The broker's issuer: the same for all nodes, and none of their ports.
    pub issuer: String,
    /// The nodes.
    pub nodes: Vec<Node>,
    /// The Redis server, unless the store is embedded.
    pub redis: Option<Redis>,
    /// Granvik's provider.
    pub granvik: Provider,
    /// Fjorden's provider.
    pub fjorden: Provider,
    /// The relying parties of the plan.
    pub relying_parties: Vec<RelyingParty>,
    /// Connections to the nodes.
    pub wire: Arc<Wire>,
    published: Mutex<Option<Published>>,
    refused: Mutex<BTreeMap<String, usize>>,
}

#[derive(Clone)]
struct Published {
    saml: Arc<Vec<PublicKey>>,
    encryption: PublicKey,
    oidc: Arc<JwkSet>,
}

impl fmt::Debug for Federation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Federation")
            .field("issuer", &self.issuer)
            .field("nodes", &self.nodes)
            .finish_non_exhaustive()
    }
}

impl Federation {
    /// Starts one.
    pub async fn start(plan: Plan) -> Self {
        let folder = tempfile::Builder::new().prefix("sparvidd-").tempdir().expect("a folder");
        let redis = (plan.nodes > 0).then(|| Redis::start(folder.path()));
        let issuer = format!("http://broker.localhost:{}", free_port());
        let _ = program::run(
            folder.path(),
            if plan.ec { &["keys", "init", "keys", "--ec"] } else { &["keys", "init", "keys"] },
        );
        let store = redis.as_ref().map_or_else(|| "embedded:store/registry.redb".to_owned(), Redis::url);
        let ports: Vec<u16> = (0..plan.nodes.max(1)).map(|_| free_port()).collect();
        let configs: Vec<PathBuf> = ports
            .iter()
            .enumerate()
            .map(|(number, port)| {
                let path = folder.path().join(format!("node{number}.toml"));
                fs::write(&path, configuration(&issuer, *port, number, &store, &plan))
                    .expect("a configuration file");
                path
            })
            .collect();
        let mut granvik = Provider::new(
            "Granviks kommun",
            "idp.granvik.localhost",
            "2120009903",
            TakenBy::Redirect,
            plan.ec,
        );
        granvik.signed = Signed::Response;
        let mut fjorden =
            Provider::new("Region Fjorden", "idp.fjorden.localhost", "2321009900", TakenBy::Post, plan.ec);
        fjorden.signed = Signed::Assertion;
        let mut federation = Self {
            folder,
            issuer,
            nodes: Vec::new(),
            redis,
            granvik,
            fjorden,
            relying_parties: plan.relying_parties,
            wire: Arc::new(Wire::new()),
            published: Mutex::new(None),
            refused: Mutex::default(),
        };
        federation.join(&configs[0]);
        for (port, config) in ports.iter().zip(&configs) {
            federation.nodes.push(Node::start(*port, config).await);
        }
        federation
    }

    fn join(&self, config: &Path) {
        let config = config.to_str().expect("UTF-8");
        for (name, number, title, more) in ORGANISATIONS {
            let record = format!(
                "number = \"{number}\"\nname = {{ sv = \"{title}\" }}\ndomains = [\"{name}.localhost\"]\n\
                 scopes = [\"{name}.localhost\"]\nceiling = [\"{}\"]\nsupport = {{ email = \"support@{name}.localhost\" }}\n{more}\n",
                crate::provider::LOA3
            );
            let file = self.write(&format!("{name}.toml"), &record);
            let _ = program::run(self.folder.path(), &["organisation", "add", &file, "--config", config]);
        }
        for provider in [&self.granvik, &self.fjorden] {
            self.add_provider(config, provider);
        }
        for party in &self.relying_parties {
            self.add_relying_party(config, party);
        }
    }

    fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.folder.path().join(name), text).expect("a file");
        name.to_owned()
    }

    fn add_provider(&self, config: &str, provider: &Provider) {
        let file = self.write(&format!("idp-{}.xml", provider.organisation), &provider.metadata());
        let organisation = provider.organisation.as_str();
        let _ = program::run(
            self.folder.path(),
            &[
                "metadata",
                "add",
                &file,
                "--organisation",
                organisation,
                "--subject-source",
                "subject_id",
                "--config",
                config,
            ],
        );
    }

    fn add_relying_party(&self, config: &str, party: &RelyingParty) {
        let file = self.write(&format!("{}.json", party.client_id), &party.metadata());
        let _ = program::run(
            self.folder.path(),
            &["metadata", "add", &file, "--organisation", "2021009903", "--config", config],
        );
    }

    /// Registers a relying party while the nodes serve, by the command on the first node's machine.
    pub fn register(&self, party: &RelyingParty) {
        self.add_relying_party(self.config(), party);
    }

    /// Runs a command with the first node's configuration; it must succeed.
    pub fn command(&self, words: &[&str]) -> String {
        program::run(self.folder.path(), &[words, &["--config", self.config()]].concat())
    }

    fn config(&self) -> &str {
        self.nodes[0].config().to_str().expect("UTF-8")
    }

    /// The first relying party.
    #[must_use]
    pub fn party(&self) -> &RelyingParty {
        &self.relying_parties[0]
    }

    /// The first node's port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.nodes[0].port()
    }

    /// A new person's browser.
    #[must_use]
    pub fn browser(&self) -> Browser {
        Browser::new(self.wire.clone(), &self.issuer)
    }

    /// Fetches a document of the broker.
    pub async fn document(&self, port: u16, path: &str) -> Reply {
        let host = self.issuer.trim_start_matches("http://");
        let request =
            Request::get(path).header(header::HOST, host).body(Full::new(Bytes::new())).expect("a request");
        self.wire.send(port, request).await.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The keys that the broker publishes as a SAML service provider, fetched once.
    pub async fn saml_keys(&self, port: u16) -> Arc<Vec<PublicKey>> {
        self.published(port).await.saml
    }

    /// The key that the broker publishes for encryption, fetched once.
    pub async fn encryption_key(&self, port: u16) -> PublicKey {
        self.published(port).await.encryption
    }

    /// The keys that the broker publishes for tokens, fetched once.
    pub async fn oidc_keys(&self, port: u16) -> Arc<JwkSet> {
        self.published(port).await.oidc
    }

    async fn published(&self, port: u16) -> Published {
        if let Some(known) = self.published.lock().expect("no panic while holding it").clone() {
            return known;
        }
        let metadata = self.document(port, "/saml/metadata").await;
        assert_eq!(metadata.status, 200, "/saml/metadata");
        let keys = self.document(port, "/oidc/jwks").await;
        assert_eq!(keys.status, 200, "/oidc/jwks");
        let published = Published {
            saml: Arc::new(published_keys(&metadata.text())),
            encryption: published_encryption_key(&metadata.text()),
            oidc: Arc::new(JwkSet::from_json(&keys.body).expect("a JWK set")),
        };
        *self.published.lock().expect("no panic while holding it") = Some(published.clone());
        published
    }

    /// All logs of all nodes, in one text.
    #[must_use]
    pub fn logs(&self) -> String {
        self.nodes.iter().map(Node::log).collect()
    }

    /// Starts a killed node again, by the same configuration.
    pub async fn restart(&mut self, number: usize) {
        let (port, config) = (self.nodes[number].port(), self.nodes[number].config().to_owned());
        self.nodes[number] = Node::start(port, &config).await;
    }

    /// Opens the error page that the browser was sent to, and holds it against the log: one line with its reference for each time that something of
    /// this login was refused. Gives the page, its reference, and the code of the log's last line: the page's own, except that all cryptographic
    /// failures look alike to whoever stands outside.
    pub async fn refused(&self, browser: &Browser, port: u16, sent: &Page) -> (Page, String, String) {
        let page = browser.open(port, &sent.location()).await;
        let (reference, shown) = page.reference_and_code();
        let again = browser.open(port, page.url.as_str()).await;
        assert_eq!(
            again.reference_and_code(),
            (reference.clone(), shown.clone()),
            "the page survives a reload"
        );
        let times = {
            let mut refused = self.refused.lock().expect("no panic while holding it");
            let times = refused.entry(reference.clone()).or_insert(0_usize);
            *times += 1;
            *times
        };
        let lines: Vec<_> = self
            .nodes
            .iter()
            .flat_map(Node::refusals)
            .filter(|line| line["reference"] == reference.as_str())
            .collect();
        assert_eq!(lines.len(), times, "one line for each time: {lines:?}");
        let code = lines[times - 1]["code"].as_str().expect("a code").to_owned();
        let alike = shown == "provider.signature_invalid"
            && ["provider.signature_missing", "provider.signature_algorithm", "provider.undecryptable"]
                .contains(&code.as_str());
        assert!(code == shown || alike, "the page says {shown} and the log {code}");
        (page, reference, code)
    }
}

fn configuration(issuer: &str, port: u16, number: usize, store: &str, plan: &Plan) -> String {
    // A machine on which many tests run at a time is slow, not under attack: where a test is about no limit, work waits for its turn.
    let patient = if plan.more.contains("[limits]") { "" } else { "[limits]\nwork_milliseconds = 60000\n" };
    format!(
        "issuer = \"{issuer}\"\nlisten = \"127.0.0.1:{port}\"\nkeys = \"keys\"\nstate = \"state{number}\"\n\
         [store]\nurl = \"{store}\"\n[log]\nformat = \"json\"\n[federation]\nnotice = \"{}\"\n{}\n{patient}",
        if plan.notice { "each_login" } else { "by_provider" },
        plan.more,
    )
}

/// Waits until something holds, or fails after `limit`. Gives how long it took.
pub async fn eventually<F: Future<Output = bool>>(
    what: &str,
    limit: Duration,
    mut holds: impl FnMut() -> F,
) -> Duration {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < limit, "not within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    began.elapsed()
}

/// Relying parties of every kind: by Basic, by POST, by key with everything signed by ES256.
#[must_use]
pub fn every_kind() -> Vec<RelyingParty> {
    let mut signed = RelyingParty::with_key("signerad");
    signed.signed_userinfo = true;
    signed.algorithm = SignatureAlgorithm::EcdsaSha256;
    vec![
        RelyingParty::with_basic("journal"),
        RelyingParty::new("postad", Authentication::Post(crate::chance::text())),
        RelyingParty::with_key("nyckel"),
        signed,
    ]
}
