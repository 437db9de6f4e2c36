//! Attacks on a running broker, each beside a genuine twin that passes under the same conditions.
//!
//! | file | family |
//! |---|---|
//! | `attack/wrapping.rs` | a genuine signature, and something else to be read |
//! | `attack/document.rs` | documents that two readers take for two things |
//! | `attack/algorithm.rs` | signatures whose algorithms are bent |
//! | `attack/keys.rs` | keys that nobody registered |
//! | `attack/encryption.rs` | encrypted assertions that anybody could have made, and ciphertexts that ask for an oracle |
//! | `attack/addressee.rs` | genuine messages for somebody else, from somebody else |
//! | `attack/time.rs` | clocks |
//! | `attack/replay.rs` | answers that were used, come twice, or come by another way |
//! | `attack/exchange.rs` | what one browser was given, carried into another, at every step |
//! | `attack/code.rs` | codes and tokens in hands that they were not given to |
//! | `attack/client.rs` | client assertions |
//! | `attack/redirect.rs` | the authorization request, and what HTTP lets somebody bend |

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    path::{Path, PathBuf},
};

#[path = "attack/addressee.rs"]
mod addressee;
#[path = "attack/algorithm.rs"]
mod algorithm;
#[path = "attack/client.rs"]
mod client;
#[path = "attack/code.rs"]
mod code;
#[path = "attack/document.rs"]
mod document;
#[path = "attack/encryption.rs"]
mod encryption;
#[path = "attack/exchange.rs"]
mod exchange;
#[path = "attack/keys.rs"]
mod keys;
#[path = "attack/kit.rs"]
mod kit;
#[path = "attack/redirect.rs"]
mod redirect;
#[path = "attack/replay.rs"]
mod replay;
#[path = "attack/signing.rs"]
mod signing;
#[path = "attack/time.rs"]
mod time;
#[path = "attack/wrapping.rs"]
mod wrapping;

#[test]
fn wrapping_leads_nobody_astray() {
    kit::run(kit::vectors(wrapping::VECTORS));
}

#[test]
fn a_document_says_one_thing() {
    kit::run(async {
        kit::vectors(document::VECTORS).await;
        kit::scenarios(document::SCENARIOS).await;
    });
}

#[test]
fn an_algorithm_is_one_of_the_few() {
    kit::run(kit::vectors(algorithm::VECTORS));
}

#[test]
fn a_key_is_a_registered_one() {
    kit::run(async {
        kit::vectors(keys::VECTORS).await;
        kit::scenarios(keys::SCENARIOS).await;
    });
}

#[test]
fn encryption_vouches_for_nothing_and_tells_nothing() {
    kit::run(kit::vectors(encryption::VECTORS));
}

#[test]
fn a_message_is_for_us_and_from_the_one_who_was_asked() {
    kit::run(kit::vectors(addressee::VECTORS));
}

#[test]
fn a_message_is_of_now() {
    kit::run(kit::vectors(time::VECTORS));
}

#[test]
fn an_answer_counts_once_and_by_its_own_way() {
    kit::run(kit::scenarios(replay::SCENARIOS));
}

#[test]
fn what_one_browser_was_given_is_worth_nothing_in_another() {
    kit::run(kit::scenarios(exchange::SCENARIOS));
}

#[test]
fn a_code_is_worth_nothing_to_others_or_twice() {
    kit::run(kit::scenarios(code::SCENARIOS));
}

#[test]
fn a_relying_party_proves_itself_by_its_own_key() {
    kit::run(kit::scenarios(client::SCENARIOS));
}

#[test]
fn a_request_leads_where_it_was_registered_to_lead() {
    kit::run(kit::scenarios(redirect::SCENARIOS));
}

#[test]
fn what_the_judge_must_not_pass_it_does_not() {
    kit::run(kit::the_judge_is_not_blind());
}

