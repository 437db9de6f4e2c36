//! `sparvidd metadata lint`, run as an operator runs it, and what it says of real federations' files.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;
use tests::{
    program,
    provider::{Provider, TakenBy},
};

fn lint(folder: &Path, words: &[&str]) -> Output {
    program::attempt(folder, &[&["metadata", "lint"], words].concat())
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A folder with the metadata of a provider in it.
fn provider() -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let metadata =
        Provider::new("Granvik", "idp.granvik.example", "4120004249", TakenBy::Post, false).metadata();
    fs::write(folder.path().join("idp.xml"), &metadata).expect("a file");
    (folder, metadata)
}

#[test]
fn a_good_file_is_accepted_without_any_configuration() {
    let (folder, _) = provider();
    let output = lint(folder.path(), &["idp.xml"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("idp.xml: accepted: 0 errors"), "{}", said(&output));
}

#[test]
fn a_broken_file_is_shown_at_its_line_and_refused() {
    let (folder, metadata) = provider();
    let broken = metadata.replacen("https://idp.granvik.example", "http://idp.granvik.example", 3);
    fs::write(folder.path().join("idp.xml"), &broken).expect("a file");
    let output = lint(folder.path(), &["idp.xml"]);
    assert_eq!(output.status.code(), Some(1));
    let text = said(&output);
    assert!(text.contains("error: ") && text.contains("[saml.idp.sso_plain_http]"), "{text}");
    let caret = text.lines().find(|line| line.trim_end().ends_with('^')).expect("a caret under the place");
    assert!(caret.contains('|'), "{text}");
    assert!(text.contains("idp.xml: refused: "), "{text}");
}

#[test]
fn a_file_that_cannot_be_judged_is_neither_accepted_nor_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("packed.xml.gz"), [0x1F, 0x8B, 8, 0]).expect("a file");
    for (file, why) in [("missing.xml", "cannot be read"), ("packed.xml.gz", "Unpack it first")] {
        let output = lint(folder.path(), &[file]);
        assert_eq!(output.status.code(), Some(2));
        assert!(said(&output).contains(why), "{}", said(&output));
    }
    let vast = fs::File::create(folder.path().join("vast.xml")).expect("a file");
    vast.set_len(80 * 1024 * 1024).expect("a hole");
    let output = lint(folder.path(), &["vast.xml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("larger than"), "{}", said(&output));
}

#[test]
fn standard_input_is_judged_too() {
    let (folder, metadata) = provider();
    let mut child = Command::new(program::sparvidd())
        .current_dir(folder.path())
        .args(["metadata", "lint", "-", "--json"])
        .env_remove("SPARVIDD_CONFIG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program can be run");
    child.stdin.take().expect("open").write_all(metadata.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("ends");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        (report[0]["file"].as_str(), report[0]["refused"].as_bool()),
        (Some("standard input"), Some(false))
    );
}

#[test]
fn a_profile_is_chosen_by_name_and_adds_its_rules() {
    let (folder, _) = provider();
    let count = |words: &[&str]| {
        let output = lint(folder.path(), &[&["idp.xml", "--json"], words].concat());
        let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        report[0]["findings"].as_array().map_or(0, Vec::len)
    };
    let base = count(&[]);
    for profile in ["saml2int", "sweden-connect", "internetstiftelsen", "swamid"] {
        assert!(count(&["--profile", profile]) > base, "{profile}");
    }
    let output = lint(folder.path(), &["idp.xml", "--profile", "swedish"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("swedish-oidc"), "what there is: {}", said(&output));
}

#[test]
fn sarif_names_each_rule_and_each_place() {
    let (folder, _) = provider();
    let output = lint(folder.path(), &["idp.xml", "--sarif", "--profile", "internetstiftelsen"]);
    let sarif: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let results = run["results"].as_array().expect("results");
    assert!(!results.is_empty());
    for result in results {
        let rule = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("small");
        assert_eq!(run["tool"]["driver"]["rules"][rule]["id"], result["ruleId"]);
        let region = &result["locations"][0]["physicalLocation"]["region"];
        assert!(region["startLine"].as_u64() > Some(0) && region["startColumn"].as_u64() > Some(0));
    }
}

#[test]
fn dates_are_seen_from_the_moment_that_is_given() {
    let (folder, metadata) = provider();
    let until = metadata.replacen("entityID=", "validUntil=\"2019-07-24T08:10:04Z\" entityID=", 1);
    fs::write(folder.path().join("idp.xml"), until).expect("a file");
    assert_eq!(lint(folder.path(), &["idp.xml"]).status.code(), Some(1));
    let before = lint(folder.path(), &["idp.xml", "--at", "2019-07-01"]);
    assert_eq!(before.status.code(), Some(0), "{}", said(&before));
    assert_eq!(lint(folder.path(), &["idp.xml", "--at", "yesterday"]).status.code(), Some(2));
}

/// The real files: name, the moment that they are seen from, the verdict, and the rules that must and must not be among the reasons.
struct Real {
    file: &'static str,
    at: &'static str,
    accepted: bool,
    because: &'static [&'static str],
    never: &'static [&'static str],
    words: &'static str,
}

