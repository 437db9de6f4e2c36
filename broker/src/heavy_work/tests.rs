//! The pool: what runs, what waits, who goes next and who is turned away.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use broker_core::failure::FailureCode;
use tokio::task::JoinHandle;

use super::{Lane, SOURCE, Source, Work, WorkBounds};

fn pool(running: usize, waiting: usize) -> Arc<Work> {
    Arc::new(Work::new(WorkBounds { running, waiting, wait: Duration::from_secs(20) }))
}

fn source(last: u8) -> Source {
    Source::of([192, 0, 2, last].into())
}

/// Occupies the pool until the sender is dropped or used.
async fn occupied(work: &Arc<Work>) -> (mpsc::Sender<()>, JoinHandle<()>) {
    let (release, released) = mpsc::channel();
    let (begin, begun) = tokio::sync::oneshot::channel();
    let work = work.clone();
    let handle = tokio::spawn(async move {
        let ran = work.run(Lane::UnderWay, move || {
            let _ = begin.send(());
            let _ = released.recv();
        });
        ran.await.expect("it runs");
    });
    begun.await.expect("it has begun");
    (release, handle)
}

type Order = Arc<Mutex<Vec<&'static str>>>;

/// Queues a piece that writes its name when it runs, and waits until it stands in the queue.
async fn queued(
    work: &Arc<Work>,
    order: &Order,
    from: u8,
    lane: Lane,
    name: &'static str,
) -> JoinHandle<Result<(), FailureCode>> {
    let before = work.shared.state().waiting;
    let (pool, order) = (work.clone(), order.clone());
    let handle = tokio::spawn(SOURCE.scope(source(from), async move {
        let ran = pool.run(lane, move || order.lock().expect("no panic while holding it").push(name)).await;
        ran.map_err(|failure| failure.code)
    }));
    for _ in 0..1_000 {
        if work.shared.state().waiting != before || handle.is_finished() {
            break;
        }
        tokio::task::yield_now().await;
    }
    handle
}

#[tokio::test]
async fn no_more_run_at_a_time_than_there_may_and_all_run_in_the_end() {
    let work = pool(2, 100);
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let pieces: Vec<_> = (0..20)
        .map(|_| {
            let (work, now, most) = (work.clone(), now.clone(), most.clone());
            tokio::spawn(async move {
                let piece = move || {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(2));
                    now.fetch_sub(1, Ordering::SeqCst);
                };
                work.run(Lane::UnderWay, piece).await
            })
        })
        .collect();
    for piece in pieces {
        assert!(piece.await.expect("no panic").is_ok());
    }
    assert!((1..=2).contains(&most.load(Ordering::SeqCst)));
    assert_eq!(work.shared.state().free, 2);
}

#[tokio::test]
async fn a_full_queue_says_so_at_once() {
    let work = pool(1, 2);
    let order = Order::default();
    let (release, first) = occupied(&work).await;
    let one = queued(&work, &order, 1, Lane::UnderWay, "one").await;
    let two = queued(&work, &order, 1, Lane::UnderWay, "two").await;
    let three = queued(&work, &order, 1, Lane::UnderWay, "three").await;
    assert_eq!(three.await.expect("no panic"), Err(FailureCode::Overloaded));
    drop(release);
    first.await.expect("no panic");
    assert_eq!((one.await.expect("no panic"), two.await.expect("no panic")), (Ok(()), Ok(())));
    assert_eq!(*order.lock().expect("no panic"), ["one", "two"]);
}

#[tokio::test]
async fn nobody_waits_for_ever() {
    let work = Arc::new(Work::new(WorkBounds { running: 1, waiting: 9, wait: Duration::from_millis(30) }));
    let (release, first) = occupied(&work).await;
    let late = queued(&work, &Order::default(), 1, Lane::UnderWay, "late").await;
    assert_eq!(late.await.expect("no panic"), Err(FailureCode::Overloaded));
    drop(release);
    first.await.expect("no panic");
    assert!(work.run(Lane::UnderWay, || ()).await.is_ok(), "the one that gave up holds no place");
}

