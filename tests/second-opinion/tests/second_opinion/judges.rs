//! Three verifiers behind one question: which octets does this document's outermost signature vouch for?

use std::sync::{Mutex, PoisonError};

use bergshamra_dsig::{DsigContext, verify::verify_all};
use bergshamra_keys::{KeysManager, loader};
use certs::{
    AlgorithmPolicy, PrivateKey, SignatureAlgorithm, Signer as _,
    xml_signature::{Profile, is_signed, verify},
};
use certs_xml::{Canonicalization, Document, Limits, canonicalize, namespace::SAML};
use samael::crypto::{AllowedSignatureAlgorithm, CertificateDer, Crypto, CryptoProvider as _, ReduceMode};

/// libxmlsec1 and libxml2 keep global state; one question at a time.
static LIBXML: Mutex<()> = Mutex::new(());

/// A key with its certificate, in the form that each judge takes.
pub(crate) struct Party {
    pub(crate) key: PrivateKey,
    pub(crate) certificate: Vec<u8>,
}

impl Party {
    pub(crate) fn new(key: PrivateKey) -> Self {
        // In the past and for a century: what judges think of dates is not the question.
        let start = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
        let certificate =
            key.self_signed_certificate("second opinion", start, 36_500).expect("a certificate");
        let key = key.with_certificate(certificate.clone()).expect("its own certificate");
        Self { key, certificate }
    }

    pub(crate) fn rsa(bits: u32, algorithm: SignatureAlgorithm) -> Self {
        Self::new(PrivateKey::generate_rsa(bits, algorithm).expect("a key"))
    }

    /// What we say: the canonical octets, or the rule that refused.
    pub(crate) fn ours(&self, source: &str, profile: Profile) -> Result<String, String> {
        let document = Document::read(source.as_bytes(), Limits::message())
            .map_err(|refused| refused.rule().to_owned())?;
        let keys = [self.key.public_key().clone()];
        let signed = verify(document.root(), &keys, &AlgorithmPolicy::default(), profile)
            .map_err(|refused| refused.rule().to_owned())?;
        let signed = signed.into_value();
        signed.document().expect("canonical octets read as a document");
        Ok(String::from_utf8(signed.canonical().to_vec()).expect("canonical octets are UTF-8"))
    }

    /// As [`Party::ours`]; of a Response that is not signed itself, what is said of its assertion.
    pub(crate) fn ours_or_the_assertion(&self, source: &str, profile: Profile) -> Result<String, String> {
        let document = Document::read(source.as_bytes(), Limits::message())
            .map_err(|refused| refused.rule().to_owned())?;
        let root = document.root();
        let signed = match root.child(SAML.uri(), "Assertion") {
            Some(assertion) if !is_signed(root) => assertion,
            _ => root,
        };
        let keys = [self.key.public_key().clone()];
        verify(signed, &keys, &AlgorithmPolicy::default(), profile)
            .map(|signed| String::from_utf8(signed.value().canonical().to_vec()).expect("UTF-8"))
            .map_err(|refused| refused.rule().to_owned())
    }

    /// The part of a document that [`Party::ours_or_the_assertion`] looks at, as a document: others look at all of it, and a broken
    /// signature beside what we read is not for us to find.
    pub(crate) fn looked_at(source: &str) -> Option<String> {
        let document = Document::read(source.as_bytes(), Limits::message()).ok()?;
        let root = document.root();
        match root.child(SAML.uri(), "Assertion") {
            Some(assertion) if !is_signed(root) => {
                // With every declaration around it, and without the xml: attributes that inclusive form would hand down.
                let declared =
                    source.split("xmlns:").skip(1).filter_map(|rest| rest.split(['=', ' ']).next());
                let inclusive_prefixes = declared.chain(["#default"]).map(str::to_owned).collect();
                let form = Canonicalization::Exclusive { inclusive_prefixes };
                String::from_utf8(canonicalize(assertion, &form, None).ok()?).ok()
            }
            _ => Some(source.to_owned()),
        }
    }

    /// What `bergshamra-dsig` says of every signature in the document.
    pub(crate) fn bergshamra(&self, source: &str) -> Result<(), String> {
        let results = verify_all(&self.context(), source).map_err(|error| error.to_string())?;
        if results.is_empty() {
            return Err("no signature".into());
        }
        match results.iter().find(|result| !result.all_reference_digests_verified()) {
            Some(result) => Err(format!("{result:?}")),
            None => Ok(()),
        }
    }

    /// What `samael` on libxmlsec1 says: the octets that it hashed for the outermost signature.
    pub(crate) fn samael(&self, source: &str) -> Result<String, String> {
        use AllowedSignatureAlgorithm as A;
        let allowed =
            [A::RsaSha256, A::RsaSha384, A::RsaSha512, A::EcdsaSha256, A::EcdsaSha384, A::EcdsaSha512];
        let certificates = [CertificateDer::from(self.certificate.clone())];
        let _alone = LIBXML.lock().unwrap_or_else(PoisonError::into_inner);
        Crypto::reduce_xml_to_signed_with_allowed_algorithms(
            source,
            &certificates,
            ReduceMode::PreDigest,
            Some(&allowed),
        )
        .map_err(|error| format!("{error:?}"))
    }

    /// Fills the signature template in `source` with `samael`.
    pub(crate) fn sign_with_samael(&self, source: &str) -> String {
        let key = self.key.to_pkcs8_der().expect("an exportable key");
        let _alone = LIBXML.lock().unwrap_or_else(PoisonError::into_inner);
        Crypto::sign_xml(source, &key).expect("samael signs")
    }

    /// Fills the signature template in `source` with `bergshamra-dsig`.
    pub(crate) fn sign_with_bergshamra(&self, source: &str) -> String {
        bergshamra_dsig::sign::sign(&self.signing_context(), source).expect("bergshamra signs")
    }

    fn context(&self) -> DsigContext {
        let mut keys = KeysManager::new();
        keys.add_key(loader::load_x509_cert_der(&self.certificate).expect("a certificate that it reads"));
        DsigContext::new(keys)
    }

    fn signing_context(&self) -> DsigContext {
        let mut keys = KeysManager::new();
        let pem = self.key.to_pkcs8_pem().expect("an exportable key");
        keys.add_key(loader::load_pem_auto(pem.as_bytes(), None).expect("a key that it reads"));
        DsigContext::new(keys)
    }
}

/// One of each kind and strength that we sign with.
pub(crate) fn parties() -> Vec<Party> {
    use SignatureAlgorithm as A;
    vec![
        Party::rsa(2048, A::RsaSha256),
        Party::rsa(2048, A::RsaSha384),
        Party::rsa(2048, A::RsaSha512),
        Party::rsa(3072, A::RsaSha256),
        Party::new(PrivateKey::generate_p256().expect("a key")),
        Party::new(PrivateKey::generate_p384().expect("a key")),
        Party::new(PrivateKey::generate_p521().expect("a key")),
    ]
}
