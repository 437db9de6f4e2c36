//! The authentication request (RFC 6749 4.1.1, OpenID Connect Core 3.1.2.1, Swedish profile 2.1), by GET or POST.
//!
//! The order matters: who asks, then where the answer goes; only after the return address matched can an error be sent there, and until
//! then it is a page (RFC 6749 4.1.2.1).
//!
//! `display`, `claims_locales` and every parameter that is not named below are not understood, and RFC 6749 3.1 says to ignore those.
//!
//! `prompt=select_account` shows the choice of organisation, whatever a hint says, unless the request names the provider; and asks for a
//! new authentication there, which is where the accounts are. `prompt=consent` is met by the notice (`OidcOp::notice_asked`).
//! `prompt=none` shows nothing: not the choice, not the notice, not the relying party's message.

use std::collections::BTreeSet;

use broker_core::{
    assurance::Assurance,
    failure::{Failure, FailureCode},
    identifier::{Language, ProviderId, RelyingPartyId},
    request::{AuthenticationRequest, ExpectedSubject, Freshness, LoginHint, RequestedAssurance},
    role::{Inbound, Refusal, ReturnTo},
    user_message::UserMessage,
};
use metadata::{oidc::is_client_id, peer::OidcClient};

use crate::{
    error_code::{self, ErrorCode},
    op::{
        OidcOp,
        carried::{Carried, Refused, ResponseMode},
        claims_parameter::{ClaimsParameter, Placement},
        hint,
        parameters::Parameters,
        user_message,
    },
    scope::Scope,
};

/// Which provider the person shall use (Swedish request parameters 2.2).
const AUTHN_PROVIDER: &str = "https://id.oidc.se/param/authnProvider";
/// The relying party behind the one that asks (Swedish request parameters 2.3.1).
const ORIGINAL_CLIENT_ID: &str = "https://id.oidc.se/param/originalClientId";
/// The signature extension, which a login broker does not offer (Swedish request parameters; signature extension 3).
const SIGN_REQUEST: &str = "https://id.oidc.se/param/signRequest";
const SIGN_SCOPES: [&str; 2] = ["https://id.oidc.se/scope/sign", "https://id.oidc.se/scope/signApproval"];

const LONGEST_STATE: usize = 2048;
const LONGEST_NONCE: usize = 1024;
const LONGEST_NAME: usize = 1024;
/// Scopes, levels, languages: words in one parameter.
const MOST_WORDS: usize = 32;

/// One thing wrong with an addressable request.
struct Wrong {
    failure: FailureCode,
    error: ErrorCode,
    /// Our words and the names of known parameters, nothing that was received: it goes to the relying party and to the log.
    description: String,
}

impl Wrong {
    fn new(failure: FailureCode, description: impl Into<String>) -> Self {
        Self { failure, error: error_code::of(failure), description: description.into() }
    }

    fn malformed(description: impl Into<String>) -> Self {
        Self::new(FailureCode::RequestMalformed, description)
    }

    fn unsupported(error: ErrorCode, description: impl Into<String>) -> Self {
        Self { failure: FailureCode::RequestNotSupported, error, description: description.into() }
    }
}

