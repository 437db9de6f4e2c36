//! The table of operations as an OpenAPI 3.1 document. Its schemas are JSON Schema 2020-12, made from the types that are answered with.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use broker_core::subject::SubjectSource;
use metadata::lint::Profile;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::{
    operation::{ALL, Content, Needs, Operation, Takes, Within},
    problem::{Kind, ProblemDocument},
};

/// Media types that a SAML metadata file is taken as.
pub(super) const XML: &[&str] = &["application/samlmetadata+xml", "application/xml", "text/xml"];
/// The one that client metadata is taken as.
pub(super) const JSON: &str = "application/json";

/// The names of profiles that a file can be judged by.
pub(super) fn profiles() -> Value {
    let names: Vec<_> = Profile::ALL.iter().map(|profile| profile.name()).collect();
    json!({ "type": "array", "maxItems": names.len(), "items": { "type": "string", "enum": names } })
}

/// The sources that can be chosen for a provider that joins.
pub(super) fn subject_sources() -> Value {
    let keys: Vec<_> = sources().map(SubjectSource::key).collect();
    json!({ "type": "string", "enum": keys })
}

/// Those of SAML.
pub(super) fn sources() -> impl Iterator<Item = SubjectSource> {
    SubjectSource::ALL.iter().copied().filter(|source| *source != SubjectSource::OidcSub)
}

/// The names of kinds of problems.
pub(super) fn problem_names() -> Value {
    let names: Vec<_> = Kind::ALL.iter().map(|kind| kind.name).collect();
    json!({ "type": "string", "enum": names })
}

/// Problems that any operation can have, by what it needs.
pub(super) fn problems_of(operation: &Operation) -> Vec<Kind> {
    let mut kinds = vec![Kind::PARAMETER, Kind::INTERNAL, Kind::BUSY];
    if operation.needs != Needs::Nothing {
        kinds.extend([
            Kind::TOKEN_MISSING,
            Kind::TOKEN_UNKNOWN,
            Kind::TOKEN_EXPIRED,
            Kind::TOKEN_REVOKED,
            Kind::TOO_MANY,
        ]);
    }
    if operation.needs == Needs::Publish {
        kinds.push(Kind::RIGHT);
    }
    kinds.extend(operation.problems);
    kinds
}

/// The document for a broker of this address.
pub(super) fn document(issuer: &str) -> String {
    static WITHOUT_ADDRESS: LazyLock<Value> = LazyLock::new(made);
    let mut document = WITHOUT_ADDRESS.clone();
    if let Some(members) = document.as_object_mut() {
        members.insert("servers".to_owned(), json!([{ "url": format!("{issuer}/api") }]));
    }
    document.to_string()
}

fn made() -> Value {
    let mut generator = SchemaSettings::draft2020_12()
        .with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        })
        .for_serialize()
        .into_generator();
    let problem = generator.subschema_for::<ProblemDocument>();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for operation in ALL {
        let mut answers = Map::new();
        for given in operation.gives {
            let content = match &given.content {
                Content::Nothing => None,
                Content::Json(schema) => Some(json!({ JSON: { "schema": schema(&mut generator) } })),
                Content::Document(types) => {
                    let types =
                        types.iter().map(|name| ((*name).to_owned(), json!({}))).collect::<Map<_, _>>();
                    Some(Value::Object(types))
                }
            };
            let mut answer = json!({ "description": given.description });
            put(&mut answer, "content", content);
            let headers = given.headers.iter().map(|(name, meaning)| {
                ((*name).to_owned(), json!({ "description": meaning, "schema": { "type": "string" } }))
            });
            let headers: Map<_, _> = headers.collect();
            put(&mut answer, "headers", (!headers.is_empty()).then_some(Value::Object(headers)));
            answers.insert(given.status.to_string(), answer);
        }
        let mut by_status: BTreeMap<u16, BTreeSet<&str>> = BTreeMap::new();
        for kind in problems_of(operation) {
            by_status.entry(kind.status).or_default().insert(kind.name);
        }
        for (status, names) in by_status {
            let named = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let answer = json!({
                "description": format!("A problem of the kind {named}."),
                "content": { "application/problem+json": { "schema": problem.clone() } },
            });
            answers.insert(status.to_string(), answer);
        }
        let mut described = json!({
            "operationId": operation.id,
            "summary": operation.summary,
            "description": operation.description,
            "parameters": parameters(operation),
            "responses": answers,
        });
        let body = match operation.takes {
            Takes::Nothing => None,
            Takes::Json(schema) => Some(json!({
                "required": true,
                "content": { JSON: { "schema": schema(&mut generator) } },
            })),
            Takes::Metadata => Some(metadata_body()),
        };
        put(&mut described, "requestBody", body);
        let security = if operation.needs == Needs::Nothing { json!([]) } else { json!([{ "token": [] }]) };
        put(&mut described, "security", Some(security));
        paths
            .entry(operation.path)
            .or_default()
            .insert(operation.method().as_str().to_ascii_lowercase(), described);
    }
    json!({
        "openapi": "3.1.1",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "Spårvidd: the API for operators",
            "version": "1",
            "description": "Metadata of identity providers and relying parties, judged, proposed, approved by another person, and published. Errors are application/problem+json (RFC 9457), in Swedish or English by Accept-Language. Each has a reference that finds the request in the broker's log.",
        },
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "spv_ID_SECRET",
                    "description": "A token that the federation operator gives out (sparvidd token issue). It speaks for one organisation, has the right propose or publish, expires, and can be revoked.",
                },
            },
        },
    })
}

