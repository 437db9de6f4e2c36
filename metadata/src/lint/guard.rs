//! Rules of the rollover guard: what is held until another person has looked, since it would keep people from signing in.
//!
//! A breach refuses nothing: the change waits for a second approval. Each `fix` is the order of steps in which nobody is locked out.

use crate::lint::rule::rules;

rules! {
    ONLY_KEY_IN_USE_REMOVED = Warning "guard.key.in_use_removed", "SDP-SP37; design decision 7",
        what: "Ändringen tar bort {found}, de enda signeringsnycklar som har verifierat något de senaste 30 dagarna." / "The change removes {found}, the only signing keys that verified anything in the last 30 days.",
        why: "Signerar legitimeringstjänsten fortfarande med en borttagen nyckel misslyckas varje inloggning från den stund då ändringen gäller." / "If the provider still signs with a removed key, every login fails from the moment the change holds.",
        fix: "Byt nyckel i den här ordningen. 1. Publicera metadata med både den gamla och den nya nyckeln, och vänta tills alla som läser den har hämtat om. 2. Låt legitimeringstjänsten signera med den nya. 3. Se i sparvidd metadata show att den nya har verifierat meddelanden och att den gamla inte har gjort det på ett dygn. 4. Ta bort den gamla. Är nyckeln röjd: sparvidd suspend key --compromised." / "Replace the key in this order. 1. Publish metadata with both the old and the new key, and wait until all who read it have fetched it again. 2. Let the provider sign with the new one. 3. See in sparvidd metadata show that the new one has verified messages and that the old one has not for a day. 4. Remove the old one. If the key is compromised: sparvidd suspend key --compromised.";
    NO_KEY_REMAINS = Warning "guard.key.none_remains", "SDP-SP37; design decision 7",
        what: "Ingen av signeringsnycklarna från förut finns kvar ({found}), och någon av dem har varit i bruk." / "None of the signing keys of before remains ({found}), and some of them has been in use.",
        why: "Ett byte utan överlapp går bara rätt om legitimeringstjänsten byter i samma sekund." / "A replacement without an overlap goes well only if the provider switches in the same second.",
        fix: "1. Publicera metadata med både en gammal och den nya nyckeln, och vänta tills alla som läser den har hämtat om. 2. Låt legitimeringstjänsten signera med den nya. 3. Se i sparvidd metadata show att den nya har verifierat meddelanden och att den gamla inte har gjort det på ett dygn. 4. Ta bort den gamla." / "1. Publish metadata with both an old and the new key, and wait until all who read it have fetched it again. 2. Let the provider sign with the new one. 3. See in sparvidd metadata show that the new one has verified messages and that the old one has not for a day. 4. Remove the old one.";
    VALIDITY_SHORTENED = Warning "guard.validity.shortened", "SAML Metadata 2.3.2",
        what: "Metadata gäller till {found}; förut gällde den till {expected}." / "The metadata is valid until {found}; before it was valid until {expected}.",
        why: "När tiden är ute tar ingen emot legitimeringstjänstens svar längre." / "When that time has passed, nobody takes the provider's answers any more.",
        fix: "1. Se efter att filen inte är en gammal kopia. 2. Skapa en ny med längre giltighet. 3. Är den kortare tiden avsedd: se till att nästa fil kommer i god tid före {found}." / "1. See that the file is no old copy. 2. Make a new one that is valid longer. 3. If the shorter time is meant: make sure that the next file comes well before {found}.";
    IDENTIFIER_CHANGED = Warning "guard.entity.identifier_changed", "SAML Metadata 2.3.2; design decision 10",
        what: "Legitimeringstjänsten {expected} blir {found}." / "The provider {expected} becomes {found}.",
        why: "Namnet ingår i allas identitet: varje person blir en ny person hos varje e-tjänst, och tjänster som pekar ut den gamla hittar ingen." / "The name is part of everybody's identity: every person becomes a new person at every service, and services that name the old one find nobody.",
        fix: "1. Behåll helst entityID, även om servern får ett nytt namn. 2. Måste det bytas: registrera den nya vid sidan av den gamla. 3. Låt e-tjänsterna flytta sina användare och peka om. 4. Ta bort den gamla när sparvidd metadata show inte har sett den i bruk på 30 dagar." / "1. Keep the entityID if you can, even if the server gets a new name. 2. If it must change: register the new one beside the old one. 3. Let the services move their users and point to it. 4. Remove the old one when sparvidd metadata show has not seen it in use for 30 days.";
    SCOPE_CHANGED = Warning "guard.scope.removed", "Sweden Connect deployment profile 2.1.3.1; design decision 8",
        what: "Scopet {found} tas bort." / "The scope {found} is removed.",
        why: "Det som legitimeringstjänsten uppger med det scopet släpps inte längre vidare, och den vars identitet görs av ett sådant värde kan inte logga in." / "What the provider asserts with that scope is not passed on any longer, and whoever's identity is made from such a value cannot sign in.",
        fix: "1. Lägg till det nya scopet vid sidan av det gamla. 2. Låt legitimeringstjänsten gå över till det nya. 3. Kontrollera med e-tjänsterna att ingen identitet görs av det gamla. 4. Ta bort det gamla." / "1. Add the new scope beside the old one. 2. Let the provider go over to the new one. 3. Make sure with the services that nobody's identity is made from the old one. 4. Remove the old one.";
    BINDING_REMOVED = Warning "guard.endpoint.binding_removed", "SAML Metadata 2.4.3",
        what: "Alla inloggningsadresser för {found} tas bort, och det är den bindningen vi frågar med." / "Every sign-on address over {found} is removed, and that is the binding that we ask with.",
        why: "Den som är på väg att logga in när ändringen börjar gälla skickas till en adress som kanske inte finns längre." / "Who is about to sign in when the change begins to hold is sent to an address that may be gone.",
        fix: "1. Lägg till adressen för den nya bindningen och låt båda svara. 2. Vänta tills alla som läser metadata har hämtat om. 3. Ta bort den gamla ur metadata. 4. Stäng den på servern sist." / "1. Add the address over the new binding and let both answer. 2. Wait until all who read the metadata have fetched it again. 3. Remove the old one from the metadata. 4. Close it on the server last.";
    REMOVED_IN_USE = Warning "guard.entity.removed_in_use", "Design decision 7",
        what: "Legitimeringstjänsten tas bort, och den var i bruk {found}." / "The provider is removed, and it was in use {found}.",
        why: "Ingen av dess användare kan logga in därefter." / "None of its users can sign in after that.",
        fix: "1. Tala om för organisationen när den tas bort. 2. Låt e-tjänsterna sluta hänvisa till den. 3. Se i sparvidd metadata show att den inte används. 4. Ta bort den. Är det bråttom: sparvidd suspend provider stänger den på fem sekunder och kan hävas." / "1. Tell the organisation when it goes. 2. Let the services stop pointing to it. 3. See in sparvidd metadata show that it is not used. 4. Remove it. If it is urgent: sparvidd suspend provider closes it within five seconds, and can be lifted.";
    LEVEL_LOWERED = Warning "guard.level.lowered", "SAML Identity Assurance Profiles 1.0; design decision 9",
        what: "Legitimeringstjänsten kan inte längre ge {found}, som {expected} begär." / "The provider can no longer give {found}, which {expected} asks for.",
        why: "En tjänst som begär nivån tar inte emot någon därifrån." / "A service that asks for the level takes nobody from there.",
        fix: "1. Fråga de tjänster som begär nivån vad de nöjer sig med. 2. Låt dem ändra det. 3. Sänk nivån därefter." / "1. Ask the services that want the level what they will do with. 2. Let them change it. 3. Lower the level after that.";
    NOT_COMPARABLE = Warning "guard.entity.not_comparable", "Design decision 8",
        what: "Det registrerade dokumentet för {found} går inte att läsa, så följderna av ändringen kan inte bedömas." / "The registered document of {found} cannot be read, so what the change leads to cannot be judged.",
        why: "Det som inte kan bedömas ska en människa se på." / "What cannot be judged is for a person to look at.",
        fix: "Jämför den nya filen med den registrerade (sparvidd metadata show) innan ändringen godkänns." / "Compare the new file with the registered one (sparvidd metadata show) before the change is approved.";
}
