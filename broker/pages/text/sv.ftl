# Det som medarbetaren läser. Klarspråk: du-tilltal, presens, en tanke per mening. Först vad som händer, sedan vad du kan göra.
# $service är tjänsten som du loggar in i, $organisation din egen organisation. En mening mitt i en text börjar aldrig med ett namn.

## Ramen runt varje sida

footer-accessibility = Tillgänglighetsredogörelse
footer-contact = Något som inte fungerar? Skriv till { $contact }
unnamed-service = tjänsten
unnamed-organisation = din organisation
broken-page = Sidan går inte att visa just nu

## Tider

time = { $day } { $month } { $year } kl. { $hour }.{ $minute }
month-1 = januari
month-2 = februari
month-3 = mars
month-4 = april
month-5 = maj
month-6 = juni
month-7 = juli
month-8 = augusti
month-9 = september
month-10 = oktober
month-11 = november
month-12 = december

## Välj organisation

choice-title = Var arbetar du?
choice-lead = Välj din organisation för att logga in i { $service }. Du loggar in där, på det sätt du brukar.
choice-search-label = Sök din organisation
choice-search-button = Sök
choice-count = { $count ->
        [0] Ingen organisation
        [one] 1 organisation
       *[other] { $count } organisationer
    }
choice-count-more = Här är { $shown } av { $found } organisationer. Skriv några bokstäver för att hitta din.
choice-none-title = Ingen organisation med det namnet
choice-none-do = Prova ett annat ord, till exempel namnet på kommunen eller regionen. Finns din organisation inte här kan du inte logga in i { $service } på det här sättet än.
choice-show-all = Visa alla organisationer
choice-cancel = Avbryt och gå tillbaka till { $service }

## Tjänstens egna ord

message-from = { $service } hälsar:

## Uppgifter som skickas

notice-title = Det här får { $service } veta
notice-lead = Du är inloggad hos { $organisation } och på väg in i { $service }.
notice-lead-from = Du är inloggad hos { $organisation } och på väg in i { $service }, som { $owner } ansvarar för.
notice-sent = Uppgifter som skickas till { $service }
notice-essential = krävs
notice-nothing = Inga personuppgifter.
notice-code = Dessutom skickas en kod, så att { $service } känner igen dig nästa gång. Koden går inte att räkna om till ditt namn.
notice-why = Uppgifterna kommer från din arbetsgivare. De behövs för att { $service } ska veta vem du är och vad du får göra.
notice-privacy = Så behandlar { $service } dina uppgifter
notice-accept = Fortsätt till { $service }
notice-decline = Avbryt
notice-decline-means = Om du avbryter skickas ingenting, och du kommer tillbaka till { $service }.

## Vidare

onward-title = Du skickas vidare till { $destination }
onward-press = Tryck på knappen för att komma vidare.
onward-button = Fortsätt till { $destination }

## Startsidan

start-title = Här öppnas dörren mellan organisationer
start-lead = Med { $federation } loggar du in i andra organisationers tjänster med den e-legitimation du har från din arbetsgivare.
start-employee-title = Skulle du logga in?
start-employee = Inloggningen börjar alltid i tjänsten du ska använda. Gå tillbaka till den och välj att logga in där.
start-operator-title = För dig som driver en tjänst eller en inloggning
start-saml-metadata = SAML-metadata
start-named-saml-metadata = SAML-metadata: { $name }
start-openid-configuration = OpenID Connect-konfiguration
start-keys = Publika nycklar

## Sidan finns inte

not-found-title = Sidan finns inte
not-found-lead = Här finns ingenting att visa. Skulle du logga in, gå tillbaka till tjänsten du ska använda och börja där.
not-found-button = Till startsidan

## Felsidan

error-again = Försök igen
error-return = Gå tillbaka till { $service }
error-start = Till startsidan
error-support = Hjälp hos { $organisation }
error-details = Uppgifter till den som hjälper dig
error-reference = Referens
error-code = Kod
error-time = Tid

## Felen: tjänsten frågade på ett sätt som inte går

