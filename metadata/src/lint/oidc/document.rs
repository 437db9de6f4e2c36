//! Rules for the file as such.

use crate::{
    lint::{
        report::{Finding, Place, Report},
        rule::rules,
    },
    oidc::{Registration, pointer, scope},
};

rules! {
    JSON = Error "oidc.file.json", "RFC 8259; RFC 7591 section 2",
        what: "Filen är inte ett JSON-objekt som kan läsas entydigt: {found}." / "The file is not a JSON object that can be read without doubt: {found}.",
        why: "Det som två läsare kan förstå olika läses inte alls." / "What two readers may understand differently is not read at all.",
        fix: "Rätta stället. Varje namn får stå en gång." / "Correct the place. Each name may stand once.";
    TYPE = Error "oidc.member.type", "RFC 7591 section 2",
        what: "Här står ett värde av fel slag ({found})." / "Here stands a value of the wrong kind ({found}).",
        why: "Ett värde av fel slag kan inte betyda det som avsågs." / "A value of the wrong kind cannot mean what was intended.",
        fix: "Skriv det som {expected}." / "Write it like {expected}.";
    NOT_OFFERED = Error "oidc.member.not_offered", "RFC 7591 section 2; design decision 8",
        what: "{found} begärs, men erbjuds inte här." / "{found} is asked for, but is not offered here.",
        why: "Tjänsten skulle tro sig ha ett skydd som den inte har." / "The service would believe to have a protection that it has not.",
        fix: "Ta bort raden, och ställ in tjänsten därefter." / "Remove the line, and set the service accordingly.";
    CLIENT_ID = Error "oidc.client_id.malformed", "RFC 6749 appendix A.1",
        what: "client_id {found} går inte att använda." / "The client_id {found} cannot be used.",
        why: "Namnet står i adresser och loggar." / "The name stands in addresses and logs.",
        fix: "Använd högst 256 synliga ASCII-tecken utan mellanslag, till exempel https-adressen till tjänsten." / "Use at most 256 visible ASCII characters without spaces, for example the https address of the service.";
    CLIENT_ID_MISSING = Error "oidc.client_id.missing", "RFC 7591 section 3.2.1",
        what: "Filen har inget client_id." / "The file has no client_id.",
        why: "Tjänsten måste veta vad den heter här." / "The service must know what it is called here.",
        fix: "Skriv \"client_id\" i filen, eller ange ett med --client-id." / "Write \"client_id\" into the file, or give one with --client-id.";
    METHOD = Error "oidc.authentication.method", "OIDC Core 9; RFC 7591 section 2",
        what: "Sättet att bevisa sin identitet, {found}, erbjuds inte." / "The way to authenticate, {found}, is not offered.",
        why: "En tjänst som inte kan visa vem den är får inga uppgifter." / "A service that cannot show who it is gets no information.",
        fix: "Välj private_key_jwt, client_secret_basic eller client_secret_post." / "Choose private_key_jwt, client_secret_basic or client_secret_post.";
    ALGORITHM = Error "oidc.algorithm.not_offered", "OIDC Dynamic Client Registration 2; OIDC Sweden 7",
        what: "Algoritmen {found} erbjuds inte här (möjliga: {expected})." / "The algorithm {found} is not offered here (possible: {expected}).",
        why: "Svaren skulle signeras på ett sätt som tjänsten inte väntar sig." / "Answers would be signed in a way that the service does not expect.",
        fix: "Välj en av {expected}." / "Choose one of {expected}.";
    FLOW = Error "oidc.flow.code_missing", "RFC 7591 section 2.1; OIDC Sweden 2.1",
        what: "Listan ({found}) saknar {expected}." / "The list ({found}) lacks {expected}.",
        why: "Bara flödet med auktoriseringskod erbjuds." / "Only the authorization code flow is offered.",
        fix: "Lägg till \"{expected}\", eller utelämna listan." / "Add \"{expected}\", or leave the list out.";
    FLOW_BEYOND = Warning "oidc.flow.not_offered", "RFC 7591 section 2.1; OIDC Sweden 2",
        what: "{found} erbjuds inte och är utan verkan." / "{found} is not offered and has no effect.",
        why: "Bara flödet med auktoriseringskod erbjuds; den som försöker med något annat får ett fel." / "Only the authorization code flow is offered; who tries another gets an error.",
        fix: "Ta bort allt utom \"{expected}\"." / "Remove everything but \"{expected}\".";
    SUBJECT_TYPE = Note "oidc.subject.pairwise_only", "OIDC Core 8; design decision 10",
        what: "Filen ber om sub av slaget public; här är sub alltid pairwise." / "The file asks for a public sub; here sub is always pairwise.",
        why: "Olika organisationers tjänster ska inte kunna jämföra personer med hjälp av sub." / "Services of different organisations are not to compare people by their sub.",
        fix: "Inget behöver göras. Tjänster i samma sektor (sector_identifier_uri) ser samma sub." / "Nothing needs to be done. Services of one sector (sector_identifier_uri) see the same sub.";
    SCOPE_UNKNOWN = Warning "oidc.scope.unknown", "OIDC Core 5.4; OIDC Sweden claims and scopes 3",
        what: "Scope {found} finns inte här." / "There is no scope {found} here.",
        why: "Det ger inga uppgifter, och en begäran med det nekas." / "It gives no information, and a request with it is refused.",
        fix: "Ta bort det eller rätta stavningen." / "Remove it or correct its spelling.";
    SCOPE_OPENID = Note "oidc.scope.openid_missing", "OIDC Core 3.1.2.1",
        what: "Listan över scope saknar openid." / "The list of scopes lacks openid.",
        why: "Varje begäran måste ha med openid, så det läggs till." / "Every request must carry openid, so it is added.",
        fix: "Skriv \"scope\": \"openid …\"." / "Write \"scope\": \"openid …\".";
    NAME_MISSING = Warning [SwedishOidc: Error] "oidc.name.missing", "RFC 7591 section 2.2",
        what: "Filen har inget namn på tjänsten (client_name)." / "The file has no name of the service (client_name).",
        why: "Den som loggar in får se client_id i stället, och kan inte avgöra om det är rätt tjänst." / "Who signs in is shown the client_id instead, and cannot tell whether it is the right service.",
        fix: "Skriv \"client_name#sv\" och \"client_name#en\"." / "Write \"client_name#sv\" and \"client_name#en\".";
    CONTACT_MISSING = Note [SwedishOidc: Warning] "oidc.contact.missing", "RFC 7591 section 2",
        what: "Filen har ingen kontakt (contacts)." / "The file has no contact (contacts).",
        why: "Vi vet inte vem vi ska varna när något är på väg att gå sönder." / "We do not know whom to warn when something is about to break.",
        fix: "Skriv \"contacts\": [\"drift@exempelkommun.se\"], helst en funktionsadress." / "Write \"contacts\": [\"operations@example.se\"], preferably the address of a desk.";
}

pub(super) fn check(registration: &Registration, report: &mut Report) {
    let place = || Place::Pointer(pointer("scope"));
    if let Some(scopes) = &registration.scopes {
        if !scopes.contains(scope::OPENID) {
            report.add(Finding::new(&SCOPE_OPENID, place()));
        }
        for unknown in scopes.iter().filter(|name| scope::attributes(name).is_none()) {
            report.add(Finding::new(&SCOPE_UNKNOWN, place()).found(unknown));
        }
    }
    if registration.name.is_empty() {
        report.add(Finding::new(&NAME_MISSING, Place::Pointer(String::new())));
    }
    if registration.contacts.is_empty() {
        report.add(Finding::new(&CONTACT_MISSING, Place::Pointer(String::new())));
    }
}