/// Reads a request.
pub(crate) fn receive(
    op: &OidcOp<'_>,
    message: &Inbound,
) -> Result<(AuthenticationRequest, ReturnTo), Box<Refusal>> {
    let page = |code, cause: String, relying_party: Option<&RelyingPartyId>| {
        Box::new(Refusal {
            failure: Failure::new(code, cause),
            return_to: None,
            relying_party: relying_party.cloned(),
        })
    };
    let parameters = parameters(message).map_err(|cause| page(FailureCode::RequestMalformed, cause, None))?;
    let client_id = match parameters.one("client_id") {
        Ok(Some(client_id)) if client_id.len() <= LONGEST_NAME => RelyingPartyId::new(client_id),
        Ok(Some(_)) => return Err(page(FailureCode::RequestMalformed, "client_id is too long".into(), None)),
        Ok(None) => return Err(page(FailureCode::RequestMalformed, "client_id is missing".into(), None)),
        Err(_) => return Err(page(FailureCode::RequestMalformed, "client_id is repeated".into(), None)),
    };
    let Some(client) = op.registry.oidc_client(&client_id) else {
        // Nobody's name yet. What cannot be one at all may be anything that somebody typed, and stays out of the log.
        let cause = if is_client_id(client_id.as_str()) {
            format!("no relying party is registered as {:?}", shown(client_id.as_str()))
        } else {
            "client_id is none that a relying party could be registered as".to_owned()
        };
        return Err(page(FailureCode::RelyingPartyUnknown, cause, None));
    };
    let address = match parameters.one("redirect_uri") {
        Ok(Some(address)) => address,
        Ok(None) => {
            let cause = "redirect_uri is missing".into();
            return Err(page(FailureCode::RequestMalformed, cause, Some(&client_id)));
        }
        Err(_) => {
            let cause = "redirect_uri is repeated".into();
            return Err(page(FailureCode::RequestMalformed, cause, Some(&client_id)));
        }
    };
    let registered = || client.redirect_uris.iter().map(String::as_str);
    let answer_to =
        |carried: &Carried| ReturnTo::matched(&client_id, address, registered(), carried.remembered());
    // From here on `address` is one of the registered strings. What the answer itself needs is read first, so that errors arrive
    // where and how the relying party expects them.
    let mut carried = Carried::default();
    if answer_to(&carried).is_none() {
        let cause = format!("redirect_uri {:?} is not registered", shown(without_query(address)));
        return Err(page(FailureCode::ReturnAddressUnregistered, cause, Some(&client_id)));
    }
    let read =
        answering(&parameters, &mut carried).and_then(|()| request(op, client, &parameters, &mut carried));
    match read {
        Ok(request) => match answer_to(&carried) {
            Some(return_to) => Ok((request, return_to)),
            None => Err(page(
                FailureCode::ReturnAddressUnregistered,
                "redirect_uri is not registered".into(),
                Some(&client_id),
            )),
        },
        Err(wrong) => {
            let failure = Failure::new(wrong.failure, wrong.description.clone());
            carried.refused = Some(Refused { error: wrong.error, description: wrong.description });
            Err(Box::new(Refusal {
                failure,
                return_to: answer_to(&carried).map(Box::new),
                relying_party: Some(client_id.clone()),
            }))
        }
    }
}

/// OIDC Core 3.1.2.1: GET has a query, POST a form. A request that has both could be read in two ways.
fn parameters(message: &Inbound) -> Result<Parameters, String> {
    let query = message.query.as_deref().filter(|query| !query.is_empty());
    let octets = match (query, message.form.as_deref()) {
        (Some(_), Some(_)) => return Err("parameters stand both in the query and in the form".into()),
        (Some(query), None) => query.as_bytes(),
        (None, Some(form)) => form,
        (None, None) => &[],
    };
    Parameters::read(octets).map_err(|unreadable| unreadable.to_string())
}

/// An address as far as it may stand in a log: what follows `?` or `#` can be anything.
fn without_query(address: &str) -> &str {
    address.split(['?', '#']).next().unwrap_or_default()
}

/// At most 200 characters of something received, for the log.
fn shown(received: &str) -> String {
    received.chars().take(200).collect()
}

/// Where and with what the answer comes: `response_mode`, `state`.
fn answering(parameters: &Parameters, carried: &mut Carried) -> Result<(), Wrong> {
    // The state first: an error about the mode still carries it.
    let state = one(parameters, "state");
    if let Ok(Some(state)) = &state
        && state.len() <= LONGEST_STATE
        && !state.chars().any(char::is_control)
    {
        carried.state = Some((*state).to_owned());
    }
    if let Some(mode) = one(parameters, "response_mode")? {
        carried.response_mode = ResponseMode::from_name(mode)
            .ok_or_else(|| Wrong::malformed("response_mode is neither query nor form_post"))?;
    }
    if state?.is_some() && carried.state.is_none() {
        return Err(Wrong::malformed(format!(
            "state is longer than {LONGEST_STATE} octets or holds control characters"
        )));
    }
    Ok(())
}

