//! Sources with as many entities as a country has: what it costs a node to refresh them, to hold them, to start with them, and what they cost the
//! logins (design section 10).
//!
//! Two federations run side by side, one whose source has ten entities and one whose source has thousands; both have the same few registered peers and a
//! small second source, whose provider is one that this can sign for. Logins are driven through them in turns, so that whatever else the machine does
//! meets both alike. Counted is the processor time of the node alone; of several runs the least is told.

use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use tests::{
    aggregate, chance,
    federation::{Federation, Plan, eventually},
    node::Node,
    provider::{LOA3, Provider, TakenBy},
    publisher::{Publisher, Said},
};

use crate::{driven, process};

/// For a large refresh on a machine that others use.
const LONG: Duration = Duration::from_secs(300);
const LARGE: &str = "/all.xml";

/// What is measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Scale {
    /// How many entities the large source has.
    #[arg(long, default_value_t = 10_000)]
    entities: usize,
    /// About how large it is, in MB (1,000,000 octets); 0: as large as they come.
    #[arg(long, default_value_t = 100)]
    megabytes: usize,
    /// So many of ten are identity providers.
    #[arg(long, default_value_t = 5)]
    providers_of_ten: usize,
    /// How many logins a batch has.
    #[arg(long, default_value_t = 300)]
    logins: usize,
    /// How many batches each federation gets, in turns.
    #[arg(long, default_value_t = 5)]
    batches: usize,
    /// How many logins at a time.
    #[arg(long, default_value_t = 4)]
    concurrency: usize,
    /// Logins a second where their waiting is measured.
    #[arg(long, default_value_t = 40)]
    rate: u32,
}

/// What changes again and again.
#[derive(Debug, clap::Args)]
pub(crate) struct Refreshes {
    /// How many refreshes, all sources together.
    #[arg(long, default_value_t = 1_000)]
    refreshes: usize,
    /// How many sources, each asked every second.
    #[arg(long, default_value_t = 4)]
    sources: usize,
    /// How many entities each has; one of them changes each time.
    #[arg(long, default_value_t = 50)]
    entities: usize,
}

/// A provider that only a source knows, and that answers here.
fn schools() -> Provider {
    Provider::new("Granviks skolor", "skolor.granvik.localhost", "2120009903", TakenBy::Redirect, false)
}

fn source(name: &str, publisher: &Publisher, path: &str) -> String {
    format!(
        "[[source]]\nname = \"{name}\"\nkind = \"aggregate\"\nurl = \"{}\"\nkeys = [\"{}\"]\nrefresh_seconds = [1, 1]\n\
         [source.vouches]\nscopes = true\norganisation_number = true\nsubject_source = \"subject_id\"\nceiling = [\"{LOA3}\"]\n",
        publisher.url(path),
        publisher.certificate().display(),
    )
}

async fn started(sources: &[String]) -> Federation {
    let more = format!("[outbound]\nallow = [\"127.0.0.0/8\"]\n{}", sources.concat());
    Federation::start(Plan { nodes: 1, notice: false, more, ..Plan::default() }).await
}

fn read_so_far(node: &Node) -> usize {
    node.log().matches("a source was read").count()
}

async fn until_read(node: &Node, times: usize) {
    let _ = eventually("the sources are read", LONG, || async { read_so_far(node) >= times }).await;
}

fn megabytes(octets: u64) -> f64 {
    octets as f64 / 1e6
}

/// Lets the height of a process's memory begin where it is now (proc(5), `clear_refs`).
fn forget_the_height(process_id: u32) {
    fs::write(format!("/proc/{process_id}/clear_refs"), "5").expect("the height of an own child's memory");
}

/// What a node spends until something has come about.
struct Spent {
    time: Duration,
    wall: Duration,
    /// Resident afterwards, and at its height meanwhile.
    memory: (u64, u64),
}

impl Spent {
    async fn until<F: Future<Output = ()>>(node: &Node, done: F) -> Self {
        let id = node.process_id();
        forget_the_height(id);
        let (before, began) = (process::time(id), Instant::now());
        done.await;
        Self {
            time: process::time(id).saturating_sub(before),
            wall: began.elapsed(),
            memory: process::memory(id).unwrap_or_default(),
        }
    }

