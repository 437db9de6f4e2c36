//! What a person sees: server-rendered pages that work without JavaScript, in the person's language, under a strict content policy.
//!
//! | file | what |
//! |---|---|
//! | `mod.rs` | [`Pages`]: templates, texts and assets made ready once; [`Html`], what an endpoint answers with |
//! | `choice.rs` `notice.rs` `onward.rs` `error.rs` `start.rs` | one page each: the view it takes, how it is drawn |
//! | `operator.rs` | the pages of the door for operators: their views |
//! | `message.rs` | what a relying party has to say, on the choice and on the notice |
//! | `search.rs` | the forgiving search of the organisation choice |
//! | `text.rs` | the texts of `broker/pages/text`, and which language a person gets |
//! | `asset.rs` | style sheet and scripts, named by content so that they may be cached for ever |
//! | `content_policy.rs` | the Content-Security-Policy of each page |
//! | `local_time.rs` | times as people write them |
//! | `failures_document.rs` | `docs/failures.md`, written from the same texts |
//! | `sample.rs` | one of each page: proves overrides at start, and feeds the tests |
//!
//! Neighbours: `broker/pages` holds templates, styles and texts; `endpoint/` fills the views; `respond.rs` turns [`Html`] into a response.
//! Everything that goes into a template is escaped there; addresses pass [`web_address`] first, since escaping does not tame `javascript:`.

mod asset;
mod choice;
mod content_policy;
mod error;
mod failures_document;
mod local_time;
mod message;
mod notice;
mod onward;
mod operator;
mod operator_sample;
mod operator_trial;
mod sample;
mod search;
mod start;
mod text;

#[cfg(test)]
mod tests;

use std::{path::Path, sync::Arc};

use broker_core::{identifier::Language, moment::Timestamp, organisation::LocalText};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, State, UndefinedBehavior, Value, context, value::Kwargs,
};

pub(crate) use self::{
    asset::Asset,
    choice::{CHOICE_LIMIT, ChoiceRow, ChoiceView},
    error::{ErrorView, http_status},
    failures_document::failures_document,
    message::MessageView,
    notice::{NoticeView, ViewRow},
    onward::{OnwardView, PostFormView},
    operator::{
        BoundRow, EntryView, EventView, FindingGroup, FindingView, HoldView, InvitationView, KeyRow, LineRow,
        May, OperatorMessage, OperatorPage, PartyView, PlaceView, Problem, ProposalRow, ProposalView,
        ProviderCard, ReviewView, SecretView, ServiceCard, SubmitView, Verdict,
    },
    operator_trial::{CheckRow, NamedValue, ReleaseRow, ToldRow, TrialFormView, TrialView},
    search::{Index, SearchEntry, search},
    start::{StartLink, StartView},
    text::{Argument, Reader},
};
use self::{asset::Assets, content_policy::ContentPolicy, text::Texts};
#[cfg(test)]
use self::{error::page_code, onward::UnsafeAddress};

/// The templates by name; an operator's directory may hold a file of the same name instead.
const TEMPLATES: &[(&str, &str)] = &[
    ("base.html", include_str!("../../pages/template/base.html")),
    ("choice.html", include_str!("../../pages/template/choice.html")),
    ("notice.html", include_str!("../../pages/template/notice.html")),
    ("message.html", include_str!("../../pages/template/message.html")),
    ("post_form.html", include_str!("../../pages/template/post_form.html")),
    ("onward.html", include_str!("../../pages/template/onward.html")),
    ("error.html", include_str!("../../pages/template/error.html")),
    ("start.html", include_str!("../../pages/template/start.html")),
    ("not_found.html", include_str!("../../pages/template/not_found.html")),
    ("operator_invitation.html", include_str!("../../pages/template/operator_invitation.html")),
    ("operator_message.html", include_str!("../../pages/template/operator_message.html")),
    ("operator_place.html", include_str!("../../pages/template/operator_place.html")),
    ("operator_submit.html", include_str!("../../pages/template/operator_submit.html")),
    ("operator_finding.html", include_str!("../../pages/template/operator_finding.html")),
    ("operator_holds.html", include_str!("../../pages/template/operator_holds.html")),
    ("operator_review.html", include_str!("../../pages/template/operator_review.html")),
    ("operator_proposal.html", include_str!("../../pages/template/operator_proposal.html")),
    ("operator_try.html", include_str!("../../pages/template/operator_try.html")),
    ("operator_tried.html", include_str!("../../pages/template/operator_tried.html")),
];

