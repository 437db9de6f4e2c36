//! A relying party's JSON as an operator adds it (`metadata::addition`, `metadata::oidc`, `metadata::lint`).

use metadata::{lint::Report, oidc::RegistrationFile};
use serde_json::Value;

use crate::{metadata_file::can_be_done, scene::SCENE};

/// What must hold of any input.
pub fn body(octets: &[u8]) {
    if octets.trim_ascii_start().first() != Some(&b'{') {
        return;
    }
    let prepared = SCENE.prepared(octets);
    can_be_done(&prepared);
    let Some(file) = RegistrationFile::read(octets, &mut Report::new()) else { return };
    let kept = file.document();
    let again = RegistrationFile::read(&kept, &mut Report::new()).expect("what is kept reads");
    assert!(again.secret().is_none(), "a secret is kept in the open");
    // A fraction in a member that nobody knows may lose its last digit each time; nothing that we read is a fraction.
    if serde_json::from_slice(&kept).is_ok_and(|kept| !holds_fraction(&kept)) {
        assert!(again.document() == kept, "what is kept changes when it is read and kept again");
    }
    let said = |file: &RegistrationFile| format!("{:?}", file.registration);
    assert_eq!(said(&file), said(&again), "what is kept says something else than what came");
}

fn holds_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(values) => values.iter().any(holds_fraction),
        Value::Object(members) => members.values().any(holds_fraction),
        _ => false,
    }
}
