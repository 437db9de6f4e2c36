//! Rules for keys and certificates that hold for identity providers and service providers alike: what is written where a certificate
//! belongs, what kind of key it is, and which algorithms are named. `key.rs` has those for a key that signs.

use broker_core::moment::Timestamp;
use certs::{KeyKind, SignatureAlgorithm, certificate::Certificate};
use certs_xml::{
    Element,
    namespace::{ALG, DS, MD, XENC},
};

use crate::{
    lint::{
        report::{Finding, Report},
        rule::rules,
        saml::{Kind, file::is_weak, key},
    },
    saml::{
        Placed, boolean,
        key::{DeclaredKey, KeyUse, keys},
    },
};

/// RSA keys below this are not recommended for what is made now.
const RECOMMENDED_BITS: u32 = 3072;

rules! {
    PRIVATE = Error "saml.key.private", "OWASP ASVS 5.0 section 13.3.1",
        what: "Filen innehåller en privat nyckel." / "The file has a private key in it.",
        why: "Den som har sett filen kan logga in som vem som helst hos er. Nyckeln är förbrukad." / "Whoever has seen the file can sign in as anybody of yours. The key is spent.",
        fix: "Skapa en ny nyckel genast, sluta använda den här, och lägg bara in certifikatet i filen." / "Make a new key at once, stop using this one, and put only the certificate into the file.";
    PEM_ARMOUR = Warning [Saml2int: Error, SwedenConnect: Error, Internetstiftelsen: Error, Swamid: Error] "saml.key.pem_armour", "XML Signature 1.1 section 4.5.4",
        what: "Raderna BEGIN CERTIFICATE och END CERTIFICATE står i X509Certificate." / "The lines BEGIN CERTIFICATE and END CERTIFICATE stand in X509Certificate.",
        why: "Vi läser det ändå, men andra parter kan inte läsa nyckeln." / "We read it all the same, but other parties cannot read the key.",
        fix: "Ta bort de två raderna; bara det som står mellan dem hör hit." / "Remove the two lines; only what stands between them belongs here.";
    WHITESPACE = Note "saml.key.whitespace", "XML Signature 1.1 section 4.5.4; XML Schema 2 section 3.2.16",
        what: "Certifikatet har blanksteg eller vagnreturer inne i en rad." / "The certificate has spaces or carriage returns within a line.",
        why: "Det är tillåtet, men somliga läsare snubblar på det." / "It is allowed, but some readers stumble over it.",
        fix: "Exportera certifikatet på nytt, som base64 på en rad eller i rader om 64 tecken." / "Export the certificate again, as base64 on one line or in lines of 64 characters.";
    NOT_YET_VALID = Warning "saml.key.not_yet_valid", "RFC 5280 section 4.1.2.5; SAML Metadata Interoperability Profile 2.6.1",
        what: "Ett certifikat börjar gälla först {found}." / "A certificate is valid only from {found}.",
        why: "Nyckeln används ändå, eftersom certifikatet bara är en behållare, men datumet är ofta ett misstag eller en klocka som går fel." / "The key is used all the same, since the certificate is only a container, but the date is often a slip or a clock that is wrong.",
        fix: "Kontrollera klockan på datorn som skapade certifikatet." / "Check the clock of the machine that made the certificate.";
    RSA_SHORT = [Saml2int: Note, SwedenConnect: Note] "saml.key.rsa_below_3072", "Sweden Connect deployment profile 8; SAML2INT SDP-MD06",
        what: "En nyckel är RSA med {found} bitar." / "A key is RSA of {found} bits.",
        why: "Minst 2048 krävs, men 3072 rekommenderas för nycklar som görs nu." / "At least 2048 are needed, but 3072 are recommended for keys that are made now.",
        fix: "Välj 3072 bitar, eller P-256, vid nästa nyckelbyte." / "Choose 3072 bits, or P-256, at the next change of keys.";
    NO_CERTIFICATE = Note [Saml2int: Error] "saml.key.without_certificate", "SAML2INT SDP-MD05",
        what: "En nyckel står bara som KeyValue, utan X509Certificate." / "A key stands only as KeyValue, without X509Certificate.",
        why: "Många parter läser bara nycklar i certifikat." / "Many parties only read keys in certificates.",
        fix: "Lägg in ett självsignerat certifikat för samma nyckel." / "Put in a self-signed certificate for the same key.";
    ALGORITHM_WEAK = Warning [Saml2int: Error, SwedenConnect: Error, Internetstiftelsen: Error, Swamid: Error] "saml.key.algorithm_weak", "Internetstiftelsen SAML WebSSO 2.1.11; Sweden Connect deployment profile 8; FEDINTEROP IIP-ALG08",
        what: "Filen nämner algoritmen {found}." / "The file names the algorithm {found}.",
        why: "SHA-1, MD5 och RSA PKCS#1 1.5 för kryptering ska varken användas eller tas emot." / "SHA-1, MD5 and RSA PKCS#1 1.5 for encryption are neither to be used nor accepted.",
        fix: "Ta bort raden, och ställ in tjänsten på sha256 och rsa-oaep." / "Remove the line, and set the system to sha256 and rsa-oaep.";
    SP_SIGNING_MISSING = Error "saml.sp.signing_key_missing", "SAML Metadata 2.4.4",
        what: "E-tjänsten säger att den signerar sina begäranden (AuthnRequestsSigned), men har ingen nyckel för signering." / "The service says that it signs its requests (AuthnRequestsSigned), but has no signing key.",
        why: "Varje begäran skulle nekas, eftersom signaturen inte kan kontrolleras." / "Every request would be refused, since the signature cannot be checked.",
        fix: "Lägg in signeringscertifikatet, eller sätt AuthnRequestsSigned till false." / "Put in the signing certificate, or set AuthnRequestsSigned to false.";
    SP_ENCRYPTION_MISSING = Warning [Saml2int: Error] "saml.sp.encryption_key_missing", "SAML2INT SDP-MD08; Sweden Connect deployment profile 2.1.1.2",
        what: "E-tjänsten har ingen nyckel för kryptering." / "The service has no encryption key.",
        why: "Uppgifter om personer går då okrypterade genom webbläsaren, eller lämnas inte alls." / "Information about people then passes the browser unencrypted, or is not released at all.",
        fix: "Lägg in ett certifikat i ett KeyDescriptor med use=\"encryption\", eller utan use." / "Put a certificate into a KeyDescriptor with use=\"encryption\", or without use.";
    IDP_ENCRYPTION_MISSING = [SwedenConnect: Note] "saml.idp.encryption_key_missing", "Sweden Connect deployment profile 2.1.1.2",
        what: "Legitimeringstjänsten har ingen nyckel för kryptering." / "The identity provider has no encryption key.",
        why: "Den behövs av den som vill kryptera något i sin begäran, till exempel ett signaturmeddelande." / "It is needed by who wants to encrypt something in the request, for example a sign message.",
        fix: "Lägg gärna till ett KeyDescriptor med use=\"encryption\"." / "You may add a KeyDescriptor with use=\"encryption\".";
}

