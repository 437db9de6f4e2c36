//! A request's body, read within bounds of size, time and memory.
//!
//! Each address says how much it takes. Beyond that a body must keep up a pace, however small it is, and all bodies that are being read or worked on
//! together take no more than the server's memory for them: many slow senders find no more room before they hurt.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::body::Body;
use http_body_util::BodyExt;
use hyper::body::Body as _;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

tokio::task_local! {
    /// What the request that this task serves may take of the memory for bodies; given back when the request is answered.
    static SHARE: Share;
}

/// How fast a body must come.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// In which it must have begun to keep it.
    grace: Duration,
    /// What each further octet gains.
    each: Duration,
}

/// Eight seconds, and then 4 KiB a second: a modem's pace.
const PACE: Pace = Pace { grace: Duration::from_secs(8), each: Duration::from_nanos(1_000_000_000 / 4096) };
/// Memory is taken by pieces of this many octets.
const PIECE: usize = 8 * 1024;
/// Empty frames that a body may have: they cost us and not the sender.
const EMPTY_FRAMES: usize = 64;

/// The memory for all bodies of a server.
#[derive(Clone)]
pub(super) struct Memory(Arc<Semaphore>);

impl Memory {
    /// Of so many octets.
    pub(super) fn new(octets: usize) -> Self {
        Self(Arc::new(Semaphore::new((octets / PIECE).min(Semaphore::MAX_PERMITS))))
    }

    /// Serves a request with a share of it.
    pub(super) async fn shared<F: Future>(&self, serving: F) -> F::Output {
        let share = Share { memory: self.clone(), held: Mutex::new(None) };
        SHARE.scope(share, serving).await
    }
}

