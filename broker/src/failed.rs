//! A failure on its way to its page. The page's address carries it sealed, so that it survives a reload, a bookmark and an absent store,
//! needs no record, and can be made by nobody else. It holds nothing of a person: codes, names of peers and the way back.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use broker_core::{
    failure::FailureCode,
    identifier::{Language, ProviderId, Reference, RelyingPartyId},
    moment::{Moment, Timestamp},
    organisation::OrganisationNumber,
};
use certs::mac::Secret;
use serde::{Deserialize, Serialize};

/// What an error page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failed {
    /// What went wrong.
    #[serde(rename = "c")]
    pub(crate) code: FailureCode,
    /// What the log is searched for.
    #[serde(rename = "r")]
    pub(crate) reference: Reference,
    /// When.
    #[serde(rename = "t")]
    pub(crate) at: Timestamp,
    /// The language of the login's pages; `None`: the browser's.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub(crate) language: Option<Language>,
    /// Who asked.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(crate) relying_party: Option<RelyingPartyId>,
    /// Who was asked.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub(crate) provider: Option<ProviderId>,
    /// The organisation that was chosen or proven.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub(crate) organisation: Option<OrganisationNumber>,
    /// The organisation that was chosen, where another was proven.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub(crate) chosen: Option<OrganisationNumber>,
    /// The path that goes on with the proven one.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub(crate) onward: Option<String>,
    /// The error answer for the relying party, where it can be addressed.
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub(crate) back: Option<String>,
}

/// How long the way back is offered: after that the relying party has forgotten its own state, and starting anew is what helps.
const BACK_SECONDS: i64 = 1_800;

/// Seals failures into page addresses.
pub(crate) struct FailedSeal {
    key: LessSafeKey,
}

impl FailedSeal {
    /// With a key derived from the nodes' secret, so that any node opens it.
    pub(crate) fn new(node_secret: &Secret) -> Option<Self> {
        let derived = node_secret.derive("error page address", &[]);
        let key = UnboundKey::new(&AES_256_GCM, derived.expose()).ok()?;
        Some(Self { key: LessSafeKey::new(key) })
    }

    /// The path of the page.
    pub(crate) fn path(&self, failed: &Failed, moment: Moment<'_>) -> Option<String> {
        let nonce = moment.random::<12>();
        let mut sealed = serde_json::to_vec(failed).ok()?;
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(b"failed 1"),
                &mut sealed,
            )
            .ok()?;
        let mut octets = nonce.to_vec();
        octets.append(&mut sealed);
        Some(format!("/failed/{}", URL_SAFE_NO_PAD.encode(octets)))
    }

    /// Reads the path's last segment back; `None` unless we made it.
    pub(crate) fn open(&self, token: &str, now: Timestamp) -> Option<Failed> {
        let mut octets = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (nonce, sealed) = octets.split_at_mut_checked(12)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let plain = self.key.open_in_place(nonce, Aad::from(b"failed 1"), sealed).ok()?;
        let mut failed: Failed = serde_json::from_slice(plain).ok()?;
        if now.since(failed.at) > BACK_SECONDS {
            failed.back = None;
            failed.onward = None;
        }
        Some(failed)
    }
}

impl std::fmt::Debug for FailedSeal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FailedSeal(..)")
    }
}

#[cfg(test)]
mod tests {
    use broker_core::{failure::FailureCode, identifier::Reference, moment::Timestamp};
    use certs::mac::Secret;

    use super::{Failed, FailedSeal};
    use crate::moment::moment;

    #[test]
    fn an_address_is_opened_by_any_node_and_made_by_nobody_else() {
        let seal = FailedSeal::new(&Secret::from_octets([1; 32])).expect("a seal");
        let failed = Failed {
            code: FailureCode::Expired,
            reference: Reference::from_random([1; 10]),
            at: Timestamp(1_000),
            language: None,
            relying_party: None,
            provider: None,
            organisation: None,
            chosen: None,
            onward: Some("/login/x/choose?provider=y".into()),
            back: Some("https://rp.example/?error=server_error".into()),
        };
        let path = seal.path(&failed, moment()).expect("a path");
        let token = path.strip_prefix("/failed/").expect("the prefix");
        assert_eq!(seal.open(token, Timestamp(1_001)).as_ref(), Some(&failed));
        let late = seal.open(token, Timestamp(10_000)).expect("opened");
        assert_eq!((late.back, late.onward), (None, None));
        let other = FailedSeal::new(&Secret::from_octets([2; 32])).expect("a seal");
        assert_eq!(other.open(token, Timestamp(1_001)), None);
        let mut tampered = token.to_owned();
        tampered.replace_range(20..21, if &token[20..21] == "A" { "B" } else { "A" });
        assert_eq!(seal.open(&tampered, Timestamp(1_001)), None);
        for junk in ["", "A", "å", &"A".repeat(10_000)] {
            assert_eq!(seal.open(junk, Timestamp(0)), None);
        }
    }
}
