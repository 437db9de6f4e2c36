//! One of each page, filled with fictional names: drawn once at start in every language to prove what an operator replaced, and by the
//! tests and whoever wants to look at the pages.

use broker_core::{
    attribute::AttributeName,
    failure::FailureCode,
    identifier::{Language, Reference},
    moment::Timestamp,
    organisation::{Logo, SupportContact},
    user_message::{MessageText, UserMessage},
};
use minijinja::Error;

use super::{
    ChoiceRow, ChoiceView, ErrorView, Field, Html, MessageView, NoticeView, OnwardView, Pages, PostFormView,
    StartLink, StartView, ViewRow, operator_sample,
};

const SERVICE: &str = "Vårdplaneringen";
const EMPLOYER: &str = "Granviks kommun";

/// Every page, with the name of its template and, where there are several of one kind, a suffix after a space.
pub(super) fn every_page(pages: &Pages, language: &Language) -> Vec<(&'static str, Result<Html, Error>)> {
    let mut all = vec![
        ("choice", choice(pages, language, "", true)),
        ("choice", choice(pages, language, "xyzzy", false)),
        ("notice", notice(pages, language, true)),
        ("notice", notice(pages, language, false)),
        (
            "post_form",
            pages.try_post_form(
                language,
                &PostFormView {
                    action: "https://idp.granvik.example/sso",
                    fields: &[field("SAMLRequest", "PHNhbWw+")],
                    destination_name: EMPLOYER,
                },
            ),
        ),
        (
            "onward",
            pages.try_onward(
                language,
                &OnwardView { href: "https://vard.example/cb?code=x", destination_name: SERVICE },
            ),
        ),
        ("error", error(pages, language, FailureCode::SignatureInvalid, true)),
        ("error", error(pages, language, FailureCode::LoginUnknown, false)),
        ("error", elsewhere(pages, language)),
        (
            "start",
            pages.try_start(
                language,
                &StartView {
                    links: &[
                        (StartLink::SamlMetadata, "/saml/metadata"),
                        (StartLink::OpenIdConfiguration, "/.well-known/openid-configuration"),
                        (StartLink::Keys, "/oidc/jwks"),
                    ],
                    service_providers: &[(
                        "personal-number".to_owned(),
                        "/saml/personal-number/metadata".to_owned(),
                    )],
                },
            ),
        ),
        ("not_found", pages.try_not_found(language)),
    ];
    all.extend(operator_sample::every_page(pages, language, EMPLOYER));
    all
}

fn field(name: &str, value: &str) -> Field {
    Field { name: name.to_owned(), value: value.to_owned() }
}

fn message() -> UserMessage {
    let text = |words| MessageText::new(words).expect("a text that may be shown");
    let english = Language::from_tag("en")
        .into_iter()
        .map(|tag| (tag, text("You are about to sign 2 plans.\nTake your time.")));
    UserMessage::new(Some(text("Du ska signera 2 planer.\nTa god tid på dig.")), english.collect())
        .expect("a message")
}

fn choice(pages: &Pages, language: &Language, query: &str, found: bool) -> Result<Html, Error> {
    let names = [
        (EMPLOYER, "Granvik municipality"),
        ("Myndigheten för tillsyn", "Supervision Agency"),
        ("Region Norrån", "Norrån Region"),
    ];
    let rows: Vec<ChoiceRow> = names
        .iter()
        .filter(|_| found)
        .map(|(name, other)| ChoiceRow {
            name: (*name).to_owned(),
            other_names: vec![(*other).to_owned()],
            href: "/choice/granvik".to_owned(),
            logo: (*name == EMPLOYER).then(|| Logo { document: "0".repeat(64), width: 160, height: 160 }),
        })
        .collect();
    let message = message();
    let view = ChoiceView {
        relying_party: SERVICE,
        message: found.then_some(MessageView { message: &message }),
        organisations: &rows,
        query,
        total: rows.len(),
        search_action: "/choice",
        hidden: &[field("login", "7")],
        all_href: "/choice?login=7",
        cancel_href: "/choice/cancel",
    };
    pages.try_choice(language, &view)
}

fn notice(pages: &Pages, language: &Language, full: bool) -> Result<Html, Error> {
    let rows: Vec<ViewRow> = [
        (AttributeName::DisplayName, "Alva Lindgren", true),
        (AttributeName::Mail, "alva.lindgren@granvik.example", false),
        (AttributeName::OrganisationName, EMPLOYER, true),
        (AttributeName::OrgAffiliation, "al0412@2021006883", true),
    ]
    .into_iter()
    .filter(|_| full)
    .map(|(name, value, essential)| ViewRow { name, values: vec![value.to_owned()], essential })
    .collect();
    let message = message();
    let view = NoticeView {
        relying_party: SERVICE,
        relying_party_organisation: full.then_some("Region Norrån"),
        message: full.then_some(MessageView { message: &message }),
        organisation: EMPLOYER,
        rows: &rows,
        privacy_url: full.then_some("https://vard.example/privacy"),
        action: "/notice",
        hidden: &[field("login", "7")],
    };
    pages.try_notice(language, &view)
}

fn error(pages: &Pages, language: &Language, code: FailureCode, named: bool) -> Result<Html, Error> {
    let support = SupportContact {
        email: Some("servicedesk@granvik.example".to_owned()),
        telephone: Some("0123-45 67 89".to_owned()),
        url: None,
    };
    let reference = Reference::from_random([19, 7, 22, 15, 2, 9, 20, 29, 4, 25]);
    let view = ErrorView {
        code,
        reference: &reference,
        relying_party: named.then_some(SERVICE),
        organisation: named.then_some(EMPLOYER),
        support: named.then_some(&support),
        chosen: None,
        onward: None,
        restart: named.then_some("https://vard.example/login"),
        answers: false,
        at: Timestamp(1_795_336_200),
    };
    pages.try_error(language, &view)
}

/// The person belongs to another organisation than the chosen one.
fn elsewhere(pages: &Pages, language: &Language) -> Result<Html, Error> {
    let reference = Reference::from_random([19, 7, 22, 15, 2, 9, 20, 29, 4, 25]);
    let view = ErrorView {
        code: FailureCode::OrganisationNotChosen,
        reference: &reference,
        relying_party: Some(SERVICE),
        organisation: Some(EMPLOYER),
        support: None,
        chosen: Some("Region Norrån"),
        onward: Some("/login/granvik/choose"),
        restart: Some("https://vard.example/login"),
        answers: false,
        at: Timestamp(1_795_336_200),
    };
    pages.try_error(language, &view)
}
