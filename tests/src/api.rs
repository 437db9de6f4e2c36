//! Somebody with a token at the API. Every answer is held against what the API says of itself.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use http_body_util::Full;
use serde_json::Value;

use crate::{federation::Federation, wire::Reply};

/// Kinds of content.
pub const XML: &str = "application/samlmetadata+xml";
/// The other.
pub const JSON: &str = "application/json";

/// A token as the operator gives it out.
#[derive(Debug, Clone)]
pub struct Given {
    /// Its id.
    pub id: String,
    /// The word.
    pub token: String,
}

/// Issues a token by the command.
#[must_use]
pub fn issue(federation: &Federation, organisation: &str, right: &str, holder: &str) -> Given {
    let said = federation.command(&[
        "token",
        "issue",
        "--organisation",
        organisation,
        "--right",
        right,
        "--holder",
        holder,
        "--as",
        "Operatör Ek",
        "--json",
    ]);
    let said: Value = serde_json::from_str(&said).expect("JSON");
    let text = |name: &str| said[name].as_str().expect("a text").to_owned();
    Given { id: text("id"), token: text("token") }
}

/// A request to the API.
#[derive(Debug, Clone)]
pub struct Asking {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Asking {
    /// GET
    #[must_use]
    pub fn read(path: &str) -> Self {
        Self { method: Method::GET, path: path.to_owned(), headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// POST without a body.
    #[must_use]
    pub fn post(path: &str) -> Self {
        Self { method: Method::POST, ..Self::read(path) }
    }

    /// DELETE
    #[must_use]
    pub fn delete(path: &str) -> Self {
        Self { method: Method::DELETE, ..Self::read(path) }
    }

    /// With a body.
    #[must_use]
    pub fn with(mut self, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header(header::CONTENT_TYPE, content_type)
    }

    /// With a token.
    #[must_use]
    pub fn by(self, given: &Given) -> Self {
        self.header(header::AUTHORIZATION, &format!("Bearer {}", given.token))
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.insert(name, HeaderValue::from_str(value).expect("a value"));
        self
    }

    /// Sends it to a node, and holds the answer against the API's description.
    pub async fn at(self, federation: &Federation, node: usize) -> Reply {
        let host = federation.issuer.trim_start_matches("http://").to_owned();
        let mut request = Request::builder().method(self.method.clone()).uri(format!("/api/v1{}", self.path));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.header(header::HOST, host).body(Full::new(self.body)).expect("a request");
        let port = federation.nodes[node].port();
        let reply = federation.wire.send(port, request).await.unwrap_or_else(|error| panic!("{error}"));
        let description = federation.document(port, "/api/v1/openapi.json").await.json();
        as_described(&description, &self.method, &self.path, &reply);
        reply
    }
}

/// The described path that an address is one of.
fn path_item<'d>(description: &'d Value, path: &str) -> Option<&'d Value> {
    let path = format!("/v1{}", path.split('?').next().unwrap_or_default());
    let given: Vec<&str> = path.split('/').collect();
    let fits = |known: &str| {
        let known: Vec<&str> = known.split('/').collect();
        known.len() == given.len()
            && known.iter().zip(&given).all(|(known, given)| known.starts_with('{') || known == given)
    };
    let paths = description["paths"].as_object().expect("paths");
    paths.get(&path).or_else(|| paths.iter().find(|(known, _)| fits(known)).map(|(_, item)| item))
}

/// Holds an answer against the description: its status, its type, its schema.
fn as_described(description: &Value, method: &Method, path: &str, reply: &Reply) {
    let status = reply.status.as_u16().to_string();
    let at = format!("{method} {path} -> {status}: {}", reply.text());
    let operation = path_item(description, path)
        .and_then(|item| item.get(method.as_str().to_ascii_lowercase()))
        .unwrap_or_else(|| panic!("not described: {at}"));
    let answer = &operation["responses"][&status];
    assert!(answer.is_object(), "the status is not described: {at}");
    let content_type = reply.header(header::CONTENT_TYPE);
    let Some(content) = answer["content"].as_object() else {
        assert!(reply.body.is_empty(), "no body is described: {at}");
        return;
    };
    let described =
        content.get(content_type).unwrap_or_else(|| panic!("{content_type} is not described: {at}"));
    if let Some(schema) = described.get("schema") {
        let mut schema = schema.clone();
        schema["components"] = description["components"].clone();
        let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
        compiler
            .add_resource("http://api/answer.json", schema)
            .unwrap_or_else(|error| panic!("{at}: {error}"));
        let schema = compiler.compile("http://api/answer.json", &mut schemas);
        let schema = schema.unwrap_or_else(|error| panic!("{at}: {error:#}"));
        if let Err(fault) = schemas.validate(&reply.json(), schema) {
            panic!("{at}\n{fault:#}");
        }
    }
    assert!(
        reply.headers.get("access-control-allow-origin").is_none()
            && reply.headers.get("set-cookie").is_none()
    );
}

/// The name of a problem; empty: it is none.
#[must_use]
pub fn problem(reply: &Reply) -> String {
    reply.json()["type"].as_str().and_then(|kind| kind.rsplit('/').next()).unwrap_or_default().to_owned()
}

/// Whether a rule is among what was found.
#[must_use]
pub fn found(reply: &Reply, rule: &str) -> bool {
    reply.json()["findings"].as_array().is_some_and(|findings| findings.iter().any(|one| one["rule"] == rule))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
    use serde_json::{Value, json};

    use super::{JSON, as_described};
    use crate::wire::Reply;

    fn held(status: StatusCode, body: &Value) {
        let schema = json!({ "$ref": "#/components/schemas/Number" });
        let answers = json!({ "200": { "content": { JSON: { "schema": schema } } } });
        let description = json!({
            "paths": { "/v1/a/{number}": { "get": { "responses": answers } } },
            "components": { "schemas": { "Number": { "type": "object", "required": ["n"], "properties": { "n": { "type": "integer" } } } } },
        });
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(JSON))]);
        let reply = Reply { status, headers, body: body.to_string().into() };
        as_described(&description, &Method::GET, "/a/7?x=1", &reply);
    }

    #[test]
    fn an_answer_as_described_passes() {
        held(StatusCode::OK, &json!({ "n": 1 }));
    }

    #[test]
    #[should_panic(expected = "GET /a/7")]
    fn an_answer_of_another_shape_does_not() {
        held(StatusCode::OK, &json!({ "n": "1" }));
    }

    #[test]
    #[should_panic(expected = "the status is not described")]
    fn nor_does_another_status() {
        held(StatusCode::CREATED, &json!({ "n": 1 }));
    }
}
