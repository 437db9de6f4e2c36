//! Where the fuzzers begin: whole inputs of every kind, signed by the scene's own keys. What the engine finds from there is kept in
//! `corpus/`; these are made anew in every run, since signatures are.

use broker_core::role::{Downstream as _, Inbound, Outbound, Upstream as _};
use certs::jws;
use serde_json::{Value, json};

use crate::{
    client_assertion::with_assertion,
    message, scene,
    scene::{HANDLE, IDP, ISSUER, KEYED, NOW, SCENE, SECRET, SECRETIVE, moment},
    sign::{Signed, signed},
};

/// The answer of the identity provider before it is signed.
const RESPONSE: &str = include_str!("scene/response.xml");

/// An answer that fails a login (SAML Core 3.2.2.2).
const FAILED: &str = "<p:Response xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"_r\" Version=\"2.0\" \
     IssueInstant=\"2026-11-22T00:00:00Z\" InResponseTo=\"_Zm9vYmFyYmF6cXV4MDEyMw\">\
     <Issuer xmlns=\"urn:oasis:names:tc:SAML:2.0:assertion\">https://idp.granvik.example/saml</Issuer><p:Status>\
     <p:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Responder\">\
     <p:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:AuthnFailed\"/></p:StatusCode></p:Status></p:Response>";

/// The seeds of a target; empty for a name that is none.
#[must_use]
pub fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "message" => messages(),
        "metadata" => metadata(),
        "aggregate" => aggregates(),
        "redirect_query" => redirects(),
        "client_metadata" => clients(),
        "client_assertion" => token_requests(),
        "authorization_request" => authorization_requests(),
        _ => Vec::new(),
    }
}

/// The answer of the identity provider, signed each way.
#[must_use]
pub fn responses() -> Vec<String> {
    signed_each_way(RESPONSE)
}

/// The answer to the same request about somebody else, signed each way.
#[must_use]
pub fn other_responses() -> Vec<String> {
    let mut other = RESPONSE.to_owned();
    for (from, to) in [
        ("_response1", "_response2"),
        ("_assertion1", "_assertion2"),
        (">p1<", ">p2<"),
        ("Anna &amp; Åsa Ålm", "Bo Björk"),
        ("aa01@", "bb02@"),
        ("191212121212", "197010631230"),
    ] {
        other = other.replace(from, to);
    }
    signed_each_way(&other)
}

fn signed_each_way(response: &str) -> Vec<String> {
    [Signed::Root, Signed::Assertion, Signed::Both]
        .into_iter()
        .map(|how| {
            signed(response.as_bytes(), how, &SCENE.provider_key).expect("it reads and has an assertion")
        })
        .collect()
}

/// The queries of requests that we send ourselves.
#[must_use]
pub fn queries() -> Vec<String> {
    let mut queries = Vec::new();
    for more in ["", "&prompt=login", "&acr_values=http%3A%2F%2Fid.elegnamnden.se%2Floa%2F1.0%2Floa3"] {
        let message = Inbound { query: Some(scene::good_query() + more), ..Inbound::default() };
        let (request, _) = SCENE.op().receive(&message, moment()).expect("a good request");
        let begun = SCENE.sp().begin(&request, &IDP.into(), HANDLE, moment()).expect("it can be sent");
        let Outbound::Redirect { url } = begun.outbound else { continue };
        queries.push(url.split_once('?').expect("a query").1.to_owned());
    }
    queries
}

/// Assertions of the relying party that has a key.
#[must_use]
pub fn assertions() -> Vec<String> {
    claims()
        .iter()
        .map(|claims| {
            let payload = claims.to_string();
            jws::sign_compact(&SCENE.client_key, Some("JWT"), payload.as_bytes()).expect("it signs")
        })
        .collect()
}

fn claims() -> [Value; 3] {
    let common = |more: Value| {
        let mut claims =
            json!({ "iss": KEYED, "sub": KEYED, "aud": ISSUER, "jti": "one-1", "exp": NOW.0 + 60 });
        for (name, value) in more.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        claims
    };
    [
        common(json!({})),
        common(json!({ "aud": [ISSUER], "iat": NOW.0, "nbf": NOW.0 - 1, "exp": NOW.0 as f64 + 60.5 })),
        common(json!({ "aud": [ISSUER, "https://other.example"] })),
    ]
}

fn lettered(letter: u8, text: impl AsRef<[u8]>) -> Vec<u8> {
    [&[letter], text.as_ref()].concat()
}

fn messages() -> Vec<Vec<u8>> {
    let mut seeds = vec![lettered(b'R', FAILED), lettered(b'x', FAILED)];
    seeds.extend([b'R', b'A', b'B', b'E', b'G', b'C'].map(|letter| lettered(letter, RESPONSE)));
    for xml in responses() {
        seeds.push(lettered(b'x', &xml));
        seeds.push(lettered(b'f', message::form(xml.as_bytes())));
    }
    seeds
}

fn metadata() -> Vec<Vec<u8>> {
    let one = scene::provider_document();
    let bare = one.split_once("?>").map_or(one.as_str(), |(_, rest)| rest).to_owned();
    let several = format!(
        "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">{bare}{}</md:EntitiesDescriptor>",
        bare.replace("idp.granvik", "idp2.granvik").replace("Granviks kommun", "Granvik 2"),
    );
    let signed_one = bare.replacen(" entityID=", " ID=\"_e\" entityID=", 1);
    let signed_one = signed(signed_one.as_bytes(), Signed::Root, &SCENE.provider_key).expect("it signs");
    [one, several, signed_one].map(String::into_bytes).into()
}

