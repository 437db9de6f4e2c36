//! Signed aggregates of any size, as a federation publishes them, and the same for the same seed.
//!
//! | file | what |
//! |---|---|
//! | `aggregate.rs` | the document: two passes over the entities, one that hashes and one that writes, so that it is never held |
//! | `entity.rs` | one entity: an identity provider or a service, with all that such have |
//! | `certificate.rs` | certificates whose keys nobody has, made without making keys |
//!
//! All is in canonical form by construction. `load --bin aggregate` writes one to a file.

mod certificate;
mod entity;

use std::{
    io::{self, Write},
    ops::Range,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use broker_core::moment::Timestamp;
use certs::{DigestAlgorithm, PrivateKey, Signer as _};
use certs_xml::{
    NewElement,
    canonical::EXCLUSIVE_URI,
    namespace::{DS, MD, MDRPI},
};

/// Numbers that look like chance and are the same at each run (splitmix64).
#[derive(Debug, Clone)]
pub struct Numbers(u64);

impl Numbers {
    /// Begins with `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next.
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// The next, below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.word() % bound.max(1) as u64).unwrap_or_default()
    }

    /// So many octets.
    pub fn octets(&mut self, count: usize) -> Vec<u8> {
        let words = std::iter::repeat_with(|| self.word().to_be_bytes());
        words.take(count.div_ceil(8)).flatten().take(count).collect()
    }
}

/// What an aggregate is to be like.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Another seed, another federation.
    pub seed: u64,
    /// How many entities are made.
    pub entities: usize,
    /// About how many octets each has at least: logos are drawn until it does. 0: as they come, about 7,000.
    pub octets_of_each: usize,
    /// So many of ten entities are identity providers, the others services.
    pub providers_of_ten: usize,
    /// Entities of these numbers are called otherwise in each edition; the others are the same, octet for octet.
    pub renamed: Range<usize>,
    /// What is added to their names; 0: nothing.
    pub edition: usize,
    /// In groups of so many, each a nested `EntitiesDescriptor`; 0: all in one list.
    pub group: usize,
    /// When it says that it was made.
    pub made: Timestamp,
    /// Until when it says that it may be used; `None`: it does not say.
    pub valid_until: Option<Timestamp>,
    /// Entities that come first, as they are: such as a provider that a test can sign for.
    pub members: Vec<NewElement>,
}

impl Plan {
    /// `entities` of the federation `seed`, made at `made` and valid for ten days.
    #[must_use]
    pub fn of(seed: u64, entities: usize, made: Timestamp) -> Self {
        Self {
            seed,
            entities,
            octets_of_each: 0,
            providers_of_ten: 3,
            renamed: 0..0,
            edition: 0,
            group: 0,
            made,
            valid_until: Some(made.plus(10 * 86_400)),
            members: Vec::new(),
        }
    }

    /// Writes it, signed with `key`. Gives how many octets it has.
    ///
    /// # Errors
    /// Whatever `out` fails with.
    pub fn write(&self, key: &PrivateKey, out: impl Write) -> io::Result<u64> {
        let mut hasher = DigestAlgorithm::Sha256.hasher();
        let root = self.root();
        hasher.update(root.as_bytes());
        self.content(&mut |octets| {
            hasher.update(octets);
            Ok(())
        })?;
        let mut out = Counted { out, count: 0 };
        out.write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")?;
        out.write_all(root.as_bytes())?;
        out.write_all(&signature(key, &hasher.finish()))?;
        self.content(&mut |octets| out.write_all(octets))?;
        out.write_all(b"\n")?;
        out.flush()?;
        Ok(out.count)
    }

    /// [`Plan::write`] into memory.
    #[must_use]
    pub fn signed(&self, key: &PrivateKey) -> Vec<u8> {
        let mut octets = Vec::new();
        self.write(key, &mut octets).expect("memory takes everything");
        octets
    }

