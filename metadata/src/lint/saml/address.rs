//! Rules for names and addresses of either role. `endpoint.rs` has those for where an identity provider takes requests.

use std::collections::BTreeSet;

use certs_xml::{
    Element,
    namespace::{IDPDISC, MD},
};

use crate::{
    address::WebAddress,
    lint::{
        report::{Finding, Report},
        rule::rules,
        saml::Kind,
    },
    saml::boolean,
};

const BINDINGS: &str = "urn:oasis:names:tc:SAML:2.0:bindings:";
const POST: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";
const REDIRECT: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";
const HOLDER_OF_KEY: &str = "urn:oasis:names:tc:SAML:2.0:profiles:holder-of-key:SSO:browser";
/// SAML 2.0 holder-of-key web browser SSO profile, 2.7.
const HOKSSO: &str = "urn:oasis:names:tc:SAML:2.0:profiles:holder-of-key:SSO:browser";

rules! {
    ID_LONG = Warning [Saml2int: Error, SwedenConnect: Error, Internetstiftelsen: Error, Swamid: Error] "saml.entity.id_too_long", "SAML2INT SDP-G04; Internetstiftelsen SAML WebSSO 2.1.2 and 3.1.2; SWAMID SAML WebSSO 5.1.8",
        what: "entityID är längre än 256 tecken." / "The entityID is longer than 256 characters.",
        why: "Andra parter behöver inte ta emot fler." / "Other parties need not take more.",
        fix: "Välj ett kortare namn." / "Choose a shorter name.";
    ID_SCHEME = [Saml2int: Error, SwedenConnect: Error, Internetstiftelsen: Error, Swamid: Error] "saml.entity.id_scheme", "SAML2INT SDP-G04; Internetstiftelsen SAML WebSSO 2.1.2 and 3.1.2; SWAMID SAML WebSSO 5.1.8",
        what: "entityID {found} är varken en webbadress eller en urn." / "The entityID {found} is neither a web address nor a urn.",
        why: "Namnet ska vara en absolut URI, så att det inte kan förväxlas med någon annans." / "The name is to be an absolute URI, so that it cannot be confused with another's.",
        fix: "Välj en https-adress i er egen domän." / "Choose an https address in your own domain.";
    ID_URN = [Internetstiftelsen: Warning, Swamid: Warning] "saml.entity.id_urn", "Internetstiftelsen SAML WebSSO 2.1.2 and 3.1.2",
        what: "entityID {found} är en urn." / "The entityID {found} is a urn.",
        why: "Det går inte att se vems den är; en https-adress visar domänen." / "Nobody can see whose it is; an https address shows the domain.",
        fix: "Välj en https-adress i er domän nästa gång ni byter." / "Choose an https address in your domain when you next change it.";
    LOCATION = Warning [Saml2int: Error, SwedenConnect: Error, Internetstiftelsen: Error, Swamid: Error] "saml.endpoint.location_malformed", "SAML Metadata 2.2.2",
        what: "Adressen {found} är inte en fullständig webbadress." / "The address {found} is not a complete web address.",
        why: "Webbläsaren kan inte skickas dit." / "The browser cannot be sent there.",
        fix: "Skriv hela adressen, med https:// först." / "Write the whole address, beginning with https://.";
    PLAIN_HTTP = Warning [Saml2int: Error, SwedenConnect: Error, Internetstiftelsen: Error, Swamid: Error] "saml.endpoint.plain_http", "Internetstiftelsen SAML WebSSO 2.1.7 and 3.1.5; SAML2INT SDP-SP09; OWASP ASVS 5.0 section 12.2.1",
        what: "Adressen {found} börjar med http." / "The address {found} begins with http.",
        why: "Den som lyssnar på nätet kan läsa och ändra inloggningen." / "Whoever listens on the network can read and change the login.",
        fix: "Använd https. Bara adresser på den egna datorn (localhost) får vara http." / "Use https. Only addresses on one's own machine (localhost) may be http.";
    SSO_REDIRECT = [Saml2int: Error, SwedenConnect: Error] "saml.idp.sso_redirect_missing", "SAML2INT SDP-IDP02; Sweden Connect deployment profile 5.2",
        what: "Legitimeringstjänsten tar inte emot begäranden med HTTP-Redirect." / "The identity provider takes no requests by HTTP-Redirect.",
        why: "De flesta e-tjänster skickar sin begäran så." / "Most services send their request that way.",
        fix: "Lägg till ett SingleSignOnService med bindningen HTTP-Redirect." / "Add a SingleSignOnService with the binding HTTP-Redirect.";
    SSO_POST = [SwedenConnect: Error] "saml.idp.sso_post_missing", "Sweden Connect deployment profile 5.2",
        what: "Legitimeringstjänsten tar inte emot begäranden med HTTP-POST." / "The identity provider takes no requests by HTTP-POST.",
        why: "Stora begäranden, som de från signaturtjänster, ryms inte i en adress." / "Large requests, such as those of signature services, do not fit into an address.",
        fix: "Lägg till ett SingleSignOnService med bindningen HTTP-POST." / "Add a SingleSignOnService with the binding HTTP-POST.";
    LOGOUT = [Saml2int: Warning] "saml.idp.logout_missing", "SAML2INT SDP-IDP21 and SDP-IDP33",
        what: "Legitimeringstjänsten har inget SingleLogoutService." / "The identity provider has no SingleLogoutService.",
        why: "Den som loggar ut ur en tjänst kan då inte logga ut ur sin legitimeringstjänst." / "Who signs out of a service can then not sign out of the identity provider.",
        fix: "Lägg till ett SingleLogoutService med bindningen HTTP-Redirect, om tjänsten har utloggning." / "Add a SingleLogoutService with the binding HTTP-Redirect, if the system has logout.";
    ERROR_URL_MISSING = [Saml2int: Error, Internetstiftelsen: Error, Swamid: Error] "saml.idp.error_url_missing", "SAML2INT SDP-MD12; Internetstiftelsen SAML WebSSO 2.1.3; SWAMID SAML WebSSO 5.1.13",
        what: "errorURL saknas." / "The errorURL is missing.",
        why: "Den som inte kommer in skickas dit för att få hjälp av sin egen organisation." / "Who does not get in is sent there to be helped by their own organisation.",
        fix: "Lägg till errorURL=\"https://…\" på IDPSSODescriptor." / "Add errorURL=\"https://…\" to IDPSSODescriptor.";
    ERROR_URL_PLAIN = [Saml2int: Error, Internetstiftelsen: Error, Swamid: Error] "saml.idp.error_url_not_https", "SAML2INT SDP-MD12; Internetstiftelsen SAML WebSSO 2.1.3",
        what: "errorURL är {found}, inte en https-adress." / "The errorURL is {found}, not an https address.",
        why: "Adressen bär uppgifter om vad som gick fel." / "The address carries information about what went wrong.",
        fix: "Skriv en https-adress." / "Write an https address.";
    ERROR_URL_PLACEHOLDER = Warning "saml.idp.error_url_placeholder", "REFEDS SAML V2.0 Metadata Deployment Profile for errorURL 1.0 section 3",
        what: "errorURL har en okänd plats att fylla i: {found}." / "The errorURL has an unknown place to fill in: {found}.",
        why: "Bara ERRORURL_CODE, ERRORURL_TS, ERRORURL_RP, ERRORURL_TID och ERRORURL_CTX byts ut; allt annat skickas som det står." / "Only ERRORURL_CODE, ERRORURL_TS, ERRORURL_RP, ERRORURL_TID and ERRORURL_CTX are replaced; anything else is sent as it stands.",
        fix: "Rätta stavningen." / "Correct the spelling.";
    HOLDER_OF_KEY_BINDING = Warning [SwedenConnect: Error] "saml.endpoint.holder_of_key_binding", "Sweden Connect deployment profile 2.1.2.1 and 2.1.3.2",
        what: "Adressen för holder-of-key saknar hoksso:ProtocolBinding." / "The address for holder-of-key lacks hoksso:ProtocolBinding.",
        why: "Då vet ingen med vilken bindning meddelandet skickas." / "Then nobody knows by which binding the message is sent.",
        fix: "Lägg till hoksso:ProtocolBinding med den verkliga bindningen." / "Add hoksso:ProtocolBinding with the real binding.";
    ACS_MISSING = Error "saml.sp.acs_missing", "SAML Metadata 2.4.4; SAML Profiles 4.1.3.5",
        what: "E-tjänsten har inget AssertionConsumerService med HTTP-POST." / "The service has no AssertionConsumerService with HTTP-POST.",
        why: "Svaret på en inloggning postas dit." / "The answer to a login is posted there.",
        fix: "Lägg till ett AssertionConsumerService med bindningen HTTP-POST." / "Add an AssertionConsumerService with the binding HTTP-POST.";
    ACS_LOCATION = Error "saml.sp.acs_location_malformed", "SAML Metadata 2.2.2",
        what: "Svarsadressen {found} är inte en fullständig webbadress." / "The address for answers, {found}, is not a complete web address.",
        why: "Svar skickas bara till en registrerad adress, tecken för tecken." / "Answers are only sent to a registered address, character by character.",
        fix: "Skriv hela adressen, med https:// först." / "Write the whole address, beginning with https://.";
    ACS_REDIRECT = Warning [SwedenConnect: Error, Internetstiftelsen: Error] "saml.sp.acs_redirect", "SAML Profiles 4.1.2; Internetstiftelsen SAML WebSSO 3.1.5",
        what: "Ett AssertionConsumerService har bindningen HTTP-Redirect." / "An AssertionConsumerService has the binding HTTP-Redirect.",
        why: "Svar får inte skickas i en adress: de ryms inte, och de syns i loggar." / "Answers must not be sent in an address: they do not fit, and they show in logs.",
        fix: "Ta bort raden." / "Remove the line.";
    ACS_INDEX = Warning [Saml2int: Error] "saml.sp.acs_ambiguous", "SAML Metadata 2.2.3",
        what: "Två AssertionConsumerService har {found}." / "Two AssertionConsumerService have {found}.",
        why: "Då väljer olika parter olika adresser." / "Then different parties choose different addresses.",
        fix: "Ge varje adress ett eget index, och högst en isDefault=\"true\"." / "Give each address an index of its own, and at most one isDefault=\"true\".";
    DISCOVERY_MISSING = [SwedenConnect: Note] "saml.sp.discovery_response_missing", "Sweden Connect deployment profile 2.1.2",
        what: "E-tjänsten har ingen idpdisc:DiscoveryResponse." / "The service has no idpdisc:DiscoveryResponse.",
        why: "Den krävs av den som använder en gemensam tjänst för att välja legitimeringstjänst." / "It is demanded of who uses a shared service for choosing the identity provider.",
        fix: "Lägg till den i SPSSODescriptor/Extensions om ni använder en sådan tjänst." / "Add it to SPSSODescriptor/Extensions if you use such a service.";
    DISCOVERY_BROKEN = Warning [SwedenConnect: Error] "saml.sp.discovery_response_malformed", "SAML Identity Provider Discovery Service Protocol 2.5",
        what: "DiscoveryResponse har fel bindning eller adress: {found}." / "The DiscoveryResponse has a wrong binding or address: {found}.",
        why: "Valtjänsten skickar bara tillbaka till en adress som står här." / "The discovery service only sends back to an address that stands here.",
        fix: "Sätt Binding till urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol och Location till hela https-adressen." / "Set Binding to urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol and Location to the whole https address.";
}

