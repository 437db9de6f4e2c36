//! Which levels we ask a provider for: RequestedAuthnContext (SAML Core 3.3.2.2.1, SC-DP 5.3.1).
//!
//! Only `exact` comparison: levels of different vocabularies have no order (`docs/conflicts.md` 13), and the Swedish framework
//! allows nothing else. Neighbours: `sp/authn_request.rs` writes them, `sp/check/authentication.rs` holds the answer to them.

use broker_core::{
    assurance::{Assurance, AssuranceProfile, OutputMap},
    failure::{Failure, FailureCode},
    policy::ProviderPolicy,
    request::RequestedAssurance,
};

/// The levels to ask `provider` for, best first, so that one of those wanted downstream can leave; empty: ask for none.
///
/// Only levels that the provider is registered for are named: it would refuse others, and we would not believe them. Where the
/// levels are but a wish (OIDC Core 5.5.1.1), the provider's other levels follow, since an `exact` request would otherwise turn the
/// wish into a condition. `profile` is that of the relying party: a level that it does not understand cannot meet what it wants.
///
/// # Errors
/// [`FailureCode::AssuranceTooLow`] when a level is demanded that this provider cannot give.
pub fn levels_to_ask(
    wanted: &RequestedAssurance,
    profile: AssuranceProfile,
    provider: &ProviderPolicy,
    output_map: &OutputMap,
) -> Result<Vec<Assurance>, Failure> {
    if wanted.levels.is_empty() {
        return Ok(Vec::new());
    }
    // `asking` gives the order of the vocabularies; the relying party's order of preference decides first.
    let mut levels: Vec<Assurance> = Vec::new();
    for level in &wanted.levels {
        for upstream in output_map.asking(std::slice::from_ref(level), profile) {
            if provider.assurance.contains(&upstream) && !levels.contains(&upstream) {
                levels.push(upstream);
            }
        }
    }
    if wanted.essential {
        if levels.is_empty() {
            return Err(Failure::new(
                FailureCode::AssuranceTooLow,
                format!("{} is registered for none of the levels that would do", provider.id),
            ));
        }
    } else if !levels.is_empty() {
        for level in &provider.assurance {
            if !levels.contains(level) {
                levels.push(level.clone());
            }
        }
    }
    Ok(levels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sp::tests::provider_policy;

    const LOA2: &str = "http://id.elegnamnden.se/loa/1.0/loa2";
    const LOA3: &str = "http://id.elegnamnden.se/loa/1.0/loa3";
    const UNCERTIFIED3: &str = "http://id.swedenconnect.se/loa/1.0/uncertified-loa3";

    fn asked(levels: &[&str], essential: bool, registered: &[&str]) -> Result<Vec<String>, FailureCode> {
        let mut provider = provider_policy();
        provider.assurance = registered.iter().copied().map(Assurance::new).collect();
        let wanted = RequestedAssurance {
            levels: levels.iter().copied().map(Assurance::new).collect(),
            essential,
            some: false,
        };
        levels_to_ask(&wanted, AssuranceProfile::Plain, &provider, &OutputMap::new(false))
            .map(|levels| levels.iter().map(|level| level.as_str().to_owned()).collect())
            .map_err(|failure| failure.code)
    }

    #[test]
    fn nothing_is_asked_when_nothing_is_wanted() {
        assert_eq!(asked(&[], true, &[LOA3]), Ok(vec![]));
    }

    #[test]
    fn a_demand_names_only_what_would_do_and_what_the_provider_has() {
        assert_eq!(asked(&[UNCERTIFIED3], true, &[LOA2, LOA3]), Ok(vec![LOA3.to_owned()]));
        assert_eq!(asked(&[UNCERTIFIED3], true, &[LOA2]), Err(FailureCode::AssuranceTooLow));
    }

    #[test]
    fn a_wish_leaves_the_other_levels_open() {
        assert_eq!(asked(&[UNCERTIFIED3], false, &[LOA2, LOA3]), Ok(vec![LOA3.to_owned(), LOA2.to_owned()]));
        assert_eq!(asked(&[UNCERTIFIED3], false, &[LOA2]), Ok(vec![]));
    }
}