failure-relying_party-request_malformed =
    .title = Inloggningen kommer inte igång
    .what = Det går inte att läsa det som { $service } skickade hit.
    .next = Gå tillbaka till { $service } och logga in på nytt. Händer det igen, berätta det för den som ansvarar för tjänsten och läs upp referensen.
failure-relying_party-unknown =
    .title = Tjänsten är inte ansluten
    .what = Du kommer från en tjänst som inte är registrerad hos oss.
    .next = Gå tillbaka till tjänsten och berätta för den som ansvarar för den. Läs upp referensen.
failure-relying_party-return_address_unregistered =
    .title = Inloggningen stannar här
    .what = Du skulle skickas till en adress som inte är registrerad för { $service }. Vi stannar, så att dina uppgifter inte hamnar fel.
    .next = Gå till { $service } på det sätt du brukar och logga in på nytt. Händer det igen, berätta det för den som ansvarar för tjänsten och läs upp referensen.
failure-relying_party-response_type_unsupported =
    .title = { failure-relying_party-request_malformed.title }
    .what = Det { $service } ber om går inte att få här.
    .next = { failure-relying_party-request_malformed.next }
failure-relying_party-scope_invalid =
    .title = { failure-relying_party-request_malformed.title }
    .what = Det { $service } ber om är inte registrerat för tjänsten.
    .next = { failure-relying_party-request_malformed.next }
failure-relying_party-pkce_required =
    .title = { failure-relying_party-request_malformed.title }
    .what = Ett skydd saknas i det som { $service } skickade hit.
    .next = { failure-relying_party-request_malformed.next }
failure-relying_party-request_not_supported =
    .title = { failure-relying_party-request_malformed.title }
    .what = { failure-relying_party-response_type_unsupported.what }
    .next = { failure-relying_party-request_malformed.next }
failure-relying_party-suspended =
    .title = Inloggningen till { $service } är stängd
    .what = Just nu går det inte att logga in i { $service } den här vägen.
    .next = Gå tillbaka till { $service } och se om där finns ett annat sätt. Fråga annars den som ansvarar för tjänsten.
failure-relying_party-authentication_failed =
    .title = { failure-relying_party-code_invalid.title }
    .what = { failure-relying_party-code_invalid.what }
    .next = { failure-relying_party-code_invalid.next }
failure-relying_party-code_invalid =
    .title = Inloggningen blev inte klar
    .what = Din inloggning gick bra, men { $service } kunde inte hämta resultatet.
    .next = Gå tillbaka till { $service } och logga in på nytt. Händer det igen, berätta det för den som ansvarar för tjänsten och läs upp referensen.
failure-relying_party-pkce_mismatch =
    .title = { failure-relying_party-code_invalid.title }
    .what = { failure-relying_party-code_invalid.what }
    .next = { failure-relying_party-code_invalid.next }
failure-relying_party-grant_type_unsupported =
    .title = { failure-relying_party-code_invalid.title }
    .what = { failure-relying_party-code_invalid.what }
    .next = { failure-relying_party-code_invalid.next }
failure-relying_party-token_invalid =
    .title = Inloggningen har gått ut
    .what = Tiden för din inloggning i { $service } är slut.
    .next = Gå tillbaka till { $service } och logga in på nytt.
failure-relying_party-too_many =
    .title = Många loggar in i { $service } just nu
    .what = Det är fler än vi tar emot på en gång.
    .next = Vänta en minut och logga in på nytt i { $service }.

## Felen: organisationens inloggning säger nej

failure-provider-denied =
    .title = Du blev inte inloggad
    .what = Inloggningen hos { $organisation } svarade nej.
    .next = Försök igen. Får du samma svar, fråga supporten hos { $organisation }.
failure-provider-cancelled =
    .title = Du avbröt inloggningen
    .what = Ingenting har skickats till { $service }.
    .next = Börja om när du vill.
failure-provider-no_passive =
    .title = Du behöver logga in
    .what = Inloggningen hos { $organisation } behöver visa något för dig, men { $service } bad om att det skulle gå utan.
    .next = Gå tillbaka till { $service } och välj att logga in.
