//! The page at `/`, for an employee who came here by mistake and an operator who looks for the documents; and the page for an address
//! where nothing stands.

use broker_core::identifier::Language;
use minijinja::{Error, Value, context};

use super::{Argument, Html, Pages, content_policy::ContentPolicy, web_address};

/// One document for operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartLink {
    /// Our SAML metadata as the main service provider.
    SamlMetadata,
    /// Our OpenID Connect discovery document.
    OpenIdConfiguration,
    /// Our public keys.
    Keys,
}

/// What the page says.
#[derive(Debug, Clone)]
pub(crate) struct StartView<'a> {
    /// Documents and where they stand, in order.
    pub(crate) links: &'a [(StartLink, &'a str)],
    /// Our other service providers: name, and where the metadata stands. They follow the main one's.
    pub(crate) service_providers: &'a [(String, String)],
}

impl Pages {
    /// The page at `/`.
    pub(crate) fn start(&self, language: &Language, view: &StartView<'_>) -> Html {
        self.render("start.html", language, ContentPolicy::Quiet, self.start_content(language, view))
    }

    pub(super) fn try_start(&self, language: &Language, view: &StartView<'_>) -> Result<Html, Error> {
        self.try_render("start.html", language, ContentPolicy::Quiet, self.start_content(language, view))
    }

    /// There is no such page (to be sent with 404).
    pub(crate) fn not_found(&self, language: &Language) -> Html {
        self.render("not_found.html", language, ContentPolicy::Quiet, context! {})
    }

    pub(super) fn try_not_found(&self, language: &Language) -> Result<Html, Error> {
        self.try_render("not_found.html", language, ContentPolicy::Quiet, context! {})
    }

    fn start_content(&self, language: &Language, view: &StartView<'_>) -> Value {
        let named =
            |name: &str| self.text(language, "start-named-saml-metadata", &[("name", Argument::Text(name))]);
        let others: Vec<Value> = view
            .service_providers
            .iter()
            .filter_map(|(name, href)| Some(context! { text => named(name), href => web_address(href)? }))
            .collect();
        let mut links: Vec<Value> = view
            .links
            .iter()
            .filter_map(|(link, href)| {
                let key = match link {
                    StartLink::SamlMetadata => "start-saml-metadata",
                    StartLink::OpenIdConfiguration => "start-openid-configuration",
                    StartLink::Keys => "start-keys",
                };
                Some(context! { text => self.text(language, key, &[]), href => web_address(href)? })
            })
            .collect();
        let after_main =
            view.links.iter().take_while(|(link, _)| *link != StartLink::SamlMetadata).count() + 1;
        let after_main = after_main.min(links.len());
        links.splice(after_main..after_main, others);
        context! { links }
    }
}
