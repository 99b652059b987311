//! What a credential costs that the guard has seen before, beside one SHA-256 of it and one map look-up.
//!
//! `cargo bench -p symbolon-guard --features internals --bench seen [-- small | largest]`
//!
//! *check* has the credential at hand and does all that a yes rests on: clocks, digest, look-up, cut-offs, expiry,
//! freshness. *headers to identity* also finds it in the request and makes what handlers get.
//!
//! Rows take turns on the same credentials in random order, 64 at a time, whose headers were just read, so
//! that a noisy neighbour slows all of them alike. The floor's maps give away a counted reference, as a
//! check has to: *map* is `std::collections::HashMap` under no lock at all with the digest as hash,
//! *papaya* a concurrent map with the digest as hash, *quick* a `quick_cache` as it was used here before.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark"
)]
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "times as text"
)]

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    hint::black_box,
    sync::Arc,
    time::Instant,
};

use aws_lc_rs::digest::{SHA256, digest};
use http::{HeaderMap, HeaderValue, header};
use symbolon_guard::{
    Shape,
    internals::{APP, Found, Stand},
};

type Digest = [u8; 32];

/// The key is a digest: its first bytes are the hash.
#[derive(Clone, Default)]
struct AsHash(u64);

impl Hasher for AsHash {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_ne_bytes(*first);
        }
    }
    fn write_usize(&mut self, _: usize) {}
}

type Build = BuildHasherDefault<AsHash>;

/// As much as an entry of ours: whose it is and until when.
struct Entry {
    exp: i64,
    _facts: [u64; 24],
}

fn entry() -> Arc<Entry> {
    Arc::new(Entry {
        exp: i64::MAX,
        _facts: [0; 24],
    })
}

fn sha(text: &[u8]) -> Digest {
    digest(&SHA256, text).as_ref().try_into().unwrap()
}

/// A credential's text, a request that shows it, and where in there it stands.
type Asked = (String, HeaderMap, Found);

/// Everything that one size of the benchmark looks at.
struct Field {
    stand: Stand,
    map: HashMap<Digest, Arc<Entry>, Build>,
    papaya: papaya::HashMap<Digest, Arc<Entry>, Build>,
    quick: quick_cache::sync::Cache<Digest, Arc<Entry>>,
    /// For each shape the credentials that are asked for, and what a request shows.
    asked: [Vec<Asked>; 2],
}

const SHAPES: [Shape; 2] = [Shape::Session, Shape::Jwt];

/// Credentials whose headers are kept: of a million these are asked for.
const ASKED: usize = 50_000;

const BATCH: usize = 64;

impl Field {
    fn new(credentials: usize, cut_offs: u64) -> Self {
        let mut field = Self {
            stand: Stand::new(credentials),
            map: HashMap::default(),
            papaya: papaya::HashMap::with_hasher(Build::default()),
            quick: quick_cache::sync::Cache::new(credentials * 2),
            asked: [Vec::new(), Vec::new()],
        };
        let mut random = Random(88_172_645_463_325_252);
        for n in 0..credentials {
            let at = n % 2;
            let text = text(SHAPES[at], &mut random);
            let key = sha(text.as_bytes());
            field.stand.know(SHAPES[at], &text, n as u64);
            field.map.insert(key, entry());
            field.papaya.pin().insert(key, entry());
            field.quick.insert(key, entry());
            if n % credentials.div_ceil(ASKED * 2) < 2 || credentials <= ASKED * 2 {
                let headers = headers(SHAPES[at], &text);
                let found = field.stand.show(&headers).unwrap();
                field.asked[at].push((text, headers, found));
            }
        }
        for asked in &mut field.asked {
            // A few of a million found no room; and in random order.
            asked.retain(|(_, headers, _)| field.stand.check(headers));
            for n in (1..asked.len()).rev() {
                asked.swap(n, random.below(n + 1));
            }
        }
        field.stand.end_others(cut_offs);
        field
    }
}

/// xorshift: the same credentials in each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn text(&mut self, length: usize) -> String {
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        (0..length)
            .map(|_| char::from(ALPHABET[self.below(64)]))
            .collect()
    }
}

/// As long as real ones: 97 characters, and 448 as in the tables of other libraries.
fn text(shape: Shape, random: &mut Random) -> String {
    match shape {
        Shape::Session => format!("sym_s_{}", random.text(91)),
        Shape::Jwt => {
            let parts = [random.text(80), random.text(280), random.text(86)];
            parts.join(".")
        }
    }
}

fn headers(shape: Shape, text: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, HeaderValue::from_static("localhost"));
    headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    let (name, value) = match shape {
        Shape::Session => (header::COOKIE, format!("theme=dark; __Host-{APP}={text}")),
        Shape::Jwt => (header::AUTHORIZATION, format!("Bearer {text}")),
    };
    let value = HeaderValue::try_from(value).unwrap();
    // As hyper gives them: shared bytes, so that a clone counts and copies nothing.
    drop(value.clone());
    headers.insert(name, value);
    headers
}

