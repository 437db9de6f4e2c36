//! Rules for what people read and see, in either role: names, descriptions, logos, links, and the organisation.

use std::collections::BTreeSet;

use broker_core::organisation::OrganisationNumber;
use certs_xml::{
    Element,
    namespace::{MD, MDORGEXT, MDUI, XML},
};

use crate::{
    address::WebAddress,
    lint::{
        report::{Finding, Report},
        rule::{Rule, rules},
        saml::Kind,
    },
    saml::trimmed,
};

rules! {
    SP_NAME_SV = Warning [SwedenConnect: Error, Internetstiftelsen: Error] "saml.sp.display_name_sv_missing", "Sweden Connect deployment profile 2.1.1.1; Internetstiftelsen SAML WebSSO 3.1.1",
        what: "E-tjänsten har inget svenskt visningsnamn." / "The service has no Swedish display name.",
        why: "Den som loggar in ska se vilken tjänst det är innan något lämnas ut." / "Who signs in is to see which service it is before anything is released.",
        fix: "Lägg till <mdui:DisplayName xml:lang=\"sv\"> i SPSSODescriptor/Extensions/UIInfo." / "Add <mdui:DisplayName xml:lang=\"sv\"> to SPSSODescriptor/Extensions/UIInfo.";
    NAME_EN = [Saml2int: Warning, SwedenConnect: Note, Internetstiftelsen: Error, Swamid: Error] "saml.interface.display_name_en_missing", "Internetstiftelsen SAML WebSSO 2.1.1 and 3.1.1; SWAMID SAML WebSSO 5.1.3; Sweden Connect deployment profile 2.1.1.1",
        what: "Filen har inget engelskt visningsnamn." / "The file has no English display name.",
        why: "Den som inte läser svenska hittar inte rätt." / "Who does not read Swedish does not find the way.",
        fix: "Lägg till <mdui:DisplayName xml:lang=\"en\"> i rollens Extensions/UIInfo." / "Add <mdui:DisplayName xml:lang=\"en\"> to the role's Extensions/UIInfo.";
    DESCRIPTION_SV = [SwedenConnect: Warning, Internetstiftelsen: Error, Swamid: Warning] "saml.interface.description_sv_missing", "Sweden Connect deployment profile 2.1.1.1; Internetstiftelsen SAML WebSSO 2.1.5 and 3.1.3; SWAMID SAML WebSSO 5.1.17",
        what: "Filen har ingen svensk beskrivning." / "The file has no Swedish description.",
        why: "Den förklarar vad man loggar in till, eller med." / "It explains what one signs in to, or with.",
        fix: "Lägg till <mdui:Description xml:lang=\"sv\"> i rollens Extensions/UIInfo." / "Add <mdui:Description xml:lang=\"sv\"> to the role's Extensions/UIInfo.";
    DESCRIPTION_EN = [SwedenConnect: Note, Internetstiftelsen: Error, Swamid: Error] "saml.interface.description_en_missing", "Internetstiftelsen SAML WebSSO 2.1.5 and 3.1.3; SWAMID SAML WebSSO 5.1.17",
        what: "Filen har ingen engelsk beskrivning." / "The file has no English description.",
        why: "Den förklarar vad man loggar in till, eller med, för den som inte läser svenska." / "It explains what one signs in to, or with, to who does not read Swedish.",
        fix: "Lägg till <mdui:Description xml:lang=\"en\"> i rollens Extensions/UIInfo." / "Add <mdui:Description xml:lang=\"en\"> to the role's Extensions/UIInfo.";
    SP_LOGO = Note [Saml2int: Error, SwedenConnect: Error, Internetstiftelsen: Error, Swamid: Warning] "saml.sp.logo_missing", "SAML2INT SDP-MD09; Sweden Connect deployment profile 2.1.1.1; Internetstiftelsen SAML WebSSO 3.1.3",
        what: "E-tjänsten har ingen logotyp." / "The service has no logo.",
        why: "Legitimeringstjänsten visar den, så att man känner igen tjänsten." / "The identity provider shows it, so that one recognises the service.",
        fix: "Lägg till <mdui:Logo height=\"…\" width=\"…\"> med en https-adress." / "Add <mdui:Logo height=\"…\" width=\"…\"> with an https address.";
    LOGO_DATA = [Internetstiftelsen: Error] "saml.interface.logo_data", "Internetstiftelsen SAML WebSSO 2.1.5 and 3.1.3",
        what: "Logotypen ligger i filen (data:)." / "The logo lies within the file (data:).",
        why: "Den här federationen tillåter bara https-adresser; Sweden Connect och SAML2INT tillåter båda." / "This federation only allows https addresses; Sweden Connect and SAML2INT allow both.",
        fix: "Lägg bilden på en webbplats och skriv dess https-adress." / "Put the picture on a web site and write its https address.";
    LOGO_PLAIN = Note [Saml2int: Error, SwedenConnect: Warning, Internetstiftelsen: Error, Swamid: Error] "saml.interface.logo_not_https", "SAML2INT SDP-MD09; Internetstiftelsen SAML WebSSO 2.1.5 and 3.1.3; SWAMID SAML WebSSO 5.1.17",
        what: "Logotypens adress är {found}, inte en https-adress." / "The address of the logo is {found}, not an https address.",
        why: "Webbläsaren varnar för sidor som hämtar bilder öppet, och bilden kan bytas ut på vägen." / "Browsers warn of pages that fetch pictures in the open, and the picture can be replaced on the way.",
        fix: "Skriv en https-adress." / "Write an https address.";
    LINK = Warning "saml.interface.link_malformed", "SAML Metadata UI 2.1.5 and 2.1.6; SAML Metadata 2.3.2.1",
        what: "Länken {found} är inte en fullständig webbadress." / "The link {found} is not a complete web address.",
        why: "Länken visas för den som loggar in, men går inte att följa. Adresser som javascript: visas aldrig." / "The link is shown to who signs in, but cannot be followed. Addresses such as javascript: are never shown.",
        fix: "Skriv hela adressen, med https:// först." / "Write the whole address, beginning with https://.";
    INFORMATION_URL = [Swamid: Error] "saml.interface.information_url_missing", "SWAMID SAML WebSSO 5.1.17",
        what: "mdui:InformationURL saknas." / "mdui:InformationURL is missing.",
        why: "Den leder till en sida om tjänsten." / "It leads to a page about the system.",
        fix: "Lägg till <mdui:InformationURL xml:lang=\"en\">." / "Add <mdui:InformationURL xml:lang=\"en\">.";
    SP_PRIVACY_URL = [Saml2int: Error, Swamid: Error] "saml.sp.privacy_statement_missing", "SAML2INT SDP-MD10; SWAMID SAML WebSSO 5.1.17",
        what: "mdui:PrivacyStatementURL saknas." / "mdui:PrivacyStatementURL is missing.",
        why: "Den säger vad som händer med de uppgifter som lämnas." / "It says what happens to the information that is released.",
        fix: "Lägg till <mdui:PrivacyStatementURL xml:lang=\"en\">." / "Add <mdui:PrivacyStatementURL xml:lang=\"en\">.";
    IDP_PRIVACY_URL = [Swamid: Error] "saml.idp.privacy_statement_missing", "SWAMID SAML WebSSO 5.1.17",
        what: "mdui:PrivacyStatementURL saknas." / "mdui:PrivacyStatementURL is missing.",
        why: "Den säger hur legitimeringstjänsten behandlar personuppgifter." / "It says how the identity provider handles personal data.",
        fix: "Lägg till <mdui:PrivacyStatementURL xml:lang=\"en\">." / "Add <mdui:PrivacyStatementURL xml:lang=\"en\">.";
    LANGUAGES = [Internetstiftelsen: Error] "saml.interface.languages_differ", "Internetstiftelsen SAML WebSSO 2.1.1 and 3.1.1",
        what: "<{found}> finns inte på samma språk som resten ({expected})." / "<{found}> is not there in the same languages as the rest ({expected}).",
        why: "En sida på ett språk ska inte ha enstaka texter på ett annat." / "A page in one language is not to have single texts in another.",
        fix: "Skriv varje text på {expected}." / "Write each text in {expected}.";
    LANGUAGE_TWICE = Warning [Saml2int: Error, SwedenConnect: Error, Internetstiftelsen: Error, Swamid: Error] "saml.interface.language_twice", "SAML Metadata UI 2.1; Internetstiftelsen SAML WebSSO 2.1.1 and 3.1.1",
        what: "<{found}> står två gånger på samma språk." / "<{found}> stands twice in one language.",
        why: "Olika parter visar då olika texter." / "Different parties then show different texts.",
        fix: "Behåll en av dem." / "Keep one of them.";
    ORGANISATION_MISSING = [SwedenConnect: Error, Internetstiftelsen: Error, Swamid: Error] "saml.organisation.missing", "Sweden Connect deployment profile 2.1.1.1; Internetstiftelsen SAML WebSSO 2.1.9 and 3.1.7",
        what: "Filen säger inte vems den är (Organization)." / "The file does not say whose it is (Organization).",
        why: "Federationen jämför med avtalet." / "The federation compares with the agreement.",
        fix: "Lägg till md:Organization med OrganizationName, OrganizationDisplayName och OrganizationURL." / "Add md:Organization with OrganizationName, OrganizationDisplayName and OrganizationURL.";
    ORGANISATION_SV = [SwedenConnect: Error, Internetstiftelsen: Error, Swamid: Warning] "saml.organisation.swedish_missing", "Sweden Connect deployment profile 2.1.1.1; Internetstiftelsen SAML WebSSO 2.1.9 and 3.1.7",
        what: "Organization saknar <{found}> på svenska." / "Organization lacks <{found}> in Swedish.",
        why: "Alla tre krävs: namnet enligt avtalet, namnet som visas, och adressen." / "All three are needed: the name as in the agreement, the name that is shown, and the address.",
        fix: "Lägg till <{found} xml:lang=\"sv\">." / "Add <{found} xml:lang=\"sv\">.";
    ORGANISATION_EN = [Internetstiftelsen: Error, Swamid: Error] "saml.organisation.english_missing", "Internetstiftelsen SAML WebSSO 2.1.9 and 3.1.7; SWAMID SAML WebSSO 5.1.4",
        what: "Organization saknar <{found}> på engelska." / "Organization lacks <{found}> in English.",
        why: "Federationen visar texterna på båda språken." / "The federation shows the texts in both languages.",
        fix: "Lägg till <{found} xml:lang=\"en\">." / "Add <{found} xml:lang=\"en\">.";
    NUMBER_MALFORMED = Warning [SwedenConnect: Error] "saml.organisation.number_malformed", "Sweden Connect rules 3.1",
        what: "OrganizationNumber är {found}, inte ett organisationsnummer." / "The OrganizationNumber is {found}, not an organisation number.",
        why: "Numret är tio siffror utan bindestreck, med rätt kontrollsiffra." / "The number is ten digits without hyphen, with the right check digit.",
        fix: "Skriv till exempel 2120001355, med ert nummer." / "Write for example 2120001355, with your number.";
}