/// Lists and groups of providers with all that canonical form knows, to be signed each way, and one that is.
fn aggregates() -> Vec<Vec<u8>> {
    let one = scene::provider_document();
    let one = one.split_once("?>").map_or(one.as_str(), |(_, rest)| rest);
    let two = one.replace("idp.granvik", "idp2.granvik");
    let many = format!(
        "<?xml version='1.0' encoding='UTF-8'?>\r\n<!-- a --><md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" \
         xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" xmlns:a='urn:a' a:z='&gt;\"' xml:lang='sv' ID=\"_all\" \
         validUntil=\"2030-01-01T00:00:00Z\"> <md:Extensions><b xmlns='urn:b' a:c='1'/></md:Extensions>\n{one}\
         <md:EntitiesDescriptor Name='g' xmlns=\"urn:d\">\r\n<!-- å -->{two}<![CDATA[<x>]]>&#13;<q xmlns=''/></md:EntitiesDescriptor>\n\
         <EntitiesDescriptor xmlns='urn:other'><y/></EntitiesDescriptor></md:EntitiesDescriptor>\n<!-- z -->"
    );
    let mut seeds: Vec<_> = [b'x', b'p', b'i'].map(|letter| lettered(letter, &many)).into();
    let small = "<EntitiesDescriptor xmlns='urn:oasis:names:tc:SAML:2.0:metadata'><EntityDescriptor entityID='e'/></EntitiesDescriptor>";
    for written in [&many, small] {
        seeds.extend(crate::aggregate::signed(written.as_bytes(), b'x').map(|signed| lettered(b'a', signed)));
        seeds.push(lettered(b'x', written));
    }
    seeds
}

fn redirects() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for query in queries() {
        let read = certs::query_signature::RedirectQuery::read(&query).expect("our own query");
        let message = read.unverified_message().into_owned();
        let xml = broker_saml::binding::redirect::inflate(&message).expect("our own message");
        seeds.push(lettered(b'q', &query));
        seeds.push(lettered(b'x', xml));
        seeds.push(lettered(b'i', message));
    }
    seeds
}

fn clients() -> Vec<Vec<u8>> {
    let remote = json!({
        "client_id": "https://nytt.granvik.example",
        "client_name": "Nytt",
        "redirect_uris": ["https://nytt.granvik.example/callback", "http://127.0.0.1/x"],
        "token_endpoint_auth_method": "client_secret_post",
        "id_token_signed_response_alg": "ES256",
        "userinfo_signed_response_alg": "RS256",
        "subject_type": "pairwise",
        "sector_identifier_uri": "https://granvik.example/sector.json",
        "initiate_login_uri": "https://nytt.granvik.example/login",
        "require_auth_time": true,
        "jwks": { "keys": [{ "kty": "RSA", "n": "AQAB", "e": "AQAB" }] },
    });
    vec![
        scene::client_document(KEYED).into_bytes(),
        scene::client_document(SECRETIVE).into_bytes(),
        remote.to_string().into_bytes(),
    ]
}

fn token_requests() -> Vec<Vec<u8>> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let mut seeds = Vec::new();
    for (token, claims) in assertions().iter().zip(claims()) {
        seeds.push(lettered(b't', token));
        seeds.push(lettered(b'p', claims.to_string()));
        seeds.push(lettered(b'j', format!("{{\"alg\":\"ES256\",\"typ\":\"JWT\"}}\n{claims}")));
    }
    let form = with_assertion(&assertions()[0]).form.unwrap_or_default();
    seeds.push(lettered(b'f', form));
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let basic = STANDARD.encode(format!("{}:{}", encoded(SECRETIVE), encoded(SECRET)));
    seeds.push(lettered(b'h', format!("Basic {basic}\ngrant_type=authorization_code&code=x&redirect_uri=y")));
    seeds
}

fn authorization_requests() -> Vec<Vec<u8>> {
    let good = scene::good_query();
    let rich = "&response_mode=form_post&prompt=login%20consent&max_age=60&ui_locales=sv%20en&login_hint=a\
         &acr_values=http%3A%2F%2Fid.elegnamnden.se%2Floa%2F1.0%2Floa3\
         &https%3A%2F%2Fid.oidc.se%2Fparam%2FauthnProvider=https%3A%2F%2Fidp.granvik.example%2Fsaml";
    let claims = json!({
        "id_token": {
            "acr": { "essential": true, "values": [scene::LOA3] },
            "auth_time": { "essential": true },
            "https://id.oidc.se/claim/orgAffiliation": null,
        },
        "userinfo": { "given_name": { "essential": true }, "name": { "value": "Anna" } },
    });
    vec![
        lettered(b'g', &good),
        lettered(b'p', &good),
        lettered(b'g', format!("{good}{rich}")),
        lettered(b'p', format!("{good}{rich}")),
        lettered(b'g', good.replace("response_type=code", "response_type=token&response_mode=form_post")),
        lettered(b'c', claims.to_string()),
    ]
}