/// Looks at the keys of one role. The signing keys of an identity provider are judged by [`key::check`], which is asked alone where nothing
/// else may keep a provider out.
pub(super) fn check(role: Element<'_>, kind: Kind, at: Timestamp, report: &mut Report) {
    for certificate in certificates(role) {
        text(certificate, report);
    }
    let declared = keys(role);
    let left: Vec<&Placed<DeclaredKey>> =
        declared.iter().filter(|key| kind == Kind::ServiceProvider || !key.value.signs()).collect();
    key::check_keys(left.into_iter(), at, report);
    for key in &declared {
        if let Some(certificate) = &key.value.certificate
            && certificate.not_before() > key::system_time(at)
        {
            report.add(Finding::new(&NOT_YET_VALID, key.place).found(key::day(certificate.not_before())));
        }
        let Ok(usable) = &key.value.key else { continue };
        if let KeyKind::Rsa { bits } = usable.kind()
            && bits < RECOMMENDED_BITS
        {
            report.add(Finding::new(&RSA_SHORT, key.place).found(bits.to_string()));
        }
        if key.value.certificate.is_none() {
            report.add(Finding::new(&NO_CERTIFICATE, key.place));
        }
    }
    let encrypts = declared.iter().any(|key| key.value.usage != KeyUse::Signing && key.value.key.is_ok());
    let signs = declared.iter().any(|key| key.value.signs() && key.value.key.is_ok());
    match kind {
        Kind::IdentityProvider if !encrypts => {
            report.add(Finding::new(&IDP_ENCRYPTION_MISSING, role.position()));
        }
        Kind::ServiceProvider => {
            if !encrypts {
                report.add(Finding::new(&SP_ENCRYPTION_MISSING, role.position()));
            }
            if !signs && role.attribute("AuthnRequestsSigned").and_then(boolean) == Some(true) {
                report.add(Finding::new(&SP_SIGNING_MISSING, role.position()));
            }
        }
        Kind::IdentityProvider => {}
    }
}

