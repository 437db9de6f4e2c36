# Det som den läser som sköter en organisations metadata, utan konto, genom en inbjudan. Samma röst som i sv.ftl: du-tilltal, presens, en tanke per
# mening. Först vad som händer, sedan vad du kan göra. $organisation är den egna organisationen.

operator-date = { $day } { $month } { $year }

## Inbjudan

operator-invitation-title = Inbjudan till { $organisation }
operator-invitation-lead = Hej { $holder }. Här kan du lämna in metadata för { $organisation } i { $federation }, och se vad som redan är registrerat.
operator-invitation-purpose = Inbjudan gäller: { $purpose }
operator-invitation-button = Öppna sidan för { $organisation }
operator-invitation-once = Länken öppnar sidan en gång, i den här webbläsaren. Sidan är öppen till och med { $until }.

## Det som säger nej, eller att något är klart

operator-message-used-title = Länken är redan använd
operator-message-used-what = En inbjudan öppnar sidan i en webbläsare, och den här har öppnats i en annan.
operator-message-used-next = Var det du, använd samma webbläsare som då. Annars, be den som bjöd in dig om en ny länk, och säg att den gamla var använd.
operator-message-expired-title = Inbjudan har gått ut
operator-message-expired-what = Inbjudan gällde ett visst antal dagar, och de har gått.
operator-message-expired-next = Be den som bjöd in dig om en ny länk. Det som är inlämnat ligger kvar.
operator-message-revoked-title = Inbjudan är stängd
operator-message-revoked-what = Den som sköter federationen har tagit tillbaka inbjudan.
operator-message-revoked-next = Be den som bjöd in dig om en ny länk om du fortfarande ska lämna in metadata.
operator-message-unknown-title = Länken går inte att använda
operator-message-unknown-what = Det finns ingen inbjudan med den här länken. Den kan ha blivit avkortad på vägen.
operator-message-unknown-next = Kopiera hela länken ur brevet och försök igen, eller be den som bjöd in dig om en ny.
operator-message-closed-title = Sidan är inte öppen här
operator-message-closed-what = Sidan öppnas med en inbjudan, och stängs efter åtta timmar utan att någon använder den.
operator-message-closed-next = Öppna länken i din inbjudan igen, i samma webbläsare. Har du ingen, be den som sköter federationen om en.
operator-message-left-title = Du har lämnat sidan
operator-message-left-what = Sidan är stängd i den här webbläsaren, och länken i inbjudan går inte att använda igen. Det som är inlämnat ligger kvar.
operator-message-left-next = Behöver du komma tillbaka, be den som bjöd in dig om en ny länk.
operator-message-form-title = Formuläret kom inte från sidan
operator-message-form-what = Vi kan inte se att det var du som tryckte, så ingenting har ändrats.
operator-message-form-next = Gå tillbaka till sidan och försök igen.
operator-message-form-button = Till sidan
operator-message-away-title = Sidan vilar en stund
operator-message-away-what = En del av tjänsten svarar inte just nu. Ingenting har ändrats.
operator-message-away-next = Vänta en minut och försök igen. Händer det igen, läs upp referensen för den som sköter federationen.
operator-message-away-button = Försök igen
operator-message-gone-title = Här finns ingenting längre
operator-message-gone-what = En fil som inte lämnas in finns kvar ett dygn. Den här är borta, eller hörde aldrig till din sida.
operator-message-gone-next = Lämna in filen igen.
operator-message-gone-button = Till sidan
operator-reference = Referens:

## Sidan

