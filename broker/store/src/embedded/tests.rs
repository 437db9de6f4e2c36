use std::{
    os::unix::fs::PermissionsExt as _,
    sync::atomic::{AtomicU64, Ordering},
};

use super::*;
use crate::{
    conformance::{self, Advance},
    keyspace::content_name,
};

/// A clock that stands until it is told to go on.
fn told_clock() -> (Clock, Advance) {
    let milliseconds = Arc::new(AtomicU64::new(1));
    let told = Arc::clone(&milliseconds);
    let clock: Clock = Arc::new(move || Duration::from_millis(milliseconds.load(Ordering::SeqCst)));
    let advance: Advance = Arc::new(move |time| {
        told.fetch_add(u64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
        Box::pin(std::future::ready(()))
    });
    (clock, advance)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_keeps_to_the_port() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, advance) = told_clock();
    let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(&folder.path().join("store"), clock).unwrap());
    conformance::run([Arc::clone(&store), store], advance).await;
}

#[tokio::test]
async fn memory_is_cleared_of_what_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, advance) = told_clock();
    let store = EmbeddedStore::open(&folder.path().join("store"), clock).unwrap();
    let mark = |number: u16| Once {
        key: keyspace::once(&number.to_string()),
        lifetime: Duration::from_secs(if number < 1000 { 1 } else { 3600 }),
    };
    for number in 0..1000 {
        assert!(store.insert_once(&mark(number), AttemptId([0; 16])).await.unwrap());
    }
    assert_eq!(store.expiring.entries(), 1000);
    advance(Duration::from_secs(2)).await;
    for number in 1000..1100 {
        assert!(store.insert_once(&mark(number), AttemptId([0; 16])).await.unwrap());
    }
    assert_eq!(store.expiring.entries(), 100);
}

#[tokio::test]
async fn heads_and_contents_survive_a_restart_and_records_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let put = Put { key: keyspace::record("t"), value: b"v".to_vec(), lifetime: Duration::from_secs(60) };
    {
        let store = EmbeddedStore::open(&path, machine_clock()).unwrap();
        assert_eq!(store.move_head("registry", None, b"1").await.unwrap(), HeadMoved::Moved);
        store.keep(&[b"peer".to_vec()]).await.unwrap();
        assert!(store.put(std::slice::from_ref(&put), AttemptId([0; 16])).await.unwrap());
    }
    let store = EmbeddedStore::open(&path, machine_clock()).unwrap();
    assert_eq!(store.head("registry").await.unwrap(), Some(b"1".to_vec()));
    assert_eq!(store.kept(&[content_name(b"peer")]).await.unwrap(), vec![Some(b"peer".to_vec())]);
    assert_eq!(store.read(&put.key).await.unwrap(), Taken::Absent);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_store_that_cannot_be_opened_says_how_to_mend_it() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing/store");
    let error = EmbeddedStore::open(&missing, machine_clock()).unwrap_err();
    assert!(matches!(&error, OpenError::NoFolder(_)), "{error:?}");
    assert!(error.to_string().contains("mkdir -p"), "{error}");

    let other = folder.path().join("other");
    fs::write(&other, "entityID,name\n".repeat(1000)).unwrap();
    let error = EmbeddedStore::open(&other, machine_clock()).unwrap_err();
    assert!(matches!(&error, OpenError::Damaged { .. }), "{error:?}");
    assert_eq!(fs::read(&other).unwrap().len(), 14_000, "a file that is not ours stays as it was");

    let error = EmbeddedStore::open(folder.path(), machine_clock()).unwrap_err();
    assert!(matches!(&error, OpenError::NotPermitted { .. }), "{error:?}");

    let path = folder.path().join("store");
    let _first = EmbeddedStore::open(&path, machine_clock()).unwrap();
    let error = EmbeddedStore::open(&path, machine_clock()).unwrap_err();
    assert!(matches!(&error, OpenError::Held(_)), "{error:?}");
}