/// Looks at what the whole entity says about algorithms, and for private keys anywhere in it.
pub(super) fn check_entity(entity: Element<'_>, report: &mut Report) {
    for element in entity.subtree() {
        if element.text().is_some_and(|text| text.contains("PRIVATE KEY")) {
            report.add(Finding::new(&PRIVATE, element.position()));
        }
        let named = element.is(ALG.uri(), "SigningMethod")
            || element.is(ALG.uri(), "DigestMethod")
            || element.is(MD.uri(), "EncryptionMethod");
        let Some(uri) = element.attribute("Algorithm").filter(|_| named) else { continue };
        // SHA-1 within rsa-oaep is no signature and allowed (Sweden Connect deployment profile 8).
        let weak = is_weak(uri) || uri == format!("{}rsa-1_5", XENC.uri());
        // What an identity provider says of its signatures is for `key.rs`.
        let told = element.is(ALG.uri(), "SigningMethod")
            && crate::saml::role(entity, "IDPSSODescriptor").is_some()
            && SignatureAlgorithm::from_xml_uri(uri).is_some();
        if weak && !told {
            report.add(Finding::new(&ALGORITHM_WEAK, element.position()).found(uri));
        }
    }
}

/// The elements that hold certificates of a role's keys.
fn certificates(role: Element<'_>) -> impl Iterator<Item = Element<'_>> {
    role.children_named(MD.uri(), "KeyDescriptor")
        .flat_map(|descriptor| descriptor.subtree().filter(|element| element.is(DS.uri(), "X509Certificate")))
}

fn text(certificate: Element<'_>, report: &mut Report) {
    let text = certificate.text().unwrap_or_default().trim();
    if text.contains("-----BEGIN CERTIFICATE-----") {
        report.add(Finding::new(&PEM_ARMOUR, certificate.position()));
        return;
    }
    if text.lines().any(|line| line.trim_matches([' ', '\t']).contains([' ', '\t', '\r'])) {
        report.add(Finding::new(&WHITESPACE, certificate.position()));
    }
    if let Some(der) = crate::saml::key::base64(text)
        && Certificate::from_der(&der).is_err()
        && is_private_key(&der)
    {
        report.add(Finding::new(&PRIVATE, certificate.position()));
    }
}

/// PKCS #8, PKCS #1 and SEC 1 all begin with a sequence whose first member is a small number, the version; a certificate with another
/// sequence.
fn is_private_key(der: &[u8]) -> bool {
    let Some((0x30, rest)) = der.split_first().map(|(first, rest)| (*first, rest)) else { return false };
    let content = match rest.split_first() {
        Some((length, rest)) if *length < 0x80 => Some(rest),
        Some((length, rest)) => rest.get(usize::from(length & 0x7f)..),
        None => None,
    };
    content.is_some_and(|content| matches!(content, [0x02, 0x01, 0x00 | 0x01, ..]))
}
