//! Rules for where the provider takes its requests.

use broker_core::organisation::Organisation;

use crate::{
    address::WebAddress,
    lint::{
        report::{Finding, Report},
        rule::rules,
    },
    peer::SamlBinding,
    saml::IdentityProvider,
};

rules! {
    SSO_MISSING = Error "saml.idp.sso_missing", "SAML Metadata 2.4.3; Sweden Connect deployment profile 5.2",
        what: "Ingen adress för inloggning över HTTP-Redirect eller HTTP-POST." / "There is no address for signing in over HTTP-Redirect or HTTP-POST.",
        why: "Det finns ingenstans att skicka den som vill logga in." / "There is nowhere to send who wants to sign in.",
        fix: "Lägg till ett SingleSignOnService med en av de två bindningarna." / "Add a SingleSignOnService with one of the two bindings.";
    LOCATION_MALFORMED = Error "saml.idp.sso_location_malformed", "SAML Metadata 2.2.2",
        what: "Adressen {found} är inte en fullständig webbadress." / "The address {found} is not a complete web address.",
        why: "Webbläsaren kan inte skickas dit." / "The browser cannot be sent there.",
        fix: "Skriv hela adressen, med https:// först." / "Write the whole address, beginning with https://.";
    LOCATION_PLAIN_HTTP = Error "saml.idp.sso_plain_http", "OWASP ASVS 5.0 section 12.2.1",
        what: "Adressen {found} börjar med http." / "The address {found} begins with http.",
        why: "Den som lyssnar på nätet kan läsa och ändra inloggningen." / "Whoever listens on the network can read and change the login.",
        fix: "Använd https. Bara adresser på den egna datorn (localhost) får vara http." / "Use https. Only addresses on one's own machine (localhost) may be http.";
    LOCATION_OUTSIDE = Error "saml.idp.sso_outside_domains", "Design decision 8",
        what: "Adressen {found} ligger utanför organisationens domäner ({expected})." / "The address {found} lies outside the organisation's domains ({expected}).",
        why: "Personalen skulle skickas till en dator som ingen har visat är er." / "Staff would be sent to a machine that nobody has shown to be yours.",
        fix: "Rätta adressen, eller be federationsoperatören föra in domänen i organisationsposten." / "Correct the address, or ask the federation operator to put the domain into the organisation record.";
    ERROR_URL = Warning "saml.idp.error_url_malformed", "SAML Metadata 2.4.1",
        what: "errorURL är {found}, vilket inte är en fullständig webbadress." / "The errorURL is {found}, which is not a complete web address.",
        why: "Den som inte kan logga in får då ingen länk till er hjälp." / "Who cannot sign in then gets no link to your help.",
        fix: "Skriv hela adressen, med https:// först." / "Write the whole address, beginning with https://.";
}

pub(super) fn check(provider: &IdentityProvider, organisation: Option<&Organisation>, report: &mut Report) {
    let usable = |binding: &SamlBinding| matches!(binding, SamlBinding::Redirect | SamlBinding::Post);
    if !provider.single_sign_on.iter().any(|endpoint| usable(&endpoint.value.binding)) {
        report.add(Finding::new(&SSO_MISSING, provider.role_place));
    }
    for endpoint in &provider.single_sign_on {
        // What is never used may be anything: unknown bindings do not block.
        if !usable(&endpoint.value.binding) {
            continue;
        }
        let location = &endpoint.value.location;
        let Some(address) = WebAddress::parse(location) else {
            report.add(Finding::new(&LOCATION_MALFORMED, endpoint.place).found(location));
            continue;
        };
        if !address.is_private() {
            report.add(Finding::new(&LOCATION_PLAIN_HTTP, endpoint.place).found(location));
        }
        if let Some(organisation) = organisation.filter(|record| !record.owns_host(address.host())) {
            report.add(
                Finding::new(&LOCATION_OUTSIDE, endpoint.place)
                    .found(location)
                    .expected(super::authority::listed(&organisation.domains)),
            );
        }
    }
    if let Some(url) = &provider.error_url
        && WebAddress::parse(&url.value).is_none()
    {
        report.add(Finding::new(&ERROR_URL, url.place).found(&url.value));
    }
}