failure-provider-no_authn_context =
    .title = Det behövs ett säkrare sätt att logga in
    .what = Inloggningen hos { $organisation } når inte den tillitsnivå som { $service } kräver.
    .next = Har du en annan e-legitimation i tjänsten, försök igen med den. Fråga annars supporten hos { $organisation }.
failure-provider-unknown_principal =
    .title = Du finns inte i inloggningen än
    .what = Inloggningen hos { $organisation } känner inte igen dig.
    .next = Kontrollera att du valde rätt organisation och försök igen. Fråga annars supporten hos { $organisation }.
failure-provider-fraud =
    .title = Inloggningen stoppades
    .what = Inloggningen hos { $organisation } misstänker att någon annan försöker logga in som du.
    .next = Försökte du inte logga in själv, hör genast av dig till supporten hos { $organisation }. Var det du kan du försöka igen.
failure-provider-request_refused =
    .title = Inloggningen kommer inte igång
    .what = Inloggningen hos { $organisation } tog inte emot vår fråga.
    .next = Försök igen om en stund. Händer det igen, läs upp referensen för supporten hos { $organisation }.
failure-provider-other_status =
    .title = { failure-provider-denied.title }
    .what = Något gick fel i inloggningen hos { $organisation }.
    .next = { failure-provider-request_refused.next }

## Felen: svaret från organisationens inloggning går inte att använda

failure-provider-message_malformed =
    .title = Svaret gick inte att använda
    .what = Det kom ett svar från inloggningen hos { $organisation }, men det går inte att läsa.
    .next = Försök igen. Händer det igen, läs upp koden och referensen för supporten hos { $organisation }.
failure-provider-signature_missing =
    .title = { failure-provider-message_malformed.title }
    .what = { failure-provider-signature_invalid.what }
    .next = { failure-provider-message_malformed.next }
failure-provider-signature_invalid =
    .title = { failure-provider-message_malformed.title }
    .what = Det kom ett svar från inloggningen hos { $organisation }, men det går inte att kontrollera att det är äkta.
    .next = { failure-provider-message_malformed.next }
failure-provider-signature_algorithm =
    .title = { failure-provider-message_malformed.title }
    .what = { failure-provider-signature_invalid.what }
    .next = { failure-provider-message_malformed.next }
failure-provider-issuer_mismatch =
    .title = { failure-provider-message_malformed.title }
    .what = Svaret kom från någon annan än inloggningen hos { $organisation }.
    .next = { failure-provider-message_malformed.next }
failure-provider-destination_mismatch =
    .title = { failure-provider-message_malformed.title }
    .what = Svaret från inloggningen hos { $organisation } var avsett för någon annan.
    .next = { failure-provider-message_malformed.next }
failure-provider-recipient_mismatch =
    .title = { failure-provider-message_malformed.title }
    .what = { failure-provider-destination_mismatch.what }
    .next = { failure-provider-message_malformed.next }
failure-provider-in_response_to_mismatch =
    .title = { failure-provider-message_malformed.title }
    .what = Svaret från inloggningen hos { $organisation } hör till ett annat försök att logga in.
    .next = Försök igen, i en flik i taget. Händer det igen, läs upp koden och referensen för supporten hos { $organisation }.
failure-provider-unsolicited =
    .title = Inloggningen behöver börja i tjänsten
    .what = Det kom ett svar från inloggningen hos { $organisation } som ingen tjänst har frågat efter.
    .next = Gå till tjänsten du ska använda och logga in därifrån.
failure-provider-audience_mismatch =
    .title = { failure-provider-message_malformed.title }
    .what = { failure-provider-destination_mismatch.what }
    .next = { failure-provider-message_malformed.next }
failure-provider-not_yet_valid =
    .title = Klockorna går olika
    .what = Svaret från inloggningen hos { $organisation } har en tid som inte har inträffat än.
    .next = Vänta en minut och försök igen. Händer det igen, läs upp koden och referensen för supporten hos { $organisation }.
failure-provider-expired =
    .title = Svaret kom för sent
    .what = Tiden hann gå ut för svaret från inloggningen hos { $organisation }.
    .next = Försök igen. Händer det igen, läs upp koden och referensen för supporten hos { $organisation }: en klocka kan gå fel.
