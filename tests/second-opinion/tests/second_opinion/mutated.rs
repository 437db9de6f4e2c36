//! Over a seeded corpus of broken documents: we never accept what both others refuse, and never read what nobody signed.
//!
//! A document is broken by one to four changes of `changes.rs`, or in its text. `SECOND_OPINION_MUTANTS=1000000` asks for more of them,
//! `SECOND_OPINION_FIRST=20000` for later ones; each is made from its number, so a finding can be looked at alone.

use std::collections::{BTreeMap, HashSet};

use certs::xml_signature::{Profile, sign_enveloped};

use crate::{
    changes::CHANGES,
    documents::{assertion, metadata, request, response, template},
    judges::Party,
    tree::{Numbers, Tree},
};

/// How many broken documents are judged.
const MUTANTS: u64 = 20_000;

/// Why we refuse what both others accept: they verify signatures, we hold a profile of them.
pub(crate) const STRICTER: [(&str, &str); 13] = [
    ("signature.missing", "the signature is not of the element that a login reads"),
    ("signature.place", "the schemas have it after the Issuer or before everything"),
    ("signature.count", "SAML 2.0 core, section 5.4.1: at most one"),
    ("signature.reference_uri", "SAML 2.0 core, section 5.4.2: it refers to the element that carries it"),
    ("signature.id", "SAML 2.0 core, section 5.4.2: it refers by ID"),
    ("signature.transforms", "SAML 2.0 core, section 5.4.4: those two"),
    ("signature.canonicalization", "exclusive canonical form without comments"),
    ("signature.object", "there is no use for an Object"),
    ("signature.content", "the profile names what stands in a signature"),
    ("signature.comment", "no comments where values are read"),
    ("xml.processing_instruction", "no peer sends one"),
    ("xml.namespace", "Namespaces in XML 1.0, section 3: a prefix cannot be undeclared, xml is reserved"),
    ("xml.id_twice", "two elements with one identifier, under any of its names"),
];

/// Pieces that attacks and accidents are made of.
const PIECES: [&str; 24] = [
    "<!-- x -->",
    " ",
    "\r\n",
    "&#13;",
    "&amp;",
    "<![CDATA[x]]>",
    "<x/>",
    "xmlns:ds=\"urn:x\"",
    "xmlns=\"\"",
    "ID=\"_t1\"",
    "Id=\"x\"",
    "<ds:Object>",
    "</ds:Object>",
    "URI=\"\"",
    "<?x y?>",
    "<!DOCTYPE x>",
    "&#x41;",
    "xml:lang=\"en\"",
    "\u{FEFF}",
    "</Issuer>",
    "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>",
    "=",
    "\"",
    "A",
];

/// Where the markup of `source` can be cut.
fn cut(source: &str, numbers: &mut Numbers) -> usize {
    let edges: Vec<usize> = source.match_indices(['<', '>', '"', ' ']).map(|(at, _)| at).collect();
    let mut at = match (numbers.below(3), edges.len()) {
        (0, _) | (_, 0) => numbers.below(source.len()),
        (1, count) => edges[numbers.below(count)],
        (_, count) => edges[numbers.below(count)] + 1,
    };
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    at
}

pub(crate) fn broken(source: &str, numbers: &mut Numbers) -> String {
    let mut source = source.to_owned();
    for _ in 0..=numbers.below(2) {
        let (a, b) = (cut(&source, numbers), cut(&source, numbers));
        let (start, end) = (a.min(b), a.max(b));
        match numbers.below(6) {
            // A piece put in.
            0 | 1 => source.insert_str(start, PIECES[numbers.below(PIECES.len())]),
            // A part taken out.
            2 => {
                let mut end = end.min(start + 40);
                while !source.is_char_boundary(end) {
                    end -= 1;
                }
                source.replace_range(start..end, "");
            }
            // A part moved or doubled elsewhere: what wrapping attacks do.
            3 => {
                let part = source[start..end].to_owned();
                let to = cut(&source, numbers);
                source.insert_str(to, &part);
            }
            4 => {
                let part: String = source.drain(start..end).collect();
                let to = cut(&source, numbers);
                source.insert_str(to, &part);
            }
            // One character replaced.
            _ => {
                if let Some(character) = source[start..].chars().next() {
                    let other = ["a", "B", "0", "å", "/", ">"][numbers.below(6)];
                    source.replace_range(start..start + character.len_utf8(), other);
                }
            }
        }
    }
    source
}

/// A document that is accepted, and what it is.
struct Whole {
    source: String,
    tree: Tree,
    profile: Profile,
    /// The broker's own reader takes a person out of it.
    is_answer: bool,
}

fn whole(party: &Party) -> Vec<Whole> {
    let sign = |tree| {
        let signed = sign_enveloped(tree, &party.key).expect("it signs");
        String::from_utf8(signed.to_canonical().expect("it can be written")).expect("UTF-8")
    };
    let inner = sign_enveloped(assertion("_assertion"), &party.key).expect("it signs");
    let answers = fuzz::seeds::responses().into_iter().chain(fuzz::seeds::other_responses());
    let others = [
        (sign(request()), Profile::Message),
        (sign(response(inner)), Profile::Message),
        (sign(metadata()), Profile::Metadata),
        (party.sign_with_samael(&template(&party.key, "ds", Some("xs"))), Profile::Message),
        (party.sign_with_bergshamra(&template(&party.key, "ds", None)), Profile::Message),
    ];
    answers
        .map(|source| (source, Profile::Message, true))
        .chain(others.into_iter().map(|(source, profile)| (source, profile, false)))
        .map(|(source, profile, is_answer)| Whole { tree: Tree::read(&source), source, profile, is_answer })
        .collect()
}

