//! Rules for return addresses and other links.

use broker_core::organisation::Organisation;

use crate::{
    address::WebAddress,
    lint::{
        report::{Finding, Place, Report},
        rule::{Rule, rules},
        saml::authority::listed,
    },
    oidc::{Registration, pointer},
};

rules! {
    REDIRECT_MISSING = Error "oidc.redirect_uri.missing", "RFC 7591 section 2; RFC 9700 section 2.1",
        what: "Filen har ingen returadress (redirect_uris)." / "The file has no return address (redirect_uris).",
        why: "Svaret skickas bara till en adress som är registrerad." / "The answer is only sent to an address that is registered.",
        fix: "Skriv \"redirect_uris\": [\"https://tjanst.exempelkommun.se/callback\"]." / "Write \"redirect_uris\": [\"https://service.example.se/callback\"].";
    REDIRECT_MALFORMED = Error "oidc.redirect_uri.malformed", "RFC 6749 section 3.1.2; RFC 9700 section 4.1",
        what: "{found} är inte en fullständig webbadress." / "{found} is not a complete web address.",
        why: "Returadressen jämförs tecken för tecken och måste vara skriven på ett enda sätt." / "The return address is compared character by character and must be written in one way only.",
        fix: "Skriv hela adressen: https://, värdnamn och sökväg." / "Write the whole address: https://, host name and path.";
    REDIRECT_FRAGMENT = Error "oidc.redirect_uri.fragment", "RFC 6749 section 3.1.2",
        what: "{found} har ett fragment (#)." / "{found} has a fragment (#).",
        why: "Det som står efter # når aldrig tjänsten." / "What stands after # never reaches the service.",
        fix: "Ta bort # och det som följer." / "Remove the # and what follows.";
    REDIRECT_WILDCARD = Error "oidc.redirect_uri.wildcard", "RFC 9700 section 2.1",
        what: "{found} har ett jokertecken." / "{found} has a wildcard.",
        why: "Returadresser jämförs exakt; ett jokertecken skulle aldrig stämma, och vore farligt om det gjorde det." / "Return addresses are compared exactly; a wildcard would never match, and would be dangerous if it did.",
        fix: "Räkna upp varje adress." / "List each address.";
    REDIRECT_PLAIN_HTTP = Error "oidc.redirect_uri.plain_http", "RFC 9700 section 2.1; OWASP ASVS 5.0 section 12.2.1",
        what: "{found} börjar med http." / "{found} begins with http.",
        why: "Den som lyssnar på nätet kan ta koden ur svaret." / "Whoever listens on the network can take the code from the answer.",
        fix: "Använd https. Bara localhost, namn under localhost och 127.0.0.1 får vara http." / "Use https. Only localhost, names under localhost and 127.0.0.1 may be http.";
    REDIRECT_OUTSIDE = Error "oidc.redirect_uri.outside_domains", "Design decision 8",
        what: "{found} ligger utanför organisationens domäner ({expected})." / "{found} lies outside the organisation's domains ({expected}).",
        why: "Uppgifter om personer skulle skickas till en dator som ingen har visat är organisationens." / "Information about people would be sent to a machine that nobody has shown to be the organisation's.",
        fix: "Rätta adressen, eller be federationsoperatören föra in domänen i organisationsposten." / "Correct the address, or ask the federation operator to put the domain into the organisation record.";
    REDIRECT_LOOPBACK = Warning "oidc.redirect_uri.own_machine", "RFC 8252 section 7.3",
        what: "{found} är en adress på användarens egen dator." / "{found} is an address on the user's own machine.",
        why: "Det duger för utveckling. I drift kan vilket program som helst på datorn ta emot svaret." / "That will do for development. In production any program on the machine can receive the answer.",
        fix: "Ta bort den innan tjänsten tas i drift." / "Remove it before the service goes into production.";
    SECTOR_AMBIGUOUS = Error "oidc.sector.ambiguous", "OIDC Core 8.1",
        what: "Returadresserna har olika värdnamn och filen har inget sector_identifier_uri." / "The return addresses have different host names and the file has no sector_identifier_uri.",
        why: "Värdnamnet avgör vilka tjänster som ser samma sub för en person." / "The host name decides which services see the same sub for a person.",
        fix: "Skriv \"sector_identifier_uri\": \"https://exempelkommun.se/\" med det värdnamn som ska gälla för gott." / "Write \"sector_identifier_uri\": \"https://example.se/\" with the host name that shall hold for good.";
    SECTOR_OUTSIDE = Error "oidc.sector.outside_domains", "OIDC Core 8.1; design decision 8",
        what: "sector_identifier_uri {found} är inte en https-adress inom organisationens domäner ({expected})." / "The sector_identifier_uri {found} is not an https address within the organisation's domains ({expected}).",
        why: "Annars kunde tjänsten ta sig samma sub som en annan organisations tjänster." / "Otherwise the service could take the same sub as another organisation's services.",
        fix: "Skriv en https-adress i en av organisationens domäner." / "Write an https address in one of the organisation's domains.";
    LINK = Error "oidc.link.malformed", "RFC 7591 section 2",
        what: "Länken {found} är inte en fullständig https-adress." / "The link {found} is not a complete https address.",
        why: "Länken visas för den som loggar in." / "The link is shown to who signs in.",
        fix: "Skriv hela adressen, med https:// först." / "Write the whole address, beginning with https://.";
    LINK_OUTSIDE = Warning "oidc.link.outside_domains", "Design decision 8",
        what: "Länken {found} ligger utanför organisationens domäner ({expected})." / "The link {found} lies outside the organisation's domains ({expected}).",
        why: "Den som följer länken lämnar det som organisationen svarar för." / "Who follows the link leaves what the organisation answers for.",
        fix: "Kontrollera att adressen är rätt." / "Check that the address is right.";
}