failure-provider-subject_confirmation =
    .title = { failure-provider-message_malformed.title }
    .what = Något saknas i svaret från inloggningen hos { $organisation }.
    .next = { failure-provider-message_malformed.next }
failure-provider-authn_statement =
    .title = { failure-provider-message_malformed.title }
    .what = Svaret från inloggningen hos { $organisation } berättar inte hur du loggade in.
    .next = { failure-provider-message_malformed.next }
failure-provider-condition_unknown =
    .title = { failure-provider-message_malformed.title }
    .what = Svaret från inloggningen hos { $organisation } har ett villkor som vi inte känner till.
    .next = { failure-provider-message_malformed.next }
failure-provider-assertion_count =
    .title = { failure-provider-message_malformed.title }
    .what = { failure-provider-subject_confirmation.what }
    .next = { failure-provider-message_malformed.next }
failure-provider-undecryptable =
    .title = { failure-provider-message_malformed.title }
    .what = { failure-provider-signature_invalid.what }
    .next = { failure-provider-message_malformed.next }
failure-provider-encrypted_part =
    .title = { failure-provider-message_malformed.title }
    .what = { failure-provider-message_malformed.what }
    .next = { failure-provider-message_malformed.next }
failure-provider-version_unsupported =
    .title = { failure-provider-message_malformed.title }
    .what = { failure-provider-message_malformed.what }
    .next = { failure-provider-message_malformed.next }
failure-provider-replayed =
    .title = Svaret är redan använt
    .what = Ett svar från inloggningen hos { $organisation } gäller bara en gång, och det här har använts.
    .next = Börja om, så får du ett nytt.
failure-provider-assurance_not_asked =
    .title = { failure-provider-message_malformed.title }
    .what = Du loggade in hos { $organisation } på ett annat sätt än { $service } kräver.
    .next = Har du en annan e-legitimation i tjänsten, försök igen med den. Fråga annars supporten hos { $organisation }.
failure-provider-authentication_too_old =
    .title = Du behöver logga in på nytt
    .what = Till { $service } behöver du visa din e-legitimation igen, men inloggningen hos { $organisation } använde en tidigare inloggning.
    .next = Logga ut hos { $organisation } eller stäng webbläsaren, och försök igen.
failure-provider-proxy_restricted =
    .title = { failure-provider-message_malformed.title }
    .what = Svaret från inloggningen hos { $organisation } får inte skickas vidare till { $service }.
    .next = { failure-provider-message_malformed.next }

## Felen: organisationens inloggning går inte att nå

failure-provider-unusable =
    .title = Inloggningen går inte att använda just nu
    .what = Inloggningen hos { $organisation } är inte färdig att användas.
    .next = Försök igen senare. Läs annars upp referensen för supporten hos { $organisation }.
failure-provider-unreachable =
    .title = Inloggningen svarar inte
    .what = Inloggningen hos { $organisation } svarar inte just nu.
    .next = Vänta en stund och försök igen. Fråga annars supporten hos { $organisation }.
failure-provider-metadata_expired =
    .title = { failure-provider-unusable.title }
    .what = Uppgifterna om inloggningen hos { $organisation } har blivit för gamla för att vi ska lita på dem.
    .next = { failure-provider-unusable.next }

## Felen: webbläsaren tappade tråden

failure-browser-cookie_missing =
    .title = Inloggningen behöver börja om
    .what = Webbläsaren kom tillbaka utan den kaka som visar att det är du som började.
    .next = Börja om i samma webbläsare. Händer det igen, tillåt kakor för den här sidan.
failure-browser-login_unknown =
    .title = Inloggningen behöver börja om
    .what = Inloggningen har legat för länge, eller så började den i en annan webbläsare.
    .next = Börja om i { $service }, så är du snart inne.
failure-browser-login_used =
    .title = Den här inloggningen är redan klar
    .what = Sidan hör till en inloggning som är avslutad.
    .next = Gå till { $service }. Är du inte inloggad där, logga in på nytt.
