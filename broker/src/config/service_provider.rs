//! `[[saml.service_provider]]`: the service providers that we are towards providers, one for each set of attributes
//! (`docs/decisions/0006-several-service-providers.md`).

use std::collections::BTreeSet;

use broker_core::attribute::AttributeName as A;
use metadata::settings::MAIN_SERVICE_PROVIDER;

use super::{Config, File, Problem, Problems};

/// One service provider of ours, with everything that the file leaves open filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceProvider {
    /// Its name in addresses and registrations.
    pub(crate) name: String,
    /// Its entity ID.
    pub(crate) entity_id: String,
    /// Where its metadata is: a path.
    pub(crate) metadata_path: String,
    /// Where it takes answers.
    pub(crate) acs_url: String,
    /// What it asks providers for.
    pub(crate) attributes: BTreeSet<A>,
    /// Its entity categories.
    pub(crate) categories: Vec<String>,
}

/// What the main one asks any provider for. None is required: what a service needs is its own affair. No national number.
const MAIN: [A; 9] = [
    A::SubjectId,
    A::PairwiseId,
    A::GivenName,
    A::Surname,
    A::DisplayName,
    A::Mail,
    A::OrgAffiliation,
    A::OrganisationUnit,
    A::EmployeeHsaId,
];
/// The built-in one that also asks for what says who somebody is outside work.
const PERSONAL_NUMBER: &str = "personal-number";
/// What it asks for beyond [`MAIN`]. A samordningsnummer travels under the name of the personnummer.
const NATIONAL: [A; 4] =
    [A::PersonalIdentityNumber, A::CoordinationNumber, A::PreviousPersonalIdentityNumber, A::DateOfBirth];

/// All of them, the main one first. Those of the file replace the two that are built in.
pub(super) fn all(config: &Config) -> Vec<ServiceProvider> {
    let sections = &config.file.saml.service_provider;
    if sections.is_empty() {
        let both = MAIN.into_iter().chain(NATIONAL).collect();
        return vec![
            made(config, MAIN_SERVICE_PROVIDER, None, MAIN.into(), &[]),
            made(config, PERSONAL_NUMBER, None, both, &[]),
        ];
    }
    let mut all: Vec<ServiceProvider> = sections
        .iter()
        .map(|section| {
            let attributes = section.attributes.iter().filter_map(|key| A::from_key(key)).collect();
            made(config, &section.name, section.entity_id.as_ref(), attributes, &section.categories)
        })
        .collect();
    all.sort_by_key(|one| one.name != MAIN_SERVICE_PROVIDER);
    all
}

fn made(
    config: &Config,
    name: &str,
    entity_id: Option<&String>,
    attributes: BTreeSet<A>,
    categories: &[String],
) -> ServiceProvider {
    let is_main = name == MAIN_SERVICE_PROVIDER;
    let folder = folder(name);
    let metadata_path = format!("{folder}/metadata");
    let own = if is_main { config.file.saml.entity_id.as_ref() } else { None };
    ServiceProvider {
        name: name.to_owned(),
        entity_id: entity_id.or(own).cloned().unwrap_or_else(|| config.at(&metadata_path)),
        acs_url: config.at(&format!("{folder}/acs")),
        metadata_path,
        attributes,
        categories: categories.to_vec(),
    }
}

/// Where its addresses lie. Those of the main one are the broker's from before it was several.
fn folder(name: &str) -> String {
    if name == MAIN_SERVICE_PROVIDER { "/saml".to_owned() } else { format!("/saml/{name}") }
}

/// Whether a name can stand in an address.
fn is_name(name: &str) -> bool {
    (1..=40).contains(&name.len())
        && name.bytes().all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-')
        && !name.starts_with('-')
}