struct Share {
    memory: Memory,
    held: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Share {
    /// Makes the share large enough for so many octets.
    fn holds(&self, octets: usize) -> bool {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let has = held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let lacks = octets.div_ceil(PIECE).saturating_sub(has);
        if lacks == 0 {
            return true;
        }
        let Ok(lacks) = u32::try_from(lacks) else { return false };
        let Ok(more) = self.memory.0.clone().try_acquire_many_owned(lacks) else { return false };
        match held.as_mut() {
            Some(held) => held.merge(more),
            None => *held = Some(more),
        }
        true
    }
}

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotRead {
    /// Larger than its address takes.
    #[error("the body is larger than {0} octets")]
    TooLarge(usize),
    /// It came too slowly, or in too many empty pieces.
    #[error("the body came too slowly")]
    TooSlow,
    /// The connection ended before it did.
    #[error("the body did not arrive")]
    Broken,
    /// All bodies together leave no room.
    #[error("there is no memory left for bodies")]
    NoRoom,
}

/// Reads a body of at most `largest` octets.
///
/// # Errors
/// Why it was not read. What is left of it is not read either.
pub(crate) async fn body(body: Body, largest: usize) -> Result<Vec<u8>, NotRead> {
    paced(body, largest, PACE).await
}

async fn paced(mut body: Body, largest: usize, pace: Pace) -> Result<Vec<u8>, NotRead> {
    if usize::try_from(body.size_hint().lower()).map_or(true, |announced| announced > largest) {
        return Err(NotRead::TooLarge(largest));
    }
    let began = Instant::now();
    let mut octets = Vec::new();
    let mut empty = 0;
    loop {
        let gained = pace.each.saturating_mul(u32::try_from(octets.len()).unwrap_or(u32::MAX));
        let deadline = began + pace.grace + gained;
        let frame = match tokio::time::timeout_at(deadline, body.frame()).await {
            Err(_) => return Err(NotRead::TooSlow),
            Ok(None) => return Ok(octets),
            Ok(Some(Err(_))) => return Err(NotRead::Broken),
            Ok(Some(Ok(frame))) => frame,
        };
        // Trailers say nothing to us.
        let Ok(data) = frame.into_data() else { continue };
        if data.is_empty() {
            empty += 1;
            if empty > EMPTY_FRAMES {
                return Err(NotRead::TooSlow);
            }
            continue;
        }
        let length = octets.len() + data.len();
        if length > largest {
            return Err(NotRead::TooLarge(largest));
        }
        if !SHARE.try_with(|share| share.holds(length)).unwrap_or(true) {
            return Err(NotRead::NoRoom);
        }
        octets.extend_from_slice(&data);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        pin::Pin,
        task::{Context, Poll},
        time::Duration,
    };

    use axum::body::{Body, Bytes};
    use hyper::body::Frame;

    use super::{EMPTY_FRAMES, Memory, NotRead, PACE, PIECE, Pace, body, paced};

    #[tokio::test]
    async fn a_body_of_the_largest_size_is_read_and_one_octet_more_is_not() {
        assert_eq!(body(Body::from(vec![1; 100]), 100).await.map(|octets| octets.len()), Ok(100));
        assert_eq!(body(Body::from(vec![1; 101]), 100).await, Err(NotRead::TooLarge(100)));
        assert_eq!(body(Body::empty(), 0).await, Ok(Vec::new()));
        assert_eq!(body(Body::new(Pieces::new(3, 40, None)), 100).await, Err(NotRead::TooLarge(100)));
        assert_eq!(body(Body::new(Pieces::new(2, 40, None)), 100).await.map(|octets| octets.len()), Ok(80));
    }

    #[tokio::test]
    async fn all_bodies_together_take_no_more_than_the_memory_and_give_it_back() {
        let memory = Memory::new(2 * PIECE);
        let large = || Body::from(vec![1; 2 * PIECE]);
        let both = memory.shared(async {
            let first = body(large(), 4 * PIECE).await.map(|octets| octets.len());
            let second = memory.shared(body(Body::from(vec![1]), 4 * PIECE)).await;
            (first, second)
        });
        assert_eq!(both.await, (Ok(2 * PIECE), Err(NotRead::NoRoom)));
        assert!(memory.shared(body(large(), 4 * PIECE)).await.is_ok(), "both were answered");
        let too_much = memory.shared(body(Body::from(vec![1; 2 * PIECE + 1]), 4 * PIECE)).await;
        assert_eq!(too_much, Err(NotRead::NoRoom));
    }

    #[tokio::test]
    async fn a_body_keeps_a_pace() {
        let pace = Pace { grace: Duration::from_millis(100), each: Duration::from_millis(1) };
        let every = |pieces, length| Body::new(Pieces::new(pieces, length, Some(Duration::from_millis(20))));
        assert_eq!(paced(every(100, 1), 1_000, pace).await, Err(NotRead::TooSlow));
        // Five hundred octets gain half a second, and came in a fiftieth of one.
        assert!(paced(every(20, 500), 1 << 20, pace).await.is_ok(), "it may take as long as it needs");
        assert!(PACE.each * 4096 <= Duration::from_secs(1) && PACE.grace >= Duration::from_secs(5));
    }

    #[tokio::test]
    async fn empty_pieces_are_counted() {
        assert!(body(Body::new(Pieces::new(EMPTY_FRAMES, 0, None)), 10).await.is_ok());
        assert_eq!(body(Body::new(Pieces::new(EMPTY_FRAMES + 1, 0, None)), 10).await, Err(NotRead::TooSlow));
    }

    /// A body of equal pieces, each after a pause.
    struct Pieces {
        left: usize,
        length: usize,
        pause: Option<Duration>,
        sleep: Option<Pin<Box<tokio::time::Sleep>>>,
    }

    impl Pieces {
        fn new(left: usize, length: usize, pause: Option<Duration>) -> Self {
            Self { left, length, pause, sleep: None }
        }
    }

    impl hyper::body::Body for Pieces {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            if self.left == 0 {
                return Poll::Ready(None);
            }
            if let Some(pause) = self.pause {
                let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(pause)));
                std::task::ready!(sleep.as_mut().poll(context));
                self.sleep = None;
            }
            self.left -= 1;
            Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![b'a'; self.length])))))
        }
    }
}