pub(super) fn check_name(entity: Element<'_>, report: &mut Report) {
    let id = entity.attribute("entityID").unwrap_or_default();
    if id.chars().count() > 256 {
        report.add(Finding::new(&ID_LONG, entity.position()));
    }
    let scheme = id.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        Some("urn") => report.add(Finding::new(&ID_URN, entity.position()).found(id)),
        Some("http" | "https") if WebAddress::parse(id).is_some() => {}
        _ => report.add(Finding::new(&ID_SCHEME, entity.position()).found(id)),
    }
}

pub(super) fn check(role: Element<'_>, kind: Kind, report: &mut Report) {
    for endpoint in role.children().filter(|child| child.namespace() == MD.uri()) {
        if let Some(binding) = endpoint.attribute("Binding") {
            location(endpoint, binding, report);
        }
    }
    match kind {
        Kind::IdentityProvider => identity_provider(role, report),
        Kind::ServiceProvider => service_provider(role, report),
    }
}

fn location(endpoint: Element<'_>, binding: &str, report: &mut Report) {
    if binding == HOLDER_OF_KEY && endpoint.attribute_in(HOKSSO, "ProtocolBinding").is_none() {
        report.add(Finding::new(&HOLDER_OF_KEY_BINDING, endpoint.position()));
    }
    // What is never used may be anything; where requests go, `endpoint.rs` looks.
    let sso = endpoint.local_name() == "SingleSignOnService" && (binding == POST || binding == REDIRECT);
    if !binding.starts_with(BINDINGS) || sso {
        return;
    }
    let written = endpoint.attribute("Location").unwrap_or_default();
    match WebAddress::parse(written) {
        Some(address) if address.is_private() => {}
        Some(_) => report.add(Finding::new(&PLAIN_HTTP, endpoint.position()).found(written)),
        None if endpoint.local_name() == "AssertionConsumerService" => {
            report.add(Finding::new(&ACS_LOCATION, endpoint.position()).found(written));
        }
        None => report.add(Finding::new(&LOCATION, endpoint.position()).found(written)),
    }
}

