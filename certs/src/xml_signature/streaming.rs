//! The signature of a metadata file of any size, verified while the file is read (SAML Metadata 3; design section 11).
//!
//! [`verify`] hands out each child of the outermost element as it comes, before anybody can know that the signature holds. What it hands
//! out is therefore [`Unproven`], and becomes worth something only through the [`Proof`] of the same run. The canonical form is that of
//! messages, written piece by piece, and the octets that are handed out are those that were hashed.
//!
//! | step | what |
//! |---|---|
//! | outermost start tag | kept until the signature has said how it is hashed |
//! | `ds:Signature` | must be the first element; its `SignedInfo` must be signed by one of the keys, or nothing more is read |
//! | children | hashed and handed out; those of groups within the outermost element, one by one |
//! | the end | the digest must be the one that was signed |
//!
//! A file whose outermost element is no group, such as one `EntityDescriptor`, is read as one piece. Neighbours: `xml_signature.rs` has
//! the profile, `certs_xml::stream` cuts the file, `metadata::source::aggregate` reads what comes out.

use std::{io::Read, sync::Arc};

use certs_proof::Verified;
use certs_xml::{
    Canonicalization, Document, Element, Limits, Position, Scope, XmlFault, XmlRefused, canonicalize,
    namespace::{DS, Namespace, XSI},
    piece::{
        Alone, Rendered, canonicalize_alone, canonicalize_content, canonicalize_opening,
        canonicalize_text_before,
    },
    stream::{Ahead, Piece, Stream, StreamLimits, StreamRefused},
};
use subtle::ConstantTimeEq as _;
use thiserror::Error;

use super::{Permitted, Profile, SignatureRefused, SignedInfo, authenticated, refers_to};
use crate::{AlgorithmPolicy, Hasher, KeyThumbprint, PublicKey, SignatureAlgorithm};

/// The element that only holds others, which are handed out one by one: `md:EntitiesDescriptor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// Its namespace.
    pub namespace: Namespace,
    /// Its local name.
    pub local_name: &'static str,
}

impl Group {
    /// Whether `element` is one.
    #[must_use]
    pub fn is_of(self, element: Element<'_>) -> bool {
        element.is(self.namespace.uri(), self.local_name)
    }

    fn may_be(self, name: &str) -> bool {
        name.rsplit(':').next() == Some(self.local_name)
    }
}

/// Something that was read out of a file of which it is not known yet whether it was signed.
///
/// It may be put aside, so that the file need not be held; nothing may be done because of it. [`Proof::prove`] gives it up.
#[derive(Debug)]
#[must_use]
pub struct Unproven<T> {
    value: T,
    run: Run,
}

/// Tells the runs of this process apart.
#[derive(Debug, Clone)]
struct Run(Arc<()>);

impl<T> Unproven<T> {
    /// Looks at it, for putting it aside and for refusing it. Whoever does more with it is deceived by anybody.
    pub fn unproven(&self) -> &T {
        &self.value
    }

    /// Makes something else of it, which is as unproven.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Unproven<U> {
        Unproven { value: make(self.value), run: self.run }
    }

    /// As [`Unproven::map`], for what can fail.
    ///
    /// # Errors
    /// What `make` refuses with.
    pub fn try_map<U, E>(self, make: impl FnOnce(T) -> Result<U, E>) -> Result<Unproven<U>, E> {
        Ok(Unproven { value: make(self.value)?, run: self.run })
    }
}

/// The whole file was read, and one of the keys signed it. Only [`verify`] makes it.
#[derive(Debug)]
pub struct Proof {
    run: Run,
    algorithm: SignatureAlgorithm,
    key: KeyThumbprint,
    digest: Vec<u8>,
    octets: u64,
}

impl Proof {
    /// Gives up what was handed out in this run; `None` for what came from another file.
    pub fn prove<T>(&self, unproven: Unproven<T>) -> Option<Verified<T>> {
        Arc::ptr_eq(&self.run.0, &unproven.run.0).then(|| Verified::vouched_for_by_a_verifier(unproven.value))
    }

    /// The algorithm of the signature.
    #[must_use]
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The key that signed.
    #[must_use]
    pub fn key(&self) -> KeyThumbprint {
        self.key
    }

    /// The digest of the canonical octets, by the algorithm that the signature names.
    #[must_use]
    pub fn digest(&self) -> &[u8] {
        &self.digest
    }

    /// How many octets were hashed.
    #[must_use]
    pub fn octets(&self) -> u64 {
        self.octets
    }
}

