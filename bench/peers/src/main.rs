//! What checking and making one token costs here and in the libraries that others use: all rows of a
//! table take turns on the same keys and claims, so that a noisy neighbour slows all of them alike.

#[expect(dead_code, reason = "shared with benches that make their own keys")]
#[path = "../../../crates/symbolon-jose/benches/task/mod.rs"]
mod task;

mod child;
mod simple;

use std::time::Instant;

use child::Peer;
use serde_json::json;
use symbolon_jose::{Algorithm, SigningKey};
use task::Work;

const ALGORITHMS: [Algorithm; 4] = [
    Algorithm::Hs256,
    Algorithm::Rs256,
    Algorithm::Es256,
    Algorithm::Ed25519,
];

const ROUNDS: usize = 101;

/// Seconds of a turn.
const TURN: f64 = 2e-3;

/// A row of the table.
enum Row {
    Here(Work),
    /// The place of the process, and the library in it.
    There(usize, String),
}

fn main() {
    let here = env!("CARGO_MANIFEST_DIR");
    let python = std::env::var("PEERS_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut peers = [
        Peer::start("node", &format!("{here}/node/turns.mjs")),
        Peer::start(&python, &format!("{here}/python/turns.py")),
    ];
    println!("| work | library | us (middle half) | ours is so many times faster (middle half) |");
    println!("| --- | --- | --- | --- |");
    let mut slower = 0;
    for work in ["verify", "sign"] {
        for algorithm in ALGORITHMS {
            slower += table(work, algorithm, &mut peers);
        }
    }
    println!("\nrows in which another library is faster: {slower}");
    std::process::exit(i32::from(slower > 0));
}

/// Prints the rows of one kind of work; how many libraries are faster than ours.
fn table(work: &str, algorithm: Algorithm, peers: &mut [Peer]) -> usize {
    let key = task::key(algorithm);
    let token: &'static str = task::token(&key).leak();
    let verifying = work == "verify";
    let mut rows: Vec<(String, Row)> = if verifying {
        task::verifying_with(&key, token)
    } else {
        task::signing(algorithm)
    }
    .into_iter()
    .map(|(name, work)| (name.to_owned(), Row::Here(work)))
    .collect();
    let simple = if verifying {
        simple::verifying(&key, token)
    } else {
        simple::signing(&key, task::token(&task::key(Algorithm::Hs256)).leak())
    };
    rows.push(("jwt-simple".to_owned(), Row::Here(simple)));
    let request = json!({
        "do": work,
        "alg": algorithm.name(),
        "token": token,
        "public": public(&key),
        "private": private(&key),
        "issuer": task::ISSUER,
        "audience": task::AUDIENCE,
    });
    for (at, peer) in peers.iter_mut().enumerate() {
        for library in peer.prepare(&request) {
            rows.push((library.clone(), Row::There(at, library)));
        }
    }

    let counts: Vec<u32> = rows
        .iter()
        .map(|(_, row)| {
            turn(row, 300, peers); // Warm: what compiles while it runs has compiled.
            let once = turn(row, 50, peers).max(1e-8);
            (TURN / once).ceil().max(1.0) as u32
        })
        .collect();
    let rounds: Vec<Vec<f64>> = (0..ROUNDS)
        .map(|_| {
            rows.iter()
                .zip(&counts)
                .map(|((_, row), count)| turn(row, *count, peers))
                .collect()
        })
        .collect();
    let ours = rows
        .iter()
        .position(|(name, _)| name == "symbolon-jose")
        .unwrap();
    let mut slower = 0;
    for (at, (name, _)) in rows.iter().enumerate() {
        let [low, middle, high] = quartiles(rounds.iter().map(|round| round[at] * 1e6));
        let [least, times, most] = quartiles(rounds.iter().map(|round| round[at] / round[ours]));
        println!(
            "| {work} {algorithm} | {name} | {middle:.2} ({low:.2}-{high:.2}) | {times:.2} ({least:.2}-{most:.2}) |"
        );
        // The bare crypto is the floor, not a rival.
        slower += usize::from(times < 1.0 && name != "aws-lc-rs");
    }
    slower
}

/// PEM, or the secret itself.
fn public(key: &SigningKey) -> String {
    let pem = key.verifying_key().unwrap().to_pem();
    pem.unwrap_or_else(|_| String::from_utf8(task::SECRET.to_vec()).unwrap())
}

fn private(key: &SigningKey) -> String {
    match key.dangerous_to_pem() {
        Ok(pem) => pem.as_str().to_owned(),
        Err(_) => public(key),
    }
}

fn turn(row: &Row, count: u32, peers: &mut [Peer]) -> f64 {
    match row {
        Row::Here(work) => {
            let start = Instant::now();
            for _ in 0..count {
                work();
            }
            start.elapsed().as_secs_f64() / f64::from(count)
        }
        Row::There(at, library) => peers[*at].turn(library, count),
    }
}

fn quartiles(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values[values.len() * quarter / 4])
}