#[tokio::test]
async fn a_socket_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s".repeat(120));
    let error = open_for_serve(&path, machine_clock()).map(drop).unwrap_err();
    assert!(matches!(&error, OpenError::Socket { .. }), "{error:?}");
}

#[tokio::test]
async fn a_command_opens_the_file_when_nobody_holds_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let store = open_for_command(&path).await.unwrap();
    assert_eq!(store.move_head("registry", None, b"1").await.unwrap(), HeadMoved::Moved);
}

#[tokio::test]
async fn a_command_reaches_a_running_process_by_its_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let (serving, admin) = open_for_serve(&path, machine_clock()).unwrap();
    let socket = socket_path(&path);
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);

    let command = open_for_command(&path).await.unwrap();
    command.health().await.unwrap();
    assert_eq!(command.head("registry").await.unwrap(), None);
    assert_eq!(command.move_head("registry", None, b"1\0").await.unwrap(), HeadMoved::Moved);
    assert_eq!(serving.head("registry").await.unwrap(), Some(b"1\0".to_vec()));
    let conflict = command.move_head("registry", None, b"2").await.unwrap();
    assert_eq!(conflict, HeadMoved::Conflict(Some(b"1\0".to_vec())));
    assert!(matches!(command.head("NO").await, Err(StoreError::Unexpected(_))));

    // More than one frame either way, a content of the largest size among them.
    let mut contents: Vec<Vec<u8>> = (0..5_u8).map(|number| vec![number; 3 * 1024 * 1024]).collect();
    contents.push(vec![9; keyspace::MAX_CONTENT]);
    contents.push(vec![]);
    command.keep(&contents).await.unwrap();
    let mut names: Vec<_> = contents.iter().map(|content| content_name(content)).collect();
    assert!(serving.kept(&names).await.unwrap().iter().all(Option::is_some));
    names.push(content_name(b"never kept"));
    let mut expected: Vec<_> = contents.into_iter().map(Some).collect();
    expected.push(None);
    assert!(command.kept(&names).await.unwrap() == expected);

    // What lives in the process's memory is not for commands.
    let refused = command.read(&keyspace::record("t")).await;
    assert!(matches!(refused, Err(StoreError::Unexpected(_))), "{refused:?}");

    drop(admin);
    assert!(!socket.exists());
}

#[tokio::test]
async fn a_socket_that_a_killed_process_left_is_in_nobodys_way() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    drop(std::os::unix::net::UnixListener::bind(socket_path(&path)).unwrap());
    assert!(socket_path(&path).exists());
    drop(open_for_command(&path).await.unwrap());
    let (_serving, _admin) = open_for_serve(&path, machine_clock()).unwrap();
    open_for_command(&path).await.unwrap().health().await.unwrap();
}

#[tokio::test]
async fn a_holder_that_does_not_answer_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let _holder = EmbeddedStore::open(&path, machine_clock()).unwrap();
    let Err(error) = open_for_command(&path).await else { panic!("the file is held") };
    assert!(matches!(&error, OpenError::NoAnswer { .. }), "{error:?}");
    assert!(error.to_string().contains("store.socket"), "{error}");
}

#[tokio::test]
async fn nonsense_at_the_socket_is_answered_once_and_harms_nobody() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let (_serving, _admin) = open_for_serve(&path, machine_clock()).unwrap();
    for frame in [&b"\xff\xff\xff\xff"[..], b"\0\0\0\x02{}", b"\0\0\0\x08\"delete\"", b"\0\0\0\x01\xff"] {
        let mut stream = tokio::net::UnixStream::connect(socket_path(&path)).await.unwrap();
        stream.write_all(frame).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert!(answer.windows(12).any(|window| window == b"\"unexpected\""), "{frame:?}: {answer:?}");
    }
    open_for_command(&path).await.unwrap().health().await.unwrap();
}
