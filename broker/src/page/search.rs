//! The search of the organisation choice: forgiving, since nobody should need to know how their employer spells itself.
//!
//! Letters lose case and marks (å and ä are a, ö is o); each word that is typed must be found among the words of an organisation, whole,
//! begun, inside, or with a slip or two; the order of words does not matter. An [`Index`] is folded once per registry revision.

use std::collections::HashMap;

/// What an organisation is found by.
#[derive(Debug, Clone, Default)]
pub(crate) struct SearchEntry<'a> {
    /// Its names, the one that it is sorted by first.
    pub(crate) names: Vec<&'a str>,
    /// Other words: aliases, municipality, region, organisation number, mail domains.
    pub(crate) keywords: Vec<&'a str>,
}

/// Entries, folded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    entries: Vec<Folded>,
    /// Every word of every entry, once: a query is held against it, not against each entry.
    vocabulary: Vec<Word>,
    /// All entries in the order of their first names.
    sorted: Vec<usize>,
}

#[derive(Debug, Clone)]
struct Folded {
    /// Places in the vocabulary.
    words: Vec<usize>,
    /// Each name written as one word: finds `granvikskommun`.
    joined: Vec<Word>,
    /// Place in the order of names.
    rank: usize,
}

/// A folded word, and what tells quickly that another is too unlike it.
#[derive(Debug, Clone)]
struct Word {
    text: String,
    /// In characters.
    length: usize,
    /// One bit per letter that occurs.
    letters: u64,
}

impl Word {
    fn new(text: String) -> Self {
        let letters = text.chars().fold(0, |letters, letter| {
            let bit = match letter {
                'a'..='z' => u32::from(letter) - u32::from('a'),
                '0'..='9' => 26 + u32::from(letter) - u32::from('0'),
                other => 36 + u32::from(other) % 28,
            };
            letters | 1_u64 << bit
        });
        Self { length: text.chars().count(), letters, text }
    }
}

/// Words that say little: they are wished for, not demanded.
const SMALL_WORDS: &[&str] = &[
    "kommun", "kommuns", "region", "regionen", "stad", "stads", "lan", "i", "av", "for", "och", "of", "the",
];
/// The most words of a query that are looked at; each costs a pass over the entries.
const QUERY_WORDS: usize = 8;
/// The longest query that is looked at, in characters.
const QUERY_LENGTH: usize = 100;

impl Index {
    /// Folds the entries; answers of [`Index::search`] are places in this order.
    pub(crate) fn new<'a>(entries: impl IntoIterator<Item = SearchEntry<'a>>) -> Self {
        let mut keys = Vec::new();
        let mut vocabulary = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut entries: Vec<Folded> = entries
            .into_iter()
            .map(|entry| {
                keys.push(swedish_order(entry.names.first().copied().unwrap_or_default()));
                let mut words: Vec<usize> = entry
                    .names
                    .iter()
                    .chain(&entry.keywords)
                    .flat_map(|text| words(text))
                    .map(|word| {
                        *places.entry(word).or_insert_with_key(|word| {
                            vocabulary.push(Word::new(word.clone()));
                            vocabulary.len() - 1
                        })
                    })
                    .collect();
                words.sort_unstable();
                words.dedup();
                let joined = entry.names.iter().map(|name| Word::new(words_joined(name))).collect();
                Folded { words, joined, rank: 0 }
            })
            .collect();
        let mut sorted: Vec<usize> = (0..entries.len()).collect();
        sorted.sort_by(|left, right| keys.get(*left).cmp(&keys.get(*right)));
        for (rank, place) in sorted.iter().enumerate() {
            if let Some(entry) = entries.get_mut(*place) {
                entry.rank = rank;
            }
        }
        Self { entries, vocabulary, sorted }
    }

    /// The places of the entries that answer the query, best first; all in the order of their names when nothing is asked. What
    /// matches some words of the query is shown only when nothing matches all.
    pub(crate) fn search(&self, query: &str) -> Vec<usize> {
        self.search_among(query, |_| true)
    }

    /// The same among the entries whose places are `open`: what nobody may choose neither counts nor hides what they may.
    pub(crate) fn search_among(&self, query: &str, open: impl Fn(usize) -> bool) -> Vec<usize> {
        let query: String = query.chars().take(QUERY_LENGTH).collect();
        let typed: Vec<String> = words(&query).into_iter().take(QUERY_WORDS).collect();
        if typed.is_empty() {
            return self.sorted.iter().copied().filter(|place| open(*place)).collect();
        }
        let joined = Word::new(typed.concat());
        let wanted: Vec<Wanted> = typed
            .into_iter()
            .map(|text| {
                let is_small = SMALL_WORDS.contains(&text.as_str());
                let word = Word::new(text);
                let distances = self.vocabulary.iter().map(|known| distance(&word, known)).collect();
                Wanted { is_small, distances }
            })
            .collect();
        let all = self.matching(|entry| entry.score(&wanted, &joined), &open);
        if all.is_empty() { self.matching(|entry| entry.partial_score(&wanted), &open) } else { all }
    }

    fn matching(&self, score: impl Fn(&Folded) -> Option<usize>, open: impl Fn(usize) -> bool) -> Vec<usize> {
        let mut found: Vec<(usize, usize, usize)> = self
            .entries
            .iter()
            .enumerate()
            .filter_map(|(place, entry)| Some((score(entry)?, entry.rank, place)))
            .filter(|(_, _, place)| open(*place))
            .collect();
        found.sort_unstable();
        found.into_iter().map(|(_, _, place)| place).collect()
    }
}

