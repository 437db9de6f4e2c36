//! Against a real server, which each test starts for itself on an ephemeral port and a Unix socket, and ends.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use broker_core::moment::Moment;
use serde::{Deserialize, Serialize};

use super::*;
use crate::{
    conformance::{self, Advance, FAR, NOW, Numbered},
    record::{Binding, MarkKind, NodeSecret, Place, RecordKind},
    vault::{Finished as VaultFinished, Found, Mark, NewRecord, Vault, VaultError},
};

struct Server {
    folder: tempfile::TempDir,
    port: u16,
    more: Vec<String>,
    process: Child,
}

impl Server {
    async fn start(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Freed at once for the server; another process that takes it in between fails the test with the server's own words.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let more: Vec<_> = more.iter().map(ToString::to_string).collect();
        let process = Self::spawn(folder.path(), port, &more);
        let mut server = Self { folder, port, more, process };
        server.await_ready().await;
        server
    }

    fn spawn(folder: &Path, port: u16, more: &[String]) -> Child {
        let log = fs::File::create(folder.join("log")).unwrap();
        let port = port.to_string();
        let tls = more.iter().any(|option| option == "--tls-port");
        Command::new("redis-server")
            .current_dir(folder)
            .args(["--port", if tls { "0" } else { &port }, "--bind", "127.0.0.1"])
            .args(if tls { vec!["--tls-port", port.as_str()] } else { vec![] })
            .args([
                "--unixsocket",
                "socket",
                "--save",
                "",
                "--appendonly",
                "no",
                "--maxmemory-policy",
                "noeviction",
            ])
            .args(more.iter().filter(|option| *option != "--tls-port"))
            .stdout(log)
            .stderr(Stdio::null())
            .spawn()
            .expect("this test needs redis-server on the PATH; on Debian: apt-get install redis-server")
    }

    async fn await_ready(&mut self) {
        for _ in 0..200 {
            if self.folder.path().join("socket").exists() {
                return;
            }
            if self.process.try_wait().unwrap().is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("redis-server: {}", fs::read_to_string(self.folder.path().join("log")).unwrap());
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        let _ = fs::remove_file(self.folder.path().join("socket"));
    }

    async fn start_again(&mut self) {
        self.process = Self::spawn(self.folder.path(), self.port, &self.more);
        self.await_ready().await;
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.process.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    fn tcp(&self) -> RedisOptions {
        RedisOptions::new(format!("redis://127.0.0.1:{}", self.port))
    }

    fn unix(&self) -> RedisOptions {
        RedisOptions::new(format!("unix:{}", self.folder.path().join("socket").display()))
    }

    /// Asks the server itself, past the store.
    async fn raw(&self, words: &[&str]) -> Value {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port)).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let mut command = redis::Cmd::new();
        words.iter().for_each(|word| {
            command.arg(word);
        });
        command.query_async(&mut connection).await.unwrap()
    }

