//! Rules for the discovery document of an OpenID provider (OpenID Connect Discovery 1.0 section 3), and what the Swedish profile demands
//! of one.

use serde_json::{Map, Value};

use crate::{
    address::WebAddress,
    lint::{
        oidc::document::{JSON, TYPE},
        report::{Finding, Place, Report},
        rule::rules,
    },
    oidc::{MOST_OCTETS, pointer},
};

rules! {
    MEMBER_MISSING = Error "oidc.discovery.member_missing", "OIDC Discovery 3",
        what: "{found} saknas." / "{found} is missing.",
        why: "Utan det kan ingen tjänst använda leverantören." / "Without it no service can use the provider.",
        fix: "Lägg till {found}." / "Add {found}.";
    PROFILE_MEMBER_MISSING = [SwedishOidc: Error] "oidc.discovery.swedish_member_missing", "Swedish OIDC Profile 1.0 section 5.2",
        what: "{found} saknas." / "{found} is missing.",
        why: "Profilen kräver att det står i dokumentet." / "The profile demands that it stands in the document.",
        fix: "Lägg till {found}." / "Add {found}.";
    VALUE_MISSING = [SwedishOidc: Error] "oidc.discovery.value_missing", "Swedish OIDC Profile 1.0 sections 5.2 and 7",
        what: "{found} saknar {expected}." / "{found} lacks {expected}.",
        why: "Profilen kräver stöd för det, och den som läser dokumentet vet inte att stödet finns." / "The profile demands support for it, and who reads the document does not know that the support is there.",
        fix: "Lägg till {expected}." / "Add {expected}.";
    VALUE_RECOMMENDED = [SwedishOidc: Warning] "oidc.discovery.value_recommended", "Swedish OIDC Profile 1.0 section 5.2; Sweden Connect OIDC 2.1",
        what: "{found} saknar {expected}." / "{found} lacks {expected}.",
        why: "Det rekommenderas, så att personer inte kan jämföras mellan tjänster och sidor visas på rätt språk." / "It is recommended, so that people cannot be compared between services and pages come in the right language.",
        fix: "Lägg till {expected} om det stöds." / "Add {expected} if it is supported.";
    VALUE_FORBIDDEN = Warning [SwedishOidc: Error] "oidc.discovery.value_forbidden", "Swedish OIDC Profile 1.0 sections 2.1.8 and 5.2; RFC 9700 section 2.1.1",
        what: "{found} erbjuder {expected}." / "{found} offers {expected}.",
        why: "Det skyddar ingenting: none är ingen signatur, och plain lämnar ut det som skulle hållas hemligt." / "It protects nothing: none is no signature, and plain gives away what was to be kept secret.",
        fix: "Ta bort {expected}, och stäng av det hos leverantören." / "Remove {expected}, and turn it off at the provider.";
    ADDRESS = Error "oidc.discovery.address", "OIDC Discovery 3; OWASP ASVS 5.0 section 12.2.1",
        what: "{expected} är {found}, inte en fullständig https-adress." / "The {expected} is {found}, not a complete https address.",
        why: "Koder, nycklar och uppgifter om personer går till den adressen." / "Codes, keys and information about people go to that address.",
        fix: "Skriv hela adressen, med https:// först." / "Write the whole address, beginning with https://.";
    ISSUER = Error "oidc.discovery.issuer", "OIDC Discovery 3",
        what: "issuer {found} har en fråga (?) eller ett fragment (#)." / "The issuer {found} has a query (?) or a fragment (#).",
        why: "Namnet jämförs tecken för tecken i varje svar, och adressen till det här dokumentet görs av det." / "The name is compared character by character in every answer, and the address of this document is made from it.",
        fix: "Skriv en https-adress utan ? och #." / "Write an https address without ? and #.";
}

/// OIDC Discovery 3.
const REQUIRED: [&str; 7] = [
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "response_types_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
];

/// The Swedish profile, 5.2, beyond that.
const PROFILE_REQUIRED: [&str; 9] = [
    "userinfo_endpoint",
    "scopes_supported",
    "acr_values_supported",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "claims_supported",
    "claims_parameter_supported",
    "request_parameter_supported",
    "code_challenge_methods_supported",
];

