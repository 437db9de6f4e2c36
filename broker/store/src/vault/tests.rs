use serde::Deserialize;

use super::*;
use crate::{
    conformance::{FAR, NOW, Numbered},
    embedded::{EmbeddedStore, machine_clock},
    record::{Binding, RecordKind},
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Login {
    name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Left {
    outcome: String,
}

fn login() -> Login {
    Login { name: "Kerstin Lindström".to_owned() }
}

fn left() -> Left {
    Left { outcome: "released".to_owned() }
}

struct Bench {
    _folder: tempfile::TempDir,
    store: Arc<dyn Store>,
    numbered: Numbered,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = EmbeddedStore::open(&folder.path().join("store"), machine_clock()).unwrap();
        Self { _folder: folder, store: Arc::new(store), numbered: Numbered::default() }
    }

    fn vault(&self, present: u8, former: &[u8]) -> Vault {
        let secret = |number: u8| NodeSecret::new(format!("n{number}"), [number; 32]).unwrap();
        Vault::new(Arc::clone(&self.store), secret(present), former.iter().copied().map(secret).collect())
    }

    fn at(&self, seconds: i64) -> Moment<'_> {
        Moment { now: NOW.plus(seconds), entropy: &self.numbered }
    }
}

fn place(handle: &Handle) -> Place<'_> {
    Place { kind: RecordKind::Provider, handle, binding: Binding::Cookie("cookie") }
}

#[tokio::test]
async fn a_record_is_read_taken_once_and_leaves_its_tombstone() {
    let bench = Bench::new();
    let vault = bench.vault(1, &[]);
    let handle = vault.new_handle(bench.at(0));
    vault.put(bench.at(0), place(&handle), &login(), FAR).await.unwrap();
    assert_eq!(vault.read::<Login, Left>(bench.at(1), place(&handle)).await.unwrap(), Found::Live(login()));
    assert_eq!(
        vault.take::<Login, Left>(bench.at(1), place(&handle), &left()).await.unwrap(),
        Found::Live(login())
    );
    assert_eq!(
        vault.take::<Login, Left>(bench.at(2), place(&handle), &left()).await.unwrap(),
        Found::Spent(left())
    );
    assert_eq!(vault.read::<Login, Left>(bench.at(2), place(&handle)).await.unwrap(), Found::Spent(left()));
}

#[tokio::test]
async fn a_handle_without_its_binding_finds_and_consumes_nothing() {
    let bench = Bench::new();
    let vault = bench.vault(1, &[]);
    let handle = vault.new_handle(bench.at(0));
    vault.put(bench.at(0), place(&handle), &login(), FAR).await.unwrap();
    let stolen = Place { binding: Binding::Cookie("another browser"), ..place(&handle) };
    assert_eq!(vault.take::<Login, Left>(bench.at(0), stolen, &left()).await.unwrap(), Found::Absent);
    let finished = vault.finish::<Login, Left>(bench.at(0), stolen, &left(), None, &[]).await.unwrap();
    assert_eq!(finished, Finished::Absent);
    assert_eq!(vault.read::<Login, Left>(bench.at(0), place(&handle)).await.unwrap(), Found::Live(login()));
}

#[tokio::test]
async fn the_sealed_expiry_holds_even_when_the_store_keeps_the_record() {
    let bench = Bench::new();
    let vault = bench.vault(1, &[]);
    let handle = vault.new_handle(bench.at(0));
    vault.put(bench.at(0), place(&handle), &login(), NOW.plus(300)).await.unwrap();
    assert_eq!(vault.read::<Login, Left>(bench.at(299), place(&handle)).await.unwrap(), Found::Live(login()));
    assert_eq!(vault.read::<Login, Left>(bench.at(300), place(&handle)).await.unwrap(), Found::Absent);
    assert_eq!(
        vault.take::<Login, Left>(bench.at(300), place(&handle), &left()).await.unwrap(),
        Found::Absent
    );
}

