//! The program that is tested, and its commands.

use std::{
    collections::BTreeSet,
    env,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{Mutex, OnceLock},
};

use crate::chance;

/// The path of `sparvidd`: what the environment's `SPARVIDD` names, else what is built here, once, with the profile of this very test.
#[must_use]
pub fn sparvidd() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| match env::var_os("SPARVIDD") {
        Some(named) => {
            let path = PathBuf::from(named);
            assert!(path.is_file(), "SPARVIDD names {}, which is not there", path.display());
            path
        }
        None => built(),
    })
}

fn built() -> PathBuf {
    let own = env::current_exe().expect("this test has a path");
    // target/PROFILE/deps/NAME for a test, target/PROFILE/NAME for a program.
    let folder = own.parent().expect("a folder");
    let folder = if folder.ends_with("deps") { folder.parent().expect("a folder") } else { folder };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the workspace");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    // The same packages as `tests/run` has, so that nothing is compiled twice with other features.
    build.current_dir(root).args([
        "build",
        "--quiet",
        "--workspace",
        "--exclude",
        "second-opinion",
        "--bin",
        "sparvidd",
    ]);
    build.arg("--target-dir");
    build.arg(folder.parent().expect("the target folder"));
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    let status = build.status().expect("cargo can be run");
    assert!(status.success(), "the broker does not build");
    let path = folder.join("sparvidd");
    assert!(path.is_file(), "{} is not there after the build", path.display());
    path
}

/// Runs a command of the program, whatever comes of it.
#[must_use]
pub fn attempt(folder: &Path, words: &[&str]) -> Output {
    Command::new(sparvidd())
        .current_dir(folder)
        .args(words)
        .env_remove("SPARVIDD_CONFIG")
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .output()
        .expect("the program can be run")
}

/// Runs a command that must succeed; gives what it printed.
#[must_use = "what a command printed"]
pub fn run(folder: &Path, words: &[&str]) -> String {
    let output = attempt(folder, words);
    assert!(
        output.status.success(),
        "sparvidd {} ended with {}\n{}{}",
        words.join(" "),
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A port that is free, and that nobody takes before whoever it is for.
///
/// Not one that the system hands out: those are the ones that it gives to every connection that goes out as well, and between this call and
/// the start of a node there are seconds in which a busy machine makes thousands. Nor one that was given to another test of this process; those of
/// other processes begin elsewhere.
#[must_use]
pub fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().expect("no panic while holding it");
    for _ in 0..1_000 {
        let [high, low] = chance::octets();
        let port = PORTS.start + u16::from_be_bytes([high, low]) % (PORTS.end - PORTS.start);
        if !given.contains(&port) && std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            given.insert(port);
            return port;
        }
    }
    panic!("no port on the loopback address is free");
}

/// Below those that systems give to connections (32768 on Linux, 49152 elsewhere), above those of well-known servers.
const PORTS: std::ops::Range<u16> = 12_000..32_000;