fn identity_provider(role: Element<'_>, report: &mut Report) {
    let takes = |binding: &str| {
        role.children_named(MD.uri(), "SingleSignOnService")
            .any(|endpoint| endpoint.attribute("Binding") == Some(binding))
    };
    if !takes(REDIRECT) {
        report.add(Finding::new(&SSO_REDIRECT, role.position()));
    }
    if !takes(POST) {
        report.add(Finding::new(&SSO_POST, role.position()));
    }
    if role.child(MD.uri(), "SingleLogoutService").is_none() {
        report.add(Finding::new(&LOGOUT, role.position()));
    }
    let Some(url) = role.attributes().find(|attribute| attribute.qualified_name() == "errorURL") else {
        report.add(Finding::new(&ERROR_URL_MISSING, role.position()));
        return;
    };
    if !WebAddress::parse(url.value()).is_some_and(|address| address.is_https()) {
        report.add(Finding::new(&ERROR_URL_PLAIN, url.position()).found(url.value()));
    }
    const KNOWN: [&str; 5] = ["CODE", "TS", "RP", "TID", "CTX"];
    for place in url.value().split("ERRORURL_").skip(1) {
        let name: String = place.chars().take_while(char::is_ascii_uppercase).collect();
        if !KNOWN.contains(&name.as_str()) {
            report
                .add(Finding::new(&ERROR_URL_PLACEHOLDER, url.position()).found(format!("ERRORURL_{name}")));
        }
    }
}

