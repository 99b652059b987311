//! Whole requests to a guard that knows a few sessions and JWTs and nothing else, and to one that has a million
//! cached credentials and knows a million live cut-offs. `run crowd [ROUNDS] [SECONDS OF A TURN]`.
//!
//! Each is asked for one credential again and again, and for any of those that it knows. The floor of a row asks
//! in the same way: what differs then is how many are known, and not whether the credential changes.
//!
//! Both guards are filled from within, follow nobody, and hear of another cut-off every 100 ms, so that whoever
//! was not asked for since has to be looked up among all of them.

use std::{sync::Arc, time::Duration};

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue},
    routing::get,
};
use symbolon_guard::{
    GuardMakeService, Shape,
    internals::{APP, Stand},
};

use crate::{
    Server,
    client::{self, Requests, Turn, turn},
    quartiles, server,
};

/// Cached credentials, every second one a JWT; and live cut-offs.
const MILLION: u64 = 1_000_000;

/// As many as fit into the processor's caches, in the same halves.
const FEW: u64 = 512;

/// Requests of a turn: more than are asked in a second.
const DRAWN: usize = 1 << 17;

const SHAPES: [Shape; 2] = [Shape::Session, Shape::Jwt];

/// Which of those that are known is asked for.
#[derive(Clone, Copy, PartialEq)]
enum Asked {
    One,
    Any,
}

/// A row: what it is called, its server, whose credentials are sent, and the row that is its floor.
type Row = (&'static str, &'static str, Asked, usize);

/// Of each shape. Axum alone is sent any of the million.
const ROWS: [Row; 5] = [
    ("knows 256, asked for one", "few", Asked::One, 0),
    ("knows 256, asked for any", "few", Asked::Any, 0),
    ("knows a million, asked for one", "crowd", Asked::One, 0),
    ("knows a million, asked for any", "crowd", Asked::Any, 1),
    ("axum alone, sent any", "bare", Asked::Any, 1),
];

/// The guard of this kind around the route.
pub async fn app(kind: &str) -> GuardMakeService {
    let (people, cut_offs) = match kind {
        "few" => (FEW, 0),
        _ => (MILLION, MILLION),
    };
    let stand = Stand::new(usize::try_from(people).unwrap());
    for n in 0..people {
        let shape = SHAPES[(n % 2) as usize];
        stand.know(shape, &text(shape, n), n);
    }
    stand.end_others(cut_offs);
    // A few of a million find no room.
    let is_known = |n: &u64| {
        let shape = SHAPES[(*n % 2) as usize];
        let mut headers = HeaderMap::new();
        let header = header(shape, *n);
        let (name, value) = header.split_once(": ").unwrap();
        let name: HeaderName = name.parse().unwrap();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        stand.check(&headers)
    };
    let known: Vec<String> = (0..people)
        .filter(is_known)
        .map(|n| n.to_string())
        .collect();
    let known = known.join(",");
    let app = server::me_for_somebody().route("/known", get(async || known));
    let app = stand.layer().around(app);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            stand.end_others(1);
        }
    });
    app
}

/// The credential of the login `n`: as long as real ones.
fn text(shape: Shape, n: u64) -> String {
    let mut random = Random(n);
    match shape {
        Shape::Session => format!("sym_s_{}", random.text(91)),
        Shape::Jwt => [80, 280, 86].map(|length| random.text(length)).join("."),
    }
}

fn header(shape: Shape, n: u64) -> String {
    let text = text(shape, n);
    match shape {
        Shape::Session => format!("cookie: __Host-{APP}={text}"),
        Shape::Jwt => format!("authorization: Bearer {text}"),
    }
}

/// `SplitMix64`: the same numbers wherever it begins with the same.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn text(&mut self, length: usize) -> String {
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut text = String::with_capacity(length);
        while text.len() < length {
            let mut bits = self.next();
            for _ in 0..10.min(length - text.len()) {
                text.push(char::from(ALPHABET[(bits % 64) as usize]));
                bits /= 64;
            }
        }
        text
    }
}

/// As many requests for one as for any, so that the client does the same.
fn requests(shape: Shape, asked: Asked, who: &[u64], random: &mut Random) -> Requests {
    let request = |n| client::request("/me", &header(shape, n));
    let draw = |_| request(who[(random.next() % who.len() as u64) as usize]);
    let one = request(who[0]);
    let each = one.len();
    let bytes: Vec<u8> = match asked {
        Asked::One => one.repeat(DRAWN),
        Asked::Any => (0..DRAWN).flat_map(draw).collect(),
    };
    Requests {
        bytes: bytes.into(),
        each,
    }
}

pub async fn run(rounds: usize, seconds: f64) {
    let servers = ["few", "crowd", "bare"].map(|kind| (kind, Server::start(kind)));
    let of = |kind: &str| &servers.iter().find(|(known, _)| *known == kind).unwrap().1;
    let mut random = Random(7);
    for (at, shape) in SHAPES.into_iter().enumerate() {
        let mut known = [const { Vec::new() }; 2];
        for (known, kind) in known.iter_mut().zip(["few", "crowd"]) {
            let all = client::body(of(kind).port, "/known").await;
            let all = all.split(',').map(|n| n.parse::<u64>().unwrap());
            known.extend(all.filter(|n| n % 2 == at as u64));
            client::demands(of(kind).port, "/me", &header(shape, known[0]), true).await;
        }
        let [few, crowd] = known;
        println!("{} of {} are known", crowd.len(), MILLION / 2);
        let mut turns: Vec<Vec<Turn>> = Vec::new();
        // The first round is for warming up.
        for _ in 0..=rounds {
            let mut round = Vec::new();
            for (_, kind, asked, _) in ROWS {
                let who = if kind == "few" { &few } else { &crowd };
                let requests = Arc::new(requests(shape, asked, who, &mut random));
                round.push(turn(of(kind), requests, seconds).await);
            }
            turns.push(round);
        }
        turns.remove(0);
        print(shape, &turns);
    }
}

/// Medians, with the middle half of the rounds; and shares of the row's floor in the same round.
fn print(shape: Shape, turns: &[Vec<Turn>]) {
    println!("| {shape} | shares of | requests/s | CPU us | p50 us | p99 us | p99.9 us |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let figures: [fn(&Turn) -> f64; 5] = [
        |turn| turn.per_second,
        |turn| turn.cpu,
        |turn| turn.p50,
        |turn| turn.p99,
        |turn| turn.p999,
    ];
    for (row, (name, .., floor)) in ROWS.iter().enumerate() {
        print!("| {name} | {} |", ROWS[*floor].0);
        for of in figures {
            let [low, middle, high] = quartiles(turns.iter().map(|round| of(&round[row])));
            let shares = turns
                .iter()
                .map(|round| of(&round[row]) / of(&round[*floor]));
            let [least, share, most] = quartiles(shares);
            let digits = if high < 100.0 { 2 } else { 0 };
            print!(
                " {middle:.digits$} ({low:.digits$}-{high:.digits$}), **{share:.3}** ({least:.3}-{most:.3}) |"
            );
        }
        println!();
    }
}
