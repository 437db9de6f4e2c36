//! A request from its headers to its answer.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use axum::{
    body::Body,
    extract::{RawPathParams, Request, State},
    response::Response,
};
use broker_core::identifier::{Language, Reference};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use metadata::{
    desk::{Actor, PresentedToken, Token},
    lint::Tongue,
};

use super::{
    answer, authenticate,
    openapi::{JSON, XML},
    operation::{ALL, Needs, Operation, Takes, Within},
    problem::{Kind, Problem},
};
use crate::{
    moment,
    registry_edit::Live,
    respond,
    server::{self, NotRead},
    wiring::Node,
};

/// The longest query, in octets.
const LONGEST_QUERY: usize = 16 * 1024;

/// A request that was let in.
pub(super) struct Call {
    pub(super) node: Arc<Node>,
    /// Whose it is; `None` for what anybody may.
    who: Option<(Token, PresentedToken)>,
    path: BTreeMap<String, String>,
    query: BTreeMap<String, Vec<String>>,
    pub(super) headers: HeaderMap,
    /// The body, of a type that the operation takes.
    pub(super) body: Vec<u8>,
    /// Whether it came as JSON.
    pub(super) is_json: bool,
}

impl Call {
    /// The token that it came with.
    pub(super) fn token(&self) -> Result<&Token, Problem> {
        let token = self.who.as_ref().map(|(token, _)| token);
        token.ok_or_else(|| Kind::INTERNAL.because("an operation that needs no token asks for it"))
    }

    /// The token as it was presented.
    pub(super) fn presented(&self) -> Result<&PresentedToken, Problem> {
        let presented = self.who.as_ref().map(|(_, presented)| presented);
        presented.ok_or_else(|| Kind::INTERNAL.because("an operation that needs no token asks for it"))
    }

    /// Who asks.
    pub(super) fn actor(&self) -> Result<Actor, Problem> {
        Ok(self.token()?.actor())
    }

    /// A parameter of the path.
    pub(super) fn in_path(&self, name: &str) -> &str {
        self.path.get(name).map(String::as_str).unwrap_or_default()
    }

    /// The values of a parameter of the query.
    pub(super) fn all(&self, name: &str) -> &[String] {
        self.query.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// A parameter of the query that is given once at most.
    pub(super) fn one(&self, name: &str) -> Result<Option<&str>, Problem> {
        match self.all(name) {
            [] => Ok(None),
            [value] => Ok(Some(value)),
            _ => Err(Kind::PARAMETER
                .case(format!("{name} får anges en gång"), format!("{name} may be given once"))),
        }
    }

    /// One that is `true` or `false`; absent: `false`.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.one(name)? {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Kind::PARAMETER
                .case(format!("{name} är true eller false"), format!("{name} is true or false"))),
        }
    }

    /// The number of a proposal, in the path.
    pub(super) fn number(&self) -> Result<u64, Problem> {
        let number = self.in_path("number").parse().ok().filter(|number| *number > 0);
        number.ok_or_else(|| Kind::NOT_FOUND.into())
    }

    /// What is live, read from the store.
    pub(super) async fn live(&self) -> Result<Live, Problem> {
        let known = Some(self.node.registry.any()).filter(|known| known.number() > 0);
        let store = &**self.node.vault.store();
        Ok(self.node.edits.read(store, known, moment::now()).await?)
    }

    /// Whether the asker has the version of this ETag (RFC 9110 section 13.1.2).
    pub(super) fn has(&self, etag: &str) -> bool {
        lists(&self.headers, &header::IF_NONE_MATCH, etag)
    }
}

/// Whether a header with ETags lists one, or any; weak ones count where the strong one is the same.
pub(super) fn lists(headers: &HeaderMap, name: &header::HeaderName, etag: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .map(|one| one.trim().trim_start_matches("W/"))
        .any(|one| one == "*" || one == etag)
}

/// JSON for whoever asked, and for nobody to keep.
pub(super) fn json(status: u16, body: &impl serde::Serialize) -> Response {
    respond::json_no_store(status, answer::written(body))
}

/// What the asker may keep and must ask about: with its ETag, and without a body where they have it.
pub(super) fn versioned(call: &Call, etag: &str, content_type: &str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(Body::empty());
    if call.has(etag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        *response.body_mut() = body.into();
        if let Ok(value) = HeaderValue::from_str(content_type) {
            response.headers_mut().insert(header::CONTENT_TYPE, value);
        }
    }
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("Authorization"));
    if let Ok(etag) = HeaderValue::from_str(etag) {
        headers.insert(header::ETAG, etag);
    }
    response
}