/// `UIInfo` of a role.
pub(super) fn interface(role: Element<'_>) -> Option<Element<'_>> {
    role.child(MD.uri(), "Extensions").and_then(|extensions| extensions.child(MDUI.uri(), "UIInfo"))
}

/// The language of an element, in lower case.
fn language(element: Element<'_>) -> String {
    element.attribute_in(XML.uri(), "lang").unwrap_or_default().to_ascii_lowercase()
}

/// Whether `holder` has the element with a text in that language.
fn has(holder: Option<Element<'_>>, namespace: &str, name: &str, wanted: &str) -> bool {
    holder.is_some_and(|holder| {
        holder.children_named(namespace, name).any(|child| {
            let tag = language(child);
            trimmed(child).is_some() && (tag == wanted || tag.split('-').next() == Some(wanted))
        })
    })
}

pub(super) fn check(role: Element<'_>, kind: Kind, report: &mut Report) {
    let info = interface(role);
    let place = info.map_or_else(|| role.position(), Element::position);
    let mut need = |rule: &'static Rule, name: &str, language: &str| {
        if !has(info, MDUI.uri(), name, language) {
            report.add(Finding::new(rule, place));
        }
    };
    if kind == Kind::ServiceProvider {
        need(&SP_NAME_SV, "DisplayName", "sv");
    }
    need(&NAME_EN, "DisplayName", "en");
    need(&DESCRIPTION_SV, "Description", "sv");
    need(&DESCRIPTION_EN, "Description", "en");
    let child = |name| {
        info.is_some_and(|info| info.children_named(MDUI.uri(), name).any(|child| trimmed(child).is_some()))
    };
    if kind == Kind::ServiceProvider && !child("Logo") {
        report.add(Finding::new(&SP_LOGO, place));
    }
    if !child("InformationURL") {
        report.add(Finding::new(&INFORMATION_URL, place));
    }
    if !child("PrivacyStatementURL") {
        let rule = match kind {
            Kind::ServiceProvider => &SP_PRIVACY_URL,
            Kind::IdentityProvider => &IDP_PRIVACY_URL,
        };
        report.add(Finding::new(rule, place));
    }
    let Some(info) = info else { return };
    for logo in info.children_named(MDUI.uri(), "Logo") {
        let address = trimmed(logo).unwrap_or_default();
        if address.starts_with("data:") {
            report.add(Finding::new(&LOGO_DATA, logo.position()));
        } else if !WebAddress::parse(address).is_some_and(|address| address.is_https()) {
            report.add(Finding::new(&LOGO_PLAIN, logo.position()).found(address));
        }
    }
    for name in ["InformationURL", "PrivacyStatementURL"] {
        links(info.children_named(MDUI.uri(), name), report);
    }
    languages(info, &["DisplayName", "Description", "InformationURL", "PrivacyStatementURL"], report);
}

