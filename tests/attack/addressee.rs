//! Genuine signatures of the right provider over messages that are for somebody else, from somebody else, or for another occasion.

use super::kit::{Scene, Vector, harmless, on_assertion, on_response, part, replaced};

const ISSUER: &[&str] = &["provider.issuer_mismatch"];
const AUDIENCE: &[&str] = &["provider.audience_mismatch"];
const RECIPIENT: &[&str] = &["provider.recipient_mismatch"];
const DESTINATION: &[&str] = &["provider.destination_mismatch"];
const ANSWERS: &[&str] = &["provider.in_response_to_mismatch"];
const CONFIRMATION: &[&str] = &["provider.subject_confirmation"];
const UNSOLICITED: &[&str] = &["provider.unsolicited"];
const EVIL: &str = "https://evil.example/sp";

/// Changed first, then signed by the genuine key.
fn before(scene: &Scene<'_>, from: &str, to: &str) -> Vec<u8> {
    scene.response(&replaced(&scene.text(), from, to)).into()
}

fn with_audience(scene: &Scene<'_>, change: impl Fn(&str) -> String) -> Vec<u8> {
    let changed = scene.with(|answer| answer.audience = change(&answer.audience));
    scene.response(&changed).into()
}

/// AudienceRestrictions with these in them.
fn restrictions(scene: &Scene<'_>, all: &[&[&str]]) -> Vec<u8> {
    let text = scene.text();
    let written = part(&text, "<saml:AudienceRestriction>", "</saml:AudienceRestriction>");
    let ours = scene.answer.audience.as_str();
    let audience =
        |name: &&str| format!("<saml:Audience>{}</saml:Audience>", if *name == "ours" { ours } else { name });
    let several: String = all
        .iter()
        .map(|names| {
            let inside: String = names.iter().map(audience).collect();
            format!("<saml:AudienceRestriction>{inside}</saml:AudienceRestriction>")
        })
        .collect();
    scene.response(&replaced(&text, &written, &several)).into()
}

fn with_issuer(scene: &Scene<'_>, response: &str, assertion: &str) -> Vec<u8> {
    let genuine = format!("{}</saml:Issuer>", scene.answer.issuer);
    let text = scene.text();
    let (first, rest) = text.split_once(&genuine).expect("the Response's Issuer");
    let rest = replaced(rest, &genuine, &format!("{assertion}</saml:Issuer>"));
    scene.response(&format!("{first}{response}</saml:Issuer>{rest}")).into()
}

/// The confirmation's data, changed and signed.
fn with_data(scene: &Scene<'_>, change: impl Fn(&str) -> String) -> Vec<u8> {
    let text = scene.text();
    let data = part(&text, "<saml:SubjectConfirmationData ", "</saml:SubjectConfirmationData>");
    scene.response(&replaced(&text, &data, &change(&data))).into()
}

/// The same place of another of our service providers: of one that is not the one that asked.
pub(crate) fn of_another_of_ours(ours: &str) -> String {
    const OTHER: &str = "/saml/personal-number/";
    if ours.contains(OTHER) { ours.replace(OTHER, "/saml/") } else { ours.replace("/saml/", OTHER) }
}

fn without(text: &str, attribute: &str) -> String {
    replaced(text, &format!("{}\"", part(text, &format!(" {attribute}=\""), "\"").trim_end_matches('"')), "")
        .replacen(&value_of(text, attribute), "", 1)
}

fn value_of(text: &str, attribute: &str) -> String {
    let start = format!(" {attribute}=\"");
    let from = text.find(&start).expect("the attribute") + start.len();
    format!("{}\"", text[from..].split('"').next().unwrap_or_default())
}

fn with_condition(scene: &Scene<'_>, condition: &str) -> Vec<u8> {
    before(scene, "</saml:Conditions>", &format!("{condition}</saml:Conditions>"))
}

fn with_status(scene: &Scene<'_>, status: &str) -> Vec<u8> {
    let text = scene.text();
    let written = part(&text, "<samlp:Status>", "</samlp:Status>");
    scene.response(&replaced(&text, &written, status)).into()
}

const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";

