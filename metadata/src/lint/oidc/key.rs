//! Rules for the relying party's keys and secret.

use certs::SignatureAlgorithm;

use crate::{
    lint::{
        report::{Finding, Place, Report},
        rule::rules,
    },
    oidc::{Method, Registration, pointer},
};

rules! {
    MISSING = Error "oidc.key.missing", "OIDC Core 9; RFC 7591 section 2",
        what: "private_key_jwt kräver en nyckel i jwks som går att kontrollera signaturer med." / "private_key_jwt needs a key in jwks that signatures can be checked with.",
        why: "Utan den kan tjänsten inte visa vem den är." / "Without it the service cannot show who it is.",
        fix: "Lägg in den publika nyckeln: \"jwks\": {\"keys\": [{\"kty\": \"EC\", \"crv\": \"P-256\", …}]}." / "Put in the public key: \"jwks\": {\"keys\": [{\"kty\": \"EC\", \"crv\": \"P-256\", …}]}.";
    PRIVATE = Error "oidc.key.private", "RFC 7517 section 9.2",
        what: "Filen innehåller en privat eller hemlig nyckel: {found}." / "The file has a private or secret key: {found}.",
        why: "Den som har sett filen kan uppträda som tjänsten." / "Whoever has seen the file can act as the service.",
        fix: "Skapa en ny nyckel och lägg bara in dess publika del." / "Make a new key and put in only its public half.";
    UNREADABLE = Error "oidc.key.unreadable", "RFC 7517 section 5",
        what: "jwks kan inte läsas: {found}." / "The jwks cannot be read: {found}.",
        why: "En trasig nyckel bryter inloggningen när den ska användas." / "A broken key breaks logins when it is to be used.",
        fix: "Skriv ett objekt med listan \"keys\", där varje nyckel är en publik JWK." / "Write an object with the list \"keys\", in which each key is a public JWK.";
    PASSED_OVER = Warning "oidc.key.passed_over", "RFC 7517 section 5",
        what: "En nyckel används inte: {found}." / "A key is not used: {found}.",
        why: "Det som signeras med den kan inte kontrolleras." / "What is signed with it cannot be checked.",
        fix: "Ta bort den, eller byt till RSA med minst 2048 bitar eller EC på P-256, P-384 eller P-521." / "Remove it, or change to RSA of at least 2048 bits or EC on P-256, P-384 or P-521.";
    BY_REFERENCE = Error "oidc.key.by_reference", "RFC 7591 section 2; design decision 12",
        what: "jwks_uri hämtas inte i den här versionen." / "The jwks_uri is not fetched in this version.",
        why: "En nyckel som aldrig hämtas skulle stoppa varje inloggning." / "A key that is never fetched would stop every login.",
        fix: "Lägg in nycklarna i filen som \"jwks\" och ta bort jwks_uri. Lägg till filen på nytt när nycklarna byts." / "Put the keys into the file as \"jwks\" and remove jwks_uri. Add the file again when keys change.";
    ALGORITHM_WITHOUT_KEY = Error "oidc.key.algorithm_mismatch", "RFC 7517 section 4.4; OIDC Core 9",
        what: "Ingen nyckel i jwks kan användas med {found}." / "No key in jwks can be used with {found}.",
        why: "Då kan inget som tjänsten signerar tas emot." / "Then nothing that the service signs can be accepted.",
        fix: "Ändra token_endpoint_auth_signing_alg eller nyckeln så att de hör ihop." / "Change token_endpoint_auth_signing_alg or the key so that they belong together.";
    SECRET_WEAK = Error "oidc.secret.weak", "OWASP ASVS 5.0 section 11.5.1; OIDC Core 16.19",
        what: "client_secret är för kort eller för enkel." / "The client_secret is too short or too plain.",
        why: "En hemlighet som går att gissa gör att någon annan kan uppträda som tjänsten." / "A secret that can be guessed lets somebody else act as the service.",
        fix: "Ta bort client_secret ur filen, så skapas en och visas en gång. Annars minst 32 slumpade tecken." / "Remove client_secret from the file, and one is made and shown once. Otherwise at least 32 random characters.";
    SECRET_IN_FILE = Note "oidc.secret.in_file", "OWASP ASVS 5.0 section 13.3.1",
        what: "Filen innehåller tjänstens hemlighet." / "The file has the service's secret in it.",
        why: "Den sparas inte; bara ett kontrollvärde behålls. Men filen själv är nu hemlig." / "It is not kept; only a check value is. But the file itself is now secret.",
        fix: "Radera filen, eller ta bort client_secret ur den." / "Delete the file, or remove client_secret from it.";
}

pub(super) fn check(registration: &Registration, report: &mut Report) {
    if registration.method != Method::PrivateKeyJwt {
        return;
    }
    let place = || Place::Pointer(pointer("jwks"));
    let Some(keys) = &registration.keys else {
        report.add(Finding::new(&MISSING, place()));
        return;
    };
    let usable = |algorithm: SignatureAlgorithm| keys.keys().iter().any(|key| key.permits(algorithm));
    if !SignatureAlgorithm::ALL.into_iter().any(usable) {
        report.add(Finding::new(&MISSING, place()));
    } else if let Some(algorithm) = registration.assertion_algorithm
        && !usable(algorithm)
    {
        report.add(
            Finding::new(&ALGORITHM_WITHOUT_KEY, place()).found(algorithm.jws_name().unwrap_or_default()),
        );
    }
}

/// Judges a secret that stands in a file. Nothing of it goes into the report.
pub(crate) fn check_secret(secret: &str, report: &mut Report) {
    let place = || Place::Pointer(pointer("client_secret"));
    let distinct: std::collections::BTreeSet<char> = secret.chars().collect();
    if secret.len() < 32 || distinct.len() < 8 || secret.len() > 1024 {
        report.add(Finding::new(&SECRET_WEAK, place()));
    }
    report.add(Finding::new(&SECRET_IN_FILE, place()));
}
