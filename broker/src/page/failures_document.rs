//! `docs/failures.md`, written from the enum and the texts, so that it cannot say anything else than the program does.

use std::fmt::Write as _;

use broker_core::{
    failure::{FailureCode, Family},
    identifier::Language,
};

use super::{
    error::{http_status, page_code},
    text::{Argument, OURS, Reader, Texts},
};

/// The document. `oidc_error` is what the relying party gets over OpenID Connect, "" where the browser stays with us.
pub(crate) fn failures_document(oidc_error: impl Fn(FailureCode) -> &'static str) -> String {
    let texts = Texts::new(&[], &mut Vec::new());
    let mut document = String::from(INTRODUCTION);
    let mut family = None;
    for code in FailureCode::ALL {
        if family != Some(code.family()) {
            family = Some(code.family());
            let _ = write!(document, "\n## {}\n", family_title(code.family()));
        }
        section(&mut document, &texts, *code, oidc_error(*code));
    }
    document
}

const INTRODUCTION: &str = "\
# Failures

Everything that can end a login badly, by who must act. The code stands on the page, in the log and in the metrics, and never changes its
meaning. The reference on a page finds the login in the log. This document is written by a test from the program's own texts
(`UPDATE_DOCS=1 cargo test -p broker failures`); change the texts in `broker/pages/text`, not here.

*The person* is what the page says, with the names of the service and the organisation in place of SERVICE and ORGANISATION. *The provider* is for
whoever runs the identity provider, *the relying party* for whoever runs or builds the service.
";

fn section(document: &mut String, texts: &Texts, code: FailureCode, oidc_error: &str) {
    // Writing to a String cannot fail.
    let _ = write!(document, "\n### `{code}`\n\n{} HTTP {}.", code.meaning(), http_status(code));
    if !oidc_error.is_empty() {
        let _ = write!(document, " OpenID Connect: `{oidc_error}`.");
    }
    if page_code(code) != code {
        let _ = write!(document, " The page shows `{}`, so that it tells a forger nothing.", page_code(code));
    }
    document.push_str("\n\n| reader | text |\n|---|---|\n");
    for (tag, _, _) in OURS {
        let Some(language) = Language::from_tag(tag) else { continue };
        let text = |reader| {
            let arguments = [
                ("service", Argument::Text("SERVICE")),
                ("organisation", Argument::Text("ORGANISATION")),
                ("chosen", Argument::Text("CHOSEN")),
            ];
            texts.failure(&language, code, reader, &arguments).replace('\n', " ").replace('|', "\\|")
        };
        let _ = write!(
            document,
            "| the person ({tag}) | **{}** {} {} |\n| the provider ({tag}) | {} |\n| the relying party ({tag}) | {} |\n",
            text(Reader::EmployeeTitle),
            text(Reader::EmployeeWhat),
            text(Reader::EmployeeNext),
            text(Reader::ProviderOperator),
            text(Reader::RelyingParty),
        );
    }
}

fn family_title(family: Family) -> &'static str {
    match family {
        Family::RelyingParty => "The relying party asked wrongly",
        Family::ProviderRefused => "The provider said no",
        Family::ProviderMisbehaved => "The provider's message breaks a rule",
        Family::ProviderUnreachable => "The provider cannot be reached or used",
        Family::Browser => "The browser lost its thread",
        Family::Policy => "A rule of the federation says no",
        Family::Broker => "We failed",
    }
}
