//! Places for connections. When all are taken, the source that holds the most gives one up to a source that holds fewer.
//!
//! So no number of connections from one address shuts out another address, and while there is room nobody is refused for an address. Many sources
//! that hold few each, as somebody with an IPv6 network of their own has at will, shut nobody out by being silent: the oldest idle connection of a
//! source that holds more than the newcomer's makes room, and the newcomer's own last. Behind a proxy all connections have one source: then its
//! oldest idle one goes. Where none is idle the newcomer waits.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::Notify;

use crate::heavy_work::Source;

/// All places of a server.
pub(super) struct Places {
    most: usize,
    taken: Mutex<Taken>,
    freed: Notify,
}

#[derive(Default)]
struct Taken {
    last: u64,
    count: usize,
    by_source: HashMap<Source, BTreeMap<u64, Arc<Held>>>,
    /// All of them again, the oldest first.
    by_age: BTreeMap<u64, (Source, Arc<Held>)>,
    /// How many each source holds, so that the one with the most is found at once.
    sizes: BTreeSet<(usize, Source)>,
}

/// A taken place, as seen from both sides.
#[derive(Default)]
struct Held {
    /// Requests that are being served.
    busy: AtomicUsize,
    /// The connection is to end now.
    given_up: Notify,
}

impl Taken {
    fn size(&self, source: Source) -> usize {
        self.by_source.get(&source).map_or(0, BTreeMap::len)
    }

    fn add(&mut self, source: Source) -> (u64, Arc<Held>) {
        self.last += 1;
        let (number, held) = (self.last, Arc::<Held>::default());
        let places = self.by_source.entry(source).or_default();
        self.sizes.remove(&(places.len(), source));
        places.insert(number, held.clone());
        self.sizes.insert((places.len(), source));
        self.by_age.insert(number, (source, held.clone()));
        self.count += 1;
        (number, held)
    }

    fn remove(&mut self, source: Source, number: u64) -> Option<Arc<Held>> {
        let places = self.by_source.get_mut(&source)?;
        let held = places.remove(&number)?;
        self.by_age.remove(&number);
        self.sizes.remove(&(places.len() + 1, source));
        if places.is_empty() {
            self.by_source.remove(&source);
        } else {
            self.sizes.insert((places.len(), source));
        }
        self.count -= 1;
        Some(held)
    }

    /// Which connection makes room for one more of `source`. Of a source that holds far more: the oldest idle one, or else the oldest. Otherwise an
    /// idle one alone, of any source that holds more, or of its own.
    fn victim(&self, source: Source) -> Option<(Source, u64)> {
        let own = self.size(source);
        let (size, greediest) = *self.sizes.last()?;
        let is_idle = |held: &Held| held.busy.load(Ordering::Relaxed) == 0;
        if own + 1 < size {
            let places = self.by_source.get(&greediest)?;
            let idle = places.iter().find(|(_, held)| is_idle(held));
            return idle.or_else(|| places.iter().next()).map(|(number, _)| (greediest, *number));
        }
        let gives_way = |of: Source| of == source || self.size(of) > own;
        let mut idle = self.by_age.iter().filter(|(_, (of, held))| is_idle(held) && gives_way(*of));
        idle.next().map(|(number, (of, _))| (*of, *number))
    }
}

impl Places {
    /// So many.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, taken: Mutex::default(), freed: Notify::new() })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection from `source`; `None`: there is none for it now.
    pub(super) fn take(self: &Arc<Self>, source: Source) -> Option<Place> {
        let mut taken = self.taken();
        if taken.count >= self.most {
            let (greediest, number) = taken.victim(source)?;
            if let Some(held) = taken.remove(greediest, number) {
                held.given_up.notify_one();
            }
        }
        let (number, held) = taken.add(source);
        Some(Place { places: self.clone(), source, number, held })
    }

    /// Waits until some place became free.
    pub(super) async fn freed(&self) {
        self.freed.notified().await;
    }
}

/// A connection's place; free again when it is dropped.
pub(super) struct Place {
    places: Arc<Places>,
    source: Source,
    number: u64,
    held: Arc<Held>,
}

