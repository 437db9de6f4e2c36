//! Signed aggregates: writes one of any size, and says what it costs to verify it and take it apart (design section 10).
//!
//! `measure` writes a file and reads it in processes of their own, so that the memory of one is not counted for the other; where xmlsec1 is
//! installed, it verifies the same file beside.
#![expect(clippy::print_stdout, reason = "figures go to standard output")]

use std::{
    fs::{self, File},
    io::BufWriter,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use certs::{AlgorithmPolicy, DigestAlgorithm, PrivateKey, PublicKey, SignatureAlgorithm};
use certs_xml::{Limits, namespace::MD, stream::StreamLimits};
use clap::{Parser, Subcommand};
use metadata::source::aggregate::{AggregateLimits, read_aggregate};
use tests::{aggregate::Plan, chance};

/// Writes signed aggregates and measures what reading them costs. Run it in a release build.
#[derive(Debug, Parser)]
#[command(name = "aggregate")]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Writes an aggregate to FILE, and the certificate of its key to FILE.pem.
    Write {
        #[command(flatten)]
        size: Size,
        file: PathBuf,
    },
    /// Verifies FILE with the certificate in FILE.pem and says what it cost, as one line.
    Read {
        /// Only the signature; entities are counted and not looked at.
        #[arg(long)]
        only_verify: bool,
        /// So many times, one after the other; says what is resident after a tenth of them and after all.
        #[arg(long, default_value_t = 1)]
        repeat: usize,
        file: PathBuf,
    },
    /// Writes one to a temporary folder, and reads it in processes of their own.
    Measure {
        #[command(flatten)]
        size: Size,
        /// How many times each is read; the least is told.
        #[arg(long, default_value_t = 3)]
        times: usize,
    },
}

#[derive(Debug, Clone, Copy, clap::Args)]
struct Size {
    /// How many entities.
    #[arg(long, default_value_t = 10_000)]
    entities: usize,
    /// About how large, in MB (1,000,000 octets); 0: as large as they come.
    #[arg(long, default_value_t = 0)]
    megabytes: usize,
    /// In nested groups of so many; 0: in one list.
    #[arg(long, default_value_t = 0)]
    group: usize,
    /// Another seed, another federation.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    if cfg!(debug_assertions) {
        eprintln!(
            "This is a debug build: its figures say nothing. cargo run --release -p load --bin aggregate"
        );
    }
    let done = match Arguments::parse().command {
        Task::Write { size, file } => write(size, &file).map(|octets| {
            println!("{octets} octets, {} entities", size.entities);
        }),
        Task::Read { only_verify, repeat: 1, file } => {
            read(&file, only_verify).and_then(|entities| told(&entities))
        }
        Task::Read { only_verify, repeat, file } => again_and_again(&file, only_verify, repeat),
        Task::Measure { size, times } => measure(size, times),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn write(size: Size, file: &Path) -> Outcome<u64> {
    let key = PrivateKey::generate_rsa(2048, SignatureAlgorithm::RsaSha256)?;
    let certificate = key.self_signed_certificate("federation.example", chance::system_time(), 30)?;
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &certificate);
    let lines: Vec<&str> =
        encoded.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    fs::write(
        pem(file),
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n")),
    )?;
    let plan = Plan {
        octets_of_each: size.megabytes * 1_000_000 / size.entities.max(1),
        group: size.group,
        ..Plan::of(size.seed, size.entities, chance::now())
    };
    Ok(plan.write(&key, BufWriter::with_capacity(1 << 20, File::create(file)?))?)
}

fn pem(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".pem");
    name.into()
}

fn key(file: &Path) -> Outcome<PublicKey> {
    let pem = fs::read_to_string(pem(file))?;
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, body)?;
    Ok(PublicKey::from_certificate_der(&der)?)
}

/// What a process has cost: processor time, and memory at its height, in octets.
#[derive(Debug, Clone, Copy)]
struct Cost {
    time: Duration,
    memory: u64,
}

/// Gives how many entities it has, and how many were given up as proven.
fn read(file: &Path, only_verify: bool) -> Outcome<(u64, usize)> {
    let keys = [key(file)?];
    let input = File::open(file)?;
    let (entities, kept) = if only_verify {
        let mut entities = 0_u64;
        let limits = StreamLimits { octets: u64::MAX, piece: 2 << 20, within: Limits::metadata(2 << 20) };
        let group =
            certs::xml_signature::streaming::Group { namespace: MD, local_name: "EntitiesDescriptor" };
        certs::xml_signature::streaming::verify(
            input,
            &keys,
            &AlgorithmPolicy::default(),
            limits,
            group,
            |_| {
                entities += 1;
                Ok::<_, std::convert::Infallible>(())
            },
        )?;
        (entities, 0)
    } else {
        // Puts aside what a source does: the name of each document.
        let mut unproven = Vec::new();
        let limits = AggregateLimits { octets: u64::MAX, entities: u64::MAX, ..AggregateLimits::default() };
        let aggregate = read_aggregate(input, &keys, &limits, chance::now(), |entity| {
            unproven.push(
                entity.map(|entity| (entity.entity_id, DigestAlgorithm::Sha256.digest(&entity.octets))),
            );
            Ok(())
        })?;
        let kept = unproven.into_iter().filter_map(|entity| aggregate.prove(entity)).count();
        (aggregate.entities, kept)
    };
    Ok((entities, kept))
}

