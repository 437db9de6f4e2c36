//! Rules of the Swedish OpenID Connect Profile, and what Sweden Connect adds, for a relying party's file. They ask what the file says
//! itself, so they read its members and not what we make of them.

use broker_core::organisation::OrganisationNumber;
use serde_json::{Map, Value};

use crate::{
    address::WebAddress,
    lint::{
        report::{Finding, Place, Report},
        rule::rules,
    },
    oidc::pointer,
};

rules! {
    MEMBER_MISSING = [SwedishOidc: Error] "oidc.swedish.member_missing", "Swedish OIDC Profile 1.0 section 6",
        what: "{found} saknas." / "{found} is missing.",
        why: "Profilen kräver att det står i posten, också där ett förval finns." / "The profile demands that it stands in the record, even where there is a default.",
        fix: "Skriv {expected}." / "Write {expected}.";
    PRIVATE_KEY_JWT = [SwedishOidc: Warning] "oidc.swedish.private_key_jwt", "Swedish OIDC Profile 1.0 section 3.1.1; Sweden Connect OIDC 2.3.1",
        what: "Tjänsten visar vem den är med {found}, inte med private_key_jwt." / "The service authenticates with {found}, not with private_key_jwt.",
        why: "Alla leverantörer stöder private_key_jwt; annat beror på var och ens policy, och en delad hemlighet kan läcka i båda ändar." / "All providers support private_key_jwt; anything else depends on each one's policy, and a shared secret can leak at both ends.",
        fix: "Skapa ett nyckelpar, lägg den publika nyckeln i jwks och skriv \"token_endpoint_auth_method\": \"private_key_jwt\"." / "Make a key pair, put the public key into jwks and write \"token_endpoint_auth_method\": \"private_key_jwt\".";
    NAME_LANGUAGE = [SwedishOidc: Warning] "oidc.swedish.client_name_language", "Sweden Connect OIDC 3",
        what: "{found} saknas." / "{found} is missing.",
        why: "Den som loggar in ska se tjänstens namn på sitt språk." / "Who signs in is to see the service's name in their language.",
        fix: "Skriv \"{found}\": \"…\"." / "Write \"{found}\": \"…\".";
    CONTACT = [SwedishOidc: Warning] "oidc.swedish.contact", "Sweden Connect OIDC 3",
        what: "Kontakten {found} är ingen e-postadress." / "The contact {found} is no e-mail address.",
        why: "Då når ingen er när något är fel." / "Then nobody reaches you when something is wrong.",
        fix: "Skriv en funktionsadress, till exempel \"drift@exempelkommun.se\"." / "Write the address of a desk, for example \"operations@example.se\".";
    LINK_HTTPS = [SwedishOidc: Warning] "oidc.swedish.link_not_https", "Sweden Connect OIDC 3",
        what: "{expected} är {found}, inte en https-adress." / "The {expected} is {found}, not an https address.",
        why: "Webbläsaren visar den för den som loggar in, och det som hämtas öppet kan bytas ut på vägen." / "The browser shows it to who signs in, and what is fetched in the open can be replaced on the way.",
        fix: "Skriv en https-adress." / "Write an https address.";
    ORGANISATION = [SwedishOidc: Error] "oidc.swedish.organization_identifier", "Sweden Connect claims, organisation identifier",
        what: "organization_identifier är {found}, inte ett organisationsnummer." / "The organization_identifier is {found}, not an organisation number.",
        why: "Numret är tio siffror utan bindestreck, med rätt kontrollsiffra." / "The number is ten digits without hyphen, with the right check digit.",
        fix: "Skriv \"organization_identifier\": \"2120001355\" med ert nummer." / "Write \"organization_identifier\": \"2120001355\" with your number.";
    ORGANISATION_NAME = [SwedishOidc: Note] "oidc.swedish.organization_name", "Sweden Connect OIDC 3",
        what: "organization_name saknas." / "The organization_name is missing.",
        why: "Namnet rekommenderas, så att den som loggar in ser vem som svarar för tjänsten." / "The name is recommended, so that who signs in sees who answers for the service.",
        fix: "Skriv \"organization_name#sv\" och \"organization_name#en\"." / "Write \"organization_name#sv\" and \"organization_name#en\".";
}

/// What section 6 demands, and how to write it.
const REQUIRED: [(&str, &str); 4] = [
    ("response_types", "\"response_types\": [\"code\"]"),
    ("grant_types", "\"grant_types\": [\"authorization_code\"]"),
    ("token_endpoint_auth_method", "\"token_endpoint_auth_method\": \"private_key_jwt\""),
    ("redirect_uris", "\"redirect_uris\": [\"https://…\"]"),
];

pub(crate) fn check(members: &Map<String, Value>, report: &mut Report) {
    let file = || Place::Pointer(String::new());
    for (name, example) in REQUIRED.into_iter().filter(|(name, _)| !members.contains_key(*name)) {
        report.add(Finding::new(&MEMBER_MISSING, file()).found(name).expected(example));
    }
    let method = members.get("token_endpoint_auth_method").and_then(Value::as_str);
    match method {
        Some("private_key_jwt" | "tls_client_auth" | "self_signed_tls_client_auth") => {
            if !members.contains_key("jwks") && !members.contains_key("jwks_uri") {
                let finding = Finding::new(&MEMBER_MISSING, file()).found("jwks");
                report.add(finding.expected("\"jwks\": {\"keys\": […]}"));
            }
        }
        other => {
            let place = Place::Pointer(pointer("token_endpoint_auth_method"));
            report.add(Finding::new(&PRIVATE_KEY_JWT, place).found(other.unwrap_or("client_secret_basic")));
        }
    }
    for name in ["client_name#sv", "client_name#en"] {
        if !members.contains_key(name) {
            report.add(Finding::new(&NAME_LANGUAGE, file()).found(name));
        }
    }
    for (index, contact) in
        members.get("contacts").and_then(Value::as_array).into_iter().flatten().enumerate()
    {
        let written = contact.as_str().unwrap_or_default();
        let plain = written.strip_prefix("mailto:").unwrap_or(written);
        if !plain.split_once('@').is_some_and(|(who, host)| !who.is_empty() && host.contains('.')) {
            let place = Place::Pointer(format!("/contacts/{index}"));
            report.add(Finding::new(&CONTACT, place).found(written));
        }
    }
    for (name, value) in members {
        let link =
            matches!(name.split('#').next(), Some("logo_uri" | "client_uri" | "policy_uri" | "tos_uri"));
        let Some(address) = value.as_str().filter(|_| link) else { continue };
        if !WebAddress::parse(address).is_some_and(|address| address.is_https()) {
            let place = Place::Pointer(pointer(name));
            report.add(Finding::new(&LINK_HTTPS, place).found(address).expected(name.as_str()));
        }
    }
    if let Some(value) = members.get("organization_identifier") {
        let written = value.as_str().unwrap_or_default();
        let plain = written.len() == 10 && OrganisationNumber::parse(written).is_some();
        if !plain {
            let place = Place::Pointer(pointer("organization_identifier"));
            report.add(Finding::new(&ORGANISATION, place).found(written));
        }
    }
    if !members.keys().any(|name| name.split('#').next() == Some("organization_name")) {
        report.add(Finding::new(&ORGANISATION_NAME, file()));
    }
}
