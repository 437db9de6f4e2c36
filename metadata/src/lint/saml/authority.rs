//! Rules for what the document may claim: never more than the organisation's record says.

use std::collections::BTreeSet;

use broker_core::{
    assurance::Assurance,
    organisation::{Organisation, OrganisationNumber},
};

use crate::{
    address::WebAddress,
    international::ascii,
    lint::{
        report::{Finding, Report},
        rule::rules,
    },
    saml::IdentityProvider,
};

rules! {
    ENTITY_ID_OUTSIDE = Error "saml.entity.id_outside_domains", "Design decision 8",
        what: "entityID {found} ligger utanför organisationens domäner ({expected})." / "The entityID {found} lies outside the organisation's domains ({expected}).",
        why: "Annars kunde en organisation ta en annans namn." / "Otherwise one organisation could take another's name.",
        fix: "Använd ett namn i er egen domän, eller be federationsoperatören föra in domänen i organisationsposten." / "Use a name in your own domain, or ask the federation operator to put the domain into the organisation record.";
    ENTITY_ID_NO_ADDRESS = Warning "saml.entity.id_not_an_address", "SAML2INT SDP-MD05; design decision 8",
        what: "entityID {found} är ingen webbadress." / "The entityID {found} is no web address.",
        why: "Ett sådant namn går inte att knyta till en domän, så bara federationsoperatörens egen kontroll skyddar det." / "Such a name cannot be tied to a domain, so only the federation operator's own check protects it.",
        fix: "Välj en https-adress i er domän som entityID nästa gång ni byter." / "Choose an https address in your domain as entityID when you next change it.";
    NUMBER_DIFFERS = Error "saml.entity.organisation_number_differs", "Sweden Connect rules 3.1",
        what: "Organisationsnumret i filen är {found}, men posten gäller {expected}." / "The organisation number in the file is {found}, but the record is for {expected}.",
        why: "Numret säger vem som svarar för tjänsten." / "The number says who answers for the provider.",
        fix: "Rätta OrganizationNumber till tio siffror utan bindestreck, eller lägg till filen för rätt organisation." / "Correct OrganizationNumber to ten digits without hyphen, or add the file for the right organisation.";
    NUMBER_MISSING = Note [SwedenConnect: Warning] "saml.entity.organisation_number_missing", "Sweden Connect rules 3.1",
        what: "Filen saknar organisationsnummer." / "The file has no organisation number.",
        why: "Andra federationer kräver mdorgext:OrganizationNumber. Här tas numret ur organisationsposten." / "Other federations demand mdorgext:OrganizationNumber. Here the number comes from the organisation record.",
        fix: "Lägg gärna till mdorgext:OrganizationNumber under Organization/Extensions." / "You may add mdorgext:OrganizationNumber below Organization/Extensions.";
    SCOPE_PATTERN = Error "saml.idp.scope_regexp", "Sweden Connect deployment profile 2.1.3.1; SAML2INT SDP-SP17",
        what: "Scope {found} är ett mönster (regexp)." / "The Scope {found} is a pattern (regexp).",
        why: "Ett mönster kan täcka andras värden och går inte att godkänna." / "A pattern can cover values of others and cannot be authorised.",
        fix: "Räkna upp varje värde i ett eget Scope med regexp=\"false\"." / "List each value in a Scope of its own with regexp=\"false\".";
    SCOPE_OUTSIDE = Error "saml.idp.scope_outside_record", "Sweden Connect deployment profile 2.1.3.1; Sweden Connect rules 3.7",
        what: "Scope {found} är inte ett av organisationens ({expected})." / "The Scope {found} is not one of the organisation's ({expected}).",
        why: "Det som står efter @ i ett värde säger vilken organisation personen hör till." / "What stands after the @ of a value says which organisation the person belongs to.",
        fix: "Ta bort det, eller be federationsoperatören föra in det i organisationsposten." / "Remove it, or ask the federation operator to put it into the organisation record.";
    SCOPE_MISSING = Note [Saml2int: Error, Internetstiftelsen: Error, Swamid: Error] "saml.idp.scope_missing", "Sweden Connect deployment profile 2.1.3.1; SAML2INT SDP-IDP14; Internetstiftelsen SAML WebSSO 2.1.4; SWAMID SAML WebSSO 5.1.15",
        what: "Filen har inget shibmd:Scope." / "The file has no shibmd:Scope.",
        why: "Andra federationer kräver det av den som lämnar orgAffiliation eller subject-id. Här gäller organisationsposten." / "Other federations demand it of who releases orgAffiliation or subject-id. Here the organisation record holds.",
        fix: "Lägg gärna till ett Scope med organisationsnumret i IDPSSODescriptor/Extensions." / "You may add a Scope with the organisation number to IDPSSODescriptor/Extensions.";
    ASSURANCE_ABOVE = Error "saml.idp.assurance_above_ceiling", "Sweden Connect deployment profile 2.1.3; Sweden Connect rules 3.3",
        what: "Tillitsnivån {found} är högre än organisationen får intyga ({expected})." / "The assurance level {found} is above what the organisation may assert ({expected}).",
        why: "En nivå som ingen har granskat får ingen lita på." / "Nobody may rely on a level that nobody has reviewed.",
        fix: "Ta bort nivån, eller be federationsoperatören höja taket när granskningen är klar." / "Remove the level, or ask the federation operator to raise the ceiling when the review is done.";
    ASSURANCE_MISSING = Warning [SwedenConnect: Error] "saml.idp.assurance_missing", "Sweden Connect deployment profile 2.1.3",
        what: "Filen säger inte vilken tillitsnivå tjänsten är godkänd för." / "The file does not say which assurance level the provider is approved for.",
        why: "E-tjänster som kräver en nivå kommer att neka er personal." / "Services that demand a level will refuse your staff.",
        fix: "Räkna upp nivåerna i entitetsattributet urn:oasis:names:tc:SAML:attribute:assurance-certification." / "List the levels in the entity attribute urn:oasis:names:tc:SAML:attribute:assurance-certification.";
}