    /// Every key and every value, as octets.
    async fn dump(&self) -> Vec<(String, Vec<u8>)> {
        let Value::Array(keys) = self.raw(&["KEYS", "*"]).await else { panic!("KEYS") };
        let mut dump = Vec::new();
        for key in keys {
            let Value::BulkString(key) = key else { panic!("a key") };
            let key = String::from_utf8(key).unwrap();
            let Value::BulkString(value) = self.raw(&["GET", &key]).await else { panic!("a value") };
            dump.push((key, value));
        }
        dump
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A busy machine may be slow to answer 10,000 verbs in an unoptimised build; a test is about the answers.
fn patient(mut options: RedisOptions) -> RedisOptions {
    options.answer_within = Duration::from_secs(60);
    options
}

fn store(options: &RedisOptions) -> Arc<dyn Store> {
    Arc::new(RedisStore::new(options).unwrap())
}

fn is_away<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Away(_)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_keeps_to_the_port() {
    let server = Server::start(&[]).await;
    let advance: Advance = Arc::new(|time| Box::pin(tokio::time::sleep(time)));
    // Two nodes: one over TCP, one over the Unix socket.
    conformance::run([store(&patient(server.tcp())), store(&patient(server.unix()))], advance).await;
}

#[tokio::test]
async fn an_answer_waits_for_its_retry_a_little_while_only() {
    let server = Server::start(&[]).await;
    let store = store(&server.tcp());
    let key = keyspace::record("t");
    let put = Put { key: key.clone(), value: b"v".to_vec(), lifetime: Duration::from_secs(600) };
    store.put(&[put], AttemptId([0; 16])).await.unwrap();
    store.take(&key, b"t", AttemptId([1; 16])).await.unwrap();
    let left = async |key: &str| match server.raw(&["PTTL", key]).await {
        Value::Int(left) => left,
        other => panic!("{other:?}"),
    };
    let answer = left(&keyspace::answer(&key)).await;
    assert!((1..=15_000).contains(&answer), "{answer}");
    let tombstone = left(&key.0).await;
    assert!((590_000..=600_000).contains(&tombstone), "{tombstone}");
}

#[tokio::test]
async fn a_server_that_is_away_is_said_at_once_and_found_again() {
    let mut server = Server::start(&[]).await;
    for options in [server.tcp(), server.unix()] {
        let store = store(&options);
        store.health().await.unwrap();
        server.kill();
        for _ in 0..3 {
            let asked = Instant::now();
            let read = store.read(&keyspace::record("t")).await;
            assert!(is_away(&read), "{read:?}");
            assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
        }
        server.start_again().await;
        tokio::time::sleep(Duration::from_millis(150)).await;
        store.health().await.unwrap();
        // A restart between two verbs, unnoticed: the next verb is tried again by itself, and its script is unknown to the new server.
        server.kill();
        server.start_again().await;
        let once = Once { key: keyspace::once("t"), lifetime: Duration::from_secs(60) };
        assert!(store.insert_once(&once, AttemptId([0; 16])).await.unwrap());
    }
}

#[tokio::test]
async fn a_server_that_was_never_there_is_found_when_it_comes() {
    let mut server = Server::start(&[]).await;
    server.kill();
    let store = store(&server.tcp());
    assert!(is_away(&store.health().await));
    server.start_again().await;
    tokio::time::sleep(Duration::from_millis(150)).await;
    store.health().await.unwrap();
}

#[tokio::test]
async fn a_server_that_hangs_is_away_in_time_and_found_again() {
    let server = Server::start(&[]).await;
    let store = store(&server.tcp());
    store.health().await.unwrap();
    server.signal("-STOP");
    let asked = Instant::now();
    // The second one connects to a server that accepts (its kernel does) and never greets; the third fails at once with it.
    let (first, second) = tokio::join!(store.health(), store.head("registry"));
    assert!(is_away(&first) && is_away(&second), "{first:?} {second:?}");
    assert!(asked.elapsed() < Duration::from_millis(1900), "{:?}", asked.elapsed());
    assert!(is_away(&store.health().await));
    assert!(asked.elapsed() < Duration::from_millis(4500), "{:?}", asked.elapsed());
    // Now that it is known to be silent, nobody waits.
    let asked = Instant::now();
    assert!(is_away(&store.health().await));
    assert!(asked.elapsed() < Duration::from_millis(500), "{:?}", asked.elapsed());
    server.signal("-CONT");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    store.health().await.unwrap();
}

/// Stands between a store and its server, and loses answers on demand: what was asked reaches the server, and the connection ends instead of the
/// answer.
struct Lossy {
    port: u16,
    lose: Arc<AtomicBool>,
}

impl Lossy {
    fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, lose) = (listener.local_addr().unwrap().port(), Arc::new(AtomicBool::new(false)));
        let losing = Arc::clone(&lose);
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let far = TcpStream::connect(("127.0.0.1", server)).unwrap();
                let (mut asking, mut asked) = (near.try_clone().unwrap(), far.try_clone().unwrap());
                std::thread::spawn(move || std::io::copy(&mut asking, &mut asked));
                let losing = Arc::clone(&losing);
                std::thread::spawn(move || {
                    let (mut near, mut far) = (near, far);
                    let mut octets = [0; 4096];
                    while let Ok(read @ 1..) = far.read(&mut octets) {
                        if losing.swap(false, Ordering::SeqCst) {
                            break;
                        }
                        near.write_all(&octets[..read]).unwrap();
                    }
                    let _ = near.shutdown(Shutdown::Both);
                    let _ = far.shutdown(Shutdown::Both);
                });
            }
        });
        Self { port, lose }
    }

    fn lose_the_next_answer(&self) {
        self.lose.store(true, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_on_the_way_is_not_a_second_use() {
    let server = Server::start(&[]).await;
    let lossy = Lossy::before(server.port);
    let store = store(&RedisOptions::new(format!("redis://127.0.0.1:{}", lossy.port)));
    let long = Duration::from_secs(60);
    let put = |tag: &str| Put { key: keyspace::record(tag), value: tag.as_bytes().to_vec(), lifetime: long };
    let attempt = |number: u8| AttemptId([number; 16]);
    // Loads each script, so that the answer that is lost is the script's own.
    let mut warm = true;
    for round in ["warm", "lost"] {
        let (first, second) = (put(&format!("{round}-1")), put(&format!("{round}-2")));
        let lose = || {
            if !warm {
                lossy.lose_the_next_answer();
            }
        };
        lose();
        assert!(store.put(&[first.clone(), second.clone()], attempt(1)).await.unwrap(), "{round}");
        lose();
        let taken = store.take(&first.key, b"t", attempt(2)).await.unwrap();
        assert_eq!(taken, Taken::Value(first.value), "{round}");
        let once = Once { key: keyspace::once(round), lifetime: long };
        lose();
        assert!(store.insert_once(&once, attempt(3)).await.unwrap(), "{round}");
        let finish = Finish {
            take: second.key,
            tombstone: b"t".to_vec(),
            once: Some(Once { key: keyspace::once(&format!("{round}-finish")), lifetime: long }),
            put: vec![put(&format!("{round}-3"))],
        };
        lose();
        assert_eq!(store.finish(&finish, attempt(4)).await.unwrap(), Finished::Done(second.value), "{round}");
        lose();
        assert_eq!(store.move_head(round, None, b"1").await.unwrap(), HeadMoved::Moved, "{round}");
        warm = false;
    }
    assert!(!lossy.lose.load(Ordering::SeqCst), "an answer was lost each time");
    // And without a loss the second is a second.
    assert_eq!(store.move_head("lost", None, b"1").await.unwrap(), HeadMoved::Conflict(Some(b"1".to_vec())));
    assert!(
        !store.insert_once(&Once { key: keyspace::once("lost"), lifetime: long }, attempt(9)).await.unwrap()
    );
}

#[tokio::test]
async fn settings_that_break_a_promise_are_named() {
    let server = Server::start(&[]).await;
    let store = RedisStore::new(&server.tcp()).unwrap();
    assert_eq!(store.unfit_settings().await.unwrap(), Vec::<String>::new());
    server.raw(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]).await;
    let unfit = store.unfit_settings().await.unwrap();
    assert!(unfit.len() == 1 && unfit[0].contains("noeviction"), "{unfit:?}");
    let old = unfit_settings("redis_version:5.0.14\r\nmaxmemory_policy:noeviction\r\nredis_mode:cluster\r\n");
    assert_eq!(old.len(), 2, "{old:?}");
}

#[tokio::test]
async fn a_server_that_wants_another_password_is_away_and_no_password_is_said() {
    let server = Server::start(&["--requirepass", "right"]).await;
    let port = server.port;
    store(&RedisOptions::new(format!("redis://:right@127.0.0.1:{port}"))).health().await.unwrap();
    for user in [":wrong-secret@", ""] {
        let options = RedisOptions::new(format!("redis://{user}127.0.0.1:{port}"));
        let store = RedisStore::new(&options).unwrap();
        let health = store.health().await;
        assert!(is_away(&health), "{health:?}");
        for text in [format!("{health:?}"), format!("{options:?}"), format!("{store:?}")] {
            assert!(!text.contains("wrong-secret"), "{text}");
        }
    }
}

#[tokio::test]
async fn a_server_without_memory_is_away_and_nothing_happens_by_half() {
    let server = Server::start(&[]).await;
    let store = store(&server.tcp());
    let key = keyspace::record("t");
    let put = |tag: &str| Put {
        key: keyspace::record(tag),
        value: b"v".to_vec(),
        lifetime: Duration::from_secs(60),
    };
    assert!(store.put(&[put("t")], AttemptId([0; 16])).await.unwrap());
    server.raw(&["CONFIG", "SET", "maxmemory", "1"]).await;
    let finish = Finish { take: key.clone(), tombstone: b"t".to_vec(), once: None, put: vec![put("next")] };
    let finished = store.finish(&finish, AttemptId([1; 16])).await;
    assert!(is_away(&finished), "{finished:?}");
    assert_eq!(store.read(&key).await.unwrap(), Taken::Value(b"v".to_vec()));
    server.raw(&["CONFIG", "SET", "maxmemory", "0"]).await;
    assert_eq!(store.finish(&finish, AttemptId([1; 16])).await.unwrap(), Finished::Done(b"v".to_vec()));
}

#[tokio::test]
async fn tls_is_checked_against_the_named_authorities() {
    let folder = tempfile::tempdir().unwrap();
    let issue = |name: &str| {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let (certificate, key) =
            (folder.path().join(format!("{name}.pem")), folder.path().join(format!("{name}.key")));
        fs::write(&certificate, made.cert.pem()).unwrap();
        fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        (certificate, key)
    };
    let ((certificate, key), (other, _)) = (issue("server"), issue("other"));
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let server = Server::start(&[
        "--tls-port",
        "--tls-cert-file",
        &text(&certificate),
        "--tls-key-file",
        &text(&key),
        "--tls-auth-clients",
        "no",
    ])
    .await;
    let options = |authorities: Option<&Path>| RedisOptions {
        certificate_authorities: authorities.map(Path::to_owned),
        ..RedisOptions::new(format!("rediss://localhost:{}", server.port))
    };
    store(&options(Some(&certificate))).health().await.unwrap();
    for untrusted in [None, Some(other.as_path())] {
        let health = store(&options(untrusted)).health().await;
        assert!(is_away(&health), "{untrusted:?}: {health:?}");
    }
}

#[tokio::test]
async fn options_that_cannot_be_used_are_refused_without_the_url() {
    for url in [
        "",
        "http://localhost",
        "redis://:hidden@localhost:port",
        "rediss://:hidden@localhost/#insecure",
        "redis://:hidden@localhost/?timeout=3",
        "redis://:hidden@localhost/zero",
        "unix:relative/path",
    ] {
        let error = RedisStore::new(&RedisOptions::new(url)).map(drop).unwrap_err();
        assert!(matches!(error, OptionsError::Url(_)), "{url}: {error:?}");
        assert!(!error.to_string().contains("hidden"), "{error}");
    }
    for url in [
        "redis://localhost",
        "rediss://localhost:6380/2",
        "unix:/run/r.sock",
        "redis+unix:///run/r.sock?db=1",
    ] {
        assert!(RedisStore::new(&RedisOptions::new(url)).is_ok(), "{url}");
    }
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    fs::write(&empty, "").unwrap();
    for (url, path) in [
        ("rediss://localhost", folder.path().join("missing")),
        ("rediss://localhost", empty.clone()),
        ("redis://localhost", empty),
    ] {
        let options = RedisOptions { certificate_authorities: Some(path), ..RedisOptions::new(url) };
        let error = RedisStore::new(&options).map(drop).unwrap_err();
        assert!(matches!(error, OptionsError::CertificateAuthorities { .. }), "{error:?}");
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Person {
    name: String,
    number: String,
}

fn person() -> Person {
    Person { name: "Kerstin Lindström".to_owned(), number: "197705232382".to_owned() }
}

#[tokio::test]
async fn a_copy_of_the_store_tells_nothing_and_a_writer_to_it_makes_nothing() {
    let server = Server::start(&[]).await;
    let numbered = Numbered::default();
    let moment = Moment { now: NOW, entropy: &numbered };
    let secret = || NodeSecret::new("n1", [7; 32]).unwrap();
    let vault = Vault::new(store(&server.tcp()), secret(), vec![]);
    let (login, code) = (vault.new_handle(moment), vault.new_handle(moment));
    let cookie = "cookie-of-this-browser";
    let login_place = Place { kind: RecordKind::Provider, handle: &login, binding: Binding::Cookie(cookie) };
    let code_place =
        Place { kind: RecordKind::Code, handle: &code, binding: Binding::RelyingParty("schedule-service") };
    let left = "released to schedule".to_owned();
    let mark = Mark { kind: MarkKind::Assertion, name: b"https://idp.example _assertion-id", until: FAR };

    let base64 = |octets: &[u8]| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, octets);
    let hidden: Vec<Vec<u8>> = [
        login.as_str(),
        code.as_str(),
        cookie,
        "schedule-service",
        "Kerstin",
        "Lindstr",
        "197705232382",
        "released to",
        "https://idp.example",
        "_assertion-id",
        &base64(b"Kerstin Lindstr"),
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .chain([aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, login.as_str().as_bytes())
        .as_ref()
        .to_vec()])
    .collect();
    let tells_nothing = async |entries: usize| {
        let dump = server.dump().await;
        assert_eq!(dump.len(), entries, "{:?}", dump.iter().map(|(key, _)| key).collect::<Vec<_>>());
        for (key, value) in dump {
            for octets in &hidden {
                let shows = |text: &[u8]| text.windows(octets.len()).any(|window| window == octets);
                assert!(
                    !shows(key.as_bytes()) && !shows(&value),
                    "{key} shows {}",
                    String::from_utf8_lossy(octets)
                );
            }
        }
    };

    vault.put(moment, login_place, &person(), FAR).await.unwrap();
    tells_nothing(1).await;
    let next = [NewRecord::new(code_place, &person(), FAR).unwrap()];
    let finished =
        vault.finish::<Person, String>(moment, login_place, &left, Some(mark), &next).await.unwrap();
    assert_eq!(finished, VaultFinished::Done(person()));
    // Tombstone, answer, mark, code.
    tells_nothing(4).await;

    // By hand: garbage where the code stands; the code's record at another place; a later expiry. All are refused.
    let frame = |value: &[u8]| [b"V".as_slice(), &[0; 16], value].concat();
    let write = async |key: &StoreKey, value: &[u8]| {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", server.port)).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let mut command = redis::cmd("SET");
        command.arg(&key.0).arg(value).arg("PX").arg(60_000);
        command.query_async::<Value>(&mut connection).await.unwrap();
    };
    let code_key = code_place.store_key(&secret());
    let genuine = server.dump().await.into_iter().find(|(key, _)| *key == code_key.0).unwrap().1;
    let other = vault.new_handle(moment);
    let other_place = Place { handle: &other, ..code_place };
    let mut later = genuine.clone();
    // The frame of 17, then form, length, "n1", and the expiry.
    later[21..29].copy_from_slice(&FAR.plus(80_000).0.to_be_bytes());
    let plain = serde_json::to_vec(&person()).unwrap();
    for (place, value) in [
        (code_place, frame(&plain)),
        (code_place, b"V".to_vec()),
        (code_place, vec![]),
        (code_place, later),
        (other_place, genuine.clone()),
        (login_place, genuine.clone()),
    ] {
        write(&place.store_key(&secret()), &value).await;
        let read = vault.read::<Person, String>(moment, place).await;
        assert!(matches!(read, Err(VaultError::Corrupt)), "{read:?}");
        let taken = vault.take::<Person, String>(moment, place, &left).await;
        assert!(matches!(taken, Err(VaultError::Corrupt)), "{taken:?}");
    }
    // And the positive twin: the genuine octets at their own place.
    write(&code_key, &genuine).await;
    assert_eq!(vault.read::<Person, String>(moment, code_place).await.unwrap(), Found::Live(person()));
}
