//! The targets without an engine: every seed, every input of the corpus, and a bounded number of bent ones, the same in every run.
//!
//! `FUZZ_MUTANTS=100000 cargo test -p fuzz` bends more.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use fuzz::{Body, TARGETS, seeds};

/// How many bent inputs each target is given.
const MUTANTS: usize = 2_000;
/// An input of this size or less is answered well within this, also unoptimised and on a busy machine.
const LONGEST: Duration = Duration::from_secs(10);
/// What the corpus of one target may weigh, in octets.
const HEAVIEST: usize = 200 * 1024;

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target)
}

/// The corpus of a target, by file name.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder(target))
        .expect("every target has a corpus")
        .map(|entry| {
            let path = entry.expect("the folder can be read").path();
            let name = path.file_name().expect("a file").to_string_lossy().into_owned();
            (name, fs::read(path).expect("the file can be read"))
        })
        .collect();
    files.sort();
    files
}

/// Runs a body and says with what it panicked or was slow.
fn run(target: &str, body: Body, what: &str, octets: &[u8]) {
    let began = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| body(octets)));
    let took = began.elapsed();
    assert!(outcome.is_ok(), "{target}: {what} panics: {:?}", String::from_utf8_lossy(octets));
    assert!(took < LONGEST, "{target}: {what} takes {took:?}: {:?}", String::from_utf8_lossy(octets));
}

/// Deterministic numbers (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % bound.max(1)
    }
}

/// The tokens of a dictionary in the engine's format, one quoted text a line.
fn dictionary(target: &str) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("dictionaries").join(format!("{target}.dict"));
    let text = fs::read_to_string(path).expect("every target has a dictionary");
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let quoted = line.split_once('"').and_then(|(_, rest)| rest.strip_suffix('"'));
            let quoted = quoted.unwrap_or_else(|| panic!("{target}: {line} is not quoted"));
            unescaped(quoted.as_bytes())
        })
        .collect()
}

/// `\\`, `\"` and `\xNN` stand for an octet each.
fn unescaped(mut quoted: &[u8]) -> Vec<u8> {
    let mut octets = Vec::new();
    while let Some((first, rest)) = quoted.split_first() {
        let (octet, after) = match (first, rest) {
            (b'\\', [b'x', high, low, after @ ..]) => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).expect("two digits");
                (u8::from_str_radix(digits, 16).expect("two hexadecimal digits"), after)
            }
            (b'\\', [escaped, after @ ..]) => (*escaped, after),
            (plain, after) => (*plain, after),
        };
        octets.push(octet);
        quoted = after;
    }
    octets
}

fn bent(inputs: &[Vec<u8>], words: &[Vec<u8>], numbers: &mut Numbers) -> Vec<u8> {
    let mut octets = inputs[numbers.below(inputs.len())].clone();
    for _ in 0..=numbers.below(3) {
        let (a, b) = (numbers.below(octets.len() + 1), numbers.below(octets.len() + 1));
        let (start, end) = (a.min(b), a.max(b));
        match numbers.below(6) {
            0 => drop(octets.splice(start..start, words[numbers.below(words.len())].iter().copied())),
            1 => drop(octets.drain(start..end.min(start + 64))),
            2 => {
                let part = octets[start..end.min(start + 256)].to_vec();
                let to = numbers.below(octets.len() + 1);
                octets.splice(to..to, part);
            }
            3 => {
                let other = &inputs[numbers.below(inputs.len())];
                let (from, to) = (numbers.below(other.len()), numbers.below(other.len()));
                octets.splice(start..end, other[from.min(to)..from.max(to)].iter().copied());
            }
            4 if start < octets.len() => octets[start] ^= 1 << numbers.below(8),
            _ if start < octets.len() => octets[start] = u8::try_from(numbers.below(256)).unwrap_or_default(),
            _ => {}
        }
    }
    octets
}

#[test]
fn every_seed_and_every_input_of_the_corpus_holds() {
    for (target, body) in TARGETS {
        let seeds = seeds::of(target);
        assert!(seeds.len() >= 3, "{target} has seeds");
        for (number, seed) in seeds.iter().enumerate() {
            run(target, body, &format!("seed {number}"), seed);
        }
        let corpus = corpus(target);
        assert!(!corpus.is_empty(), "{target} has a corpus");
        for (name, octets) in &corpus {
            run(target, body, name, octets);
        }
        let weight: usize = corpus.iter().map(|(_, octets)| octets.len()).sum();
        assert!(
            weight <= HEAVIEST,
            "{target}: the corpus weighs {weight} octets; `tests/fuzz/run --minimise`"
        );
        eprintln!("{target}: {} seeds, {} inputs of the corpus, {weight} octets", seeds.len(), corpus.len());
    }
}

#[test]
fn bent_inputs_hold() {
    let count = std::env::var("FUZZ_MUTANTS").ok().map_or(MUTANTS, |text| text.parse().expect("a number"));
    for (target, body) in TARGETS {
        let mut inputs = seeds::of(target);
        inputs.extend(corpus(target).into_iter().map(|(_, octets)| octets));
        let words = dictionary(target);
        let mut numbers = Numbers(0x5EED_0F0F_6A71_77D3);
        for number in 0..count {
            run(target, body, &format!("bent input {number}"), &bent(&inputs, &words, &mut numbers));
        }
    }
}