operator-place-title = Metadata för { $organisation }
operator-place-lead = Du är { $holder } här. Det du lämnar in blir synligt när en annan person har godkänt det.
operator-submit-link = Lämna in metadata
operator-back = Till sidan för { $organisation }
operator-proposals = Inlämnade ändringar
operator-proposal-name = Ändring { $number }: { $about }
operator-proposal-by = { $author }, { $at }
operator-state-draft = Utkast.
operator-state-validated = Väntar på att en annan person godkänner.
operator-state-approved = Godkänd, och väntar på att publiceras.
operator-state-published = Publicerad i revision { $revision }.
operator-state-superseded = Inaktuell: det som den ändrade har ändrats sedan dess. Lämna in filen igen.
operator-state-withdrawn = Återtagen.
operator-state-declined = Avböjd.
operator-providers = Inloggningar
operator-no-provider = Ingen inloggning är registrerad än.
operator-services = E-tjänster
operator-no-service = Ingen e-tjänst är registrerad.
operator-entry-suspended = avstängd
operator-entry-hidden = visas inte i valet
operator-entry-withheld = tas inte i bruk: filen håller inte längre
operator-entry-no-key = ingen nyckel går att använda
operator-valid-until = Filen gäller till { $until }.
operator-key-signing = Signerar
operator-key-encryption = Krypterar
operator-key-both = Signerar och krypterar
operator-key-expires = { $days ->
        [0] Certifikatet går ut i dag, { $on }.
        [1] Certifikatet går ut i morgon, { $on }.
       *[other] Certifikatet går ut om { $days } dagar, { $on }.
    }
operator-key-expired = Certifikatet gick ut { $on }. Nyckeln fungerar ändå: det är nyckeln som räknas.
operator-key-no-date = Nyckeln har inget slutdatum.
operator-key-seen = Verifierade senast ett meddelande { $at }.
operator-key-unseen = Har inte verifierat något meddelande än.
operator-key-compromised = Nyckeln är märkt som röjd och används inte.
operator-service-method-client_secret_basic = Visar vem den är med en hemlighet (Basic).
operator-service-method-client_secret_post = Visar vem den är med en hemlighet (POST).
operator-service-method-private_key_jwt = Visar vem den är med en egen nyckel.
operator-record = Det här får ni lämna in
operator-record-lead = Organisationens post sätter gränserna. Saknas något, be den som sköter federationen att ändra posten.
operator-record-number = Organisationsnummer
operator-record-domains = Domäner för adresser och namn
operator-record-scopes = Scope, det till höger om @
operator-record-hsa = Början på HSA-id
operator-record-ceiling = Tillitsnivåer
operator-record-none = inga
operator-leave-title = Klar för i dag?
operator-leave-lead = Sidan är öppen i den här webbläsaren till och med { $until }. Lämnar du den nu går den inte att öppna igen utan en ny inbjudan.
operator-leave-button = Lämna sidan för gott

## Lämna in

operator-problem = Något behöver rättas: {""}
operator-problem-title = Något behöver rättas
operator-submit-title = Lämna in metadata för { $organisation }
operator-submit-lead = Ge oss filen som din inloggning eller e-tjänst har skapat. Du får veta direkt om något är fel, på vilken rad och hur du rättar det.
operator-file-label = Fil
operator-file-hint = SAML-metadata (XML) eller uppgifter om en OpenID Connect-tjänst (JSON), högst { $megabytes } MB.
operator-file-drop = Du kan också dra filen hit.
operator-other-ways = Ange en adress eller klistra in i stället
operator-url-label = Adress
operator-url-hint = En https-adress där filen ligger. Vi hämtar den en gång, nu.
operator-text-label = Innehållet i filen
operator-judge-button = Granska
operator-submit-nothing-yet = Ingenting lämnas in än. Först får du se vad vi hittar.
operator-give-nothing = Välj en fil, ange en adress eller klistra in innehållet.
operator-give-several = Ge oss en sak i taget: en fil, en adress eller inklistrat innehåll.
operator-give-empty = Filen är tom. Välj en annan, eller skapa den på nytt.
operator-give-large = Filen är större än { $megabytes } MB. En hel federations metadata lämnas inte in här, bara den egna organisationens.
operator-give-binary = Det här är inte en textfil, utan till exempel ett arkiv eller ett dokument. Packa upp den, och välj XML- eller JSON-filen.
operator-give-not-utf8 = Filen är inte skriven i UTF-8. Spara den på nytt med teckenkodningen UTF-8.
operator-give-slow = Filen kom inte fram hel. Försök igen.
operator-give-room = Många lämnar in filer just nu. Vänta en minut och försök igen.
operator-give-broken = Formuläret kom inte fram helt. Välj filen igen.
operator-fetch-address = { $url } är ingen adress att hämta från. Den börjar med https:// och har varken användarnamn eller lösenord.
operator-fetch-not-public = { $host } leder till en adress som inte nås från internet. Lägg filen på en öppen adress, eller ladda upp den.
operator-fetch-unresolved = Det finns ingen adress för { $host }. Kontrollera stavningen.
operator-fetch-unreachable = { $host } går inte att nå, eller har inget giltigt certifikat. Kontrollera adressen, eller ladda upp filen.
operator-fetch-status = { $host } svarar med status { $status } i stället för filen. Kontrollera adressen i en webbläsare.
operator-fetch-redirect = { $host } skickar vidare till en annan plats som vi inte följer. Ange adressen som den slutar på.
operator-fetch-large = { $host } skickar mer än { $megabytes } MB.
operator-fetch-encoding = { $host } skickar något som inte går att packa upp. Ladda upp filen i stället.
operator-fetch-slow = { $host } svarar för långsamt. Försök igen, eller ladda upp filen.

