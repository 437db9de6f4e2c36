//! Metadata that is verified while it is read: broken as in `mutated.rs`, we never accept what both others refuse, nor hash what nobody signed.

use std::{collections::BTreeMap, convert::Infallible};

use certs::{
    AlgorithmPolicy, Signer as _,
    xml_signature::{
        Profile,
        streaming::{self, Group, NotVerified, Part},
    },
};
use certs_xml::{Limits, namespace::MD, stream::StreamLimits};

use crate::{
    changes::CHANGES,
    judges::Party,
    mutated::{STRICTER, broken, from_environment},
    tree::{Numbers, Tree},
};

/// How many broken documents are judged.
const MUTANTS: u64 = 4_000;

/// The digest that was signed, and the children; or the rule that refused.
fn streamed(party: &Party, source: &str) -> Result<(Vec<u8>, Vec<Vec<u8>>), &'static str> {
    let keys = [party.key.public_key().clone()];
    let limits = StreamLimits { octets: 1 << 18, piece: 1 << 18, within: Limits::message() };
    let group = Group { namespace: MD, local_name: "EntitiesDescriptor" };
    let mut children = Vec::new();
    let policy = AlgorithmPolicy::default();
    let proof = streaming::verify(source.as_bytes(), &keys, &policy, limits, group, |part| {
        children.push(part.map(|part| match part {
            Part::Child(child) => Some(child.octets),
            Part::Begin { .. } | Part::End => None,
        }));
        Ok::<_, Infallible>(())
    })
    .map_err(|refused| match refused {
        NotVerified::Input(_) => "input",
        NotVerified::Xml(fault) => fault.rule(),
        NotVerified::Signature(refused) => refused.rule(),
        NotVerified::Stopped(never) => match never {},
    })?;
    let children = children
        .into_iter()
        .filter_map(|child| proof.prove(child).expect("of this run").into_value())
        .collect();
    Ok((proof.digest().to_vec(), children))
}

