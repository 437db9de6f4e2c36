//! Over a seeded corpus of broken documents: we never accept what both others refuse, and never read what nobody signed.

use std::collections::HashSet;

use certs::xml_signature::{Profile, sign_enveloped};

use crate::{
    documents::{assertion, metadata, request, response, template},
    judges::{Party, parties},
};

/// How many broken documents are made of each whole one.
const EACH: u32 = 1_500;

/// Deterministic numbers (xorshift): the same documents in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % bound.max(1)
    }
}

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

fn broken(source: &str, numbers: &mut Numbers) -> String {
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

fn whole(party: &Party) -> Vec<(String, Profile)> {
    let sign = |tree| {
        let signed = sign_enveloped(tree, &party.key).expect("it signs");
        String::from_utf8(signed.to_canonical().expect("it can be written")).expect("UTF-8")
    };
    let inner = sign_enveloped(assertion("_assertion"), &party.key).expect("it signs");
    vec![
        (sign(request()), Profile::Message),
        (sign(response(inner)), Profile::Message),
        (sign(metadata()), Profile::Metadata),
        (party.sign_with_samael(&template(&party.key, "ds", Some("xs"))), Profile::Message),
        (party.sign_with_bergshamra(&template(&party.key, "ds", None)), Profile::Message),
    ]
}

#[test]
fn nothing_is_accepted_that_both_others_refuse_and_nothing_read_that_nobody_signed() {
    // Fast keys: the documents are the question.
    let party = parties().remove(4);
    let mut numbers = Numbers(0x5EED_0F5A_6A71_77D3);
    let documents = whole(&party);
    // What the key really signed: each document, and the assertion that is signed within one.
    let mut signed: HashSet<String> = HashSet::new();
    for (source, profile) in &documents {
        signed.insert(party.ours(source, *profile).expect("the whole document is accepted"));
    }
    let inner =
        String::from_utf8(assertion("_assertion").to_canonical().expect("it can be written")).expect("UTF-8");
    signed.insert(inner);
    let mut alone = Vec::new();
    let (mut accepted, mut refused, mut changed) = (0, 0, 0);
    for (source, profile) in &documents {
        for _ in 0..EACH {
            let broken = broken(source, &mut numbers);
            let Ok(read) = party.ours(&broken, *profile) else {
                refused += 1;
                continue;
            };
            assert!(signed.contains(&read), "read what nobody signed:\n{read}\nfrom\n{broken}");
            accepted += 1;
            changed += u32::from(broken != *source);
            let (bergshamra, samael) = (party.bergshamra(&broken), party.samael(&broken));
            if bergshamra.is_err() && samael.is_err() {
                alone.push(format!("{bergshamra:?}\n{samael:?}\n{broken}"));
            }
        }
    }
    assert!(alone.is_empty(), "both others refuse {} that we accept:\n{}", alone.len(), alone.join("\n\n"));
    eprintln!("{refused} refused, {accepted} accepted of which {changed} were changed in what is not signed");
    assert!(refused > 4 * EACH && changed > 50, "the corpus was really broken, and not all of it fatally");
}