pub(super) fn check(registration: &Registration, organisation: Option<&Organisation>, report: &mut Report) {
    if registration.redirect_uris.is_empty() {
        report.add(Finding::new(&REDIRECT_MISSING, Place::Pointer(pointer("redirect_uris"))));
    }
    for (index, uri) in registration.redirect_uris.iter().enumerate() {
        let place = Place::Pointer(format!("/redirect_uris/{index}"));
        for (broken, expected) in redirect_faults(uri, organisation) {
            let mut finding = Finding::new(broken, place.clone()).found(uri);
            finding.expected = expected;
            report.add(finding);
        }
    }
    sector(registration, organisation, report);
    for (name, link) in [
        ("client_uri", &registration.client_uri),
        ("policy_uri", &registration.policy_uri),
        ("initiate_login_uri", &registration.initiate_login_uri),
    ] {
        let Some(link) = link else { continue };
        let place = Place::Pointer(pointer(name));
        match WebAddress::parse(link) {
            Some(address) if address.is_private() => {
                let outside =
                    |record: &&Organisation| !address.is_loopback() && !record.owns_host(address.host());
                if let Some(organisation) = organisation.filter(outside) {
                    report.add(
                        Finding::new(&LINK_OUTSIDE, place)
                            .found(link)
                            .expected(listed(&organisation.domains)),
                    );
                }
            }
            _ => report.add(Finding::new(&LINK, place).found(link)),
        }
    }
}

fn redirect_faults(uri: &str, organisation: Option<&Organisation>) -> Vec<(&'static Rule, Option<String>)> {
    if uri.contains('*') {
        return vec![(&REDIRECT_WILDCARD, None)];
    }
    let Some(address) = WebAddress::parse(uri) else {
        return vec![(&REDIRECT_MALFORMED, None)];
    };
    let mut faults = Vec::new();
    if address.has_fragment() {
        faults.push((&REDIRECT_FRAGMENT, None));
    }
    if !address.is_private() {
        faults.push((&REDIRECT_PLAIN_HTTP, None));
    }
    if organisation.is_some_and(|record| record.owns_host(address.host())) {
        // Within the record, whatever it is.
    } else if address.is_loopback() {
        faults.push((&REDIRECT_LOOPBACK, None));
    } else if let Some(organisation) = organisation {
        faults.push((&REDIRECT_OUTSIDE, Some(listed(&organisation.domains))));
    }
    faults
}

fn sector(registration: &Registration, organisation: Option<&Organisation>, report: &mut Report) {
    if let Some(uri) = &registration.sector_identifier_uri {
        let good = WebAddress::parse(uri).is_some_and(|address| {
            address.is_private() && organisation.is_none_or(|record| record.owns_host(address.host()))
        });
        let domains = organisation.map(|record| listed(&record.domains)).unwrap_or_default();
        if !good {
            report.add(
                Finding::new(&SECTOR_OUTSIDE, Place::Pointer(pointer("sector_identifier_uri")))
                    .found(uri)
                    .expected(domains),
            );
        }
    } else if !registration.redirect_uris.is_empty() && crate::oidc::sector_host(registration).is_none() {
        report.add(Finding::new(&SECTOR_AMBIGUOUS, Place::Pointer(pointer("redirect_uris"))));
    }
}