/// The rest of an addressable request.
fn request(
    op: &OidcOp<'_>,
    client: &OidcClient,
    parameters: &Parameters,
    carried: &mut Carried,
) -> Result<AuthenticationRequest, Wrong> {
    if parameters.repeated().is_some() {
        return Err(Wrong::malformed("a parameter stands more than once"));
    }
    not_offered(parameters)?;
    match one(parameters, "response_type")? {
        Some("code") => {}
        Some(_) => {
            return Err(Wrong::new(FailureCode::ResponseTypeUnsupported, "response_type is not code"));
        }
        None => return Err(Wrong::malformed("response_type is missing")),
    }
    let scopes = scopes(parameters, client)?;
    carried.scopes = scopes.iter().map(|scope| scope.name().to_owned()).collect();
    carried.nonce = nonce(parameters)?;
    carried.code_challenge = code_challenge(parameters, client, carried.nonce.is_some())?;
    let prompt = Prompt::read(parameters)?;
    carried.notice_asked = prompt.consent;
    let claims = match one(parameters, "claims")? {
        Some(text) => ClaimsParameter::read(text).map_err(|_| {
            Wrong::malformed("claims is not a JSON object as OpenID Connect Core 5.5 defines it")
        })?,
        None => ClaimsParameter::default(),
    };
    let asked = Placement::of(&scopes, &claims, &op.settings.claim_names, &client.policy.entitled);
    carried.placement = asked.placement;
    let expected = expected(op, client, parameters, &claims, &prompt)?;
    Ok(AuthenticationRequest {
        providers: providers(parameters)?,
        assurance: assurance(parameters, &claims, client)?,
        freshness: freshness(parameters, &prompt, client)?,
        passive: prompt.none,
        attributes: asked.attributes,
        languages: words(parameters, "ui_locales")?.into_iter().filter_map(Language::from_tag).collect(),
        requesters: requesters(parameters)?,
        login_hint: expected.login_hint,
        expected_subject: expected.subject,
        message: message(parameters, &prompt)?,
        ..AuthenticationRequest::new(client.client_id.clone())
    })
}

/// Who is expected, and at which provider.
struct Expected {
    subject: Option<ExpectedSubject>,
    login_hint: Option<LoginHint>,
}

/// `id_token_hint`, `sub` in `claims`, and `login_hint`. The first two must both hold; where they exclude each other nobody could sign in.
fn expected(
    op: &OidcOp<'_>,
    client: &OidcClient,
    parameters: &Parameters,
    claims: &ClaimsParameter,
    prompt: &Prompt,
) -> Result<Expected, Wrong> {
    let by_claims = claims
        .expected_subject()
        .map_err(|_| Wrong::malformed("claims asks for a sub that is not a string"))?;
    let hint = match one(parameters, "id_token_hint")? {
        Some(token) => Some(hint::id_token_hint(op, client, token).ok_or_else(|| {
            Wrong::malformed("id_token_hint is not an ID token that was issued here to this relying party")
        })?),
        None => None,
    };
    let (by_hint, provider) = hint.map_or((None, None), |hint| (Some(hint.subject), hint.provider));
    let subject = match (by_claims, by_hint) {
        (Some(claimed), Some(hinted)) => Some(claimed.and(&hinted)),
        (claimed, hinted) => claimed.or(hinted),
    };
    if subject.as_ref().is_some_and(ExpectedSubject::is_nobody) {
        return Err(Wrong::malformed("id_token_hint and sub in claims ask for different people"));
    }
    // What we signed ourselves says more than what the relying party believes. Who asks for the choice gets it.
    let login_hint = match provider {
        _ if prompt.select_account => None,
        Some(provider) => Some(LoginHint::new(provider.as_str())),
        None => hint::login_hint(one(parameters, "login_hint")?),
    };
    Ok(Expected { subject, login_hint })
}

/// Read also when it will not be shown: a relying party learns of its mistake before the day when it matters.
fn message(parameters: &Parameters, prompt: &Prompt) -> Result<Option<UserMessage>, Wrong> {
    let Some(received) = one(parameters, user_message::PARAMETER)? else { return Ok(None) };
    let message = user_message::read(received)
        .map_err(|refused| Wrong::malformed(format!("userMessage cannot be shown: {refused}")))?;
    Ok(Some(message).filter(|_| !prompt.none))
}

