//! An organisation's record, field by field.

use broker_core::{assurance::Assurance, attribute::AttributeName, organisation::Organisation};

use super::{Kind, Told, texts};
use crate::revision::Entry;

pub(super) fn compare(before: Option<(&Entry, &[u8])>, after: Option<(&Entry, &[u8])>, told: &mut Told) {
    let (Some((_, before)), Some((_, after))) = (before, after) else { return };
    let read = |octets: &[u8]| serde_json::from_slice::<Organisation>(octets).ok();
    let (Some(old), Some(new)) = (read(before), read(after)) else {
        return told.unreadable();
    };
    told.value(
        Kind::Owner,
        ("Organisationsnumret", "The organisation number"),
        Some(old.number.as_str()),
        Some(new.number.as_str()),
    );
    told.text(Kind::Name, ("Namnet", "The name"), &old.name, &new.name);
    told.set(Kind::Domain, ("Domänen", "The domain"), &old.domains, &new.domains);
    told.set(Kind::Scope, ("Scopet", "The scope"), &old.scopes, &new.scopes);
    told.set(
        Kind::Scope,
        ("Början på HSA-id", "The beginning of HSA-ids"),
        &old.hsa_prefixes,
        &new.hsa_prefixes,
    );
    told.set(
        Kind::Level,
        ("Taket för tillit", "The ceiling of assurance"),
        &texts(old.ceiling.iter().map(Assurance::as_str)),
        &texts(new.ceiling.iter().map(Assurance::as_str)),
    );
    told.set(
        Kind::Attribute,
        ("Rätten att få attributet", "The right to be given the attribute"),
        &texts(old.entitled.iter().map(|name: &AttributeName| name.key())),
        &texts(new.entitled.iter().map(|name: &AttributeName| name.key())),
    );
    told.set(
        Kind::Attribute,
        ("Rätten att uppge attributet", "The right to assert the attribute"),
        &texts(old.may_assert.iter().map(|name: &AttributeName| name.key())),
        &texts(new.may_assert.iter().map(|name: &AttributeName| name.key())),
    );
    let contact = [
        (("Supportens e-postadress", "The support's mail address"), &old.support.email, &new.support.email),
        (("Supportens telefon", "The support's telephone"), &old.support.telephone, &new.support.telephone),
        (("Supportens webbsida", "The support's web page"), &old.support.url, &new.support.url),
    ];
    for (thing, old, new) in contact {
        told.value(Kind::Contact, thing, old.as_deref(), new.as_deref());
    }
    let known = [
        "number",
        "name",
        "domains",
        "scopes",
        "hsa_prefixes",
        "ceiling",
        "entitled",
        "may_assert",
        "support",
    ];
    let members = |organisation: &Organisation| serde_json::to_value(organisation).unwrap_or_default();
    told.rest(&members(&old), &members(&new), &known);
}