## Granskningen

operator-other-file = Välj en annan fil
operator-review-title-refused = Filen går inte att använda än
operator-review-title-asks = Vi behöver veta en sak till
operator-review-title-good = Filen går att använda
operator-review-lead-refused = { $errors ->
        [one] Ett fel behöver rättas. Rätta det där filen skapas, och lämna in den igen. Ingenting har ändrats.
       *[other] { $errors } fel behöver rättas. Rätta dem där filen skapas, och lämna in den igen. Ingenting har ändrats.
    }
operator-review-lead-asks = Filen säger inte allt som behövs. Svara här, så granskar vi igen.
operator-review-lead-good = Läs vad som ändras. Lämna sedan in, så får en annan person godkänna.
operator-review-file = { $file }, { $size } kB, granskad { $at }.
operator-questions = Fyll i det som saknas
operator-client-id-label = Namnet på e-tjänsten (client_id)
operator-client-id-hint = Helst en https-adress på er domän, till exempel https://journal.example.
operator-subject-label = Hur känns en person igen vid nästa inloggning?
operator-subject-hint = Välj något som din inloggning alltid skickar och som aldrig byter ägare. Valet ligger fast när inloggningen har anslutits.
operator-subject-subject_id = subject-id
operator-subject-pairwise_id = pairwise-id
operator-subject-persistent_name_id = ett beständigt NameID
operator-subject-org_affiliation = orgAffiliation (tjänste-id)
operator-subject-employee_hsa_id = HSA-id
operator-judge-again = Granska igen
operator-change = Det här ändras
operator-party-new = { $name } är ny.
operator-party-renewed = { $name } får en ny version.
operator-holds = Ändringen kan stoppa inloggningar
operator-holds-lead = Därför behöver två andra personer godkänna den. Gör så här i stället, om du kan:
operator-note-label = Meddelande till den som godkänner
operator-note-hint = Frivilligt. Till exempel varför du byter nyckel.
operator-submit-button = Lämna in
operator-submit-means = Inget ändras för dem som loggar in förrän en annan person har godkänt.
operator-findings = Det vi hittade
operator-group-error = { $count ->
        [one] 1 fel
       *[other] { $count } fel
    }
operator-group-warning = { $count ->
        [one] 1 varning
       *[other] { $count } varningar
    }
operator-group-note = { $count ->
        [one] 1 upplysning
       *[other] { $count } upplysningar
    }
