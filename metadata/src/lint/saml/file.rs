//! Rules for a file as a source of many entities: its signature, how long it holds, and what stands in it twice.

use broker_core::moment::Timestamp;
use certs::{
    AlgorithmPolicy, PublicKey, SignatureAlgorithm,
    xml_signature::{self, Profile, SignatureRefused},
};
use certs_xml::{
    Element,
    namespace::{DS, MD},
};

use crate::lint::{
    report::{Finding, Place, Report},
    rule::rules,
    saml::document::{EXPIRED, SIGNATURE_BROKEN, SIGNATURE_UNCHECKED, VALID_UNTIL_MALFORMED},
};

/// An aggregate that holds longer than this is hardly renewed: 30 days in seconds.
const LONGEST: i64 = 30 * 86_400;

rules! {
    SIGNATURE_WEAK = Warning [Saml2int: Error, SwedenConnect: Error, Internetstiftelsen: Error, Swamid: Error] "saml.file.signature_weak", "SAML2INT SDP-ALG01; Sweden Connect deployment profile 8; Internetstiftelsen SAML WebSSO 2.1.11",
        what: "Filen är signerad med {found}." / "The file is signed with {found}.",
        why: "Två filer med samma SHA-1-summa går att tillverka, så en sådan signatur visar inte vem som skrev filen. Som betrodd källa nekas den." / "Two files with one SHA-1 sum can be made, so such a signature does not show who wrote the file. As a trusted source it is refused.",
        fix: "Signera med rsa-sha256 eller ecdsa-sha256 och sha256 som kontrollsumma." / "Sign with rsa-sha256 or ecdsa-sha256 and sha256 as digest.";
    SIGNATURE_UNTRUSTED = Error "saml.file.signature_untrusted", "FEDINTEROP IIP-MD03; SAML2INT SDP-MD02",
        what: "Filen är inte signerad med den angivna nyckeln: {found}." / "The file is not signed with the given key: {found}.",
        why: "Utan den signaturen kan vem som helst på vägen ha skrivit filen." / "Without that signature anybody on the way may have written the file.",
        fix: "Hämta filen på nytt från federationen. Har federationen bytt nyckel, hämta den nya nyckeln på ett annat sätt än filen." / "Fetch the file again from the federation. If the federation changed its key, get the new key by another way than the file.";
    UNSIGNED = Note "saml.file.unsigned", "FEDINTEROP IIP-MD03",
        what: "Samlingsfilen är inte signerad." / "The aggregate is not signed.",
        why: "Som betrodd källa nekas den; bara en fil som federationsoperatören själv lägger till behöver ingen signatur." / "As a trusted source it is refused; only a file that the federation operator adds needs no signature.",
        fix: "Hämta den signerade filen från federationen." / "Fetch the signed file from the federation.";
    VALID_UNTIL_MISSING = Warning [Saml2int: Error] "saml.file.valid_until_missing", "FEDINTEROP IIP-MD04; SAML2INT SDP-MD03",
        what: "Samlingsfilen säger inte hur länge den gäller (validUntil)." / "The aggregate does not say how long it holds (validUntil).",
        why: "Då kan någon på vägen lämna ut en gammal fil, med spärrade nycklar, för alltid. Som betrodd källa nekas den." / "Then somebody on the way can hand out an old file, with withdrawn keys, for ever. As a trusted source it is refused.",
        fix: "Sätt validUntil på det yttersta elementet, några dagar fram, och publicera på nytt innan dess." / "Set validUntil on the outermost element, some days ahead, and publish anew before then.";
    VALID_UNTIL_DISTANT = Warning "saml.file.valid_until_distant", "FEDINTEROP IIP-MD04; SAML2INT SDP-MD03",
        what: "Samlingsfilen gäller till {found}, mer än 30 dagar fram." / "The aggregate holds until {found}, more than 30 days ahead.",
        why: "Så länge kan en nyckel som spärrats leva kvar hos den som får en gammal fil. En källa kan nekas för det." / "That long a withdrawn key may live on with whoever is given an old file. A source may be refused for it.",
        fix: "Sätt validUntil några dagar fram och publicera oftare." / "Set validUntil some days ahead and publish more often.";
    CACHE_DURATION = Warning "saml.file.cache_duration_malformed", "SAML Metadata 2.3.1; XML Schema 2 section 3.2.6",
        what: "cacheDuration är {found}, vilket inte är en tidslängd." / "The cacheDuration is {found}, which is no duration.",
        why: "Då vet ingen hur ofta filen ska hämtas." / "Then nobody knows how often to fetch the file.",
        fix: "Skriv till exempel PT1H för en timme." / "Write for example PT1H for one hour.";
    NO_ENTITY = Error "saml.file.empty", "SAML Metadata 2.3.1",
        what: "Det finns ingen entitet i filen." / "There is no entity in the file.",
        why: "En tom fil skulle ta bort alla." / "An empty file would take everybody away.",
        fix: "Hämta filen på nytt." / "Fetch the file again.";
}

