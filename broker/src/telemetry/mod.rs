//! The log: one line per login that ended, and what an operator needs to know between them. No line has personal data.

use broker_core::{
    attribute::AttributeName,
    audit::{AuditLine, AuditOutcome},
    identifier::ProviderId,
    login::{Context, Login, Released},
};
use tracing_subscriber::{EnvFilter, fmt};

use crate::config::LogFormat;

/// Starts the log on standard error. `RUST_LOG` narrows or widens it.
pub(crate) fn start(format: LogFormat, default: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // A second start (tests) keeps the first.
    let _ = match format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}

/// Writes a login's line.
pub(crate) fn audit(line: &AuditLine) {
    let reference = line.reference.as_str();
    let relying_party = line.relying_party.as_ref().map_or("", |id| id.as_str());
    let provider = line.provider.as_ref().map_or("", |id| id.as_str());
    let organisation = line.organisation.as_ref().map_or("", |number| number.as_str());
    match line.outcome {
        AuditOutcome::SignedIn => tracing::info!(
            reference,
            outcome = "signed_in",
            relying_party,
            provider,
            organisation,
            released = line.released.join(" "),
            dropped = line.dropped.join(" "),
            dropped_by_connection = line.not_agreed.join(" "),
            assurance = line.assurance.as_deref().unwrap_or(""),
            "login"
        ),
        AuditOutcome::Refused => tracing::warn!(
            reference,
            outcome = "refused",
            code = line.code.map_or("", |code| code.as_str()),
            cause = line.cause.as_deref().unwrap_or(""),
            relying_party,
            provider,
            organisation,
            "login"
        ),
    }
}

/// Writes that a provider is asked once more, without the levels that it refused: the login has not ended, and has its line when it does.
pub(crate) fn asked_again(context: &Context, provider: &ProviderId, cause: &str) {
    tracing::info!(
        reference = context.reference.as_str(),
        relying_party = context.request.relying_party.as_str(),
        provider = provider.as_str(),
        cause,
        "asked again without levels"
    );
}

/// Writes the line of a login whose answer left.
pub(crate) fn signed_in(login: &Login<Released>) {
    let identity = login.state().identity();
    audit(&AuditLine {
        reference: login.context().reference.clone(),
        outcome: AuditOutcome::SignedIn,
        code: None,
        cause: None,
        relying_party: Some(login.context().request.relying_party.clone()),
        provider: Some(identity.provider.clone()),
        organisation: Some(identity.organisation.clone()),
        released: identity.attributes.names().map(AttributeName::key).collect(),
        dropped: identity.dropped.iter().map(|name| name.key()).collect(),
        not_agreed: identity.not_agreed.iter().map(|name| name.key()).collect(),
        assurance: identity.assurance.as_ref().map(ToString::to_string),
    });
}
