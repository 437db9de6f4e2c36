//! What they sign within the profile verifies in ours, with the same octets.

use certs::{Signer as _, xml_signature::Profile};

use crate::{documents::template, judges::parties};

/// How they write it: the prefix of the signature, and the prefix list.
const STYLES: [(&str, Option<&str>); 5] = [
    ("ds", None),
    ("", None),
    ("dsig", Some("xs")),
    ("ds", Some("xs #default unused nowhere")),
    ("p0", Some("")),
];

#[test]
fn what_samael_signs() {
    for party in parties() {
        for (prefix, list) in STYLES {
            let source = party.sign_with_samael(&template(&party.key, prefix, list));
            let hashed = party.samael(&source).expect("samael accepts its own");
            let ours = party.ours(&source, Profile::Message);
            assert_eq!(ours.as_ref(), Ok(&hashed), "{prefix} {list:?} {:?}\n{source}", party.key.algorithm());
            assert!(ours.is_ok_and(|read| read.contains("https://idp.exämple.se/path")), "read whole");
        }
    }
}

#[test]
fn what_bergshamra_signs() {
    for party in parties() {
        for (prefix, list) in STYLES {
            let source = party.sign_with_bergshamra(&template(&party.key, prefix, list));
            party.bergshamra(&source).expect("bergshamra accepts its own");
            let ours = party.ours(&source, Profile::Message);
            assert!(ours.is_ok(), "{prefix} {list:?} {:?}: {ours:?}\n{source}", party.key.algorithm());
        }
    }
}