/// What a file holds, in order.
#[derive(Debug)]
pub enum Part {
    /// A group begins, the outermost element first. Only its start tag is known: a document that holds nothing but that.
    Begin {
        /// The element without its content, read from the octets that are hashed: the one child of [`Document::root`].
        group: Document,
        /// Where it begins in the file.
        place: Position,
    },
    /// An element directly inside the last group that has not ended; the file's own signature is never among them.
    Child(Child),
    /// The last group that has not ended ends here.
    End,
}

/// A child of a group.
#[derive(Debug)]
pub struct Child {
    /// It alone, in canonical form, as a document of its own.
    pub octets: Vec<u8>,
    /// The same without its content: [`Document::root`] has the name and the attributes.
    pub start_tag: Document,
    /// Namespace and local name of the elements directly inside it: what kind of thing it is. For sorting alone; what it says, its octets
    /// say.
    pub inside: Vec<(String, String)>,
    /// Where it begins in the file.
    pub place: Position,
}

impl Child {
    /// `element` of the file, of which `octets` are the canonical form.
    fn of(
        octets: Vec<u8>,
        element: Element<'_>,
        limits: Limits,
        place: Position,
    ) -> Result<Self, XmlRefused> {
        let length = certs_xml::stream::tag_length(&octets).unwrap_or_default();
        let mut tag = octets.get(..length.saturating_sub(1)).unwrap_or_default().to_vec();
        tag.extend_from_slice(b"/>");
        let limits = Limits { namespaces: 256, octets: tag.len(), ..limits };
        let start_tag = Document::read(&tag, limits).map_err(|fault| fault_at(fault, place))?;
        let name = |child: Element<'_>| (child.namespace().to_owned(), child.local_name().to_owned());
        let inside = element.children().map(name).collect();
        Ok(Self { octets, start_tag, inside, place })
    }
}