/// Whose pages these are: from configuration, shown on every page.
#[derive(Debug, Clone, Default)]
pub(crate) struct Branding {
    /// The federation's name; Spårvidd when there is none.
    pub(crate) federation_name: LocalText,
    /// The accessibility statement (lag 2018:1937), an http(s) address.
    pub(crate) accessibility_url: Option<String>,
    /// Where a person reports what does not work: a mail address or an http(s) address.
    pub(crate) contact: Option<String>,
}

/// A page, ready to be sent as `text/html; charset=utf-8`, never cached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Html {
    /// The document.
    pub(crate) body: String,
    /// The value of its Content-Security-Policy header.
    pub(crate) csp: String,
}

/// A name and a value of a form.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Field {
    /// The control's name.
    pub(crate) name: String,
    /// What it carries. May be a whole signed message: never logged.
    pub(crate) value: String,
}

impl std::fmt::Debug for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Field").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Every problem of the operator's overrides, one a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the page overrides cannot be used:\n- {}", .problems.join("\n- "))]
pub(crate) struct PagesError {
    /// Each names the file, what is wrong and what would be right.
    pub(crate) problems: Vec<String>,
}

/// Templates, texts and assets, made ready once at start.
pub(crate) struct Pages {
    environment: Environment<'static>,
    texts: Arc<Texts>,
    assets: Arc<Assets>,
    branding: Branding,
}

impl std::fmt::Debug for Pages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pages").field("branding", &self.branding).finish_non_exhaustive()
    }
}

impl Pages {
    /// Reads what the operator replaces and proves it by drawing every page in every language.
    ///
    /// `overrides` is a directory that may hold templates by the names of ours, `style.css` (appended to our style sheet) and
    /// texts (`sv.ftl`: replaces single messages of ours; `fi.ftl`: adds a language, whole).
    ///
    /// # Errors
    /// Every problem found: a directory that cannot be read, a file that replaces nothing, a template or text that does not work.
    pub(crate) fn new(overrides: Option<&Path>, branding: Branding) -> Result<Self, PagesError> {
        let mut problems = Vec::new();
        let replaced =
            overrides.map(|directory| read_overrides(directory, &mut problems)).unwrap_or_default();
        let texts = Arc::new(Texts::new(&replaced, &mut problems));
        let style = replaced.iter().find(|(name, _)| name == "style.css").map(|(_, text)| text.as_str());
        let assets = Arc::new(Assets::new(style));
        let environment = environment(&replaced, &texts, &assets, &mut problems);
        let pages = Self { environment, texts, assets, branding };
        if problems.is_empty() {
            problems.extend(pages.prove());
        }
        if problems.is_empty() { Ok(pages) } else { Err(PagesError { problems }) }
    }

    /// The language for a person: what the relying party asks for (`ui_locales`, OpenID Connect Core 3.1.2.1), else what the
    /// browser prefers (`Accept-Language`, RFC 9110 12.5.4), else Swedish. Always one that there are texts in.
    pub(crate) fn negotiate(&self, ui_locales: &[Language], accept_language: Option<&str>) -> Language {
        self.texts.negotiate(ui_locales, accept_language)
    }

    /// The languages that there are pages in, Swedish and English first.
    pub(crate) fn languages(&self) -> Vec<String> {
        let mut tags: Vec<String> =
            self.texts.languages().map(|language| language.as_str().to_owned()).collect();
        tags.sort_by_key(|tag| match tag.as_str() {
            "sv" => (0, String::new()),
            "en" => (1, String::new()),
            other => (2, other.to_owned()),
        });
        tags
    }

    /// What stands at `/assets/{name}`; to be served with `Cache-Control: public, max-age=31536000, immutable`.
    pub(crate) fn asset(&self, name: &str) -> Option<&Asset> {
        self.assets.find(name)
    }

    /// What an attribute is called in the notice.
    pub(crate) fn attribute_label(
        &self,
        language: &Language,
        name: broker_core::attribute::AttributeName,
    ) -> String {
        self.texts.format(language, &format!("attribute-{}", name.key()), None, &[])
    }

    /// A failure's text for one of its readers, for the log's tooling: names are in place, nothing is escaped.
    pub(crate) fn failure_text(
        &self,
        language: &Language,
        code: broker_core::failure::FailureCode,
        reader: Reader,
        service: &str,
        organisation: &str,
    ) -> String {
        let arguments = [
            ("service", Argument::Text(service)),
            ("organisation", Argument::Text(organisation)),
            ("chosen", Argument::Text(organisation)),
        ];
        self.texts.failure(language, code, reader, &arguments)
    }

