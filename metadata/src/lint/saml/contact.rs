//! Rules for whom to turn to.

use certs_xml::{
    Element,
    namespace::{MD, REMD},
};

use crate::{
    lint::{
        report::{Finding, Report},
        rule::{Rule, rules},
        saml::category,
    },
    saml::trimmed,
};

/// REFEDS: the contact for incidents.
const SECURITY: &str = "http://refeds.org/metadata/contactType/security";

rules! {
    TECHNICAL = [Saml2int: Error, Internetstiftelsen: Error, Swamid: Error] "saml.contact.technical_missing", "SAML2INT SDP-MD11; Internetstiftelsen SAML WebSSO 2.1.10 and 3.1.8; SWAMID SAML WebSSO",
        what: "Filen har ingen teknisk kontakt med e-postadress." / "The file has no technical contact with an e-mail address.",
        why: "Det är den som varnas när en nyckel eller adress är på väg att sluta fungera." / "That is who is warned when a key or an address is about to stop working.",
        fix: "Lägg till ett ContactPerson med contactType=\"technical\" och EmailAddress mailto:…" / "Add a ContactPerson with contactType=\"technical\" and EmailAddress mailto:…";
    ADMINISTRATIVE = [Internetstiftelsen: Error, Swamid: Error] "saml.contact.administrative_missing", "Internetstiftelsen SAML WebSSO 2.1.10 and 3.1.8; SWAMID SAML WebSSO",
        what: "Filen har ingen administrativ kontakt med e-postadress." / "The file has no administrative contact with an e-mail address.",
        why: "Det är den som federationen talar med om avtal och ansvar." / "That is whom the federation talks to about agreements and responsibility.",
        fix: "Lägg till ett ContactPerson med contactType=\"administrative\" och EmailAddress mailto:…" / "Add a ContactPerson with contactType=\"administrative\" and EmailAddress mailto:…";
    SUPPORT = [Internetstiftelsen: Error, Swamid: Warning] "saml.contact.support_missing", "Internetstiftelsen SAML WebSSO 2.1.10 and 3.1.8",
        what: "Filen har ingen supportkontakt med e-postadress." / "The file has no support contact with an e-mail address.",
        why: "Den som inte kan logga in får inte veta vem som kan hjälpa." / "Who cannot sign in is not told who can help.",
        fix: "Lägg till ett ContactPerson med contactType=\"support\" och EmailAddress mailto:…" / "Add a ContactPerson with contactType=\"support\" and EmailAddress mailto:…";
    SEVERAL = [Internetstiftelsen: Error] "saml.contact.several_of_one_kind", "Internetstiftelsen SAML WebSSO 2.1.10 and 3.1.8",
        what: "Filen har flera kontakter av slaget {found}." / "The file has several contacts of the kind {found}.",
        why: "Federationen kräver exakt en av varje, så att det är klart vem som svarar." / "The federation demands exactly one of each, so that it is clear who answers.",
        fix: "Behåll en, helst en funktionsadress." / "Keep one, preferably the address of a desk.";
    MAILTO = Note [Internetstiftelsen: Error, Swamid: Error] "saml.contact.mailto_missing", "SAML Metadata 2.3.2.2; Internetstiftelsen SAML WebSSO 2.1.10 and 3.1.8",
        what: "E-postadressen {found} börjar inte med mailto:." / "The e-mail address {found} does not begin with mailto:.",
        why: "Fältet är en URI, och somliga läser det bara så." / "The field is a URI, and some only read it as one.",
        fix: "Skriv mailto:{found}." / "Write mailto:{found}.";
    SIRTFI = Warning [Swamid: Error] "saml.contact.security_missing", "REFEDS Sirtfi 1.0 and 2.0",
        what: "Filen påstår Sirtfi men har ingen säkerhetskontakt." / "The file claims Sirtfi but has no security contact.",
        why: "Sirtfi betyder att någon svarar när något har hänt; utan kontakt går det inte att nå dem." / "Sirtfi means that somebody answers when something has happened; without a contact nobody can reach them.",
        fix: "Lägg till ett ContactPerson med contactType=\"other\" och remd:contactType=\"http://refeds.org/metadata/contactType/security\"." / "Add a ContactPerson with contactType=\"other\" and remd:contactType=\"http://refeds.org/metadata/contactType/security\".";
}

pub(super) fn check(entity: Element<'_>, report: &mut Report) {
    // Contacts of a role count for its entity.
    let people: Vec<_> = entity.subtree().filter(|element| element.is(MD.uri(), "ContactPerson")).collect();
    let of = |kind: &str| {
        let kind = kind.to_owned();
        people.iter().filter(move |person| person.attribute("contactType") == Some(kind.as_str()))
    };
    let email = |person: &Element<'_>| person.child(MD.uri(), "EmailAddress").and_then(trimmed).is_some();
    let kinds: [(&str, &'static Rule); 3] =
        [("technical", &TECHNICAL), ("administrative", &ADMINISTRATIVE), ("support", &SUPPORT)];
    for (kind, missing) in kinds {
        if !of(kind).any(email) {
            report.add(Finding::new(missing, entity.position()));
        }
        let own = of(kind).filter(|person| person.parent() == Some(entity));
        if let Some(second) = own.clone().nth(1) {
            report.add(Finding::new(&SEVERAL, second.position()).found(kind));
        }
    }
    for person in &people {
        for address in person.children_named(MD.uri(), "EmailAddress") {
            if let Some(written) = trimmed(address).filter(|written| !written.starts_with("mailto:")) {
                report.add(Finding::new(&MAILTO, address.position()).found(written));
            }
        }
    }
    let security = people
        .iter()
        .any(|person| person.attribute_in(REMD.uri(), "contactType") == Some(SECURITY) && email(person));
    if let Some(claim) = category::assurance(entity)
        .into_iter()
        .find(|uri| matches!(uri.value.as_str(), "https://refeds.org/sirtfi" | "https://refeds.org/sirtfi2"))
        && !security
    {
        report.add(Finding::new(&SIRTFI, claim.place));
    }
}