/// As [`Index::search`], for a few entries and one question.
pub(crate) fn search(query: &str, entries: &[SearchEntry<'_>]) -> Vec<usize> {
    Index::new(entries.iter().cloned()).search(query)
}

/// A word of the query.
struct Wanted {
    is_small: bool,
    /// How far it is from each word of the vocabulary.
    distances: Vec<Option<usize>>,
}

impl Wanted {
    /// How far it is from the nearest word of an entry.
    fn nearest(&self, entry: &Folded) -> Option<usize> {
        entry.words.iter().filter_map(|place| self.distances.get(*place).copied().flatten()).min()
    }
}

impl Folded {
    /// How far the entry is from the query, 0 best; `None` when a word that matters is not found.
    fn score(&self, wanted: &[Wanted], joined: &Word) -> Option<usize> {
        let whole = self.joined.iter().filter_map(|name| distance(joined, name)).min();
        let mut sum = 0;
        for word in wanted {
            match word.nearest(self) {
                Some(distance) => sum += distance,
                None if word.is_small && wanted.len() > 1 => sum += 30,
                None => return whole.map(|distance| distance + 5),
            }
        }
        Some(whole.map_or(sum, |distance| sum.min(distance)))
    }

    /// The same for the words that were found, each missing one at a price; `None` when only small words were.
    fn partial_score(&self, wanted: &[Wanted]) -> Option<usize> {
        let mut sum = 0;
        let mut found = false;
        for word in wanted.iter().filter(|word| !word.is_small) {
            match word.nearest(self) {
                Some(distance) => {
                    found = true;
                    sum += distance;
                }
                None => sum += 100,
            }
        }
        found.then_some(sum)
    }
}

/// How far a typed word is from a known one: 0 the same, 1 begun, 6 inside, 8 around, 10 and more misspelled; `None` another word.
fn distance(typed: &Word, known: &Word) -> Option<usize> {
    if typed.text == known.text {
        return Some(0);
    }
    if known.text.starts_with(&typed.text) {
        return Some(1);
    }
    let length = typed.length;
    if length >= 3 && known.text.contains(&typed.text) {
        return Some(6);
    }
    // A compound that holds more than the known word: `tillsynsmyndigheten`.
    if known.length >= 5 && typed.text.starts_with(&known.text) {
        return Some(8);
    }
    let slips = match length {
        0..=3 => return None,
        4..=6 => 1,
        _ => 2,
    };
    // Each slip brings at most one letter that the known word has not, and makes the word at most one longer.
    let foreign = (typed.letters & !known.letters).count_ones();
    if foreign as usize > slips || known.length + slips < length {
        return None;
    }
    let whole = if known.length <= length + slips {
        strsim::osa_distance(&typed.text, &known.text)
    } else {
        usize::MAX
    };
    // A word that is not typed to its end yet may hold a slip, too: compare with beginnings as long, give or take one.
    let begun = (length.saturating_sub(1)..=length + 1)
        .filter(|take| *take < known.length)
        .map(|take| {
            let beginning: String = known.text.chars().take(take).collect();
            strsim::osa_distance(&typed.text, &beginning) + 1
        })
        .min()
        .unwrap_or(usize::MAX);
    let best = whole.min(begun);
    (best <= slips).then(|| 10 + best)
}

fn words(text: &str) -> Vec<String> {
    fold(text).split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn words_joined(text: &str) -> String {
    words(text).concat()
}

/// Lower case, without marks, everything but letters and digits a space; a hyphen between digits (an organisation number) vanishes.
fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        for lower in character.to_lowercase() {
            match lower {
                'å' | 'ä' | 'á' | 'à' | 'â' | 'ã' | 'æ' => folded.push('a'),
                'ö' | 'ø' | 'ó' | 'ò' | 'ô' | 'õ' => folded.push('o'),
                'é' | 'è' | 'ê' | 'ë' => folded.push('e'),
                'ü' | 'ú' | 'ù' | 'û' => folded.push('u'),
                'í' | 'ì' | 'î' | 'ï' => folded.push('i'),
                'ñ' | 'ń' => folded.push('n'),
                'ç' | 'č' => folded.push('c'),
                'š' => folded.push('s'),
                'ŋ' => folded.push('n'),
                'đ' => folded.push('d'),
                'ŧ' => folded.push('t'),
                'ž' => folded.push('z'),
                // A mark that follows its letter, as macOS writes it, and an apostrophe vanish.
                '\u{0300}'..='\u{036f}' | '\'' | '’' => {}
                '-' if folded.ends_with(|last: char| last.is_ascii_digit())
                    && characters.peek().is_some_and(char::is_ascii_digit) => {}
                letter if letter.is_alphanumeric() => folded.push(letter),
                _ => folded.push(' '),
            }
        }
    }
    folded
}

