//! The two pages that carry a browser on by themselves: a form that posts to another host (SAML HTTP-POST binding, OpenID Connect
//! `form_post`), and a link that follows an answer of 200 where a redirect would be held against `form-action`.

use broker_core::identifier::Language;
use minijinja::{Error, Value, context};

use super::{Field, Html, Pages, clean, content_policy::ContentPolicy, fields, web_address};

/// An address that a page must not send a browser to: not http, not https, not a path here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the address is neither http nor https")]
pub(crate) struct UnsafeAddress;

/// A form that posts itself.
#[derive(Debug)]
pub(crate) struct PostFormView<'a> {
    /// Where to.
    pub(crate) action: &'a str,
    /// What it carries, in order.
    pub(crate) fields: &'a [Field],
    /// Whom the person meets next.
    pub(crate) destination_name: &'a str,
}

/// A page that goes on to an address at once.
pub(crate) struct OnwardView<'a> {
    /// Where to. Carries a code: no Debug.
    pub(crate) href: &'a str,
    /// Whom the person meets next.
    pub(crate) destination_name: &'a str,
}

impl Pages {
    /// A form that posts itself: by script, else by its button.
    ///
    /// # Errors
    /// The address is not one of the web; nothing is drawn.
    pub(crate) fn post_form(
        &self,
        language: &Language,
        view: &PostFormView<'_>,
    ) -> Result<Html, UnsafeAddress> {
        let action = web_address(view.action).ok_or(UnsafeAddress)?;
        let content = post_content(view, action);
        Ok(self.render("post_form.html", language, ContentPolicy::ForeignForm, content))
    }

    pub(super) fn try_post_form(&self, language: &Language, view: &PostFormView<'_>) -> Result<Html, Error> {
        let content = post_content(view, view.action);
        self.try_render("post_form.html", language, ContentPolicy::ForeignForm, content)
    }

    /// A page that goes on to an address at once, without a script, with a link should that stall.
    ///
    /// # Errors
    /// The address is not one of the web; nothing is drawn.
    pub(crate) fn onward(&self, language: &Language, view: &OnwardView<'_>) -> Result<Html, UnsafeAddress> {
        let href = web_address(view.href).ok_or(UnsafeAddress)?;
        Ok(self.render("onward.html", language, ContentPolicy::Quiet, onward_content(view, href)))
    }

    pub(super) fn try_onward(&self, language: &Language, view: &OnwardView<'_>) -> Result<Html, Error> {
        self.try_render("onward.html", language, ContentPolicy::Quiet, onward_content(view, view.href))
    }
}

fn post_content(view: &PostFormView<'_>, action: &str) -> Value {
    context! { action, hidden => fields(view.fields), destination => clean(view.destination_name) }
}

fn onward_content(view: &OnwardView<'_>, href: &str) -> Value {
    context! { href, destination => clean(view.destination_name) }
}
