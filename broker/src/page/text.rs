//! The texts, in Project Fluent's format, and which language a person gets.
//!
//! `broker/pages/text/{sv,en}.ftl` is what employees read; `failures.{sv,en}.ftl` is what the provider's operator and the relying party
//! read of the same failures (in the log's tooling and `docs/failures.md`).

use std::collections::BTreeMap;

use broker_core::{failure::FailureCode, identifier::Language, moment::Timestamp};
use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use unic_langid::LanguageIdentifier;

use super::local_time;

type Bundle = FluentBundle<FluentResource>;

/// The language that has every text, and that others fall back on.
const FALLBACK: &str = "sv";

/// Ours: tag, what employees read, what the other two readers read.
pub(super) const OURS: &[(&str, &str, &str)] = &[
    ("sv", include_str!("../../pages/text/sv.ftl"), include_str!("../../pages/text/failures.sv.ftl")),
    ("en", include_str!("../../pages/text/en.ftl"), include_str!("../../pages/text/failures.en.ftl")),
];

/// What operators read on the pages behind an invitation: tag and texts. There in these languages alone, as the rules that the pages tell of are.
pub(super) const OPERATORS: &[(&str, &str)] = &[
    ("sv", include_str!("../../pages/text/operator.sv.ftl")),
    ("en", include_str!("../../pages/text/operator.en.ftl")),
];

/// What a message is given to speak of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Argument<'a> {
    /// A name or another text.
    Text(&'a str),
    /// A count.
    Number(i64),
}

/// Who reads a failure's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// The person who signs in: the heading.
    EmployeeTitle,
    /// The person who signs in: what happened.
    EmployeeWhat,
    /// The person who signs in: what to do now.
    EmployeeNext,
    /// Who runs the identity provider.
    ProviderOperator,
    /// Who runs or builds the relying party.
    RelyingParty,
}

impl Reader {
    /// Every text that a failure has.
    #[cfg(test)]
    pub(crate) const ALL: &[Self] = &[
        Self::EmployeeTitle,
        Self::EmployeeWhat,
        Self::EmployeeNext,
        Self::ProviderOperator,
        Self::RelyingParty,
    ];

    /// Message prefix and attribute.
    pub(super) fn place(self) -> (&'static str, &'static str) {
        match self {
            Self::EmployeeTitle => ("failure", "title"),
            Self::EmployeeWhat => ("failure", "what"),
            Self::EmployeeNext => ("failure", "next"),
            Self::ProviderOperator => ("operators", "provider"),
            Self::RelyingParty => ("operators", "relying_party"),
        }
    }
}

/// Texts in every language.
pub(super) struct Texts {
    bundles: BTreeMap<Language, Bundle>,
}

impl Texts {
    /// Ours, with the operator's files over them: single messages of a language of ours, or a whole new language.
    pub(super) fn new(replaced: &[(String, String)], problems: &mut Vec<String>) -> Self {
        let mut texts = Self { bundles: BTreeMap::new() };
        for (tag, employees, operators) in OURS {
            texts.add(tag, &format!("{tag}.ftl"), employees, problems);
            texts.add(tag, &format!("failures.{tag}.ftl"), operators, problems);
        }
        for (tag, text) in OPERATORS {
            texts.add(tag, &format!("operator.{tag}.ftl"), text, problems);
        }
        let ours = OURS.iter().map(|(_, text, _)| text).chain(OPERATORS.iter().map(|(_, text)| text));
        let ours: Vec<String> = ours.flat_map(|text| message_keys(text)).collect();
        for (file, text) in replaced {
            let Some(tag) = file.strip_suffix(".ftl") else { continue };
            let keys = message_keys(text);
            for key in keys.iter().filter(|key| !ours.contains(key)) {
                problems.push(format!("{file}: there is no text called {key} to replace"));
            }
            let is_new = !OURS.iter().any(|(known, _, _)| known == &tag);
            if is_new {
                let fallback = OURS.iter().find(|(known, _, _)| *known == FALLBACK);
                let wanted = fallback.map(|(_, text, _)| message_keys(text)).unwrap_or_default();
                for key in wanted.iter().filter(|key| !keys.contains(key)) {
                    problems.push(format!("{file}: a new language has every text; {key} is missing"));
                }
            }
            texts.add(tag, file, text, problems);
        }
        texts
    }

