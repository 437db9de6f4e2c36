//! A provider for tests: genuine answers, and answers with one thing changed before they are signed.

mod conditions;
mod corpora;
mod encryption;
mod envelope;
mod genuine;
mod inspect;
mod signature;
mod statement;
mod subject;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use broker_core::{
    assurance::Assurance,
    attribute::{AttributeName, Attributes},
    authority::Authority,
    failure::FailureCode,
    identifier::{Language, ProviderId},
    moment::{Entropy, Timestamp},
    organisation::{LocalText, Organisation, OrganisationNumber},
    policy::{Protocol, ProviderPolicy},
    request::Freshness,
    subject::SubjectSource,
};
use certs::{DecryptionKey, DigestAlgorithm, PrivateKey, SignatureAlgorithm, Signer};
use metadata::{Registry, SamlBinding, SamlEndpoint, SamlProvider};

use super::{CheckId, CheckRun, Expected, SentRequest, SpSettings, Verdict, response::run};
use crate::{
    attributes::to_saml,
    idp::response::{AssertionToIssue, NameIdToIssue, Signed},
    name_id::PERSISTENT,
};

pub(crate) const IDP: &str = "https://idp.granvik.example/saml";
pub(crate) const SP: &str = "https://broker.example/saml/metadata";
pub(crate) const ACS: &str = "https://broker.example/saml/acs";
pub(crate) const HANDLE: &str = "Zm9vYmFyYmF6cXV4MDEyMw";
pub(crate) const LOA3: &str = "http://id.elegnamnden.se/loa/1.0/loa3";
pub(crate) const NOW: Timestamp = Timestamp(1_795_000_000);

pub(crate) static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate_p256().expect("a key"));
pub(crate) static OTHER_KEY: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate_p256().expect("a key"));

pub(crate) static DECRYPTION: LazyLock<[DecryptionKey; 2]> = LazyLock::new(|| {
    [(); 2].map(|()| {
        let key = PrivateKey::generate_rsa(2048, SignatureAlgorithm::RsaSha256).expect("a key");
        DecryptionKey::from_private_key(&key).expect("RSA")
    })
});

pub(crate) struct NoEntropy;
impl Entropy for NoEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

pub(crate) fn organisation() -> Organisation {
    Organisation {
        number: OrganisationNumber::parse("2021006883").expect("a number"),
        name: LocalText(BTreeMap::from([(Language::from_tag("sv").expect("a language"), "Granvik".into())])),
        domains: BTreeSet::from(["granvik.example".into()]),
        scopes: BTreeSet::from(["granvik.example".into()]),
        hsa_prefixes: BTreeSet::new(),
        ceiling: vec![Assurance::new(LOA3)],
        entitled: BTreeSet::new(),
        may_assert: BTreeSet::new(),
        support: broker_core::organisation::SupportContact::default(),
        aliases: BTreeSet::new(),
        logo: None,
        relying_parties: None,
    }
}

pub(crate) fn provider_policy() -> ProviderPolicy {
    ProviderPolicy {
        id: ProviderId::from(IDP),
        protocol: Protocol::Saml,
        organisation: Arc::new(organisation()),
        organisations: Vec::new(),
        authority: Authority::of(&organisation()),
        display_name: LocalText::default(),
        keywords: vec![],
        subject_source: SubjectSource::SubjectId,
        assurance: vec![Assurance::new(LOA3)],
        hidden: false,
        behind: [].into(),
    }
}

pub(crate) fn endpoint(binding: SamlBinding, location: &str) -> SamlEndpoint {
    SamlEndpoint {
        binding,
        location: location.into(),
        index: None,
        is_default: None,
        response_location: None,
    }
}

