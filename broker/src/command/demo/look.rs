//! The pages of the demo's parties: templates, one style sheet in each party's own colour, and strict headers.
//!
//! They are made to be told from the broker's at a glance: it is another organisation's house that one has come to.
//! The templates lie in `broker/demo`.

use axum::{
    Router,
    body::Body,
    response::{IntoResponse as _, Response},
    routing::get,
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use minijinja::{Environment, Value, context};

use super::texts::{Text, Tongue};
use crate::respond;

const TEMPLATES: &[(&str, &str)] = &[
    ("frame.html", include_str!("../../../demo/frame.html")),
    ("employer.html", include_str!("../../../demo/employer.html")),
    ("sign_in.html", include_str!("../../../demo/sign_in.html")),
    ("onward.html", include_str!("../../../demo/onward.html")),
    ("problem.html", include_str!("../../../demo/problem.html")),
    ("start.html", include_str!("../../../demo/start.html")),
    ("received.html", include_str!("../../../demo/received.html")),
    ("refused.html", include_str!("../../../demo/refused.html")),
];
const STYLE: &str = include_str!("../../../demo/demo.css");
const SCRIPT: &str = include_str!("../../../demo/onward.js");

/// Whose page it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct House {
    /// Which colours (a class of the style sheet).
    pub(super) theme: &'static str,
    /// Whose name stands at the top.
    pub(super) name: Text,
    /// What that is.
    pub(super) kind: Text,
}

/// The templates, ready.
pub(super) struct Pages {
    templates: Environment<'static>,
}

/// Where a page's forms may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forms {
    /// To the page's own origin.
    Home,
    /// To another party: no `form-action`, since Chromium holds it against the whole chain of redirects that follows.
    Away,
}

impl Pages {
    /// Reads the templates.
    ///
    /// # Errors
    /// The first one that does not hold together.
    pub(super) fn new() -> Result<Self, minijinja::Error> {
        let mut templates = Environment::new();
        templates.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
        for (name, source) in TEMPLATES {
            templates.add_template(name, source)?;
        }
        Ok(Self { templates })
    }

    /// A page. `view` is what the template shows besides the frame.
    pub(super) fn page(
        &self,
        house: &House,
        language: Tongue,
        template: &str,
        forms: Forms,
        status: StatusCode,
        view: Value,
    ) -> Response {
        let say = move |sv: String, en: String| match language {
            Tongue::Swedish => sv,
            Tongue::English => en,
        };
        let view = context! {
            t => Value::from_function(say),
            language => language.tag(),
            other_language => language.other().tag(),
            house => context! {
                theme => house.theme,
                name => house.name.said(language),
                kind => house.kind.said(language),
            },
            ..view
        };
        let body = self.templates.get_template(template).and_then(|template| template.render(view));
        let body = match body {
            Ok(body) => body,
            Err(error) => {
                tracing::error!(%error, template, "a page of the demo could not be written");
                return (StatusCode::INTERNAL_SERVER_ERROR, "This page could not be written.\n")
                    .into_response();
            }
        };
        let form_action = match forms {
            Forms::Home => " form-action 'self';",
            Forms::Away => "",
        };
        let csp = format!(
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:;{form_action} base-uri 'none'; \
             frame-ancestors 'none'"
        );
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Ok(csp) = HeaderValue::from_str(&csp) {
            headers.insert(header::CONTENT_SECURITY_POLICY, csp);
        }
        respond::secure(response, false)
    }
}

/// Adds a `Set-Cookie`.
pub(super) fn set_cookie(mut response: Response, cookie: Option<String>) -> Response {
    if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Whether the request is the browser's own and not another site's form: what changes something here is posted from here.
/// (Fetch metadata; a browser without it sends `Origin`.)
pub(super) fn is_from_here(headers: &HeaderMap, origin: &str) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(found)) => found == origin,
        (None, None) => true,
    }
}

/// The style sheet and the script.
pub(super) fn assets<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let file = |content_type: &'static str, body: &'static str| {
        get(async move || respond::secure(respond::document(content_type, body, 300), false))
    };
    Router::new()
        .route("/assets/demo.css", file("text/css; charset=utf-8", STYLE))
        .route("/assets/onward.js", file("text/javascript; charset=utf-8", SCRIPT))
}

#[cfg(test)]
mod tests {
    use super::{Pages, is_from_here};
    use http::{HeaderMap, HeaderValue};

    #[test]
    fn every_template_holds_together() {
        assert!(Pages::new().is_ok());
    }

    #[test]
    fn another_sites_form_is_not_taken_for_ours() {
        let mut headers = HeaderMap::new();
        assert!(is_from_here(&headers, "http://a.localhost:1"));
        headers.insert("origin", HeaderValue::from_static("http://b.localhost:1"));
        assert!(!is_from_here(&headers, "http://a.localhost:1"));
        assert!(is_from_here(&headers, "http://b.localhost:1"));
        headers.insert("sec-fetch-site", HeaderValue::from_static("cross-site"));
        assert!(!is_from_here(&headers, "http://b.localhost:1"));
    }
}
