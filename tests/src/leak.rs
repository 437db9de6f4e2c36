//! Looks for what must not be seen: as it is, in hexadecimal and in base64, in logs and in stores.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::Value;

use crate::{federation::Federation, node::Node};

/// Shorter pieces would be found by chance.
const SHORTEST: usize = 8;

/// How octets can stand in a text: as they are, in hexadecimal, and in base64 at each of the three offsets within something longer.
fn disguises(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![secret.to_vec()];
    let lower: String = secret.iter().map(|octet| format!("{octet:02x}")).collect();
    forms.push(lower.to_uppercase().into_bytes());
    forms.push(lower.into_bytes());
    for offset in 0..3 {
        let shifted = [&[0; 2][..offset], secret].concat();
        // Only whole groups that the secret alone decides.
        let start = if offset == 0 { 0 } else { 4 };
        let end = shifted.len() / 3 * 4;
        for encoded in [STANDARD.encode(&shifted), URL_SAFE_NO_PAD.encode(&shifted)] {
            forms.extend(encoded.as_bytes().get(start..end).map(<[u8]>::to_vec));
        }
    }
    forms.retain(|form| form.len() >= SHORTEST);
    forms.dedup();
    forms
}

/// Which secrets stand in which of the named places, each in words: empty is well.
#[must_use]
pub fn found<'p, S: AsRef<str>>(
    places: impl IntoIterator<Item = (&'p str, &'p [u8])>,
    secrets: &[S],
) -> Vec<String> {
    let mut by_first: Vec<Vec<(usize, Vec<u8>)>> = vec![Vec::new(); 256];
    for (number, secret) in secrets.iter().map(AsRef::as_ref).enumerate() {
        assert!(secret.len() >= SHORTEST, "{secret:?} is too short to be looked for");
        let mut forms = disguises(secret.as_bytes());
        // A handle is base64 of random octets: those octets are it, too.
        let plain = secret.trim_end_matches('=').replace('+', "-").replace('/', "_");
        if let Ok(octets) = URL_SAFE_NO_PAD.decode(plain) {
            forms.extend(disguises(&octets));
        }
        for form in forms {
            by_first[usize::from(form[0])].push((number, form));
        }
    }
    let mut said = Vec::new();
    for (place, text) in places {
        for (at, first) in text.iter().enumerate() {
            for (number, form) in &by_first[usize::from(*first)] {
                if text[at..].starts_with(form) {
                    said.push(format!("{} in {place}", secrets[*number].as_ref()));
                }
            }
        }
    }
    said.sort();
    said.dedup();
    said
}

/// Which secrets stand in any node's log, in its lines as they are written and in what they say.
#[must_use]
pub fn in_logs<S: AsRef<str>>(federation: &Federation, secrets: &[S]) -> Vec<String> {
    let written = federation.logs();
    let mut said = String::new();
    for line in federation.nodes.iter().flat_map(Node::log_lines) {
        collect(&line, &mut said);
    }
    found([("a log", written.as_bytes()), ("what a log says", said.as_bytes())], secrets)
}

/// Every text of a value, names included, one a line: quotation marks in it are no longer escaped.
fn collect(value: &Value, texts: &mut String) {
    match value {
        Value::String(text) => {
            texts.push_str(text);
            texts.push('\n');
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, texts)),
        Value::Object(members) => {
            for (name, value) in members {
                texts.push_str(name);
                texts.push('\n');
                collect(value, texts);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use base64::{
        Engine as _,
        engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
    };
    use serde_json::json;

    use super::{collect, found};

    const SECRET: &str = "asalill.bergviken@granvik";

    fn is_found(text: &[u8]) -> bool {
        !found([("here", text)], &[SECRET]).is_empty()
    }

    #[test]
    fn what_is_hidden_is_found_and_what_is_not_there_is_not() {
        assert!(!is_found(b"") && !is_found(b"asalill.bergviken@fjorden"));
        for prefix in ["", "a", "ab", "abc"] {
            let hidden = format!("{prefix}{SECRET} and more");
            assert!(is_found(hidden.as_bytes()));
            assert!(is_found(STANDARD.encode(&hidden).as_bytes()), "after {prefix:?}");
            assert!(is_found(URL_SAFE_NO_PAD.encode(&hidden).as_bytes()), "after {prefix:?}");
            let hexadecimal: String = hidden.bytes().map(|octet| format!("{octet:02x}")).collect();
            assert!(is_found(hexadecimal.as_bytes()) && is_found(hexadecimal.to_uppercase().as_bytes()));
        }
        assert!(is_found(format!("at the end {SECRET}").as_bytes()));
    }

    #[test]
    fn a_handle_is_found_by_its_octets_too() {
        let octets = [0xfb_u8; 20];
        for handle in [URL_SAFE_NO_PAD.encode(octets), STANDARD.encode(octets)] {
            assert_eq!(found([("here", &octets[..])], &[handle]).len(), 1);
        }
    }

    #[test]
    fn what_a_line_says_is_read_without_its_escapes() {
        let mut texts = String::new();
        collect(&json!({ "a \"name\"": ["Åsa \"Ö\"", 1] }), &mut texts);
        assert_eq!(texts, "a \"name\"\nÅsa \"Ö\"\n");
    }
}
