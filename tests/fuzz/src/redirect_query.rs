//! A query with a deflated, signed AuthnRequest (`certs::query_signature`, `broker_saml::binding::redirect`, `broker_saml::idp`).
//!
//! `q`: the query as it came. `x`: XML that the broker's own key signs on its way, once as a query and once as a form. `i`: Base64 to
//! be inflated.

use std::{collections::HashSet, sync::LazyLock};

use broker_core::role::Inbound;
use broker_saml::{
    binding::{LARGEST_MESSAGE, redirect},
    idp::authn_request::{AuthnRequest, ReceivedAuthnRequest},
};
use certs::{
    AlgorithmPolicy, Signer as _,
    query_signature::{MessageParameter, RedirectQuery},
};

use crate::{
    meant,
    scene::{IDP, SCENE},
    seeds,
    sign::{Signed, signed},
};

/// The queries that were signed for the corpus: message and relay state.
static SIGNED: LazyLock<HashSet<(String, Option<String>)>> = LazyLock::new(|| {
    let of = |query: String| {
        let read = RedirectQuery::read(&query).expect("a seed reads");
        let relay_state = read.unverified_relay_state().map(std::borrow::Cow::into_owned);
        (inflated(&read.unverified_message()), relay_state)
    };
    seeds::queries().into_iter().map(of).collect()
});

/// What must hold of any input.
pub fn body(octets: &[u8]) {
    match meant(octets, b"qxi") {
        Some((b'q', rest)) => {
            if let Ok(query) = std::str::from_utf8(rest) {
                as_it_came(query);
            }
        }
        Some((b'x', rest)) => signed_now(rest),
        Some((_, rest)) => {
            if let Ok(text) = std::str::from_utf8(rest)
                && let Ok(xml) = redirect::inflate(text)
            {
                assert!(xml.len() <= LARGEST_MESSAGE, "more than the bound was inflated");
                let again = redirect::deflate(&xml).expect("it deflates");
                assert!(redirect::inflate(&again).is_ok_and(|again| again == xml), "it inflates to itself");
            }
        }
        None => {}
    }
}

fn keys() -> [certs::PublicKey; 1] {
    [SCENE.own_key().public_key().clone()]
}

fn inflated(message: &str) -> String {
    let xml = redirect::inflate(message).expect("what was signed for the corpus inflates");
    String::from_utf8(xml).expect("what was signed for the corpus is text")
}

fn verified(request: &ReceivedAuthnRequest) -> Option<AuthnRequest> {
    request.verified(&keys(), &AlgorithmPolicy::default()).ok().map(certs_proof::Verified::into_value)
}

fn as_it_came(query: &str) {
    if let Ok(read) = RedirectQuery::read(query)
        && let Ok(signed) = read.verify(&keys(), &AlgorithmPolicy::default())
    {
        let signed = signed.into_value();
        let relay_state = signed.relay_state().map(str::to_owned);
        assert!(
            SIGNED.contains(&(inflated(signed.message()), relay_state)),
            "a query verifies that nobody signed"
        );
        assert_eq!(signed.parameter(), MessageParameter::Request, "a query is taken for another message");
    }
    let message = Inbound { query: Some(query.to_owned()), ..Inbound::default() };
    if let Ok(request) = ReceivedAuthnRequest::read(&message)
        && let Some(proven) = verified(&request)
    {
        assert!(request.is_signed(), "what verifies is signed");
        assert_eq!(&proven, request.unverified(), "what was signed is not what was read");
    }
}

fn signed_now(xml: &[u8]) {
    let url = redirect::encode(IDP, MessageParameter::Request, xml, Some("r&=%+ "), SCENE.own_key());
    let url = url.expect("anything can be signed");
    let query = url.split_once('?').expect("a query").1;
    let message = Inbound { query: Some(query.to_owned()), ..Inbound::default() };
    let by_query = ReceivedAuthnRequest::read(&message);
    if let Ok(request) = &by_query {
        let proven = verified(request).expect("what we signed verifies");
        assert_eq!(&proven, request.unverified(), "what was signed is not what was read");
        assert_eq!(request.relay_state(), Some("r&=%+ "), "the relay state comes back");
    }
    if let Some(posted) = signed(xml, Signed::Root, SCENE.own_key()) {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("SAMLRequest", &STANDARD.encode(posted))
            .finish();
        let message = Inbound { form: Some(form.into_bytes()), ..Inbound::default() };
        if let (Ok(by_query), Ok(by_form)) = (&by_query, ReceivedAuthnRequest::read(&message)) {
            assert_eq!(by_query.unverified(), by_form.unverified(), "one request reads differently by form");
            if let Some(proven) = verified(&by_form) {
                assert_eq!(&proven, by_form.unverified(), "what was signed is not what was read");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_get_to_the_end() {
        let queries = seeds::queries();
        assert!(queries.len() >= 2, "requests that go by Redirect");
        for query in queries {
            let message = Inbound { query: Some(query), ..Inbound::default() };
            let request = ReceivedAuthnRequest::read(&message).expect("our own request reads");
            assert!(verified(&request).is_some(), "our own request verifies");
        }
    }
}
