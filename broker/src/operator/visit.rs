//! Who is here. The cookie names the invitation and carries the browser's own secret, of which the desk keeps a keyed hash; when it was last used stands
//! in it under a MAC, so that a place that nobody uses closes. The desk is read at each request: a revoked invitation opens nothing from then on.

use axum::{body::Body, extract::Request, response::Response};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use broker_core::{
    identifier::{Language, Reference},
    moment::Timestamp,
};
use broker_store::record::Handle;
use certs::MacKey;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use metadata::{
    desk::{Desk, Invitation, NotOpened},
    lint::Tongue,
};

use crate::{
    desk::DeskFailed,
    endpoint::notice::from_own_page,
    moment,
    page::{OperatorMessage, OperatorPage},
    respond, server,
    wiring::Node,
};

/// How long a place stays open in which nothing is done.
const IDLE_SECONDS: i64 = 8 * 3600;
/// How old the time in the cookie may be before it is written anew.
const RENEWED_SECONDS: i64 = 300;
/// The largest form without a file, in octets.
const LARGEST_FORM: usize = 16 * 1024;

/// What a browser brings along.
#[derive(Clone)]
pub(super) struct Cookie {
    invitation: String,
    secret: Handle,
    /// When it was last used; `None`: that is not authentic.
    used: Option<Timestamp>,
}

/// Somebody whose place is open.
pub(super) struct Visit {
    /// By which invitation.
    pub(super) invitation: Invitation,
    /// What lies on the desk.
    pub(super) desk: Desk,
    /// In which language.
    pub(super) language: Language,
    cookie: Cookie,
    now: Timestamp,
}

/// A page instead of what was asked for.
pub(super) type Instead = Box<Response>;

impl Cookie {
    /// A new one for an invitation.
    pub(super) fn new(invitation: &str) -> Self {
        Self { invitation: invitation.to_owned(), secret: Handle::new(moment::moment()), used: None }
    }

    /// The one that a request carries.
    pub(super) fn of(node: &Node, headers: &HeaderMap) -> Option<Self> {
        let wanted = name(node);
        let pairs = headers
            .get_all(header::COOKIE)
            .iter()
            .flat_map(|value| value.as_bytes().split(|octet| *octet == b';'));
        let value = pairs
            .filter_map(|pair| std::str::from_utf8(pair).ok()?.trim().split_once('='))
            .find_map(|(name, value)| (name == wanted).then_some(value))?;
        let mut parts = value.split('.');
        let (invitation, secret, used, mac) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let mut cookie =
            Self { invitation: invitation.to_owned(), secret: Handle::parse(secret)?, used: None };
        let used = used.parse().ok().map(Timestamp);
        let mac = URL_SAFE_NO_PAD.decode(mac).ok();
        if let (Some(used), Some(mac)) = (used, mac)
            && key(node).verify(&cookie.said(used), &mac).is_ok()
        {
            cookie.used = Some(used);
        }
        Some(cookie)
    }

    /// For which invitation.
    pub(super) fn invitation(&self) -> &str {
        &self.invitation
    }

    /// The browser's own secret.
    pub(super) fn secret(&self) -> &Handle {
        &self.secret
    }

    fn said(&self, used: Timestamp) -> Vec<u8> {
        format!("{}.{}.{}", self.invitation, self.secret.as_str(), used.0).into_bytes()
    }

    /// The header that sets it, used `now`, until the invitation ends.
    pub(super) fn set(&self, node: &Node, now: Timestamp, ends: Timestamp) -> Option<HeaderValue> {
        let said = String::from_utf8(self.said(now)).ok()?;
        let mac = URL_SAFE_NO_PAD.encode(key(node).mac(said.as_bytes()));
        let seconds = ends.since(now).max(0);
        cookie_header(node, &format!("{said}.{mac}"), seconds)
    }
}

/// The header that takes the cookie away.
pub(super) fn forgotten(node: &Node) -> Option<HeaderValue> {
    cookie_header(node, "", 0)
}

fn cookie_header(node: &Node, value: &str, seconds: i64) -> Option<HeaderValue> {
    let secure = if node.config.is_https() { "; Secure" } else { "" };
    let text = format!("{}={value}; Path=/; Max-Age={seconds}{secure}; HttpOnly; SameSite=Lax", name(node));
    HeaderValue::from_str(&text).ok()
}

/// Browsers take a `__Host-` name over https alone; a loopback issuer on plain http does without.
fn name(node: &Node) -> &'static str {
    if node.config.is_https() { "__Host-operator" } else { "operator" }
}

fn key(node: &Node) -> MacKey {
    node.keys.node_secret().mac_key("operator cookie")
}

impl Visit {
    /// Who is here, or the page that says that nobody is.
    pub(super) async fn of(node: &Node, headers: &HeaderMap) -> Result<Self, Instead> {
        let language = language(node, headers);
        let now = moment::now();
        let refused = |message| message_page(node, &language, message);
        let cookie = Cookie::of(node, headers).ok_or_else(|| refused(OperatorMessage::Closed))?;
        let idle = cookie.used.is_none_or(|used| !(0..=IDLE_SECONDS).contains(&now.since(used)));
        if idle {
            return Err(refused(OperatorMessage::Closed));
        }
        let desk = desk(node, &language).await?;
        let key = super::invitation_key(&node.keys);
        let invitation = desk.invitations.get(&cookie.invitation).cloned();
        let invitation = invitation.ok_or_else(|| refused(OperatorMessage::Closed))?;
        invitation
            .admits(&key, cookie.secret.as_str(), now)
            .map_err(|not_opened| refused(said_of(not_opened, OperatorMessage::Closed)))?;
        Ok(Self { invitation, desk, language, cookie, now })
    }

