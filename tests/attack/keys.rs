//! Keys that nobody registered: in KeyInfo, by their name, of another registered provider, too weak to be registered at all.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use certs::{PrivateKey, Signer as _};
use tests::{chance, program};

use super::kit::{Bench, Running, Scenario, Scene, Signing, Vector, harmless, on_assertion, on_response};

const INVALID: &[&str] = &["provider.signature_invalid"];

/// The genuine message, signed by the attacker's own key, with something in KeyInfo that would help whoever believes it.
fn own_key(scene: &Scene<'_>, key_info: impl Fn(&PrivateKey) -> String) -> Vec<u8> {
    let key = PrivateKey::generate_p256().expect("a key");
    let mut signing = Signing::by(&key);
    signing.after = key_info(&key);
    signing.on(&scene.text(), &scene.answer.response_id).into()
}

fn certificate(key: &PrivateKey, name: &str) -> String {
    let yesterday = chance::system_time() - std::time::Duration::from_secs(86_400);
    STANDARD.encode(key.self_signed_certificate(name, yesterday, 365).expect("a certificate"))
}

fn key_info(inside: &str) -> String {
    format!("<ds:KeyInfo>{inside}</ds:KeyInfo>")
}

fn x509(certificates: &[String]) -> String {
    let all: String =
        certificates.iter().map(|text| format!("<ds:X509Certificate>{text}</ds:X509Certificate>")).collect();
    key_info(&format!("<ds:X509Data>{all}</ds:X509Data>"))
}

fn genuine_certificate(scene: &Scene<'_>) -> String {
    certificate(scene.federation.granvik.key(), "idp.granvik.localhost")
}

fn key_value(key: &PrivateKey) -> String {
    let (x, y) = key.public_key().ec_coordinates().expect("a point");
    let point = STANDARD.encode([vec![4], x, y].concat());
    key_info(&format!(
        "<ds:KeyValue><e:ECKeyValue xmlns:e=\"http://www.w3.org/2009/xmldsig11#\">\
         <e:NamedCurve URI=\"urn:oid:1.2.840.10045.3.1.7\"></e:NamedCurve><e:PublicKey>{point}</e:PublicKey>\
         </e:ECKeyValue></ds:KeyValue>"
    ))
}

pub(crate) const VECTORS: &[Vector] = &[
    on_response("an unknown key, no KeyInfo", "SAML Metadata 2.4.1.1", INVALID, |scene| {
        own_key(scene, |_| String::new())
    }),
    on_response(
        "an unknown key with its certificate",
        "CVE-2025-54369; KeyInfo is not trust",
        INVALID,
        |scene| own_key(scene, |key| x509(&[certificate(key, "idp.granvik.localhost")])),
    ),
    on_response("an unknown key with the genuine certificate", "KeyInfo is not trust", INVALID, |scene| {
        let genuine = genuine_certificate(scene);
        own_key(scene, |_| x509(std::slice::from_ref(&genuine)))
    }),
    on_response(
        "an unknown key, its certificate before the genuine one",
        "KeyInfo is not trust",
        INVALID,
        |scene| {
            let genuine = genuine_certificate(scene);
            own_key(scene, |key| x509(&[certificate(key, "idp.granvik.localhost"), genuine.clone()]))
        },
    ),
    on_response("an unknown key by its value", "XML Signature 4.5.2", INVALID, |scene| {
        own_key(scene, key_value)
    }),
    on_response("an unknown key by the genuine one's name", "XML Signature 4.5.1", INVALID, |scene| {
        let name = scene.federation.granvik.key().key_id().to_owned();
        own_key(scene, |_| key_info(&format!("<ds:KeyName>{name}</ds:KeyName>")))
    }),
    on_response("a key to be fetched", "XML Signature 4.5.3, SSRF", INVALID, |scene| {
        let method = "<ds:RetrievalMethod URI=\"http://127.0.0.1:9/key\" Type=\"http://www.w3.org/2000/09/xmldsig#X509Data\"></ds:RetrievalMethod>";
        own_key(scene, |_| key_info(method))
    }),
    on_response("the key of another registered provider", "key confusion, mix-up", INVALID, |scene| {
        Signing::by(scene.federation.fjorden.key()).on(&scene.text(), &scene.answer.response_id).into()
    }),
    on_assertion(
        "the assertion by the key of another registered provider",
        "key confusion, mix-up",
        INVALID,
        |scene| {
            Signing::by(scene.federation.fjorden.key()).on(&scene.text(), &scene.answer.assertion_id).into()
        },
    ),
    on_response("KeyInfo twice", "XML Signature 4.2, schema", INVALID, |scene| {
        let info = x509(&[genuine_certificate(scene)]).repeat(2);
        scene.bent(|signing| signing.after = info)
    }),
    harmless(
        "the genuine key with somebody else's certificate in KeyInfo",
        "KeyInfo is not looked at",
        |scene| {
            let other = certificate(scene.federation.fjorden.key(), "idp.fjorden.localhost");
            scene.bent(|signing| signing.after = x509(&[other]))
        },
    ),
];

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "a provider with a key of 1024 bits",
        source: "SC-DP 8",
        run: |bench| Box::pin(weak_key(bench)),
    },
    Scenario {
        name: "a provider without a signing key",
        source: "SAML Metadata 2.4.1.1",
        run: |bench| no_key(bench),
    },
];

fn no_key(bench: &Bench) -> Running<'_> {
    Box::pin(async move {
        let genuine = bench.federation.granvik.metadata();
        let start = genuine.find("<md:KeyDescriptor").expect("a key");
        let end = genuine.find("</md:KeyDescriptor>").expect("its end") + "</md:KeyDescriptor>".len();
        checked(bench, "keyless", &format!("{}{}", &genuine[..start], &genuine[end..]), &genuine);
    })
}

/// Such a key is never registered, so no message can be signed with it.
async fn weak_key(bench: &Bench) {
    let genuine = bench.federation.granvik.metadata();
    let start = genuine.find("<ds:X509Certificate>").expect("a certificate") + "<ds:X509Certificate>".len();
    let end = genuine.find("</ds:X509Certificate>").expect("its end");
    let weak = include_str!("../../metadata/src/saml/tests/rsa1024.b64");
    checked(bench, "weak", &format!("{}{weak}{}", &genuine[..start], &genuine[end..]), &genuine);
}

/// The one is not registered; the other, which says the same with the genuine key, renews what is there.
fn checked(bench: &Bench, name: &str, refused: &str, twin: &str) {
    let folder = bench.federation.folder.path();
    let config = bench.federation.nodes[0].config().to_str().expect("UTF-8");
    let organisation = bench.federation.granvik.organisation.as_str();
    for (file, text, passes) in
        [(format!("{name}.xml"), refused, false), (format!("{name}-twin.xml"), twin, true)]
    {
        std::fs::write(folder.join(&file), text).expect("a file");
        let words = ["metadata", "add", &file, "--organisation", organisation];
        let more = ["--subject-source", "subject_id", "--config", config];
        let output = program::attempt(folder, &[&words[..], &more[..]].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.success(), passes, "{file}: {said}");
    }
}