    /// The entity ID of the entity of that number; numbers begin with 0.
    #[must_use]
    pub fn entity_id(&self, number: usize) -> String {
        entity::id(self, number)
    }

    /// Whether the entity of that number is an identity provider.
    #[must_use]
    pub fn is_identity_provider(&self, number: usize) -> bool {
        number % 10 < self.providers_of_ten
    }

    fn root(&self) -> String {
        let until = self.valid_until.map(|until| format!(" validUntil=\"{until}\"")).unwrap_or_default();
        format!(
            "<md:EntitiesDescriptor xmlns:md=\"{}\" ID=\"_aggregate\" Name=\"https://federation.example/{}\" \
             cacheDuration=\"PT6H\"{until}>",
            MD.uri(),
            self.seed
        )
    }

    /// Everything after the signature, in canonical form, piece by piece.
    fn content(&self, each: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let publication = NewElement::new(MDRPI, "PublicationInfo")
            .with_attribute("creationInstant", self.made.to_rfc3339())
            .with_attribute("publisher", "https://federation.example");
        each(&inside(&NewElement::new(MD, "Extensions").with_child(publication)))?;
        for member in &self.members {
            each(b"\n")?;
            each(&inside(member))?;
        }
        let mut numbers = Numbers::new(self.seed);
        for number in 0..self.entities {
            if self.group > 0 && number % self.group == 0 {
                if number > 0 {
                    each(b"</md:EntitiesDescriptor>")?;
                }
                each(format!("\n<md:EntitiesDescriptor Name=\"group-{}\">", number / self.group).as_bytes())?;
            }
            each(b"\n")?;
            each(&inside(&entity::entity(self, number, &mut numbers)))?;
        }
        if self.group > 0 && self.entities > 0 {
            each(b"</md:EntitiesDescriptor>")?;
        }
        each(b"</md:EntitiesDescriptor>")
    }
}

/// The canonical form of an element inside the outermost one, which has declared `md`.
fn inside(element: &NewElement) -> Vec<u8> {
    let alone = element.to_canonical().expect("no control characters");
    let declaration = format!(" xmlns:md=\"{}\"", MD.uri());
    let name = alone.iter().position(|octet| matches!(octet, b' ' | b'>')).unwrap_or_default();
    let (before, after) = alone.split_at(name);
    let after = after.strip_prefix(declaration.as_bytes()).unwrap_or_else(|| {
        panic!("a member is an element of md whose first declaration is its own: {element:?}")
    });
    [before, after].concat()
}

/// `ds:Signature` over the outermost element, with that digest.
fn signature(key: &PrivateKey, digest: &[u8]) -> Vec<u8> {
    let method = |name, uri: &str| NewElement::new(DS, name).with_attribute("Algorithm", uri);
    let enveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
    let reference = NewElement::new(DS, "Reference")
        .with_attribute("URI", "#_aggregate")
        .with_child(
            NewElement::new(DS, "Transforms")
                .with_child(method("Transform", enveloped))
                .with_child(method("Transform", EXCLUSIVE_URI)),
        )
        .with_child(method("DigestMethod", DigestAlgorithm::Sha256.xml_uri()))
        .with_child(NewElement::new(DS, "DigestValue").with_text(STANDARD.encode(digest)));
    let signed_info = NewElement::new(DS, "SignedInfo")
        .with_child(method("CanonicalizationMethod", EXCLUSIVE_URI))
        .with_child(method("SignatureMethod", key.algorithm().xml_uri().expect("a key for XML")))
        .with_child(reference);
    let value = key.sign(&signed_info.to_canonical().expect("no control characters")).expect("it signs");
    NewElement::new(DS, "Signature")
        .with_child(signed_info)
        .with_child(NewElement::new(DS, "SignatureValue").with_text(STANDARD.encode(value)))
        .to_canonical()
        .expect("no control characters")
}

/// Counts what is written.
struct Counted<W> {
    out: W,
    count: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let written = self.out.write(octets)?;
        self.count += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
