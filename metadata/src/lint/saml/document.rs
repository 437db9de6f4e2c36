//! Rules for the document as such: can it be read, is it of the right kind, may it still be used?

use broker_core::moment::Timestamp;
use certs_xml::{Element, XmlFault};

use crate::{
    lint::{
        report::{Finding, Report},
        rule::{Rule, rules},
    },
    saml::{IdentityProvider, Placed, valid_until},
};

rules! {
    XML_UNREADABLE = Error "saml.file.xml", "XML 1.0; Namespaces in XML 1.0",
        what: "Filen kan inte läsas som XML: {found}." / "The file cannot be read as XML: {found}.",
        why: "Det som inte går att läsa entydigt läses inte alls." / "What cannot be read without doubt is not read at all.",
        fix: "Exportera filen på nytt ur er identitetslösning, och öppna den inte i en ordbehandlare på vägen." / "Export the file again from your identity system, and do not open it in a word processor on the way.";
    XML_DOCTYPE = Error "saml.file.doctype", "OWASP XML security; design decision on hardened reading",
        what: "Filen innehåller en dokumenttypsdeklaration (DOCTYPE) eller en bearbetningsinstruktion." / "The file has a document type declaration (DOCTYPE) or a processing instruction.",
        why: "Sådana kan få en läsare att hämta främmande filer eller räkna sig till döds; metadata behöver dem aldrig." / "They can make a reader fetch foreign files or compute for ever; metadata never needs them.",
        fix: "Ta bort raden och lägg till filen igen." / "Remove the line and add the file again.";
    XML_ENCODING = Error "saml.file.encoding", "SAML Metadata 2; XML 1.0 section 4.3.3",
        what: "Filen är inte UTF-8." / "The file is not UTF-8.",
        why: "Namn med å, ä och ö skulle bli fel, och en signatur skulle inte gå att kontrollera." / "Names with å, ä and ö would come out wrong, and a signature could not be checked.",
        fix: "Spara filen som UTF-8, eller exportera den på nytt." / "Save the file as UTF-8, or export it again.";
    XML_SIZE = Error "saml.file.size", "Design section 11",
        what: "Filen är större eller djupare än vad som tas emot: {found}." / "The file is larger or deeper than what is taken: {found}.",
        why: "En fil som läggs till för hand beskriver en eller några få parter." / "A file that is added by hand describes one or a few parties.",
        fix: "Lägg till en part i taget." / "Add one party at a time.";
    NOT_METADATA = Error "saml.file.kind", "SAML Metadata 2.3",
        what: "Filen börjar med {found}, inte med ett EntityDescriptor." / "The file begins with {found}, not with an EntityDescriptor.",
        why: "Det här är inte SAML-metadata." / "This is not SAML metadata.",
        fix: "Hämta metadata på adressen som er identitetslösning kallar federationsmetadata, och lägg till den filen." / "Fetch the metadata from the address that your identity system calls federation metadata, and add that file.";
    SIGNATURE_BROKEN = Error "saml.file.signature_broken", "SAML Metadata 3; XML Signature 1.1",
        what: "Filen är signerad, men signaturen stämmer inte: {found}." / "The file is signed, but the signature does not hold: {found}.",
        why: "Filen har ändrats efter att den signerades." / "The file was changed after it was signed.",
        fix: "Hämta filen på nytt och lägg till den utan att ändra i den." / "Fetch the file again and add it without changing it.";
    SIGNATURE_UNCHECKED = Note "saml.file.signature_unchecked", "SAML Metadata 3",
        what: "Filens signatur kunde inte kontrolleras: {found}." / "The signature of the file could not be checked: {found}.",
        why: "En fil som läggs till här är betrodd för att federationsoperatören lägger till den, inte för sin signatur." / "A file that is added here is trusted because the federation operator adds it, not for its signature.",
        fix: "Inget behöver göras. Jämför gärna certifikatets fingeravtryck med avsändaren." / "Nothing needs to be done. You may compare the certificate's fingerprint with the sender.";
    ENTITY_ID_MALFORMED = Error "saml.entity.id_malformed", "SAML Metadata 2.3.2; SAML Core 8.3.6",
        what: "entityID saknas eller är inte ett namn på högst 1024 tecken." / "The entityID is missing or is not a name of at most 1024 characters.",
        why: "entityID är det som parten heter i varje meddelande." / "The entityID is what the party is called in every message.",
        fix: "Ange entityID i EntityDescriptor, helst en https-adress i er egen domän." / "Give an entityID in the EntityDescriptor, preferably an https address in your own domain.";
    NO_IDENTITY_PROVIDER = Error "saml.entity.role_missing", "SAML Metadata 2.4.3",
        what: "Entiteten är ingen legitimeringstjänst för SAML 2.0 (roller i filen: {found})." / "The entity is no identity provider for SAML 2.0 (roles in the file: {found}).",
        why: "Bara ett IDPSSODescriptor som nämner protokollet urn:oasis:names:tc:SAML:2.0:protocol kan logga in någon." / "Only an IDPSSODescriptor that names the protocol urn:oasis:names:tc:SAML:2.0:protocol can sign anybody in.",
        fix: "Lägg till metadata för legitimeringstjänsten (IdP), inte för e-tjänsten." / "Add the metadata of the identity provider (IdP), not of the service.";
    VALID_UNTIL_MALFORMED = Error "saml.entity.valid_until_malformed", "SAML Metadata 2.3.2; SAML Core 1.3.3",
        what: "validUntil är {found}, vilket inte är en tidpunkt med tidszon." / "The validUntil is {found}, which is not a time with a zone.",
        why: "Utan en läsbar tidpunkt går det inte att veta hur länge filen får användas." / "Without a readable time nobody can know how long the file may be used.",
        fix: "Skriv tiden som 2030-01-31T12:00:00Z, eller ta bort attributet." / "Write the time as 2030-01-31T12:00:00Z, or remove the attribute.";
    EXPIRED = Error "saml.entity.expired", "SAML Metadata 2.3.2",
        what: "Filen fick användas till {found}; det har passerat." / "The file could be used until {found}; that has passed.",
        why: "Nycklar i en gammal fil kan vara spärrade." / "Keys in an old file may have been withdrawn.",
        fix: "Hämta aktuell metadata och lägg till den." / "Fetch current metadata and add it.";
    EXPIRES_SOON = Warning "saml.entity.expires_soon", "SAML Metadata 2.3.2",
        what: "Filen får bara användas till {found}." / "The file may only be used until {found}.",
        why: "Efter den tidpunkten går det inte att logga in. En fil som läggs till för hand hämtas inte på nytt." / "After that time nobody can sign in. A file that is added by hand is not fetched again.",
        fix: "Ta bort validUntil ur filen, eller planera att lägga till en ny i god tid." / "Remove validUntil from the file, or plan to add a new one in good time.";
}

