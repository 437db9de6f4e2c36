//! A metadata file that is verified while it is read (`certs::xml_signature::streaming`) against the verifier of whole documents.

use std::convert::Infallible;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use certs::{
    AlgorithmPolicy, DigestAlgorithm, Signer as _,
    xml_signature::{
        Profile,
        streaming::{self, Group, NotVerified, Part},
    },
};
use certs_xml::{
    Canonicalization, Document, Element, Limits,
    canonical::{EXCLUSIVE_URI, INCLUSIVE_URI},
    canonicalize,
    namespace::{DS, MD},
    stream::{StreamLimits, tag_length},
};

use crate::{meant, scene::SCENE};

const GROUP: Group = Group { namespace: MD, local_name: "EntitiesDescriptor" };
const LIMIT: usize = 256 * 1024;

/// How an input is meant: as it is, or signed first, by exclusive form, with a prefix list, or by inclusive form.
const LETTERS: &[u8] = b"axpi";

/// What must hold of any input.
pub fn body(octets: &[u8]) {
    let Some((letter, octets)) = meant(octets, LETTERS) else { return };
    if octets.len() > LIMIT / 4 {
        return;
    }
    match letter {
        b'a' => agree(octets),
        other => {
            if let Some(signed) = signed(octets, other) {
                agree(signed.as_bytes());
            }
        }
    }
}

/// Digest and children.
type Out = (Vec<u8>, Vec<Vec<u8>>);

/// Both verifiers say the same, and give the same octets, but for the few things that only one of them can see.
fn agree(octets: &[u8]) {
    let (whole, stream) = (whole(octets), streamed(octets));
    // How much canonical form may grow is counted piece by piece by the one.
    if [whole.as_ref().err(), stream.as_ref().err()].contains(&Some(&"signature.size")) {
        return;
    }
    match (whole, stream) {
        (Ok(whole), Ok(stream)) => {
            assert!(whole.0 == stream.0, "the two hashed other octets");
            // What was carried along or inherited stands in one and not in the other.
            let plain = !octets.windows(10).any(|window| window == b"PrefixList")
                && !octets.windows(INCLUSIVE_URI.len()).any(|window| window == INCLUSIVE_URI.as_bytes());
            assert!(!plain || whole.1 == stream.1, "the two give other octets");
            for alone in stream.1 {
                Document::read(&alone, Limits { namespaces: 256, ..Limits::metadata(alone.len()) })
                    .expect("a child stands alone");
            }
        }
        (Err(_), Err(_)) => {}
        // Identifiers are compared within each child, and with that of the outermost element.
        (Err("xml.id_twice"), Ok(_)) => {}
        (Err(rule), Ok(_)) => panic!("only while it is read it is accepted; whole it is {rule}"),
        (Ok(_), Err(rule)) => {
            let mark = octets.windows(3).skip(1).any(|window| window == b"\xEF\xBB\xBF");
            let other_root = Document::read(octets, Limits::metadata(LIMIT))
                .is_ok_and(|document| !document.root().is(MD.uri(), GROUP.local_name));
            // An issuer before the signature is for messages.
            let expected = mark || other_root || rule == "signature.place";
            assert!(expected, "whole it is accepted, and while it is read it is {rule}");
        }
    }
}

fn streamed(octets: &[u8]) -> Result<Out, &'static str> {
    let keys = [SCENE.provider_key.public_key().clone()];
    let limits = StreamLimits { octets: LIMIT as u64, piece: LIMIT, within: Limits::metadata(LIMIT) };
    let mut children = Vec::new();
    let proof = streaming::verify(octets, &keys, &AlgorithmPolicy::default(), limits, GROUP, |part| {
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
    let children =
        children.into_iter().filter_map(|child| proof.prove(child).expect("of this run").into_value());
    Ok((proof.digest().to_vec(), children.collect()))
}

fn whole(octets: &[u8]) -> Result<Out, &'static str> {
    let document = Document::read(octets, Limits::metadata(LIMIT)).map_err(|fault| fault.rule())?;
    let keys = [SCENE.provider_key.public_key().clone()];
    let policy = AlgorithmPolicy::default();
    let root = document.root();
    let signed = certs::xml_signature::verify(root, &keys, &policy, Profile::Metadata)
        .map_err(|refused| refused.rule())?
        .into_value();
    let read = signed.document().map_err(|_| "canonical octets do not read")?;
    let alone = |element: Element<'_>| {
        canonicalize(element, &Canonicalization::exclusive(), None).map_err(|_| "signature.size")
    };
    // Which groups were empty-element tags, canonical form does not say: those are the only ones without an end of their own.
    let mut children = Vec::new();
    if !GROUP.is_of(read.root()) {
        return Ok((digest(signed.canonical()), vec![alone(read.root())?]));
    }
    let mut open: Vec<_> = vec![read.root()];
    while let Some(element) = open.pop() {
        if element != read.root() && !(GROUP.is_of(element) && element.children().next().is_some()) {
            children.push(alone(element)?);
            continue;
        }
        let inside: Vec<_> = element.children().collect();
        open.extend(inside.into_iter().rev());
    }
    Ok((digest(signed.canonical()), children))
}

