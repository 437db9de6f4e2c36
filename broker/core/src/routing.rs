//! Which provider a login goes to: the one that the relying party names, the one that its hint leads to, or the one that the person chooses.

mod login_hint;

use std::sync::Arc;

use crate::{
    assurance::{self, OutputMap},
    failure::{Failure, FailureCode},
    identifier::{ProviderId, RelyingPartyId},
    policy::{ProviderPolicy, RelyingPartyPolicy},
    request::AuthenticationRequest,
    suspension::Suspensions,
};

/// What routing and release need of the registry: one immutable snapshot.
pub trait Peers: Send + Sync {
    /// The provider of that identifier.
    fn provider(&self, id: &ProviderId) -> Option<Arc<ProviderPolicy>>;
    /// The relying party of that identifier.
    fn relying_party(&self, id: &RelyingPartyId) -> Option<Arc<RelyingPartyPolicy>>;
    /// Every provider, in the order in which a choice shows them.
    fn providers(&self) -> Vec<Arc<ProviderPolicy>>;
    /// What is suspended.
    fn suspensions(&self) -> &Suspensions;
}

/// Where to.
#[derive(Debug, Clone)]
pub enum Route {
    /// To this one.
    Provider(Arc<ProviderPolicy>),
    /// The person chooses among these.
    Choice(Vec<Arc<ProviderPolicy>>),
}

/// Whether a login of `relying_party` may go to `provider` at all. Asked again whenever the login goes on, so that a suspension in between
/// counts.
///
/// # Errors
/// Says which rule is against it.
pub fn admissible(
    provider: &ProviderPolicy,
    relying_party: &RelyingPartyPolicy,
    suspensions: &Suspensions,
) -> Result<(), Failure> {
    suspensions.allow_relying_party(relying_party)?;
    suspensions.allow_provider(&provider.id, &provider.organisation.number)?;
    if relying_party.providers.as_ref().is_some_and(|allowed| !allowed.contains(&provider.id)) {
        return Err(Failure::new(
            FailureCode::ProviderNotAllowed,
            format!("{} does not take logins from {}", relying_party.id, provider.id),
        ));
    }
    Ok(())
}

/// The providers that a login may go to, in the order in which a choice shows them: those that the relying party named, else all that are
/// shown; of them the admissible ones. Never empty.
///
/// # Errors
/// When the relying party named providers and none of them will do, when it may not start a login, or when there is no provider for it.
pub fn offered(
    request: &AuthenticationRequest,
    peers: &dyn Peers,
) -> Result<Vec<Arc<ProviderPolicy>>, Failure> {
    let relying_party = peers.relying_party(&request.relying_party).ok_or_else(|| {
        Failure::new(FailureCode::RelyingPartyUnknown, format!("{} is not registered", request.relying_party))
    })?;
    peers.suspensions().allow_relying_party(&relying_party)?;
    if request.hops_left == Some(0) {
        return Err(Failure::new(FailureCode::RequestNotSupported, "the request may not be proxied further"));
    }
    let candidates: Vec<_> = if request.providers.is_empty() {
        peers.providers().into_iter().filter(|provider| !provider.hidden).collect()
    } else {
        let known = called(&request.providers, peers);
        if known.is_empty() {
            return Err(Failure::new(
                FailureCode::ProviderUnknown,
                format!("none of the {} providers asked for is registered", request.providers.len()),
            ));
        }
        known
    };
    let mut first_reason = None;
    let mut open = Vec::with_capacity(candidates.len());
    for provider in candidates {
        match admissible(&provider, &relying_party, peers.suspensions()) {
            Ok(()) => open.push(provider),
            Err(reason) => _ = first_reason.get_or_insert(reason),
        }
    }
    if open.is_empty() {
        return Err(first_reason
            .unwrap_or_else(|| Failure::new(FailureCode::ProviderUnknown, "no provider is registered")));
    }
    Ok(open)
}

/// Picks the provider, or says that a person must.
///
/// # Errors
/// Those of [`offered`], and when a choice is needed and nothing may be shown.
pub fn route(request: &AuthenticationRequest, peers: &dyn Peers) -> Result<Route, Failure> {
    let mut open = offered(request, peers)?;
    // One named provider skips the choice. A single unnamed one does not: the person should see where they are sent.
    if open.len() == 1 && !request.providers.is_empty() {
        return Ok(Route::Provider(open.remove(0)));
    }
    if let Some(hinted) = request.login_hint.as_ref().and_then(|hint| login_hint::hinted(hint, &open)) {
        return Ok(Route::Provider(Arc::clone(hinted)));
    }
    if request.passive {
        return Err(Failure::new(
            FailureCode::InteractionRequired,
            "the provider must be chosen and nothing may be shown",
        ));
    }
    Ok(Route::Choice(open))
}

/// The providers of these names: themselves where they are registered, else those that they stand behind. Each once, in the order of the names.
fn called(names: &[ProviderId], peers: &dyn Peers) -> Vec<Arc<ProviderPolicy>> {
    let mut all: Option<Vec<Arc<ProviderPolicy>>> = None;
    let mut found: Vec<Arc<ProviderPolicy>> = Vec::new();
    for name in names {
        let several = match peers.provider(name) {
            Some(provider) => vec![provider],
            None => {
                let all = all.get_or_insert_with(|| peers.providers());
                all.iter().filter(|provider| provider.behind.contains(name)).cloned().collect()
            }
        };
        for provider in several {
            if !found.iter().any(|other| other.id == provider.id) {
                found.push(provider);
            }
        }
    }
    found
}

/// Whether one of the providers of `route` can give a level that the relying party demands. Nobody is sent to sign in for nothing; what is
/// but a wish is no reason to refuse (OIDC Core 5.5.1.1). The release asks again, of the answer itself.
///
/// # Errors
/// [`FailureCode::AssuranceTooLow`] when none can.
pub fn attainable(
    request: &AuthenticationRequest,
    route: &Route,
    peers: &dyn Peers,
    output_map: &OutputMap,
) -> Result<(), Failure> {
    let wanted = &request.assurance;
    let certain = wanted.essential && !wanted.levels.is_empty();
    if !certain && !wanted.some {
        return Ok(());
    }
    let profile =
        peers.relying_party(&request.relying_party).map(|party| party.assurance_profile).unwrap_or_default();
    let enough = output_map.asking(&wanted.levels, profile);
    let gives = |provider: &Arc<ProviderPolicy>| {
        provider.assurance.iter().any(|level| {
            let will_do =
                if certain { enough.contains(level) } else { output_map.leaving(level, profile).is_some() };
            will_do && provider.authority.covers(level)
        })
    };
    let able = match route {
        Route::Provider(only) => gives(only),
        Route::Choice(several) => several.iter().any(gives),
    };
    if able {
        return Ok(());
    }
    let lacking = if certain {
        format!("no provider of this login can give one of [{}]", assurance::for_the_log(&wanted.levels))
    } else {
        "no provider of this login can give a level that may leave".to_owned()
    };
    Err(Failure::new(FailureCode::AssuranceTooLow, lacking))
}

#[cfg(test)]
mod tests;