    fn text(&self, language: &Language, key: &str, arguments: &[(&str, Argument<'_>)]) -> String {
        self.texts.format(language, key, None, arguments)
    }

    /// Draws a template inside the frame of every page.
    fn try_render(
        &self,
        template: &str,
        language: &Language,
        policy: ContentPolicy,
        content: Value,
    ) -> Result<Html, Error> {
        let wanted = std::slice::from_ref(language);
        let federation = self.branding.federation_name.best(wanted).unwrap_or("Spårvidd");
        let contact = self.branding.contact.as_deref().and_then(contact_link);
        let frame = context! {
            lang => language.as_str(),
            federation => clean(federation),
            accessibility_url => self.branding.accessibility_url.as_deref().and_then(web_address),
            contact => contact.map(|(href, text)| context! { href, text }),
        };
        let body = self.environment.get_template(template)?.render(context! { ..content, ..frame })?;
        Ok(Html { body, csp: policy.header() })
    }

    /// As [`Pages::try_render`]. Overrides were proven at start, so what is left is a fault of ours: logged, and the person still
    /// gets a page that says so.
    fn render(&self, template: &str, language: &Language, policy: ContentPolicy, content: Value) -> Html {
        self.try_render(template, language, policy, content).unwrap_or_else(|error| {
            tracing::error!(template, error = %error, "a page could not be drawn");
            Html {
                body: format!(
                    "<!doctype html>\n<html lang=\"{0}\"><head><meta charset=\"utf-8\"><title>{1}</title></head>\
                     <body><h1>{1}</h1><p><a href=\"/\">{2}</a></p></body></html>\n",
                    escape(language.as_str()),
                    escape(&self.text(language, "broken-page", &[])),
                    escape(&self.text(language, "not-found-button", &[])),
                ),
                csp: ContentPolicy::Quiet.header(),
            }
        })
    }

    /// Draws one of each page in each language and tells what went wrong.
    fn prove(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for language in self.texts.languages() {
            for (name, page) in sample::every_page(self, language) {
                if let Err(error) = page {
                    problems.push(format!("{name}.html in {}: {}", language.as_str(), one_line(&error)));
                }
            }
        }
        problems
    }
}

/// Reads the files of the operator's directory that replace something.
fn read_overrides(directory: &Path, problems: &mut Vec<String>) -> Vec<(String, String)> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => {
            problems.push(format!("{}: the directory cannot be read: {error}", directory.display()));
            return Vec::new();
        }
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = match entry {
            Ok(entry) => entry.path(),
            Err(error) => {
                problems.push(format!("{}: {error}", directory.display()));
                continue;
            }
        };
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if name.starts_with('.') {
            continue;
        }
        let is_template = TEMPLATES.iter().any(|(known, _)| *known == name);
        let is_text = name
            .strip_suffix(".ftl")
            .is_some_and(|tag| Language::from_tag(tag).is_some_and(|language| language.as_str() == tag));
        if !is_template && !is_text && name != "style.css" {
            let known: Vec<&str> = TEMPLATES.iter().map(|(known, _)| *known).collect();
            problems.push(format!(
                "{}: replaces nothing; a file here is one of {}, style.css, or texts named by language such as sv.ftl",
                path.display(),
                known.join(", ")
            ));
            continue;
        }
        match std::fs::read_to_string(&path) {
            Ok(text) => files.push((name, text)),
            Err(error) => problems.push(format!("{}: cannot be read: {error}", path.display())),
        }
    }
    files.sort();
    files
}

