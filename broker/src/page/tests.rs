//! What holds for every page: well-formed, escaped, nothing inline, titled, small, in the right language; and for every text.

use std::{collections::BTreeSet, path::Path};

use broker_core::{
    attribute::AttributeName,
    failure::FailureCode,
    identifier::{Language, Reference},
    moment::Timestamp,
    organisation::{LocalText, Logo, SupportContact},
};

use super::{
    Branding, ChoiceRow, ChoiceView, ErrorView, Field, Html, NoticeView, OnwardView, Pages, PostFormView,
    Reader, UnsafeAddress, ViewRow, failures_document, http_status, page_code, sample,
    text::{OURS, failure_key, message_keys},
    web_address,
};

pub(super) const HOSTILE: &str = "\"><script>alert(1)</script>'&\u{202e}";

pub(super) fn language(tag: &str) -> Language {
    Language::from_tag(tag).expect("a language")
}

pub(super) fn pages() -> Pages {
    let name = [("sv", "Tjänste-id Norr"), ("en", "Service ID North")];
    let branding = Branding {
        federation_name: LocalText(
            name.into_iter().map(|(tag, text)| (language(tag), text.to_owned())).collect(),
        ),
        accessibility_url: Some("https://federation.example/tillganglighet".to_owned()),
        contact: Some("hjalp@federation.example".to_owned()),
    };
    Pages::new(None, branding).expect("our own pages work")
}

fn error_page(pages: &Pages, tag: &str, code: FailureCode, named: bool) -> Html {
    let reference = Reference::from_random([19, 7, 22, 15, 2, 9, 20, 29, 4, 25]);
    pages.error(
        &language(tag),
        &ErrorView {
            code,
            reference: &reference,
            relying_party: named.then_some("Vårdplaneringen"),
            organisation: named.then_some("Granviks kommun"),
            support: None,
            chosen: None,
            onward: None,
            restart: named.then_some("https://vard.example/login"),
            answers: false,
            at: Timestamp(1_795_336_200),
        },
    )
}

/// Every sample page, every failure page, in both languages: (what, language, page).
fn every_page(pages: &Pages) -> Vec<(String, &'static str, Html)> {
    let mut all = Vec::new();
    for tag in ["sv", "en"] {
        for (at, (name, page)) in sample::every_page(pages, &language(tag)).into_iter().enumerate() {
            all.push((format!("{at:02}-{name}"), tag, page.expect("a sample page")));
        }
        for code in FailureCode::ALL {
            for named in [true, false] {
                all.push((format!("{code}-{named}"), tag, error_page(pages, tag, *code, named)));
            }
        }
    }
    all
}

/// What is wrong with the nesting and quoting of a document, if anything. Knows what our templates use: void elements, quoted attributes,
/// attributes without value.
pub(super) fn malformed(document: &str) -> Option<String> {
    const VOID: &[&str] = &["meta", "link", "input", "br", "img"];
    let mut open: Vec<&str> = Vec::new();
    let mut rest = document.strip_prefix("<!doctype html>")?;
    while let Some(at) = rest.find('<') {
        if rest[..at].contains('>') {
            return Some(format!("a bare > in {:?}", &rest[..at]));
        }
        rest = &rest[at + 1..];
        let mut quoted = false;
        let Some(end) = rest.find(|character| {
            quoted ^= character == '"';
            character == '>' && !quoted
        }) else {
            return Some("an open tag".to_owned());
        };
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        if tag.starts_with('/') {
            if open.pop() != Some(name) {
                return Some(format!("</{name}> closes something else"));
            }
        } else if !VOID.contains(&name) && !tag.ends_with('/') {
            open.push(name);
        }
        if tag.matches('"').count() % 2 != 0 || tag.contains('\'') || tag.contains('<') {
            return Some(format!("<{tag}> is badly quoted"));
        }
    }
    (!open.is_empty()).then(|| format!("never closed: {open:?}"))
}