/// Why a file is not accepted, or `E`: why whoever took the parts did not go on.
#[derive(Debug, Error)]
pub enum NotVerified<E> {
    /// Reading failed.
    #[error("it cannot be read: {0}")]
    Input(#[from] std::io::Error),
    /// What was read is no document within the bounds.
    #[error(transparent)]
    Xml(#[from] XmlRefused),
    /// The signature.
    #[error(transparent)]
    Signature(#[from] SignatureRefused),
    /// Not a refusal of the file: the one who took the parts stopped.
    #[error("stopped: {0}")]
    Stopped(E),
}

impl<E> From<StreamRefused> for NotVerified<E> {
    fn from(refused: StreamRefused) -> Self {
        match refused {
            StreamRefused::Input(error) => Self::Input(error),
            StreamRefused::Xml(refused) => Self::Xml(refused),
        }
    }
}

impl<E> From<certs_xml::CannotCanonicalize> for NotVerified<E> {
    fn from(refused: certs_xml::CannotCanonicalize) -> Self {
        Self::Signature(refused.into())
    }
}

/// Reads `input` to its end, hands each part to `each`, and proves at the end that one of `keys` signed it all.
///
/// The bounds: at most `limits`, and at most `limits.within.depth` elements open at once, groups included. Identifiers within one child
/// must differ, and none may be that of the outermost element; two children may have the same.
///
/// # Errors
/// See [`NotVerified`]. Whatever was handed out before stays unproven for ever.
pub fn verify<R: Read, E>(
    input: R,
    keys: &[PublicKey],
    policy: &AlgorithmPolicy,
    limits: StreamLimits,
    group: Group,
    each: impl FnMut(Unproven<Part>) -> Result<(), E>,
) -> Result<Proof, NotVerified<E>> {
    let mut stream = Stream::begin(input, limits)?;
    let run = Run(Arc::new(()));
    let (name, empty) = match stream.look(true)? {
        Ahead::Start { name, empty } => (name, empty),
        Ahead::End { .. } => return Err(malformed("an end tag that ends nothing", stream.position()).into()),
        Ahead::Nothing => return Err(malformed("no element", stream.position()).into()),
    };
    let proof = if empty || !group.may_be(&name) {
        if !empty {
            stream.whole()?;
        }
        one_element(stream.take(), keys, policy, limits, &run, each)?
    } else {
        let permitted = Permitted { policy: *policy, whole_document: true };
        Walk::begin(&mut stream, keys, permitted, limits, group, &run, each)?.the_rest(&mut stream)?
    };
    // After the outermost element: white space and comments.
    match stream.look(true)? {
        Ahead::Nothing => {}
        _ => return Err(malformed("a second outermost element", stream.position()).into()),
    }
    let rest = stream.take();
    Document::read_piece(rest.octets, &Scope::outside(), within(limits, 0))
        .map_err(|fault| rest.placed(fault))?;
    Ok(proof)
}

/// A file with one element, small enough for the verifier of messages.
fn one_element<E>(
    piece: Piece<'_>,
    keys: &[PublicKey],
    policy: &AlgorithmPolicy,
    limits: StreamLimits,
    run: &Run,
    mut each: impl FnMut(Unproven<Part>) -> Result<(), E>,
) -> Result<Proof, NotVerified<E>> {
    let limits = Limits { octets: limits.piece, ..limits.within };
    let document = Document::read(piece.octets, limits).map_err(|fault| piece.placed(fault))?;
    let signed = super::verify(document.root(), keys, policy, Profile::Metadata)?;
    let place = document.root().position().within(piece.start);
    let proof = Proof {
        run: run.clone(),
        algorithm: signed.value().algorithm(),
        key: signed.value().key(),
        digest: signed.value().digest.clone(),
        octets: signed.value().canonical().len() as u64,
    };
    let octets = signed.into_value().canonical;
    let child = Child::of(octets, document.root(), limits, place)?;
    each(Unproven { value: Part::Child(child), run: run.clone() }).map_err(NotVerified::Stopped)?;
    Ok(proof)
}

/// A group that has not ended.
struct Open {
    /// As written.
    name: String,
    scope: Scope,
    rendered: Rendered,
}

/// The state of one run, once `SignedInfo` is known to be signed.
struct Walk<'k, F> {
    limits: StreamLimits,
    group: Group,
    run: &'k Run,
    each: F,
    signed: SignedInfo,
    key: KeyThumbprint,
    /// The `ID` of the outermost element.
    identifier: Option<String>,
    hasher: Hasher,
    octets: u64,
    open: Vec<Open>,
}

impl<'k, E, F: FnMut(Unproven<Part>) -> Result<(), E>> Walk<'k, F> {
    /// Takes the outermost start tag, which is at hand, and the signature.
    fn begin<R: Read>(
        stream: &mut Stream<R>,
        keys: &[PublicKey],
        permitted: Permitted,
        limits: StreamLimits,
        group: Group,
        run: &'k Run,
        each: F,
    ) -> Result<Self, NotVerified<E>> {
        let (outermost, place) = opening(stream.take(), &Scope::outside(), within(limits, 0))?;
        let element = last(&outermost).ok_or_else(|| malformed("no element", place))?;
        if !group.is_of(element) {
            return Err(malformed("an outermost element of another namespace", place).into());
        }
        let identifier = element.attribute("ID").map(str::to_owned);
        let scope = Scope::inside(element);

        match stream.look(false)? {
            Ahead::Start { name, empty: false } if name.rsplit(':').next() == Some("Signature") => {}
            Ahead::Start { .. } => return Err(SignatureRefused::NotFirst.into()),
            Ahead::End { .. } => return Err(SignatureRefused::NoSignature.into()),
            Ahead::Nothing => return Err(malformed("an element that does not end", place).into()),
        }
        stream.whole()?;
        let taken = stream.take();
        let piece = Document::read_piece(taken.octets, &scope, within(limits, 1))
            .map_err(|fault| taken.placed(fault))?;
        let signature = last(&piece)
            .filter(|element| element.is(DS.uri(), "Signature"))
            .ok_or(SignatureRefused::NotFirst)?;
        no_other(&piece, identifier.as_deref(), taken.start)?;
        let (signed, key) = authenticated(signature, keys, permitted)?;
        refers_to(&signed.reference, identifier.as_deref(), permitted)?;

        let (start_tag, rendered) = canonicalize_opening(element, &signed.transform, &Rendered::default())?;
        let open = vec![Open { name: element.qualified_name().to_owned(), scope, rendered }];
        let hasher = signed.digest_algorithm.hasher();
        let mut walk = Self { limits, group, run, each, signed, key, identifier, hasher, octets: 0, open };
        walk.hash(&start_tag);
        walk.hash(&canonicalize_text_before(&piece, signature));
        walk.hand_out_group(start_tag, &Rendered::default(), place)?;
        Ok(walk)
    }

    /// Everything after the signature.
    fn the_rest<R: Read>(mut self, stream: &mut Stream<R>) -> Result<Proof, NotVerified<E>> {
        while !self.open.is_empty() {
            match stream.look(false)? {
                Ahead::Start { name, empty } => {
                    if !empty && self.group.may_be(&name) && self.enter(stream.peek())? {
                        stream.take();
                        continue;
                    }
                    if !empty {
                        stream.whole()?;
                    }
                    self.child(stream.take())?;
                }
                Ahead::End { name } => self.end(stream.take(), &name)?,
                Ahead::Nothing => {
                    let fault = XmlFault::Unfinished("an element");
                    return Err(XmlRefused { fault, position: stream.position() }.into());
                }
            }
        }
        let digest = self.hasher.finish();
        if !bool::from(digest.ct_eq(&self.signed.digest)) {
            return Err(SignatureRefused::DigestMismatch.into());
        }
        Ok(Proof {
            run: self.run.clone(),
            algorithm: self.signed.algorithm,
            key: self.key,
            digest,
            octets: self.octets,
        })
    }

    /// Begins a group, if that is what the start tag at hand begins.
    fn enter(&mut self, taken: Piece<'_>) -> Result<bool, NotVerified<E>> {
        let around = self.innermost()?;
        let (piece, place) = opening(taken, &around.scope, within(self.limits, self.open.len()))?;
        let Some(element) = last(&piece).filter(|element| self.group.is_of(*element)) else {
            return Ok(false);
        };
        no_other(&piece, self.identifier.as_deref(), taken.start)?;
        let text = canonicalize_text_before(&piece, element);
        let (start_tag, rendered) = canonicalize_opening(element, &self.signed.transform, &around.rendered)?;
        let open =
            Open { name: element.qualified_name().to_owned(), scope: Scope::inside(element), rendered };
        let around = around.rendered.clone();
        self.hash(&text);
        self.hash(&start_tag);
        self.hand_out_group(start_tag, &around, place)?;
        self.open.push(open);
        Ok(true)
    }

    fn child(&mut self, taken: Piece<'_>) -> Result<(), NotVerified<E>> {
        let around = self.innermost()?;
        let piece = Document::read_piece(taken.octets, &around.scope, within(self.limits, self.open.len()))
            .map_err(|fault| taken.placed(fault))?;
        let element = last(&piece).ok_or_else(|| malformed("an unclear element", taken.start))?;
        let place = element.position().within(taken.start);
        if self.open.len() == 1 && element.is(DS.uri(), "Signature") {
            return Err(SignatureRefused::SeveralSignatures.into());
        }
        no_other(&piece, self.identifier.as_deref(), taken.start)?;
        let once = match &self.signed.transform {
            Canonicalization::Exclusive { inclusive_prefixes } => {
                canonicalize_alone(element, inclusive_prefixes, &around.rendered)?
            }
            Canonicalization::Inclusive => None,
        };
        let octets = match once {
            Some(alone) => {
                self.hash(&canonicalize_text_before(&piece, element));
                self.hash_alone(&alone);
                alone.octets
            }
            None => {
                let hashed = canonicalize_content(&piece, &self.signed.transform, &around.rendered, None)?;
                let octets =
                    alone(&hashed, &around.rendered, &self.signed.transform, self.limits, taken.start)?;
                self.hash(&hashed);
                octets
            }
        };
        self.hand_out(Part::Child(Child::of(octets, element, self.limits.within, place)?))
    }

    fn end(&mut self, taken: Piece<'_>, name: &str) -> Result<(), NotVerified<E>> {
        let around = self.innermost()?;
        if around.name != name {
            let fault = XmlFault::MismatchedEnd { expected: around.name.clone(), found: name.to_owned() };
            return Err(XmlRefused { fault, position: taken.start }.into());
        }
        // The tag itself has passed the name; after the name there may be white space alone.
        let tag = taken.octets.iter().rposition(|&octet| octet == b'<').unwrap_or(taken.octets.len());
        let (before, tag) = taken.octets.split_at(tag);
        let rest = tag.get(2 + name.len()..tag.len().saturating_sub(1)).unwrap_or_default();
        if !rest.iter().all(u8::is_ascii_whitespace) {
            return Err(malformed("an end tag that says more than a name", taken.start).into());
        }
        let piece = Document::read_piece(before, &around.scope, within(self.limits, self.open.len()))
            .map_err(|fault| taken.placed(fault))?;
        let text = canonicalize_content(&piece, &self.signed.transform, &around.rendered, None)?;
        self.hash(&text);
        self.hash(format!("</{name}>").as_bytes());
        self.open.pop();
        self.hand_out(Part::End)
    }

    fn innermost(&self) -> Result<&Open, XmlRefused> {
        self.open
            .last()
            .ok_or_else(|| malformed("an end tag that ends nothing", Position { line: 1, column: 1 }))
    }

    fn hash(&mut self, octets: &[u8]) {
        self.octets += octets.len() as u64;
        self.hasher.update(octets);
    }

    fn hash_alone(&mut self, alone: &Alone) {
        for part in alone.in_place() {
            self.hash(part);
        }
    }

    /// Hands out a group as its hashed start tag says, ended at once.
    fn hand_out_group(
        &mut self,
        mut start_tag: Vec<u8>,
        around: &Rendered,
        place: Position,
    ) -> Result<(), NotVerified<E>> {
        start_tag.pop();
        start_tag.extend_from_slice(b"/>");
        let limits = canonical(self.limits, start_tag.len());
        let group = Document::read_piece(&start_tag, &Scope::declared(around), limits)
            .map_err(|fault| fault_at(fault, place))?;
        self.hand_out(Part::Begin { group, place })
    }

    fn hand_out(&mut self, part: Part) -> Result<(), NotVerified<E>> {
        (self.each)(Unproven { value: part, run: self.run.clone() }).map_err(NotVerified::Stopped)
    }
}

/// The element of hashed octets, alone, where it cannot be written once for both: read from those octets, so that nothing is handed out
/// that they do not say.
fn alone<E>(
    hashed: &[u8],
    around: &Rendered,
    method: &Canonicalization,
    limits: StreamLimits,
    start: Position,
) -> Result<Vec<u8>, NotVerified<E>> {
    let piece = Document::read_piece(hashed, &Scope::declared(around), canonical(limits, hashed.len()))
        .map_err(|fault| fault_at(fault, start))?;
    let element = last(&piece).ok_or_else(|| malformed("an unclear element", start))?;
    let inclusive_prefixes = match method {
        Canonicalization::Exclusive { inclusive_prefixes } => inclusive_prefixes.clone(),
        // Values of `xsi:type` name prefixes that nothing else may use, and inclusive form has signed their meaning.
        Canonicalization::Inclusive => types(element),
    };
    Ok(canonicalize(element, &Canonicalization::Exclusive { inclusive_prefixes }, None)?)
}

/// The prefixes that values of `xsi:type` name.
fn types(element: Element<'_>) -> Vec<String> {
    let mut prefixes: Vec<String> = element
        .subtree()
        .filter_map(|element| element.attribute_in(XSI.uri(), "type")?.trim().split_once(':'))
        .map(|(prefix, _)| prefix.to_owned())
        .collect();
    prefixes.sort_unstable();
    prefixes.dedup();
    prefixes
}

/// A start tag with what stands before it, read as if it were empty, and where it begins.
fn opening<E>(
    taken: Piece<'_>,
    scope: &Scope,
    limits: Limits,
) -> Result<(Document, Position), NotVerified<E>> {
    let (_, before) = taken.octets.split_last().unwrap_or((&0, &[]));
    let mut octets = Vec::with_capacity(before.len() + 2);
    octets.extend_from_slice(before);
    octets.extend_from_slice(b"/>");
    let limits = Limits { octets: limits.octets.saturating_add(1), ..limits };
    let piece = Document::read_piece(&octets, scope, limits).map_err(|fault| taken.placed(fault))?;
    let place = last(&piece).map_or(taken.start, |element| element.position().within(taken.start));
    Ok((piece, place))
}

/// The one element of a piece, which it ends with.
fn last(piece: &Document) -> Option<Element<'_>> {
    let mut elements = piece.root().children();
    let element = elements.next()?;
    elements.next().is_none().then_some(element)
}

/// What a signature refers to must be one element (SAML Core 5.4.2): nothing in the file has the outermost element's `ID` but itself.
fn no_other(piece: &Document, identifier: Option<&str>, start: Position) -> Result<(), XmlRefused> {
    let Some(identifier) = identifier else { return Ok(()) };
    for element in piece.elements().skip(1) {
        for attribute in element.attributes() {
            if attribute.value() == identifier
                && matches!(attribute.qualified_name(), "ID" | "Id" | "id" | "xml:id")
            {
                let fault = XmlFault::DuplicateId(identifier.to_owned());
                return Err(XmlRefused { fault, position: attribute.position().within(start) });
            }
        }
    }
    Ok(())
}

/// What holds for a piece within `open` groups.
fn within(limits: StreamLimits, open: usize) -> Limits {
    Limits { octets: limits.piece, depth: limits.within.depth.saturating_sub(open), ..limits.within }
}

/// What holds for canonical octets of ours: they were bounded as they were written, and may declare more on one element.
fn canonical(limits: StreamLimits, octets: usize) -> Limits {
    Limits { namespaces: 256, octets, ..limits.within }
}

fn malformed(what: &'static str, position: Position) -> XmlRefused {
    XmlRefused { fault: XmlFault::Malformed(what), position }
}

/// A fault in octets of ours, at the place that they were made from.
fn fault_at(refused: XmlRefused, position: Position) -> XmlRefused {
    XmlRefused { position, ..refused }
}

#[cfg(test)]
mod tests;