failure-browser-page_expired =
    .title = Du har redan passerat den här sidan
    .what = Sidan hör till ett steg som är över.
    .next = Börja om i { $service }, så är du snart inne.
failure-browser-too_many =
    .title = Det blev många försök på kort tid
    .what = Vi väntar en stund innan du kan försöka igen.
    .next = Vänta två minuter och börja sedan om i { $service }. Händer det igen, läs upp referensen för din support.

## Felen: en regel säger nej

failure-policy-provider_unknown =
    .title = Organisationen finns inte här
    .what = Den organisation som { $service } frågar efter är inte ansluten.
    .next = Försök igen och välj din organisation i listan.
failure-policy-provider_not_allowed =
    .title = Du kommer inte in i { $service } den här vägen
    .what = För { $organisation } är inloggningen till { $service } inte öppen.
    .next = Fråga supporten hos { $organisation } hur du ska logga in.
failure-policy-provider_suspended =
    .title = Inloggningen är stängd
    .what = Just nu går det inte att använda inloggningen hos { $organisation }.
    .next = Fråga supporten hos { $organisation } när den öppnar igen.
failure-policy-organisation_suspended =
    .title = Inloggningen är stängd
    .what = Just nu går det inte att använda inloggningen hos { $organisation }.
    .next = Fråga supporten hos { $organisation } när den öppnar igen.
failure-policy-key_suspended =
    .title = Inloggningen är stängd
    .what = Just nu går det inte att lita på inloggningen hos { $organisation }, och därför är den stängd.
    .next = Fråga supporten hos { $organisation } när den öppnar igen.
failure-policy-attribute_missing =
    .title = En uppgift om dig saknas
    .what = En uppgift som { $service } inte klarar sig utan kom inte med från { $organisation }.
    .next = Be supporten hos { $organisation } lägga till uppgiften. Läs upp referensen, så ser de vilken den är.
failure-policy-attribute_outside_authority =
    .title = En uppgift om dig går inte att använda
    .what = En uppgift i svaret från { $organisation } hör till en annan organisation.
    .next = Läs upp koden och referensen för supporten hos { $organisation }.
failure-policy-assurance_too_low =
    .title = Det behövs ett säkrare sätt att logga in
    .what = { $service } kräver en tillitsnivå som inloggningen hos { $organisation } inte har.
    .next = Har du en annan e-legitimation i tjänsten, logga in på nytt med den. Fråga annars supporten hos { $organisation }.
failure-policy-assurance_above_ceiling =
    .title = { failure-policy-attribute_outside_authority.title }
    .what = Inloggningen hos { $organisation } uppger en högre tillitsnivå än den är godkänd för.
    .next = { failure-policy-attribute_outside_authority.next }
failure-policy-subject_missing =
    .title = { failure-policy-attribute_missing.title }
    .what = Uppgiften som { $service } ska känna igen dig på kom inte med från { $organisation }.
    .next = Läs upp koden och referensen för supporten hos { $organisation }.
failure-policy-subject_mismatch =
    .title = Tjänsten väntade sig någon annan
    .what = { $service } bad om en viss person, och du som loggade in hos { $organisation } är inte den. Ingenting har skickats.
    .next = Gå tillbaka till { $service }. Är det du som ska in, logga ut där först och börja om.
failure-policy-organisation_unproven =
    .title = Det syns inte var du arbetar
    .what = Svaret visar inte att du hör till { $organisation }.
    .next = Läs upp koden och referensen för supporten hos { $organisation }.
failure-policy-notice_declined =
    .title = Du avbröt
    .what = Inga uppgifter har skickats till { $service }.
    .next = Börja om om du ändrar dig.
failure-policy-interaction_required =
    .title = Du behöver göra något först
    .what = Vi behöver visa något för dig, men { $service } bad om att det skulle gå utan.
    .next = Gå tillbaka till { $service } och välj att logga in.

## Felen: hos oss

failure-broker-store_away =
    .title = Inloggningen vilar en stund
    .what = En del av inloggningen svarar inte. Vi vet om det.
    .next = Vänta en minut och försök igen.
failure-broker-registry_stale =
    .title = { failure-broker-store_away.title }
    .what = Inloggningen väntar på färska uppgifter om vilka som är anslutna.
    .next = { failure-broker-store_away.next }