#[tokio::test]
async fn finish_takes_marks_and_puts_or_does_nothing() {
    let bench = Bench::new();
    let vault = bench.vault(1, &[]);
    let (first, second, code) =
        (vault.new_handle(bench.at(0)), vault.new_handle(bench.at(0)), vault.new_handle(bench.at(0)));
    vault.put(bench.at(0), place(&first), &login(), FAR).await.unwrap();
    vault.put(bench.at(0), place(&second), &login(), FAR).await.unwrap();
    let mark = Mark { kind: MarkKind::Assertion, name: b"issuer _assertion", until: FAR };
    let code_place =
        Place { kind: RecordKind::Code, handle: &code, binding: Binding::RelyingParty("schedule") };
    let next = [NewRecord::new(code_place, &login(), NOW.plus(60)).unwrap()];

    let finished = vault.finish::<Login, Left>(bench.at(0), place(&first), &left(), Some(mark), &next).await;
    assert_eq!(finished.unwrap(), Finished::Done(login()));
    assert_eq!(vault.read::<Login, Left>(bench.at(0), code_place).await.unwrap(), Found::Live(login()));
    let again = vault.finish::<Login, Left>(bench.at(0), place(&first), &left(), Some(mark), &[]).await;
    assert_eq!(again.unwrap(), Finished::Spent(left()));

    // The same assertion at another login is refused, and that login stays as it was.
    let replayed = vault.finish::<Login, Left>(bench.at(0), place(&second), &left(), Some(mark), &[]).await;
    assert_eq!(replayed.unwrap(), Finished::Replayed);
    assert_eq!(vault.read::<Login, Left>(bench.at(0), place(&second)).await.unwrap(), Found::Live(login()));
    assert!(!vault.insert_once(bench.at(0), mark).await.unwrap());
}

#[tokio::test]
async fn a_mark_is_set_once_and_not_for_a_message_that_is_over() {
    let bench = Bench::new();
    let vault = bench.vault(1, &[]);
    let mark = Mark { kind: MarkKind::ClientAssertion, name: b"jti", until: NOW.plus(60) };
    assert!(!vault.insert_once(bench.at(60), mark).await.unwrap());
    assert!(vault.insert_once(bench.at(0), mark).await.unwrap());
    assert!(!vault.insert_once(bench.at(1), mark).await.unwrap());
    assert!(vault.insert_once(bench.at(1), Mark { kind: MarkKind::Proof, ..mark }).await.unwrap());
}

#[tokio::test]
async fn while_secrets_rotate_every_node_finds_records_and_marks() {
    let bench = Bench::new();
    let (old, rotating, new) = (bench.vault(1, &[2]), bench.vault(2, &[1]), bench.vault(2, &[]));
    let handle = old.new_handle(bench.at(0));
    old.put(bench.at(0), place(&handle), &login(), FAR).await.unwrap();
    assert_eq!(
        rotating.read::<Login, Left>(bench.at(0), place(&handle)).await.unwrap(),
        Found::Live(login())
    );
    assert_eq!(new.read::<Login, Left>(bench.at(0), place(&handle)).await.unwrap(), Found::Absent);

    let mark = |name| Mark { kind: MarkKind::Assertion, name, until: FAR };
    assert!(old.insert_once(bench.at(0), mark(b"a")).await.unwrap());
    assert!(!rotating.insert_once(bench.at(0), mark(b"a")).await.unwrap());
    assert!(rotating.insert_once(bench.at(0), mark(b"b")).await.unwrap());
    assert!(!old.insert_once(bench.at(0), mark(b"b")).await.unwrap());
    assert!(!new.insert_once(bench.at(0), mark(b"b")).await.unwrap());

    let replayed =
        rotating.finish::<Login, Left>(bench.at(0), place(&handle), &left(), Some(mark(b"b")), &[]).await;
    assert_eq!(replayed.unwrap(), Finished::Replayed);
    let done =
        rotating.finish::<Login, Left>(bench.at(0), place(&handle), &left(), Some(mark(b"c")), &[]).await;
    assert_eq!(done.unwrap(), Finished::Done(login()));
    assert!(!old.insert_once(bench.at(0), mark(b"c")).await.unwrap());
}