/// A key that sorts as Swedish does: å, ä, ö after z, case and punctuation without weight.
fn swedish_order(name: &str) -> Vec<u32> {
    name.chars()
        .flat_map(char::to_lowercase)
        .filter_map(|letter| match letter {
            'å' => Some(u32::from('z') + 1),
            'ä' | 'æ' => Some(u32::from('z') + 2),
            'ö' | 'ø' => Some(u32::from('z') + 3),
            'é' | 'è' => Some(u32::from('e')),
            'ü' => Some(u32::from('y')),
            letter if letter.is_alphanumeric() || letter == ' ' => Some(u32::from(letter)),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Index, SearchEntry, search};

    const NAMES: &[(&str, &[&str])] = &[
        ("Granviks kommun", &["granvik.example", "2021006883"]),
        ("Region Norrån", &["HSA", "landstinget"]),
        ("Myndigheten för tillsyn", &["MFT", "mft.example"]),
        ("Åmåls kommun", &[]),
        ("Ängelholms kommun", &[]),
        ("Örebro kommun", &["Örebro län"]),
        ("Västerviks kommun", &[]),
        ("Västra Götalandsregionen", &["VGR"]),
        ("Upplands-Bro kommun", &[]),
        ("Göteborgs Stad", &["Gothenburg"]),
        ("Älvdalens kommun", &["Övdaln"]),
        ("Södertälje kommun", &[]),
        ("Zinkgruvans kommun", &[]),
    ];

    fn found(query: &str) -> Vec<&'static str> {
        let entries: Vec<SearchEntry<'_>> = NAMES
            .iter()
            .map(|(name, keywords)| SearchEntry { names: vec![name], keywords: keywords.to_vec() })
            .collect();
        search(query, &entries).into_iter().map(|place| NAMES[place].0).collect()
    }

    #[test]
    fn what_people_type_finds_their_employer_first() {
        for (query, name) in [
            ("granvik", "Granviks kommun"),
            ("GRANVIKS KOMUN", "Granviks kommun"),
            ("garnvik", "Granviks kommun"),
            ("kommun granvik", "Granviks kommun"),
            ("granvikskommun", "Granviks kommun"),
            ("norran", "Region Norrån"),
            ("amal", "Åmåls kommun"),
            ("Angelholm", "Ängelholms kommun"),
            ("ängleholm", "Ängelholms kommun"),
            ("orebro", "Örebro kommun"),
            ("örebroo", "Örebro kommun"),
            ("vastervik", "Västerviks kommun"),
            ("vaesterviks", "Västerviks kommun"),
            ("vgr", "Västra Götalandsregionen"),
            ("gotalandsregion", "Västra Götalandsregionen"),
            ("upplandsbro", "Upplands-Bro kommun"),
            ("uplands bro", "Upplands-Bro kommun"),
            ("gothenburg", "Göteborgs Stad"),
            ("goteborg kommun", "Göteborgs Stad"),
            ("götebrog", "Göteborgs Stad"),
            ("sodertalje", "Södertälje kommun"),
            ("södertelje", "Södertälje kommun"),
            ("tillsynsmyndigheten", "Myndigheten för tillsyn"),
            ("202100-6883", "Granviks kommun"),
            ("granvik.example", "Granviks kommun"),
            ("A\u{030a}ma\u{030a}l", "Åmåls kommun"),
        ] {
            assert_eq!(found(query).first(), Some(&name), "{query}");
        }
    }

    #[test]
    fn another_word_finds_nobody() {
        for query in ["xyzzy", "stockholm", "qq"] {
            assert_eq!(found(query), Vec::<&str>::new(), "{query}");
        }
    }

    #[test]
    fn one_wrong_word_of_two_still_finds_somebody() {
        assert_eq!(found("granvik skolförvaltningen").first(), Some(&"Granviks kommun"));
    }

    #[test]
    fn nothing_asked_shows_all_as_swedish_sorts() {
        let all = found("  ");
        assert_eq!(all.len(), NAMES.len());
        assert_eq!(all.first(), Some(&"Granviks kommun"));
        let tail: Vec<&str> = all.iter().rev().take(5).rev().copied().collect();
        assert_eq!(
            tail,
            ["Zinkgruvans kommun", "Åmåls kommun", "Älvdalens kommun", "Ängelholms kommun", "Örebro kommun"]
        );
    }

    #[test]
    fn a_hostile_query_costs_little() {
        let index =
            Index::new(NAMES.iter().map(|(name, _)| SearchEntry { names: vec![name], keywords: vec![] }));
        assert!(index.search(&"a ".repeat(100_000)).len() <= NAMES.len());
        assert!(index.search(&"å".repeat(100_000)).is_empty());
        assert_eq!(index.search("\u{0}<script>%00"), Vec::<usize>::new());
    }
}