    fn add(&mut self, tag: &str, file: &str, text: &str, problems: &mut Vec<String>) {
        let (Some(language), Ok(locale)) = (Language::from_tag(tag), tag.parse::<LanguageIdentifier>())
        else {
            problems.push(format!("{file}: {tag} is not a language"));
            return;
        };
        let resource = match FluentResource::try_new(text.to_owned()) {
            Ok(resource) => resource,
            Err((_, errors)) => {
                for error in errors {
                    let line =
                        text.get(..error.pos.start).map_or(0, |before| before.matches('\n').count()) + 1;
                    problems.push(format!("{file}, line {line}: {error}"));
                }
                return;
            }
        };
        let bundle = self.bundles.entry(language).or_insert_with(|| {
            let mut bundle = Bundle::new_concurrent(vec![locale]);
            // Names are cleaned of direction marks before they come here, and page titles and the log want none.
            bundle.set_use_isolating(false);
            bundle
        });
        bundle.add_resource_overriding(resource);
    }

    /// The languages that there are texts in.
    pub(super) fn languages(&self) -> impl Iterator<Item = &Language> {
        self.bundles.keys()
    }

    /// Whether there is such a message.
    pub(super) fn knows(&self, key: &str) -> bool {
        self.bundles.values().any(|bundle| bundle.has_message(key))
    }

