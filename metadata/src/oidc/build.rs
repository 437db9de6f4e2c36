//! A file, the operator's settings and the organisation's record, joined.

use std::{collections::BTreeSet, sync::Arc};

use broker_core::{
    attribute::AttributeName,
    identifier::{Language, RelyingPartyId},
    organisation::{LocalText, Organisation},
    policy::{Protocol, RelyingPartyPolicy},
};

use crate::{
    address::WebAddress,
    oidc::{Method, Registration, scope},
    peer::{ClientAuthentication, Contact, ContactKind, OidcClient},
    settings::{OidcProfile, RelyingPartySettings},
};

/// The relying party that roles and login work with; `None` when it lacks what it authenticates with or has no sector. Call it
/// only for one that [`crate::lint::oidc::check`] found no error in.
#[must_use]
pub fn oidc_client(
    client_id: &str,
    registration: &Registration,
    settings: &RelyingPartySettings,
    organisation: &Arc<Organisation>,
) -> Option<OidcClient> {
    let authentication = match registration.method {
        Method::ClientSecretBasic => ClientAuthentication::ClientSecretBasic(settings.secret.clone()?),
        Method::ClientSecretPost => ClientAuthentication::ClientSecretPost(settings.secret.clone()?),
        Method::PrivateKeyJwt => ClientAuthentication::PrivateKeyJwt {
            keys: registration.keys.clone()?,
            algorithm: registration.assertion_algorithm,
        },
    };
    let scopes = scopes(registration);
    let policy = RelyingPartyPolicy {
        id: RelyingPartyId::new(client_id),
        protocol: Protocol::Oidc,
        organisation: Arc::clone(organisation),
        display_name: display_name(client_id, registration),
        entitled: entitled(&scopes, settings, organisation),
        sector: sector(registration, organisation)?,
        providers: settings.providers.clone(),
        start_url: registration.initiate_login_uri.clone().or_else(|| registration.client_uri.clone()),
        privacy_url: registration.policy_uri.clone(),
        assurance_profile: settings.assurance_profile,
        fail_on_missing_attribute: settings.fail_on_missing_attribute,
    };
    let swedish = settings.profile == OidcProfile::Swedish;
    Some(OidcClient {
        client_id: policy.id.clone(),
        policy: Arc::new(policy),
        redirect_uris: registration.redirect_uris.clone(),
        authentication,
        id_token_algorithm: registration.id_token_algorithm,
        // OIDC Sweden 4.1: userinfo answers MUST be signed.
        userinfo_algorithm: registration
            .userinfo_algorithm
            .or_else(|| swedish.then_some(registration.id_token_algorithm)),
        scopes,
        accepts_token_endpoint_audience: swedish,
        pkce_required: !settings.pkce_waived,
        default_max_age: registration.default_max_age,
        default_acr_values: registration.default_acr_values.clone(),
        purpose: registration.purpose.clone(),
        contacts: registration
            .contacts
            .iter()
            .map(|address| Contact {
                kind: ContactKind::Technical,
                name: None,
                email: Some(address.strip_prefix("mailto:").unwrap_or(address).to_owned()),
                telephone: None,
            })
            .collect(),
    })
}

/// The registered scopes that exist; all of them where the file is silent. What may leave is bounded by entitlement, not by this.
fn scopes(registration: &Registration) -> BTreeSet<String> {
    let known = scope::SCOPES.iter().map(|(name, _)| *name);
    known
        .filter(|name| {
            *name == scope::OPENID
                || registration.scopes.as_ref().is_none_or(|registered| registered.contains(*name))
        })
        .map(str::to_owned)
        .collect()
}

/// The operator's list, else what the scopes stand for; in either case no more than the organisation is entitled to.
fn entitled(
    scopes: &BTreeSet<String>,
    settings: &RelyingPartySettings,
    organisation: &Organisation,
) -> BTreeSet<AttributeName> {
    let registered = match &settings.attributes {
        Some(attributes) => attributes.clone(),
        None => scopes.iter().filter_map(|name| scope::attributes(name)).flatten().copied().collect(),
    };
    registered.intersection(&organisation.entitled).copied().collect()
}

/// Who shares subject identifiers: relying parties of one organisation and one host (design decision 10).
pub(crate) fn sector(registration: &Registration, organisation: &Organisation) -> Option<String> {
    Some(format!("{}/{}", organisation.number, sector_host(registration)?))
}

/// The host that decides who shares subject identifiers (OIDC Core 8.1): of `sector_identifier_uri`, else of the return
/// addresses, which then must all have one. Addresses on the developer's own machine do not count beside others.
pub(crate) fn sector_host(registration: &Registration) -> Option<String> {
    if let Some(uri) = &registration.sector_identifier_uri {
        return WebAddress::parse(uri).map(|address| address.host().to_owned());
    }
    let addresses: Vec<_> =
        registration.redirect_uris.iter().filter_map(|uri| WebAddress::parse(uri)).collect();
    let hosts: BTreeSet<&str> =
        addresses.iter().filter(|address| !address.is_loopback()).map(WebAddress::host).collect();
    let mut hosts = if hosts.is_empty() {
        addresses.iter().map(WebAddress::host).collect::<BTreeSet<_>>().into_iter()
    } else {
        hosts.into_iter()
    };
    match (hosts.next(), hosts.next()) {
        (Some(only), None) => Some(only.to_owned()),
        _ => None,
    }
}

fn display_name(client_id: &str, registration: &Registration) -> LocalText {
    if !registration.name.is_empty() {
        return registration.name.clone();
    }
    LocalText(Language::from_tag("sv").into_iter().map(|language| (language, client_id.to_owned())).collect())
}
