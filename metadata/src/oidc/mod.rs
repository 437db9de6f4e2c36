//! Relying parties' JSON: client metadata by the names of RFC 7591 and OIDC Dynamic Client Registration 1.0, with language tags
//! (RFC 7591 2.2). Members that we do not know are passed over; known ones of a wrong kind are refused with a JSON pointer.
//!
//! | file | what |
//! |---|---|
//! | `mod.rs` | what a file says |
//! | `scope.rs` | the scopes, and the attributes that each stands for |
//! | `template.rs` | a file for who has none |
//! | `build.rs` | that, the operator's settings and the organisation's record, joined to a [`crate::OidcClient`] |
//!
//! Neighbours: `lint::oidc` has the rules.

mod build;
pub mod scope;
mod template;

use std::collections::BTreeSet;

use broker_core::{identifier::Language, organisation::LocalText};
use certs::{JwkSet, SignatureAlgorithm, jwk::JwkError};
use serde_json::{Map, Value};

pub use build::oidc_client;
pub(crate) use build::{sector, sector_host};
pub use template::{Beginning, template};

use crate::lint::{
    oidc::{document as rule, key as key_rule},
    report::{Finding, Place, Report},
};
use crate::words::for_people;

/// The octets of the largest file that is taken.
pub const MOST_OCTETS: usize = 256 * 1024;

/// What ID tokens and userinfo answers may be signed with.
pub const SIGNED_WITH: [SignatureAlgorithm; 2] =
    [SignatureAlgorithm::RsaSha256, SignatureAlgorithm::EcdsaSha256];

/// How the relying party says that it authenticates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `client_secret_basic`, also when nothing is said (RFC 7591 section 2).
    ClientSecretBasic,
    /// `client_secret_post`.
    ClientSecretPost,
    /// `private_key_jwt`.
    PrivateKeyJwt,
}

/// A relying party, as its file has it.
#[derive(Debug, Clone)]
pub struct Registration {
    /// The name that it shall have; a file may leave it to the operator.
    pub client_id: Option<String>,
    /// Return addresses, as written.
    pub redirect_uris: Vec<String>,
    /// How it authenticates.
    pub method: Method,
    /// Its keys.
    pub keys: Option<JwkSet>,
    /// The only algorithm of its client assertions.
    pub assertion_algorithm: Option<SignatureAlgorithm>,
    /// What its ID tokens are signed with.
    pub id_token_algorithm: SignatureAlgorithm,
    /// What its userinfo answers are signed with, where it says so.
    pub userinfo_algorithm: Option<SignatureAlgorithm>,
    /// The scopes that it may ask for; `None`: the file is silent.
    pub scopes: Option<BTreeSet<String>>,
    /// The host of `sector_identifier_uri`'s address is its sector.
    pub sector_identifier_uri: Option<String>,
    /// In seconds.
    pub default_max_age: Option<u32>,
    /// Best first.
    pub default_acr_values: Vec<String>,
    /// What people know it by.
    pub name: LocalText,
    /// What it asks for people's data for, in its own words (`purpose`, `purpose#en`): a member of ours, RFC 7591 has none.
    pub purpose: LocalText,
    /// Its home page.
    pub client_uri: Option<String>,
    /// Its privacy notice.
    pub policy_uri: Option<String>,
    /// Where a login is started anew.
    pub initiate_login_uri: Option<String>,
    /// Addresses for mail.
    pub contacts: Vec<String>,
    /// Whose it says it is.
    pub organization_identifier: Option<String>,
}

/// A file, read.
pub struct RegistrationFile {
    members: Map<String, Value>,
    /// What it says.
    pub registration: Registration,
}

impl std::fmt::Debug for RegistrationFile {
    /// Without the members: there may be a secret among them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegistrationFile").field("registration", &self.registration).finish_non_exhaustive()
    }
}

impl RegistrationFile {
    /// Reads a file. What is wrong with it goes to `report`; `None`: nothing could be read.
    pub fn read(octets: &[u8], report: &mut Report) -> Option<Self> {
        if octets.len() > MOST_OCTETS {
            report.add(Finding::new(&rule::JSON, Place::File).found(format!("{} octets", octets.len())));
            return None;
        }
        let value = match certs::unique_json::read(octets) {
            Ok(value) => value,
            Err(fault) => {
                let at = |number: usize| u32::try_from(number.max(1)).unwrap_or(u32::MAX);
                report.add(
                    Finding::new(
                        &rule::JSON,
                        Place::At { line: at(fault.line()), column: at(fault.column()) },
                    )
                    .found(fault.to_string()),
                );
                return None;
            }
        };
        let Value::Object(members) = value else {
            report.add(Finding::new(&rule::JSON, Place::File).found("not an object"));
            return None;
        };
        let registration = registration(&mut Members { members: &members, report });
        Some(Self { members, registration })
    }

    /// Everything that the file says, as it says it.
    pub(crate) fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    /// The secret in the file, if there is one.
    #[must_use]
    pub fn secret(&self) -> Option<&str> {
        self.members.get("client_secret").and_then(Value::as_str)
    }

