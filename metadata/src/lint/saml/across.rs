//! Rules between entities: what two of them must not share. One entity after the other is looked at, so an aggregate need not lie in memory.

use std::collections::HashMap;

use certs::KeyThumbprint;
use certs_xml::{Element, namespace::MD};

use crate::{
    lint::{
        registry::ENTITY_TWICE,
        report::{Finding, Report},
        rule::rules,
        saml::{Kind, interface},
    },
    registry::Registry,
    saml::{key::keys, role, trimmed},
};

rules! {
    KEY_OF_ANOTHER = Warning "saml.key.of_another_organisation", "SAML Metadata Interoperability Profile 2.6.1; design decision 8",
        what: "Samma nyckel används av en annan organisation: {expected}." / "The same key is used by another organisation: {expected}.",
        why: "Den som har den privata nyckeln kan uppträda som båda. Ofta är det en leverantör som har kopierat en mall." / "Whoever holds the private key can act as both. Often a supplier has copied a template.",
        fix: "Skapa en egen nyckel. Är det en gemensam tjänst, registrera den en gång med flera organisationer bakom." / "Make a key of your own. If it is one shared system, register it once with several organisations behind it.";
    KEY_SHARED = Note "saml.key.of_another_entity", "SAML Metadata Interoperability Profile 2.6.1",
        what: "Samma nyckel används av {expected}." / "The same key is used by {expected}.",
        why: "Det är tillåtet, men ett nyckelbyte måste då göras på båda ställena samtidigt, och en läckt nyckel drabbar båda." / "It is allowed, but a change of keys must then happen at both places at once, and a leaked key harms both.",
        fix: "Välj gärna en egen nyckel för var och en nästa gång." / "You may choose a key for each the next time.";
    NAME_TAKEN = Note [Swamid: Error] "saml.interface.display_name_taken", "SWAMID SAML WebSSO 5.1.17",
        what: "Visningsnamnet {found} har också {expected}." / "The display name {found} is also that of {expected}.",
        why: "Den som väljer bland namn kan inte skilja dem åt." / "Who chooses among names cannot tell them apart.",
        fix: "Välj ett namn som säger vilken organisation och tjänst det är." / "Choose a name that says which organisation and system it is.";
}

/// Whose a key is.
struct Owner {
    entity: String,
    organisation: String,
}

/// What was seen so far.
#[derive(Default)]
pub(crate) struct Seen {
    entities: HashMap<String, ()>,
    keys: HashMap<KeyThumbprint, Owner>,
    names: HashMap<(bool, String), String>,
}

impl Seen {
    /// What is registered already; of each key the first owner.
    pub(crate) fn of(registry: Option<&Registry>) -> Self {
        let mut seen = Self::default();
        for provider in registry.into_iter().flat_map(Registry::saml_providers) {
            for key in &provider.signing_keys {
                seen.keys.entry(key.thumbprint()).or_insert_with(|| Owner {
                    entity: provider.policy.id.as_str().to_owned(),
                    organisation: provider.policy.organisation.number.as_str().to_owned(),
                });
            }
        }
        seen
    }

    /// Looks at the next entity and remembers it.
    pub(crate) fn check(&mut self, entity: Element<'_>, report: &mut Report) {
        let id = entity.attribute("entityID").unwrap_or_default();
        if !id.is_empty() && self.entities.insert(id.to_owned(), ()).is_some() {
            report.add(Finding::new(&ENTITY_TWICE, entity.position()).found(id));
        }
        let organisation = organisation(entity);
        for (kind, name) in Kind::ALL {
            let Some(role) = role(entity, name) else { continue };
            for key in keys(role) {
                if let Ok(usable) = &key.value.key {
                    self.key(usable.thumbprint(), id, &organisation, key.place.into(), report);
                }
            }
            for (place, text) in interface::display_names(role) {
                let held = (kind == Kind::IdentityProvider, text.to_lowercase());
                match self.names.get(&held) {
                    Some(other) if other != id => {
                        report.add(Finding::new(&NAME_TAKEN, place).found(text).expected(other));
                    }
                    Some(_) => {}
                    None => {
                        self.names.insert(held, id.to_owned());
                    }
                }
            }
        }
    }

    fn key(
        &mut self,
        key: KeyThumbprint,
        id: &str,
        organisation: &str,
        place: crate::lint::Place,
        report: &mut Report,
    ) {
        match self.keys.get(&key) {
            None => {
                let owner = Owner { entity: id.to_owned(), organisation: organisation.to_owned() };
                self.keys.insert(key, owner);
            }
            // Both roles of one entity, signing and encryption: one owner.
            Some(owner) if owner.entity == id => {}
            Some(owner) if owner.organisation == organisation => {
                report.add(Finding::new(&KEY_SHARED, place).expected(&owner.entity));
            }
            Some(owner) => {
                let other = format!("{} ({})", owner.entity, owner.organisation);
                report.add(Finding::new(&KEY_OF_ANOTHER, place).expected(other));
            }
        }
    }
}

/// Whose an entity says it is: the number, else the first name, else the host or the whole of its entity ID.
fn organisation(entity: Element<'_>) -> String {
    let stated = entity.child(MD.uri(), "Organization").and_then(|organisation| {
        organisation
            .child(MD.uri(), "Extensions")
            .and_then(|extensions| {
                extensions.child(certs_xml::namespace::MDORGEXT.uri(), "OrganizationNumber")
            })
            .and_then(trimmed)
            .or_else(|| organisation.child(MD.uri(), "OrganizationName").and_then(trimmed))
            .map(|text| text.replace('-', ""))
    });
    stated.unwrap_or_else(|| {
        let id = entity.attribute("entityID").unwrap_or_default();
        crate::address::WebAddress::parse(id)
            .map_or_else(|| id.to_owned(), |address| address.host().to_owned())
    })
}