/// Lists and groups for others to sign, with what canonical forms get wrong: `which` says how they vary.
fn template(party: &Party, which: usize) -> String {
    let method = party.key.algorithm().xml_uri().expect("an algorithm for XML");
    let pick = |of: &[&'static str], weight: usize| of[which / weight % of.len()];
    let declared = pick(
        &[
            "",
            " xmlns:xs='http://www.w3.org/2001/XMLSchema'",
            " xmlns='urn:d' xml:lang='sv'",
            " xmlns:a='urn:a' a:z='&#10;'",
        ],
        1,
    );
    let within = pick(&["", " xmlns:a=\"urn:b\"", " xmlns='urn:oasis:names:tc:SAML:2.0:metadata'"], 4);
    let text = pick(&["\r\n", " å &amp; &#13;", "<!-- > -->", "<![CDATA[<x>]]>", "\u{1F642}"], 12);
    let list = pick(&["", "xs #default", "a"], 60);
    let list = match list {
        "" => String::new(),
        list => format!(
            "<ec:InclusiveNamespaces xmlns:ec='http://www.w3.org/2001/10/xml-exc-c14n#' PrefixList='{list}'/>"
        ),
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- before -->\n<md:EntitiesDescriptor \
         xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" ID='_t1'{declared}>{text}<ds:Signature \
         xmlns:ds='http://www.w3.org/2000/09/xmldsig#'><ds:SignedInfo><ds:CanonicalizationMethod \
         Algorithm='http://www.w3.org/2001/10/xml-exc-c14n#'/><ds:SignatureMethod Algorithm=\"{method}\"/>\
         <ds:Reference URI=\"#_t1\"><ds:Transforms><ds:Transform \
         Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/><ds:Transform \
         Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">{list}</ds:Transform></ds:Transforms><ds:DigestMethod \
         Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/><ds:DigestValue></ds:DigestValue></ds:Reference>\
         </ds:SignedInfo>\n<ds:SignatureValue></ds:SignatureValue></ds:Signature>\n<md:EntityDescriptor \
         entityID=\"https://a.example/å\"{within}><md:x b='2' a='\"'>{text}</md:x><y{within}/></md:EntityDescriptor>{text}\
         <md:EntitiesDescriptor Name='g'{within}><md:EntityDescriptor entityID='https://b.example'{declared}>{text}\
         </md:EntityDescriptor>\n</md:EntitiesDescriptor></md:EntitiesDescriptor>\n<!-- after -->"
    )
}

/// Documents that both others signed and agree about.
fn signed(party: &Party) -> Vec<String> {
    let templates = (0..180).map(|which| (which, template(party, which)));
    templates
        .map(|(which, template)| {
            if which % 2 == 0 {
                party.sign_with_samael(&template)
            } else {
                party.sign_with_bergshamra(&template)
            }
        })
        .collect()
}

#[test]
fn what_others_sign_verifies_while_it_is_read_and_hashes_the_same() {
    let party = Party::new(fuzz::scene::provider_key());
    for source in signed(&party) {
        let (digest, children) = streamed(&party, &source).unwrap_or_else(|rule| panic!("{rule}: {source}"));
        let whole = party.ours(&source, Profile::Metadata).expect("whole it verifies, too");
        assert_eq!(digest, certs::DigestAlgorithm::Sha256.digest(whole.as_bytes()), "{source}");
        assert_eq!(children.len(), 2, "{source}");
        let hashed =
            party.samael(&source).unwrap_or_else(|error| panic!("samael refuses: {error}\n{source}"));
        assert_eq!(hashed, whole, "samael hashed other octets");
        party.bergshamra(&source).unwrap_or_else(|error| panic!("bergshamra refuses: {error}\n{source}"));
    }
}

#[test]
fn nothing_is_accepted_while_it_is_read_that_both_others_refuse() {
    let party = Party::new(fuzz::scene::provider_key());
    let documents: Vec<String> = signed(&party).into_iter().step_by(9).collect();
    let trees: Vec<Tree> = documents.iter().map(|source| Tree::read(source)).collect();
    let genuine: Vec<_> = documents
        .iter()
        .map(|source| streamed(&party, source).expect("a whole document is accepted"))
        .collect();
    let (mut accepted, mut stricter) = (0_u64, BTreeMap::<_, u64>::new());
    for number in 0..from_environment("SECOND_OPINION_MUTANTS", MUTANTS) {
        let mut numbers = Numbers::of(number);
        let at = numbers.below(documents.len());
        let source = if numbers.below(4) == 0 {
            broken(&documents[at], &mut numbers)
        } else {
            let mut tree = trees[at].clone();
            for _ in 0..=numbers.below(3) {
                let (_, change) = *numbers.of_these(&CHANGES);
                change(&mut tree, &mut numbers, &trees);
            }
            tree.write()
        };
        let whole = party.ours(&source, Profile::Metadata);
        match streamed(&party, &source) {
            Ok(read) => {
                assert!(genuine.contains(&read), "{number}: read what nobody signed:\n{source}");
                accepted += 1;
                let refused = [party.bergshamra(&source).err(), party.samael(&source).err()];
                assert!(
                    refused.iter().any(Option::is_none),
                    "{number}: both others refuse: {refused:?}\n{source}"
                );
                assert!(
                    whole.is_ok() || whole.as_ref().err().is_some_and(|rule| rule == "xml.id_twice"),
                    "{number}: {whole:?}\n{source}"
                );
            }
            Err(rule) => {
                if party.bergshamra(&source).is_ok() && party.samael(&source).is_ok() {
                    let known = STRICTER.iter().any(|(known, _)| *known == rule);
                    assert!(
                        known || whole.is_err(),
                        "{number}: both others accept, we do not: {rule}\n{source}"
                    );
                    *stricter.entry(rule).or_default() += 1;
                }
            }
        }
    }
    eprintln!("{accepted} accepted; both others accept, we refuse: {stricter:?}");
    assert!(accepted > 100, "enough of the changes leave what is signed alone: {accepted}");
}
