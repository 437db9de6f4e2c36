//! Changes to how a document is written: prefixes and declarations, references and character data, comments, white space, attributes.
//! Some of them change nothing that is signed, and then everybody must still read the same.

use crate::{
    changes::{PREFIXES, any, some},
    tree::{Attribute, Node, Numbers, Path, Tree},
};

const NAMESPACES: [&str; 8] = [
    "http://www.w3.org/2000/09/xmldsig#",
    "urn:oasis:names:tc:SAML:2.0:assertion",
    "urn:oasis:names:tc:SAML:2.0:protocol",
    "urn:oasis:names:tc:SAML:2.0:metadata",
    "http://www.w3.org/2001/10/xml-exc-c14n#",
    "http://www.w3.org/2001/XMLSchema",
    "urn:x",
    "",
];
const INTERRUPTIONS: [&str; 7] =
    ["<!-- x -->", "<?x y?>", " ", "\n", "\t", "<!---->", "<?xml-stylesheet href=\"x\"?>"];

fn declaring(tree: &Tree, numbers: &mut Numbers) -> Option<(Path, usize)> {
    let declares = |attribute: &Attribute| attribute.declares().is_some();
    let path = some(tree, numbers, |element| element.attributes.iter().any(declares))?;
    let attributes = &tree.at(&path).attributes;
    let which: Vec<usize> = (0..attributes.len()).filter(|at| declares(&attributes[*at])).collect();
    Some((path, *numbers.of_these(&which)))
}

pub(crate) fn reprefixed(tree: &mut Tree, numbers: &mut Numbers, _: &[Tree]) {
    let Some((path, at)) = declaring(tree, numbers) else { return };
    let element = tree.at_mut(&path);
    let old = element.attributes[at].declares().unwrap_or_default().to_owned();
    let new = *numbers.of_these(&PREFIXES);
    element.attributes[at].name = if new.is_empty() { "xmlns".into() } else { format!("xmlns:{new}") };
    let renamed = |name: &str| {
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        match (prefix == old, new.is_empty()) {
            (false, _) => name.to_owned(),
            (true, true) => local.to_owned(),
            (true, false) => format!("{new}:{local}"),
        }
    };
    element.each(&mut |element| {
        element.name = renamed(&element.name);
        for attribute in &mut element.attributes {
            if attribute.name.contains(':') && attribute.declares().is_none() {
                attribute.name = renamed(&attribute.name);
            }
        }
    });
}

pub(crate) fn declared(tree: &mut Tree, numbers: &mut Numbers, _: &[Tree]) {
    let path = any(tree, numbers);
    let name = match *numbers.of_these(&PREFIXES) {
        "" => "xmlns".to_owned(),
        prefix => format!("xmlns:{prefix}"),
    };
    let value = *numbers.of_these(&NAMESPACES);
    let attributes = &mut tree.at_mut(&path).attributes;
    let at = numbers.below(attributes.len() + 1);
    attributes.insert(at, Attribute::new(name, value));
}

pub(crate) fn hoisted(tree: &mut Tree, numbers: &mut Numbers, _: &[Tree]) {
    let Some((path, at)) = declaring(tree, numbers) else { return };
    let Some((_, parent)) = path.split_last() else { return };
    let to = parent[..numbers.below(parent.len() + 1)].to_vec();
    let declaration = tree.at(&path).attributes[at].clone();
    if tree.at_mut(&to).attribute(&declaration.name).is_none() {
        tree.at_mut(&to).attributes.push(declaration);
        tree.at_mut(&path).attributes.remove(at);
    }
}

pub(crate) fn repeated(tree: &mut Tree, numbers: &mut Numbers, _: &[Tree]) {
    let Some((path, at)) = declaring(tree, numbers) else { return };
    let declaration = tree.at(&path).attributes[at].clone();
    let below: Vec<Path> = tree
        .paths()
        .into_iter()
        .filter(|other| other.len() > path.len() && other.starts_with(&path))
        .collect();
    if below.is_empty() {
        return;
    }
    let to = numbers.of_these(&below).clone();
    if tree.at_mut(&to).attribute(&declaration.name).is_none() {
        tree.at_mut(&to).attributes.push(declaration);
    }
}

pub(crate) fn redeclared(tree: &mut Tree, numbers: &mut Numbers, _: &[Tree]) {
    let Some((path, at)) = declaring(tree, numbers) else { return };
    let value = *numbers.of_these(&NAMESPACES);
    let declaration = &mut tree.at_mut(&path).attributes[at];
    match numbers.below(3) {
        0 => declaration.value = value.to_owned(),
        1 => declaration.value.push('/'),
        _ => declaration.value = declaration.value.replacen('o', "&#x6F;", 1),
    }
}

/// A place within text, or between children.
pub(crate) fn interrupted(tree: &mut Tree, numbers: &mut Numbers, _: &[Tree]) {
    let what = *numbers.of_these(&INTERRUPTIONS);
    match numbers.below(8) {
        0 => tree.before.push_str(what),
        1 => tree.after.push_str(what),
        _ => {
            let path = any(tree, numbers);
            let children = &mut tree.at_mut(&path).children;
            let at = numbers.below(children.len() + 1);
            match children.get_mut(at) {
                Some(Node::Raw(text)) if !text.starts_with('<') && !text.is_empty() => {
                    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
                    let inside = *numbers.of_these(&places);
                    text.insert_str(inside, what);
                }
                _ => children.insert(at, Node::Raw(what.to_owned())),
            }
        }
    }
}