/// Finds what cannot be: unknown attributes, two of one name or entity ID, no main one.
pub(super) fn validate(file: &File, problems: &mut Problems) {
    const SECTION: &str = "[saml.service_provider]";
    let sections = &file.saml.service_provider;
    if sections.is_empty() {
        return;
    }
    let mut add = |id: &'static str, what: String, fix: String| {
        problems.add_about(SECTION, Problem::error(id, what, fix));
    };
    let (mut names, mut entity_ids) = (BTreeSet::new(), BTreeSet::new());
    for section in sections {
        let name = &section.name;
        if !is_name(name) {
            add(
                "config.service_provider_name",
                format!("`{name}` cannot stand in an address"),
                "Choose a name of at most 40 letters a to z, digits and hyphens.".to_owned(),
            );
        }
        if !names.insert(name) {
            add(
                "config.service_provider_twice",
                format!("there are two service providers called `{name}`"),
                "Give each a name of its own.".to_owned(),
            );
        }
        let is_main = name == MAIN_SERVICE_PROVIDER;
        let entity_id = section.entity_id.as_ref().or(file.saml.entity_id.as_ref().filter(|_| is_main));
        let known_by =
            entity_id.cloned().unwrap_or_else(|| format!("{}{}/metadata", file.issuer, folder(name)));
        if !entity_ids.insert(known_by.clone()) {
            add(
                "config.service_provider_twice",
                format!("there are two service providers with the entity ID `{known_by}`"),
                "Give each an entity ID of its own, or none.".to_owned(),
            );
        }
        if entity_id.is_some_and(|entity_id| entity_id.is_empty() || entity_id.len() > 1024) {
            add(
                "config.service_provider_entity_id",
                format!("the entity ID of `{name}` is empty or longer than 1024 characters"),
                "Leave it out: it is then where the metadata is.".to_owned(),
            );
        }
        if is_main && section.entity_id.is_some() && file.saml.entity_id.is_some() {
            add(
                "config.service_provider_entity_id",
                "the entity ID of `main` is given twice".to_owned(),
                "Take saml.entity_id away.".to_owned(),
            );
        }
        for key in section.attributes.iter().filter(|key| A::from_key(key).is_none()) {
            let nearest = A::ALL.iter().min_by_key(|name| strsim::damerau_levenshtein(name.key(), key));
            add(
                "config.service_provider_attribute",
                format!("there is no attribute `{key}`"),
                format!("The nearest is `{}`.", nearest.map_or("", |name| name.key())),
            );
        }
    }
    if !sections.iter().any(|section| section.name == MAIN_SERVICE_PROVIDER) {
        add(
            "config.service_provider_main",
            "none of the service providers is called `main`".to_owned(),
            "Call the one `main` that asks for least: providers that know one alone are asked by it."
                .to_owned(),
        );
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const MINIMAL: &str = "issuer = \"http://localhost:8080\"\nlisten = \"127.0.0.1:8080\"\nkeys = \"keys\"\n\n[store]\nurl = \"embedded:state/registry.redb\"\n";

    fn with(more: &str) -> Result<Vec<ServiceProvider>, String> {
        Config::parse(Path::new("x.toml"), &format!("{MINIMAL}{more}"))
            .map(|config| config.service_providers())
            .map_err(|problems| problems.to_string())
    }

    fn section(name: &str, attributes: &str) -> String {
        format!("[[saml.service_provider]]\nname = \"{name}\"\nattributes = [{attributes}]\n")
    }

    #[test]
    fn two_are_built_in_and_the_main_one_asks_for_no_number() {
        let all = with("").expect("accepted");
        let addresses: Vec<_> =
            all.iter().map(|one| (one.name.as_str(), one.entity_id.as_str(), one.acs_url.as_str())).collect();
        assert_eq!(
            addresses,
            [
                ("main", "http://localhost:8080/saml/metadata", "http://localhost:8080/saml/acs"),
                (
                    "personal-number",
                    "http://localhost:8080/saml/personal-number/metadata",
                    "http://localhost:8080/saml/personal-number/acs"
                ),
            ]
        );
        for national in NATIONAL {
            assert!(!all[0].attributes.contains(&national) && all[1].attributes.contains(&national));
        }
        assert!(all[0].attributes.is_subset(&all[1].attributes));
    }

    #[test]
    fn those_of_the_file_replace_them() {
        let file = format!(
            "{}categories = [\"http://id.swedenconnect.se/ec/1.0/loa3-hsaid\"]\nentity_id = \"https://vard.example\"\n{}",
            section("vard", "\"employee_hsa_id\", \"display_name\""),
            section("main", "\"display_name\"")
        );
        let all = with(&file).expect("accepted");
        assert_eq!(all.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["main", "vard"]);
        assert_eq!(all[1].entity_id, "https://vard.example");
        assert_eq!(all[1].metadata_path, "/saml/vard/metadata");
        assert_eq!(all[1].categories.len(), 1);
        let named = with("[saml]\nentity_id = \"https://us.example\"\n").expect("accepted");
        assert_eq!(named[0].entity_id, "https://us.example");
    }

    #[test]
    fn what_cannot_be_is_said() {
        let main = section("main", "");
        for (file, id) in [
            (section("other", ""), "config.service_provider_main"),
            (format!("{main}{main}"), "config.service_provider_twice"),
            (format!("{main}{}", section("A/b", "")), "config.service_provider_name"),
            (section("main", "\"display_nam\""), "config.service_provider_attribute"),
            (
                format!("{main}entity_id = \"x\"\n{}entity_id = \"x\"\n", section("b", "")),
                "config.service_provider_twice",
            ),
            (format!("{main}entity_id = \"\"\n"), "config.service_provider_entity_id"),
            (format!("{main}categorie = []\n"), "config.unknown_key"),
        ] {
            let said = with(&file).expect_err(id);
            assert!(said.contains(id), "{id}: {said}");
        }
        assert!(with(&section("main", "\"display_nam\"")).expect_err("no").contains("`display_name`"));
    }
}