/// Without a record, only what holds of every provider is judged.
pub(super) fn check(provider: &IdentityProvider, organisation: Option<&Organisation>, report: &mut Report) {
    if WebAddress::parse(&provider.entity_id).is_none() {
        report.add(Finding::new(&ENTITY_ID_NO_ADDRESS, provider.place).found(&provider.entity_id));
    }
    if provider.organisation_number.is_none() {
        report.add(Finding::new(&NUMBER_MISSING, provider.place));
    }
    if provider.scopes.is_empty() {
        report.add(Finding::new(&SCOPE_MISSING, provider.role_place));
    }
    for scope in provider.scopes.iter().filter(|scope| scope.value.regexp) {
        report.add(Finding::new(&SCOPE_PATTERN, scope.place).found(&scope.value.value));
    }
    let level = |uri: &str| Assurance::new(uri);
    let granted = |uri: &str| {
        organisation.is_some_and(|record| record.ceiling.iter().any(|top| level(uri).is_within(top)))
    };
    let known = |uri: &str| level(uri).is_known() || granted(uri);
    if !provider.assurance.iter().any(|uri| known(&uri.value)) {
        report.add(Finding::new(&ASSURANCE_MISSING, provider.place));
    }
    let Some(organisation) = organisation else { return };
    within(provider, organisation, report);
    for uri in provider.assurance.iter().filter(|uri| level(&uri.value).is_known() && !granted(&uri.value)) {
        let ceiling = organisation.ceiling.iter().map(ToString::to_string).collect();
        report.add(Finding::new(&ASSURANCE_ABOVE, uri.place).found(&uri.value).expected(listed(&ceiling)));
    }
}

/// What the record bounds: the name, the number and the scopes.
fn within(provider: &IdentityProvider, organisation: &Organisation, report: &mut Report) {
    if WebAddress::parse(&provider.entity_id).is_some_and(|address| !organisation.owns_host(address.host())) {
        report.add(
            Finding::new(&ENTITY_ID_OUTSIDE, provider.place)
                .found(&provider.entity_id)
                .expected(listed(&organisation.domains)),
        );
    }
    if let Some(number) = &provider.organisation_number
        && OrganisationNumber::parse(&number.value).as_ref() != Some(&organisation.number)
    {
        report.add(
            Finding::new(&NUMBER_DIFFERS, number.place)
                .found(&number.value)
                .expected(organisation.number.as_str()),
        );
    }
    for scope in provider.scopes.iter().filter(|scope| !scope.value.regexp) {
        if !ascii(&scope.value.value).is_some_and(|name| organisation.owns_scope(&name)) {
            let own = organisation.scopes.iter().cloned().chain([organisation.number.to_string()]).collect();
            report.add(
                Finding::new(&SCOPE_OUTSIDE, scope.place).found(&scope.value.value).expected(listed(&own)),
            );
        }
    }
}

/// A list for a sentence; `–` when it is empty.
pub(crate) fn listed(values: &BTreeSet<String>) -> String {
    if values.is_empty() {
        return "–".to_owned();
    }
    values.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
