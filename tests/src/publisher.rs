//! Somebody who publishes metadata: signs aggregates and single entities, and serves them on the loopback address.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use broker_core::moment::Timestamp;
use certs::{DigestAlgorithm, PrivateKey, SignatureAlgorithm, Signer as _};
use certs_xml::{Canonicalization, Document, Limits, canonicalize};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::chance;

/// What is served at each path.
type Shelf = Arc<Mutex<BTreeMap<String, Place>>>;

/// What is served at a path.
#[derive(Default, Clone)]
struct Place {
    document: Arc<Vec<u8>>,
    etag: String,
    /// How often it was asked for.
    asked: usize,
    /// Half of it is sent, and the rest when this is over.
    is_held: bool,
    /// The answer is 500.
    is_broken: bool,
}

/// The publisher. What is not on its shelf is answered with 404.
pub struct Publisher {
    key: PrivateKey,
    port: u16,
    shelf: Shelf,
    folder: PathBuf,
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publisher").field("port", &self.port).finish_non_exhaustive()
    }
}

/// When a document says that it was made, and until when it may be used, in seconds from now.
#[derive(Debug, Clone, Copy)]
pub struct Said {
    /// Made.
    pub made: i64,
    /// Valid until; `None`: it does not say.
    pub valid: Option<i64>,
}

impl Publisher {
    /// One with a key of its own, whose certificate lies in `folder`.
    pub async fn start(folder: &Path) -> Self {
        let key = PrivateKey::generate_rsa(2048, SignatureAlgorithm::RsaSha256).expect("a key");
        let yesterday = chance::system_time() - std::time::Duration::from_secs(86_400);
        let certificate = key.self_signed_certificate("publisher", yesterday, 365).expect("a certificate");
        let pem = format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            STANDARD.encode(certificate)
        );
        #[expect(clippy::disallowed_methods, reason = "a test's own server")]
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let file = folder.join(format!("publisher-{port}.pem"));
        fs::write(&file, pem).expect("a file");
        let shelf = Shelf::default();
        let serving = shelf.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, serving.clone()));
            }
        });
        Self { key, port, shelf, folder: file }
    }

    /// The file of its certificate.
    #[must_use]
    pub fn certificate(&self) -> &Path {
        &self.folder
    }

    /// An address of it.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Serves a document from now on.
    pub fn put(&self, path: &str, document: Vec<u8>) {
        let digest = DigestAlgorithm::Sha256.digest(&document);
        let etag = format!("\"{:?}\"", digest.iter().take(8).collect::<Vec<_>>());
        let document = Arc::new(document);
        self.change(path, |place| (place.document, place.etag, place.is_broken) = (document, etag, false));
    }

    /// Serves nothing at a path from now on.
    pub fn remove(&self, path: &str) {
        self.put(path, Vec::new());
    }

    /// Answers with 500 from now on.
    pub fn break_down(&self, path: &str) {
        self.change(path, |place| place.is_broken = true);
    }

    /// Sends half of the document, and the rest only when it is held no more.
    pub fn hold(&self, path: &str, is_held: bool) {
        self.change(path, |place| place.is_held = is_held);
    }

    /// How often a path was asked for.
    #[must_use]
    pub fn asked(&self, path: &str) -> usize {
        self.shelf.lock().expect("no panic while holding it").get(path).map_or(0, |place| place.asked)
    }

    fn change(&self, path: &str, change: impl FnOnce(&mut Place)) {
        let mut shelf = self.shelf.lock().expect("no panic while holding it");
        change(shelf.entry(path.to_owned()).or_default());
    }

    /// A large aggregate, signed by this publisher.
    #[must_use]
    pub fn large(&self, plan: &crate::aggregate::Plan) -> Vec<u8> {
        plan.signed(&self.key)
    }

    /// An aggregate of these `EntityDescriptor`s, signed.
    #[must_use]
    pub fn aggregate(&self, entities: &[String], said: Said) -> Vec<u8> {
        let now = chance::now();
        let valid = said.valid.map(|seconds| format!(" validUntil=\"{}\"", now.plus(seconds)));
        let body = format!(
            "<md:Extensions><mdrpi:PublicationInfo xmlns:mdrpi=\"urn:oasis:names:tc:SAML:metadata:rpi\" publisher=\"https://publisher.example\" creationInstant=\"{}\"/></md:Extensions>{}",
            now.plus(said.made),
            entities.concat(),
        );
        let root = format!(
            "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" ID=\"_all\"{}>",
            valid.unwrap_or_default()
        );
        self.signed(&root, &body, "</md:EntitiesDescriptor>")
    }

    /// One entity alone, as an MDQ responder sends it.
    #[must_use]
    pub fn entity(&self, entity: &str, valid_until: Timestamp) -> Vec<u8> {
        let (start, rest) = entity.split_once("entityID").expect("an entity");
        let (tag, rest) = rest.split_once('>').expect("a tag");
        let body = rest.trim_end().strip_suffix("</md:EntityDescriptor>").expect("an end");
        let root = format!("{start}ID=\"_one\" validUntil=\"{valid_until}\" entityID{tag}>");
        self.signed(&root, body, "</md:EntityDescriptor>")
    }

    fn signed(&self, root: &str, body: &str, end: &str) -> Vec<u8> {
        let id = root.split("ID=\"_").nth(1).and_then(|rest| rest.split('"').next()).expect("an ID");
        let plain = format!("{root}{body}{end}");
        let document = Document::read(plain.as_bytes(), Limits::metadata(plain.len())).expect("a document");
        let exclusive = Canonicalization::Exclusive { inclusive_prefixes: Vec::new() };
        let canonical = canonicalize(document.root(), &exclusive, None).expect("a canonical form");
        let info = format!(
            "<ds:SignedInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"></ds:SignatureMethod><ds:Reference URI=\"#_{id}\"><ds:Transforms><ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Transform><ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform></ds:Transforms><ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod><ds:DigestValue>{}</ds:DigestValue></ds:Reference></ds:SignedInfo>",
            STANDARD.encode(DigestAlgorithm::Sha256.digest(&canonical))
        );
        let value = STANDARD.encode(self.key.sign(info.as_bytes()).expect("signed"));
        format!(
            "{root}<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">{info}<ds:SignatureValue>{value}</ds:SignatureValue></ds:Signature>{body}{end}"
        )
        .into_bytes()
    }
}