#[tokio::test]
async fn one_source_after_the_other_however_many_pieces_one_has() {
    let work = pool(1, 100);
    let order = Order::default();
    let (release, first) = occupied(&work).await;
    let mut all = Vec::new();
    for _ in 0..5 {
        all.push(queued(&work, &order, 1, Lane::UnderWay, "flood").await);
    }
    all.push(queued(&work, &order, 2, Lane::UnderWay, "honest").await);
    drop(release);
    first.await.expect("no panic");
    for piece in all {
        assert_eq!(piece.await.expect("no panic"), Ok(()));
    }
    assert_eq!(order.lock().expect("no panic")[1], "honest");
}

#[tokio::test]
async fn in_a_full_queue_the_greediest_source_gives_way() {
    let work = pool(1, 4);
    let order = Order::default();
    let (release, first) = occupied(&work).await;
    let mut flood = Vec::new();
    for _ in 0..4 {
        flood.push(queued(&work, &order, 1, Lane::UnderWay, "flood").await);
    }
    let honest = tokio::spawn({
        let (work, order) = (work.clone(), order.clone());
        SOURCE.scope(source(2), async move {
            work.run(Lane::UnderWay, move || order.lock().expect("no panic").push("honest")).await.is_ok()
        })
    });
    let last = flood.pop().expect("four were queued");
    assert_eq!(last.await.expect("no panic"), Err(FailureCode::Overloaded), "the newest of the flood");
    drop(release);
    first.await.expect("no panic");
    assert!(honest.await.expect("no panic"));
    for piece in flood {
        assert_eq!(piece.await.expect("no panic"), Ok(()));
    }
}

#[tokio::test]
async fn a_login_under_way_goes_before_one_that_begins_and_does_not_starve_it() {
    let work = pool(1, 100);
    let order = Order::default();
    let (release, first) = occupied(&work).await;
    let mut all = vec![queued(&work, &order, 1, Lane::Beginning, "begins").await];
    for _ in 0..6 {
        all.push(queued(&work, &order, 1, Lane::UnderWay, "under way").await);
    }
    drop(release);
    first.await.expect("no panic");
    for piece in all {
        assert_eq!(piece.await.expect("no panic"), Ok(()));
    }
    let order = order.lock().expect("no panic");
    assert_eq!(order[0], "under way");
    assert_eq!(order.iter().position(|name| *name == "begins"), Some(super::AHEAD));
}

#[tokio::test]
async fn who_went_away_leaves_room() {
    let work = pool(1, 2);
    let order = Order::default();
    let (release, first) = occupied(&work).await;
    let gone = [
        queued(&work, &order, 1, Lane::UnderWay, "gone").await,
        queued(&work, &order, 1, Lane::UnderWay, "gone").await,
    ];
    for piece in gone {
        piece.abort();
        assert!(piece.await.expect_err("aborted").is_cancelled());
    }
    let stays = queued(&work, &order, 1, Lane::UnderWay, "stays").await;
    drop(release);
    first.await.expect("no panic");
    assert_eq!(stays.await.expect("no panic"), Ok(()));
    assert_eq!(*order.lock().expect("no panic"), ["stays"]);
}

#[tokio::test]
async fn a_panic_in_a_piece_is_a_fault_of_ours_and_frees_its_place() {
    let work = pool(1, 1);
    let ran = work.run(Lane::UnderWay, || assert!(std::hint::black_box(false), "on purpose")).await;
    assert_eq!(ran.expect_err("it panicked").code, FailureCode::Internal);
    assert!(work.run(Lane::UnderWay, || ()).await.is_ok());
}

#[test]
fn a_source_is_an_ipv4_address_or_a_network_of_64_bits() {
    let of = |text: &str| Source::of(text.parse().expect("an address"));
    assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
    assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
    assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
}