operator-group-more = Och { $count } till. Rätta de här först.
operator-mend = Så här rättar du:
operator-place-file = hela filen
operator-place-line = rad { $line }
operator-place-of = rad { $line }, tecken { $column }
operator-document = Filen, rad för rad
operator-document-caption = { $shown } av { $total } rader visas: de som något sägs om, och några runt omkring.
operator-line = Rad
operator-line-text = Innehåll
operator-lines-between = { $count ->
        [one] 1 rad till
       *[other] { $count } rader till
    }
operator-as-text = Allt som text, att kopiera
operator-copy = Kopiera texten
operator-copied = Texten är kopierad

## En ändring

operator-received = Tack, ändring { $number } är inlämnad
operator-received-next = { $needed ->
        [one] Nu väntar den på att en annan person godkänner den: den som sköter federationen, eller en kollega med rätt att godkänna.
       *[other] Nu väntar den på att { $needed } andra personer godkänner den, eftersom den kan stoppa inloggningar.
    }
operator-received-where = Den här sidan visar alltid hur det går. Du hittar hit från din organisations sida.
operator-proposal-title = Ändring { $number }
operator-needed = { $needed ->
        [one] En annan person behöver godkänna den: den som sköter federationen, eller en kollega med rätt att godkänna.
       *[other] { $needed } andra personer behöver godkänna den.
    }
operator-reason = Skälet: { $reason }
operator-secret-title = Hemligheten för { $client_id }
operator-secret-lead = Spara den på ett säkert ställe nu. Den visas här i ett dygn, bara i den här webbläsaren, och gäller när ändringen är publicerad.
operator-proposal-author = Inlämnad av
operator-proposal-at = När
operator-proposal-note = Meddelande
operator-decide = Godkänn eller avböj
operator-decide-lead = { $author } har lämnat in ändringen. Läs vad som ändras, och fråga om något är oklart.
operator-approve = Godkänn ändringen
operator-publish = Publicera ändringen
operator-decline = Avböj
operator-reason-label = Varför avböjer du?
operator-reason-missing = Skriv varför du avböjer, så att { $author } vet vad som behöver ändras.
operator-withdraw = Ta tillbaka ändringen
operator-withdraw-means = Då händer ingenting med den. Du kan lämna in filen igen.
operator-history = Vad som har hänt
operator-refused-own = Du kan inte godkänna det du själv har lämnat in. Be en kollega, eller den som sköter federationen.
operator-refused-right = Din inbjudan ger inte rätt att godkänna. Be den som bjöd in dig.
operator-refused-state = Ändringen har hunnit bli avgjord. Här ser du hur det gick.
operator-refused-registry = Det här går inte just nu: { $why }
operator-refused-nothing = Filen säger samma sak som det som redan är registrerat. Det finns inget att lämna in.
operator-refused-many = Organisationen har redan många ändringar som väntar. Ta tillbaka någon, eller vänta tills de är avgjorda.
operator-refused-stale = Det som ändringen gäller har ändrats sedan den lämnades in. Lämna in filen igen.
operator-refused-again = Du har redan godkänt ändringen. En annan person behöver också göra det.
operator-refused-rules = Filen håller inte längre för reglerna. Lämna in den igen för att se varför.
operator-happened-made = Skapad
operator-happened-validated = Granskad och inlämnad
operator-happened-approved = Godkänd
operator-happened-published = Publicerad
operator-happened-published-despite = Publicerad trots att den kunde stoppa inloggningar
operator-happened-superseded = Inaktuell, eftersom något annat publicerades
operator-happened-withdrawn = Återtagen
operator-happened-declined = Avböjd
operator-document-whole = Hela filen visas, { $total } rader.

## Provinloggning

