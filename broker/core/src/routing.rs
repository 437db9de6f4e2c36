//! Which provider a login goes to: the one that the relying party names, the one that its hint leads to, or the one that the person chooses.

mod login_hint;

use std::sync::Arc;

use login_hint::Hinted;

use crate::{
    assurance::{self, OutputMap},
    connection::Connections,
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
    /// Every provider as it speaks for each of its organisations, in the order in which a choice shows them ([`ProviderPolicy::voices`]).
    fn voices(&self) -> &[Arc<ProviderPolicy>];
    /// What is suspended.
    fn suspensions(&self) -> &Suspensions;
    /// What employers agreed to.
    fn connections(&self) -> &Connections;
}

/// Where to.
#[derive(Debug, Clone)]
pub enum Route {
    /// To this one. One with voices was named as such, and may prove any of its organisations; else the answer must prove this one's.
    Provider(Arc<ProviderPolicy>),
    /// The person chooses among these, each a provider as it speaks for one organisation.
    Choice(Vec<Arc<ProviderPolicy>>),
}

/// Whether a login of `relying_party` may go to `provider` at all. Asked again whenever the login goes on, so that a suspension or a closed
/// connection in between counts.
///
/// # Errors
/// Says which rule is against it.
pub fn admissible(
    provider: &ProviderPolicy,
    relying_party: &RelyingPartyPolicy,
    (suspensions, connections): (&Suspensions, &Connections),
) -> Result<(), Failure> {
    suspensions.allow_relying_party(relying_party)?;
    suspensions.allow_provider(&provider.id, &provider.organisation.number)?;
    if relying_party.providers.as_ref().is_some_and(|allowed| !allowed.contains(&provider.id)) {
        return Err(Failure::new(
            FailureCode::ProviderNotAllowed,
            format!("{} does not take logins from {}", relying_party.id, provider.id),
        ));
    }
    // Of a provider with voices it is asked when one is chosen, and again when one is proven.
    if provider.organisations.is_empty() {
        connections.allow(&provider.organisation, &relying_party.id)?;
    }
    Ok(())
}

/// Whether a login of `relying_party` may go to a provider as it speaks for one organisation: what [`admissible`] asks of that organisation, and
/// of whoever answers for the provider.
///
/// # Errors
/// As there.
pub fn open_to(
    voice: &ProviderPolicy,
    relying_party: &RelyingPartyPolicy,
    peers: &dyn Peers,
) -> Result<(), Failure> {
    let suspensions = peers.suspensions();
    if !suspensions.organisations.is_empty()
        && let Some(provider) = peers.provider(&voice.id)
    {
        suspensions.allow_provider(&provider.id, &provider.organisation.number)?;
    }
    admissible(voice, relying_party, (suspensions, peers.connections()))
}

/// The providers that a login may go to, each as it speaks for one organisation, in the order in which a choice shows them: those that the
/// relying party named, else all that are shown; of them the admissible ones. Never empty.
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
    let (shown, named);
    let candidates: &mut dyn Iterator<Item = &Arc<ProviderPolicy>> = if request.providers.is_empty() {
        shown = peers.voices();
        &mut shown.iter().filter(|provider| !provider.hidden)
    } else {
        named = called(&request.providers, peers);
        let known = &named;
        if known.is_empty() {
            return Err(Failure::new(
                FailureCode::ProviderUnknown,
                format!("none of the {} providers asked for is registered", request.providers.len()),
            ));
        }
        &mut known.iter()
    };
    let mut first_reason = None;
    let mut open = Vec::new();
    for provider in candidates {
        match open_to(provider, &relying_party, peers) {
            Ok(()) => open.push(Arc::clone(provider)),
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
    let open = offered(request, peers)?;
    // One named provider skips the choice. A single unnamed one does not: the person should see where they are sent.
    if !request.providers.is_empty()
        && let Some(first) = open.first()
        && open.iter().all(|other| other.id == first.id)
    {
        // Named alone, it proves whichever organisation it does.
        return Ok(Route::Provider(peers.provider(&first.id).unwrap_or_else(|| Arc::clone(first))));
    }
    if let Some(hinted) = request.login_hint.as_ref().and_then(|hint| login_hint::hinted(hint, &open)) {
        return Ok(Route::Provider(match hinted {
            Hinted::Voice(voice) => Arc::clone(voice),
            Hinted::Provider(voice) => peers.provider(&voice.id).unwrap_or_else(|| Arc::clone(voice)),
        }));
    }
    if request.passive {
        return Err(Failure::new(
            FailureCode::InteractionRequired,
            "the provider must be chosen and nothing may be shown",
        ));
    }
    Ok(Route::Choice(open))
}

/// The providers of these names, each as it speaks for each organisation: themselves where they are registered, else those that they stand behind.
/// Each once, in the order of the names.
fn called(names: &[ProviderId], peers: &dyn Peers) -> Vec<Arc<ProviderPolicy>> {
    let mut found: Vec<Arc<ProviderPolicy>> = Vec::new();
    for name in names {
        let several: Vec<Arc<ProviderPolicy>> = match peers.provider(name) {
            Some(provider) => provider.voices().cloned().collect(),
            None => {
                peers.voices().iter().filter(|provider| provider.behind.contains(name)).cloned().collect()
            }
        };
        for voice in several {
            let is_same = |other: &Arc<ProviderPolicy>| {
                other.id == voice.id && other.organisation.number == voice.organisation.number
            };
            if !found.iter().any(is_same) {
                found.push(voice);
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