const REAL: [Real; 8] = [
    Real {
        file: "wayf-edugain-metadata.xml",
        at: "2026-11-22",
        accepted: false,
        because: &["saml.entity.expired"],
        never: &["saml.file.signature_broken", "saml.file.signature_unchecked", "saml.file.signature_weak"],
        words: "The signature holds (rsa-sha256), but the file could be used until 2019-07-24.",
    },
    Real {
        file: "wayf-edugain-metadata.xml",
        at: "2019-07-20",
        accepted: true,
        because: &[],
        never: &["saml.file.signature_broken", "saml.file.signature_unchecked"],
        words: "In its time nothing stands against it. That several organisations share keys is warned about: WAYF is a hub.",
    },
    Real {
        file: "swamid-1.0.xml",
        at: "2026-11-22",
        accepted: false,
        because: &[
            "saml.file.signature_weak",
            "saml.file.signature_unchecked",
            "saml.file.valid_until_missing",
            "saml.key.weak",
        ],
        never: &["saml.file.signature_broken"],
        words: "Keys of 1024 bits. As a source it is refused also for its signature: rsa-sha1 (two files with one sum can be made), and canonical form with comments (a comment must not be signed text, so it is outside the profile); and for having no validUntil, so that an old copy would hold for ever.",
    },
    Real {
        file: "swamid-1.0.xml",
        at: "2012-01-01",
        accepted: false,
        because: &["saml.file.signature_weak", "saml.key.weak"],
        never: &["saml.entity.expired"],
        words: "Weak keys and algorithms were as weak then.",
    },
    Real {
        file: "sveleg-fedtest.xml",
        at: "2026-11-22",
        accepted: false,
        because: &[
            "saml.key.weak",
            "saml.sp.signing_key_missing",
            "saml.file.unsigned",
            "saml.file.valid_until_distant",
        ],
        never: &["saml.form.extension_namespace"],
        words: "Keys of 1024 bits, and services that say that they sign and have no key. The form is good.",
    },
    Real {
        file: "sveleg-fedtest-complex.xml",
        at: "2026-11-22",
        accepted: false,
        because: &["saml.key.weak", "saml.file.valid_until_missing"],
        never: &["saml.form.extension_namespace", "saml.form.element_unknown"],
        words: "As the one before; the group within the group is read all the same.",
    },
    Real {
        file: "sveleg-fedtest-badschema.xml",
        at: "2026-11-22",
        accepted: false,
        because: &["saml.form.extension_namespace"],
        never: &[],
        words: "An element without a namespace of its own within Extensions, told at its line: who checks against the schema refuses the whole file for it.",
    },
    Real {
        file: "adfs-v2-metadata.xml",
        at: "2026-11-22",
        accepted: true,
        because: &["saml.form.role_descriptor", "saml.key.expired"],
        never: &["saml.file.signature_broken", "saml.file.signature_unchecked"],
        words: "The WS-Federation roles are passed over and noted, the SAML roles are read, the signature holds. That the certificate has expired is warned about: it only holds the key.",
    },
];

const PAGE: &str = "# Real federations' metadata

What `sparvidd metadata lint` says, by the base, of files that federations and products have published. The files are not part of this project;
this page is written by a test where they are at hand (`UPDATE_DOCS=1 cargo test -p tests --test lint`), and compared by it afterwards. Numbers are
findings of each severity.

| file | as of | verdict | errors | warnings | notes | errors are | why |
|---|---|---|---|---|---|---|---|
";