type Row = (&'static str, fn(&Field, &Asked) -> bool);

const ROWS: [Row; 8] = [
    ("digest", |_, (text, ..)| sha(text.as_bytes())[0] < 255),
    ("digest + map", |field, (text, ..)| {
        let known = field.map.get(&sha(text.as_bytes())).cloned();
        known.is_some_and(|entry| entry.exp > 0)
    }),
    ("digest + papaya", |field, (text, ..)| {
        let known = field.papaya.pin().get(&sha(text.as_bytes())).cloned();
        known.is_some_and(|entry| entry.exp > 0)
    }),
    ("digest + quick", |field, (text, ..)| {
        let known = field.quick.get(&sha(text.as_bytes()));
        known.is_some_and(|entry| entry.exp > 0)
    }),
    ("check", |field, (_, _, found)| {
        field.stand.check_found(found)
    }),
    ("check after a cut-off", |field, (_, _, found)| {
        field.stand.check_found(found)
    }),
    ("check after 1,000 cut-offs", |field, (_, _, found)| {
        field.stand.check_found(found)
    }),
    ("headers to identity", |field, (_, headers, _)| {
        field.stand.check(headers)
    }),
];

const CHECK: usize = 4;

const AFTER_CUT_OFF: usize = 5;

const AFTER_MANY: usize = 6;

const HEADERS: usize = 7;

/// For how many cut-offs a credential of the row [`AFTER_MANY`] was not asked for.
const AWAY: u64 = 1_000;

/// Finds all that are asked for alive, so that they need no look-up until there is a new cut-off.
fn find_alive(field: &Field, shape: usize) {
    for (_, _, found) in &field.asked[shape] {
        assert!(field.stand.check_found(found));
    }
}

/// Where the batch of a round begins for those who were away: after [`AWAY`] cut-offs each is asked for once, and
/// when all were, they are away again.
fn leave(field: &Field, shape: usize, round: usize) -> usize {
    let batches = field.asked[shape].len() / BATCH;
    let batch = round % batches;
    if batch == 0 {
        find_alive(field, shape);
        field.stand.end_others(AWAY);
    }
    batch * BATCH
}

/// Seconds for each of a batch's credentials. Its texts are read first, as a server has just done.
fn turn(field: &Field, shape: usize, row: usize, round: usize) -> f64 {
    let asked = &field.asked[shape];
    let at = match row {
        AFTER_MANY => leave(field, shape, round),
        _ => (round * ROWS.len() + row) * BATCH,
    };
    let batch: Vec<_> = (at..at + BATCH).map(|n| &asked[n % asked.len()]).collect();
    for (text, headers, _) in &batch {
        black_box(text.bytes().map(u64::from).sum::<u64>());
        for value in headers.values() {
            black_box(value.as_bytes().iter().map(|b| u64::from(*b)).sum::<u64>());
        }
    }
    if row == AFTER_CUT_OFF {
        field.stand.end_others(1);
    }
    let (_, work) = ROWS[row];
    let start = Instant::now();
    let mut good = 0;
    for asked in &batch {
        good += usize::from(black_box(work(field, asked)));
    }
    let time = start.elapsed().as_secs_f64() / BATCH as f64;
    assert!(good == BATCH || row == 0, "{row}: {good} of {BATCH}");
    time
}

fn main() {
    // Cargo's own arguments are of no interest.
    let is_small = std::env::args().any(|argument| argument == "small");
    if std::env::args().any(|argument| argument == "profile") {
        return profile();
    }
    println!("clocks: {:.1} ns", clocks());
    let large = if is_small { 100_000 } else { 1_000_000 };
    println!(
        "\n| credentials | cut-offs | shape | work | ns (middle half) | / digest + map | / digest + papaya | p50 ns | p99 ns |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    let mut sizes = vec![(1_000, 0), (1_000, large), (large, 0), (large, large)];
    if std::env::args().any(|argument| argument == "largest") {
        sizes.drain(..3);
    }
    for (credentials, cut_offs) in sizes {
        let field = Field::new(credentials as usize, cut_offs);
        for shape in [0, 1] {
            table(&field, shape, credentials, cut_offs);
        }
        if credentials == cut_offs {
            for shape in [0, 1] {
                threads(&field, shape);
            }
        }
    }
    bytes(large);
}

fn table(field: &Field, shape: usize, credentials: u64, cut_offs: u64) {
    const ROUNDS: usize = 1_001;
    let rows = |rows: &[usize]| -> Vec<Vec<f64>> {
        find_alive(field, shape);
        let times = |round: usize| {
            let mut times = vec![f64::NAN; ROWS.len()];
            for row in rows {
                times[*row] = turn(field, shape, *row, round);
            }
            times
        };
        (0..ROUNDS).map(times).collect()
    };
    let quiet = rows(&[0, 1, 2, 3, CHECK, HEADERS]);
    let busy = rows(&[1, 2, AFTER_CUT_OFF]);
    // By themselves: another cut-off in each round would keep them away for longer.
    let away = rows(&[1, 2, AFTER_MANY]);
    for (row, (name, work)) in ROWS.iter().enumerate() {
        let rounds = match row {
            AFTER_CUT_OFF => &busy,
            AFTER_MANY => &away,
            _ => &quiet,
        };
        let [low, middle, high] = quartiles(rounds.iter().map(|round| round[row] * 1e9));
        let ratios = [1, 2].map(|floor| {
            let [low, middle, high] =
                quartiles(rounds.iter().map(|round| round[row] / round[floor]));
            format!("**{middle:.2}** ({low:.2}-{high:.2})")
        });
        let [p50, p99] = percentiles(field, shape, row, *work);
        let [map, papaya] = ratios;
        println!(
            "| {credentials} | {cut_offs} | {} | {name} | {middle:.0} ({low:.0}-{high:.0}) | {map} | {papaya} | {p50:.0} | {p99:.0} |",
            SHAPES[shape]
        );
    }
}

/// Each by itself, less what reading the clock takes.
fn percentiles(
    field: &Field,
    shape: usize,
    row: usize,
    work: fn(&Field, &Asked) -> bool,
) -> [f64; 2] {
    let idle = quartiles((0..1_000).map(|_| {
        let start = Instant::now();
        start.elapsed().as_secs_f64()
    }))[1];
    let mut times: Vec<f64> = field.asked[shape]
        .iter()
        .enumerate()
        .cycle()
        .take(50_000)
        .map(|(at, asked)| {
            if row == AFTER_MANY && at == 0 {
                leave(field, shape, 0);
            }
            let (text, headers, _) = asked;
            black_box(text.bytes().map(u64::from).sum::<u64>());
            for value in headers.values() {
                black_box(value.as_bytes().iter().map(|b| u64::from(*b)).sum::<u64>());
            }
            let start = Instant::now();
            black_box(work(field, asked));
            (start.elapsed().as_secs_f64() - idle) * 1e9
        })
        .collect();
    times.sort_by(f64::total_cmp);
    [50, 99].map(|percent| times[times.len() * percent / 100])
}

/// How much more two threads do than one, in turns with a digest, which shares nothing.
fn threads(field: &Field, shape: usize) {
    const EACH: usize = 20_000;
    let done = |row: usize, threads: usize| {
        let start = Instant::now();
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let asked = &field.asked[shape];
                scope.spawn(move || {
                    let (_, work) = ROWS[row];
                    let from = thread * asked.len() / 2;
                    for asked in asked.iter().cycle().skip(from).take(EACH) {
                        black_box(work(field, asked));
                    }
                });
            }
        });
        (threads * EACH) as f64 / start.elapsed().as_secs_f64()
    };
    for (row, (name, _)) in ROWS.iter().enumerate().take(CHECK + 1) {
        let rounds: Vec<[f64; 2]> = (0..101)
            .map(|_| [0, row].map(|row| done(row, 2) / done(row, 1)))
            .collect();
        let [low, middle, high] = quartiles(rounds.iter().map(|[_, ours]| *ours));
        let [least, beside, most] = quartiles(rounds.iter().map(|[digest, ours]| ours / digest));
        println!(
            "two threads, {}, {name}: {middle:.2} (middle half {low:.2}-{high:.2}) times the work of one; {beside:.2} ({least:.2}-{most:.2}) of what a digest alone does",
            SHAPES[shape]
        );
    }
}

