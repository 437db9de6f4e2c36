//! Clocks: each bound just beyond its edge, with a twin just within. The broker allows 60 s of difference and messages of 300 s; the margin is what a busy
//! machine may take between signing and reading.

use tests::chance;

use super::kit::{Expected, Scene, Vector, harmless, part, replaced};

const EXPIRED: &[&str] = &["provider.expired"];
const EARLY: &[&str] = &["provider.not_yet_valid"];
const MALFORMED: &[&str] = &["provider.message_malformed"];
/// Seconds that may pass between signing and reading.
const MARGIN: i64 = 25;
const SKEW: i64 = 60;
const LIFETIME: i64 = 300;

fn at(seconds: i64) -> String {
    chance::now().plus(seconds).to_rfc3339()
}

/// The text with the attribute of the first element of that name set, then signed.
fn set(scene: &Scene<'_>, element: &str, attribute: &str, value: &str) -> Vec<u8> {
    let text = scene.text();
    let tag = part(&text, &format!("<{element} "), ">");
    let start = format!(" {attribute}=\"");
    let changed = match tag.find(&start) {
        Some(at) => {
            let from = at + start.len();
            let end = from + tag[from..].find('"').expect("the value's end");
            format!("{}{value}{}", &tag[..from], &tag[end..])
        }
        None => replaced(&tag, &format!("<{element}"), &format!("<{element} {attribute}=\"{value}\"")),
    };
    scene.response(&replaced(&text, &tag, &changed)).into()
}

/// Conditions that began long ago, so that only their end counts.
fn conditions_until(scene: &Scene<'_>, seconds: i64) -> Vec<u8> {
    let text = scene.text();
    let tag = part(&text, "<saml:Conditions ", ">");
    let changed = format!("<saml:Conditions NotBefore=\"{}\" NotOnOrAfter=\"{}\">", at(-600), at(seconds));
    scene.response(&replaced(&text, &tag, &changed)).into()
}

fn gone(scene: &Scene<'_>, element: &str, attribute: &str) -> Vec<u8> {
    let text = scene.text();
    let tag = part(&text, &format!("<{element} "), ">");
    let written = part(&tag, &format!(" {attribute}=\""), "Z\"");
    scene.response(&replaced(&text, &tag, &replaced(&tag, &written, ""))).into()
}

const RESPONSE: &str = "samlp:Response";
const ASSERTION: &str = "saml:Assertion";
const CONDITIONS: &str = "saml:Conditions";
const DATA: &str = "saml:SubjectConfirmationData";
const STATEMENT: &str = "saml:AuthnStatement";