#[test]
fn real_federations_files_each_get_their_verdict_and_the_reason() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora/metadata");
    if !folder.is_dir() {
        eprintln!("SKIPPED: ../shared/corpora is not here, so real federations' metadata was not judged");
        return;
    }
    let mut page = PAGE.to_owned();
    for real in &REAL {
        let output = lint(&folder, &[real.file, "--at", real.at, "--json"]);
        let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let findings = report[0]["findings"].as_array().expect("findings");
        let rules: Vec<&str> = findings.iter().filter_map(|finding| finding["rule"].as_str()).collect();
        assert_eq!(output.status.success(), real.accepted, "{} at {}: {rules:?}", real.file, real.at);
        for rule in real.because {
            assert!(rules.contains(rule), "{} at {}: {rule} is no reason", real.file, real.at);
        }
        for rule in real.never {
            assert!(!rules.contains(rule), "{} at {}: {rule}", real.file, real.at);
        }
        let count =
            |severity: &str| findings.iter().filter(|finding| finding["severity"] == severity).count();
        let mut errors: BTreeMap<&str, usize> = BTreeMap::new();
        for finding in findings.iter().filter(|finding| finding["severity"] == "error") {
            *errors.entry(finding["rule"].as_str().unwrap_or_default()).or_default() += 1;
        }
        let errors: Vec<String> = errors.iter().map(|(rule, count)| format!("{count} `{rule}`")).collect();
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            real.file,
            real.at,
            if real.accepted { "accepted" } else { "refused" },
            count("error"),
            count("warning"),
            count("note"),
            if errors.is_empty() { "–".to_owned() } else { errors.join(", ") },
            real.words,
        );
    }
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/corpora-metadata.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &page).expect("docs/corpora-metadata.md can be written");
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == page,
        "UPDATE_DOCS=1 cargo test -p tests --test lint writes docs/corpora-metadata.md anew"
    );
}

/// Every octet that is changed within what is signed breaks the signature; no such file is accepted.
#[test]
fn nothing_is_accepted_with_a_broken_signature() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora/metadata");
    let Ok(good) = fs::read_to_string(folder.join("adfs-v2-metadata.xml")) else {
        eprintln!("SKIPPED: ../shared/corpora is not here, so real federations' metadata was not judged");
        return;
    };
    let own = tempfile::tempdir().expect("a folder");
    for (from, to) in [
        ("http://fs.msidlab7.com/adfs/services/trust", "http://fs.msidlab8.com/adfs/services/trust"),
        ("Location=\"https://fs.", "Location=\"https://evil."),
        ("WantAuthnRequestsSigned=\"false\"", "WantAuthnRequestsSigned=\"true\""),
        ("</EntityDescriptor>", " </EntityDescriptor>"),
    ] {
        if !good.contains(from) {
            continue;
        }
        fs::write(own.path().join("adfs.xml"), good.replacen(from, to, 1)).expect("a file");
        let output = lint(own.path(), &["adfs.xml"]);
        assert_eq!(output.status.code(), Some(1), "{from}");
        assert!(said(&output).contains("saml.file.signature_broken"), "{from}: {}", said(&output));
    }
    // The same certificate given as the key: the file is believed; another's is not.
    let start = good.find("<X509Certificate>").expect("there") + "<X509Certificate>".len();
    let end = start + good[start..].find("</X509Certificate>").expect("there");
    let pem = |body: &str| {
        let lines: Vec<&str> =
            body.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
    };
    fs::write(own.path().join("own.pem"), pem(&good[start..end])).expect("a file");
    fs::write(own.path().join("adfs.xml"), &good).expect("a file");
    let believed = lint(own.path(), &["adfs.xml", "--key", "own.pem"]);
    assert_eq!(believed.status.code(), Some(0), "{}", said(&believed));
    let other =
        Provider::new("Granvik", "idp.granvik.example", "4120004249", TakenBy::Post, false).metadata();
    let start = other.find("X509Certificate>").expect("there") + "X509Certificate>".len();
    let end = start + other[start..].find('<').expect("there");
    fs::write(own.path().join("other.pem"), pem(&other[start..end])).expect("a file");
    let strange = lint(own.path(), &["adfs.xml", "--key", "other.pem"]);
    assert_eq!(strange.status.code(), Some(1));
    assert!(said(&strange).contains("saml.file.signature_untrusted"), "{}", said(&strange));
}