#[tokio::test]
async fn what_is_forgotten_is_absent() {
    let bench = Bench::new();
    let vault = bench.vault(1, &[]);
    let handle = vault.new_handle(bench.at(0));
    vault.put(bench.at(0), place(&handle), &login(), FAR).await.unwrap();
    vault.forget(place(&handle)).await.unwrap();
    vault.forget(place(&handle)).await.unwrap();
    assert_eq!(vault.read::<Login, Left>(bench.at(0), place(&handle)).await.unwrap(), Found::Absent);
}

#[tokio::test]
async fn octets_that_no_node_wrote_are_refused() {
    let bench = Bench::new();
    let vault = bench.vault(1, &[]);
    let secret = NodeSecret::new("n1", [1; 32]).unwrap();
    let (garbage, copy, source) =
        (vault.new_handle(bench.at(0)), vault.new_handle(bench.at(0)), vault.new_handle(bench.at(0)));
    vault.put(bench.at(0), place(&source), &login(), FAR).await.unwrap();
    let Taken::Value(sealed) = bench.store.read(&place(&source).store_key(&secret)).await.unwrap() else {
        panic!("the record stands")
    };
    let mut later = sealed.clone();
    later[4..12].copy_from_slice(&FAR.plus(1000).0.to_be_bytes());
    for (handle, value) in [(&garbage, b"{\"name\":\"me\"}".to_vec()), (&copy, sealed)] {
        let key = place(handle).store_key(&secret);
        let put = Put { key, value, lifetime: Duration::from_secs(60) };
        assert!(bench.store.put(&[put], AttemptId([0; 16])).await.unwrap());
        let read = vault.read::<Login, Left>(bench.at(0), place(handle)).await;
        assert!(matches!(read, Err(VaultError::Corrupt)), "{read:?}");
    }
    let key = place(&source).store_key(&secret);
    bench.store.forget(&key).await.unwrap();
    let put = Put { key, value: later, lifetime: Duration::from_secs(60) };
    assert!(bench.store.put(&[put], AttemptId([1; 16])).await.unwrap());
    let read = vault.read::<Login, Left>(bench.at(0), place(&source)).await;
    assert!(matches!(read, Err(VaultError::Corrupt)), "{read:?}");
}

#[tokio::test]
async fn what_cannot_be_a_record_is_refused() {
    let bench = Bench::new();
    let vault = bench.vault(1, &[]);
    let handle = vault.new_handle(bench.at(0));
    let large = Login { name: "x".repeat(record::MAX_PLAIN) };
    let unfit =
        |result: Result<(), VaultError>| assert!(matches!(result, Err(VaultError::Unfit(_))), "{result:?}");
    unfit(vault.put(bench.at(0), place(&handle), &large, FAR).await);
    unfit(vault.put(bench.at(0), place(&handle), &login(), NOW).await);
    unfit(vault.put(bench.at(0), place(&handle), &login(), NOW.plus(MAX_LIFETIME_SECONDS + 1)).await);
    vault.put(bench.at(0), place(&handle), &login(), NOW.plus(1)).await.unwrap();
    let again = vault.put(bench.at(0), place(&handle), &login(), FAR).await;
    assert!(matches!(again, Err(VaultError::Occupied)), "{again:?}");
}

#[test]
fn a_mark_name_keeps_its_parts_apart() {
    assert_ne!(mark_name(&["ab", "c"]), mark_name(&["a", "bc"]));
    assert_eq!(mark_name(&["ab", "c"]), mark_name(&["ab", "c"]));
}

#[tokio::test]
async fn verbs_can_move_between_threads() {
    fn moves<T: Send>(future: T) -> T {
        future
    }
    let bench = Bench::new();
    let vault = bench.vault(1, &[]);
    let handle = vault.new_handle(bench.at(0));
    moves(vault.put(bench.at(0), place(&handle), &login(), FAR)).await.unwrap();
    moves(vault.read::<Login, Left>(bench.at(0), place(&handle))).await.unwrap();
    moves(vault.take::<Login, Left>(bench.at(0), place(&handle), &left())).await.unwrap();
    moves(vault.finish::<Login, Left>(bench.at(0), place(&handle), &left(), None, &[])).await.unwrap();
}