/// Answers a request for an operation.
pub(super) async fn serve(
    operation: &'static Operation,
    node: Arc<Node>,
    path: &RawPathParams,
    request: Request,
) -> Response {
    let asked = Asked::of(request.headers());
    let path = path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut token = String::new();
    let outcome = match admitted(operation, node.clone(), path, request).await {
        Ok(call) => {
            if let Some((known, _)) = &call.who {
                token.clone_from(&known.id);
            }
            (operation.run)(call).await
        }
        Err(problem) => Err(problem),
    };
    match outcome {
        Ok(response) => {
            let status = response.status().as_u16();
            tracing::info!(
                reference = asked.reference.as_str(),
                operation = operation.id,
                token,
                status,
                "api"
            );
            response
        }
        Err(problem) => asked.told(&node, operation.id, &token, problem),
    }
}

/// What is needed to tell somebody of a problem.
struct Asked {
    tongue: Tongue,
    reference: Reference,
}

impl Asked {
    fn of(headers: &HeaderMap) -> Self {
        Self { tongue: tongue(headers), reference: Reference::from_random(moment::moment().random()) }
    }

    /// Logs it and answers. The log has no name of a person and nothing of a file: who acted is the token's id.
    fn told(&self, node: &Node, operation: &str, token: &str, problem: Problem) -> Response {
        let reference = self.reference.as_str();
        let (kind, status) = (problem.kind.name, problem.kind.status);
        let cause = problem.cause.as_deref().unwrap_or_default();
        if problem.is_alarm {
            tracing::error!(reference, operation, token, status, kind, cause, alarm = true, "api");
        } else if status >= 500 {
            tracing::error!(reference, operation, token, status, kind, cause, "api");
        } else {
            let rules = problem.findings.iter().filter(|finding| finding.is_error());
            let rules = rules.map(|finding| finding.rule()).collect::<Vec<_>>().join(" ");
            tracing::info!(reference, operation, token, status, kind, cause, rules, "api");
        }
        problem.response(&node.config.file.issuer, self.tongue, reference)
    }
}

/// Swedish where it is asked for before English or anything else, English otherwise.
fn tongue(headers: &HeaderMap) -> Tongue {
    let accepted =
        headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut wanted: Vec<(f32, Tongue)> = accepted
        .split(',')
        .take(20)
        .filter_map(|one| {
            let (tag, quality) = one.split_once(';').unwrap_or((one, "q=1"));
            let quality: f32 = quality.trim().strip_prefix("q=")?.parse().ok()?;
            match Language::from_tag(tag.trim())?.as_str().split('-').next()? {
                "sv" => Some((quality, Tongue::Swedish)),
                "en" => Some((quality, Tongue::English)),
                _ => None,
            }
        })
        .filter(|(quality, _)| *quality > 0.0)
        .collect();
    // Stable: of two that are wanted alike the first.
    wanted.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    wanted.first().map_or(Tongue::English, |(_, tongue)| *tongue)
}

/// Who asks, with which parameters and body.
async fn admitted(
    operation: &'static Operation,
    node: Arc<Node>,
    path: BTreeMap<String, String>,
    request: Request,
) -> Result<Call, Problem> {
    let (parts, body) = request.into_parts();
    let who = match operation.needs {
        Needs::Nothing => None,
        Needs::Token | Needs::Publish => Some(authenticate::who(&node, operation, &parts.headers).await?),
    };
    let query = parameters(operation, parts.uri.query().unwrap_or_default())?;
    // Who has a token and sends what is somewhat too large, or of another type, is read to its end: a connection that ends while somebody still sends
    // shows them that, and not the answer.
    let body = match operation.takes {
        Takes::Nothing => Vec::new(),
        takes => server::body(body, 4 * takes.largest()).await?,
    };
    let largest = operation.takes.largest();
    if body.len() > largest {
        return Err(Kind::TOO_LARGE.of(largest));
    }
    let is_json = content_type(operation, &parts.headers)?;
    Ok(Call { node, who, path, query, headers: parts.headers, body, is_json })
}

impl From<NotRead> for Problem {
    fn from(not_read: NotRead) -> Self {
        match not_read {
            NotRead::TooLarge(read) => Kind::TOO_LARGE.of(read / 4),
            NotRead::NoRoom => Kind::BUSY.because(not_read),
            NotRead::TooSlow | NotRead::Broken => {
                Kind::MALFORMED.case("Innehållet kom inte fram helt.", "The body did not arrive whole.")
            }
        }
    }
}

/// The query, with nothing in it that the operation does not know.
fn parameters(operation: &Operation, query: &str) -> Result<BTreeMap<String, Vec<String>>, Problem> {
    if query.len() > LONGEST_QUERY {
        return Err(Kind::MALFORMED.case("Adressen är för lång.", "The address is too long."));
    }
    let mut parameters: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let is_known =
            operation.parameters.iter().any(|known| known.within == Within::Query && known.name == name);
        if !is_known {
            let name: String = name.chars().filter(|letter| !letter.is_control()).take(50).collect();
            return Err(
                Kind::PARAMETER.case(format!("{name} finns inte här"), format!("{name} does not exist here"))
            );
        }
        parameters.entry(name.into_owned()).or_default().push(value.into_owned());
    }
    Ok(parameters)
}