/// Digests of other lengths are not compared: this is the one that we sign with here.
fn digest(octets: &[u8]) -> Vec<u8> {
    DigestAlgorithm::Sha256.digest(octets)
}

/// `xml` with a signature right after its outermost start tag, as the letter says; all else stays as it is written.
pub(crate) fn signed(xml: &[u8], letter: u8) -> Option<String> {
    let document = Document::read(xml, Limits::metadata(LIMIT)).ok()?;
    let reference = document.root().attribute("ID").map(|id| format!("#{id}")).unwrap_or_default();
    if reference.contains(['"', '<', '&', '\n', '\t', '\r']) {
        return None;
    }
    let text = document.source();
    let start = outermost(text)?;
    let end = start + tag_length(text.as_bytes().get(start..)?)?;
    if text.get(..end)?.ends_with("/>") {
        return None;
    }
    let (method, list) = match letter {
        b'i' => (Canonicalization::Inclusive, String::new()),
        b'p' => {
            let inclusive_prefixes = ["xs", "#default", "a"].map(str::to_owned).to_vec();
            let list = format!(
                "<ec:InclusiveNamespaces xmlns:ec=\"{EXCLUSIVE_URI}\" PrefixList=\"xs #default a\"></ec:InclusiveNamespaces>"
            );
            (Canonicalization::Exclusive { inclusive_prefixes }, list)
        }
        _ => (Canonicalization::exclusive(), String::new()),
    };
    let form = if letter == b'i' { INCLUSIVE_URI } else { EXCLUSIVE_URI };
    let key = &SCENE.provider_key;
    let algorithm = key.algorithm().xml_uri()?;
    let written = |digest: &str, value: &str| {
        format!(
            "{}<ds:Signature xmlns:ds=\"{}\"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE_URI}\"/>\
             <ds:SignatureMethod Algorithm=\"{algorithm}\"/><ds:Reference URI=\"{reference}\"><ds:Transforms><ds:Transform \
             Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/><ds:Transform Algorithm=\"{form}\">{list}\
             </ds:Transform></ds:Transforms><ds:DigestMethod Algorithm=\"{}\"/><ds:DigestValue>{digest}</ds:DigestValue>\
             </ds:Reference></ds:SignedInfo><ds:SignatureValue>{value}</ds:SignatureValue></ds:Signature>{}",
            &text[..end],
            DS.uri(),
            DigestAlgorithm::Sha256.xml_uri(),
            &text[end..],
        )
    };
    let canonical = |text: &str, of_root: bool| -> Option<Vec<u8>> {
        let document = Document::read(text.as_bytes(), Limits::metadata(LIMIT)).ok()?;
        let signature = document.root().child(DS.uri(), "Signature")?;
        match of_root {
            true => canonicalize(document.root(), &method, Some(signature)).ok(),
            false => {
                let signed_info = signature.child(DS.uri(), "SignedInfo")?;
                canonicalize(signed_info, &Canonicalization::exclusive(), None).ok()
            }
        }
    };
    let digest = STANDARD.encode(digest(&canonical(&written("", ""), true)?));
    let value = STANDARD.encode(key.sign(&canonical(&written(&digest, ""), false)?).ok()?);
    Some(written(&digest, &value))
}

/// Where the outermost start tag begins: after the declaration and comments.
fn outermost(text: &str) -> Option<usize> {
    let mut at = 0;
    loop {
        at += text.get(at..)?.find('<')?;
        let rest = text.get(at..)?;
        if rest.starts_with("<!--") {
            at += rest.find("-->")? + 3;
        } else if rest.starts_with("<?") {
            at += rest.find("?>")? + 2;
        } else {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::seeds;

    #[test]
    fn the_seeds_are_accepted_by_both() {
        for seed in seeds::of("aggregate") {
            let (letter, octets) = seed.split_first().expect("a letter");
            let signed = match letter {
                b'a' => octets.to_vec(),
                letter => super::signed(octets, *letter).expect("it can be signed").into_bytes(),
            };
            assert!(super::streamed(&signed).is_ok() && super::whole(&signed).is_ok());
        }
    }
}