/// Looks at what the outermost element says. Entities are judged one by one elsewhere.
pub(crate) fn check(root: Element<'_>, at: Timestamp, report: &mut Report) {
    let aggregate = root.is(MD.uri(), "EntitiesDescriptor");
    if aggregate {
        if !xml_signature::is_signed(root) {
            report.add(Finding::new(&UNSIGNED, root.position()));
        }
        match root.attribute("validUntil").map(|text| (text, Timestamp::from_rfc3339(text.trim()))) {
            None => report.add(Finding::new(&VALID_UNTIL_MISSING, root.position())),
            Some((text, None)) => {
                report.add(Finding::new(&VALID_UNTIL_MALFORMED, root.position()).found(text));
            }
            Some((_, Some(until))) if until <= at => {
                report.add(Finding::new(&EXPIRED, root.position()).found(until.to_rfc3339()));
            }
            Some((_, Some(until))) if until.since(at) > LONGEST => {
                report.add(Finding::new(&VALID_UNTIL_DISTANT, root.position()).found(until.to_rfc3339()));
            }
            Some(_) => {}
        }
    }
    let holders = [MD].iter().flat_map(|md| {
        root.subtree().filter(move |element| {
            element.is(md.uri(), "EntitiesDescriptor") || element.is(md.uri(), "EntityDescriptor")
        })
    });
    for holder in holders {
        if let Some(text) = holder.attribute("cacheDuration")
            && !is_duration(text.trim())
        {
            report.add(Finding::new(&CACHE_DURATION, holder.position()).found(text));
        }
    }
}

/// Looks at how long an aggregate holds whose outermost element is gone already.
pub(crate) fn check_validity(until: Option<Timestamp>, at: Timestamp, report: &mut Report) {
    match until {
        None => report.add(Finding::new(&VALID_UNTIL_MISSING, Place::File)),
        Some(until) if until.since(at) > LONGEST => {
            report.add(Finding::new(&VALID_UNTIL_DISTANT, Place::File).found(until.to_rfc3339()));
        }
        Some(_) => {}
    }
}

/// Looks at the signature of the outermost element.
///
/// With `keys` it must be by one of them, and by nothing that is not allowed today: that is how a trusted source is read. Without, the key
/// that the file brings along is used: no ground for trust, but a signature that does not hold says that the file was changed.
pub(crate) fn check_signature(
    root: Element<'_>,
    keys: Option<&[PublicKey]>,
    enclosed: &[PublicKey],
    report: &mut Report,
) {
    let signature = root.child(DS.uri(), "Signature");
    let place = signature.map_or_else(|| root.position(), Element::position);
    if let Some(keys) = keys {
        if let Err(refused) =
            xml_signature::verify(root, keys, &AlgorithmPolicy::default(), Profile::Metadata)
        {
            report.add(Finding::new(&SIGNATURE_UNTRUSTED, place).found(refused.to_string()));
        }
        return;
    }
    let Some(signature) = signature else { return };
    if let Some(weak) = weak(signature) {
        report.add(Finding::new(&SIGNATURE_WEAK, place).found(weak));
    }
    // Old files are signed with SHA-1. Nothing is trusted for this signature, so it may be looked at.
    match xml_signature::verify(root, enclosed, &AlgorithmPolicy { allow_sha1: true }, Profile::Metadata) {
        Ok(_) => {}
        Err(broken @ (SignatureRefused::DigestMismatch | SignatureRefused::SignatureMismatch)) => {
            report.add(Finding::new(&SIGNATURE_BROKEN, place).found(broken.to_string()));
        }
        Err(other) => report.add(Finding::new(&SIGNATURE_UNCHECKED, place).found(other.to_string())),
    }
}

/// The algorithm of a signature, when it is one that nothing new is accepted with.
fn weak(signature: Element<'_>) -> Option<&str> {
    signature
        .subtree()
        .filter(|element| element.is(DS.uri(), "SignatureMethod") || element.is(DS.uri(), "DigestMethod"))
        .filter_map(|method| method.attribute("Algorithm"))
        .find(|uri| is_weak(uri))
}

/// SHA-1 and MD5, alone and within a signature algorithm.
pub(crate) fn is_weak(uri: &str) -> bool {
    let lower = uri.to_ascii_lowercase();
    SignatureAlgorithm::from_xml_uri(uri).is_some_and(SignatureAlgorithm::is_sha1)
        || lower.ends_with("sha1")
        || lower.ends_with("md5")
}

/// xs:duration without a sign (XML Schema 2, 3.2.6): `PnYnMnDTnHnMnS`, at least one part, in this order.
fn is_duration(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('P') else { return false };
    let (date, time) = match rest.split_once('T') {
        Some((_, "")) => return false,
        Some((date, time)) => (date, time),
        None => (rest, ""),
    };
    let parts = |mut text: &str, units: &str, fraction: char| -> bool {
        for unit in units.chars() {
            let Some((number, after)) = text.split_once(unit) else { continue };
            let whole = number.split_once('.').filter(|_| unit == fraction).map_or_else(
                || number.bytes().all(|octet| octet.is_ascii_digit()),
                |(whole, part)| (whole.bytes().chain(part.bytes())).all(|octet| octet.is_ascii_digit()),
            );
            if number.is_empty() || !whole {
                return false;
            }
            text = after;
        }
        text.is_empty()
    };
    !rest.is_empty() && parts(date, "YMD", ' ') && parts(time, "HMS", 'S')
}

#[cfg(test)]
mod tests {
    use super::is_duration;

    #[test]
    fn durations_are_those_of_xml_schema() {
        for good in ["PT6H", "PT10M0.000S", "P1D", "P1Y2M3DT4H5M6S", "PT0S"] {
            assert!(is_duration(good), "{good}");
        }
        for bad in ["", "P", "PT", "6H", "P1", "PT6", "P1DT", "PT1.5H", "P1M1Y", "-PT1H", "PT1S1M"] {
            assert!(!is_duration(bad), "{bad}");
        }
    }
}