async fn serve(mut stream: TcpStream, shelf: Shelf) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < 16_384 {
        let Ok(octet) = stream.read_u8().await else { return };
        head.push(octet);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let place = {
        let mut shelf = shelf.lock().expect("no panic while holding it");
        let place = shelf.entry(path.clone()).or_default();
        place.asked += 1;
        place.clone()
    };
    let is_known = head.lines().any(|line| {
        line.split_once(": ").is_some_and(|(name, value)| {
            name.eq_ignore_ascii_case("if-none-match") && value.trim() == place.etag
        })
    });
    let nothing = &[][..];
    let (status, body) = match (place.is_broken, place.document.is_empty(), is_known) {
        (true, ..) => ("500 Internal Server Error", nothing),
        (_, true, _) => ("404 Not Found", nothing),
        (_, _, true) => ("304 Not Modified", nothing),
        _ => ("200 OK", place.document.as_slice()),
    };
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/samlmetadata+xml\r\nETag: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        place.etag,
        body.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await;
    let (first, rest) = body.split_at(if place.is_held { body.len() / 2 } else { body.len() });
    let _ = stream.write_all(first).await;
    if rest.is_empty() {
        return;
    }
    let is_held = || {
        let shelf = shelf.lock().expect("no panic while holding it");
        shelf.get(&path).is_some_and(|place| place.is_held)
    };
    while is_held() {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let _ = stream.write_all(rest).await;
}