fn links<'d>(elements: impl Iterator<Item = Element<'d>>, report: &mut Report) {
    for element in elements {
        let address = trimmed(element).unwrap_or_default();
        if WebAddress::parse(address).is_none() {
            report.add(Finding::new(&LINK, element.position()).found(address));
        }
    }
}

/// Each text once in each language, and all in the same.
fn languages(holder: Element<'_>, names: &[&str], report: &mut Report) {
    let of = |name: &str| {
        holder.children().filter(|child| child.local_name() == name).collect::<Vec<_>>().into_iter()
    };
    let all: BTreeSet<String> = names.iter().flat_map(|name| of(name).map(language)).collect();
    for name in names {
        let mut seen = BTreeSet::new();
        for element in of(name) {
            if !seen.insert(language(element)) {
                report.add(Finding::new(&LANGUAGE_TWICE, element.position()).found(element.qualified_name()));
            }
        }
        if let Some(first) = of(name).next()
            && seen != all
        {
            let wanted = all.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            report.add(
                Finding::new(&LANGUAGES, first.position()).found(first.qualified_name()).expected(wanted),
            );
        }
    }
}

const ORGANISATION: [&str; 3] = ["OrganizationName", "OrganizationDisplayName", "OrganizationURL"];

pub(super) fn check_organisation(entity: Element<'_>, report: &mut Report) {
    let Some(organisation) = entity.child(MD.uri(), "Organization") else {
        report.add(Finding::new(&ORGANISATION_MISSING, entity.position()));
        return;
    };
    for (rule, wanted) in [(&ORGANISATION_SV, "sv"), (&ORGANISATION_EN, "en")] {
        for name in ORGANISATION {
            if !has(Some(organisation), MD.uri(), name, wanted) {
                report.add(Finding::new(rule, organisation.position()).found(name));
            }
        }
    }
    links(organisation.children_named(MD.uri(), "OrganizationURL"), report);
    languages(organisation, &ORGANISATION, report);
    let number = organisation
        .child(MD.uri(), "Extensions")
        .and_then(|extensions| extensions.child(MDORGEXT.uri(), "OrganizationNumber"));
    if let Some(number) = number {
        let written = number.text().unwrap_or_default().trim();
        if written.len() != 10 || OrganisationNumber::parse(written).is_none() {
            report.add(Finding::new(&NUMBER_MALFORMED, number.position()).found(written));
        }
    }
}
