//! Rules for keys and algorithms.

use std::time::{Duration, SystemTime};

use broker_core::moment::Timestamp;
use certs::{
    KeyError, SignatureAlgorithm,
    expiry::{ExpiryStage, stage},
};

use crate::{
    lint::{
        report::{Finding, Report},
        rule::rules,
    },
    saml::{IdentityProvider, Placed, key::DeclaredKey},
};

rules! {
    SIGNING_KEY_MISSING = Error "saml.idp.signing_key_missing", "SAML Metadata 2.4.1.1; Sweden Connect deployment profile 2.1.1.2",
        what: "Ingen nyckel för signering som går att använda." / "There is no usable signing key.",
        why: "Utan den kan ingen inloggning från tjänsten kontrolleras." / "Without it no login from the provider can be checked.",
        fix: "Lägg in tjänstens signeringscertifikat i ett KeyDescriptor med use=\"signing\"." / "Put the provider's signing certificate into a KeyDescriptor with use=\"signing\".";
    KEY_UNREADABLE = Error "saml.key.unreadable", "SAML Metadata 2.4.1.1; XML Signature 1.1 section 4.5",
        what: "Ett certifikat går inte att använda: {found}." / "A certificate cannot be used: {found}.",
        why: "En trasig nyckel bryter inloggningen den dag ni byter till den." / "A broken key breaks logins on the day that you change over to it.",
        fix: "Lägg in certifikatet på nytt: base64 av DER, utan radbrytningar mitt i tecken." / "Put the certificate in again: base64 of DER, nothing else.";
    KEY_WEAK = Error "saml.key.weak", "Sweden Connect deployment profile 8",
        what: "En nyckel är för svag: {found}." / "A key is too weak: {found}.",
        why: "RSA-nycklar under 2048 bitar kan räknas ut, och då kan vem som helst logga in som er personal." / "RSA keys below 2048 bits can be computed, and then anybody can sign in as your staff.",
        fix: "Skapa en ny nyckel: RSA med minst 2048 bitar (helst 3072) eller P-256." / "Make a new key: RSA of at least 2048 bits (better 3072) or P-256.";
    CERTIFICATE_EXPIRED = Warning "saml.key.expired", "Sweden Connect deployment profile 2.1.1.2",
        what: "Ett certifikat gick ut {found}." / "A certificate expired on {found}.",
        why: "Certifikatet är bara en behållare för nyckeln, så inloggningen fungerar ändå, men gamla nycklar bör bytas." / "The certificate only holds the key, so logins work all the same, but old keys should be replaced.",
        fix: "Planera ett nyckelbyte: publicera den nya nyckeln bredvid den gamla först." / "Plan a key change: publish the new key beside the old one first.";
    CERTIFICATE_EXPIRES = Warning "saml.key.expires_within_30_days", "Sweden Connect deployment profile 2.1.1.2",
        what: "Ett certifikat går ut {found}." / "A certificate expires on {found}.",
        why: "Många byter nyckel när certifikatet går ut, och ett byte utan förvarning stoppar alla inloggningar." / "Many change keys when the certificate expires, and a change without warning stops all logins.",
        fix: "Publicera den nya nyckeln bredvid den gamla i god tid, och lägg till filen på nytt." / "Publish the new key beside the old one in good time, and add the file again.";
    CERTIFICATE_EXPIRES_90 = Note "saml.key.expires_within_90_days", "Sweden Connect deployment profile 2.1.1.2",
        what: "Ett certifikat går ut {found}, inom 90 dagar." / "A certificate expires on {found}, within 90 days.",
        why: "Ett nyckelbyte i god tid märks inte av någon." / "A change of keys in good time is noticed by nobody.",
        fix: "Planera bytet nu: den nya nyckeln publiceras bredvid den gamla, och den gamla tas bort först när alla har sett den nya." / "Plan the change now: the new key is published beside the old, and the old is removed only when all have seen the new.";
    CERTIFICATE_EXPIRES_7 = Warning "saml.key.expires_within_7_days", "Sweden Connect deployment profile 2.1.1.2",
        what: "BRÅDSKANDE: ett certifikat går ut {found}, inom 7 dagar." / "URGENT: a certificate expires on {found}, within 7 days.",
        why: "Byter ni nyckel den dagen utan att den nya har publicerats slutar alla inloggningar att fungera. Här tas nyckeln emot även efter datumet, men inte överallt." / "If you change the key that day and the new one is not published, all logins stop. Here the key is accepted after the date too, but not everywhere.",
        fix: "Publicera den nya nyckeln i dag, bredvid den gamla. Byt inte nyckel förrän den har spridits; hellre ett utgånget certifikat än ett avbrott." / "Publish the new key today, beside the old. Do not change over until it has spread; rather an expired certificate than an outage.";
    CERTIFICATE_SHA1 = Note [SwedenConnect: Warning, Internetstiftelsen: Error, Swamid: Warning] "saml.key.certificate_sha1", "Sweden Connect deployment profile 2.1.1.2",
        what: "Ett certifikat är signerat med {found}." / "A certificate is signed with {found}.",
        why: "MD5 och SHA-1 ska inte förekomma; andra parter kan vägra certifikatet." / "MD5 and SHA-1 are not to be used; other parties may refuse the certificate.",
        fix: "Skapa ett nytt självsignerat certifikat med SHA-256 för samma nyckel." / "Make a new self-signed certificate with SHA-256 for the same key.";
    SHA1_DECLARED = Warning [Saml2int: Error, SwedenConnect: Error, Internetstiftelsen: Error, Swamid: Error] "saml.idp.sha1_declared", "Sweden Connect deployment profile 8",
        what: "Filen säger att tjänsten kan signera med {found}." / "The file says that the provider may sign with {found}.",
        why: "Meddelanden som är signerade med SHA-1 tas inte emot." / "Messages that are signed with SHA-1 are not accepted.",
        fix: "Ställ in tjänsten på rsa-sha256 eller ecdsa-sha256 och ta bort raden." / "Set the provider to rsa-sha256 or ecdsa-sha256 and remove the line.";
}