    /// The file as it is kept: without the secret and without what only its bearer may know.
    #[must_use]
    pub fn document(&self) -> Vec<u8> {
        let mut kept = self.members.clone();
        for name in ["client_secret", "registration_access_token"] {
            kept.remove(name);
        }
        Value::Object(kept).to_string().into_bytes()
    }
}

/// The members of the object, read by name; what is of a wrong kind is reported and then as if absent.
struct Members<'a> {
    members: &'a Map<String, Value>,
    report: &'a mut Report,
}

impl Members<'_> {
    fn wrong(&mut self, pointer: String, found: &Value, expected: &str) {
        let kind = match found {
            Value::Null => "null",
            Value::Bool(_) => "true/false",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        self.report.add(Finding::new(&rule::TYPE, Place::Pointer(pointer)).found(kind).expected(expected));
    }

    fn text(&mut self, name: &str) -> Option<String> {
        match self.members.get(name)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            other => {
                let other = other.clone();
                self.wrong(pointer(name), &other, "\"…\"");
                None
            }
        }
    }

    fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        let Value::Array(items) = self.members.get(name)? else {
            let other = self.members.get(name).cloned().unwrap_or_default();
            self.wrong(pointer(name), &other, "[\"…\"]");
            return None;
        };
        let mut texts = Vec::new();
        for (index, item) in items.iter().enumerate() {
            match item {
                Value::String(text) => texts.push(text.clone()),
                other => self.wrong(format!("{}/{index}", pointer(name)), other, "\"…\""),
            }
        }
        Some(texts)
    }

    /// The name, and the name with language tags. The one without a tag stands for Swedish where no other does: this is a
    /// Swedish federation.
    fn local(&mut self, name: &str) -> LocalText {
        let mut text = LocalText::default();
        let tagged: Vec<(String, Language)> = self
            .members
            .keys()
            .filter_map(|key| {
                let tag = key.strip_prefix(name)?.strip_prefix('#')?;
                Some((key.clone(), Language::from_tag(tag)?))
            })
            .collect();
        for (key, language) in tagged {
            if let Some(words) = self.text(&key) {
                text.0.insert(language, words);
            }
        }
        if let (Some(words), Some(swedish)) = (self.text(name), Language::from_tag("sv")) {
            text.0.entry(swedish).or_insert(words);
        }
        text
    }

    /// A name for people.
    fn name(&mut self, name: &str) -> LocalText {
        let mut text = self.local(name);
        for words in text.0.values_mut() {
            *words = for_people(words);
        }
        text.0.retain(|_, words| !words.is_empty());
        text
    }

    /// An address in one of its languages, Swedish first.
    fn local_address(&mut self, name: &str) -> Option<String> {
        self.local(name).best(&[]).map(str::to_owned)
    }

    fn algorithm(&mut self, name: &str, known: &[SignatureAlgorithm]) -> Option<SignatureAlgorithm> {
        let written = self.text(name)?;
        let found = SignatureAlgorithm::from_jws_name(&written).filter(|algorithm| known.contains(algorithm));
        if found.is_none() {
            let names: Vec<_> = known.iter().filter_map(|algorithm| algorithm.jws_name()).collect();
            self.report.add(
                Finding::new(&rule::ALGORITHM, Place::Pointer(pointer(name)))
                    .found(written)
                    .expected(names.join(", ")),
            );
        }
        found
    }
}