/// Every family: its name in the document, the test that tries it, and its vectors.
const FAMILIES: [(&str, &str, &[kit::Vector], &[kit::Scenario]); 12] = [
    ("Wrapping", "wrapping_leads_nobody_astray", wrapping::VECTORS, &[]),
    ("Document", "a_document_says_one_thing", document::VECTORS, document::SCENARIOS),
    ("Algorithm", "an_algorithm_is_one_of_the_few", algorithm::VECTORS, &[]),
    ("Keys", "a_key_is_a_registered_one", keys::VECTORS, keys::SCENARIOS),
    ("Encryption", "encryption_vouches_for_nothing_and_tells_nothing", encryption::VECTORS, &[]),
    ("Addressee", "a_message_is_for_us_and_from_the_one_who_was_asked", addressee::VECTORS, &[]),
    ("Time", "a_message_is_of_now", time::VECTORS, &[]),
    ("Replay", "an_answer_counts_once_and_by_its_own_way", &[], replay::SCENARIOS),
    ("Exchange", "what_one_browser_was_given_is_worth_nothing_in_another", &[], exchange::SCENARIOS),
    ("Code", "a_code_is_worth_nothing_to_others_or_twice", &[], code::SCENARIOS),
    ("Client", "a_relying_party_proves_itself_by_its_own_key", &[], client::SCENARIOS),
    ("Redirect", "a_request_leads_where_it_was_registered_to_lead", &[], redirect::SCENARIOS),
];

/// The table of all vectors, as `docs/threats.md` ends with it.
fn table() -> String {
    let mut text = String::new();
    for (family, test, vectors, scenarios) in FAMILIES {
        let count = vectors.len() + scenarios.len();
        let _ = write!(text, "\n### {family}: {count}\n\nTried by `tests/attack.rs::{test}`.\n\n");
        text.push_str("| what is tried | where it is described | what comes of it |\n|---|---|---|\n");
        for vector in vectors {
            let outcome = match vector.expected {
                kit::Expected::Refused(codes) => {
                    codes.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(" or ")
                }
                kit::Expected::Whole => "the genuine person, whole".to_owned(),
            };
            let _ = writeln!(text, "| {} | {} | {outcome} |", vector.name, vector.source);
        }
        for scenario in scenarios {
            let _ = writeln!(
                text,
                "| {} | {} | nothing is gained; the twin succeeds |",
                scenario.name, scenario.source
            );
        }
    }
    text
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the workspace").to_owned()
}

fn document() -> String {
    std::fs::read_to_string(root().join(DOCUMENT)).expect("the document")
}

const DOCUMENT: &str = "docs/threats.md";
/// What the table begins after.
const MARK: &str =
    "<!-- From here on a test writes: UPDATE_DOCS=1 cargo test -p tests --test attack document -->\n";

#[test]
fn the_document_names_every_vector_and_there_are_at_least_sixty() {
    let names: Vec<_> = FAMILIES
        .iter()
        .flat_map(|(family, _, vectors, scenarios)| {
            let names = vectors.iter().map(|vector| vector.name);
            names.chain(scenarios.iter().map(|scenario| scenario.name)).map(move |name| (family, name))
        })
        .collect();
    println!("{} vectors in {} families", names.len(), FAMILIES.len());
    assert!(names.len() >= 60, "{} vectors", names.len());
    let distinct: BTreeSet<_> = names.iter().collect();
    assert_eq!(distinct.len(), names.len(), "a name stands twice in a family");
    let text = document();
    let (written, listed) = text.split_once(MARK).expect("the mark");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(root().join(DOCUMENT), format!("{written}{MARK}{}", table())).expect("the document");
        return;
    }
    assert_eq!(listed, table(), "run `UPDATE_DOCS=1 cargo test -p tests --test attack document`");
}

/// A document for reviewers must not point at what is not there: every file that it names exists, and every test stands in its file.
#[test]
fn the_document_names_files_and_tests_that_exist() {
    let text = document();
    let mut tests = 0;
    for quoted in text.split('`').skip(1).step_by(2) {
        let (file, test) = quoted.split_once("::").map_or((quoted, None), |(file, test)| (file, Some(test)));
        if !file.contains('/') || !file.ends_with(".rs") {
            continue;
        }
        let code =
            std::fs::read_to_string(root().join(file)).unwrap_or_else(|_| panic!("{file} is not there"));
        if let Some(test) = test {
            assert!(code.contains(&format!("fn {test}(")), "{test} is not in {file}");
            tests += 1;
        }
    }
    assert!(tests >= 60, "{tests} tests are named");
}