fn told((entities, kept): &(u64, usize)) -> Outcome<()> {
    let cost = of_process("self").ok_or("what this process cost is not known")?;
    println!("{} {} {entities} {kept}", cost.time.as_micros(), cost.memory);
    Ok(())
}

fn again_and_again(file: &Path, only_verify: bool, repeat: usize) -> Outcome<()> {
    let resident = || status("self", "VmRSS:").ok_or("what is resident is not known");
    let mut early = 0;
    for time in 0..repeat {
        read(file, only_verify)?;
        if time == repeat / 10 {
            early = resident()?;
        }
    }
    println!("{early} {}", resident()?);
    Ok(())
}

/// What Linux knows of a process: the time of its threads that live, and its memory at its height.
fn of_process(id: &str) -> Option<Cost> {
    let tasks = fs::read_dir(format!("/proc/{id}/task")).ok()?;
    let of_thread = |path: PathBuf| -> Option<u64> {
        fs::read_to_string(path.join("schedstat")).ok()?.split_whitespace().next()?.parse().ok()
    };
    let nanoseconds = tasks.flatten().filter_map(|task| of_thread(task.path())).sum();
    Some(Cost { time: Duration::from_nanos(nanoseconds), memory: status(id, "VmHWM:")? })
}

/// A figure of `/proc/ID/status`, in octets.
fn status(id: &str, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

fn measure(size: Size, times: usize) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("aggregate.xml");
    let began = Instant::now();
    let octets = write(size, &file)?;
    println!(
        "{} entities, {:.1} MB, written in {:.1} s",
        size.entities,
        octets as f64 / 1e6,
        began.elapsed().as_secs_f64()
    );
    println!("{:<34} {:>9} {:>9} {:>9}", "", "CPU s", "MB/s", "peak MB");
    let own = std::env::current_exe()?;
    for (what, more) in [("signature alone", &["--only-verify"][..]), ("signature, entities, names", &[])] {
        let mut best: Option<Cost> = None;
        for _ in 0..times.max(1) {
            let output = Command::new(&own).arg("read").args(more).arg(&file).output()?;
            let line = String::from_utf8_lossy(&output.stdout).into_owned();
            let mut figures = line.split_whitespace().map(str::parse::<u64>);
            let (Some(Ok(time)), Some(Ok(memory))) = (figures.next(), figures.next()) else {
                return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
            };
            let cost = Cost { time: Duration::from_micros(time), memory };
            best = Some(best.filter(|best| best.time <= cost.time).unwrap_or(cost));
        }
        row(what, best, octets);
    }
    row("xmlsec1", xmlsec1(&file)?, octets);
    let few = folder.path().join("few.xml");
    write(Size { entities: 100, megabytes: 0, ..size }, &few)?;
    let output = Command::new(&own).args(["read", "--repeat", "1000"]).arg(&few).output()?;
    let line = String::from_utf8_lossy(&output.stdout).into_owned();
    let figures: Vec<f64> = line.split_whitespace().filter_map(|figure| figure.parse().ok()).collect();
    let [early, late] = figures.as_slice() else {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    };
    println!(
        "100 entities read 1,000 times: {:.1} MB resident after 100, {:.1} MB after all",
        early / 1e6,
        late / 1e6
    );
    Ok(())
}

fn row(what: &str, cost: Option<Cost>, octets: u64) {
    match cost {
        Some(Cost { time, memory }) => println!(
            "{what:<34} {:>9.2} {:>9.0} {:>9.1}",
            time.as_secs_f64(),
            octets as f64 / 1e6 / time.as_secs_f64().max(1e-9),
            memory as f64 / 1e6
        ),
        None => println!("{what:<34} not installed"),
    }
}

/// Another implementation over the same file; `None` where it is not installed. It is looked at every few milliseconds, so what it costs is
/// a little more than what is told.
fn xmlsec1(file: &Path) -> Outcome<Option<Cost>> {
    let mut command = Command::new("xmlsec1");
    command
        .args(["--verify", "--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:metadata:EntitiesDescriptor"])
        .arg("--pubkey-cert-pem")
        .arg(pem(file))
        .arg(file)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let Ok(mut child) = command.spawn() else { return Ok(None) };
    let id = child.id().to_string();
    let mut cost = Cost { time: Duration::ZERO, memory: 0 };
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if let Some(now) = of_process(&id) {
            cost = Cost { time: cost.time.max(now.time), memory: cost.memory.max(now.memory) };
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    if status.success() { Ok(Some(cost)) } else { Err("xmlsec1 does not accept the file".into()) }
}
