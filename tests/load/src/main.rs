//! Whole logins against a broker that this starts itself, and what they cost (design section 10).
//!
//! Each login is of a fresh person in a fresh browser: authorize, the provider's answer, token, userinfo, with the provider named in the request
//! and no notice, unless asked for. The provider's answers are signed here, and everything that the broker signs is verified here, so the driver works
//! more than the broker does; what is counted is the processor time of the broker's processes alone. Nobody speaks TLS.
//!
//! | file | what |
//! |---|---|
//! | `process.rs` | what Linux knows of a process: its time and its memory |
//! | `raw.rs` | the same public-key operations without anything around them |
//! | `report.rs` | the figures, for people and as JSON |
//! | `hostile.rs` | senders who cost as much as they can, at the same time |
//! | `scale.rs` | the same beside sources with thousands of entities: what refreshing them costs, and what it costs the logins |
//! | `sink.rs` | a server that does nothing, to which they send for comparison |

mod hostile;
mod process;
mod raw;
mod report;
mod scale;
mod sink;

use std::{
    process::ExitCode,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use clap::{Parser, Subcommand, ValueEnum};
use hostile::{Hostile, Target};
use report::{Report, Senders};
use tests::{
    federation::{Federation, Plan},
    person::Person,
    provider::Provider,
    relying_party::RelyingParty,
    walk::Walk,
    wire::Wire,
};

/// Drives whole logins through a broker and says what they cost. Run it in a release build.
#[derive(Debug, Parser)]
#[command(name = "load", args_conflicts_with_subcommands = true)]
struct Arguments {
    /// Something else than logins alone.
    #[command(subcommand)]
    task: Option<Task>,
    /// How many logins are measured.
    #[arg(long, default_value_t = 2_000)]
    logins: usize,
    /// How many at a time.
    #[arg(long, default_value_t = 8)]
    concurrency: usize,
    /// Begin so many a second, evenly, as far as --concurrency lets them; 0: each as soon as another has ended.
    #[arg(long, default_value_t = 0)]
    rate: u32,
    /// How many go before, unmeasured.
    #[arg(long, default_value_t = 200)]
    warmup: usize,
    /// How many nodes share them.
    #[arg(long, default_value_t = 1)]
    nodes: usize,
    /// RSA-2048 or P-256, throughout.
    #[arg(long, value_enum, default_value_t = Keys::Rsa)]
    keys: Keys,
    /// Where the nodes keep logins.
    #[arg(long, value_enum, default_value_t = StoreKind::Redis)]
    store: StoreKind,
    /// Show the notice at each login.
    #[arg(long)]
    notice: bool,
    /// Measure again while so many hostile senders do their worst, and once more while they send to a server that does nothing with it; fails when a
    /// login fails, or a node takes more than 200 MB on top.
    #[arg(long, default_value_t = 0, value_name = "SENDERS")]
    hostile: usize,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Keys {
    Rsa,
    Ec,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StoreKind {
    Redis,
    Embedded,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// A source with as many entities as a country has: what it costs to refresh it, and what it costs the logins.
    Scale(scale::Scale),
    /// Small sources that change again and again: what is left behind.
    Refreshes(scale::Refreshes),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.nodes == 0 || arguments.logins == 0 || arguments.concurrency == 0 {
        eprintln!("--nodes, --logins and --concurrency are at least 1");
        return ExitCode::from(2);
    }
    if arguments.store == StoreKind::Embedded && arguments.nodes > 1 {
        eprintln!("the embedded store is for one node");
        return ExitCode::from(2);
    }
    if cfg!(debug_assertions) {
        eprintln!("This is a debug build: its figures say nothing. cargo run --release -p load");
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("the runtime cannot start: {error}");
            return ExitCode::from(2);
        }
    };
    match &arguments.task {
        None => {}
        Some(Task::Scale(scale)) => {
            runtime.block_on(scale::refreshes_and_logins(scale));
            return ExitCode::SUCCESS;
        }
        Some(Task::Refreshes(refreshes)) => {
            runtime.block_on(scale::many_refreshes(refreshes));
            return ExitCode::SUCCESS;
        }
    }
    let reports = runtime.block_on(all(&arguments));
    for report in &reports {
        if arguments.json {
            println!("{}", report.json());
        } else {
            println!("{}", report.table());
        }
    }
    let [alone, node, sink] = reports.as_slice() else { return ExitCode::SUCCESS };
    // For people; with --json standard output holds objects alone.
    eprintln!("{}", report::comparison(alone, sink, node));
    let more = node.peak().saturating_sub(alone.peak());
    if more > MORE_MEMORY {
        eprintln!("a node took {} MB more, which is over {} MB", more >> 20, MORE_MEMORY >> 20);
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// What hostile senders may make a node take on top, in octets: the bodies that it has room for, connections, and messages in work.
const MORE_MEMORY: u64 = 200 * 1024 * 1024;

/// Honest logins alone; where that is asked for once more beside hostile senders, and then beside the same senders at the same rates, who send to a
/// server that does nothing.
async fn all(arguments: &Arguments) -> Vec<Report> {
    let federation = started(arguments).await;
    let alone = measured(arguments, &federation, None).await;
    if arguments.hostile == 0 {
        return vec![alone];
    }
    let (node, every) = beside(arguments, &federation, &Target::Node).await;
    let to = sink::Sink::start(&federation).await.expect("the sink starts");
    let (sink, _) = beside(arguments, &federation, &Target::Sink(to.port(), every)).await;
    vec![alone, node, sink]
}

/// Honest logins beside senders, and how much time each of those took for a request.
async fn beside(
    arguments: &Arguments,
    federation: &Arc<Federation>,
    target: &Target,
) -> (Report, Vec<Duration>) {
    let began = Instant::now();
    let hostile = Hostile::loose(federation, arguments.hostile, target);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let report = measured(arguments, federation, Some(&hostile)).await;
    let requests = hostile.sent();
    let every = began.elapsed();
    hostile.stop().await;
    (report, requests.iter().map(|(requests, _)| every.div_f64((*requests).max(1) as f64)).collect())
}

async fn started(arguments: &Arguments) -> Arc<Federation> {
    let ec = arguments.keys == Keys::Ec;
    let mut party = RelyingParty::with_basic("journal");
    if ec {
        party.algorithm = certs::SignatureAlgorithm::EcdsaSha256;
    }
    let plan = Plan {
        nodes: if arguments.store == StoreKind::Embedded { 0 } else { arguments.nodes },
        notice: arguments.notice,
        ec,
        relying_parties: vec![party],
        ..Plan::default()
    };
    let federation = Arc::new(Federation::start(plan).await);
    let _ = driven(&federation, arguments.warmup, arguments.concurrency, 0, None).await;
    federation
}

async fn measured(arguments: &Arguments, federation: &Arc<Federation>, beside: Option<&Hostile>) -> Report {
    let ec = arguments.keys == Keys::Ec;
    // Beside hostile senders the server hears their commands, too.
    let trips = if beside.is_some() { None } else { trips_per_login(federation).await };
    let ids: Vec<u32> = federation.nodes.iter().map(tests::node::Node::process_id).collect();
    let before: Duration = ids.iter().map(|id| process::time(*id)).sum();
    let senders = beside.map(Senders::now);
    let began = Instant::now();
    let mut waits = driven(federation, arguments.logins, arguments.concurrency, arguments.rate, None).await;
    let elapsed = began.elapsed();
    let spent = ids.iter().map(|id| process::time(*id)).sum::<Duration>().saturating_sub(before);
    let senders = beside.zip(senders).map(|(hostile, before)| Senders::now(hostile).since(&before));
    waits.sort();
    Report {
        logins: arguments.logins,
        concurrency: arguments.concurrency,
        nodes: arguments.nodes,
        keys: if ec { "P-256" } else { "RSA-2048" },
        store: if arguments.store == StoreKind::Embedded { "embedded" } else { "Redis" },
        notice: arguments.notice,
        elapsed,
        waits,
        broker: spent,
        trips,
        memory: ids.iter().filter_map(|id| process::memory(*id)).collect(),
        raw: raw::measured(federation.granvik.key()),
        senders,
    }
}

/// Drives `logins` logins through `provider`, or Granvik's, and gives how long each waited for the broker, all its answers together.
async fn driven(
    federation: &Arc<Federation>,
    logins: usize,
    concurrency: usize,
    rate: u32,
    provider: Option<&Arc<Provider>>,
) -> Vec<Duration> {
    let began = tokio::time::Instant::now();
    let started = Arc::new(AtomicUsize::new(0));
    let waits = Arc::new(Mutex::new(Vec::with_capacity(logins)));
    let workers: Vec<_> = (0..concurrency)
        .map(|_| {
            let (federation, started, waits) = (federation.clone(), started.clone(), waits.clone());
            let provider = provider.cloned();
            tokio::spawn(async move {
                // The connections are kept from login to login, as a proxy in front would keep them.
                let wire = Arc::new(Wire::new());
                loop {
                    let number = started.fetch_add(1, Ordering::Relaxed);
                    if number >= logins {
                        return;
                    }
                    if rate > 0 {
                        let due = Duration::from_secs_f64(number as f64 / f64::from(rate));
                        tokio::time::sleep_until(began + due).await;
                    }
                    let before = wire.waited();
                    login(&federation, provider.as_deref(), number, &wire).await;
                    let waited = wire.waited().saturating_sub(before);
                    waits.lock().expect("no panic while holding it").push(waited);
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.expect("every login ends well");
    }
    std::mem::take(&mut *waits.lock().expect("no panic while holding it"))
}

/// One login; each of its requests goes to the next node.
async fn login(federation: &Federation, provider: Option<&Provider>, number: usize, wire: &Arc<Wire>) {
    let provider = provider.unwrap_or(&federation.granvik);
    let walk = Walk::between(federation, federation.party(), provider, Person::numbered(number));
    let mut walk = walk.over(wire.clone()).naming_the_provider();
    let mut turn = number;
    while walk.next.name() != "done" {
        let node = &federation.nodes[turn % federation.nodes.len()];
        walk.step(node.port()).await;
        turn += 1;
    }
}

/// How many commands a login sends to the Redis server, one after the other; `None` with the embedded store. The looks at heads that each node takes
/// every second are not the login's.
async fn trips_per_login(federation: &Arc<Federation>) -> Option<f64> {
    const LOGINS: u32 = 20;
    let listening = federation.redis.as_ref()?.listen();
    let _ = driven(federation, LOGINS as usize, 1, 0, None).await;
    let heard = listening.heard();
    let of_logins = heard.iter().filter(|line| !line.contains("sv:head:")).count();
    Some(f64::from(u32::try_from(of_logins).unwrap_or(u32::MAX)) / f64::from(LOGINS))
}