    fn told(&self, what: &str) {
        let (resident, height) = self.memory;
        println!(
            "{what:<58} {:>7.2} s CPU {:>7.1} s wall {:>7.1} MB at its height {:>7.1} MB after",
            self.time.as_secs_f64(),
            self.wall.as_secs_f64(),
            megabytes(height),
            megabytes(resident)
        );
    }
}

/// What logins cost: CPU of each, and how long the slowest of a hundred waits.
#[derive(Clone, Copy)]
struct Logins {
    time: Duration,
    middle: Duration,
    slow: Duration,
}

impl Logins {
    async fn driven(
        scale: &Scale,
        federation: &Arc<Federation>,
        rate: u32,
        provider: Option<&Arc<Provider>>,
    ) -> Self {
        let id = federation.nodes[0].process_id();
        let before = process::time(id);
        let mut waits = driven(federation, scale.logins, scale.concurrency, rate, provider).await;
        let spent = process::time(id).saturating_sub(before);
        waits.sort();
        let at = |share: usize| waits[(waits.len() * share / 100).min(waits.len() - 1)];
        Self { time: spent.div_f64(waits.len() as f64), middle: at(50), slow: at(99) }
    }

    fn told(self, what: &str) {
        println!(
            "{what:<58} {:>7.3} ms CPU   p50 {:>6.1} ms   p99 {:>6.1} ms",
            self.time.as_secs_f64() * 1e3,
            self.middle.as_secs_f64() * 1e3,
            self.slow.as_secs_f64() * 1e3
        );
    }
}

/// Batch after batch through both federations in turns; the least of each is told.
async fn compared(
    scale: &Scale,
    federations: [&Arc<Federation>; 2],
    provider: Option<&Arc<Provider>>,
    what: &str,
) {
    let mut least: [Option<Logins>; 2] = [None; 2];
    for _ in 0..scale.batches.max(1) {
        for (least, federation) in least.iter_mut().zip(federations) {
            let now = Logins::driven(scale, federation, 0, provider).await;
            let less = least.map_or(now, |least| Logins {
                time: least.time.min(now.time),
                middle: least.middle.min(now.middle),
                slow: least.slow.min(now.slow),
            });
            *least = Some(less);
        }
    }
    let [Some(few), Some(many)] = least else { return };
    few.told(&format!("a login through {what}, 10 entities"));
    many.told(&format!("a login through {what}, {} entities", scale.entities));
    let more = (many.time.as_secs_f64() / few.time.as_secs_f64() - 1.0) * 100.0;
    println!("{:<58} {more:>+6.1} %", "the difference in CPU");
}