/// Memory of a cut-off, slack included, at every size on the way.
fn bytes(most: u64) {
    let stand = Stand::new(1);
    let mut held = 0;
    let mut worst: (f64, u64) = (0.0, 0);
    let mut last = 0.0;
    let step = most / 1_000;
    let start = Instant::now();
    for n in 1..=1_000 {
        held += allocation_counter::measure(|| stand.end_others(step)).bytes_current;
        last = held as f64 / (n * step) as f64;
        if n >= 100 && last > worst.0 {
            worst = (last, n * step);
        }
    }
    let each = start.elapsed().as_secs_f64() / most as f64 * 1e9;
    println!(
        "a cut-off: {last:.1} bytes at {most}; at most {:.1}, at {} of them; {each:.0} ns to put in",
        worst.0, worst.1
    );
    let mut slowest = 0.0_f64;
    for _ in 0..5_000 {
        let start = Instant::now();
        stand.end_others(1);
        slowest = slowest.max(start.elapsed().as_secs_f64() * 1e6);
    }
    println!(
        "one cut-off more, published, at {} known: slowest of 5000 {slowest:.0} us",
        stand.cut_offs()
    );
}

/// Nothing but checks, for a profiler to look at.
fn profile() {
    let field = Field::new(1_000, 0);
    let start = Instant::now();
    while start.elapsed().as_secs() < 8 {
        for (_, headers, _) in &field.asked[0] {
            black_box(field.stand.check(headers));
        }
    }
}

fn clocks() -> f64 {
    let stand = Stand::new(1);
    quartiles((0..1_001).map(|_| {
        let start = Instant::now();
        for _ in 0..1_000 {
            black_box(stand.clocks());
        }
        start.elapsed().as_secs_f64() * 1e6
    }))[1]
}

fn quartiles(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values[values.len() * quarter / 4])
}