/// What the relying party says of the one behind it. It proves nothing: it only travels on, to providers that are told who asks.
fn requesters(parameters: &Parameters) -> Result<Vec<String>, Wrong> {
    match one(parameters, ORIGINAL_CLIENT_ID)? {
        Some(id) if id.len() > LONGEST_NAME || !id.bytes().all(|octet| octet.is_ascii_graphic()) => {
            Err(Wrong::malformed("originalClientId is too long or holds more than printable ASCII"))
        }
        id => Ok(id.map(str::to_owned).into_iter().collect()),
    }
}

fn one<'p>(parameters: &'p Parameters, name: &'static str) -> Result<Option<&'p str>, Wrong> {
    parameters.one(name).map_err(|_| Wrong::malformed(format!("{name} stands more than once")))
}

/// The words of a space-separated parameter.
fn words<'p>(parameters: &'p Parameters, name: &'static str) -> Result<Vec<&'p str>, Wrong> {
    let words: Vec<&str> =
        one(parameters, name)?.unwrap_or_default().split(' ').filter(|word| !word.is_empty()).collect();
    if words.len() > MOST_WORDS || words.iter().any(|word| word.len() > LONGEST_NAME) {
        return Err(Wrong::malformed(format!("{name} is too long")));
    }
    Ok(words)
}

/// What the request must not hold: each has its own error (OIDC Core 3.1.2.6).
fn not_offered(parameters: &Parameters) -> Result<(), Wrong> {
    if one(parameters, "request")?.is_some() {
        return Err(Wrong::unsupported(ErrorCode::RequestNotSupported, "request is not offered"));
    }
    if one(parameters, "request_uri")?.is_some() {
        return Err(Wrong::unsupported(ErrorCode::RequestUriNotSupported, "request_uri is not offered"));
    }
    if one(parameters, "registration")?.is_some() {
        return Err(Wrong::unsupported(ErrorCode::RegistrationNotSupported, "registration is not offered"));
    }
    if one(parameters, SIGN_REQUEST)?.is_some() {
        return Err(Wrong::unsupported(ErrorCode::InvalidRequest, "signatures are not offered"));
    }
    Ok(())
}

/// Scopes that nobody here knows are ignored (OIDC Core 3.1.2.1). One that we know and that the relying party is not registered for
/// refuses the request: leaving it out in silence would be an unexplained missing claim.
fn scopes(parameters: &Parameters, client: &OidcClient) -> Result<BTreeSet<Scope>, Wrong> {
    let asked = words(parameters, "scope")?;
    if asked.iter().any(|name| SIGN_SCOPES.contains(name)) {
        return Err(Wrong::new(FailureCode::ScopeInvalid, "signatures are not offered"));
    }
    let scopes: BTreeSet<Scope> = asked.into_iter().filter_map(Scope::from_name).collect();
    if !scopes.contains(&Scope::OpenId) {
        return Err(Wrong::new(FailureCode::ScopeInvalid, "scope does not hold openid"));
    }
    if let Some(foreign) =
        scopes.iter().find(|scope| **scope != Scope::OpenId && !client.scopes.contains(scope.name()))
    {
        return Err(Wrong::new(
            FailureCode::ScopeInvalid,
            format!("scope {} is not registered for the relying party", foreign.name()),
        ));
    }
    Ok(scopes)
}

fn nonce(parameters: &Parameters) -> Result<Option<String>, Wrong> {
    match one(parameters, "nonce")? {
        Some(nonce) if nonce.len() > LONGEST_NONCE || nonce.chars().any(char::is_control) => {
            Err(Wrong::malformed(format!(
                "nonce is longer than {LONGEST_NONCE} octets or holds control characters"
            )))
        }
        nonce => Ok(nonce.map(str::to_owned)),
    }
}

