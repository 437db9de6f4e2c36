//! An OpenID Connect authentication request, by GET or POST (`broker_oidc::op`).
//!
//! `g`: the query. `p`: the form. `c`: the value of the `claims` parameter in a request that is right in everything else.

use broker_core::role::{Downstream as _, Inbound, Outbound, Outcome, ReturnTo, Upstream as _};

use crate::{
    meant,
    scene::{ISSUER, SCENE, good_query, moment},
};

/// What must hold of any input.
pub fn body(octets: &[u8]) {
    let Some((letter, rest)) = meant(octets, b"gpc") else { return };
    let message = match letter {
        b'g' => match std::str::from_utf8(rest) {
            Ok(query) => Inbound { query: Some(query.to_owned()), ..Inbound::default() },
            Err(_) => return,
        },
        b'p' => Inbound { form: Some(rest.to_vec()), ..Inbound::default() },
        _ => {
            let claims: String = form_urlencoded::byte_serialize(rest).collect();
            Inbound { query: Some(format!("{}&claims={claims}", good_query())), ..Inbound::default() }
        }
    };
    let op = SCENE.op();
    match op.receive(&message, moment()) {
        Ok((request, return_to)) => {
            registered(&return_to);
            assert!(request.relying_party == *return_to.relying_party(), "the answer goes to whoever asked");
            // Whoever may be asked, the request for it can be made.
            let again = op.receive(&message, moment()).expect("one message read twice says the same");
            assert_eq!(again.1, return_to, "one message read twice is answered at one place");
            let _ = SCENE.sp().begin(&request, &crate::scene::IDP.into(), "handle", moment());
        }
        Err(refusal) => {
            let Some(return_to) = &refusal.return_to else { return };
            registered(return_to);
            let outcome = Outcome::Failed(&refusal.failure);
            let answer = op.answer(return_to, outcome, None, moment()).expect("an error can be sent");
            let pairs = pairs(&answer, return_to.address());
            let one = |name: &str| {
                let mut found = pairs.iter().filter(|(found, _)| found == name).map(|(_, value)| value);
                let value = found.next().unwrap_or_else(|| panic!("{name} is missing"));
                assert!(found.next().is_none(), "{name} stands twice");
                value
            };
            assert_eq!(one("iss"), ISSUER, "RFC 9207: errors too");
            assert!(!one("error").is_empty(), "RFC 6749 4.1.2.1: an error has a name");
            let allowed = |octet| matches!(octet, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            assert!(one("error_description").bytes().all(allowed), "RFC 6749 4.1.2.1: plain characters");
        }
    }
}

fn registered(return_to: &ReturnTo) {
    let client = SCENE.registry.oidc_client(return_to.relying_party()).expect("registered");
    assert!(
        client.redirect_uris.iter().any(|address| address == return_to.address()),
        "somebody would be sent to an address that is not registered"
    );
}

/// The parameters that are sent along; the address keeps its own.
fn pairs(answer: &Outbound, address: &str) -> Vec<(String, String)> {
    match answer {
        Outbound::Redirect { url } => {
            let added = url.strip_prefix(address).expect("the answer goes to the address");
            assert!(added.starts_with(['?', '&']), "parameters begin after the address");
            form_urlencoded::parse(&added.as_bytes()[1..]).into_owned().collect()
        }
        Outbound::Post { action, fields } => {
            assert_eq!(action, address, "the answer goes to the address");
            fields.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_get_to_the_end() {
        let accepted = crate::seeds::of("authorization_request")
            .iter()
            .filter(|seed| {
                let query = String::from_utf8_lossy(&seed[1..]).into_owned();
                let message = Inbound { query: Some(query), ..Inbound::default() };
                SCENE.op().receive(&message, moment()).is_ok()
            })
            .count();
        assert!(accepted >= 4, "{accepted} seeds are accepted");
    }
}
