//! The demo's service, an OpenID Connect relying party: it signs people in over the broker and shows what it was told, and why.
//!
//! | address | what |
//! |---|---|
//! | `/` | what this is, and where to sign in |
//! | `/sign-in` | sends the browser to the broker, in one of several ways (`tries.rs`) |
//! | `/callback` | takes the answer (`provider.rs` checks it) |
//! | `/received`, `/refused` | shows it (`told.rs`), again and again: nothing there is sent twice |
//! | `/sign-out` | forgets |
//!
//! It knows the broker by its issuer alone.

mod provider;
mod told;
mod tries;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Query, State},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use certs::PrivateKey;
use http::{HeaderMap, StatusCode};
use minijinja::{Value, context};
use provider::{Begun, NotTaken, Provider, Received};
use serde::Deserialize;
pub(super) use tries::SCOPES;
use tries::{AUTHN_PROVIDER, TRIES, Try};

use super::{
    Site,
    cast::{EMPLOYERS, SERVICE},
    look::{self, Forms, House, Pages},
    memory::{Memory, random},
    texts::{Text, Tongue},
    web,
};
use crate::{moment, respond};

/// Where a login begins.
pub(super) const SIGN_IN: &str = "/sign-in";
/// The registered `redirect_uri`.
pub(super) const CALLBACK: &str = "/callback";

/// Names the browser while it has a login open.
const BROWSER: &str = "browser";
/// Names what came of the last login.
const SESSION: &str = "session";
const LOGIN_SECONDS: i64 = 1_200;
const SESSION_SECONDS: i64 = 3_600;

/// The service.
pub(super) struct RelyingParty {
    site: Site,
    broker: String,
    provider: Provider,
    open: Memory<Begun>,
    ended: Memory<Arc<Ended>>,
    pages: Arc<Pages>,
}

/// A login that ended.
struct Ended {
    way: &'static Try,
    /// The request, as sent.
    request: Vec<(String, String)>,
    outcome: Result<Received, NotTaken>,
}

impl RelyingParty {
    /// Puts it together. `issuer` is the broker's.
    pub(super) fn new(site: Site, issuer: String, key: PrivateKey, pages: Arc<Pages>) -> Self {
        Self {
            provider: Provider::new(issuer.clone(), site.at(CALLBACK), key),
            site,
            broker: issuer,
            open: Memory::new(1_000, LOGIN_SECONDS),
            ended: Memory::new(1_000, SESSION_SECONDS),
            pages,
        }
    }

    /// Its addresses.
    pub(super) fn router(self) -> Router {
        Router::new()
            .route("/", get(start))
            .route(SIGN_IN, get(sign_in))
            .route(CALLBACK, get(callback))
            .route("/received", get(received))
            .route("/refused", get(refused))
            .route("/sign-out", post(sign_out))
            .merge(look::assets())
            .with_state(Arc::new(self))
    }

    fn ended(&self, headers: &HeaderMap) -> Option<Arc<Ended>> {
        self.ended.find(&web::cookie(headers, SESSION)?, moment::now())
    }

    fn page(&self, language: Tongue, template: &str, status: StatusCode, view: Value) -> Response {
        let house = House {
            theme: "service",
            name: SERVICE.name,
            kind: Text { sv: "en tjänst från Region Norrsken", en: "a service of Region Norrsken" },
        };
        self.pages.page(&house, language, template, Forms::Home, status, view)
    }

    fn problem(
        &self,
        language: Tongue,
        status: StatusCode,
        title: Text,
        explanation: Text,
        detail: &str,
    ) -> Response {
        let view = context! {
            title => title.said(language),
            explanation => explanation.said(language),
            next_url => SIGN_IN,
            next_label => Text { sv: "Logga in på nytt", en: "Sign in again" }.said(language),
            detail,
        };
        self.page(language, "problem.html", status, view)
    }
}

type Shared = State<Arc<RelyingParty>>;

#[derive(Deserialize)]
struct Chosen {
    #[serde(default)]
    language: Option<String>,
    #[serde(default, rename = "try")]
    way: Option<String>,
}

fn tries(language: Tongue) -> Vec<Value> {
    TRIES
        .iter()
        .map(|way| context! { key => way.key, label => way.label.said(language), expect => way.expect.said(language) })
        .collect()
}

async fn start(State(service): Shared, Query(chosen): Query<Chosen>, headers: HeaderMap) -> Response {
    let language = Tongue::of(&headers, chosen.language.as_deref());
    let mut parties: Vec<Value> = EMPLOYERS
        .iter()
        .map(|employer| {
            let people: Vec<&str> = employer.employees.iter().map(|employee| employee.display_name).collect();
            context! {
                theme => employer.key,
                name => employer.name.said(language),
                kind => employer.kind.said(language),
                people => people.join(", "),
            }
        })
        .collect();
    let broker = Text {
        sv: "federationens växel, mellan arbetsgivare och tjänster",
        en: "the federation's broker, between employers and services",
    };
    parties.push(
        context! { theme => "broker", name => "Spårvidd", kind => broker.said(language), people => () },
    );
    let view = context! {
        has_received => service.ended(&headers).is_some_and(|ended| ended.outcome.is_ok()),
        parties,
        tries => tries(language).split_off(1),
    };
    let page = service.page(language, "start.html", StatusCode::OK, view);
    look::set_cookie(page, Tongue::remembered(chosen.language.as_deref()))
}