pub(super) fn check(provider: &IdentityProvider, now: Timestamp, report: &mut Report) {
    check_keys(provider.keys.iter().filter(|key| key.value.signs()), now, report);
    if provider.signing_keys().is_empty() {
        report.add(Finding::new(&SIGNING_KEY_MISSING, provider.role_place));
    }
    for method in &provider.signing_methods {
        if SignatureAlgorithm::from_xml_uri(&method.value).is_some_and(SignatureAlgorithm::is_sha1) {
            report.add(Finding::new(&SHA1_DECLARED, method.place).found(&method.value));
        }
    }
}

/// Looks at each key by itself.
pub(super) fn check_keys<'k>(
    keys: impl Iterator<Item = &'k Placed<DeclaredKey>>,
    now: Timestamp,
    report: &mut Report,
) {
    for key in keys {
        match &key.value.key {
            Ok(_) => {}
            Err(weak @ KeyError::RsaTooSmall { .. }) => {
                report.add(Finding::new(&KEY_WEAK, key.place).found(weak.to_string()));
            }
            Err(other) => report.add(Finding::new(&KEY_UNREADABLE, key.place).found(other.to_string())),
        }
        let Some(certificate) = &key.value.certificate else {
            continue;
        };
        let rule = match stage(certificate.not_after(), system_time(now)) {
            ExpiryStage::Expired => Some(&CERTIFICATE_EXPIRED),
            ExpiryStage::Within7Days => Some(&CERTIFICATE_EXPIRES_7),
            ExpiryStage::Within30Days => Some(&CERTIFICATE_EXPIRES),
            ExpiryStage::Within90Days => Some(&CERTIFICATE_EXPIRES_90),
            ExpiryStage::Distant => None,
        };
        if let Some(rule) = rule {
            report.add(Finding::new(rule, key.place).found(day(certificate.not_after())));
        }
        let algorithm = certificate.signature_algorithm();
        let lower = algorithm.to_ascii_lowercase();
        if lower.contains("sha1") || lower.contains("md5") {
            report.add(Finding::new(&CERTIFICATE_SHA1, key.place).found(algorithm));
        }
    }
}

pub(super) fn system_time(now: Timestamp) -> SystemTime {
    u64::try_from(now.0)
        .ok()
        .and_then(|seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)))
        .unwrap_or(SystemTime::UNIX_EPOCH)
}

pub(super) fn day(time: SystemTime) -> String {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut text = Timestamp(i64::try_from(seconds).unwrap_or(0)).to_rfc3339();
    text.truncate(10);
    text
}