#[test]
fn the_checker_sees_what_is_wrong() {
    assert_eq!(malformed("<!doctype html><p class=\"a\">x<br></p>"), None);
    for bad in ["<p>", "<!doctype html><p><a></p></a>", "<!doctype html><p", "<!doctype html><p>"] {
        assert!(malformed(bad).is_some() || !bad.starts_with("<!doctype"), "{bad}");
    }
}

#[test]
fn every_page_is_well_formed_small_titled_and_has_nothing_inline() {
    let pages = pages();
    for (name, tag, page) in every_page(&pages) {
        let body = &page.body;
        assert_eq!(malformed(body), None, "{name} {tag}\n{body}");
        assert!(body.len() < 60 * 1024, "{name} is {} octets", body.len());
        assert!(body.contains(&format!("<html lang=\"{tag}\">")), "{name}");
        let whose =
            if tag == "sv" { " – Tjänste-id Norr</title>" } else { " – Service ID North</title>" };
        assert!(body.contains(whose), "{name}");
        assert!(!body.contains("<title> –"), "{name} has an empty title");
        for inline in ["<style", " style=", " onclick", " onload", "javascript:", "<script>", "{$", "{ $"] {
            assert!(!body.contains(inline), "{name} has {inline}");
        }
        assert_eq!(body.matches("<h1").count(), 1, "{name}");
        assert!(body.contains("https://federation.example/tillganglighet"), "{name}");
        assert!(body.contains("mailto:hjalp@federation.example"), "{name}");
        for script in body.split("<script ").skip(1) {
            assert!(script.starts_with("src=\"/assets/"), "{name}");
        }
        for own in ["src=\"", "stylesheet\" href=\""] {
            for address in body.split(own).skip(1) {
                let address = address.split('"').next().unwrap_or_default();
                // minijinja escapes the slash.
                if address.replace("&#x2f;", "/").starts_with("/logo/") {
                    continue;
                }
                let file = address.strip_prefix("/assets/").expect("our own asset");
                assert!(pages.asset(file).is_some(), "{name}: {address}");
            }
        }
    }
}

#[test]
fn every_page_but_the_post_form_says_where_forms_go() {
    let pages = pages();
    for (name, _, page) in every_page(&pages) {
        assert!(page.csp.starts_with("default-src 'none'; style-src 'self';"), "{name}");
        for always in ["base-uri 'none'", "frame-ancestors 'none'"] {
            assert!(page.csp.contains(always), "{name}");
        }
        assert!(!page.csp.contains("unsafe"), "{name}");
        assert_eq!(page.csp.contains("form-action"), !name.ends_with("post_form"), "{name}: {}", page.csp);
        let has_script = page.body.contains("<script");
        assert_eq!(page.csp.contains("script-src"), has_script, "{name}: {}", page.csp);
    }
}