/// The JSON pointer of a member of the file.
pub(crate) fn pointer(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn registration(members: &mut Members<'_>) -> Registration {
    for name in NOT_OFFERED {
        let asked = match members.members.get(name) {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(Value::String(text)) => text != "none",
            Some(_) => true,
        };
        if asked {
            members.report.add(Finding::new(&rule::NOT_OFFERED, Place::Pointer(pointer(name))).found(name));
        }
    }
    flow(members);
    if members.text("subject_type").is_some_and(|kind| kind != "pairwise") {
        members.report.add(Finding::new(&rule::SUBJECT_TYPE, Place::Pointer(pointer("subject_type"))));
    }
    let keys = keys(members);
    let assertion_algorithms: Vec<_> = SignatureAlgorithm::ALL
        .into_iter()
        .filter(|algorithm| algorithm.jws_name().is_some() && !algorithm.is_sha1())
        .collect();
    Registration {
        client_id: client_id(members),
        redirect_uris: members.texts("redirect_uris").unwrap_or_default(),
        method: method(members),
        keys,
        assertion_algorithm: members.algorithm("token_endpoint_auth_signing_alg", &assertion_algorithms),
        id_token_algorithm: members
            .algorithm("id_token_signed_response_alg", &SIGNED_WITH)
            .unwrap_or(SignatureAlgorithm::RsaSha256),
        userinfo_algorithm: match members.members.get("userinfo_signed_response_alg") {
            Some(Value::String(none)) if none == "none" => None,
            _ => members.algorithm("userinfo_signed_response_alg", &SIGNED_WITH),
        },
        scopes: members
            .text("scope")
            .map(|scopes| scopes.split_ascii_whitespace().map(str::to_owned).collect()),
        sector_identifier_uri: members.text("sector_identifier_uri"),
        default_max_age: default_max_age(members),
        default_acr_values: members.texts("default_acr_values").unwrap_or_default(),
        name: members.name("client_name"),
        purpose: members.name("purpose"),
        client_uri: members.local_address("client_uri"),
        policy_uri: members.local_address("policy_uri"),
        initiate_login_uri: members.text("initiate_login_uri"),
        contacts: members.texts("contacts").unwrap_or_default(),
        organization_identifier: members.text("organization_identifier"),
    }
}

/// What would be unsafe or untrue to pass over: the relying party asked for it and would not get it.
const NOT_OFFERED: [&str; 9] = [
    "id_token_encrypted_response_alg",
    "userinfo_encrypted_response_alg",
    "request_object_encryption_alg",
    "request_object_signing_alg",
    "require_signed_request_object",
    "require_pushed_authorization_requests",
    "tls_client_certificate_bound_access_tokens",
    "dpop_bound_access_tokens",
    "backchannel_logout_session_required",
];

/// A client_id stands in URLs, logs and on pages: visible ASCII without white space (RFC 6749 appendix A.1, without the space).
fn client_id(members: &mut Members<'_>) -> Option<String> {
    let id = members.text("client_id")?;
    if is_client_id(&id) {
        return Some(id);
    }
    members.report.add(Finding::new(&rule::CLIENT_ID, Place::Pointer(pointer("client_id"))).found(id));
    None
}

/// Whether a text can be a client_id. None looks like a person's `sub` of ours, which is 256 bits in base 32 (RFC 9700 section 4.15: a
/// relying party must not be taken for a person).
#[must_use]
pub fn is_client_id(text: &str) -> bool {
    const LENGTH_OF_A_SUB: usize = 52;
    let looks_like_sub = text.len() == LENGTH_OF_A_SUB
        && text.bytes().all(|byte| matches!(byte.to_ascii_lowercase(), b'a'..=b'z' | b'2'..=b'7'));
    (1..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) && !looks_like_sub
}

fn default_max_age(members: &mut Members<'_>) -> Option<u32> {
    let value = members.members.get("default_max_age")?;
    let age = value.as_u64().and_then(|seconds| u32::try_from(seconds).ok());
    if age.is_none() {
        let value = value.clone();
        members.wrong(pointer("default_max_age"), &value, "3600");
    }
    age
}

fn method(members: &mut Members<'_>) -> Method {
    match members.text("token_endpoint_auth_method").as_deref() {
        None | Some("client_secret_basic") => Method::ClientSecretBasic,
        Some("client_secret_post") => Method::ClientSecretPost,
        Some("private_key_jwt") => Method::PrivateKeyJwt,
        Some(other) => {
            let place = Place::Pointer(pointer("token_endpoint_auth_method"));
            members.report.add(Finding::new(&rule::METHOD, place).found(other));
            Method::ClientSecretBasic
        }
    }
}

/// RFC 7591 section 2.1: grant types and response types go together; we offer the code flow alone.
fn flow(members: &mut Members<'_>) {
    for (name, only) in [("grant_types", "authorization_code"), ("response_types", "code")] {
        let Some(kinds) = members.texts(name) else {
            continue;
        };
        if !kinds.iter().any(|kind| kind == only) {
            members.report.add(
                Finding::new(&rule::FLOW, Place::Pointer(pointer(name)))
                    .found(kinds.join(", "))
                    .expected(only),
            );
        }
        for (index, other) in kinds.iter().enumerate().filter(|(_, kind)| *kind != only) {
            let place = Place::Pointer(format!("{}/{index}", pointer(name)));
            members.report.add(Finding::new(&rule::FLOW_BEYOND, place).found(other).expected(only));
        }
    }
}

fn keys(members: &mut Members<'_>) -> Option<JwkSet> {
    if members.members.contains_key("jwks_uri") {
        members.report.add(Finding::new(&key_rule::BY_REFERENCE, Place::Pointer(pointer("jwks_uri"))));
    }
    let set = match members.members.get("jwks")? {
        Value::Object(set) => set,
        other => {
            let other = other.clone();
            members.wrong(pointer("jwks"), &other, "{\"keys\": […]}");
            return None;
        }
    };
    match JwkSet::from_members(set) {
        Ok(keys) => {
            for passed_over in keys.passed_over() {
                let place = Place::Pointer(format!("/jwks/keys/{}", passed_over.index));
                members
                    .report
                    .add(Finding::new(&key_rule::PASSED_OVER, place).found(passed_over.reason.to_string()));
            }
            Some(keys)
        }
        Err(fault) => {
            let broken = if matches!(fault, JwkError::Private { .. }) {
                &key_rule::PRIVATE
            } else {
                &key_rule::UNREADABLE
            };
            members
                .report
                .add(Finding::new(broken, Place::Pointer(pointer("jwks"))).found(fault.to_string()));
            None
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
