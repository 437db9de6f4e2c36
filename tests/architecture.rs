//! Holds the tree to its own rules: who may know whom, who owns which heavy dependency, what may stand where.
//!
//! The rules are those of `docs/architecture.md`. A rule that has to change is changed there and here in one commit.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Which crates of ours each crate of ours may name, in any kind of dependency. What is not here may name nobody.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("certs-proof", &[]),
    ("certs-xml", &[]),
    ("certs", &["certs-proof", "certs-xml"]),
    ("broker-core", &["certs-proof"]),
    ("metadata", &["broker-core", "certs", "certs-proof", "certs-xml"]),
    ("broker-store", &["broker-core"]),
    ("broker-saml", &["broker-core", "certs", "certs-proof", "certs-xml", "metadata"]),
    ("broker-oidc", &["broker-core", "certs", "certs-proof", "metadata"]),
];

/// Everything meets in the process, and the outside tests may look at anything; nothing depends on these.
const OUTERMOST: &[&str] = &["broker", "tests", "load", "fuzz", "second-opinion"];

/// Each heavy dependency has one owner. A second user goes through the owner's interface.
const OWNERS: &[(&str, &[&str])] = &[
    ("axum", &["broker"]),
    ("bergshamra-dsig", &["second-opinion"]),
    ("bergshamra-enc", &["second-opinion"]),
    ("boon", &["tests"]),
    ("fluent-bundle", &["broker"]),
    ("hyper", &["broker", "load", "tests"]),
    ("hyper-util", &["broker", "load", "tests"]),
    ("image", &["metadata"]),
    ("jsonwebtoken", &["certs"]),
    ("libfuzzer-sys", &["fuzz"]),
    ("minijinja", &["broker"]),
    ("openidconnect", &["broker-oidc"]),
    ("quick-xml", &["certs-xml"]),
    ("rcgen", &["broker-store", "certs"]), // the store's tests make certificates for a Redis server over TLS
    ("redb", &["broker-store"]),
    ("redis", &["broker-store", "tests"]),
    ("samael", &["second-opinion"]),
    ("schemars", &["broker"]),
    ("tokio-rustls", &["broker"]),
    ("x509-parser", &["certs"]),
];

/// What a visitor sees in the root. Settings of tools are dot files.
const ROOT: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "broker",
    "certs",
    "deploy",
    "docs",
    "metadata",
    "tests",
];

/// The longest that a file of code may be, in lines.
const LONGEST: usize = 600;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the workspace").to_owned()
}

fn output_of(program: &str, arguments: &[&str]) -> String {
    let output =
        Command::new(program).args(arguments).current_dir(root()).output().expect("the program starts");
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Direct dependencies of every package of the workspace, of every kind (normal, build, dev).
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let text =
        output_of(&cargo, &["metadata", "--format-version", "1", "--no-deps", "--locked", "--offline"]);
    let metadata: Value = serde_json::from_str(&text).expect("cargo metadata is JSON");
    let name = |value: &Value| value["name"].as_str().expect("a name").to_owned();
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| {
            let named = package["dependencies"].as_array().expect("dependencies").iter().map(name).collect();
            (name(package), named)
        })
        .collect()
}

