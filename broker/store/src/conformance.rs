//! One suite for every implementation of the port: what a store promises, and what a record in it gives away.
//!
//! [`run`] takes two nodes' views of one store (the same view twice, where only one process can hold it) and a way to let time pass. It panics with
//! the rule that is broken: it is called from tests. Neighbours: [`crate::embedded`] and [`crate::redis`] call it, each with its own surroundings.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use broker_core::{
    moment::{Entropy, Moment, Timestamp},
    port::{AttemptId, Finish, Finished, HeadMoved, Once, Put, Store, StoreError, StoreKey, Taken},
};
use tokio::task::JoinSet;

use crate::keyspace;

/// When the tests of sealed records take place.
pub const NOW: Timestamp = Timestamp(1_800_000_000);
/// An hour later.
pub const FAR: Timestamp = Timestamp(1_800_003_600);

/// Octets that are never twice the same and in no way secret: SHA-256 of a counter. For tests alone.
#[derive(Debug, Default)]
pub struct Numbered(AtomicU64);

impl Entropy for Numbered {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let number = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &number);
            for (byte, digest) in chunk.iter_mut().zip(digest.as_ref()) {
                *byte = *digest;
            }
        }
    }
}

/// Lets that much time pass for the store.
pub type Advance = Arc<dyn Fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// How many nodes' tasks use one thing at once.
const PARALLEL: usize = 10_000;
/// The lifetime of what is to expire within a test. Long enough that a busy machine does not lose it before its time.
const SHORT: Duration = Duration::from_secs(3);
const LONG: Duration = Duration::from_secs(600);

/// Two nodes on one store.
struct Suite {
    nodes: [Arc<dyn Store>; 2],
    advance: Advance,
    numbered: Numbered,
}

/// Holds a store to the port.
///
/// # Panics
/// When it breaks a rule.
pub async fn run(nodes: [Arc<dyn Store>; 2], advance: Advance) {
    let suite = Suite { nodes, advance, numbered: Numbered::default() };
    suite.put_stands_once().await;
    suite.put_is_all_or_none().await;
    suite.take_leaves_a_tombstone().await;
    suite.a_retry_is_not_a_second_use().await;
    suite.what_expires_is_absent().await;
    suite.finish_is_all_or_nothing().await;
    suite.forget_leaves_nothing().await;
    suite.heads_move_from_where_they_stand().await;
    suite.contents_are_kept_by_their_name().await;
    suite.what_is_discarded_is_gone().await;
    suite.what_is_too_large_is_refused().await;
    suite.one_take_of_many().await;
    suite.one_mark_of_many().await;
    suite.one_finish_of_many().await;
    for node in &suite.nodes {
        node.health().await.expect("it answers");
    }
}

