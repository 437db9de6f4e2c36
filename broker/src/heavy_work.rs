//! Heavy work off the threads that serve connections: XML, and every public-key operation that takes long.
//!
//! As many pieces run at a time as there are cores; the rest wait in a bounded queue, and not for ever. So a flood fills the queue and nothing else:
//! whoever finds it full is told to come again, while connections are accepted, pages served and time-outs kept.
//!
//! Who goes next: logins under way before logins that begin, three to one; within each, one source after the other. When the queue is full, the
//! source with the most waiting pieces gives one up. An address weighs in here alone, under overload, where the alternative is that one
//! sender's flood makes everybody else wait; nobody is ever refused for an address while there is room.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use broker_core::failure::{Failure, FailureCode};
use certs::SignatureAlgorithm;
use tokio::sync::oneshot;

tokio::task_local! {
    /// Where the request that this task serves came from; set by `server`.
    pub(crate) static SOURCE: Source;
}

/// Where a request came from, as coarsely as one sender may choose: an IPv4 address, or an IPv6 network of 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Source([u8; 8]);

impl Source {
    /// Of requests that have none, or that are not told apart.
    pub(crate) const NOBODY: Self = Self([0; 8]);

    /// Of an address.
    pub(crate) fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, d] = address.octets();
                // No IPv6 network begins so: 0::/8 is reserved.
                [0, 0, 0, 4, a, b, c, d]
            }
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, g, h, ..] = address.octets();
                [a, b, c, d, e, f, g, h]
            }
        })
    }

    /// Of the request that is being served; all that have none are one.
    pub(crate) fn current() -> Self {
        SOURCE.try_with(|source| *source).unwrap_or(Self::NOBODY)
    }
}

/// What a piece of work belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// A login that begins.
    Beginning,
    /// A login under way: finishing it frees more than beginning another.
    UnderWay,
}

/// How work is bounded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WorkBounds {
    /// Pieces that run at a time.
    pub(crate) running: usize,
    /// Pieces that wait.
    pub(crate) waiting: usize,
    /// How long one waits at most.
    pub(crate) wait: Duration,
}

impl WorkBounds {
    /// One piece for each core.
    pub(crate) fn on_this_machine(waiting: usize, wait: Duration) -> Self {
        let running = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self { running, waiting, wait }
    }
}

/// The pool.
pub(crate) struct Work {
    shared: Arc<Shared>,
}

struct Shared {
    bounds: WorkBounds,
    state: Mutex<State>,
}

struct State {
    free: usize,
    waiting: usize,
    beginning: Queue,
    under_way: Queue,
    /// Pieces of logins under way that went since one that begins did.
    ahead: usize,
}

/// How many pieces of logins under way go before one that begins, where both wait.
const AHEAD: usize = 3;

/// The waiting pieces of a lane: by source, and the sources in the order of their turns.
#[derive(Default)]
struct Queue {
    pieces: HashMap<Source, VecDeque<oneshot::Sender<Permit>>>,
    turns: VecDeque<Source>,
}

impl Queue {
    fn push(&mut self, source: Source, piece: oneshot::Sender<Permit>) {
        let pieces = self.pieces.entry(source).or_default();
        if pieces.is_empty() {
            self.turns.push_back(source);
        }
        pieces.push_back(piece);
    }

    /// The next piece, of the source whose turn it is.
    fn pop(&mut self) -> Option<oneshot::Sender<Permit>> {
        let source = self.turns.pop_front()?;
        let pieces = self.pieces.get_mut(&source)?;
        let piece = pieces.pop_front();
        if pieces.is_empty() {
            self.pieces.remove(&source);
        } else {
            self.turns.push_back(source);
        }
        piece
    }

    /// Forgets pieces for which nobody waits any more; gives how many.
    fn sweep(&mut self) -> usize {
        let before = self.len();
        self.pieces.retain(|_, pieces| {
            pieces.retain(|piece| !piece.is_closed());
            !pieces.is_empty()
        });
        self.turns.retain(|source| self.pieces.contains_key(source));
        before - self.len()
    }

    fn len(&self) -> usize {
        self.pieces.values().map(VecDeque::len).sum()
    }

    fn of(&self, source: Source) -> usize {
        self.pieces.get(&source).map_or(0, VecDeque::len)
    }

    /// The source with the most pieces, and how many.
    fn longest(&self) -> Option<(Source, usize)> {
        self.pieces.iter().map(|(source, pieces)| (*source, pieces.len())).max_by_key(|(_, length)| *length)
    }

    /// Drops the newest piece of a source: it is told that there is no room.
    fn give_up(&mut self, source: Source) {
        let Some(pieces) = self.pieces.get_mut(&source) else { return };
        drop(pieces.pop_back());
        if pieces.is_empty() {
            self.pieces.remove(&source);
            self.turns.retain(|turn| *turn != source);
        }
    }
}