pub(crate) fn provider() -> SamlProvider {
    SamlProvider {
        policy: Arc::new(provider_policy()),
        signing_keys: vec![KEY.public_key().clone()],
        suspended_keys: Vec::new(),
        single_sign_on: vec![
            endpoint(SamlBinding::Post, "https://idp.granvik.example/sso/post"),
            endpoint(SamlBinding::Redirect, "https://idp.granvik.example/sso/redirect"),
        ],
        want_authn_requests_signed: true,
        name_id_formats: vec![],
        signing_methods: vec![],
        shows_user_messages: false,
        valid_until: None,
        contacts: vec![],
        error_url: None,
        names_requesters: false,
        service_provider: None,
    }
}

pub(crate) fn registry(provider: SamlProvider) -> Registry {
    let organisation = provider.policy.organisation.clone();
    Registry::from_peers([organisation], [Arc::new(provider)], [])
}

pub(crate) fn sent() -> SentRequest {
    SentRequest {
        id: format!("_{HANDLE}"),
        asked: vec![Assurance::new(LOA3)],
        wished: false,
        at: NOW.plus(-20),
        freshness: Freshness::default(),
        entity_id: SP.into(),
    }
}

pub(crate) fn genuine() -> AssertionToIssue {
    let mut attributes = Attributes::new();
    attributes.add(AttributeName::DisplayName, "Anna Ålm");
    attributes.add(AttributeName::SubjectId, "aa01@granvik.example");
    AssertionToIssue {
        issuer: IDP.into(),
        response_id: "_response1".into(),
        assertion_id: "_assertion1".into(),
        issued_at: NOW,
        lifetime_seconds: 300,
        acs_url: ACS.into(),
        in_response_to: format!("_{HANDLE}"),
        audience: SP.into(),
        name_id: NameIdToIssue { format: PERSISTENT.into(), value: "p1".into(), sp_name_qualifier: None },
        authenticated_at: NOW.plus(-5),
        authn_context: LOA3.into(),
        authorities: vec![],
        session_index: Some("s1".into()),
        session_ends: None,
        attributes: to_saml(&attributes),
        signed: Signed::Response,
    }
}

/// One answer to be checked: what the provider writes, how it is changed before it is signed, and what it is held against.
pub(crate) struct Case {
    pub(crate) issue: AssertionToIssue,
    pub(crate) provider: SamlProvider,
    pub(crate) settings: SpSettings,
    pub(crate) sent: SentRequest,
    pub(crate) now: Timestamp,
    /// How many of [`DECRYPTION`] we have.
    pub(crate) decryption_keys: usize,
}

impl Case {
    pub(crate) fn genuine() -> Self {
        Self {
            issue: genuine(),
            provider: provider(),
            settings: SpSettings::new(SP, ACS),
            sent: sent(),
            now: NOW.plus(2),
            decryption_keys: 1,
        }
    }

    pub(crate) fn signed(mut self, signed: Signed) -> Self {
        self.issue.signed = signed;
        self
    }

    /// The unsigned XML with `from` replaced by `to` everywhere, then signed. The replacement must change something, and must
    /// keep canonical form.
    pub(crate) fn written(&self, from: &str, to: &str) -> String {
        let response = self.issue.response(self.issue.assertion()).to_canonical().expect("writable");
        let xml = String::from_utf8(response).expect("UTF-8");
        let changed = xml.replace(from, to);
        assert!(from.is_empty() || changed != xml, "{from:?} is not in the message");
        signed_as(&if from.is_empty() { xml } else { changed }, self.issue.signed, &*KEY)
    }

    pub(crate) fn expected(&self) -> Expected<'_> {
        Expected {
            provider: &self.provider,
            settings: &self.settings,
            sent: &self.sent,
            decryption: &DECRYPTION[..self.decryption_keys],
            now: self.now,
        }
    }

    pub(crate) fn run_xml(&self, xml: &str) -> CheckRun {
        run(xml.as_bytes(), &self.expected())
    }

    /// The rule that the changed message breaks, with the failure's code.
    pub(crate) fn broken(&self, from: &str, to: &str) -> Option<(CheckId, FailureCode)> {
        broken_rule(&self.run_xml(&self.written(from, to)))
    }
}