/// The raw texts of a random element that has any.
fn texts<'t>(tree: &'t mut Tree, numbers: &mut Numbers) -> Vec<&'t mut String> {
    let is_text =
        |node: &Node| matches!(node, Node::Raw(text) if !text.starts_with('<') && !text.trim().is_empty());
    let Some(path) = some(tree, numbers, |element| element.children.iter().any(is_text)) else {
        return Vec::new();
    };
    let children = tree.at_mut(&path).children.iter_mut();
    children
        .filter(|child| is_text(child))
        .filter_map(|child| match child {
            Node::Raw(text) => Some(text),
            Node::Element(_) => None,
        })
        .collect()
}

pub(crate) fn as_character_data(tree: &mut Tree, numbers: &mut Numbers, _: &[Tree]) {
    let split = numbers.below(2) == 0;
    for text in texts(tree, numbers).into_iter().filter(|text| !text.contains(['&', ']'])) {
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let at = if split { *numbers.of_these(&places) } else { 0 };
        *text = format!("{}<![CDATA[{}]]>", &text[..at], &text[at..]);
    }
}

/// One plain character, by number; in text or in a value.
fn by_number(text: &mut String, numbers: &mut Numbers) {
    let places: Vec<(usize, char)> =
        text.char_indices().filter(|(_, character)| character.is_alphanumeric()).collect();
    if places.is_empty() || text.contains('&') {
        return;
    }
    let (at, character) = *numbers.of_these(&places);
    let written = match numbers.below(2) {
        0 => format!("&#{};", u32::from(character)),
        _ => format!("&#x{:X};", u32::from(character)),
    };
    text.replace_range(at..at + character.len_utf8(), &written);
}

pub(crate) fn as_reference(tree: &mut Tree, numbers: &mut Numbers, _: &[Tree]) {
    if numbers.below(2) == 0 {
        if let Some(text) = texts(tree, numbers).into_iter().next() {
            by_number(text, numbers);
        }
    } else if let Some(path) = some(tree, numbers, |element| !element.attributes.is_empty()) {
        let attributes = &mut tree.at_mut(&path).attributes;
        let at = numbers.below(attributes.len());
        by_number(&mut attributes[at].value, numbers);
    }
}

pub(crate) fn reordered(tree: &mut Tree, numbers: &mut Numbers, _: &[Tree]) {
    let Some(path) = some(tree, numbers, |element| element.attributes.len() > 1) else { return };
    let attributes = &mut tree.at_mut(&path).attributes;
    let (one, other) = (numbers.below(attributes.len()), numbers.below(attributes.len()));
    attributes.swap(one, other);
}

pub(crate) fn respaced(tree: &mut Tree, numbers: &mut Numbers, _: &[Tree]) {
    let path = any(tree, numbers);
    let element = tree.at_mut(&path);
    element.space = (*numbers.of_these(&[" ", "\n", "\t ", "\r\n"])).to_owned();
    for attribute in &mut element.attributes {
        if !attribute.value.contains(['"', '\'']) {
            attribute.quote = *numbers.of_these(&['"', '\'']);
        }
    }
    // An element without children is written either way.
    if element.children.is_empty() && numbers.below(2) == 0 {
        element.children.push(Node::Raw(String::new()));
    }
}

pub(crate) fn attribute_doubled(tree: &mut Tree, numbers: &mut Numbers, _: &[Tree]) {
    let Some(path) = some(tree, numbers, |element| !element.attributes.is_empty()) else { return };
    let attributes = &mut tree.at_mut(&path).attributes;
    let mut attribute = attributes[numbers.below(attributes.len())].clone();
    match numbers.below(3) {
        0 => {}
        1 => attribute.value = "other".into(),
        _ => {
            attribute.name =
                format!("{}:{}", numbers.of_these(&PREFIXES[..8]), attribute.name.replace(':', ""))
        }
    }
    let at = numbers.below(attributes.len() + 1);
    attributes.insert(at, attribute);
}

pub(crate) fn attribute_added(tree: &mut Tree, numbers: &mut Numbers, _: &[Tree]) {
    let path = any(tree, numbers);
    let (name, value) = *numbers.of_these(&[
        ("xml:lang", "sv"),
        ("xml:base", "urn:x"),
        ("xml:space", "preserve"),
        ("xml:id", "_x"),
        ("xsi:nil", "true"),
        ("Id", "_s"),
        ("Format", "x"),
        ("xmlns:xml", "http://www.w3.org/XML/1998/namespace"),
    ]);
    tree.at_mut(&path).attributes.push(Attribute::new(name, value));
}

pub(crate) fn folded(tree: &mut Tree, numbers: &mut Numbers, _: &[Tree]) {
    let Some(path) = some(tree, numbers, |element| {
        matches!(element.local_name(), "SignatureValue" | "DigestValue" | "X509Certificate")
    }) else {
        return;
    };
    let Some(Node::Raw(text)) = tree.at_mut(&path).children.first_mut() else { return };
    if !text.is_ascii() || text.contains('<') {
        return;
    }
    match numbers.below(5) {
        0 => text.insert(numbers.below(text.len() + 1), '\n'),
        1 => text.insert_str(0, "\n  "),
        2 => text.push(' '),
        3 => text.push('='),
        _ => text.insert(numbers.below(text.len() + 1), 'A'),
    }
}

pub(crate) fn revalued(tree: &mut Tree, numbers: &mut Numbers, _: &[Tree]) {
    let what = numbers.below(3);
    if let Some(text) = texts(tree, numbers).into_iter().next() {
        match what {
            0 => *text = "mallory".into(),
            1 => text.push_str(".evil"),
            _ => text.insert(0, ' '),
        }
    }
}
