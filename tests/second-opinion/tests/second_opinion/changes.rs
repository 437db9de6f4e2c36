//! What is done to a signed document, one thing at a time: accidents, and what attacks are made of. Other ways to write the same stand
//! in `rewritings.rs`.

use crate::{
    rewritings::{
        as_character_data, as_reference, attribute_added, attribute_doubled, declared, folded, hoisted,
        interrupted, redeclared, reordered, repeated, reprefixed, respaced, revalued,
    },
    tree::{Attribute, Element, Node, Numbers, Path, Tree},
};

/// A change, with its name for the count.
pub(crate) type Change = (&'static str, fn(&mut Tree, &mut Numbers, &[Tree]));

/// Every change there is.
pub(crate) const CHANGES: [Change; 31] = [
    ("an element moved", moved),
    ("an element doubled", doubled),
    ("an element wrapped", wrapped),
    ("an element unwrapped", unwrapped),
    ("an element removed", removed),
    ("an element renamed", renamed),
    ("two siblings exchanged", exchanged),
    ("an element of another message put in", spliced),
    ("an element replaced by another message's", replaced),
    ("the signed element wrapped by a false one", signature_wrapped),
    ("a signature moved", signature_moved),
    ("a prefix changed throughout", reprefixed),
    ("a namespace declared", declared),
    ("a declaration moved up", hoisted),
    ("a declaration repeated below", repeated),
    ("a declaration changed", redeclared),
    ("a comment, an instruction or white space put in", interrupted),
    ("text written as character data", as_character_data),
    ("a character written as a reference", as_reference),
    ("an identifier changed", identified),
    ("a reference changed", referred),
    ("an algorithm changed", other_algorithm),
    ("a transform put in or taken out", transformed),
    ("a prefix list", prefix_listed),
    ("attributes in another order", reordered),
    ("other quotes and spaces in a tag", respaced),
    ("an attribute doubled", attribute_doubled),
    ("an attribute put in", attribute_added),
    ("key information changed", other_key_info),
    ("a base64 value folded", folded),
    ("a value changed", revalued),
];

pub(crate) const PREFIXES: [&str; 9] = ["ds", "saml", "samlp", "md", "p", "xs", "xsi", "x", ""];
const ALGORITHMS: [&str; 20] = [
    "http://www.w3.org/2001/10/xml-exc-c14n#",
    "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
    "http://www.w3.org/2006/12/xml-c14n11",
    "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
    "http://www.w3.org/2000/09/xmldsig#base64",
    "http://www.w3.org/TR/1999/REC-xpath-19991116",
    "http://www.w3.org/2002/06/xmldsig-filter2",
    "http://www.w3.org/TR/1999/REC-xslt-19991116",
    "http://www.w3.org/2000/09/xmldsig#sha1",
    "http://www.w3.org/2001/04/xmlenc#sha256",
    "http://www.w3.org/2001/04/xmlenc#sha512",
    "http://www.w3.org/2001/04/xmldsig-more#md5",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
    "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
    "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
    "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
];
/// Elements that hold what their schemas do not know.
const WRAPPERS: [(&str, &str); 6] = [
    ("ds:Object", "http://www.w3.org/2000/09/xmldsig#"),
    ("ds:KeyInfo", "http://www.w3.org/2000/09/xmldsig#"),
    ("samlp:Extensions", "urn:oasis:names:tc:SAML:2.0:protocol"),
    ("saml:Advice", "urn:oasis:names:tc:SAML:2.0:assertion"),
    ("saml:AttributeValue", "urn:oasis:names:tc:SAML:2.0:assertion"),
    ("x", ""),
];

pub(crate) fn any(tree: &Tree, numbers: &mut Numbers) -> Path {
    let paths = tree.paths();
    numbers.of_these(&paths).clone()
}

/// A path of an element that something holds for; `None` where there is none.
pub(crate) fn some(tree: &Tree, numbers: &mut Numbers, holds: impl Fn(&Element) -> bool) -> Option<Path> {
    let paths = tree.paths_where(holds);
    (!paths.is_empty()).then(|| numbers.of_these(&paths).clone())
}

/// Puts `element` somewhere into the element at `path`.
fn put(tree: &mut Tree, path: &[usize], element: Element, numbers: &mut Numbers) {
    let parent = tree.at_mut(path);
    let at = numbers.below(parent.children.len() + 1);
    parent.children.insert(at, Node::Element(element));
}

fn moved(tree: &mut Tree, numbers: &mut Numbers, _: &[Tree]) {
    let from = any(tree, numbers);
    let Some(element) = tree.remove(&from) else { return };
    let to = any(tree, numbers);
    put(tree, &to, element, numbers);
}

fn doubled(tree: &mut Tree, numbers: &mut Numbers, _: &[Tree]) {
    let from = any(tree, numbers);
    let mut element = tree.at(&from).clone();
    if numbers.below(2) == 0
        && let Some(id) = element.attribute("ID")
    {
        id.value.push('2');
    }
    let to = any(tree, numbers);
    put(tree, &to, element, numbers);
}

fn wrapper(numbers: &mut Numbers) -> Element {
    let (name, namespace) = *numbers.of_these(&WRAPPERS);
    let mut element = Element::new(name);
    if let Some((prefix, _)) = name.split_once(':') {
        element.attributes.push(Attribute::new(format!("xmlns:{prefix}"), namespace));
    }
    element
}

fn wrapped(tree: &mut Tree, numbers: &mut Numbers, _: &[Tree]) {
    let path = any(tree, numbers);
    let mut outer = wrapper(numbers);
    let element = tree.at_mut(&path);
    outer.children.push(Node::Element(std::mem::take(element)));
    *element = outer;
}

fn unwrapped(tree: &mut Tree, numbers: &mut Numbers, _: &[Tree]) {
    let path = any(tree, numbers);
    let Some((last, parent)) = path.split_last() else { return };
    let Some(element) = tree.remove(&path) else { return };
    let parent = tree.at_mut(parent);
    parent.children.splice(*last..*last, element.children);
}

fn removed(tree: &mut Tree, numbers: &mut Numbers, _: &[Tree]) {
    let path = any(tree, numbers);
    tree.remove(&path);
}

fn renamed(tree: &mut Tree, numbers: &mut Numbers, _: &[Tree]) {
    let (path, other) = (any(tree, numbers), any(tree, numbers));
    let name = match numbers.below(3) {
        0 => tree.at(&other).name.clone(),
        1 => format!("{}:{}", numbers.of_these(&PREFIXES), tree.at(&path).local_name()),
        _ => tree.at(&path).local_name().to_owned(),
    };
    tree.at_mut(&path).name = name;
}

fn exchanged(tree: &mut Tree, numbers: &mut Numbers, _: &[Tree]) {
    let Some(path) = some(tree, numbers, |element| element.children.len() > 1) else { return };
    let children = &mut tree.at_mut(&path).children;
    let (one, other) = (numbers.below(children.len()), numbers.below(children.len()));
    children.swap(one, other);
}

fn spliced(tree: &mut Tree, numbers: &mut Numbers, others: &[Tree]) {
    let other = numbers.of_these(others);
    let from = any(other, numbers);
    let to = any(tree, numbers);
    put(tree, &to, other.at(&from).clone(), numbers);
}

fn replaced(tree: &mut Tree, numbers: &mut Numbers, others: &[Tree]) {
    let path = any(tree, numbers);
    let name = tree.at(&path).local_name().to_owned();
    let other = numbers.of_these(others);
    if let Some(from) = some(other, numbers, |element| element.local_name() == name) {
        *tree.at_mut(&path) = other.at(&from).clone();
    }
}

fn is_signed(element: &Element) -> bool {
    element
        .children
        .iter()
        .any(|child| matches!(child, Node::Element(child) if child.local_name() == "Signature"))
}

/// What signature wrapping is (McIntosh and Austel 2005; Somorovsky and others 2012): a false element where the true one was, the true
/// one kept where only the verifier finds it, and the signature with either.
fn signature_wrapped(tree: &mut Tree, numbers: &mut Numbers, _: &[Tree]) {
    let Some(path) = some(tree, numbers, is_signed) else { return };
    let mut real = tree.at(&path).clone();
    let mut false_one = real.clone();
    false_one.each(&mut |element| {
        if matches!(element.local_name(), "NameID" | "AttributeValue" | "DisplayName") {
            element.children = vec![Node::Raw("mallory".into())];
        }
    });
    if numbers.below(2) == 0
        && let Some(id) = false_one.attribute("ID")
    {
        id.value = "_false".into();
    }
    // The signature stays with both, with the true one, or with the false one.
    match numbers.below(3) {
        0 => {}
        1 => drop(false_one.take("Signature")),
        _ => drop(real.take("Signature")),
    }
    match numbers.below(5) {
        0 => false_one.children.push(Node::Element(real)),
        1 => false_one.children.insert(0, Node::Element(real)),
        2 => {
            let mut outer = wrapper(numbers);
            outer.children.push(Node::Element(real));
            let at = numbers.below(false_one.children.len() + 1);
            false_one.children.insert(at, Node::Element(outer));
        }
        3 => {
            let mut outer = wrapper(numbers);
            outer.children.push(Node::Element(real));
            if !is_signed(&false_one) {
                false_one.children.push(Node::Element(Element::new("ds:Signature")));
            }
            let holder = false_one.elements().find(|element| element.local_name() == "Signature");
            holder.into_iter().for_each(|signature| signature.children.push(Node::Element(outer.clone())));
        }
        _ => {
            if let Some((last, parent)) = path.split_last() {
                let at = *last + numbers.below(2);
                *tree.at_mut(&path) = false_one;
                tree.at_mut(parent).children.insert(at, Node::Element(real));
                return;
            }
            false_one.children.push(Node::Element(real));
        }
    }
    *tree.at_mut(&path) = false_one;
}

fn signature_moved(tree: &mut Tree, numbers: &mut Numbers, _: &[Tree]) {
    let Some(from) = some(tree, numbers, |element| element.local_name() == "Signature") else { return };
    let Some(signature) = tree.remove(&from) else { return };
    let to = some(tree, numbers, |element| {
        matches!(
            element.local_name(),
            "Response" | "Assertion" | "EntityDescriptor" | "AuthnRequest" | "Advice"
        )
    });
    put(tree, &to.unwrap_or_default(), signature, numbers);
}

/// Every identifier in the document.
fn identifiers(tree: &Tree) -> Vec<String> {
    let named = |attribute: &&Attribute| matches!(attribute.name.as_str(), "ID" | "Id" | "id" | "xml:id");
    let paths = tree.paths();
    let found = paths.iter().flat_map(|path| tree.at(path).attributes.iter().filter(named));
    found.map(|attribute| attribute.value.clone()).collect()
}

fn identified(tree: &mut Tree, numbers: &mut Numbers, _: &[Tree]) {
    let mut known = identifiers(tree);
    known.extend(["_new".to_owned(), String::new()]);
    let value = numbers.of_these(&known).clone();
    let name = *numbers.of_these(&["ID", "ID", "Id", "id", "xml:id", "AssertionID"]);
    let path = match numbers.below(2) {
        0 => some(tree, numbers, |element| element.attributes.iter().any(|attribute| attribute.name == "ID")),
        _ => None,
    };
    let path = path.unwrap_or_else(|| any(tree, numbers));
    let element = tree.at_mut(&path);
    match element.attribute(name) {
        Some(attribute) => attribute.value = value,
        None => element.attributes.push(Attribute::new(name, value)),
    }
}

fn referred(tree: &mut Tree, numbers: &mut Numbers, _: &[Tree]) {
    let known = identifiers(tree);
    let Some(path) = some(tree, numbers, |element| element.local_name() == "Reference") else { return };
    let id = if known.is_empty() { String::new() } else { numbers.of_these(&known).clone() };
    let value = match numbers.below(6) {
        0 | 1 => format!("#{id}"),
        2 => String::new(),
        3 => format!("#xpointer(id('{id}'))"),
        4 => "#xpointer(/)".to_owned(),
        _ => format!("other.xml#{id}"),
    };
    let reference = tree.at_mut(&path);
    match numbers.below(8) {
        0 => reference.attributes.retain(|attribute| attribute.name != "URI"),
        _ => match reference.attribute("URI") {
            Some(attribute) => attribute.value = value,
            None => reference.attributes.push(Attribute::new("URI", value)),
        },
    }
}

fn other_algorithm(tree: &mut Tree, numbers: &mut Numbers, _: &[Tree]) {
    let Some(path) =
        some(tree, numbers, |element| element.attributes.iter().any(|found| found.name == "Algorithm"))
    else {
        return;
    };
    if let Some(attribute) = tree.at_mut(&path).attribute("Algorithm") {
        attribute.value = (*numbers.of_these(&ALGORITHMS)).to_owned();
    }
}

fn transformed(tree: &mut Tree, numbers: &mut Numbers, _: &[Tree]) {
    let Some(path) = some(tree, numbers, |element| element.local_name() == "Transforms") else { return };
    let transforms = tree.at_mut(&path);
    let Some(mut transform) = transforms.elements().next().cloned() else { return };
    match numbers.below(3) {
        0 => {
            if let Some(attribute) = transform.attribute("Algorithm") {
                attribute.value = (*numbers.of_these(&ALGORITHMS)).to_owned();
            }
            let at = numbers.below(transforms.children.len() + 1);
            transforms.children.insert(at, Node::Element(transform));
        }
        1 => drop(transforms.take("Transform")),
        _ => transforms.children.reverse(),
    }
}

fn prefix_listed(tree: &mut Tree, numbers: &mut Numbers, _: &[Tree]) {
    let Some(path) = some(tree, numbers, |element| {
        matches!(element.local_name(), "Transform" | "CanonicalizationMethod" | "InclusiveNamespaces")
    }) else {
        return;
    };
    let list = *numbers.of_these(&["xs", "#default", "ds saml", "", "xs xsi", "nowhere"]);
    let element = tree.at_mut(&path);
    if let Some(attribute) = element.attribute("PrefixList") {
        attribute.value = list.to_owned();
        return;
    }
    let mut inclusive = Element::new("ec:InclusiveNamespaces");
    inclusive.attributes.push(Attribute::new("xmlns:ec", "http://www.w3.org/2001/10/xml-exc-c14n#"));
    inclusive.attributes.push(Attribute::new("PrefixList", list));
    element.children.push(Node::Element(inclusive));
}

fn other_key_info(tree: &mut Tree, numbers: &mut Numbers, others: &[Tree]) {
    let Some(path) = some(tree, numbers, |element| element.local_name() == "Signature") else { return };
    let donor = numbers.of_these(others);
    let foreign = some(donor, numbers, |element| element.local_name() == "KeyInfo");
    let signature = tree.at_mut(&path);
    let old = signature.take("KeyInfo");
    match (numbers.below(4), old, foreign) {
        (0, _, _) => {}
        (1, Some(mut info), _) => {
            info.children = vec![Node::Raw("<!-- nothing to see -->".into())];
            signature.children.push(Node::Element(info));
        }
        (2, Some(mut info), _) => {
            info.children.push(Node::Element(Element::new("x")));
            signature.children.push(Node::Element(info));
        }
        (_, _, Some(from)) => signature.children.push(Node::Element(donor.at(&from).clone())),
        (_, old, None) => signature.children.extend(old.map(Node::Element)),
    }
}