/// RFC 7636 4.3 with S256 alone (Swedish profile 2.1.8). A relying party that is excused must send a nonce instead (RFC 9700 2.1.1).
fn code_challenge(
    parameters: &Parameters,
    client: &OidcClient,
    nonce: bool,
) -> Result<Option<String>, Wrong> {
    let required = |description: &str| Wrong::new(FailureCode::PkceRequired, description);
    match (one(parameters, "code_challenge")?, one(parameters, "code_challenge_method")?) {
        (None, None) if !client.pkce_required && nonce => Ok(None),
        (None, None) if !client.pkce_required => {
            Err(required("neither code_challenge nor nonce protects the code"))
        }
        (None, _) => Err(required("code_challenge is missing")),
        // RFC 7636 4.3: no method means plain.
        (Some(_), None) => Err(required("code_challenge_method is missing; it must be S256")),
        (Some(challenge), Some("S256")) => {
            let well_formed = challenge.len() == 43
                && challenge.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
            if well_formed {
                Ok(Some(challenge.to_owned()))
            } else {
                Err(required("code_challenge is not a base64url SHA-256 of 43 characters"))
            }
        }
        (Some(_), Some(_)) => Err(required("code_challenge_method is not S256")),
    }
}

#[derive(Default)]
struct Prompt {
    none: bool,
    login: bool,
    select_account: bool,
    consent: bool,
}

impl Prompt {
    /// OIDC Core 3.1.2.1: `none` stands alone; case-sensitive.
    fn read(parameters: &Parameters) -> Result<Self, Wrong> {
        let mut prompt = Self::default();
        let values = words(parameters, "prompt")?;
        for value in &values {
            match *value {
                "none" => prompt.none = true,
                "login" => prompt.login = true,
                "select_account" => prompt.select_account = true,
                "consent" => prompt.consent = true,
                _ => return Err(Wrong::malformed("prompt holds a value that is not offered")),
            }
        }
        if prompt.none && values.len() > 1 {
            return Err(Wrong::malformed("prompt=none stands with another value"));
        }
        Ok(prompt)
    }
}

/// `max_age=0` asks for a new authentication, as `prompt=login` does. The registered default applies when the request is silent
/// (OpenID Connect Registration 2).
fn freshness(parameters: &Parameters, prompt: &Prompt, client: &OidcClient) -> Result<Freshness, Wrong> {
    let max_age = match one(parameters, "max_age")? {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse::<u32>().map_err(|_| Wrong::malformed("max_age is too large"))?)
        }
        Some(_) => return Err(Wrong::malformed("max_age is not a number of seconds")),
        None => client.default_max_age,
    };
    Ok(Freshness { force: prompt.login || prompt.select_account || max_age == Some(0), max_age })
}

/// The `claims` parameter's `acr` with values, which may be essential (OIDC Core 5.5.1.1); else `acr_values`, a wish; else the registered
/// default, a wish. An `acr` that is essential without values demands some level, beside whatever is wished for.
fn assurance(
    parameters: &Parameters,
    claims: &ClaimsParameter,
    client: &OidcClient,
) -> Result<RequestedAssurance, Wrong> {
    let acr = claims.acr();
    if let Some(wish) = &acr
        && let Some(values) = wish.acceptable()
    {
        let levels: Option<Vec<Assurance>> =
            values.iter().map(|value| value.as_str().map(Assurance::new)).collect();
        let levels = levels
            .filter(|levels| !levels.is_empty() && levels.len() <= MOST_WORDS)
            .ok_or_else(|| Wrong::malformed("claims asks for an acr that is not a list of strings"))?;
        return Ok(RequestedAssurance { levels, essential: wish.essential, some: false });
    }
    let asked = words(parameters, "acr_values")?;
    let levels = if asked.is_empty() {
        client.default_acr_values.iter().map(Assurance::new).collect()
    } else {
        asked.into_iter().map(Assurance::new).collect()
    };
    Ok(RequestedAssurance { levels, essential: false, some: acr.is_some_and(|wish| wish.essential) })
}

fn providers(parameters: &Parameters) -> Result<Vec<ProviderId>, Wrong> {
    match one(parameters, AUTHN_PROVIDER)? {
        Some(provider) if provider.len() > LONGEST_NAME => Err(Wrong::malformed("authnProvider is too long")),
        provider => Ok(provider.map(ProviderId::new).into_iter().collect()),
    }
}

#[cfg(test)]
mod tests;