operator-message-shown-title = Resultatet visas bara en gång
operator-message-shown-what = Det har redan visats, är äldre än tio minuter eller hör till en annan webbläsare. Då är det borta.
operator-message-shown-next = Gör en ny provinloggning om du vill se det igen.
operator-message-shown-button = Till min organisations sida
operator-try-link = Prova inloggningen
operator-try-title = Prova inloggningen
operator-try-lead = Logga in som vanligt hos er egen inloggning. Sedan ser du vad som kontrollerades, vad som intygades och vad som skulle lämnas ut. Ingen e-tjänst får veta något.
operator-try-draft = Du provar ändring { $number }, som den är inlämnad. Alla andra loggar in som förut.
operator-try-provider = Inloggning
operator-try-party = E-tjänst
operator-try-party-hint = Visar vad just den e-tjänsten skulle få. Den får inget veta om provet.
operator-try-default = Ingen särskild: det som de flesta e-tjänster ber om
operator-try-button = Logga in på prov
operator-try-privacy = Resultatet visas en gång, bara i den här webbläsaren, och sparas inte.
operator-try-service = provet
operator-try-not-over = Ändringen går inte att prova: den är avgjord, eller så har det som den gäller ändrats sedan den lämnades in.
operator-try-not-other = Ändringen går inte att prova: bara en ändring av en inloggning som redan är registrerad kan provas.
operator-try-not-bounds = Ändringen går inte att prova i förväg: den ändrar mer än nycklar, adresser och texter. Den behöver godkännas först.
operator-try-proposal = Prova innan den publiceras
operator-try-proposal-lead = Du kan logga in med den nya filen i den här webbläsaren. Ingen annan märker något.
operator-try-proposal-link = Prova i din webbläsare
operator-tried-works = Inloggningen fungerar
operator-tried-fails = Inloggningen skulle inte fungera
operator-tried-once = Det här visas en gång och sparas inte.
operator-tried-draft = Provet gällde ändring { $number }, som inte är publicerad.
operator-tried-gone-title = Ändringen är inte längre densamma
operator-tried-gone = Ändring { $number } har avgjorts, tagits tillbaka eller blivit inaktuell medan du loggade in. Inget provades.
operator-tried-broken = Här tog det stopp
operator-tried-expected = Väntat
operator-tried-found = Det som kom
operator-tried-rule = Regel
operator-tried-asserted = Det här intygade er inloggning
operator-tried-organisation = Organisation
operator-tried-nothing = inget
operator-tried-level = Tillitsnivå
operator-tried-level-leaves = Lämnas ut som { $level }, om e-tjänsten frågar.
operator-tried-level-none = Ingen nivå lämnas ut.
operator-tried-source = Personens id görs av
operator-tried-source-there = Det fanns med, en gång.
operator-tried-source-missing = Det fanns inte med en gång: då fungerar ingen inloggning.
operator-tried-when = Personen loggade in
operator-fate-leaves = Lämnas ut.
operator-fate-not_wanted = Lämnas inte ut: e-tjänsten ber inte om det, eller får inte ha det.
operator-fate-not_kept = Lämnas inte ut: organisationens post tillåter det inte, eller så har värdet fel form.
operator-fate-several = Lämnas inte ut: det ska ha ett värde och hade flera.
operator-fate-outside = Ligger utanför det organisationen svarar för. Därför stoppas inloggningen.
operator-fate-login_failed = Lämnas inte ut, eftersom inloggningen stoppas.
operator-tried-unread = De här attributen läser ingen inloggning:
operator-tried-leaves = Det här skulle lämnas ut
operator-tried-leaves-to = Det här skulle lämnas ut till { $party }
operator-tried-leaves-lead = Organisationens namn och nummer kommer från registret, inte från er inloggning.
operator-tried-leaves-nothing = Ingenting, eftersom inloggningen stoppas.
operator-tried-subject = Personens id hos e-tjänsten
operator-tried-checks = Kontrollerna
operator-tried-passed = { $count ->
        [one] En kontroll är uppfylld.
       *[other] { $count } kontroller är uppfyllda.
    }
operator-tried-all = Visa alla kontroller (på engelska)
operator-check-passed = Uppfylld
operator-check-failed = Bruten
operator-check-not_applicable = Berörs inte
operator-check-not_reached = Inte prövad
operator-tried-again = Prova igen
operator-tried-reference = Referens
operator-fate-not_agreed = Lämnas inte ut: er organisation har inte godkänt att e-tjänsten får det.