#[test]
fn hostile_names_and_values_are_text() {
    let pages = pages();
    let sv = language("sv");
    let hidden = [Field { name: HOSTILE.to_owned(), value: HOSTILE.to_owned() }];
    let rows = [ChoiceRow {
        name: HOSTILE.to_owned(),
        other_names: vec![HOSTILE.to_owned()],
        href: format!("/choice?{}", "\"><script>"),
        logo: Some(Logo { document: HOSTILE.to_owned(), width: 1, height: 1 }),
    }];
    let told = [ViewRow { name: AttributeName::Mail, values: vec![HOSTILE.to_owned()], essential: true }];
    let reference = Reference::from_random([0; 10]);
    let support = SupportContact {
        email: Some("a@b.example?bcc=x@evil.example".to_owned()),
        telephone: Some(HOSTILE.to_owned()),
        url: Some("javascript:alert(1)".to_owned()),
    };
    let drawn = [
        pages.choice(
            &sv,
            &ChoiceView {
                relying_party: HOSTILE,
                message: None,
                organisations: &rows,
                query: HOSTILE,
                total: 1,
                search_action: HOSTILE,
                hidden: &hidden,
                all_href: HOSTILE,
                cancel_href: "javascript:alert(1)",
            },
        ),
        pages.notice(
            &sv,
            &NoticeView {
                message: None,
                relying_party: HOSTILE,
                relying_party_organisation: Some(HOSTILE),
                organisation: HOSTILE,
                rows: &told,
                privacy_url: Some("javascript:alert(1)"),
                action: HOSTILE,
                hidden: &hidden,
            },
        ),
        pages
            .post_form(
                &sv,
                &PostFormView {
                    action: "https://idp.example/\"><script>",
                    fields: &hidden,
                    destination_name: HOSTILE,
                },
            )
            .expect("an https address"),
        pages.error(
            &sv,
            &ErrorView {
                code: FailureCode::AttributeMissing,
                reference: &reference,
                relying_party: Some(HOSTILE),
                organisation: Some(HOSTILE),
                support: Some(&support),
                chosen: None,
                onward: None,
                restart: Some("javascript:alert(1)"),
                answers: false,
                at: Timestamp(i64::MAX),
            },
        ),
    ];
    for page in drawn {
        assert_eq!(malformed(&page.body), None, "{}", page.body);
        for bad in ["<script>", "javascript:", "bcc=x@evil.example\"", "href=\"mailto:a@b.example?"] {
            assert!(!page.body.contains(bad), "{bad} in {}", page.body);
        }
        assert!(page.body.contains("&lt;script&gt;"));
    }
}

#[test]
fn a_name_cannot_turn_the_writing_direction() {
    let page = error_page(&pages(), "sv", FailureCode::ProviderDenied, true);
    assert!(page.body.contains("Granviks kommun"));
    assert_eq!(super::clean("Granvik\u{202e}nommok\u{2066}\u{0}"), "Granviknommok");
}

#[test]
fn a_browser_is_sent_to_web_addresses_alone() {
    let pages = pages();
    let sv = language("sv");
    for bad in
        ["javascript:alert(1)", "data:text/html,x", "//evil.example", "/\\evil.example", "https://", "", "x"]
    {
        assert_eq!(web_address(bad), None, "{bad}");
        let onward = pages.onward(&sv, &OnwardView { href: bad, destination_name: "x" });
        assert_eq!(onward, Err(UnsafeAddress), "{bad}");
        let form = pages.post_form(&sv, &PostFormView { action: bad, fields: &[], destination_name: "x" });
        assert_eq!(form, Err(UnsafeAddress), "{bad}");
    }
    for good in ["https://a.example/b?c=d&e", "http://localhost:8080/", "HTTPS://A.EXAMPLE", "/choice"] {
        assert_eq!(web_address(good), Some(good));
    }
}

#[test]
fn onward_goes_by_itself_and_by_a_link() {
    let page = pages()
        .onward(
            &language("sv"),
            &OnwardView {
                href: "https://vard.example/cb?code=a&state=b",
                destination_name: "Vårdplaneringen",
            },
        )
        .expect("a page");
    let href = "https://vard.example/cb?code=a&amp;state=b";
    assert!(page.body.contains(&format!("<meta http-equiv=\"refresh\" content=\"0; url={href}\">")));
    assert!(
        page.body.contains(&format!("<a class=\"first\" href=\"{href}\">Fortsätt till Vårdplaneringen</a>"))
    );
}