/// What a list must have in it.
const HOLDS: [(&str, &[&str]); 6] = [
    ("scopes_supported", &["openid"]),
    ("response_types_supported", &["code"]),
    ("subject_types_supported", &["public"]),
    ("token_endpoint_auth_methods_supported", &["private_key_jwt"]),
    ("token_endpoint_auth_signing_alg_values_supported", &["RS256", "ES256"]),
    ("code_challenge_methods_supported", &["S256"]),
];

const RECOMMENDED: [(&str, &[&str]); 2] =
    [("subject_types_supported", &["pairwise"]), ("ui_locales_supported", &["sv", "en"])];

const FORBIDDEN: [(&str, &str); 3] = [
    ("token_endpoint_auth_signing_alg_values_supported", "none"),
    ("id_token_signing_alg_values_supported", "none"),
    ("code_challenge_methods_supported", "plain"),
];

pub(crate) fn check(octets: &[u8], report: &mut Report) {
    if octets.len() > MOST_OCTETS {
        report.add(Finding::new(&JSON, Place::File).found(format!("{} octets", octets.len())));
        return;
    }
    let members = match certs::unique_json::read(octets) {
        Ok(Value::Object(members)) => members,
        Ok(_) => return report.add(Finding::new(&JSON, Place::File).found("not an object")),
        Err(fault) => {
            let at = |number: usize| u32::try_from(number.max(1)).unwrap_or(u32::MAX);
            let place = Place::At { line: at(fault.line()), column: at(fault.column()) };
            return report.add(Finding::new(&JSON, place).found(fault.to_string()));
        }
    };
    let file = || Place::Pointer(String::new());
    for name in REQUIRED.into_iter().filter(|name| !members.contains_key(*name)) {
        report.add(Finding::new(&MEMBER_MISSING, file()).found(name));
    }
    for name in PROFILE_REQUIRED.into_iter().filter(|name| !members.contains_key(*name)) {
        report.add(Finding::new(&PROFILE_MEMBER_MISSING, file()).found(name));
    }
    addresses(&members, report);
    lists(&members, report);
    for name in ["claims_parameter_supported", "request_parameter_supported"] {
        if members.get(name).is_some_and(|value| *value != Value::Bool(true)) {
            let place = Place::Pointer(pointer(name));
            report.add(Finding::new(&VALUE_MISSING, place).found(name).expected("true"));
        }
    }
    if !members.contains_key("service_documentation") {
        let finding = Finding::new(&VALUE_RECOMMENDED, file());
        report.add(finding.found("–").expected("service_documentation"));
    }
}

fn addresses(members: &Map<String, Value>, report: &mut Report) {
    for (name, value) in members {
        if name != "issuer" && name != "jwks_uri" && !name.ends_with("_endpoint") {
            continue;
        }
        let place = || Place::Pointer(pointer(name));
        let Some(written) = value.as_str() else {
            report.add(Finding::new(&TYPE, place()).found(name.as_str()).expected("\"https://…\""));
            continue;
        };
        match WebAddress::parse(written) {
            Some(address) if address.is_private() => {}
            _ => report.add(Finding::new(&ADDRESS, place()).found(written).expected(name.as_str())),
        }
        if name == "issuer" && written.contains(['?', '#']) {
            report.add(Finding::new(&ISSUER, place()).found(written));
        }
    }
}

fn lists(members: &Map<String, Value>, report: &mut Report) {
    let holds = |name: &str, wanted: &str| {
        let list = members.get(name).and_then(Value::as_array);
        list.is_some_and(|list| list.iter().any(|value| value.as_str() == Some(wanted)))
    };
    for (rule, table) in [(&VALUE_MISSING, &HOLDS[..]), (&VALUE_RECOMMENDED, &RECOMMENDED[..])] {
        for (name, wanted) in table {
            // A list that must be there and is not has been told already.
            let absent = !members.contains_key(*name);
            if absent && std::ptr::eq(rule, &VALUE_MISSING) {
                continue;
            }
            for value in wanted.iter().filter(|value| !holds(name, value)) {
                let place = Place::Pointer(if absent { String::new() } else { pointer(name) });
                report.add(Finding::new(rule, place).found(*name).expected(*value));
            }
        }
    }
    for (name, value) in FORBIDDEN.into_iter().filter(|(name, value)| holds(name, value)) {
        let place = Place::Pointer(pointer(name));
        report.add(Finding::new(&VALUE_FORBIDDEN, place).found(name).expected(value));
    }
}