/// Whether the body is JSON, of what the operation takes.
fn content_type(operation: &Operation, headers: &HeaderMap) -> Result<bool, Problem> {
    if matches!(operation.takes, Takes::Nothing) {
        return Ok(false);
    }
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if let Some(encoding) = text(header::CONTENT_ENCODING)
        && !encoding.trim().eq_ignore_ascii_case("identity")
    {
        return Err(Kind::MEDIA_TYPE.case(
            "Skicka innehållet utan komprimering (Content-Encoding).",
            "Send the body without compression (Content-Encoding).",
        ));
    }
    let given = text(header::CONTENT_TYPE).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match operation.takes {
        Takes::Metadata if XML.contains(&essence.as_str()) => Ok(false),
        Takes::Metadata | Takes::Json(_) if essence == JSON => Ok(true),
        Takes::Metadata => Err(Kind::MEDIA_TYPE.case(
            "Content-Type är application/samlmetadata+xml för SAML-metadata, application/json för klientmetadata.",
            "Content-Type is application/samlmetadata+xml for SAML metadata, application/json for client metadata.",
        )),
        _ => Err(Kind::MEDIA_TYPE.case("Content-Type är application/json.", "Content-Type is application/json.")),
    }
}

/// An address below `/api` that there is not.
pub(super) async fn not_found(State(node): State<Arc<Node>>, headers: HeaderMap) -> Response {
    Asked::of(&headers).told(&node, "none", "", Kind::NOT_FOUND.into())
}

/// An address that does not take the method.
pub(super) async fn wrong_method(
    State(node): State<Arc<Node>>,
    path: RawPathParams,
    request: Request,
) -> Response {
    let asked = Asked::of(request.headers());
    let mut response = asked.told(&node, "none", "", Kind::METHOD.into());
    if let Some(allow) = allowed(request.uri().path(), path.iter().count()) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

/// The methods of the address, by the table.
fn allowed(path: &str, parameters: usize) -> Option<HeaderValue> {
    static TABLE: LazyLock<BTreeMap<&str, Vec<Method>>> = LazyLock::new(|| {
        let mut table: BTreeMap<&str, Vec<Method>> = BTreeMap::new();
        for operation in ALL {
            let methods = table.entry(operation.path).or_default();
            methods.push(operation.method());
            if operation.method() == Method::GET {
                methods.push(Method::HEAD);
            }
        }
        table
    });
    let path = path.strip_prefix("/api").unwrap_or(path);
    let fits = |known: &str| {
        let parts =
            known.split('/').zip(path.split('/')).all(|(one, given)| one.starts_with('{') || one == given);
        parts
            && known.split('/').count() == path.split('/').count()
            && known.matches('{').count() == parameters
    };
    let (_, methods) = TABLE.iter().find(|(known, _)| fits(known))?;
    let names = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    HeaderValue::from_str(&names).ok()
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, header};
    use metadata::lint::Tongue;

    use super::{allowed, lists, tongue};

    #[test]
    fn the_language_is_the_one_that_is_wanted_most() {
        let of = |accepted: &str| {
            let value = HeaderValue::from_str(accepted).expect("a value");
            tongue(&HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, value)]))
        };
        for swedish in ["sv", "sv-SE,en;q=0.5", "fr, sv;q=0.4", "en;q=0.1, sv;q=0.2", "en;q=0,sv;q=0.1"] {
            assert_eq!(of(swedish), Tongue::Swedish, "{swedish}");
        }
        for english in ["", "*", "en, sv", "fr", "sv;q=0", "sv;q=x", ";;,,"] {
            assert_eq!(of(english), Tongue::English, "{english}");
        }
    }

    #[test]
    fn an_etag_is_found_among_others() {
        let of = |value: &str| {
            let value = HeaderValue::from_str(value).expect("a value");
            lists(&HeaderMap::from_iter([(header::IF_MATCH, value)]), &header::IF_MATCH, "\"b\"")
        };
        assert!(of("\"b\"") && of("\"a\", W/\"b\"") && of("*"));
        assert!(!of("\"a\"") && !of("b") && !of(""));
    }

    #[test]
    fn the_methods_of_an_address_are_those_of_the_table() {
        let of =
            |path: &str, count| allowed(path, count).map(|value| value.to_str().expect("text").to_owned());
        assert_eq!(of("/api/v1/metadata", 0).as_deref(), Some("POST, GET, HEAD"));
        assert_eq!(of("/api/v1/token", 0).as_deref(), Some("GET, HEAD, DELETE"));
        assert_eq!(of("/api/v1/proposals/7/approve", 1).as_deref(), Some("POST"));
        assert_eq!(of("/api/v1/none", 0), None);
    }
}