#[test]
fn the_notice_posts_a_decision_and_shows_what_leaves() {
    let rows = [
        ViewRow { name: AttributeName::DisplayName, values: vec!["Alva".to_owned()], essential: true },
        ViewRow { name: AttributeName::Mail, values: vec!["a@b.example".to_owned()], essential: false },
    ];
    let page = pages().notice(
        &language("sv"),
        &NoticeView {
            message: None,
            relying_party: "Vårdplaneringen",
            relying_party_organisation: Some("Region Norrån"),
            organisation: "Granviks kommun",
            rows: &rows,
            privacy_url: None,
            action: "/notice",
            hidden: &[Field { name: "login".to_owned(), value: "7".to_owned() }],
        },
    );
    for part in [
        "name=\"decision\" value=\"accept\">Fortsätt till Vårdplaneringen<",
        "name=\"decision\" value=\"decline\">Avbryt<",
        "name=\"login\" value=\"7\"",
        "method=\"post\"",
        "<dt>Namn <span class=\"tag\">krävs</span></dt>",
        "<dt>E-postadress</dt>",
        "<dd>Alva</dd>",
        "Region Norrån",
    ] {
        assert!(page.body.contains(part), "{part} in {}", page.body);
    }
}

#[test]
fn the_choice_counts_limits_and_never_ends_dead() {
    let pages = pages();
    let rows: Vec<ChoiceRow> = (0..5_000)
        .map(|at| ChoiceRow {
            name: format!("Kommun nummer {at} med ett ganska långt namn för säkerhets skull"),
            other_names: vec!["Municipality with a rather long name to be on the safe side".to_owned()],
            href: format!("/choice?provider={at}&login=0123456789abcdef0123456789abcdef"),
            logo: None,
        })
        .collect();
    let view = ChoiceView {
        relying_party: "Vårdplaneringen",
        message: None,
        organisations: &rows,
        query: "",
        total: rows.len(),
        search_action: "/choice",
        hidden: &[],
        all_href: "/choice",
        cancel_href: "/choice/cancel",
    };
    let page = pages.choice(&language("sv"), &view);
    assert!(page.body.len() < 60 * 1024, "{} octets", page.body.len());
    assert!(page.body.contains("Här är 50 av"), "the rest is found by searching");
    let few =
        pages.choice(&language("sv"), &ChoiceView { organisations: &rows[..1], total: 1, ..view.clone() });
    assert!(few.body.contains(">1 organisation<"));
    let none = ChoiceView { organisations: &[], total: 0, query: "xyzzy", ..view };
    let none = pages.choice(&language("sv"), &none);
    for part in ["Ingen organisation med det namnet", "Visa alla organisationer", "Avbryt och gå tillbaka"] {
        assert!(none.body.contains(part), "{part}");
    }
}

#[test]
fn a_failure_page_has_a_button_that_continues_before_its_details() {
    let pages = pages();
    for code in FailureCode::ALL {
        for (named, href) in [(true, "https://vard.example/login"), (false, "/")] {
            let page = error_page(&pages, "sv", *code, named);
            let button = page.body.find(&format!("<a class=\"first\" href=\"{href}\">")).expect("a button");
            let details = page.body.find("<code>").expect("details");
            assert!(button < details, "{code}");
            assert!(page.body.contains(&format!("<code>{}</code>", page_code(*code))), "{code}");
            assert!(page.body.contains("22 november 2026 kl."), "{code}");
        }
        let status = http_status(*code);
        assert!((400..=503).contains(&status), "{code}");
    }
}

#[test]
fn cryptographic_failures_look_alike() {
    let pages = pages();
    let seen: BTreeSet<String> = [
        FailureCode::SignatureMissing,
        FailureCode::SignatureInvalid,
        FailureCode::SignatureAlgorithm,
        FailureCode::Undecryptable,
    ]
    .into_iter()
    .map(|code| format!("{} {}", http_status(code), error_page(&pages, "sv", code, true).body))
    .collect();
    assert_eq!(seen.len(), 1);
}

#[test]
fn without_names_a_page_speaks_of_the_service_with_a_capital_where_a_sentence_begins() {
    let page = error_page(&pages(), "en", FailureCode::RelyingPartySuspended, false);
    assert!(page.body.contains("cannot sign in to the service this way"), "{}", page.body);
    assert!(!page.body.contains("<p class=\"lead\">the service"));
}

