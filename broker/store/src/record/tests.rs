use super::*;
use crate::conformance::{FAR, NOW, Numbered};

fn secret() -> NodeSecret {
    NodeSecret::new("n1", [7; 32]).unwrap()
}

fn moment(numbered: &Numbered) -> Moment<'_> {
    Moment { now: NOW, entropy: numbered }
}

fn place<'a>(handle: &'a Handle, cookie: &'a str) -> Place<'a> {
    Place { kind: RecordKind::Provider, handle, binding: Binding::Cookie(cookie) }
}

#[test]
fn a_handle_is_160_bits_with_one_spelling() {
    let numbered = Numbered::default();
    let handle = Handle::new(moment(&numbered));
    assert_eq!(handle.as_str().len(), 27);
    assert_eq!(Handle::parse(handle.as_str()), Some(handle.clone()));
    assert_ne!(handle, Handle::new(moment(&numbered)));
    assert_eq!(format!("{handle:?}"), "Handle(..)");
    // The last character carries two spare bits; only zeros are a handle.
    assert!(Handle::parse("AAAAAAAAAAAAAAAAAAAAAAAAAAA").is_some());
    for text in [
        "",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAB",
        "AAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAAAAA+A",
        "ååååååååååååå",
    ] {
        assert_eq!(Handle::parse(text), None, "{text}");
    }
}

#[test]
fn a_node_secret_has_a_short_name_and_shows_no_secret() {
    assert_eq!(format!("{:?}", secret()), "NodeSecret { name: \"n1\", .. }");
    for name in ["", "two words", "å", &"n".repeat(33)] {
        assert_eq!(NodeSecret::new(name, [0; 32]).err(), Some(NodeSecretError::Name), "{name}");
    }
}

#[test]
fn the_store_key_depends_on_secret_kind_handle_and_binding() {
    let numbered = Numbered::default();
    let (one, other) = (Handle::new(moment(&numbered)), Handle::new(moment(&numbered)));
    let key = |place: Place<'_>| place.store_key(&secret());
    let base = place(&one, "c");
    let keys = [
        key(base),
        key(place(&other, "c")),
        key(place(&one, "d")),
        key(Place { binding: Binding::RelyingParty("c"), ..base }),
        key(Place { kind: RecordKind::Code, ..base }),
        base.store_key(&NodeSecret::new("n1", [8; 32]).unwrap()),
    ];
    assert_eq!(key(base), key(place(&one, "c")));
    assert_eq!(keys.iter().collect::<std::collections::HashSet<_>>().len(), keys.len());
    assert!(keys.iter().all(|key| !key.0.contains(one.as_str())));
}

#[test]
fn parts_of_a_derivation_cannot_shift() {
    let secret = secret();
    assert_ne!(*secret.derive("l", &[b"ab", b"c"]), *secret.derive("l", &[b"a", b"bc"]));
    assert_ne!(*secret.derive("l", &[b"a"]), *secret.derive("la", &[]));
    assert_ne!(*secret.derive("store key", &[]), *secret.derive("sealing key", &[]));
}

#[test]
fn what_is_sealed_opens_at_its_place_until_its_expiry() {
    let numbered = Numbered::default();
    let handle = Handle::new(moment(&numbered));
    let place = place(&handle, "c");
    for length in [0, 1, 1019, 1020, 1021, 5000, MAX_PLAIN] {
        let plain = vec![b'x'; length];
        let sealed = seal(moment(&numbered), &secret(), &place, Part::Value, &plain, FAR).unwrap();
        assert_eq!(*open(NOW, &secret(), &place, Part::Value, &sealed).unwrap(), plain);
        assert_eq!(*open(FAR.plus(-1), &secret(), &place, Part::Value, &sealed).unwrap(), plain);
        assert_eq!(open(FAR, &secret(), &place, Part::Value, &sealed), Err(Unopened::Expired));
    }
    let too_large = vec![0; MAX_PLAIN + 1];
    assert_eq!(seal(moment(&numbered), &secret(), &place, Part::Value, &too_large, FAR), Err(TooLarge));
}

