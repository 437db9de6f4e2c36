//! Which keys there are. An unknown one is refused with its line and the nearest known name.

use toml::de::{DeTable, DeValue};

use super::{Problem, Problems};

/// Every key: dotted path, and what `docs/configuration.md` must mention. A trailing `.*` takes any key below (languages).
pub(crate) const KEYS: &[&str] = &[
    "issuer",
    "listen",
    "keys",
    "state",
    "store.url",
    "store.ca",
    "tls.certificate",
    "tls.key",
    "proxy.trusted",
    "federation.name.*",
    "federation.organisation.*",
    "federation.reviewed",
    "federation.level",
    "federation.notice",
    "federation.accessibility_url",
    "federation.contact",
    "federation.profiles",
    "saml.entity_id",
    "saml.require_signed_response",
    "saml.skew_seconds",
    "saml.service_provider.name",
    "saml.service_provider.entity_id",
    "saml.service_provider.attributes",
    "saml.service_provider.categories",
    "publish.feed",
    "publish.registration_authority",
    "publish.publisher",
    "publish.valid_hours",
    "publish.cache_seconds",
    "pages.directory",
    "limits.connections",
    "limits.header_seconds",
    "limits.request_seconds",
    "limits.login_seconds",
    "limits.connection_seconds",
    "limits.connection_requests",
    "limits.body_megabytes",
    "limits.work_queue",
    "limits.work_milliseconds",
    "limits.client_per_second",
    "limits.guesses_per_minute",
    "limits.begun_per_minute",
    "limits.begun_per_second",
    "limits.answers_per_login",
    "api.enabled",
    "api.requests_per_minute",
    "outbound.allow",
    "outbound.ca",
    "source.name",
    "source.kind",
    "source.url",
    "source.urls",
    "source.keys",
    "source.max_validity_seconds",
    "source.require_valid_until",
    "source.refresh_seconds",
    "source.largest_megabytes",
    "source.by_sha1",
    "source.look_ups_per_minute",
    "source.filters.name",
    "source.filters.keep",
    "source.filters.drop",
    "source.filters.values",
    "source.vouches.organisation_number",
    "source.vouches.scopes",
    "source.vouches.ceiling",
    "source.vouches.may_assert",
    "source.vouches.subject_source",
    "log.format",
];

/// Adds a problem for each key that is not in [`KEYS`], or for a text that is not TOML.
pub(super) fn check_keys(text: &str, problems: &mut Problems) {
    match DeTable::parse(text) {
        Ok(table) => walk(table.get_ref(), "", problems),
        Err(error) => {
            let offset = error.span().map(|span| span.start);
            problems.add(
                Problem::error(
                    "config.not_toml",
                    format!("this is not TOML: {}", error.message()),
                    "Write KEY = \"VALUE\" on a line of its own, and [SECTION] above the keys of a section.",
                )
                .at(offset),
            );
        }
    }
}

fn walk(table: &DeTable<'_>, prefix: &str, problems: &mut Problems) {
    for (key, value) in table {
        let path =
            if prefix.is_empty() { key.get_ref().to_string() } else { format!("{prefix}.{}", key.get_ref()) };
        let known = KEYS
            .iter()
            .any(|known| *known == path || known.strip_suffix(".*").is_some_and(|parent| parent == prefix));
        let is_section = KEYS
            .iter()
            .any(|known| known.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with('.')));
        match value.get_ref() {
            DeValue::Table(inner) if is_section => walk(inner, &path, problems),
            // [[SECTION]]: each by itself.
            DeValue::Array(several) if is_section => {
                for one in several.iter() {
                    if let DeValue::Table(inner) = one.get_ref() {
                        walk(inner, &path, problems);
                    }
                }
            }
            _ if known || is_section => {}
            _ => {
                let nearest = KEYS
                    .iter()
                    .map(|known| known.trim_end_matches(".*"))
                    .min_by_key(|known| strsim::damerau_levenshtein(known, &path))
                    .unwrap_or_default();
                problems.add(
                    Problem::error(
                        "config.unknown_key",
                        format!("there is no key `{path}`"),
                        format!("The nearest is `{nearest}`. `docs/configuration.md` lists them all."),
                    )
                    .at(Some(key.span().start)),
                );
            }
        }
    }
}