#[test]
fn every_failure_has_the_text_of_each_reader_in_each_language() {
    let pages = pages();
    let mut counted = 0;
    for (tag, employees, operators) in OURS {
        for code in FailureCode::ALL {
            for reader in Reader::ALL {
                let (prefix, attribute) = reader.place();
                let source = if prefix == "failure" { employees } else { operators };
                let key = failure_key(prefix, *code);
                let block =
                    source.split(&format!("\n{key} =\n")).nth(1).unwrap_or_else(|| panic!("{key} in {tag}"));
                let block = block.split("\n\n").next().unwrap_or_default();
                assert!(block.contains(&format!("    .{attribute} = ")), "{key}.{attribute} in {tag}");
                let text = pages.failure_text(&language(tag), *code, *reader, "Tjänst", "Kommun");
                assert!(text.len() > 4 && !text.contains(['{', '}', '$']), "{key}.{attribute}: {text}");
                assert_ne!(text, key);
                counted += 1;
            }
        }
    }
    assert_eq!(counted, FailureCode::ALL.len() * Reader::ALL.len() * 2);
}

#[test]
fn no_text_is_left_over_and_no_language_lacks_one() {
    let codes: BTreeSet<String> = FailureCode::ALL
        .iter()
        .flat_map(|code| [failure_key("failure", *code), failure_key("operators", *code)])
        .collect();
    let labels: BTreeSet<String> =
        AttributeName::ALL.iter().map(|name| format!("attribute-{}", name.key())).collect();
    let used: String = super::TEMPLATES.iter().map(|(_, template)| *template).collect::<String>()
        + include_str!("mod.rs")
        + include_str!("error.rs")
        + include_str!("start.rs")
        + include_str!("text.rs");
    let mut seen: Vec<BTreeSet<String>> = Vec::new();
    for (tag, employees, operators) in OURS {
        let keys: Vec<String> = message_keys(employees).into_iter().chain(message_keys(operators)).collect();
        let unique: BTreeSet<String> = keys.iter().cloned().collect();
        assert_eq!(unique.len(), keys.len(), "a key stands twice in {tag}");
        for key in &unique {
            let known = codes.contains(key)
                || labels.contains(key)
                || key.starts_with("month-")
                || used.contains(&format!("\"{key}\""));
            assert!(known, "{key} in {tag} is used nowhere");
        }
        assert!(codes.is_subset(&unique) && labels.is_subset(&unique), "{tag}");
        seen.push(unique);
    }
    assert_eq!(seen.first(), seen.get(1));
}

#[test]
fn every_attribute_has_a_label() {
    let pages = pages();
    for name in AttributeName::ALL {
        let sv = pages.attribute_label(&language("sv"), *name);
        let en = pages.attribute_label(&language("en"), *name);
        assert!(!sv.starts_with("attribute-") && !en.starts_with("attribute-"), "{name}");
    }
}

#[test]
fn employees_read_plain_language() {
    let pages = pages();
    let jargon = ["saml", "oidc", "assertion", "idp", "token", "metadata", "http", "pkce", "scope", "klient"];
    for (tag, _, _) in OURS {
        for code in FailureCode::ALL {
            for reader in [Reader::EmployeeTitle, Reader::EmployeeWhat, Reader::EmployeeNext] {
                let text = pages.failure_text(&language(tag), *code, reader, "X", "Y");
                for word in text.to_lowercase().split(|character: char| !character.is_alphanumeric()) {
                    assert!(!jargon.contains(&word), "{code} {tag}: {text}");
                }
                for sentence in text.split(['.', ':']) {
                    let words = sentence.split_whitespace().count();
                    assert!(words <= 22, "{code} {tag}: {words} words in {sentence}");
                }
                // A sentence within a text never begins with a name: the unnamed ones are written small.
                assert!(!text.contains(". X ") && !text.contains(". Y "), "{code} {tag}: {text}");
            }
        }
    }
}

