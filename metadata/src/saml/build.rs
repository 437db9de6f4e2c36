//! A document, the operator's settings and the organisation's record, joined.

use std::sync::Arc;

use broker_core::{
    assurance::Assurance,
    authority::{Authority, Narrowing},
    identifier::{Language, ProviderId},
    organisation::{LocalText, Organisation},
    policy::{Protocol, ProviderPolicy},
    subject::SubjectSource,
};
use serde_json::json;

use crate::{
    address::WebAddress,
    international::{ascii, unicode},
    peer::SamlProvider,
    saml::{
        IdentityProvider,
        entity::{HIDE_FROM_DISCOVERY, SUPPORTS_USER_MESSAGE},
    },
    settings::ProviderSettings,
};

/// The provider that roles and login work with. Call it only for a provider that [`crate::lint::saml::check`] found no error in, held to
/// [`bounds`]. `organisation` answers for it; `speaks_for` are the records of [`ProviderSettings::organisations`], in any order.
#[must_use]
pub fn saml_provider(
    provider: &IdentityProvider,
    settings: &ProviderSettings,
    organisation: &Arc<Organisation>,
    speaks_for: &[Arc<Organisation>],
) -> SamlProvider {
    let mut policy = policy(provider, settings, organisation);
    if !speaks_for.is_empty() {
        policy.organisations = speaks_for
            .iter()
            .map(|organisation| {
                let voice = self::policy(provider, settings, organisation);
                // The choice shows whose people they are, not whose machine it is.
                let named = !organisation.name.is_empty();
                let display_name = if named { organisation.name.clone() } else { voice.display_name };
                Arc::new(ProviderPolicy { display_name, keywords: Vec::new(), ..voice })
            })
            .collect();
        policy.assurance = levels(provider)
            .filter(|level| policy.organisations.iter().any(|voice| voice.assurance.contains(level)))
            .collect();
        policy.authority = Authority::of_levels(policy.assurance.iter().cloned());
    }
    SamlProvider {
        policy: Arc::new(policy),
        signing_keys: provider.signing_keys(),
        // Parted from the others when the registry is put together.
        suspended_keys: Vec::new(),
        single_sign_on: provider.single_sign_on.iter().map(|endpoint| endpoint.value.clone()).collect(),
        want_authn_requests_signed: provider.want_authn_requests_signed,
        name_id_formats: provider.name_id_formats.clone(),
        signing_methods: provider.known_signing_methods(),
        shows_user_messages: provider.categories.iter().any(|category| category == SUPPORTS_USER_MESSAGE),
        valid_until: provider.valid_until.as_ref().map(|until| until.value),
        contacts: provider.contacts.clone(),
        // It becomes a link on a page: what is no web address must not get there.
        error_url: provider
            .error_url
            .as_ref()
            .map(|url| url.value.clone())
            .filter(|url| WebAddress::parse(url).is_some()),
        names_requesters: settings.names_requesters,
        service_provider: settings.asked_by().map(str::to_owned),
    }
}

/// The provider as it speaks for one organisation alone.
fn policy(
    provider: &IdentityProvider,
    settings: &ProviderSettings,
    organisation: &Arc<Organisation>,
) -> ProviderPolicy {
    let authority = authority(provider, settings, organisation);
    ProviderPolicy {
        id: ProviderId::new(provider.entity_id.as_str()),
        protocol: Protocol::Saml,
        organisation: Arc::clone(organisation),
        organisations: Vec::new(),
        display_name: display_name(provider, organisation),
        keywords: provider.interface.keywords.clone(),
        subject_source: settings.subject_source,
        // Never more than the record says, whatever stands in the document.
        assurance: levels(provider).filter(|level| authority.covers(level)).collect(),
        hidden: settings.hidden || provider.categories.iter().any(|category| category == HIDE_FROM_DISCOVERY),
        behind: settings.behind.clone(),
        authority,
    }
}

fn levels(provider: &IdentityProvider) -> impl Iterator<Item = Assurance> {
    provider.assurance.iter().map(|uri| Assurance::new(uri.value.as_str()))
}

/// What a provider's document may claim: the domains of the organisation that answers for it, and the scopes, HSA-ids, levels and attributes of
/// those that it speaks for. An answer is held to one of them alone; this is for judging the document.
#[must_use]
pub fn bounds(organisation: &Organisation, speaks_for: &[Arc<Organisation>]) -> Organisation {
    if speaks_for.is_empty() {
        return organisation.clone();
    }
    let all = || speaks_for.iter();
    let numbers =
        all().map(|other| other.number.to_string()).filter(|other| *other != organisation.number.as_str());
    Organisation {
        scopes: all().flat_map(|other| other.scopes.iter().cloned()).chain(numbers).collect(),
        hsa_prefixes: all().flat_map(|other| other.hsa_prefixes.iter().cloned()).collect(),
        ceiling: all().flat_map(|other| other.ceiling.iter().cloned()).collect(),
        may_assert: all().flat_map(|other| other.may_assert.iter().copied()).collect(),
        ..organisation.clone()
    }
}

/// What it may say: the record, cut by the scopes that its own document declares (Sweden Connect deployment profile 2.1.3.1), and by the operator.
/// A pattern covers what nobody has authorised, and counts for nothing.
pub(crate) fn authority(
    provider: &IdentityProvider,
    settings: &ProviderSettings,
    organisation: &Organisation,
) -> Authority {
    let declared = (!provider.scopes.is_empty()).then(|| {
        let exact = provider.scopes.iter().map(|scope| &scope.value).filter(|scope| !scope.regexp);
        exact.filter_map(|scope| ascii(&scope.value)).collect()
    });
    Authority::of(organisation)
        .narrowed(&Narrowing { scopes: declared, ..Narrowing::default() })
        .narrowed(&settings.narrowing)
        .also_spelled(unicode)
}

/// The provider that a document describes by itself, registered with nobody: for looking at a captured message, and good for no
/// login. Its levels are those that the document claims.
///
/// # Errors
/// In theory: what stands in for an operator's decisions is read like an entry of a manifest, and is whole.
pub fn unregistered_provider(provider: &IdentityProvider) -> Result<SamlProvider, serde_json::Error> {
    // Read like a manifest, so that what is left out here is what it is there.
    let number = "0000000000";
    let levels: Vec<&str> = provider.assurance.iter().map(|level| level.value.as_str()).collect();
    let organisation: Organisation =
        serde_json::from_value(json!({ "number": number, "name": {}, "ceiling": levels }))?;
    let source = provider.natural_subject_source().unwrap_or(SubjectSource::SubjectId);
    let settings: ProviderSettings =
        serde_json::from_value(json!({ "organisation": number, "subject_source": source }))?;
    Ok(saml_provider(provider, &settings, &Arc::new(organisation), &[]))
}

/// A name for every provider: its own, else its organisation's, else its entity ID.
fn display_name(provider: &IdentityProvider, organisation: &Organisation) -> LocalText {
    let own = provider.display_name();
    if !own.is_empty() {
        return own;
    }
    if !organisation.name.is_empty() {
        return organisation.name.clone();
    }
    let languages = Language::from_tag("sv").into_iter();
    LocalText(languages.map(|language| (language, provider.entity_id.clone())).collect())
}
