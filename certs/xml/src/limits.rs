//! How large and how nested a document may be before it is refused unread. Neighbour: `prescan.rs` enforces them.

/// The bounds of one document. Every bound is inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Octets of the whole document. Never more than 1 GiB, whatever is asked: places are kept in 31 bits.
    pub octets: usize,
    /// Elements open at once; the root is at depth 1.
    pub depth: usize,
    /// Attributes of one element, namespace declarations not counted.
    pub attributes: usize,
    /// Namespace declarations of one element.
    pub namespaces: usize,
    /// Elements with the local name `Signature`, in any namespace, in the whole document.
    pub signatures: usize,
}

impl Limits {
    /// A protocol message: 256 KiB, at most 4 signatures (response, assertion, and two in advice).
    #[must_use]
    pub const fn message() -> Self {
        Self { octets: 256 * 1024, depth: 64, attributes: 64, namespaces: 64, signatures: 4 }
    }

    /// A metadata document of at most `octets` octets. Aggregates may carry one signature for each entity.
    #[must_use]
    pub const fn metadata(octets: usize) -> Self {
        Self { octets, depth: 64, attributes: 64, namespaces: 64, signatures: usize::MAX }
    }

    /// The bound on octets that really holds.
    pub(crate) fn effective_octets(&self) -> usize {
        self.octets.min(1 << 30)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::message()
    }
}
