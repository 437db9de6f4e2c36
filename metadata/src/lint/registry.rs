//! Rules between a file and what is registered already.

use crate::lint::rule::rules;

rules! {
    ORGANISATION_UNKNOWN = Error "registry.organisation.unknown", "Design decision 8",
        what: "Ingen registrerad organisation svarar för {found}." / "No registered organisation answers for {found}.",
        why: "Allt som en part får påstå mäts mot en organisationspost." / "Everything that a party may claim is measured against an organisation record.",
        fix: "Lägg till organisationen först (sparvidd organisation add), med domänen i posten, eller ange den med --organisation." / "Add the organisation first (sparvidd organisation add), with the domain in its record, or name it with --organisation.";
    ENTITY_TAKEN = Error "registry.entity.taken", "Design decision 8",
        what: "{found} är redan registrerad för en annan organisation ({expected})." / "{found} is already registered for another organisation ({expected}).",
        why: "Ett namn hör till en organisation och flyttas inte." / "A name belongs to one organisation and does not move.",
        fix: "Kontrollera att det är rätt fil. Ska parten verkligen byta ägare, ta bort den först; alla dess personers identiteter blir då nya." / "Check that it is the right file. If the party really changes owner, remove it first; the identities of all its people then become new.";
    SOURCE_CHANGED = Error "registry.entity.subject_source_changed", "Design decision 10",
        what: "Personernas identitet görs av {expected}, men nu anges {found}." / "People's identity is made from {expected}, but now {found} is given.",
        why: "Ett byte ger alla en ny identitet hos varje e-tjänst." / "A change gives everybody a new identity at every service.",
        fix: "Utelämna --subject-source. Ska källan verkligen bytas, ta bort tjänsten och lägg till den på nytt." / "Leave out --subject-source. If the source really is to change, remove the provider and add it anew.";
    SERVICE_PROVIDER_CHANGED = Error "registry.entity.service_provider_changed", "SAML Core 8.3.7; design decision 10",
        what: "Personernas identitet är gjord för vår tjänst {expected}, men nu anges {found}." / "People's identifiers are made for our service provider {expected}, but now {found} is given.",
        why: "Genom en annan av våra tjänster får samma person en annan identitet hos varje e-tjänst." / "Through another of our service providers the same person gets another identity at every service.",
        fix: "Utelämna --service-provider. Ska den verkligen bytas, ta bort parten och lägg till den på nytt." / "Leave out --service-provider. If it really is to change, remove the provider and add it anew.";
    BEHIND_REGISTERED = Error "registry.entity.behind_registered", "SAML Core 2.7.2.2; design decision 8",
        what: "{found} är själv registrerad, för en annan organisation." / "{found} is registered itself, for another organisation.",
        why: "Den som står bakom en annan tros på dess ord. En arbetsgivares inloggning får inte kunna uppges av någon annan." / "One that stands behind another is believed on its word. One employer's sign-in must not be claimed by somebody else.",
        fix: "Ta bort den ur --behind (--behind none tar bort alla); personerna väljer den direkt." / "Leave it out of --behind (--behind none takes all away); people choose it directly.";
    NAMED_BEHIND = Error "registry.entity.named_behind", "SAML Core 2.7.2.2; design decision 8",
        what: "{expected}, som hör till en annan organisation, är registrerad som ombud för {found}." / "{expected}, which belongs to another organisation, is registered as standing in front of {found}.",
        why: "Den tros när den säger att {found} har legitimerat någon. En arbetsgivares inloggning får inte kunna uppges av någon annan." / "It is believed when it says that {found} has authenticated somebody. One employer's sign-in must not be claimed by somebody else.",
        fix: "Lägg först till {expected} på nytt utan {found} i --behind (--behind none tar bort alla)." / "First add {expected} anew without {found} in --behind (--behind none takes all away).";
    SECTOR_CHANGED = Error "registry.entity.sector_changed", "OIDC Core 8.1; design decision 10",
        what: "Tjänstens sektor är {expected}, men med den här filen blir den {found}." / "The sector of the service is {expected}, but with this file it becomes {found}.",
        why: "Ett byte ger varje person ett nytt sub hos tjänsten." / "A change gives every person a new sub at the service.",
        fix: "Skriv \"sector_identifier_uri\": \"https://{expected}/\". Ska sektorn verkligen bytas, ta bort tjänsten och lägg till den på nytt." / "Write \"sector_identifier_uri\": \"https://{expected}/\". If the sector really is to change, remove the service and add it anew.";
    SOURCE_UNDECIDED = Error "registry.entity.subject_source_undecided", "Design decision 10",
        what: "Filen säger inte vad personernas identitet kan göras av." / "The file does not say what people's identity can be made from.",
        why: "Utan subject-id, pairwise-id eller beständigt NameID känner e-tjänsten inte igen någon vid nästa inloggning." / "Without subject-id, pairwise-id or a persistent NameID a service recognises nobody at the next login.",
        fix: "Ange det med --subject-source: subject_id, pairwise_id, persistent_name_id, org_affiliation eller employee_hsa_id." / "Give it with --subject-source: subject_id, pairwise_id, persistent_name_id, org_affiliation or employee_hsa_id.";
    NARROWING_OUTSIDE = Error "registry.provider.narrowing_outside_record", "Design decision 8",
        what: "{found} finns inte i organisationens post ({expected})." / "{found} is not in the organisation's record ({expected}).",
        why: "En begränsning kan bara ta bort. Ett felskrivet värde skulle ta bort allt." / "A narrowing can only take away. A misspelt value would take away everything.",
        fix: "Rätta värdet i --narrow, eller för först in det i organisationsposten." / "Correct the value of --narrow, or put it into the organisation record first.";
    NAME_TAKEN = Warning "registry.entity.display_name_taken", "IIS SAML WebSSO profile 5.1.17",
        what: "Visningsnamnet {found} används redan av {expected}." / "The display name {found} is already used by {expected}.",
        why: "Den som väljer organisation kan inte se skillnad, och kan luras att logga in på fel ställe." / "Who chooses an organisation cannot tell them apart, and may be lured into signing in at the wrong place.",
        fix: "Välj ett namn som är organisationens eget, eller kontrollera att det ska vara så." / "Choose a name that is the organisation's own, or check that this is meant.";
    ENTITY_TWICE = Error "registry.entity.twice_in_file", "SAML Metadata 2.3.1",
        what: "{found} finns två gånger i filen." / "{found} occurs twice in the file.",
        why: "Det går inte att veta vilken som gäller." / "Nobody can know which one holds.",
        fix: "Ta bort den ena." / "Remove one of them.";
    TOO_MANY_ENTITIES = Error "registry.file.too_many_entities", "Design section 3",
        what: "Filen har {found} parter; högst {expected} läggs till för hand." / "The file has {found} parties; at most {expected} are added by hand.",
        why: "En hel federations metadata ska hämtas och kontrolleras löpande, inte läggas till en gång." / "The metadata of a whole federation is to be fetched and checked continually, not added once.",
        fix: "Lägg till de parter som ni behöver, en fil i taget." / "Add the parties that you need, one file at a time.";
}