failure-broker-key_missing =
    .title = Inloggningen går inte att använda just nu
    .what = Något är fel hos oss. Felet är loggat.
    .next = Försök igen om en stund. Händer det igen, läs upp referensen för din support.
failure-broker-overloaded =
    .title = Många loggar in just nu
    .what = Det är fler än vi hinner med på en gång.
    .next = Vänta en minut och försök igen.
failure-broker-page_unknown =
    .title = { not-found-title }
    .what = Här finns ingenting att visa.
    .next = Gå till { $service } och logga in därifrån.
failure-broker-internal =
    .title = Något gick fel hos oss
    .what = Felet är loggat.
    .next = Försök igen. Händer det igen, läs upp referensen för din support.

## Uppgifternas namn

attribute-surname = Efternamn
attribute-given_name = Förnamn
attribute-middle_name = Mellannamn
attribute-display_name = Namn
attribute-gender = Kön
attribute-personal_identity_number = Personnummer
attribute-coordination_number = Samordningsnummer
attribute-previous_personal_identity_number = Tidigare personnummer
attribute-date_of_birth = Födelsedatum
attribute-birth_name = Namn vid födseln
attribute-street = Gatuadress
attribute-post_office_box = Postbox
attribute-postal_code = Postnummer
attribute-locality = Ort
attribute-country = Land
attribute-place_of_birth = Födelseort
attribute-country_of_citizenship = Medborgarskap
attribute-country_of_residence = Land där du bor
attribute-telephone_number = Telefonnummer
attribute-mobile = Mobilnummer
attribute-mail = E-postadress
attribute-organisation_name = Din organisation
attribute-organisation_unit = Enhet
attribute-organisation_number = Organisationsnummer
attribute-org_affiliation = Ditt tjänste-id
attribute-transaction_identifier = Inloggningens nummer
attribute-auth_context_params = Hur inloggningen gick till
attribute-user_certificate = Ditt certifikat
attribute-user_signature = Din underskrift
attribute-auth_server_signature = Intyg från inloggningen
attribute-signature_activation_data = Uppgifter för underskrift
attribute-sign_message_digest = Kontrollsumma för det du skriver under
attribute-provisional_id = Tillfälligt id
attribute-provisional_id_persistence = Hur länge det tillfälliga id:t gäller
attribute-identity_binding = Hur ditt id är kopplat till dig
attribute-mapped_personal_identity_number = Kopplat personnummer
attribute-eidas_person_identifier = Ditt id i ett annat land
attribute-eidas_address = Din adress i ett annat land
attribute-employee_hsa_id = HSA-id
attribute-commission_hsa_id = Uppdragets HSA-id
attribute-commission_name = Medarbetaruppdrag
attribute-commission_purpose = Uppdragets ändamål
attribute-commission_right = Uppdragets rättigheter
attribute-health_care_provider_hsa_id = Vårdgivarens HSA-id
attribute-health_care_provider_name = Vårdgivare
attribute-health_care_professional_licence = Legitimation
attribute-health_care_professional_speciality = Specialitet
attribute-group_prescription_code = Gruppförskrivarkod
attribute-personal_prescription_code = Förskrivarkod
attribute-subject_id = Ditt id hos arbetsgivaren
attribute-pairwise_id = Ditt id för den här tjänsten
attribute-edu_person_principal_name = Användarnamn

# Organisationer bakom samma inloggning
unnamed-other-organisation = en annan organisation
error-continue-as = Fortsätt som { $organisation }
failure-policy-organisation_not_chosen =
    .title = Du hör till { $organisation }
    .what = Du valde { $chosen }, men din inloggning visar att du hör till { $organisation }.
    .next = Fortsätt som { $organisation } för att komma till { $service }. Stämmer det inte, fråga supporten hos { $organisation }.
failure-policy-connection_closed =
    .title = { $service } är inte öppen för dig
    .what = { $organisation } har inte öppnat { $service } för sin personal.
    .next = Fråga supporten hos { $organisation } om du behöver { $service } i ditt arbete.