fn service_provider(role: Element<'_>, report: &mut Report) {
    let consumers: Vec<_> = role.children_named(MD.uri(), "AssertionConsumerService").collect();
    if !consumers.iter().any(|consumer| consumer.attribute("Binding") == Some(POST)) {
        report.add(Finding::new(&ACS_MISSING, role.position()));
    }
    let (mut indexes, mut default) = (BTreeSet::new(), false);
    for consumer in consumers {
        if consumer.attribute("Binding") == Some(REDIRECT) {
            report.add(Finding::new(&ACS_REDIRECT, consumer.position()));
        }
        if let Some(index) = consumer.attribute("index")
            && !indexes.insert(index.trim())
        {
            report.add(Finding::new(&ACS_INDEX, consumer.position()).found(format!("index=\"{index}\"")));
        }
        if consumer.attribute("isDefault").and_then(boolean) == Some(true)
            && std::mem::replace(&mut default, true)
        {
            report.add(Finding::new(&ACS_INDEX, consumer.position()).found("isDefault=\"true\""));
        }
    }
    let responses: Vec<_> = role
        .child(MD.uri(), "Extensions")
        .into_iter()
        .flat_map(|extensions| extensions.children_named(IDPDISC.uri(), "DiscoveryResponse"))
        .collect();
    if responses.is_empty() {
        report.add(Finding::new(&DISCOVERY_MISSING, role.position()));
    }
    for response in responses {
        let (binding, written) = (response.attribute("Binding"), response.attribute("Location"));
        let good = written.and_then(WebAddress::parse).is_some_and(|address| address.is_private());
        if binding != Some(IDPDISC.uri()) || !good {
            let said = format!("{} {}", binding.unwrap_or("–"), written.unwrap_or("–"));
            report.add(Finding::new(&DISCOVERY_BROKEN, response.position()).found(said));
        }
    }
}