/// The genuine answer with one replacement, signed each way in turn: it must break exactly `id` with `code` each time.
#[track_caller]
pub(crate) fn breaks(from: &str, to: &str, id: CheckId, code: FailureCode) {
    for signed in [Signed::Response, Signed::Assertion, Signed::Both] {
        let case = Case::genuine().signed(signed);
        assert_eq!(case.broken("", ""), None, "the genuine twin, {signed:?}");
        assert_eq!(case.broken(from, to), Some((id, code)), "{signed:?}");
    }
}

/// The genuine answer with one replacement, signed each way in turn: it must be accepted each time.
#[track_caller]
pub(crate) fn accepts(from: &str, to: &str) {
    for signed in [Signed::Response, Signed::Assertion, Signed::Both] {
        assert_eq!(Case::genuine().signed(signed).broken(from, to), None, "{signed:?}");
    }
}

pub(crate) fn broken_rule(run: &CheckRun) -> Option<(CheckId, FailureCode)> {
    assert!(run.steps.iter().map(|step| &step.id).eq(CheckId::ALL), "every rule once, in order");
    let failed = run.steps.iter().find_map(|step| match step.verdict {
        Verdict::Failed(code) => Some((step.id, code)),
        _ => None,
    });
    match (&run.result, failed) {
        (Ok(_), None) => None,
        (Err(failure), Some((id, code))) => {
            assert_eq!(failure.code, code);
            Some((id, code))
        }
        (result, failed) => panic!("the result {:?} and the steps {failed:?} differ", result.is_ok()),
    }
}

/// Signs text that is canonical already, by hand: the tests must be able to sign what the writer would never write.
pub(crate) fn signed_as(xml: &str, signed: Signed, signer: &dyn Signer) -> String {
    let mut xml = xml.to_owned();
    if matches!(signed, Signed::Assertion | Signed::Both) {
        let start = xml.find("<saml:Assertion").expect("an assertion");
        let end = xml.rfind("</saml:Assertion>").expect("its end") + "</saml:Assertion>".len();
        let assertion = sign_text(&xml[start..end], signer);
        xml.replace_range(start..end, &assertion);
    }
    if matches!(signed, Signed::Response | Signed::Both) { sign_text(&xml, signer) } else { xml }
}

/// The canonical text of one element with a signature put after its first Issuer, or after its start tag where it has none.
pub(crate) fn sign_text(xml: &str, signer: &dyn Signer) -> String {
    let id = xml.split_once(" ID=\"").and_then(|(_, rest)| rest.split_once('"')).map_or("", |(id, _)| id);
    let signature = signature_over(id, xml.as_bytes(), signer);
    let tag_end = xml.find('>').expect("a tag") + 1;
    let at = match xml[tag_end..].strip_prefix("<saml:Issuer") {
        Some(rest) => {
            xml.len() - rest.len() + rest.find("</saml:Issuer>").expect("its end") + "</saml:Issuer>".len()
        }
        None => tag_end,
    };
    format!("{}{signature}{}", &xml[..at], &xml[at..])
}

pub(crate) fn signature_over(id: &str, canonical: &[u8], signer: &dyn Signer) -> String {
    let digest = STANDARD.encode(DigestAlgorithm::Sha256.digest(canonical));
    let inner = format!(
        "<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:CanonicalizationMethod>\
         <ds:SignatureMethod Algorithm=\"{}\"></ds:SignatureMethod><ds:Reference URI=\"#{id}\"><ds:Transforms>\
         <ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Transform>\
         <ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform></ds:Transforms>\
         <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod>\
         <ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>",
        signer.algorithm().xml_uri().expect("an XML name"),
    );
    let namespace = "xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"";
    let signed_info = format!("<ds:SignedInfo {namespace}>{inner}</ds:SignedInfo>");
    let value = STANDARD.encode(signer.sign(signed_info.as_bytes()).expect("signs"));
    format!(
        "<ds:Signature {namespace}><ds:SignedInfo>{inner}</ds:SignedInfo>\
         <ds:SignatureValue>{value}</ds:SignatureValue></ds:Signature>"
    )
}
