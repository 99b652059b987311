//! What checking and making a token costs beside the bare crypto and the crate `jsonwebtoken`.
//!
//! `cargo bench -p symbolon-jose --bench verify`: first criterion's times, then the ratios, for
//! which the rows take turns every fraction of a millisecond, so that a noisy neighbour slows all
//! of them alike. `-- --ratios` gives the ratios alone.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench: it prints its results and measures time"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::Criterion;
use symbolon_jose::{Algorithm, Error, Expect, KeySet, MAX_TOKEN_BYTES, Unverified};

mod task;

use task::Work;

/// The four algorithms that both crates know.
const ALGORITHMS: [Algorithm; 4] = [
    Algorithm::Hs256,
    Algorithm::Rs256,
    Algorithm::Es256,
    Algorithm::Ed25519,
];

/// The promise: ours to bare, ours to `jsonwebtoken`.
fn budget(algorithm: Algorithm, verifying: bool) -> (f64, Option<f64>) {
    match (algorithm, verifying) {
        (Algorithm::Hs256, true) => (2.5, Some(0.4)),
        _ => (1.05, None),
    }
}

fn main() {
    if !std::env::args().any(|argument| argument == "--ratios") {
        let mut criterion = Criterion::default()
            .configure_from_args()
            .warm_up_time(Duration::from_millis(300))
            .measurement_time(Duration::from_secs(2))
            .sample_size(50);
        for algorithm in ALGORITHMS {
            times(
                &mut criterion,
                &format!("verify {algorithm}"),
                &task::verifying(algorithm),
            );
            times(
                &mut criterion,
                &format!("sign {algorithm}"),
                &task::signing(algorithm),
            );
        }
        criterion.final_summary();
    }
    println!(
        "\n| work | bare us (spread) | ours us | jsonwebtoken us | ours / bare | budget | ours / jsonwebtoken | budget |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for verifying in [true, false] {
        for algorithm in ALGORITHMS {
            let rows = if verifying {
                task::verifying(algorithm)
            } else {
                task::signing(algorithm)
            };
            let name = if verifying { "verify" } else { "sign" };
            println!(
                "| {name} {algorithm} {}",
                ratios(&rows, budget(algorithm, verifying))
            );
        }
    }
    println!("\n| refusing | us (middle half) | / forged signature |");
    println!("| --- | --- | --- |");
    refusals(&refusing());
}

/// What a stranger may send, to be compared with a short token that has a forged signature.
fn refusing() -> Vec<(&'static str, Work)> {
    let key = task::key(Algorithm::Es256);
    let keys = KeySet::new([key.verifying_key().unwrap()]).unwrap();
    let good = task::token(&key);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    let forged: String = signature
        .chars()
        .rev()
        .skip(2)
        .chain("AA".chars())
        .collect();
    // Nearly 16 KiB with the rest of the token.
    let deep = "W1tb".repeat(3_900);
    [
        ("forged signature", format!("{signed}.{forged}")),
        ("four characters", "AAAA".to_owned()),
        ("1 MiB", "A".repeat(1 << 20)),
        ("a million dots", ".".repeat(1_000_000)),
        ("16 KiB of dots", ".".repeat(MAX_TOKEN_BYTES)),
        (
            "12 KiB of deep JSON as header",
            format!("{deep}.{payload}.{signature}"),
        ),
        (
            "12 KiB of deep JSON as payload, forged",
            format!("{header}.{deep}.{signature}"),
        ),
    ]
    .into_iter()
    .map(|(name, text)| {
        let keys = keys.clone();
        let work: Work = Box::new(move || {
            let expect = Expect::new(task::ISSUER, task::AUDIENCE, 0, 0);
            let refused = match Unverified::parse(black_box(&text)) {
                Err(malformed) => Error::from(malformed),
                Ok(token) => token
                    .verify::<task::EightClaims>(&keys, &expect)
                    .map(drop)
                    .unwrap_err(),
            };
            black_box(refused);
        });
        (name, work)
    })
    .collect()
}

fn refusals(rows: &[(&str, Work)]) {
    let counts: Vec<u32> = rows.iter().map(|(_, work)| repetitions(work)).collect();
    let rounds: Vec<Vec<f64>> = (0..ROUNDS / 5)
        .map(|_| {
            let turns = rows.iter().zip(&counts);
            turns.map(|((_, work), count)| turn(work, *count)).collect()
        })
        .collect();
    for (at, (name, _)) in rows.iter().enumerate() {
        let of = |round: &Vec<f64>| *round.get(at).unwrap();
        let [low, middle, high] = quartiles(rounds.iter().map(of).collect());
        let [_, ratio, _] = quartiles(
            rounds
                .iter()
                .map(|round| of(round) / round.first().unwrap())
                .collect(),
        );
        println!(
            "| {name} | {:.3} ({:.3}-{:.3}) | {ratio:.3} |",
            middle * 1e6,
            low * 1e6,
            high * 1e6
        );
    }
}

fn times(criterion: &mut Criterion, name: &str, rows: &[(&str, Work)]) {
    let mut group = criterion.benchmark_group(name);
    for (row, work) in rows {
        group.bench_function(*row, |bencher| bencher.iter(work));
    }
    group.finish();
}

const ROUNDS: usize = 1_001;

/// One line of the table: medians of all rounds, and of the ratios within each round.
fn ratios(rows: &[(&str, Work); 3], (to_bare, to_peer): (f64, Option<f64>)) -> String {
    let counts = rows.each_ref().map(|(_, work)| repetitions(work));
    let rounds: Vec<[f64; 3]> = (0..ROUNDS)
        .map(|_| {
            let mut round = [0.0; 3];
            for ((took, (_, work)), count) in round.iter_mut().zip(rows).zip(counts) {
                *took = turn(work, count);
            }
            round
        })
        .collect();
    let column = |of: fn(&[f64; 3]) -> f64| quartiles(rounds.iter().map(of).collect());
    let micros = |[low, middle, high]: [f64; 3]| {
        format!("{:.2} ({:.2}-{:.2})", middle * 1e6, low * 1e6, high * 1e6)
    };
    let ratio = |[low, middle, high]: [f64; 3]| format!("**{middle:.3}** ({low:.3}-{high:.3})");
    let limit = |limit: f64, [_, middle, _]: [f64; 3]| {
        format!(
            "{limit} {}",
            if middle <= limit { "kept" } else { "MISSED" }
        )
    };
    let bare = column(|[bare, ours, _]| ours / bare);
    let peer = column(|[_, ours, peer]| ours / peer);
    format!(
        "| {} | {} | {} | {} | {} | {} | {} |",
        micros(column(|[bare, ..]| *bare)),
        micros(column(|[_, ours, _]| *ours)),
        micros(column(|[.., peer]| *peer)),
        ratio(bare),
        limit(to_bare, bare),
        ratio(peer),
        // Without a number of its own the promise is: faster.
        limit(to_peer.unwrap_or(1.0), peer),
    )
}

fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| *values.get(values.len() * quarter / 4).unwrap())
}

/// As many repetitions as make a turn of at least 300 us, far above the clock's grain.
fn repetitions(work: &Work) -> u32 {
    let once = turn(work, 50).max(1e-8);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "small and positive"
    )]
    let repetitions = (3e-4 / once).ceil() as u32;
    repetitions
}

/// Seconds that one call takes, on average over a turn.
fn turn(work: &Work, count: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..count {
        work();
    }
    start.elapsed().as_secs_f64() / f64::from(count)
}