    /// The language of rules.
    pub(super) fn tongue(&self) -> Tongue {
        if self.language.as_str() == "sv" { Tongue::Swedish } else { Tongue::English }
    }

    /// What binds this browser's records.
    pub(super) fn binding(&self) -> &str {
        self.cookie.secret.as_str()
    }

    /// The same, to be kept in a record of another binding.
    pub(super) fn place(&self) -> Handle {
        self.cookie.secret.clone()
    }

    /// When the request came.
    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// Proves that a form was on a page of this place: the cookie is sent with whatever a browser does here, and this is not.
    pub(super) fn token(&self, node: &Node) -> String {
        URL_SAFE_NO_PAD.encode(form_key(node).mac(self.proven().as_bytes()))
    }

    /// Whether a form was on a page of this place, by its token and by what the browser says of where it came from.
    pub(super) fn is_own_form(&self, node: &Node, headers: &HeaderMap, token: &str) -> bool {
        let proven = URL_SAFE_NO_PAD
            .decode(token)
            .is_ok_and(|token| form_key(node).verify(self.proven().as_bytes(), &token).is_ok());
        proven && from_own_page(headers, &node.config)
    }

    fn proven(&self) -> String {
        format!("{}.{}", self.invitation.id, self.cookie.secret.as_str())
    }

    /// A page of the place.
    pub(super) fn page(&self, node: &Node, status: StatusCode, page: OperatorPage<'_>) -> Response {
        self.kept(node, respond::html(status, node.pages.operator(&self.language, page)))
    }

    /// On to another page of the place.
    pub(super) fn onward(&self, node: &Node, path: &str) -> Response {
        self.kept(node, respond::see_other(path))
    }

    /// A page of the place that says something went wrong.
    pub(super) fn message(&self, node: &Node, message: OperatorMessage) -> Instead {
        message_page(node, &self.language, message)
    }

    /// With the cookie's time written anew, where it has grown old.
    fn kept(&self, node: &Node, mut response: Response) -> Response {
        let old = self.cookie.used.is_none_or(|used| self.now.since(used) > RENEWED_SECONDS);
        if old && let Some(header) = self.cookie.set(node, self.now, self.invitation.expires) {
            response.headers_mut().append(header::SET_COOKIE, header);
        }
        response
    }
}

fn form_key(node: &Node) -> MacKey {
    node.keys.node_secret().mac_key("operator form")
}

/// Swedish or English, by the browser.
pub(super) fn language(node: &Node, headers: &HeaderMap) -> Language {
    node.pages.operator_language(headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()))
}

/// What an invitation that opens nothing is to a person; `unknown`: what they see where nothing is known.
pub(super) fn said_of(not_opened: NotOpened, unknown: OperatorMessage) -> OperatorMessage {
    match not_opened {
        NotOpened::Unknown => unknown,
        NotOpened::Used => OperatorMessage::Used,
        NotOpened::Expired => OperatorMessage::Expired,
        NotOpened::Revoked => OperatorMessage::Revoked,
    }
}

/// A page with nothing to show but words.
pub(super) fn message_page(node: &Node, language: &Language, message: OperatorMessage) -> Instead {
    let status = match message {
        OperatorMessage::Left => StatusCode::OK,
        OperatorMessage::Used
        | OperatorMessage::Expired
        | OperatorMessage::Revoked
        | OperatorMessage::Shown => StatusCode::GONE,
        OperatorMessage::Unknown | OperatorMessage::Gone => StatusCode::NOT_FOUND,
        OperatorMessage::Closed | OperatorMessage::Form => StatusCode::FORBIDDEN,
        OperatorMessage::Away => StatusCode::SERVICE_UNAVAILABLE,
    };
    Box::new(respond::html(status, node.pages.operator(language, OperatorPage::Message(message, None))))
}

/// The page that says that something is away, with the reference of what is in the log.
pub(super) fn away(node: &Node, language: &Language, cause: &dyn std::fmt::Display, alarm: bool) -> Instead {
    let reference = Reference::from_random(moment::moment().random());
    tracing::error!(reference = reference.as_str(), %cause, alarm, "a page of the door for operators could not be served");
    let page = OperatorPage::Message(OperatorMessage::Away, Some(reference.as_str()));
    let mut response = respond::html(StatusCode::SERVICE_UNAVAILABLE, node.pages.operator(language, page));
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
    Box::new(response)
}

/// What lies on the desk now.
pub(super) async fn desk(node: &Node, language: &Language) -> Result<Desk, Instead> {
    node.desk.read(&**node.vault.store()).await.map_err(|failed| desk_away(node, language, &failed))
}

/// The page for a desk that is not read or changed.
pub(super) fn desk_away(node: &Node, language: &Language, failed: &DeskFailed) -> Instead {
    away(node, language, failed, failed.is_alarm())
}

/// A small form, after it was seen to come from a page of this place.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads it.
    pub(super) async fn read(request: Request<Body>) -> Option<Self> {
        let octets = server::body(request.into_body(), LARGEST_FORM).await.ok()?;
        Some(Self(form_urlencoded::parse(&octets).into_owned().collect()))
    }

    /// A field's value, without space around it; empty when it is not there.
    pub(super) fn field(&self, name: &str) -> &str {
        self.0.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.trim())
    }
}

/// Who sent a form, and the form: its proof holds.
pub(super) async fn sent(node: &Node, request: Request<Body>) -> Result<(Visit, Form), Instead> {
    let headers = request.headers().clone();
    let visit = Visit::of(node, &headers).await?;
    let form = Form::read(request).await.ok_or_else(|| visit.message(node, OperatorMessage::Form))?;
    if visit.is_own_form(node, &headers, form.field("token")) {
        Ok((visit, form))
    } else {
        Err(visit.message(node, OperatorMessage::Form))
    }
}
