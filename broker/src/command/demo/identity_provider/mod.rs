//! An employer's identity provider, as its staff meet it: SAML 2.0 Web Browser SSO (SAML Profiles 4.1).
//!
//! | address | what |
//! |---|---|
//! | `/metadata` | its metadata, as registered |
//! | `/sso` | takes the broker's signed AuthnRequest, over HTTP-Redirect or HTTP-POST |
//! | `/sign-in/HANDLE` | asks who one is, and answers with a self-posting form |
//! | `/` | what this is; sign out |
//!
//! What it is asked (`request.rs`) and what it answers (`answer.rs`) are each a file; here are the addresses and the session. It knows
//! the broker by its published metadata alone. Neighbours: `broker_saml::idp` reads and writes the messages.

mod answer;
mod request;

use std::sync::Arc;

use axum::{
    Form, Router,
    extract::{DefaultBodyLimit, Path, Query, RawQuery, State},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use broker_core::{
    moment::Timestamp,
    role::{Inbound, Outbound},
};
use bytes::Bytes;
use certs::{
    PrivateKey,
    mac::{MacKey, Secret},
};
use http::{HeaderMap, StatusCode, header};
use minijinja::context;
use serde::Deserialize;

pub(super) use answer::offered;
use request::Asked;
pub(super) use request::BrokerMetadata;

use super::{
    Site,
    cast::{Employee, Employer, SERVICE},
    look::{self, Forms, House, Pages},
    memory::Memory,
    texts::{Text, Tongue},
    web,
};
use crate::{moment, respond};

/// Its entity ID and the address of its metadata.
pub(super) const METADATA: &str = "/metadata";
/// Where requests go.
pub(super) const SIGN_ON: &str = "/sso";

const SESSION: &str = "session";
/// How long a sign-in at the employer lasts, seconds (Sweden Connect, Tekniska anslutningsregler 2.2: at most 60 minutes).
const SESSION_SECONDS: i64 = 3600;
/// How long somebody may think about who they are, seconds.
const PATIENCE_SECONDS: i64 = 900;
/// A posted form is no larger, in octets: a message of 256 KiB, escaped at worst.
const LARGEST_FORM: usize = 512 * 1024;

/// One employer's identity provider.
pub(super) struct IdentityProvider {
    employer: &'static Employer,
    site: Site,
    key: PrivateKey,
    metadata: Vec<u8>,
    broker: BrokerMetadata,
    /// Makes the persistent identifiers, which must last as long as the demo runs.
    pseudonyms: MacKey,
    asked: Memory<Asked>,
    sessions: Memory<Session>,
    pages: Arc<Pages>,
    service_url: String,
}

/// Somebody who has signed in here.
#[derive(Debug, Clone, Copy)]
struct Session {
    employee: &'static Employee,
    since: Timestamp,
}

impl IdentityProvider {
    /// Puts one together.
    pub(super) fn new(
        employer: &'static Employer,
        site: Site,
        key: PrivateKey,
        metadata: Vec<u8>,
        broker: BrokerMetadata,
        pages: Arc<Pages>,
        service_url: String,
    ) -> Self {
        Self {
            employer,
            site,
            key,
            metadata,
            broker,
            pseudonyms: Secret::from_octets(moment::moment().random::<32>()).mac_key("demo pseudonym"),
            asked: Memory::new(1_000, PATIENCE_SECONDS),
            sessions: Memory::new(1_000, SESSION_SECONDS),
            pages,
            service_url,
        }
    }

    /// Its addresses.
    pub(super) fn router(self) -> Router {
        Router::new()
            .route("/", get(home))
            .route(METADATA, get(metadata))
            .route(SIGN_ON, get(asked_by_redirect).post(asked_by_post))
            .route("/sign-in/{handle}", get(sign_in).post(signed_in))
            .route("/sign-out", post(sign_out))
            .merge(look::assets())
            .layer(DefaultBodyLimit::max(LARGEST_FORM))
            .with_state(Arc::new(self))
    }

    fn entity_id(&self) -> String {
        self.site.at(METADATA)
    }

    fn house(&self) -> House {
        House {
            theme: self.employer.key,
            name: self.employer.name,
            kind: Text { sv: "inloggning för anställda", en: "sign-in for staff" },
        }
    }

    fn session(&self, headers: &HeaderMap) -> Option<Session> {
        self.sessions.find(&web::cookie(headers, SESSION)?, moment::now())
    }

    fn page(&self, language: Tongue, template: &str, forms: Forms, view: minijinja::Value) -> Response {
        self.pages.page(&self.house(), language, template, forms, StatusCode::OK, view)
    }

    fn problem(&self, language: Tongue, status: StatusCode, said: (Text, Text), detail: &str) -> Response {
        let view = context! {
            title => said.0.said(language),
            explanation => said.1.said(language),
            next_url => &self.service_url,
            next_label => Text { sv: "Börja om i tjänsten", en: "Start again at the service" }.said(language),
            detail,
        };
        self.pages.page(&self.house(), language, "problem.html", Forms::Home, status, view)
    }

    /// The page that posts an answer to the broker.
    fn onward(&self, language: Tongue, answer: Result<Outbound, String>) -> Response {
        match answer {
            Ok(Outbound::Post { action, fields }) => {
                let fields: Vec<_> =
                    fields.into_iter().map(|(name, value)| context! { name, value }).collect();
                self.page(language, "onward.html", Forms::Away, context! { action, fields })
            }
            Ok(Outbound::Redirect { url }) => respond::see_other(&url),
            Err(detail) => {
                tracing::error!(employer = self.employer.key, detail, "an answer could not be written");
                self.problem(language, StatusCode::INTERNAL_SERVER_ERROR, NO_ANSWER, &detail)
            }
        }
    }
}

const NO_ANSWER: (Text, Text) = (
    Text { sv: "Svaret kunde inte skrivas", en: "The answer could not be written" },
    Text {
        sv: "Inget har skickats. Börja om i tjänsten.",
        en: "Nothing was sent. Start again at the service.",
    },
);
const BAD_REQUEST: (Text, Text) = (
    Text { sv: "Vi förstår inte frågan", en: "We do not understand the request" },
    Text {
        sv: "Den som skickade dig hit gjorde det på ett sätt som vi inte godtar. Inget har skickats tillbaka.",
        en: "Whoever sent you here did so in a way that we do not accept. Nothing was sent back.",
    },
);
const TOO_LATE: (Text, Text) = (
    Text { sv: "Den här inloggningen är redan avslutad", en: "This sign-in has ended already" },
    Text {
        sv: "Du har redan svarat, eller så gick det för lång tid. Börja om i tjänsten.",
        en: "You have answered already, or too much time went by. Start again at the service.",
    },
);

type Shared = State<Arc<IdentityProvider>>;

#[derive(Deserialize)]
struct Chosen {
    #[serde(default)]
    language: Option<String>,
}

async fn home(State(idp): Shared, Query(chosen): Query<Chosen>, headers: HeaderMap) -> Response {
    let language = Tongue::of(&headers, chosen.language.as_deref());
    let view = context! {
        service_url => &idp.service_url,
        service_name => SERVICE.name.said(language),
        signed_in => idp.session(&headers).map(|session| session.employee.display_name),
    };
    let page = idp.page(language, "employer.html", Forms::Home, view);
    look::set_cookie(page, Tongue::remembered(chosen.language.as_deref()))
}

async fn metadata(State(idp): Shared) -> Response {
    respond::secure(respond::document("application/samlmetadata+xml", idp.metadata.clone(), 60), false)
}

async fn asked_by_redirect(State(idp): Shared, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    take_request(&idp, &Inbound { query, ..Inbound::default() }, &headers).await
}

async fn asked_by_post(State(idp): Shared, headers: HeaderMap, form: Bytes) -> Response {
    take_request(&idp, &Inbound { form: Some(form.to_vec()), ..Inbound::default() }, &headers).await
}

/// The person is asked at an address of its own: a GET that our session cookie comes along to, also after a cross-site POST.
async fn take_request(idp: &IdentityProvider, message: &Inbound, headers: &HeaderMap) -> Response {
    match request::read(message, &idp.broker, &idp.site.at(SIGN_ON), moment::now()).await {
        Ok(asked) => {
            let handle = idp.asked.keep(asked, moment::moment());
            respond::secure(respond::see_other(&format!("/sign-in/{handle}")), false)
        }
        Err(refused) => {
            tracing::warn!(employer = idp.employer.key, %refused, "a request was refused");
            idp.problem(Tongue::of(headers, None), StatusCode::BAD_REQUEST, BAD_REQUEST, &refused.to_string())
        }
    }
}

async fn sign_in(
    State(idp): Shared,
    Path(handle): Path<String>,
    Query(chosen): Query<Chosen>,
    headers: HeaderMap,
) -> Response {
    let language = Tongue::of(&headers, chosen.language.as_deref());
    let Some(asked) = idp.asked.find(&handle, moment::now()) else {
        return idp.problem(language, StatusCode::GONE, TOO_LATE, "");
    };
    // ForceAuthn: an earlier sign-in does not count (SAML Core 3.4.1).
    let session = idp.session(&headers).filter(|_| !asked.force_authn);
    if asked.is_passive {
        // IsPassive: nothing may be shown (SAML Core 3.4.1).
        let _ = idp.asked.take(&handle, moment::now());
        let answer = match session {
            Some(session) => idp.assertion(&asked, session.employee, session.since, moment::moment()),
            None => idp.refusal(&asked, answer::Refusal::NoPassive, moment::moment()),
        };
        return idp.onward(language, answer);
    }
    let people: Vec<_> = idp
        .employer
        .employees
        .iter()
        .map(|employee| {
            context! {
                id => employee.id,
                name => employee.display_name,
                initials => initials(employee),
                role => employee.role.said(language),
                remark => employee.remark.map(|remark| remark.said(language)),
                reaches => asked.accepts(employee.level),
            }
        })
        .collect();
    let view = context! {
        handle,
        people,
        force => asked.force_authn,
        signed_in => session.map(|session| session.employee.display_name),
        asker => asked.asker.said(language),
    };
    let page = idp.page(language, "sign_in.html", Forms::Home, view);
    look::set_cookie(page, Tongue::remembered(chosen.language.as_deref()))
}

fn initials(employee: &Employee) -> String {
    employee.display_name.split_whitespace().filter_map(|word| word.chars().next()).take(2).collect()
}

#[derive(Deserialize)]
struct SignInForm {
    #[serde(default)]
    employee: Option<String>,
    #[serde(default)]
    answer: Option<String>,
}

async fn signed_in(
    State(idp): Shared,
    Path(handle): Path<String>,
    headers: HeaderMap,
    Form(form): Form<SignInForm>,
) -> Response {
    let language = Tongue::of(&headers, None);
    if !look::is_from_here(&headers, &idp.site.origin()) {
        return idp.problem(
            language,
            StatusCode::FORBIDDEN,
            BAD_REQUEST,
            "the form was posted from another site",
        );
    }
    let at = moment::moment();
    let picked = match (form.answer.as_deref(), form.employee.as_deref()) {
        (Some("cancel"), _) => Picked::Cancel,
        (Some("continue"), _) => match idp.session(&headers) {
            Some(session) => Picked::Continue(session),
            None => return respond::see_other(&format!("/sign-in/{handle}")),
        },
        (None, Some(id)) => match idp.employer.employees.iter().find(|employee| employee.id == id) {
            Some(employee) => Picked::New(Session { employee, since: at.now }),
            None => {
                return idp.problem(
                    language,
                    StatusCode::BAD_REQUEST,
                    BAD_REQUEST,
                    "nobody of that name works here",
                );
            }
        },
        _ => return idp.problem(language, StatusCode::BAD_REQUEST, BAD_REQUEST, "the form names nobody"),
    };
    let Some(asked) = idp.asked.take(&handle, at.now) else {
        return idp.problem(language, StatusCode::GONE, TOO_LATE, "");
    };
    match picked {
        Picked::Cancel => idp.onward(language, idp.refusal(&asked, answer::Refusal::Cancelled, at)),
        // The page did not offer it, since the request forbids it.
        Picked::Continue(_) if asked.force_authn => {
            idp.onward(language, idp.refusal(&asked, answer::Refusal::NotAnew, at))
        }
        Picked::Continue(session) => {
            idp.onward(language, idp.assertion(&asked, session.employee, session.since, at))
        }
        Picked::New(session) => {
            let cookie = idp.sessions.keep(session, at);
            let page = idp.onward(language, idp.assertion(&asked, session.employee, session.since, at));
            let cookie =
                format!("{SESSION}={cookie}; Path=/; Max-Age={SESSION_SECONDS}; HttpOnly; SameSite=Lax");
            look::set_cookie(page, Some(cookie))
        }
    }
}

enum Picked {
    Cancel,
    Continue(Session),
    New(Session),
}

async fn sign_out(State(idp): Shared, headers: HeaderMap) -> Response {
    if !look::is_from_here(&headers, &idp.site.origin()) {
        return StatusCode::FORBIDDEN.into_response();
    }
    if let Some(session) = web::cookie(&headers, SESSION) {
        let _ = idp.sessions.take(&session, moment::now());
    }
    let mut response = respond::see_other("/");
    if let Ok(expired) = format!("{SESSION}=; Path=/; Max-Age=0").parse() {
        response.headers_mut().append(header::SET_COOKIE, expired);
    }
    response
}