/// Document `number` of those that are made of `documents`: which one it is made of, by what, and how it reads.
fn mutant<'w>(number: u64, documents: &'w [Whole], trees: &[Tree]) -> (&'w Whole, Vec<&'static str>, String) {
    let mut numbers = Numbers::of(number);
    let whole = numbers.of_these(documents);
    if numbers.below(8) == 0 {
        return (whole, vec!["its text broken"], broken(&whole.source, &mut numbers));
    }
    let mut tree = whole.tree.clone();
    let mut names = Vec::new();
    for _ in 0..=numbers.below(4) {
        let (name, change) = *numbers.of_these(&CHANGES);
        change(&mut tree, &mut numbers, trees);
        names.push(name);
    }
    (whole, names, tree.write())
}

pub(crate) fn from_environment(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().map_or(usual, |text| text.parse().expect("a number"))
}

/// What came of the documents that one change had a part in.
#[derive(Default)]
struct Count {
    made: u64,
    accepted: u64,
}

#[test]
fn nothing_is_accepted_that_both_others_refuse_and_nothing_read_that_nobody_signed() {
    // The identity provider of the scene, so that the broker's own reader can be asked as well; a fast key.
    let party = Party::new(fuzz::scene::provider_key());
    let documents = whole(&party);
    let trees: Vec<Tree> = documents.iter().map(|whole| whole.tree.clone()).collect();
    // What the key really signed: each document, and each assertion that is signed within one.
    let mut signed: HashSet<String> = HashSet::new();
    let mut people = Vec::new();
    for whole in &documents {
        assert_eq!(whole.tree.write(), whole.source, "what is not changed is written as it was");
        signed.insert(
            party.ours_or_the_assertion(&whole.source, whole.profile).expect("a whole document is accepted"),
        );
        if whole.is_answer {
            people
                .push(fuzz::message::accepted(whole.source.as_bytes()).expect("a whole answer is accepted"));
        }
    }
    let inner =
        String::from_utf8(assertion("_assertion").to_canonical().expect("it can be written")).expect("UTF-8");
    signed.insert(inner);

    let first = from_environment("SECOND_OPINION_FIRST", 0);
    let count = from_environment("SECOND_OPINION_MUTANTS", MUTANTS);
    let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
    let mut stricter: BTreeMap<String, u64> = BTreeMap::new();
    let (mut alone, mut unexplained) = (Vec::new(), BTreeMap::new());
    let (mut accepted, mut changed, mut signed_in) = (0_u64, 0_u64, 0_u64);
    for number in first..first + count {
        let (whole, names, source) = mutant(number, &documents, &trees);
        let ours = party.ours_or_the_assertion(&source, whole.profile);
        for name in &names {
            let count = counts.entry(name).or_default();
            count.made += 1;
            count.accepted += u64::from(ours.is_ok() && source != whole.source);
        }
        if whole.is_answer
            && let Ok(person) = fuzz::message::accepted(source.as_bytes())
        {
            signed_in += 1;
            assert!(ours.is_ok(), "{number} ({names:?}): the broker reads what is not verified:\n{source}");
            assert!(people.contains(&person), "{number} ({names:?}): nobody signed this person:\n{source}");
        }
        match ours {
            Ok(read) => {
                assert!(
                    signed.contains(&read),
                    "{number} ({names:?}): read what nobody signed:\n{read}\nfrom\n{source}"
                );
                accepted += 1;
                changed += u64::from(source != whole.source);
                let source = Party::looked_at(&source).expect("what was accepted reads");
                if let (Err(bergshamra), Err(samael)) = (party.bergshamra(&source), party.samael(&source)) {
                    alone.push(format!("{number} ({names:?})\n{bergshamra}\n{samael}\n{source}"));
                }
            }
            Err(rule) => {
                if party.bergshamra(&source).is_ok() && party.samael(&source).is_ok() {
                    if !STRICTER.iter().any(|(known, _)| *known == rule) {
                        unexplained
                            .entry(rule.clone())
                            .or_insert_with(|| format!("{rule}, as in {number} ({names:?})\n{source}"));
                    }
                    *stricter.entry(rule).or_default() += 1;
                }
            }
        }
    }
    eprintln!(
        "{count} documents from {first}: {} refused, {accepted} accepted of which {changed} were changed in what is not signed; \
         {signed_in} sign somebody in",
        count - accepted
    );
    for (name, Count { made, accepted }) in &counts {
        eprintln!("  {name}: {made}, of which {accepted} accepted");
    }
    for (rule, count) in &stricter {
        let why = STRICTER.iter().find(|(known, _)| known == rule).map_or("not explained", |(_, why)| why);
        eprintln!("  both others accept, we refuse {count}: {rule} ({why})");
    }
    assert!(alone.is_empty(), "both others refuse {} that we accept:\n{}", alone.len(), alone.join("\n\n"));
    let unexplained: Vec<String> = unexplained.into_values().collect();
    assert!(
        unexplained.is_empty(),
        "both others accept what we refuse without a known reason: {}",
        unexplained.join("\n\n")
    );
    if first == 0 && count >= MUTANTS {
        assert!(changed * 20 > count, "enough of the changes leave what is signed alone: {changed}");
        assert!(signed_in * 50 > count, "enough of the answers still sign somebody in: {signed_in}");
        assert!(counts.len() == CHANGES.len() + 1 && counts.values().all(|count| count.made > 400));
    }
}