impl Place {
    /// Whose it is.
    pub(super) fn source(&self) -> Source {
        self.source
    }

    /// Becomes ready when the connection is to end at once, since another needs its place more.
    pub(super) async fn given_up(&self) {
        self.held.given_up.notified().await;
    }

    /// A request is served, until what this gives is dropped.
    pub(super) fn busy(&self) -> Busy {
        self.held.busy.fetch_add(1, Ordering::Relaxed);
        Busy(self.held.clone())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.taken().remove(self.source, self.number);
        self.places.freed.notify_one();
    }
}

/// A request that is being served.
pub(super) struct Busy(Arc<Held>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Place, Places};
    use crate::heavy_work::Source;

    fn source(last: u8) -> Source {
        Source::of([192, 0, 2, last].into())
    }

    async fn is_given_up(place: &Place) -> bool {
        tokio::time::timeout(Duration::from_millis(20), place.given_up()).await.is_ok()
    }

    #[tokio::test]
    async fn one_source_may_have_all_places_while_nobody_else_comes() {
        let places = Places::new(3);
        let held: Vec<_> = (0..3).filter_map(|_| places.take(source(1))).collect();
        assert_eq!(held.len(), 3);
        for place in &held {
            assert!(!is_given_up(place).await);
        }
    }

    #[tokio::test]
    async fn the_source_with_the_most_gives_up_its_idlest_for_another() {
        let places = Places::new(3);
        let held: Vec<_> = (0..3).filter_map(|_| places.take(source(1))).collect();
        let _busy = held[0].busy();
        let other = places.take(source(2)).expect("a place");
        assert!(!is_given_up(&held[0]).await && is_given_up(&held[1]).await && !is_given_up(&held[2]).await);
        assert!(!is_given_up(&other).await);
    }

    #[tokio::test]
    async fn a_busy_one_goes_only_for_a_source_with_fewer() {
        let places = Places::new(3);
        let held: Vec<_> = (0..3).filter_map(|_| places.take(source(1))).collect();
        let _busy: Vec<_> = held.iter().map(Place::busy).collect();
        assert!(places.take(source(1)).is_none(), "its own source waits");
        let other = places.take(source(2)).expect("a place");
        let _also = other.busy();
        assert!(is_given_up(&held[0]).await);
        // Two against one: one more would only turn it round.
        assert!(places.take(source(2)).is_none());
    }

    #[tokio::test]
    async fn silent_connections_of_many_sources_shut_nobody_out() {
        let places = Places::new(3);
        let held: Vec<_> = (1..=3).filter_map(|number| places.take(source(number))).collect();
        let _busy = held[0].busy();
        let other = places.take(source(9)).expect("a place");
        assert!(!is_given_up(&held[0]).await && is_given_up(&held[1]).await && !is_given_up(&held[2]).await);
        assert!(!is_given_up(&other).await);
        // Once it has as many as the others, one more of it costs nobody else theirs.
        let again = places.take(source(9)).expect("a place");
        assert!(is_given_up(&other).await && !is_given_up(&held[2]).await && !is_given_up(&again).await);
        let _also = [held[2].busy(), again.busy()];
        assert!(places.take(source(4)).is_none(), "none is idle");
    }

    #[tokio::test]
    async fn a_place_is_free_again_when_its_connection_ends() {
        let places = Places::new(1);
        let one = places.take(source(1)).expect("a place");
        let _busy = one.busy();
        assert!(places.take(source(1)).is_none());
        drop(one);
        places.freed().await;
        let two = places.take(source(1)).expect("a place");
        drop(two);
        let taken = places.taken();
        assert!(
            taken.count == 0
                && taken.by_source.is_empty()
                && taken.by_age.is_empty()
                && taken.sizes.is_empty()
        );
    }

    #[tokio::test]
    async fn who_was_given_up_frees_nothing_twice() {
        let places = Places::new(2);
        let (one, two) = (places.take(source(1)).expect("a place"), places.take(source(1)).expect("a place"));
        let three = places.take(source(2)).expect("a place");
        drop(one);
        assert_eq!(places.taken().count, 2);
        drop((two, three));
        assert_eq!(places.taken().count, 0);
    }
}