/// The rule that a file breaks which the XML reader refused.
pub(crate) fn of_fault(fault: &XmlFault) -> &'static Rule {
    match fault {
        XmlFault::DocumentType | XmlFault::ProcessingInstruction => &XML_DOCTYPE,
        XmlFault::NotUtf8 => &XML_ENCODING,
        XmlFault::TooLarge { .. }
        | XmlFault::TooDeep { .. }
        | XmlFault::TooManyAttributes { .. }
        | XmlFault::TooManyNamespaces { .. }
        | XmlFault::TooManySignatures { .. } => &XML_SIZE,
        _ => &XML_UNREADABLE,
    }
}

/// A file that lasts shorter than this is warned about: 30 days in seconds.
const SOON: i64 = 30 * 86_400;

pub(super) fn check(provider: &IdentityProvider, now: Timestamp, report: &mut Report) {
    if let Some(until) = &provider.valid_until {
        check_time(until, now, report);
    }
}

/// What [`IdentityProvider::read`] asks of a name, of an entity that is something else.
pub(crate) fn check_name(entity: Element<'_>, report: &mut Report) {
    let id = entity.attribute("entityID").unwrap_or_default();
    if id.is_empty() || id.len() > 1024 || id.chars().any(char::is_control) {
        report.add(Finding::new(&ENTITY_ID_MALFORMED, entity.position()).found(id));
    }
}

/// How long an entity that is no provider may be used.
pub(crate) fn check_until(entity: Element<'_>, now: Timestamp, report: &mut Report) {
    if let Some(until) = valid_until(entity, report) {
        check_time(&until, now, report);
    }
}

fn check_time(until: &Placed<Timestamp>, now: Timestamp, report: &mut Report) {
    if until.value <= now {
        report.add(Finding::new(&EXPIRED, until.place).found(until.value.to_rfc3339()));
    } else if until.value.since(now) < SOON {
        report.add(Finding::new(&EXPIRES_SOON, until.place).found(until.value.to_rfc3339()));
    }
}