    /// The message (or one attribute of it) in a language, else in Swedish; the key itself when there is none, which the tests and
    /// the proof at start keep from happening.
    pub(super) fn format(
        &self,
        language: &Language,
        key: &str,
        attribute: Option<&str>,
        arguments: &[(&str, Argument<'_>)],
    ) -> String {
        let fallback = Language::from_tag(FALLBACK);
        [Some(language), fallback.as_ref()]
            .into_iter()
            .flatten()
            .filter_map(|language| self.bundles.get(language))
            .find_map(|bundle| format_in(bundle, key, attribute, arguments))
            .unwrap_or_else(|| {
                tracing::error!(key, attribute, "a text is missing");
                key.to_owned()
            })
    }

    /// A failure's text for one of its readers.
    pub(super) fn failure(
        &self,
        language: &Language,
        code: FailureCode,
        reader: Reader,
        arguments: &[(&str, Argument<'_>)],
    ) -> String {
        let (prefix, attribute) = reader.place();
        self.format(language, &failure_key(prefix, code), Some(attribute), arguments)
    }

    /// `22 november 2026 kl. 09.30`, in Swedish local time; RFC 3339 for a time that no wall clock shows.
    pub(super) fn time(&self, language: &Language, at: Timestamp) -> String {
        let Some(time) = local_time::swedish(at) else { return at.to_rfc3339() };
        let month = self.format(language, &format!("month-{}", time.month), None, &[]);
        self.format(
            language,
            "time",
            None,
            &[
                ("year", Argument::Text(&time.year)),
                ("month", Argument::Text(&month)),
                ("day", Argument::Text(&time.day.to_string())),
                ("hour", Argument::Text(&time.hour)),
                ("minute", Argument::Text(&time.minute)),
            ],
        )
    }

    /// `22 november 2026`, in Swedish local time; RFC 3339 for a time that no wall calendar shows.
    pub(super) fn date(&self, language: &Language, at: Timestamp) -> String {
        let Some(time) = local_time::swedish(at) else { return at.to_rfc3339() };
        let month = self.format(language, &format!("month-{}", time.month), None, &[]);
        self.format(
            language,
            "operator-date",
            None,
            &[
                ("year", Argument::Text(&time.year)),
                ("month", Argument::Text(&month)),
                ("day", Argument::Text(&time.day.to_string())),
            ],
        )
    }

    /// The language that a browser prefers (RFC 9110 12.5.4) among some, else the first of these.
    pub(super) fn negotiate_among(&self, tags: &[&str], accept_language: Option<&str>) -> Language {
        let wanted = accepted(accept_language.unwrap_or_default());
        wanted
            .into_iter()
            .find(|language| tags.contains(&language.as_str()) && self.bundles.contains_key(language))
            .or_else(|| tags.iter().find_map(|tag| Language::from_tag(tag)))
            .unwrap_or_else(|| self.negotiate(&[], None))
    }

    /// See [`super::Pages::negotiate`].
    pub(super) fn negotiate(&self, ui_locales: &[Language], accept_language: Option<&str>) -> Language {
        let known = |language: &Language| self.bundles.contains_key(language);
        ui_locales
            .iter()
            .find(|language| known(language))
            .cloned()
            .or_else(|| accepted(accept_language.unwrap_or_default()).into_iter().find(known))
            .or_else(|| Language::from_tag(FALLBACK))
            .or_else(|| self.bundles.keys().next().cloned())
            .unwrap_or_else(|| unreachable!("`sv` is a language tag"))
    }
}

fn format_in(
    bundle: &Bundle,
    key: &str,
    attribute: Option<&str>,
    arguments: &[(&str, Argument<'_>)],
) -> Option<String> {
    let message = bundle.get_message(key)?;
    let pattern = match attribute {
        None => message.value()?,
        Some(name) => message.get_attribute(name)?.value(),
    };
    let mut given = FluentArgs::with_capacity(arguments.len());
    for (name, value) in arguments {
        match value {
            Argument::Text(text) => given.set(*name, FluentValue::from(*text)),
            Argument::Number(number) => given.set(*name, FluentValue::from(*number)),
        }
    }
    let mut errors = Vec::new();
    let text = bundle.format_pattern(pattern, Some(&given), &mut errors).into_owned();
    if !errors.is_empty() {
        tracing::warn!(key, attribute, errors = errors.len(), "a text wants what it was not given");
    }
    Some(text)
}

/// The message of a failure: `failure-provider-signature_invalid`.
pub(super) fn failure_key(prefix: &str, code: FailureCode) -> String {
    format!("{prefix}-{}", code.as_str().replace('.', "-"))
}

/// The names of the messages in a file. A line that begins with a letter begins a message in Fluent's grammar.
pub(super) fn message_keys(text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| line.starts_with(|first: char| first.is_ascii_alphabetic()))
        .filter_map(|line| line.split_once('=').map(|(key, _)| key.trim().to_owned()))
        .collect()
}

/// The languages of an Accept-Language header, best first (RFC 9110 12.5.4); at most 20 are looked at, weight 0 is a refusal.
fn accepted(header: &str) -> Vec<Language> {
    let mut wanted: Vec<(u32, Language)> = header
        .split(',')
        .take(20)
        .filter_map(|part| {
            let mut pieces = part.split(';');
            let language = Language::from_tag(pieces.next()?.trim())?;
            let weight = match pieces.next().map(str::trim) {
                None => 1000,
                Some(parameter) => thousandths(parameter.strip_prefix("q=")?.trim())?,
            };
            (weight > 0).then_some((weight, language))
        })
        .collect();
    // Stable: what is named first of two equals is preferred.
    wanted.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    wanted.into_iter().map(|(_, language)| language).collect()
}

/// `0.8` as 800; `None` for what is not a weight.
fn thousandths(weight: &str) -> Option<u32> {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u32 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use broker_core::{identifier::Language, moment::Timestamp};

    use super::Texts;

    fn texts() -> Texts {
        let mut problems = Vec::new();
        let texts = Texts::new(&[], &mut problems);
        assert_eq!(problems, Vec::<String>::new());
        texts
    }

    fn language(tag: &str) -> Language {
        Language::from_tag(tag).expect("a language")
    }

    #[test]
    fn the_relying_party_chooses_before_the_browser() {
        let texts = texts();
        let negotiate = |ui: &[&str], header: Option<&str>| {
            let ui: Vec<Language> = ui.iter().map(|tag| language(tag)).collect();
            texts.negotiate(&ui, header).as_str().to_owned()
        };
        assert_eq!(negotiate(&["en"], Some("sv")), "en");
        assert_eq!(negotiate(&["de", "en"], Some("sv")), "en");
        assert_eq!(negotiate(&["de"], Some("en-GB,sv;q=0.5")), "en");
        assert_eq!(negotiate(&[], Some("de, en;q=0.4, sv-FI;q=0.7")), "sv");
        assert_eq!(negotiate(&[], Some("de")), "sv");
        assert_eq!(negotiate(&[], Some("sv;q=0, en;q=0.1")), "en");
        assert_eq!(negotiate(&[], Some("en;q=2, *;;q=, ,,\u{0}")), "sv");
        assert_eq!(negotiate(&[], None), "sv");
    }

    #[test]
    fn times_as_people_write_them() {
        let texts = texts();
        let at = Timestamp::from_rfc3339("2026-11-22T08:05:00Z").expect("a time");
        assert_eq!(texts.time(&language("sv"), at), "22 november 2026 kl. 09.05");
        assert_eq!(texts.time(&language("en"), at), "22 November 2026 at 09:05 (Swedish time)");
    }
}