/// A value of the wrong type, or a key that is missing.
pub(super) fn wrong_type(error: &toml::de::Error) -> Problem {
    let missing = error.message().starts_with("missing field");
    let fix = if missing {
        "At least issuer, listen, keys and [store] url must be there."
    } else {
        "See `docs/configuration.md` for what the key takes."
    };
    let id = if missing { "config.missing_key" } else { "config.wrong_value" };
    Problem::error(id, error.message().to_owned(), fix).at(error.span().map(|span| span.start))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use broker_core::assurance::{Assurance, AssuranceProfile};

    use super::super::Config;
    use super::KEYS;

    const MINIMAL: &str = "issuer = \"http://localhost:8080\"\nlisten = \"127.0.0.1:8080\"\nkeys = \"keys\"\n\n[store]\nurl = \"embedded:state/registry.redb\"\n";

    fn problems(text: &str) -> String {
        Config::parse(Path::new("sparvidd.toml"), text).expect_err("refused").to_string()
    }

    #[test]
    fn the_minimal_form_is_enough() {
        let config = Config::parse(Path::new("/etc/sparvidd/sparvidd.toml"), MINIMAL).expect("accepted");
        assert_eq!(config.file.keys, Path::new("/etc/sparvidd/keys"));
        assert_eq!(config.file.store.url, "embedded:/etc/sparvidd/state/registry.redb");
        assert_eq!(config.service_providers()[0].entity_id, "http://localhost:8080/saml/metadata");
    }

    #[test]
    fn the_example_to_deploy_is_accepted() {
        let example = include_str!("../../../deploy/sparvidd.toml");
        let config = Config::parse(Path::new("/etc/sparvidd/sparvidd.toml"), example).expect("accepted");
        assert!(config.is_https());
    }

    #[test]
    fn an_unknown_key_is_refused_with_line_and_nearest() {
        let said = problems(&MINIMAL.replace("listen", "lisen"));
        assert!(said.contains("sparvidd.toml:2: error: there is no key `lisen`"), "{said}");
        assert!(said.contains("The nearest is `listen`"), "{said}");
        let said = problems(&format!("{MINIMAL}urll = \"x\"\n"));
        assert!(
            said.contains(":7: error: there is no key `store.urll`") && said.contains("`store.url`"),
            "{said}"
        );
    }

    #[test]
    fn every_unknown_key_is_reported() {
        let said = problems(&format!("{MINIMAL}\n[federation]\nreviewd = true\n[saml]\nentityid = \"x\"\n"));
        assert!(said.contains("federation.reviewd") && said.contains("saml.entityid"), "{said}");
    }

    #[test]
    fn a_missing_key_and_a_wrong_type_are_said() {
        assert!(problems("issuer = \"http://localhost\"").contains("missing field"));
        assert!(problems(&MINIMAL.replace("\"127.0.0.1:8080\"", "8080")).contains(":2:"));
    }

    #[test]
    fn what_is_not_toml_is_refused_with_its_line() {
        assert!(problems("issuer = \n").contains(":1: error: this is not TOML"));
    }

    #[test]
    fn a_row_of_levels_leads_neither_upwards_nor_across() {
        let row = |from: &str, to: &str| {
            format!(
                "{MINIMAL}\n[[federation.level]]\nfrom = \"{from}\"\nto = \"{to}\"\nprofile = \"sweden_connect\"\n"
            )
        };
        let (sambi3, uncertified3) =
            ("http://id.sambi.se/loa/loa3", "http://id.swedenconnect.se/loa/1.0/uncertified-loa3");
        let config = Config::parse(Path::new("x.toml"), &row(sambi3, uncertified3)).expect("accepted");
        let told = Assurance::new(sambi3);
        let leaving = |profile| config.output_map.leaving(&told, profile).map(|level| level.to_string());
        assert_eq!(leaving(AssuranceProfile::SwedenConnect).as_deref(), Some(uncertified3));
        assert_eq!(leaving(AssuranceProfile::Plain).as_deref(), Some(sambi3));
        let said = problems(&row("http://id.elegnamnden.se/loa/1.0/eidas-high", uncertified3));
        assert!(
            said.contains(":8: error: row 1 of [[federation.level]]") && said.contains("config.level"),
            "{said}"
        );
        assert!(
            problems(&row("http://id.sambi.se/loa/loa2", uncertified3))
                .contains("more than the provider said")
        );
        assert!(problems(&row(sambi3, uncertified3).replace("profile", "profil")).contains("profil"));
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        let said = problems(&MINIMAL.replace("http://localhost:8080", "http://login.example"));
        assert!(said.contains("config.issuer_not_https"), "{said}");
        let behind = MINIMAL.replace("http://localhost:8080", "https://login.example");
        assert!(problems(&behind).contains("config.tls_missing"));
        let proxied = format!("{behind}\n[proxy]\ntrusted = [\"127.0.0.1\"]\n");
        assert!(Config::parse(Path::new("x.toml"), &proxied).is_ok());
    }

    #[test]
    fn a_store_url_has_a_known_form() {
        for good in
            ["redis://127.0.0.1:6379/0", "rediss://redis.example", "unix:/run/redis.sock", "embedded:x"]
        {
            assert!(
                Config::parse(Path::new("x.toml"), &MINIMAL.replace("embedded:state/registry.redb", good))
                    .is_ok(),
                "{good}"
            );
        }
        for bad in ["postgres://x", "embedded:", "127.0.0.1:6379"] {
            assert!(
                problems(&MINIMAL.replace("embedded:state/registry.redb", bad)).contains("config.store_url"),
                "{bad}"
            );
        }
    }

    #[test]
    fn the_documentation_mentions_every_key() {
        let page = include_str!("../../../docs/configuration.md");
        for key in KEYS {
            let name = key.trim_end_matches(".*");
            assert!(page.contains(&format!("`{name}`")), "docs/configuration.md does not mention `{name}`");
        }
    }
}