fn environment(
    replaced: &[(String, String)],
    texts: &Arc<Texts>,
    assets: &Arc<Assets>,
    problems: &mut Vec<String>,
) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_formatter(|out, state, value| match value.as_str() {
        Some(text) if !value.is_safe() => out
            .write_str(&escape(text))
            .map_err(|error| Error::new(ErrorKind::WriteFailure, error.to_string())),
        _ => minijinja::escape_formatter(out, state, value),
    });
    for (name, ours) in TEMPLATES {
        let source = replaced.iter().find(|(file, _)| file == name).map_or(*ours, |(_, text)| text.as_str());
        if let Err(error) = environment.add_template_owned(*name, source.to_owned()) {
            problems.push(format!("{name}: {}", one_line(&error)));
        }
    }
    let texts_of_times = texts;
    let texts = Arc::clone(texts);
    environment.add_function("t", move |state: &State<'_, '_>, key: &str, arguments: Kwargs| {
        translate(&texts, state, key, &arguments)
    });
    let texts = Arc::clone(texts_of_times);
    environment.add_function("date", move |state: &State<'_, '_>, seconds: i64| {
        page_language(state).map(|language| texts.date(&language, Timestamp(seconds)))
    });
    let texts = Arc::clone(texts_of_times);
    environment.add_function("moment", move |state: &State<'_, '_>, seconds: i64| {
        page_language(state).map(|language| texts.time(&language, Timestamp(seconds)))
    });
    let assets = Arc::clone(assets);
    environment.add_function("asset", move |name: &str| {
        assets.path(name).map(str::to_owned).ok_or_else(|| {
            Error::new(ErrorKind::InvalidOperation, format!("there is no asset called {name}"))
        })
    });
    environment
}

/// `t("key", name=value)` in a template: the message in the page's language. A key without a message is an error, so that a
/// replaced template with a slip is found at start.
fn translate(texts: &Texts, state: &State<'_, '_>, key: &str, arguments: &Kwargs) -> Result<String, Error> {
    let language = page_language(state)?;
    if !texts.knows(key) {
        return Err(Error::new(ErrorKind::InvalidOperation, format!("there is no text called {key}")));
    }
    let mut given = Vec::new();
    for name in arguments.args() {
        given.push((name, arguments.get::<Value>(name)?));
    }
    let given: Vec<(&str, Argument<'_>)> = given
        .iter()
        .map(|(name, value)| match (value.as_str(), value.as_i64()) {
            (Some(text), _) => (*name, Argument::Text(text)),
            (None, Some(number)) => (*name, Argument::Number(number)),
            (None, None) => (*name, Argument::Text("")),
        })
        .collect();
    Ok(texts.format(&language, key, None, &given))
}

/// The language of the page that is being drawn.
fn page_language(state: &State<'_, '_>) -> Result<Language, Error> {
    state
        .lookup("lang")
        .and_then(|value| value.as_str().and_then(Language::from_tag))
        .ok_or_else(|| Error::new(ErrorKind::UndefinedError, "the page has no language"))
}

fn one_line(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text.replace('\n', " ")
}

/// Text as HTML, in an element or a quoted attribute. The library's own escaping writes `/` as a reference, too, which helps nobody who reads
/// a page's source or takes an address out of it.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Form fields for a template.
fn fields(fields: &[Field]) -> Vec<Value> {
    fields
        .iter()
        .map(|field| context! { name => field.name.as_str(), value => field.value.as_str() })
        .collect()
}

/// The address, when it is one that a link may carry: http, https, or a path on this host. Addresses come from metadata, and
/// escaping does not tame `javascript:`.
fn web_address(address: &str) -> Option<&str> {
    let scheme_ends = |scheme: &str| {
        address.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            && address.len() > scheme.len()
    };
    let local = address.starts_with('/') && !address.starts_with("//") && !address.starts_with("/\\");
    let printable = !address.chars().any(|character| character.is_control() || character.is_whitespace());
    (printable && (local || scheme_ends("https://") || scheme_ends("http://"))).then_some(address)
}

/// A link and its text out of what an operator gives as contact: a web address, else a mail address.
fn contact_link(contact: &str) -> Option<(String, String)> {
    if let Some(address) = web_address(contact) {
        return Some((address.to_owned(), address.to_owned()));
    }
    let mail = contact.strip_prefix("mailto:").unwrap_or(contact);
    mail_address(mail).map(|href| (href, mail.to_owned()))
}

/// `mailto:` of a plain mail address; `None` for anything that could smuggle a header or a second recipient.
fn mail_address(mail: &str) -> Option<String> {
    let (local, domain) = mail.split_once('@')?;
    let plain = |part: &str| {
        !part.is_empty()
            && part.chars().all(|character| character.is_alphanumeric() || "._+-'".contains(character))
    };
    (plain(local) && plain(domain)).then(|| format!("mailto:{mail}"))
}

/// A name without the characters that could make a page say something else: controls, and those that turn the writing direction
/// (Unicode TR 36 section 2.10).
fn clean(text: &str) -> String {
    text.chars().filter(|character| !character.is_control() && !is_turning(*character)).collect()
}

/// Whether a character turns the writing direction.
fn is_turning(character: char) -> bool {
    matches!(character,
        '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
