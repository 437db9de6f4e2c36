//! Rules for organisation records.

use crate::lint::rule::rules;

rules! {
    UNREADABLE = Error "organisation.file.toml", "TOML 1.0; RFC 8259",
        what: "Filen kan inte läsas: {found}." / "The file cannot be read: {found}.",
        why: "En organisationspost är en TOML-fil (eller JSON)." / "An organisation record is a TOML file (or JSON).",
        fix: "Rätta raden. Text står inom citattecken, listor inom hakparenteser." / "Correct the line. Text stands in quotation marks, lists in brackets.";
    UNKNOWN_KEY = Error "organisation.file.unknown_key", "Design decision 8",
        what: "Nyckeln {found} finns inte. Menades {expected}?" / "There is no key {found}. Did you mean {expected}?",
        why: "Ett felstavat namn skulle annars tyst bli utan verkan." / "A misspelt name would otherwise silently have no effect.",
        fix: "Skriv {expected}, eller ta bort raden." / "Write {expected}, or remove the line.";
    NUMBER = Error "organisation.record.number", "Skatteverket: organisationsnummer",
        what: "{found} är inget organisationsnummer." / "{found} is no organisation number.",
        why: "Numret är tio siffror där den sista är en kontrollsiffra." / "The number is ten digits of which the last is a check digit.",
        fix: "Skriv number = \"4120004249\" med rätt nummer." / "Write number = \"4120004249\" with the right number.";
    NAME = Error "organisation.record.name", "Sweden Connect rules 3.1",
        what: "Organisationen saknar svenskt namn." / "The organisation has no Swedish name.",
        why: "Namnet visas för den som ska lämna uppgifter till organisationens tjänster." / "The name is shown to who is about to give information to the organisation's services.",
        fix: "Skriv name.sv = \"Exempelkommun\", och gärna name.en." / "Write name.sv = \"Exempelkommun\", and preferably name.en.";
    DOMAIN = Error "organisation.record.domain", "RFC 1123 section 2.1; design decision 8",
        what: "{found} är inget domännamn." / "{found} is no domain name.",
        why: "Domänerna avgör vilka adresser och namn som organisationen får använda." / "The domains decide which addresses and names the organisation may use.",
        fix: "Skriv bara namnet, med små bokstäver, utan https:// och utan asterisk: \"exempelkommun.se\"." / "Write the name alone, in lower case, without https:// and without asterisk: \"exempelkommun.se\".";
    DOMAIN_TOO_WIDE = Error "organisation.record.domain_too_wide", "Design decision 8",
        what: "{found} är en hel toppdomän." / "{found} is a whole top-level domain.",
        why: "Då kunde organisationen ta vems namn som helst." / "The organisation could then take anybody's name.",
        fix: "Skriv organisationens egen domän." / "Write the organisation's own domain.";
    SCOPE = Error "organisation.record.scope", "Sweden Connect deployment profile 2.1.3.1",
        what: "{found} är inget värde att sätta efter @." / "{found} is nothing to put after an @.",
        why: "Det är ett domännamn eller ett organisationsnummer." / "It is a domain name or an organisation number.",
        fix: "Skriv \"exempelkommun.se\", utan @." / "Write \"exempelkommun.se\", without @.";
    HSA_PREFIX = Error "organisation.record.hsa_prefix", "Inera HSA-id",
        what: "{found} är inte början på ett HSA-id." / "{found} is not the beginning of an HSA-id.",
        why: "Ett HSA-id börjar med SE, tio siffror och ett bindestreck. En kortare början skulle täcka andras." / "An HSA-id begins with SE, ten digits and a hyphen. A shorter beginning would cover those of others.",
        fix: "Skriv \"SE2321000016-\" med rätt nummer." / "Write \"SE2321000016-\" with the right number.";
    CEILING = Error "organisation.record.ceiling", "Sweden Connect identifiers 3.1.1",
        what: "{found} är ingen känd tillitsnivå." / "{found} is no known assurance level.",
        why: "Ett tak som ingen känner begränsar ingenting på ett sätt som går att lita på." / "A ceiling that nobody knows bounds nothing in a way that can be relied upon.",
        fix: "Skriv hela adressen, till exempel \"http://id.elegnamnden.se/loa/1.0/loa3\"." / "Write the whole URI, for example \"http://id.elegnamnden.se/loa/1.0/loa3\".";
    ATTRIBUTE = Error "organisation.record.attribute", "Design decision 2",
        what: "Attributet {found} finns inte. Menades {expected}?" / "There is no attribute {found}. Did you mean {expected}?",
        why: "Det som inte står i listan över attribut finns inte för förmedlaren." / "What is not in the list of attributes does not exist for the broker.",
        fix: "Skriv ett av namnen i ordlistan, till exempel {expected}." / "Write one of the names in the glossary, for example {expected}.";
    TYPE = Error "organisation.record.type", "Design decision 8",
        what: "{found} har fel slags värde; det ska vara {expected}." / "{found} has a value of the wrong kind; it must be {expected}.",
        why: "Ett värde av fel slag kan inte betyda det som avsågs." / "A value of the wrong kind cannot mean what was intended.",
        fix: "Skriv {expected}." / "Write {expected}.";
    SUPPORT_MISSING = Warning "organisation.record.support_missing", "Design section 6",
        what: "Organisationen har ingen kontakt för support." / "The organisation has no support contact.",
        why: "Den som inte kan logga in får då inte veta vem som kan hjälpa." / "Who cannot sign in is then not told who can help.",
        fix: "Lägg till en tabell [support] med email, telephone eller url." / "Add a table [support] with email, telephone or url.";
    NO_DOMAIN = Warning "organisation.record.no_domain", "Design decision 8",
        what: "Organisationen har inga domäner." / "The organisation has no domains.",
        why: "Då kan den inte registrera några parter." / "It can then register no parties.",
        fix: "Skriv domains = [\"exempelkommun.se\"]." / "Write domains = [\"exempelkommun.se\"].";
    RELYING_PARTY = Error "organisation.record.relying_party", "Design decision 8",
        what: "{found} är inget client_id och inget entityID." / "{found} is no client_id and no entityID.",
        why: "Bara namngivna e-tjänster kan nås av organisationens personal." / "Only services that are named can be reached by the organisation's staff.",
        fix: "Skriv namnet som sparvidd metadata list visar, eller ta bort nyckeln: då nås alla." / "Write the name as sparvidd metadata list shows it, or take the key out: then all are reached.";
}
