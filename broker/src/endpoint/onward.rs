//! The ways on from an endpoint: a redirect, a form that posts itself, a page that goes on.

use axum::response::Response;
use broker_core::{
    failure::{Failure, FailureCode},
    identifier::Language,
    login::Context,
    role::Outbound,
};
use http::StatusCode;

use super::failure;
use crate::{
    drive::{Step, Trouble},
    page::{Field, OnwardView, PostFormView},
    respond,
};

/// To a provider, or to whom `name` names. A page that goes on instead of a redirect after a form of ours: Chromium applies that form's `form-action`
/// to every redirect that follows it.
pub(crate) fn outbound(step: &Step<'_>, outbound: &Outbound, language: &Language, name: &str) -> Response {
    match outbound {
        Outbound::Redirect { url } if step.after_form => {
            match step.node.pages.onward(language, &OnwardView { href: url, destination_name: name }) {
                Ok(page) => respond::html(StatusCode::OK, page),
                Err(refused) => unsafe_address(step, &refused),
            }
        }
        Outbound::Redirect { url } => respond::see_other(url),
        Outbound::Post { action, fields } => post(step, action, fields, language, name),
    }
}

/// Back to the relying party.
pub(crate) fn answered(step: &Step<'_>, answer: &Outbound, context: &Context) -> Response {
    let language = &context.language;
    let name = step.relying_party_name(&context.request.relying_party, language);
    outbound(step, answer, language, &name)
}

fn post(
    step: &Step<'_>,
    action: &str,
    fields: &[(String, String)],
    language: &Language,
    name: &str,
) -> Response {
    let fields: Vec<Field> =
        fields.iter().map(|(name, value)| Field { name: name.clone(), value: value.clone() }).collect();
    match step
        .node
        .pages
        .post_form(language, &PostFormView { action, fields: &fields, destination_name: name })
    {
        Ok(page) => respond::html(StatusCode::OK, page),
        Err(refused) => unsafe_address(step, &refused),
    }
}

/// A registered address that no page may lead to: metadata is refused for such, so this is a fault of ours, with a page of its own.
fn unsafe_address(step: &Step<'_>, refused: &dyn std::fmt::Display) -> Response {
    let failure =
        Failure::new(FailureCode::Internal, format!("a registered address cannot be used: {refused}"));
    failure::respond(step.node, &step.headers, Trouble::new(failure))
}
