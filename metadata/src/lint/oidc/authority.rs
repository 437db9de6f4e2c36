//! Rules for what the relying party may claim and ask for: never more than the organisation's record says.

use broker_core::organisation::{Organisation, OrganisationNumber};

use crate::{
    lint::{
        report::{Finding, Place, Report},
        rule::rules,
    },
    oidc::{Registration, pointer, scope},
};

rules! {
    ORGANISATION_DIFFERS = Error "oidc.organisation.differs", "Sweden Connect rules 3.1; design decision 8",
        what: "organization_identifier är {found}, men posten gäller {expected}." / "The organization_identifier is {found}, but the record is for {expected}.",
        why: "Numret säger vem som svarar för tjänsten." / "The number says who answers for the service.",
        fix: "Rätta numret, eller lägg till filen för rätt organisation." / "Correct the number, or add the file for the right organisation.";
    BEYOND_ENTITLEMENT = Warning "oidc.scope.beyond_entitlement", "Design decision 8",
        what: "Scope {found} omfattar uppgifter som organisationen inte har rätt till: {expected}." / "The scope {found} covers information that the organisation is not entitled to: {expected}.",
        why: "De uppgifterna kommer aldrig att lämnas ut." / "That information will never be released.",
        fix: "Ta bort scopet, eller be federationsoperatören föra in uppgifterna i organisationsposten." / "Remove the scope, or ask the federation operator to put the information into the organisation record.";
}

pub(super) fn check(registration: &Registration, organisation: Option<&Organisation>, report: &mut Report) {
    let Some(organisation) = organisation else { return };
    if let Some(written) = &registration.organization_identifier {
        let number = written.rsplit([':', '/']).next().and_then(OrganisationNumber::parse);
        if number.as_ref() != Some(&organisation.number) {
            report.add(
                Finding::new(&ORGANISATION_DIFFERS, Place::Pointer(pointer("organization_identifier")))
                    .found(written)
                    .expected(organisation.number.as_str()),
            );
        }
    }
    // A silent file asks for nothing in particular.
    for name in registration.scopes.iter().flatten() {
        let beyond: Vec<&str> = scope::attributes(name)
            .unwrap_or_default()
            .iter()
            .filter(|attribute| !organisation.entitled.contains(attribute))
            .map(|attribute| attribute.key())
            .collect();
        if !beyond.is_empty() {
            report.add(
                Finding::new(&BEYOND_ENTITLEMENT, Place::Pointer(pointer("scope")))
                    .found(name)
                    .expected(beyond.join(", ")),
            );
        }
    }
}
