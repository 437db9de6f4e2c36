//! Rules for what people see.

use broker_core::{identifier::Language, organisation::LocalText};
use certs_xml::{
    Element,
    namespace::{MD, MDUI},
};

use crate::{
    lint::{
        report::{Finding, Place, Report},
        rule::rules,
    },
    peer::ContactKind,
    saml::{IdentityProvider, trimmed},
    words::for_people,
};

rules! {
    NAME_MISSING = Warning [SwedenConnect: Error, Internetstiftelsen: Error] "saml.idp.display_name_sv_missing", "Sweden Connect deployment profile 2.1.1.1",
        what: "Filen har inget svenskt visningsnamn." / "The file has no Swedish display name.",
        why: "Personalen hittar inte sin organisation där man väljer, om den heter något annat än de är vana vid." / "Staff do not find their organisation where they choose if it is called something else than they are used to.",
        fix: "Lägg till <mdui:DisplayName xml:lang=\"sv\"> i IDPSSODescriptor/Extensions/UIInfo." / "Add <mdui:DisplayName xml:lang=\"sv\"> to IDPSSODescriptor/Extensions/UIInfo.";
    CONTACT_MISSING = Note "saml.idp.contact_missing", "SAML2INT SDP-MD08",
        what: "Filen har ingen kontakt för teknik eller support." / "The file has no technical or support contact.",
        why: "Den som inte kan logga in får inte veta vem som kan hjälpa, och vi vet inte vem vi ska varna." / "Who cannot sign in is not told who can help, and we do not know whom to warn.",
        fix: "Lägg till ett ContactPerson med contactType=\"support\" och en funktionsadress." / "Add a ContactPerson with contactType=\"support\" and the address of a desk.";
    LOGO_MISSING = Note [Saml2int: Error, SwedenConnect: Error, Internetstiftelsen: Error, Swamid: Warning] "saml.idp.logo_missing", "Sweden Connect deployment profile 2.1.1.1",
        what: "Filen har ingen logotyp." / "The file has no logo.",
        why: "Andra federationer kräver en, och den gör det lättare att välja rätt." / "Other federations demand one, and it makes choosing easier.",
        fix: "Lägg gärna till <mdui:Logo> med en https-adress." / "You may add <mdui:Logo> with an https address.";
}

pub(super) fn check(provider: &IdentityProvider, report: &mut Report) {
    if !has_swedish(&provider.interface.display_name) {
        report.add(Finding::new(&NAME_MISSING, provider.role_place));
    }
    let reachable = provider.contacts.iter().any(|contact| {
        matches!(contact.kind, ContactKind::Technical | ContactKind::Support)
            && (contact.email.is_some() || contact.telephone.is_some())
    });
    if !reachable {
        report.add(Finding::new(&CONTACT_MISSING, provider.place));
    }
    if provider.interface.logos.is_empty() {
        report.add(Finding::new(&LOGO_MISSING, provider.role_place));
    }
}

pub(crate) fn has_swedish(text: &LocalText) -> bool {
    Language::from_tag("sv").is_some_and(|swedish| text.0.contains_key(&swedish))
}

/// The names of a role that people see, each with its place.
pub(crate) fn display_names(role: Element<'_>) -> Vec<(Place, String)> {
    role.child(MD.uri(), "Extensions")
        .and_then(|extensions| extensions.child(MDUI.uri(), "UIInfo"))
        .into_iter()
        .flat_map(|info| info.children_named(MDUI.uri(), "DisplayName"))
        .filter_map(|name| Some((name.position().into(), for_people(trimmed(name)?))))
        .collect()
}