#[test]
fn docs_failures_md_says_what_the_program_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/failures.md");
    let document = failures_document(crate::command::failure::oidc_error);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("docs/");
        std::fs::write(&path, &document).expect("docs/failures.md written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == document,
        "docs/failures.md differs: run `UPDATE_DOCS=1 cargo test -p broker failures`"
    );
}

mod overrides {
    use super::*;

    fn with_files(files: &[(&str, &str)]) -> Result<Pages, Vec<String>> {
        let directory = tempfile::tempdir().expect("a directory");
        for (name, text) in files {
            std::fs::write(directory.path().join(name), text).expect("a file");
        }
        Pages::new(Some(directory.path()), Branding::default()).map_err(|error| error.problems)
    }

    #[test]
    fn a_template_a_text_and_the_style_can_be_replaced() {
        let pages = with_files(&[
            ("not_found.html", "{% extends \"base.html\" %}{% block title %}Borta{% endblock %}{% block main %}<h1>Borta</h1>{% endblock %}"),
            ("sv.ftl", "choice-title = Vem är din arbetsgivare?\n"),
            ("style.css", ":root { --rail: #003366; }"),
        ])
        .expect("overrides that work");
        assert!(pages.not_found(&language("sv")).body.contains("<h1>Borta</h1>"));
        let [(_, choice), ..] = &sample::every_page(&pages, &language("sv"))[..] else { panic!("samples") };
        let choice = choice.as_ref().expect("a page");
        assert!(choice.body.contains("<h1>Vem är din arbetsgivare?</h1>"));
        let style = choice.body.split("href=\"/assets/").nth(1).and_then(|rest| rest.split('"').next());
        let style = pages.asset(style.expect("a style sheet")).expect("served");
        assert!(style.bytes.ends_with(b"--rail: #003366; }"));
        assert!(style.content_type.starts_with("text/css"));
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let problems = with_files(&[
            ("choise.html", "x"),
            ("error.html", "{% if %}"),
            ("sv.ftl", "no-such-text = x\n"),
            ("fi.ftl", "choice-title = Missä työskentelet?\n"),
        ])
        .expect_err("four files that do not work");
        for part in ["choise.html: replaces nothing", "error.html", "no-such-text", "fi.ftl: a new language"]
        {
            assert!(problems.iter().any(|problem| problem.contains(part)), "{part} in {problems:?}");
        }
    }

    #[test]
    fn a_template_that_fails_when_drawn_is_found_at_start() {
        for broken in ["{{ t(\"no-such-text\") }}", "{{ no_such_value }}", "{{ asset(\"x.css\") }}"] {
            let problems = with_files(&[("not_found.html", broken)]).expect_err(broken);
            assert!(problems.iter().all(|problem| problem.starts_with("not_found.html in")), "{problems:?}");
        }
    }

    #[test]
    fn a_directory_that_is_not_there_is_told() {
        let missing = Path::new("/nonexistent/pages");
        let error = Pages::new(Some(missing), Branding::default()).expect_err("no such directory");
        assert!(error.to_string().contains("/nonexistent/pages"));
    }
}

/// Writes every sample page to `target/pages`, for looking at.
#[test]
fn pages_to_look_at() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/pages");
    std::fs::create_dir_all(folder.join("assets")).expect("a folder under target");
    let pages = pages();
    for asset in pages.assets.every() {
        std::fs::write(folder.join(asset.path().trim_start_matches('/')), &asset.bytes).expect("written");
    }
    for tag in ["sv", "en"] {
        for (at, (name, page)) in sample::every_page(&pages, &language(tag)).into_iter().enumerate() {
            let body = page.expect("a page").body.replace("\"/assets/", "\"assets/");
            let body = body.replace("<meta http-equiv=\"refresh\"", "<meta name=\"refresh\"");
            let body = body.replace("data-submit", "data-still");
            std::fs::write(folder.join(format!("{at:02}-{name}-{tag}.html")), body).expect("written");
        }
    }
}