/// The assertion gone, and in its place one whose key was encrypted to nobody.
fn encrypted(text: &str) -> String {
    let assertion = part(text, "<saml:Assertion ", "</saml:Assertion>");
    let junk = format!(
        "<saml:EncryptedAssertion xmlns:saml=\"{SAML}\"><e:EncryptedData xmlns:e=\"http://www.w3.org/2001/04/xmlenc#\" \
         Type=\"http://www.w3.org/2001/04/xmlenc#Element\">\
         <e:EncryptionMethod Algorithm=\"http://www.w3.org/2009/xmlenc11#aes256-gcm\"></e:EncryptionMethod>\
         <ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><e:EncryptedKey>\
         <e:EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p\"></e:EncryptionMethod>\
         <e:CipherData><e:CipherValue>{0}</e:CipherValue></e:CipherData></e:EncryptedKey></ds:KeyInfo>\
         <e:CipherData><e:CipherValue>{0}</e:CipherValue></e:CipherData></e:EncryptedData></saml:EncryptedAssertion>",
        "A".repeat(344)
    );
    replaced(text, &assertion, &junk)
}

const CODES: &str = "urn:oasis:names:tc:SAML:2.0:status";

pub(crate) const VECTORS: &[Vector] = &[
    on_response("the Response by another Issuer", "SC-DP 6.3", ISSUER, |scene| {
        with_issuer(scene, &scene.federation.fjorden.entity_id, &scene.answer.issuer)
    }),
    on_response("the assertion by another Issuer", "SC-DP 6.3", ISSUER, |scene| {
        with_issuer(scene, &scene.answer.issuer, &scene.federation.fjorden.entity_id)
    }),
    on_response("both by another Issuer", "SC-DP 6.3", ISSUER, |scene| {
        with_issuer(scene, &scene.federation.fjorden.entity_id, &scene.federation.fjorden.entity_id)
    }),
    on_assertion(
        "an unsigned Response by another Issuer around a good assertion",
        "SAML Profiles 4.1.4.3",
        ISSUER,
        |scene| {
            let text = scene.assertion(&scene.text());
            replaced(&text, &scene.answer.issuer, &scene.federation.fjorden.entity_id).into()
        },
    ),
    on_response(
        "another provider answers in its own name",
        "mix-up, RFC 9700 section 4.4 in SAML",
        &["provider.signature_invalid"],
        |scene| {
            let fjorden = &scene.federation.fjorden;
            let text = scene.with(|answer| answer.issuer.clone_from(&fjorden.entity_id));
            super::kit::Signing::by(fjorden.key()).on(&text, &scene.answer.response_id).into()
        },
    ),
    on_response("an Issuer with a slash more", "entity IDs are compared octet by octet", ISSUER, |scene| {
        let other = format!("{}/", scene.answer.issuer);
        with_issuer(scene, &other, &other)
    }),
    on_response("an Issuer in another case", "entity IDs are compared octet by octet", ISSUER, |scene| {
        let other = scene.answer.issuer.replace("granvik", "Granvik");
        with_issuer(scene, &other, &other)
    }),
    on_response("an Issuer of another format", "SAML Profiles 4.1.4.2", ISSUER, |scene| {
        let text = scene.text().replace(
            "<saml:Issuer>",
            "<saml:Issuer Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified\">",
        );
        scene.response(&text).into()
    }),
    on_response("the assertion without an Issuer", "SAML Core 2.3.3", ISSUER, |scene| {
        let text = scene.text();
        let issuer = format!("<saml:Issuer>{}</saml:Issuer>", scene.answer.issuer);
        let at = text.rfind(&issuer).expect("the assertion's Issuer");
        let without = format!("{}{}", &text[..at], &text[at + issuer.len()..]);
        scene.response(&without).into()
    }),
    on_response("the Audience of somebody else", "SAML Profiles 4.1.4.2", AUDIENCE, |scene| {
        with_audience(scene, |_| EVIL.into())
    }),
    on_response("an Audience that begins as ours", "octet by octet", AUDIENCE, |scene| {
        with_audience(scene, |ours| format!("{ours}.evil.example"))
    }),
    on_response("an Audience that is the beginning of ours", "octet by octet", AUDIENCE, |scene| {
        with_audience(scene, |ours| ours[..ours.len() - 1].to_owned())
    }),
    on_response("our Audience in another case", "octet by octet", AUDIENCE, |scene| {
        with_audience(scene, str::to_uppercase)
    }),
    on_response("an empty Audience", "SAML Core 2.5.1.4", AUDIENCE, |scene| {
        with_audience(scene, |_| String::new())
    }),
    on_response("no AudienceRestriction", "SAML Profiles 4.1.4.2", AUDIENCE, |scene| {
        restrictions(scene, &[])
    }),
    on_response("an AudienceRestriction without an Audience", "SAML Core 2.5.1.4", AUDIENCE, |scene| {
        restrictions(scene, &[&[]])
    }),
    on_response(
        "two AudienceRestrictions, ours and another's",
        "SAML Core 2.5.1.4: all must hold",
        AUDIENCE,
        |scene| restrictions(scene, &[&["ours"], &[EVIL]]),
    ),
    harmless("one AudienceRestriction, another's or ours", "SAML Core 2.5.1.4: one is enough", |scene| {
        restrictions(scene, &[&[EVIL, "ours"]])
    }),
    on_response("the Audience of another of our service providers", "decision 6", AUDIENCE, |scene| {
        with_audience(scene, of_another_of_ours)
    }),
    on_response("the Recipient of another of our service providers", "decision 6", RECIPIENT, |scene| {
        let acs = &scene.answer.acs_url;
        with_data(scene, |data| replaced(data, acs, &of_another_of_ours(acs)))
    }),
    on_response("the Destination of another of our service providers", "decision 6", DESTINATION, |scene| {
        let acs = &scene.answer.acs_url;
        let destination = |acs: &str| format!(" Destination=\"{acs}\"");
        before(scene, &destination(acs), &destination(&of_another_of_ours(acs)))
    }),
    on_response("all of another of our service providers", "decision 6", DESTINATION, |scene| {
        let other = scene.with(|answer| {
            answer.audience = of_another_of_ours(&answer.audience);
            answer.acs_url = of_another_of_ours(&answer.acs_url);
        });
        scene.response(&other).into()
    }),
    on_response("no Conditions", "SAML Profiles 4.1.4.2", AUDIENCE, |scene| {
        let text = scene.text();
        let conditions = part(&text, "<saml:Conditions ", "</saml:Conditions>");
        scene.response(&replaced(&text, &conditions, "")).into()
    }),
    on_response("two Conditions", "SAML Core 2.3.3, schema", AUDIENCE, |scene| {
        let text = scene.text();
        let conditions = part(&text, "<saml:Conditions ", "</saml:Conditions>");
        scene.response(&replaced(&text, &conditions, &conditions.repeat(2))).into()
    }),
    on_response("the Recipient is somebody else", "SAML Profiles 4.1.4.3", RECIPIENT, |scene| {
        with_data(scene, |data| data.replace(&scene.answer.acs_url, EVIL))
    }),
    on_response("a Recipient that begins as ours", "octet by octet", RECIPIENT, |scene| {
        with_data(scene, |data| data.replace(&scene.answer.acs_url, &format!("{}/", scene.answer.acs_url)))
    }),
    on_response("no Recipient", "SAML Profiles 4.1.4.2", RECIPIENT, |scene| {
        with_data(scene, |data| without(data, "Recipient"))
    }),
    on_response("the Destination is somebody else", "SAML Bindings 3.5.5.2", DESTINATION, |scene| {
        before(scene, " Destination=\"", &format!(" Destination=\"{EVIL}"))
    }),
    on_response("no Destination on a signed Response", "SAML Bindings 3.5.5.2", DESTINATION, |scene| {
        scene.response(&without(&scene.text(), "Destination")).into()
    }),
    on_response("a Destination in another case", "octet by octet", DESTINATION, |scene| {
        before(scene, " Destination=\"http:", " Destination=\"HTTP:")
    }),
    on_assertion(
        "an unsigned Response for another Destination around a good assertion",
        "SAML Bindings 3.5.5.2",
        DESTINATION,
        |scene| {
            replaced(&scene.assertion(&scene.text()), " Destination=\"", &format!(" Destination=\"{EVIL}"))
                .into()
        },
    ),
    on_response("the Response answers nothing", "SC-DP 6.1: nothing unsolicited", UNSOLICITED, |scene| {
        scene.response(&without(&scene.text(), "InResponseTo")).into()
    }),
    on_response("the Response answers a request of nobody", "SC-DP 6.1", UNSOLICITED, |scene| {
        scene.response(&scene.with(|answer| answer.in_response_to = "_okand".into())).into()
    }),
    on_response("the assertion answers another request", "SAML Profiles 4.1.4.3", ANSWERS, |scene| {
        with_data(scene, |data| data.replace(&scene.answer.in_response_to, "_another"))
    }),
    on_response("the assertion answers nothing", "SAML Profiles 4.1.4.3", ANSWERS, |scene| {
        with_data(scene, |data| without(data, "InResponseTo"))
    }),
    on_assertion(
        "a good assertion without an answer, in a Response that answers",
        "CVE-2023-27162 class: unsolicited by the back door",
        ANSWERS,
        |scene| {
            let text = scene.text();
            let data = part(&text, "<saml:SubjectConfirmationData ", "</saml:SubjectConfirmationData>");
            scene.assertion(&replaced(&text, &data, &without(&data, "InResponseTo"))).into()
        },
    ),
    on_response("confirmed by holder of key", "SAML Profiles 4.1.4.2: bearer", CONFIRMATION, |scene| {
        before(scene, "cm:bearer", "cm:holder-of-key")
    }),
    on_response("confirmed by sender vouches", "SAML Profiles 4.1.4.2: bearer", CONFIRMATION, |scene| {
        before(scene, "cm:bearer", "cm:sender-vouches")
    }),
    on_response("confirmed by a method in another case", "octet by octet", CONFIRMATION, |scene| {
        before(scene, "cm:bearer", "cm:Bearer")
    }),
    on_response("confirmed by nothing", "SAML Profiles 4.1.4.2", CONFIRMATION, |scene| {
        let text = scene.text();
        let confirmation = part(&text, "<saml:SubjectConfirmation ", "</saml:SubjectConfirmation>");
        scene.response(&replaced(&text, &confirmation, "")).into()
    }),
    on_response("a confirmation without data", "SAML Profiles 4.1.4.2", CONFIRMATION, |scene| {
        with_data(scene, |_| String::new())
    }),
    on_response("a confirmation with two data", "SAML Core 2.4.1.1, schema", CONFIRMATION, |scene| {
        with_data(scene, |data| data.repeat(2))
    }),
    on_response(
        "one confirmation for us and expired, another good and for somebody else",
        "each confirmation as a whole",
        &["provider.expired", "provider.recipient_mismatch"],
        |scene| {
            let text = scene.text();
            let good = part(&text, "<saml:SubjectConfirmation ", "</saml:SubjectConfirmation>");
            let elsewhere = replaced(&good, &scene.answer.acs_url, EVIL);
            let end = value_of(&good, "NotOnOrAfter");
            let expired = replaced(&good, &end, "2020-01-01T00:00:00Z\"");
            scene.response(&replaced(&text, &good, &format!("{expired}{elsewhere}"))).into()
        },
    ),
    on_response("no Subject", "SAML Profiles 4.1.4.2", CONFIRMATION, |scene| {
        let text = scene.text();
        let subject = part(&text, "<saml:Subject>", "</saml:Subject>");
        scene.response(&replaced(&text, &subject, "")).into()
    }),
    on_response(
        "a valid assertion, the status says no",
        "SAML Core 3.2.2.1",
        &["provider.denied", "provider.other_status"],
        |scene| {
            with_status(
                scene,
                &format!(
                    "<samlp:Status><samlp:StatusCode Value=\"{CODES}:Responder\"></samlp:StatusCode></samlp:Status>"
                ),
            )
        },
    ),
    on_response(
        "a valid assertion, the second status says no",
        "SAML Core 3.2.2.2",
        &["provider.denied", "provider.other_status", "provider.message_malformed"],
        |scene| {
            with_status(
                scene,
                &format!(
                    "<samlp:Status><samlp:StatusCode Value=\"{CODES}:Responder\"><samlp:StatusCode Value=\"{CODES}:Success\"></samlp:StatusCode></samlp:StatusCode></samlp:Status>"
                ),
            )
        },
    ),
    on_response(
        "a valid assertion, no status",
        "SAML Core 3.2.2",
        &["provider.message_malformed"],
        |scene| with_status(scene, ""),
    ),
    on_response(
        "a valid assertion, two statuses",
        "SAML Core 3.2.2, schema",
        &["provider.message_malformed", "provider.denied", "provider.other_status"],
        |scene| {
            let one = |code: &str| {
                format!(
                    "<samlp:Status><samlp:StatusCode Value=\"{CODES}:{code}\"></samlp:StatusCode></samlp:Status>"
                )
            };
            with_status(scene, &format!("{}{}", one("Success"), one("AuthnFailed")))
        },
    ),
    on_response(
        "a success in another case",
        "octet by octet",
        &["provider.denied", "provider.other_status", "provider.message_malformed"],
        |scene| {
            with_status(
                scene,
                &format!(
                    "<samlp:Status><samlp:StatusCode Value=\"{CODES}:success\"></samlp:StatusCode></samlp:Status>"
                ),
            )
        },
    ),
    on_assertion(
        "a success changed on the way around a good assertion",
        "an unsigned Response can only fail a login",
        &["provider.denied", "provider.other_status"],
        |scene| {
            replaced(
                &scene.assertion(&scene.text()),
                &format!("{CODES}:Success"),
                &format!("{CODES}:Responder"),
            )
            .into()
        },
    ),
    on_response("no assertion", "SC-DP 6.2", &["provider.assertion_count"], |scene| {
        let text = scene.text();
        let assertion = part(&text, "<saml:Assertion ", "</saml:Assertion>");
        scene.response(&replaced(&text, &assertion, "")).into()
    }),
    on_response(
        "an EncryptedAssertion that nobody can read",
        "SC-DP 6.2; one behaviour for every cryptographic failure",
        &["provider.undecryptable"],
        |scene| scene.response(&encrypted(&scene.text())).into(),
    ),
    on_assertion(
        "an EncryptedAssertion beside the signed assertion",
        "SC-DP 6.2: one assertion",
        &["provider.undecryptable", "provider.assertion_count"],
        |scene| {
            let (signed, end) = (scene.assertion(&scene.text()), "</samlp:Response>");
            let empty = format!("<saml:EncryptedAssertion xmlns:saml=\"{SAML}\"></saml:EncryptedAssertion>");
            replaced(&signed, end, &format!("{empty}{end}")).into()
        },
    ),
    on_response(
        "a condition that nobody knows",
        "SAML Core 2.5.1",
        &["provider.condition_unknown"],
        |scene| with_condition(scene, "<x:OnlyOnMondays xmlns:x=\"urn:x\"></x:OnlyOnMondays>"),
    ),
    on_response(
        "a condition by its type",
        "SAML Core 2.5.1, xsi:type",
        &["provider.condition_unknown"],
        |scene| {
            with_condition(
                scene,
                "<saml:Condition xmlns:x=\"urn:x\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"x:Mondays\"></saml:Condition>",
            )
        },
    ),
    harmless("OneTimeUse", "SAML Core 2.5.1.5: every assertion is used once here", |scene| {
        with_condition(scene, "<saml:OneTimeUse></saml:OneTimeUse>")
    }),
    on_response(
        "not to be passed on",
        "SAML Core 2.5.1.6: Count 0",
        &["provider.proxy_restricted"],
        |scene| with_condition(scene, "<saml:ProxyRestriction Count=\"0\"></saml:ProxyRestriction>"),
    ),
    on_response(
        "to be passed on less than nothing",
        "SAML Core 2.5.1.6",
        &["provider.proxy_restricted", "provider.message_malformed"],
        |scene| with_condition(scene, "<saml:ProxyRestriction Count=\"-1\"></saml:ProxyRestriction>"),
    ),
    on_response(
        "to be passed on to others alone",
        "SAML Core 2.5.1.6: Audience",
        &["provider.proxy_restricted"],
        |scene| {
            with_condition(
                scene,
                &format!(
                    "<saml:ProxyRestriction Count=\"1\"><saml:Audience>{EVIL}</saml:Audience></saml:ProxyRestriction>"
                ),
            )
        },
    ),
    on_response("authenticated by ourselves", "a loop", &["provider.proxy_restricted"], |scene| {
        scene.response(&scene.with(|answer| answer.authorities = vec![answer.audience.clone()])).into()
    }),
    on_response("no AuthnStatement", "SAML Profiles 4.1.4.2", &["provider.authn_statement"], |scene| {
        let text = scene.text();
        let statement = part(&text, "<saml:AuthnStatement ", "</saml:AuthnStatement>");
        scene.response(&replaced(&text, &statement, "")).into()
    }),
    on_response(
        "a level that the provider is not registered for",
        "LoA inflation, SC-RULES",
        &["policy.assurance_above_ceiling", "provider.assurance_not_asked"],
        |scene| {
            scene
                .response(
                    &scene
                        .with(|answer| answer.authn_context = "http://id.elegnamnden.se/loa/1.0/loa4".into()),
                )
                .into()
        },
    ),
    on_response(
        "two levels",
        "LoA inflation, SAML Core 2.7.2.2, schema",
        &["provider.authn_statement"],
        |scene| {
            let text = scene.text();
            let class = part(&text, "<saml:AuthnContextClassRef>", "</saml:AuthnContextClassRef>");
            let higher = class.replace("loa3", "loa4");
            scene.response(&replaced(&text, &class, &format!("{class}{higher}"))).into()
        },
    ),
];
