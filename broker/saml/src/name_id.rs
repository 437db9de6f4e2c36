//! NameID: how a provider names a person to us (SAML Core 2.2, 8.3). Neighbour: `sp/check/subject.rs` reads it.

use broker_core::subject::{SubjectCandidate, SubjectSource};

/// `persistent`: an opaque pseudonym for one pair of peers (SAML Core 8.3.7).
pub const PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
/// `transient`: new at each login (SAML Core 8.3.8).
pub const TRANSIENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";

/// A NameID as it stands in an assertion.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NameId<'d> {
    /// The value.
    pub value: &'d str,
    /// The format's URI; `None`: unspecified.
    pub format: Option<&'d str>,
    /// Who made the value unique; `None`: the issuer.
    pub name_qualifier: Option<&'d str>,
    /// For whom it was made; `None`: us.
    pub sp_name_qualifier: Option<&'d str>,
}

impl std::fmt::Debug for NameId<'_> {
    /// The format alone: the value names a person.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("NameId").field("format", &self.format).finish_non_exhaustive()
    }
}

impl NameId<'_> {
    /// What a subject identifier may be made from: the persistent format alone, with its qualifiers.
    ///
    /// A qualifier that is left out means the issuer or us (SAML Core 8.3.7), so writing it or not gives the same candidate. The
    /// three parts are length-prefixed: no two triples collide.
    #[must_use]
    pub fn candidate(&self, issuer: &str, own_entity_id: &str) -> Option<SubjectCandidate> {
        if self.format != Some(PERSISTENT) || self.value.is_empty() {
            return None;
        }
        let parts = [
            self.name_qualifier.unwrap_or(issuer),
            self.sp_name_qualifier.unwrap_or(own_entity_id),
            self.value,
        ];
        let value = parts.iter().map(|part| format!("{}:{part}", part.len())).collect();
        Some(SubjectCandidate { source: SubjectSource::PersistentNameId, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: NameId<'_> =
        NameId { value: "x1", format: Some(PERSISTENT), name_qualifier: None, sp_name_qualifier: None };

    #[test]
    fn a_qualifier_left_out_is_the_one_it_stands_for() {
        let written = NameId { name_qualifier: Some("idp"), sp_name_qualifier: Some("sp"), ..ID };
        assert!(ID.candidate("idp", "sp").is_some());
        assert_eq!(ID.candidate("idp", "sp"), written.candidate("idp", "sp"));
        assert_ne!(
            ID.candidate("idp", "sp"),
            NameId { name_qualifier: Some("other"), ..ID }.candidate("idp", "sp")
        );
    }

    #[test]
    fn only_persistent_identifiers_last() {
        for format in [None, Some(TRANSIENT), Some("urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress")]
        {
            assert_eq!(NameId { format, ..ID }.candidate("idp", "sp"), None);
        }
        assert_eq!(NameId { value: "", ..ID }.candidate("idp", "sp"), None);
    }

    #[test]
    fn the_parts_do_not_run_together() {
        let one = NameId { name_qualifier: Some("a1:b"), value: "c", ..ID };
        let other = NameId { name_qualifier: Some("a"), value: "b1:c", ..ID };
        assert_ne!(one.candidate("", ""), other.candidate("", ""));
    }
}