async fn sign_in(State(service): Shared, Query(chosen): Query<Chosen>, headers: HeaderMap) -> Response {
    let language = Tongue::of(&headers, None);
    let at = moment::moment();
    let way = Try::of(chosen.way.as_deref());
    let browser =
        web::cookie(&headers, BROWSER).filter(|name| name.len() == 43).unwrap_or_else(|| random(at));
    // Without a page nobody can choose an employer: name the one of the last sign-in, if there was one.
    let last = service.ended(&headers).and_then(|ended| {
        let received = ended.outcome.as_ref().ok()?;
        received.id_token.get(AUTHN_PROVIDER)?.as_str().map(str::to_owned)
    });
    let begun = Begun::new(way, browser.clone(), last.filter(|_| way.prompt == Some("none")), at);
    let state = service.open.keep(begun.clone(), at);
    match service.provider.authorization_url(&begun, &state, language.tag()).await {
        Ok(url) => {
            let cookie =
                format!("{BROWSER}={browser}; Path=/; Max-Age={LOGIN_SECONDS}; HttpOnly; SameSite=Lax");
            respond::secure(look::set_cookie(respond::see_other(&url), Some(cookie)), false)
        }
        Err(not_taken) => {
            let title = Text { sv: "Inloggningen svarar inte", en: "The sign-in does not answer" };
            let explanation = Text {
                sv: "Tjänsten når inte Spårvidd just nu. Vänta en stund och försök igen.",
                en: "The service does not reach Spårvidd just now. Wait a little and try again.",
            };
            service.problem(language, StatusCode::BAD_GATEWAY, title, explanation, &format!("{not_taken:?}"))
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    iss: Option<String>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    error_description: Option<String>,
}

async fn callback(State(service): Shared, Query(answer): Query<Answer>, headers: HeaderMap) -> Response {
    let language = Tongue::of(&headers, None);
    let at = moment::moment();
    let browser = web::cookie(&headers, BROWSER);
    let state = answer.state.clone().unwrap_or_default();
    let fits = |begun: &Begun| browser.as_deref() == Some(begun.browser.as_str());
    // Looked at before it is taken, so that another browser's answer ends nobody's login.
    if !service.open.find(&state, at.now).is_some_and(|begun| fits(&begun)) {
        // Reloaded, or come back to: what came of it is still there.
        if let Some(ended) = service.ended(&headers) {
            return respond::see_other(if ended.outcome.is_ok() { "/received" } else { "/refused" });
        }
        let title =
            Text { sv: "Den här inloggningen är redan avslutad", en: "This sign-in has ended already" };
        let explanation = Text {
            sv: "Svaret hör inte till någon inloggning som är öppen i den här webbläsaren. Logga in på nytt.",
            en: "The answer belongs to no sign-in that is open in this browser. Sign in again.",
        };
        return service.problem(language, StatusCode::BAD_REQUEST, title, explanation, "state");
    }
    let Some(begun) = service.open.take(&state, at.now) else {
        return respond::see_other("/");
    };
    let outcome = take(&service, &answer, &begun).await;
    let location = if outcome.is_ok() { "/received" } else { "/refused" };
    let request = service.provider.request(&begun, &state, language.tag());
    let session = service.ended.keep(Arc::new(Ended { way: begun.way, request, outcome }), moment::moment());
    let cookie = format!("{SESSION}={session}; Path=/; Max-Age={SESSION_SECONDS}; HttpOnly; SameSite=Lax");
    respond::secure(look::set_cookie(respond::see_other(location), Some(cookie)), false)
}

async fn take(service: &RelyingParty, answer: &Answer, begun: &Begun) -> Result<Received, NotTaken> {
    service.provider.check_issuer(answer.iss.as_deref()).await?;
    match (&answer.code, &answer.error) {
        (Some(code), None) => service.provider.redeem(code, begun).await,
        (None, Some(error)) => Err(NotTaken::Said {
            error: error.clone(),
            description: answer.error_description.clone().unwrap_or_default(),
        }),
        _ => Err(NotTaken::Fault("the answer holds neither a code nor an error, or both".to_owned())),
    }
}

async fn received(State(service): Shared, Query(chosen): Query<Chosen>, headers: HeaderMap) -> Response {
    let language = Tongue::of(&headers, chosen.language.as_deref());
    let Some(ended) = service.ended(&headers) else { return respond::see_other("/") };
    let Ok(received) = &ended.outcome else { return respond::see_other("/refused") };
    let view = context! {
        tries => tries(language),
        ..told::received(received, ended.way, &ended.request, language)
    };
    let page = service.page(language, "received.html", StatusCode::OK, view);
    look::set_cookie(page, Tongue::remembered(chosen.language.as_deref()))
}

async fn refused(State(service): Shared, Query(chosen): Query<Chosen>, headers: HeaderMap) -> Response {
    let language = Tongue::of(&headers, chosen.language.as_deref());
    let Some(ended) = service.ended(&headers) else { return respond::see_other("/") };
    let Err(not_taken) = &ended.outcome else { return respond::see_other("/received") };
    let view = context! {
        tries => tries(language),
        again => ended.way.key,
        ..told::refused(not_taken, &service.broker, language)
    };
    let page = service.page(language, "refused.html", StatusCode::OK, view);
    look::set_cookie(page, Tongue::remembered(chosen.language.as_deref()))
}

async fn sign_out(State(service): Shared, headers: HeaderMap) -> Response {
    if !look::is_from_here(&headers, &service.site.origin()) {
        return StatusCode::FORBIDDEN.into_response();
    }
    if let Some(session) = web::cookie(&headers, SESSION) {
        let _ = service.ended.take(&session, moment::now());
    }
    look::set_cookie(respond::see_other("/"), Some(format!("{SESSION}=; Path=/; Max-Age=0")))
}