fn parameters(operation: &Operation) -> Vec<Value> {
    let one = |parameter: &super::operation::Parameter| {
        let within = match parameter.within {
            Within::Path => "path",
            Within::Query => "query",
            Within::Header => "header",
        };
        let schema = (parameter.schema)();
        let example = match schema.get("type").and_then(Value::as_str) {
            Some("integer" | "boolean") => parameter.example.parse().unwrap_or(Value::Null),
            Some("array") => json!([parameter.example]),
            _ => json!(parameter.example),
        };
        json!({
            "name": parameter.name,
            "in": within,
            "required": parameter.within == Within::Path,
            "description": parameter.description,
            "schema": schema,
            "example": example,
        })
    };
    operation.parameters.iter().map(one).collect()
}

fn metadata_body() -> Value {
    let mut content: Map<String, Value> = XML
        .iter()
        .map(|name| ((*name).to_owned(), json!({ "schema": { "type": "string", "minLength": 1 } })))
        .collect();
    let client = json!({
        "schema": { "type": "object" },
        "example": {
            "client_id": "journal",
            "client_name": "Journal",
            "redirect_uris": ["https://journal.granvik.example/callback"],
            "token_endpoint_auth_method": "client_secret_basic",
            "scope": "openid",
        },
    });
    content.insert(JSON.to_owned(), client);
    json!({
        "required": true,
        "description": "The file, as it is: no multipart, no compression.",
        "content": content,
    })
}

fn put(object: &mut Value, name: &str, value: Option<Value>) {
    if let (Some(members), Some(value)) = (object.as_object_mut(), value) {
        members.insert(name.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::{ALL, Kind, document, problems_of};

    fn described() -> Value {
        serde_json::from_str(&document("https://login.example")).expect("JSON")
    }

    #[test]
    fn every_operation_is_described_once_by_a_name_of_its_own() {
        let described = described();
        let mut names = BTreeSet::new();
        for operation in ALL {
            let method = operation.method().as_str().to_ascii_lowercase();
            let found = &described["paths"][operation.path][&method];
            assert_eq!(found["operationId"], operation.id);
            assert!(names.insert(operation.id), "{}", operation.id);
            for (status, answer) in found["responses"].as_object().expect("answers") {
                assert!(answer["description"].as_str().is_some_and(|text| text.len() > 2), "{status}");
            }
        }
        assert_eq!(described["servers"][0]["url"], "https://login.example/api");
    }

    #[test]
    fn every_parameter_of_a_path_is_declared() {
        for operation in ALL {
            let in_path: Vec<&str> = operation
                .path
                .split('/')
                .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
                .collect();
            for name in in_path {
                assert!(operation.parameters.iter().any(|parameter| parameter.name == name), "{name}");
            }
        }
    }

    #[test]
    fn every_kind_of_problem_belongs_to_an_operation_or_to_no_address() {
        let told: BTreeSet<&str> = ALL.iter().flat_map(problems_of).map(|kind| kind.name).collect();
        let untold: Vec<&str> =
            Kind::ALL.iter().map(|kind| kind.name).filter(|name| !told.contains(name)).collect();
        assert_eq!(untold, ["method-not-allowed"]);
    }

    #[test]
    fn every_reference_leads_to_a_schema() {
        let text = document("https://login.example");
        let described = described();
        let mut rest = text.as_str();
        while let Some((_, after)) = rest.split_once("\"$ref\":\"") {
            let (reference, after) = after.split_once('"').expect("an end");
            let pointer = reference.strip_prefix('#').expect("within the document");
            assert!(described.pointer(pointer).is_some(), "{reference}");
            rest = after;
        }
    }
}