const fn edge(
    name: &'static str,
    codes: &'static [&'static str],
    forge: fn(&Scene<'_>) -> Vec<u8>,
    twin: fn(&Scene<'_>) -> Vec<u8>,
) -> Vector {
    Vector { name, source: "SC-DP 6.3.5", expected: Expected::Refused(codes), forge, twin }
}

const fn written(
    name: &'static str,
    source: &'static str,
    codes: &'static [&'static str],
    forge: fn(&Scene<'_>) -> Vec<u8>,
) -> Vector {
    super::kit::on_response(name, source, codes, forge)
}

pub(crate) const VECTORS: &[Vector] = &[
    edge(
        "the Response too old by two seconds",
        EXPIRED,
        |scene| set(scene, RESPONSE, "IssueInstant", &at(-LIFETIME - SKEW - 2)),
        |scene| set(scene, RESPONSE, "IssueInstant", &at(-LIFETIME - SKEW + MARGIN)),
    ),
    edge(
        "the Response from the future",
        EARLY,
        |scene| set(scene, RESPONSE, "IssueInstant", &at(SKEW + MARGIN)),
        |scene| set(scene, RESPONSE, "IssueInstant", &at(SKEW - 1)),
    ),
    edge(
        "the assertion too old by two seconds",
        EXPIRED,
        |scene| set(scene, ASSERTION, "IssueInstant", &at(-LIFETIME - SKEW - 2)),
        |scene| set(scene, ASSERTION, "IssueInstant", &at(-LIFETIME - SKEW + MARGIN)),
    ),
    edge(
        "the assertion from the future",
        EARLY,
        |scene| set(scene, ASSERTION, "IssueInstant", &at(SKEW + MARGIN)),
        |scene| set(scene, ASSERTION, "IssueInstant", &at(SKEW - 1)),
    ),
    edge(
        "Conditions over by two seconds",
        EXPIRED,
        |scene| conditions_until(scene, -SKEW - 2),
        |scene| conditions_until(scene, -SKEW + MARGIN),
    ),
    edge(
        "Conditions over this very second",
        EXPIRED,
        |scene| conditions_until(scene, -SKEW),
        |scene| conditions_until(scene, -SKEW + MARGIN),
    ),
    edge(
        "Conditions that have not begun",
        EARLY,
        |scene| set(scene, CONDITIONS, "NotBefore", &at(SKEW + MARGIN)),
        |scene| set(scene, CONDITIONS, "NotBefore", &at(SKEW - 1)),
    ),
    edge(
        "the confirmation over by two seconds",
        EXPIRED,
        |scene| set(scene, DATA, "NotOnOrAfter", &at(-SKEW - 2)),
        |scene| set(scene, DATA, "NotOnOrAfter", &at(-SKEW + MARGIN)),
    ),
    edge(
        "authenticated in the future",
        EARLY,
        |scene| set(scene, STATEMENT, "AuthnInstant", &at(SKEW + MARGIN)),
        |scene| set(scene, STATEMENT, "AuthnInstant", &at(SKEW - 1)),
    ),
    edge(
        "a session that is over",
        EXPIRED,
        |scene| set(scene, STATEMENT, "SessionNotOnOrAfter", &at(-SKEW - 2)),
        |scene| set(scene, STATEMENT, "SessionNotOnOrAfter", &at(120)),
    ),
    written(
        "a confirmation with NotBefore",
        "SAML Profiles 4.1.4.2",
        &["provider.subject_confirmation"],
        |scene| set(scene, DATA, "NotBefore", &at(-30)),
    ),
    written(
        "a confirmation without an end",
        "SAML Profiles 4.1.4.2",
        &["provider.subject_confirmation"],
        |scene| gone(scene, DATA, "NotOnOrAfter"),
    ),
    written("a Response without IssueInstant", "SAML Core 3.2.2", MALFORMED, |scene| {
        gone(scene, RESPONSE, "IssueInstant")
    }),
    written("an assertion without IssueInstant", "SAML Core 2.3.3", MALFORMED, |scene| {
        gone(scene, ASSERTION, "IssueInstant")
    }),
    written("no AuthnInstant", "SAML Core 2.7.2", &["provider.authn_statement"], |scene| {
        gone(scene, STATEMENT, "AuthnInstant")
    }),
    written("issued in the year 0", "XML Schema 3.2.7", EXPIRED, |scene| {
        set(scene, ASSERTION, "IssueInstant", "0000-01-01T00:00:00Z")
    }),
    written("issued in the year 9999", "XML Schema 3.2.7", EARLY, |scene| {
        set(scene, ASSERTION, "IssueInstant", "9999-12-31T23:59:59Z")
    }),
    written("issued in the year 10000", "XML Schema 3.2.7", MALFORMED, |scene| {
        set(scene, ASSERTION, "IssueInstant", "10000-01-01T00:00:00Z")
    }),
    written("issued before our era", "XML Schema 3.2.7", MALFORMED, |scene| {
        set(scene, ASSERTION, "IssueInstant", "-0001-01-01T00:00:00Z")
    }),
    written("issued without a zone", "SAML Core 1.3.3: UTC", MALFORMED, |scene| {
        let now = at(0);
        set(scene, ASSERTION, "IssueInstant", now.trim_end_matches('Z'))
    }),
    written("issued at a zone that is none", "XML Schema 3.2.7.3", MALFORMED, |scene| {
        let now = at(0).replace('Z', "+99:00");
        set(scene, ASSERTION, "IssueInstant", &now)
    }),
    written("issued with a small t", "XML Schema 3.2.7", MALFORMED, |scene| {
        let now = at(0).replace('T', "t");
        set(scene, ASSERTION, "IssueInstant", &now)
    }),
    written("issued on the 30th of February", "XML Schema 3.2.7", MALFORMED, |scene| {
        set(scene, ASSERTION, "IssueInstant", "2026-02-30T00:00:00Z")
    }),
    written("issued in seconds since 1970", "XML Schema 3.2.7", MALFORMED, |scene| {
        let now = chance::now().0.to_string();
        set(scene, ASSERTION, "IssueInstant", &now)
    }),
    written("a leap second long ago", "XML Schema 3.2.7", EXPIRED, |scene| {
        set(scene, CONDITIONS, "NotOnOrAfter", "2016-12-31T23:59:60Z")
    }),
    written("an end in octets that are no digits", "RFC 3339 in ASCII alone", MALFORMED, |scene| {
        set(scene, CONDITIONS, "NotOnOrAfter", "２０９９-01-01T00:00:00Z")
    }),
    written(
        "an expired end, written with an offset that makes it look later",
        "time zones are counted",
        EXPIRED,
        |scene| {
            let now = chance::now().plus(-3_600 + 2 * 3_600).to_rfc3339().replace('Z', "+02:00");
            set(scene, CONDITIONS, "NotOnOrAfter", &now)
        },
    ),
    harmless("a zone that is not UTC, counted", "XML Schema 3.2.7.3", |scene| {
        let now = chance::now().plus(2 * 3_600).to_rfc3339().replace('Z', "+02:00");
        set(scene, ASSERTION, "IssueInstant", &now)
    }),
    harmless("fractions of a second", "SAML Core 1.3.3", |scene| {
        let now = at(0).replace('Z', ".999999999999Z");
        set(scene, ASSERTION, "IssueInstant", &now)
    }),
];
