//! What a Response and an Assertion say, read leniently: each part is there or not. Whether it must be there, and what it must say,
//! the checks decide one by one (`sp/check`).
//!
//! These types borrow from a document, and for anything that identifies a person that document is the octets that were signed.

use certs_xml::{
    Element,
    namespace::{SAML, SAMLP},
};

use crate::{name_id::NameId, status::Status};

/// Without the white space of XML at both ends: xs:anyURI collapses it, and pretty-printers put it there.
pub(crate) fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

/// The text of an element that holds nothing but text, trimmed.
pub(crate) fn text_of(element: Element<'_>) -> Option<&str> {
    element.text().map(trimmed)
}

/// The text of the child of that name, when there is exactly one and it holds text alone.
pub(crate) fn child_text<'d>(parent: Element<'d>, namespace: &str, name: &str) -> Option<&'d str> {
    let mut found = parent.children_named(namespace, name);
    let first = found.next()?;
    if found.next().is_some() { None } else { text_of(first) }
}

/// A samlp:Response.
pub(crate) struct Response<'d> {
    pub(crate) element: Element<'d>,
    pub(crate) version: Option<&'d str>,
    pub(crate) issue_instant: Option<&'d str>,
    pub(crate) destination: Option<&'d str>,
    pub(crate) in_response_to: Option<&'d str>,
    pub(crate) issuer: Option<Element<'d>>,
    pub(crate) status: Option<Status<'d>>,
}

impl<'d> Response<'d> {
    pub(crate) fn read(element: Element<'d>) -> Self {
        Self {
            element,
            version: element.attribute("Version"),
            issue_instant: element.attribute("IssueInstant"),
            destination: element.attribute("Destination"),
            in_response_to: element.attribute("InResponseTo"),
            issuer: element.child(SAML.uri(), "Issuer"),
            status: Status::read(element),
        }
    }

    /// The assertions directly inside.
    pub(crate) fn assertions(&self) -> impl Iterator<Item = Element<'d>> {
        self.element.children_named(SAML.uri(), "Assertion")
    }

    /// The assertions directly inside that only their recipient can read.
    pub(crate) fn encrypted_assertions(&self) -> impl Iterator<Item = Element<'d>> {
        self.element.children().filter(|child| is_encrypted_assertion(*child))
    }
}

/// Whether this is a saml:EncryptedAssertion (SAML Core 2.3.4).
pub(crate) fn is_encrypted_assertion(element: Element<'_>) -> bool {
    element.is(SAML.uri(), "EncryptedAssertion")
}

/// Whether this is a samlp:Response.
pub(crate) fn is_response(element: Element<'_>) -> bool {
    element.is(SAMLP.uri(), "Response")
}

/// A saml:Assertion.
pub(crate) struct Assertion<'d> {
    pub(crate) element: Element<'d>,
    pub(crate) id: Option<&'d str>,
    pub(crate) version: Option<&'d str>,
    pub(crate) issue_instant: Option<&'d str>,
}

/// A saml:SubjectConfirmation.
#[derive(Clone, Copy)]
pub(crate) struct Confirmation<'d> {
    pub(crate) method: Option<&'d str>,
    pub(crate) data: Option<Element<'d>>,
}

impl<'d> Assertion<'d> {
    pub(crate) fn read(element: Element<'d>) -> Self {
        Self {
            element,
            id: element.attribute("ID").filter(|id| !id.is_empty()),
            version: element.attribute("Version"),
            issue_instant: element.attribute("IssueInstant"),
        }
    }

    pub(crate) fn issuer(&self) -> Option<Element<'d>> {
        self.element.child(SAML.uri(), "Issuer")
    }

    /// The subject, when there is exactly one.
    pub(crate) fn subject(&self) -> Option<Element<'d>> {
        let mut subjects = self.element.children_named(SAML.uri(), "Subject");
        subjects.next().filter(|_| subjects.next().is_none())
    }

    /// The conditions, when there is exactly one element of them.
    pub(crate) fn conditions(&self) -> Option<Element<'d>> {
        let mut conditions = self.element.children_named(SAML.uri(), "Conditions");
        conditions.next().filter(|_| conditions.next().is_none())
    }

    /// The statements of how the person was authenticated.
    pub(crate) fn authn_statements(&self) -> impl Iterator<Item = Element<'d>> {
        self.element.children_named(SAML.uri(), "AuthnStatement")
    }

    /// The statements of what the person is.
    pub(crate) fn attribute_statements(&self) -> impl Iterator<Item = Element<'d>> {
        self.element.children_named(SAML.uri(), "AttributeStatement")
    }
}

/// The confirmations of a subject.
pub(crate) fn confirmations(subject: Element<'_>) -> impl Iterator<Item = Confirmation<'_>> {
    subject.children_named(SAML.uri(), "SubjectConfirmation").map(|element| {
        let mut data = element.children_named(SAML.uri(), "SubjectConfirmationData");
        Confirmation {
            method: element.attribute("Method"),
            data: data.next().filter(|_| data.next().is_none()),
        }
    })
}

/// The NameID of a subject, when there is exactly one that is text alone.
pub(crate) fn name_id(subject: Element<'_>) -> Option<NameId<'_>> {
    let mut found = subject.children_named(SAML.uri(), "NameID");
    let element = found.next()?;
    if found.next().is_some() {
        return None;
    }
    Some(NameId {
        value: text_of(element)?,
        format: element.attribute("Format"),
        name_qualifier: element.attribute("NameQualifier"),
        sp_name_qualifier: element.attribute("SPNameQualifier"),
    })
}