/// Every file that is in version control or is about to be, except what has been removed from the work tree.
fn files() -> Vec<PathBuf> {
    output_of("git", &["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .filter(|path| root().join(path).is_file())
        .collect()
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension().and_then(|end| end.to_str()).is_some_and(|end| extensions.contains(&end))
}

/// Text of a file, or nothing for one that is not text.
fn text(path: &Path) -> Option<String> {
    std::fs::read(root().join(path)).ok().and_then(|octets| String::from_utf8(octets).ok())
}

fn assert_none(found: &[String], rule: &str) {
    assert!(found.is_empty(), "{rule}\n  {}", found.join("\n  "));
}

#[test]
fn each_crate_knows_only_those_it_may() {
    let all = dependencies();
    let ours: BTreeSet<&str> = all.keys().map(String::as_str).collect();
    let mut found = Vec::new();
    for (package, named) in &all {
        if OUTERMOST.contains(&package.as_str()) {
            // `tests` holds the harness that the load driver drives, `fuzz` the scene that second opinions are asked about; the others
            // are nobody's.
            let harness = |name: &str| {
                matches!((package.as_str(), name), ("load", "tests") | ("second-opinion", "fuzz"))
            };
            let reached = named.iter().filter(|name| OUTERMOST.contains(&name.as_str()) && !harness(name));
            found.extend(reached.map(|name| format!("{package} -> {name}")));
            continue;
        }
        let allowed = MAY_KNOW.iter().find(|(name, _)| name == package).map(|(_, allowed)| *allowed);
        let Some(allowed) = allowed else {
            found.push(format!("{package} stands in no row of MAY_KNOW"));
            continue;
        };
        let named_ours = named.iter().filter(|name| ours.contains(name.as_str()));
        found.extend(
            named_ours
                .filter(|name| !allowed.contains(&name.as_str()))
                .map(|name| format!("{package} -> {name}")),
        );
    }
    assert_none(&found, "a crate names one that it must not know:");
}

#[test]
fn each_heavy_dependency_has_one_owner() {
    let mut found = Vec::new();
    for (package, named) in dependencies() {
        for (heavy, owners) in OWNERS {
            if named.contains(*heavy) && !owners.contains(&package.as_str()) {
                found.push(format!("{package} -> {heavy}, which belongs to {}", owners.join(", ")));
            }
        }
    }
    assert_none(&found, "a heavy dependency is named outside its owner:");
}

#[test]
fn only_the_verifiers_make_a_proof() {
    let constructor = concat!("vouched_for_by_", "a_verifier");
    let found: Vec<String> = files()
        .iter()
        .filter(|path| has_extension(path, &["rs"]))
        .filter(|path| !path.starts_with("certs/src") && !path.starts_with("certs/proof"))
        .filter(|path| text(path).is_some_and(|text| text.contains(constructor)))
        .map(|path| path.display().to_string())
        .collect();
    assert_none(&found, "only certs/src makes a proof that something was verified:");
}

#[test]
fn the_root_holds_only_what_it_should() {
    let visible: BTreeSet<String> = files()
        .iter()
        .filter_map(|path| path.components().next())
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.'))
        .collect();
    let found: Vec<String> = visible.into_iter().filter(|name| !ROOT.contains(&name.as_str())).collect();
    assert_none(&found, "does not belong in the root:");
}

#[test]
fn no_file_names_a_machine_or_a_package_registry() {
    // Written in pieces, so that this file does not name them either. The lock file's own name for the index is not a host
    // that anybody chose.
    let forbidden = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("registry.npm", "js.org"),
        concat!("index.cra", "tes.io"),
        concat!("static.cra", "tes.io"),
        concat!("deb.deb", "ian.org"),
    ];
    let mut found = Vec::new();
    for path in files() {
        let Some(text) = text(&path) else { continue };
        for (number, line) in text.lines().enumerate() {
            if let Some(what) = forbidden.iter().find(|what| line.contains(*what)) {
                found.push(format!("{}:{}: {what}", path.display(), number + 1));
            }
        }
    }
    assert_none(&found, "a path or a host of one machine:");
}

#[test]
fn no_file_of_code_is_too_long_to_read() {
    let found: Vec<String> = files()
        .iter()
        .filter(|path| has_extension(path, &["rs", "mjs", "js", "css", "html", "sh"]))
        .filter_map(|path| text(path).map(|text| (path, text.lines().count())))
        .filter(|(_, lines)| *lines > LONGEST)
        .map(|(path, lines)| format!("{}: {lines} lines", path.display()))
        .collect();
    assert_none(&found, "split what is longer than 600 lines:");
}

#[test]
fn nothing_is_left_undone() {
    let forbidden = [concat!("todo", "!("), concat!("unimplemented", "!("), concat!("dbg", "!(")];
    let mut found = Vec::new();
    for path in files().iter().filter(|path| has_extension(path, &["rs"])) {
        for (number, line) in text(path).unwrap_or_default().lines().enumerate() {
            if forbidden.iter().any(|what| line.contains(what)) {
                found.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    assert_none(&found, "left undone:");
}

#[test]
fn every_source_file_opens_by_saying_what_it_is() {
    let found: Vec<String> = files()
        .iter()
        // `x/tests.rs` belongs to `x.rs`, which says what it is.
        .filter(|path| has_extension(path, &["rs"]) && !path.ends_with("tests.rs"))
        .filter(|path| {
            // Attributes may stand before the comment.
            let text = text(path).unwrap_or_default();
            text.lines()
                .find(|line| !line.trim().is_empty() && !line.starts_with("#!["))
                .is_none_or(|line| !line.starts_with("//!"))
        })
        .map(|path| path.display().to_string())
        .collect();
    assert_none(&found, "does not open with a `//!` comment:");
}