impl State {
    fn next(&mut self) -> Option<oneshot::Sender<Permit>> {
        let begins = self.ahead >= AHEAD;
        let piece = if begins {
            self.beginning.pop().or_else(|| self.under_way.pop())
        } else {
            self.under_way.pop().or_else(|| self.beginning.pop())
        }?;
        self.ahead = if begins || self.under_way.turns.is_empty() { 0 } else { self.ahead + 1 };
        self.waiting = self.waiting.saturating_sub(1);
        Some(piece)
    }

    /// Makes room for one more piece of a source, if there is none: of what nobody waits for, else of the source that waits for most.
    fn has_room(&mut self, bounds: &WorkBounds, source: Source, lane: Lane) -> bool {
        if self.waiting < bounds.waiting {
            return true;
        }
        let swept = self.beginning.sweep() + self.under_way.sweep();
        self.waiting = self.waiting.saturating_sub(swept);
        if self.waiting < bounds.waiting {
            return true;
        }
        let own = self.beginning.of(source) + self.under_way.of(source) + 1;
        let beginning = self.beginning.longest().map(|longest| (longest, Lane::Beginning));
        let under_way = self.under_way.longest().map(|longest| (longest, Lane::UnderWay));
        let longest = [under_way, beginning].into_iter().flatten().max_by_key(|((_, length), _)| *length);
        match longest {
            Some(((greedy, length), queue))
                if length > own || (length == own && queue == Lane::Beginning && lane == Lane::UnderWay) =>
            {
                match queue {
                    Lane::Beginning => self.beginning.give_up(greedy),
                    Lane::UnderWay => self.under_way.give_up(greedy),
                }
                self.waiting = self.waiting.saturating_sub(1);
                true
            }
            _ => false,
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // What is behind the lock is whole between any two statements that could fail.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to run one piece; given back when it is dropped.
struct Permit(Option<Arc<Shared>>);

impl Drop for Permit {
    fn drop(&mut self) {
        let Some(shared) = self.0.take() else { return };
        let mut state = shared.state();
        loop {
            let Some(piece) = state.next() else {
                state.free += 1;
                return;
            };
            match piece.send(Self(Some(shared.clone()))) {
                Ok(()) => return,
                // Nobody waits there any more. Its permit must not come back here while the lock is held.
                Err(mut unsent) => unsent.0 = None,
            }
        }
    }
}

impl Work {
    /// A pool with nothing to do.
    pub(crate) fn new(bounds: WorkBounds) -> Self {
        let state = State {
            free: bounds.running,
            waiting: 0,
            beginning: Queue::default(),
            under_way: Queue::default(),
            ahead: 0,
        };
        Self { shared: Arc::new(Shared { bounds, state: Mutex::new(state) }) }
    }

    /// Runs a piece of work on a thread of its own kind, when its turn comes.
    ///
    /// # Errors
    /// `broker.overloaded` when there is no room, or no turn came in time; `broker.internal` when the work panicked. Work that has begun is
    /// finished even when nobody waits for it any more, and counts until then.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        lane: Lane,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let permit = self.permit(lane).await?;
        let running = tokio::task::spawn_blocking(move || {
            let outcome = work();
            drop(permit);
            outcome
        });
        running.await.map_err(|error| {
            tracing::error!(%error, "a piece of work did not end");
            Failure::new(FailureCode::Internal, "a piece of work did not end")
        })
    }

    async fn permit(&self, lane: Lane) -> Result<Permit, Failure> {
        let overloaded = |cause: &str| Failure::new(FailureCode::Overloaded, cause);
        let source = Source::current();
        let turn = {
            let mut state = self.shared.state();
            if state.free > 0 {
                state.free -= 1;
                return Ok(Permit(Some(self.shared.clone())));
            }
            if !state.has_room(&self.shared.bounds, source, lane) {
                return Err(overloaded("the queue of work is full"));
            }
            let (sender, turn) = oneshot::channel();
            match lane {
                Lane::Beginning => state.beginning.push(source, sender),
                Lane::UnderWay => state.under_way.push(source, sender),
            }
            state.waiting += 1;
            turn
        };
        match tokio::time::timeout(self.shared.bounds.wait, turn).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(overloaded("the queue of work is full, and this sender has the most in it")),
            Err(_) => Err(overloaded("the queue of work is too long")),
        }
    }
}

/// Whether a signature takes so long to make that a thread change is small beside it. P-256 takes some twenty microseconds, RSA some hundreds.
pub(crate) fn is_heavy(algorithm: SignatureAlgorithm) -> bool {
    algorithm != SignatureAlgorithm::EcdsaSha256
}

#[cfg(test)]
mod tests;