impl Suite {
    fn moment(&self) -> Moment<'_> {
        Moment { now: NOW, entropy: &self.numbered }
    }

    fn attempt(&self) -> AttemptId {
        AttemptId(self.moment().random())
    }

    fn tag(&self) -> String {
        self.moment().random::<16>().iter().map(|octet| format!("{octet:02x}")).collect()
    }

    fn key(&self) -> StoreKey {
        keyspace::record(&self.tag())
    }

    fn once(&self, lifetime: Duration) -> Once {
        Once { key: keyspace::once(&self.tag()), lifetime }
    }

    fn put(&self, value: &[u8], lifetime: Duration) -> Put {
        Put { key: self.key(), value: value.to_vec(), lifetime }
    }

    async fn standing(&self, value: &[u8], lifetime: Duration) -> StoreKey {
        let put = self.put(value, lifetime);
        assert!(self.nodes[0].put(std::slice::from_ref(&put), self.attempt()).await.unwrap());
        put.key
    }

    async fn put_stands_once(&self) {
        let [a, b] = &self.nodes;
        // Every octet comes back as it was.
        let octets: Vec<u8> = (0..=255).collect();
        let put = self.put(&octets, LONG);
        let attempt = self.attempt();
        assert_eq!(a.read(&put.key).await.unwrap(), Taken::Absent);
        assert!(a.put(std::slice::from_ref(&put), attempt).await.unwrap());
        assert_eq!(b.read(&put.key).await.unwrap(), Taken::Value(octets.clone()));
        assert!(!b.put(std::slice::from_ref(&put), self.attempt()).await.unwrap(), "another attempt");
        assert!(a.put(std::slice::from_ref(&put), attempt).await.unwrap(), "the same attempt");
        // Also when it was taken in between.
        b.take(&put.key, b"tombstone", self.attempt()).await.unwrap();
        assert!(a.put(std::slice::from_ref(&put), attempt).await.unwrap(), "the same attempt after a take");
        assert_eq!(a.read(&put.key).await.unwrap(), Taken::Spent(b"tombstone".to_vec()));
        assert!(!a.put(&[put], self.attempt()).await.unwrap(), "on a tombstone");
        assert!(a.put(&[], self.attempt()).await.unwrap(), "nothing to put");
    }

    async fn put_is_all_or_none(&self) {
        let [a, b] = &self.nodes;
        let taken = self.put(b"old", LONG);
        assert!(a.put(std::slice::from_ref(&taken), self.attempt()).await.unwrap());
        let free = self.put(b"new", LONG);
        assert!(!a.put(&[free.clone(), taken], self.attempt()).await.unwrap());
        assert_eq!(b.read(&free.key).await.unwrap(), Taken::Absent, "the free one was not put");
        let pair = [self.put(b"1", LONG), self.put(b"2", LONG)];
        let attempt = self.attempt();
        assert!(a.put(&pair, attempt).await.unwrap());
        assert!(b.put(&pair, attempt).await.unwrap(), "the same attempt");
        assert_eq!(b.read(&pair[1].key).await.unwrap(), Taken::Value(b"2".to_vec()));
        let twice = self.put(b"x", LONG);
        assert!(!a.put(&[twice.clone(), twice], self.attempt()).await.unwrap(), "one key twice");
    }

    async fn take_leaves_a_tombstone(&self) {
        let [a, b] = &self.nodes;
        let key = self.standing(b"value", LONG).await;
        assert_eq!(
            a.take(&key, b"left by a", self.attempt()).await.unwrap(),
            Taken::Value(b"value".to_vec())
        );
        assert_eq!(
            b.take(&key, b"left by b", self.attempt()).await.unwrap(),
            Taken::Spent(b"left by a".to_vec())
        );
        assert_eq!(b.read(&key).await.unwrap(), Taken::Spent(b"left by a".to_vec()));
        let absent = self.key();
        assert_eq!(a.take(&absent, b"x", self.attempt()).await.unwrap(), Taken::Absent);
        assert_eq!(a.read(&absent).await.unwrap(), Taken::Absent, "taking nothing leaves nothing");
    }

    async fn a_retry_is_not_a_second_use(&self) {
        let [a, b] = &self.nodes;
        let key = self.standing(b"value", LONG).await;
        let attempt = self.attempt();
        for node in [a, a, b] {
            assert_eq!(node.take(&key, b"t", attempt).await.unwrap(), Taken::Value(b"value".to_vec()));
        }
        assert_eq!(a.take(&key, b"t", self.attempt()).await.unwrap(), Taken::Spent(b"t".to_vec()));

        let once = self.once(LONG);
        assert!(a.insert_once(&once, attempt).await.unwrap());
        assert!(b.insert_once(&once, attempt).await.unwrap(), "the same attempt");
        assert!(!a.insert_once(&once, self.attempt()).await.unwrap(), "another attempt");

        let finish = Finish {
            take: self.standing(b"step", LONG).await,
            tombstone: b"t".to_vec(),
            once: Some(self.once(LONG)),
            put: vec![self.put(b"next", LONG)],
        };
        for node in [a, a, b] {
            assert_eq!(node.finish(&finish, attempt).await.unwrap(), Finished::Done(b"step".to_vec()));
        }
        assert_eq!(a.finish(&finish, self.attempt()).await.unwrap(), Finished::Spent(b"t".to_vec()));
    }

    async fn what_expires_is_absent(&self) {
        let [a, b] = &self.nodes;
        let value = self.standing(b"value", SHORT).await;
        let spent = self.standing(b"value", SHORT).await;
        let long = self.standing(b"value", LONG).await;
        let once = self.once(SHORT);
        let attempt = self.attempt();
        assert!(a.insert_once(&once, self.attempt()).await.unwrap());
        (self.advance)(SHORT / 3).await;
        assert_eq!(a.take(&spent, b"t", attempt).await.unwrap(), Taken::Value(b"value".to_vec()));
        assert_eq!(b.read(&spent).await.unwrap(), Taken::Spent(b"t".to_vec()));
        assert!(!b.insert_once(&once, self.attempt()).await.unwrap());
        // Past the end of what was put first; a tombstone ends with its record and not a lifetime after the taking.
        (self.advance)(SHORT * 4 / 5).await;
        assert_eq!(b.read(&value).await.unwrap(), Taken::Absent);
        assert_eq!(b.read(&spent).await.unwrap(), Taken::Absent, "the tombstone outlived its record");
        assert_eq!(a.take(&spent, b"t", attempt).await.unwrap(), Taken::Absent);
        let finish = Finish { take: value.clone(), tombstone: vec![], once: None, put: vec![] };
        assert_eq!(a.finish(&finish, self.attempt()).await.unwrap(), Finished::Absent);
        assert!(a.insert_once(&once, self.attempt()).await.unwrap(), "a mark whose time is over");
        assert_eq!(b.read(&long).await.unwrap(), Taken::Value(b"value".to_vec()));
        let again = Put { key: value, value: b"again".to_vec(), lifetime: LONG };
        assert!(
            a.put(&[again], self.attempt()).await.unwrap(),
            "where something expired, something may stand"
        );
    }

    async fn finish_is_all_or_nothing(&self) {
        let [a, b] = &self.nodes;
        let once = self.once(LONG);
        let next = self.put(b"next", LONG);
        let finish = |take: StoreKey, put: &Put| Finish {
            take,
            tombstone: b"t".to_vec(),
            once: Some(once.clone()),
            put: vec![put.clone()],
        };
        let absent = finish(self.key(), &next);
        assert_eq!(a.finish(&absent, self.attempt()).await.unwrap(), Finished::Absent);
        assert_eq!(b.read(&next.key).await.unwrap(), Taken::Absent);

        let first = finish(self.standing(b"first", LONG).await, &next);
        assert_eq!(a.finish(&first, self.attempt()).await.unwrap(), Finished::Done(b"first".to_vec()));
        assert_eq!(b.read(&first.take).await.unwrap(), Taken::Spent(b"t".to_vec()));
        assert_eq!(b.read(&next.key).await.unwrap(), Taken::Value(b"next".to_vec()));
        assert!(!b.insert_once(&once, self.attempt()).await.unwrap(), "the mark stands");

        let other = self.put(b"other", LONG);
        let replay = finish(self.standing(b"second", LONG).await, &other);
        assert_eq!(b.finish(&replay, self.attempt()).await.unwrap(), Finished::Replayed);
        assert_eq!(a.read(&replay.take).await.unwrap(), Taken::Value(b"second".to_vec()), "not taken");
        assert_eq!(a.read(&other.key).await.unwrap(), Taken::Absent, "not put");

        let occupied = Finish { once: Some(self.once(LONG)), put: vec![other, next], ..replay };
        let refused = b.finish(&occupied, self.attempt()).await;
        assert!(matches!(refused, Err(StoreError::Unexpected(_))), "{refused:?}");
        assert_eq!(a.read(&occupied.take).await.unwrap(), Taken::Value(b"second".to_vec()), "not taken");
        assert_eq!(a.read(&occupied.put[0].key).await.unwrap(), Taken::Absent, "not put");
        let once = occupied.once.unwrap();
        assert!(a.insert_once(&once, self.attempt()).await.unwrap(), "not marked");

        let plain = Finish { take: occupied.take, tombstone: vec![], once: None, put: vec![] };
        assert_eq!(a.finish(&plain, self.attempt()).await.unwrap(), Finished::Done(b"second".to_vec()));
    }

    async fn forget_leaves_nothing(&self) {
        let [a, b] = &self.nodes;
        let key = self.standing(b"value", LONG).await;
        a.forget(&key).await.unwrap();
        assert_eq!(b.read(&key).await.unwrap(), Taken::Absent);
        a.forget(&key).await.unwrap();
        let key = self.standing(b"value", LONG).await;
        let attempt = self.attempt();
        a.take(&key, b"t", attempt).await.unwrap();
        a.forget(&key).await.unwrap();
        assert_eq!(
            b.take(&key, b"t", attempt).await.unwrap(),
            Taken::Absent,
            "the value is not kept for a retry"
        );
    }

    async fn heads_move_from_where_they_stand(&self) {
        let [a, b] = &self.nodes;
        let name = format!("conformance-{}", self.tag());
        assert_eq!(a.head(&name).await.unwrap(), None);
        let moved = a.move_head(&name, Some(b"0"), b"1").await.unwrap();
        assert_eq!(moved, HeadMoved::Conflict(None), "nothing stands there");
        assert_eq!(a.move_head(&name, None, b"1\0").await.unwrap(), HeadMoved::Moved);
        assert_eq!(b.head(&name).await.unwrap(), Some(b"1\0".to_vec()));
        assert_eq!(b.move_head(&name, None, b"2").await.unwrap(), HeadMoved::Conflict(Some(b"1\0".to_vec())));
        assert_eq!(
            b.move_head(&name, Some(b"1"), b"2").await.unwrap(),
            HeadMoved::Conflict(Some(b"1\0".to_vec()))
        );
        assert_eq!(b.move_head(&name, Some(b"1\0"), b"2").await.unwrap(), HeadMoved::Moved);
        assert_eq!(a.head(&name).await.unwrap(), Some(b"2".to_vec()));
        // An empty head is a head.
        assert_eq!(a.move_head(&name, Some(b"2"), b"").await.unwrap(), HeadMoved::Moved);
        assert_eq!(a.head(&name).await.unwrap(), Some(vec![]));
        assert_eq!(a.move_head(&name, None, b"3").await.unwrap(), HeadMoved::Conflict(Some(vec![])));
        for name in ["", "a}b", "A"] {
            assert!(matches!(a.head(name).await, Err(StoreError::Unexpected(_))), "{name}");
            assert!(matches!(a.move_head(name, None, b"").await, Err(StoreError::Unexpected(_))), "{name}");
        }

        let name = format!("race-{}", self.tag());
        let mut moving = JoinSet::new();
        for number in 0..100_u8 {
            let (node, name) = (Arc::clone(&self.nodes[usize::from(number % 2)]), name.clone());
            moving.spawn(async move { node.move_head(&name, None, &[number]).await.unwrap() });
        }
        let moved = moving.join_all().await;
        assert_eq!(moved.iter().filter(|moved| **moved == HeadMoved::Moved).count(), 1);
    }

    async fn contents_are_kept_by_their_name(&self) {
        let [a, b] = &self.nodes;
        let contents = vec![self.tag().into_bytes(), vec![], vec![0, 255, 10]];
        let mut names: Vec<_> = contents.iter().map(|content| keyspace::content_name(content)).collect();
        a.keep(&contents).await.unwrap();
        a.keep(&contents).await.unwrap();
        a.keep(&[]).await.unwrap();
        names.insert(1, keyspace::content_name(self.tag().as_bytes()));
        let mut expected: Vec<_> = contents.into_iter().map(Some).collect();
        expected.insert(1, None);
        assert_eq!(b.kept(&names).await.unwrap(), expected);
        assert_eq!(b.kept(&[]).await.unwrap(), Vec::<Option<Vec<u8>>>::new());
        let not_a_name = b.kept(&["registry".to_owned()]).await;
        assert!(matches!(not_a_name, Err(StoreError::Unexpected(_))), "{not_a_name:?}");
    }

    async fn what_is_discarded_is_gone(&self) {
        let [a, b] = &self.nodes;
        let contents: Vec<Vec<u8>> = (0..600).map(|_| self.tag().into_bytes()).collect();
        let names: Vec<_> = contents.iter().map(|content| keyspace::content_name(content)).collect();
        a.keep(&contents).await.unwrap();
        let (stays, goes) = names.split_first().unwrap();
        b.discard(goes).await.unwrap();
        let found = a.kept(&names).await.unwrap();
        assert_eq!(found[0].as_ref(), contents.first(), "what was not named stays");
        assert!(found[1..].iter().all(Option::is_none));
        b.discard(goes).await.unwrap();
        a.discard(&[]).await.unwrap();
        // It can be kept anew.
        a.keep(&contents[1..2]).await.unwrap();
        assert_eq!(b.kept(&names[1..2]).await.unwrap(), [Some(contents[1].clone())]);
        // One name that is none, and nothing is discarded.
        let refused = a.discard(&[stays.clone(), "registry".to_owned()]).await;
        assert!(matches!(refused, Err(StoreError::Unexpected(_))), "{refused:?}");
        assert_eq!(b.kept(std::slice::from_ref(stays)).await.unwrap(), [contents.first().cloned()]);
    }

    async fn what_is_too_large_is_refused(&self) {
        let a = &self.nodes[0];
        let refused = |result: Result<(), StoreError>| {
            assert!(matches!(result, Err(StoreError::Unexpected(_))), "{result:?}");
        };
        let large = self.put(&vec![0; keyspace::MAX_VALUE + 1], LONG);
        refused(a.put(std::slice::from_ref(&large), self.attempt()).await.map(drop));
        let fits = self.put(&vec![0; keyspace::MAX_VALUE], LONG);
        assert!(a.put(&[fits], self.attempt()).await.unwrap());
        let key = self.standing(b"v", LONG).await;
        refused(a.take(&key, &large.value, self.attempt()).await.map(drop));
        assert_eq!(a.read(&key).await.unwrap(), Taken::Value(b"v".to_vec()));
        refused(a.move_head("large", None, &vec![0; keyspace::MAX_HEAD + 1]).await.map(drop));
        refused(a.keep(&[vec![0; keyspace::MAX_CONTENT + 1]]).await);
        let brief = self.put(b"v", Duration::ZERO);
        refused(a.put(&[brief], self.attempt()).await.map(drop));
        refused(a.insert_once(&self.once(Duration::ZERO), self.attempt()).await.map(drop));
    }

    async fn race<T: Send + 'static>(
        &self,
        verb: impl Fn(Arc<dyn Store>, AttemptId) -> Pin<Box<dyn Future<Output = T> + Send>>,
    ) -> Vec<T> {
        let mut racing = JoinSet::new();
        for number in 0..PARALLEL {
            racing.spawn(verb(Arc::clone(&self.nodes[number % 2]), self.attempt()));
        }
        racing.join_all().await
    }

    async fn one_take_of_many(&self) {
        let key = self.standing(b"value", LONG).await;
        let taken = self
            .race(|node, attempt| {
                let key = key.clone();
                Box::pin(async move { node.take(&key, b"t", attempt).await.unwrap() })
            })
            .await;
        assert_eq!(taken.iter().filter(|taken| **taken == Taken::Value(b"value".to_vec())).count(), 1);
        let spent = Taken::Spent(b"t".to_vec());
        assert_eq!(taken.iter().filter(|taken| **taken == spent).count(), PARALLEL - 1);
    }

    async fn one_mark_of_many(&self) {
        let once = self.once(LONG);
        let set = self
            .race(|node, attempt| {
                let once = once.clone();
                Box::pin(async move { node.insert_once(&once, attempt).await.unwrap() })
            })
            .await;
        assert_eq!(set.iter().filter(|set| **set).count(), 1);
    }

    async fn one_finish_of_many(&self) {
        // One assertion posted at two logins, and each login's post repeated: one finish in all.
        let takes = [self.standing(b"one", LONG).await, self.standing(b"two", LONG).await];
        let once = self.once(LONG);
        let number = AtomicU64::new(0);
        let finished = self
            .race(|node, attempt| {
                let number = number.fetch_add(1, Ordering::Relaxed);
                let take = takes[usize::from(number % 4 >= 2)].clone();
                let put = Put { key: self.key(), value: b"code".to_vec(), lifetime: LONG };
                let finish =
                    Finish { take, tombstone: b"t".to_vec(), once: Some(once.clone()), put: vec![put] };
                Box::pin(async move {
                    let finished = node.finish(&finish, attempt).await.unwrap();
                    (finished, node.read(&finish.put[0].key).await.unwrap())
                })
            })
            .await;
        let done = |finished: &Finished| matches!(finished, Finished::Done(_));
        assert_eq!(finished.iter().filter(|(finished, _)| done(finished)).count(), 1);
        for (finished, put) in &finished {
            assert_eq!(done(finished), *put == Taken::Value(b"code".to_vec()), "{finished:?} {put:?}");
        }
    }
}
