//! What a `login_hint` says of the provider (OpenID Connect Core 3.1.2.1 leaves its meaning to the parties; Swedish profile 2.1.5).
//!
//! It is read as whose person will sign in, and only against what stands in the registry: the identifier of a provider or of one behind it,
//! an organisation number, or a domain or scope, alone or right of the last `@`. Anything else, and anything that fits more than one, says nothing. A hint
//! chooses among the providers that the person could have chosen themselves, and never adds one.

use std::sync::Arc;

use crate::{
    identifier::ProviderId, organisation::OrganisationNumber, policy::ProviderPolicy, request::LoginHint,
};

/// No entity ID is longer (SAML Core 8.3.6), and no mail address.
const LONGEST: usize = 1024;

/// What a hint leads to.
pub(super) enum Hinted<'p> {
    /// A provider as it speaks for one organisation.
    Voice(&'p Arc<ProviderPolicy>),
    /// The provider of this voice, whichever organisation it proves.
    Provider(&'p Arc<ProviderPolicy>),
}

/// What the hint leads to.
pub(super) fn hinted<'p>(hint: &LoginHint, offered: &'p [Arc<ProviderPolicy>]) -> Option<Hinted<'p>> {
    let hint = hint.as_str().trim();
    if hint.len() > LONGEST {
        return None;
    }
    if let Some(named) = offered.iter().find(|provider| provider.id.as_str() == hint) {
        return Some(Hinted::Provider(named));
    }
    // Our own ID token names who authenticated, also where that one stands behind a provider of ours.
    let behind = ProviderId::from(hint);
    let mut in_front = offered.iter().filter(|provider| provider.behind.contains(&behind));
    if let Some(first) = in_front.next() {
        return in_front.all(|other| other.id == first.id).then_some(Hinted::Provider(first));
    }
    let place = hint.rsplit_once('@').map_or(hint, |(_, place)| place);
    let number = OrganisationNumber::parse(place);
    let mut fitting = offered.iter().filter(|provider| {
        let organisation = &provider.organisation;
        number.as_ref().is_some_and(|number| *number == organisation.number)
            || organisation.owns_host(place)
            || organisation.owns_scope(place)
    });
    let first = fitting.next()?;
    // Two organisations that could be meant, or two providers of one: the person knows best.
    fitting.next().is_none().then_some(Hinted::Voice(first))
}
