//! What the options of `sparvidd metadata add` take, read from their words.

use std::collections::BTreeSet;

use broker_core::{
    assurance::{Assurance, AssuranceProfile},
    attribute::AttributeName,
    authority::Narrowing,
    identifier::ProviderId,
    organisation::OrganisationNumber,
    subject::SubjectSource,
};
use metadata::settings::OidcProfile;

/// What a provider's subject identifiers are made from.
pub(super) fn subject_source(text: &str) -> Result<SubjectSource, String> {
    SubjectSource::from_key(text).filter(|source| *source != SubjectSource::OidcSub).ok_or_else(|| {
        let all: Vec<&str> = SubjectSource::ALL.iter().map(|source| source.key()).collect();
        format!("choose one of {}", all.join(", "))
    })
}

/// An organisation number.
pub(in crate::command) fn number(text: &str) -> Result<OrganisationNumber, String> {
    OrganisationNumber::parse(text)
        .ok_or_else(|| format!("{text} is no organisation number: ten digits, the last a check digit"))
}

/// One attribute, by its key.
pub(in crate::command) fn attribute(text: &str) -> Result<AttributeName, String> {
    AttributeName::from_key(text).ok_or_else(|| {
        let nearest =
            AttributeName::ALL.iter().min_by_key(|name| strsim::damerau_levenshtein(name.key(), text));
        format!("there is no attribute {text}; the nearest is {}", nearest.map_or("", |name| name.key()))
    })
}

/// Which rules a relying party lives by.
pub(super) fn profile(text: &str) -> Result<OidcProfile, String> {
    serde_json::from_value(serde_json::Value::String(text.to_owned()))
        .map_err(|_| "choose standard or swedish".to_owned())
}

/// Whose words for levels a relying party understands.
pub(super) fn assurance_profile(text: &str) -> Result<AssuranceProfile, String> {
    AssuranceProfile::from_key(text).ok_or_else(|| {
        let all: Vec<&str> = AssuranceProfile::ALL.iter().map(|profile| profile.key()).collect();
        format!("choose one of {}", all.join(", "))
    })
}

/// All `--narrow` together; `None` when there is none.
pub(super) fn narrowing(words: &[String]) -> Result<Option<Narrowing>, String> {
    let mut narrowing = Narrowing::default();
    let mut said = BTreeSet::new();
    for word in words.iter().filter(|word| *word != "none") {
        let (what, values) =
            word.split_once('=').ok_or_else(|| format!("--narrow {word}: write WHAT=VALUES"))?;
        let values: Vec<&str> = values.split(',').map(str::trim).filter(|value| !value.is_empty()).collect();
        if !said.insert(what) {
            return Err(format!(
                "--narrow {what} stands twice: write all its values in one, with commas between"
            ));
        }
        let texts = || values.iter().map(|value| (*value).to_owned()).collect();
        match what {
            "scopes" => narrowing.scopes = Some(texts()),
            "hsa_prefixes" => narrowing.hsa_prefixes = Some(texts()),
            "may_assert" => {
                narrowing.may_assert =
                    Some(values.iter().map(|name| attribute(name)).collect::<Result<_, _>>()?);
            }
            "ceiling" => narrowing.ceiling = Some(values.iter().map(|uri| Assurance::new(*uri)).collect()),
            _ => {
                return Err(format!(
                    "--narrow {word}: {what} is not one of scopes, hsa_prefixes, may_assert, ceiling"
                ));
            }
        }
    }
    if words.len() > 1 && words.iter().any(|word| word == "none") {
        return Err("--narrow none stands alone".to_owned());
    }
    Ok((!words.is_empty()).then_some(narrowing))
}

/// All `--behind` together; `None` when there is none, so that what was registered stays. `none` alone takes all away: who is believed to speak for
/// others must be able to lose that.
pub(super) fn behind(words: &[String]) -> Result<Option<BTreeSet<ProviderId>>, String> {
    match words {
        [] => Ok(None),
        [only] if only == "none" => Ok(Some(BTreeSet::new())),
        several if several.iter().any(|word| word == "none") => Err("--behind none stands alone".to_owned()),
        several => Ok(Some(several.iter().map(|id| ProviderId::from(id.as_str())).collect())),
    }
}

#[cfg(test)]
mod tests {
    use broker_core::{attribute::AttributeName, authority::Narrowing};

    use super::{behind, narrowing};

    fn of(words: &[&str]) -> Result<Option<Narrowing>, String> {
        narrowing(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_narrowing_is_what_its_words_say() {
        assert_eq!(of(&[]), Ok(None), "what was chosen earlier stays");
        assert_eq!(of(&["none"]), Ok(Some(Narrowing::default())));
        let both = of(&["scopes=a.example, b.example", "may_assert="]).expect("read").expect("there");
        assert_eq!(both.scopes, Some(["a.example".to_owned(), "b.example".to_owned()].into()));
        assert_eq!(both.may_assert, Some([].into()), "an empty list is nothing at all");
        assert_eq!(both.hsa_prefixes, None);
        let named = of(&["may_assert=date_of_birth"]).expect("read").expect("there");
        assert_eq!(named.may_assert, Some([AttributeName::DateOfBirth].into()));
    }

    #[test]
    fn a_word_that_is_none_is_refused() {
        for wrong in [
            &["scopes"][..],
            &["scope=a.example"],
            &["may_assert=dateofbirth"],
            &["none", "scopes=a.example"],
            &["scopes=a.example", "scopes=b.example"],
        ] {
            assert!(of(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn who_stands_behind_a_provider_can_be_taken_away() {
        let of = |words: &[&str]| behind(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&[]), Ok(None), "what was registered stays");
        assert_eq!(of(&["none"]), Ok(Some([].into())));
        let two = of(&["https://a.example", "https://b.example"]).expect("read").expect("there");
        assert_eq!(two.len(), 2);
        assert!(of(&["none", "https://a.example"]).is_err());
    }
}