/// Refreshes of a large source, logins beside, and starting with it.
///
/// # Panics
/// When a login fails, or a refresh does not come about.
pub(crate) async fn refreshes_and_logins(scale: &Scale) {
    let folder = tempfile::tempdir().expect("a folder");
    let publisher = Publisher::start(folder.path()).await;
    let schools = Arc::new(schools());
    let edition = |entities: usize, edition: usize, made: i64| {
        let now = chance::now();
        publisher.large(&aggregate::Plan {
            octets_of_each: scale.megabytes * 1_000_000 / scale.entities.max(1),
            providers_of_ten: scale.providers_of_ten,
            renamed: 0..entities / 100,
            edition,
            valid_until: Some(now.plus(10 * 86_400)),
            ..aggregate::Plan::of(1, entities, now.plus(made))
        })
    };
    let first = edition(scale.entities, 0, -60);
    println!(
        "{} entities, {:.1} MB, {} of ten identity providers",
        scale.entities,
        megabytes(first.len() as u64),
        scale.providers_of_ten
    );
    publisher
        .put("/small.xml", publisher.aggregate(&[schools.metadata()], Said { made: 0, valid: Some(86_400) }));
    publisher.put("/few.xml", edition(10, 0, -60));
    let of = |path| [source("stor", &publisher, path), source("liten", &publisher, "/small.xml")];
    let few = Arc::new(started(&of("/few.xml")).await);
    let mut many = Arc::new(started(&of(LARGE)).await);
    until_read(&few.nodes[0], 2).await;
    until_read(&many.nodes[0], 1).await;
    let _ = driven(&few, 100, scale.concurrency, 0, None).await;
    let _ = driven(&many, 100, scale.concurrency, 0, None).await;

    let node = &many.nodes[0];
    let read = async |document: Vec<u8>| {
        let before = read_so_far(node);
        let done = async {
            publisher.put(LARGE, document);
            until_read(node, before + 1).await;
        };
        Spent::until(node, done).await
    };
    read(first).await.told("the first refresh");
    read(edition(scale.entities, 1, -50)).await.told("a refresh with 1 % changed");
    read(edition(scale.entities, 1, -40)).await.told("a refresh with the same entities in a new document");
    let quiet = tokio::time::sleep(Duration::from_secs(10));
    Spent::until(node, quiet).await.told("10 s in which it was asked each second: 304");

    let both = [&few, &many];
    compared(scale, both, None, "a registered provider").await;
    compared(scale, both, Some(&schools), "a source's provider").await;
    let alone = Logins::driven(scale, &many, scale.rate, None).await;
    alone.told(&format!("{} logins a second, nothing else", scale.rate));
    let next = edition(scale.entities, 2, -30);
    let (beside, _) = tokio::join!(Logins::driven(scale, &many, scale.rate, None), read(next));
    beside.told(&format!("{} logins a second while a refresh runs", scale.rate));

    for (what, clears) in [("its own disk", false), ("Redis alone", true)] {
        let all = Arc::get_mut(&mut many).expect("no login is under way");
        all.nodes[0].kill_hard();
        if clears {
            fs::remove_dir_all(all.folder.path().join("state0")).expect("the node's folder");
        }
        let began = Instant::now();
        all.restart(0).await;
        let well = began.elapsed();
        let id = all.nodes[0].process_id();
        let _ = driven(&many, 1, 1, 0, None).await;
        let served = began.elapsed();
        let _ = driven(&many, 1, 1, 0, Some(&schools)).await;
        let (resident, height) = process::memory(id).unwrap_or_default();
        println!(
            "started from {what}: well after {:.2} s, first login served after {:.2} s; {:.2} s CPU, {:.1} MB at its height, {:.1} MB resident",
            well.as_secs_f64(),
            served.as_secs_f64(),
            process::time(id).as_secs_f64(),
            megabytes(height),
            megabytes(resident)
        );
    }
}

/// Small sources that change at each refresh: what the store and the node hold at the beginning and at the end.
///
/// # Panics
/// When a refresh does not come about.
pub(crate) async fn many_refreshes(wanted: &Refreshes) {
    let folder = tempfile::tempdir().expect("a folder");
    let publisher = Publisher::start(folder.path()).await;
    let path = |number: usize| format!("/{number}.xml");
    let put = |edition: usize| {
        for number in 0..wanted.sources {
            let made = chance::now().plus(-86_400 + i64::try_from(edition).unwrap_or_default());
            let at = edition % wanted.entities.max(1);
            let document = publisher.large(&aggregate::Plan {
                providers_of_ten: 10,
                renamed: at..at + 1,
                edition,
                ..aggregate::Plan::of(number as u64 + 1, wanted.entities, made)
            });
            publisher.put(&path(number), document);
        }
    };
    put(1);
    let sources: Vec<String> = (0..wanted.sources)
        .map(|number| source(&format!("kalla-{number}"), &publisher, &path(number)))
        .collect();
    let federation = started(&sources).await;
    let (node, redis) = (&federation.nodes[0], federation.redis.as_ref().expect("a Redis server"));
    let rounds = wanted.refreshes.div_ceil(wanted.sources.max(1));
    let mut spent = Duration::ZERO;
    for round in 1..=rounds {
        if round > 1 {
            put(round);
        }
        until_read(node, round * wanted.sources).await;
        let is_told = round == 1 || round == rounds / 10 || round == rounds / 2 || round == rounds;
        if is_told {
            // The head's last change is followed by forgetting what it replaced.
            tokio::time::sleep(Duration::from_millis(500)).await;
            let time = process::time(node.process_id());
            println!(
                "after {:>5} refreshes: {:>5} keys in the store, {:>6.1} MB resident, {:.2} s CPU since the last line",
                round * wanted.sources,
                redis.snapshot().len(),
                megabytes(process::memory(node.process_id()).unwrap_or_default().0),
                time.saturating_sub(spent).as_secs_f64()
            );
            spent = time;
        }
    }
}