#[test]
fn length_is_hidden_within_a_step_of_1024() {
    let numbered = Numbered::default();
    let handle = Handle::new(moment(&numbered));
    let length = |plain: usize| {
        seal(moment(&numbered), &secret(), &place(&handle, "c"), Part::Value, &vec![0; plain], FAR)
            .unwrap()
            .len()
    };
    assert_eq!(length(0), length(1020));
    assert_eq!(length(1021), length(0) + 1024);
}

#[test]
fn no_octet_can_be_altered_removed_or_added() {
    let numbered = Numbered::default();
    let handle = Handle::new(moment(&numbered));
    let place = place(&handle, "c");
    let sealed = seal(moment(&numbered), &secret(), &place, Part::Value, b"genuine", FAR).unwrap();
    assert!(open(NOW, &secret(), &place, Part::Value, &sealed).is_ok());
    for index in 0..sealed.len() {
        let mut altered = sealed.clone();
        altered[index] ^= 1;
        assert_eq!(
            open(NOW, &secret(), &place, Part::Value, &altered),
            Err(Unopened::Corrupt),
            "octet {index}"
        );
        let cut = &sealed[..index];
        assert_eq!(open(NOW, &secret(), &place, Part::Value, cut), Err(Unopened::Corrupt), "cut at {index}");
    }
    let mut longer = sealed;
    longer.push(0);
    assert_eq!(open(NOW, &secret(), &place, Part::Value, &longer), Err(Unopened::Corrupt));
}

#[test]
fn what_is_sealed_for_one_place_opens_at_no_other() {
    let numbered = Numbered::default();
    let (handle, other) = (Handle::new(moment(&numbered)), Handle::new(moment(&numbered)));
    let here = place(&handle, "c");
    let sealed = seal(moment(&numbered), &secret(), &here, Part::Value, b"genuine", FAR).unwrap();
    let corrupt = |secret: &NodeSecret, place: Place<'_>, part| {
        assert_eq!(open(NOW, secret, &place, part, &sealed), Err(Unopened::Corrupt), "{place:?} {part:?}");
    };
    corrupt(&secret(), here, Part::Tombstone);
    corrupt(&secret(), place(&other, "c"), Part::Value);
    corrupt(&secret(), place(&handle, "d"), Part::Value);
    corrupt(&secret(), Place { binding: Binding::Key("c"), ..here }, Part::Value);
    corrupt(&secret(), Place { kind: RecordKind::Notice, ..here }, Part::Value);
    corrupt(&NodeSecret::new("n1", [8; 32]).unwrap(), here, Part::Value);
    corrupt(&NodeSecret::new("n2", [7; 32]).unwrap(), here, Part::Value);
}

#[test]
fn an_altered_expiry_does_not_open() {
    let numbered = Numbered::default();
    let handle = Handle::new(moment(&numbered));
    let place = place(&handle, "c");
    let mut sealed = seal(moment(&numbered), &secret(), &place, Part::Value, b"x", NOW.plus(60)).unwrap();
    // form, length, "n1", then the expiry.
    assert_eq!(sealed[4..12], NOW.plus(60).0.to_be_bytes());
    sealed[4..12].copy_from_slice(&NOW.plus(6000).0.to_be_bytes());
    assert_eq!(open(NOW, &secret(), &place, Part::Value, &sealed), Err(Unopened::Corrupt));
}

#[test]
fn a_mark_is_a_keyed_function_of_its_name() {
    let secret = secret();
    assert_eq!(secret.mark_key(MarkKind::Assertion, b"_a"), secret.mark_key(MarkKind::Assertion, b"_a"));
    assert_ne!(secret.mark_key(MarkKind::Assertion, b"_a"), secret.mark_key(MarkKind::Message, b"_a"));
    let other = NodeSecret::new("n1", [8; 32]).unwrap();
    assert_ne!(secret.mark_key(MarkKind::Assertion, b"_a"), other.mark_key(MarkKind::Assertion, b"_a"));
}
