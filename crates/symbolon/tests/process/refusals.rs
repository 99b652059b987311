//! Wrong password, unknown user, disabled user: same status, same text, same cost.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::town::{PASSWORD, Town};

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_alike_in_status_text_and_cost() {
    const ROUNDS: usize = 60;
    let town = Town::new().await;
    let _app = town.start_app("pages", "session", "within(10s)");
    let data = town.data();
    crate::town::run_json(&Town::arguments(&data, &["user", "disable", "bob"]), "");
    let attempts = [
        ("alice", "wrong password"),
        ("nobody", "wrong password"),
        ("bob", PASSWORD),
    ];

    let mut answers: Vec<(u16, String, Value)> = Vec::new();
    let mut times: [Vec<Duration>; 3] = Default::default();
    for round in 0..ROUNDS + 5 {
        // In turn, so that the machine's moods hit all three alike.
        for ((identifier, password), times) in attempts.iter().zip(&mut times) {
            let began = Instant::now();
            let answer = town.try_sign_in(identifier, password, "pages").await;
            let took = began.elapsed();
            if round >= 5 {
                times.push(took);
            }
            let status = answer.status().as_u16();
            let challenge = answer.headers()["www-authenticate"]
                .to_str()
                .unwrap()
                .to_owned();
            answers.push((status, challenge, answer.json().await.unwrap()));
        }
    }
    let first = answers.first().unwrap().clone();
    assert_eq!(first.0, 401);
    assert!(answers.iter().all(|answer| *answer == first), "{first:?}");

    // The same distribution: the middle half of each lies within that of the others.
    let quartiles = times.map(|mut times| {
        times.sort_unstable();
        [ROUNDS / 4, ROUNDS / 2, ROUNDS * 3 / 4].map(|at| times[at].as_secs_f64() * 1_000.0)
    });
    println!("quartiles in ms [wrong password, unknown user, disabled user]: {quartiles:.2?}");
    let medians = quartiles.map(|[_, median, _]| median);
    let (least, most) = (
        medians.into_iter().fold(f64::MAX, f64::min),
        medians.into_iter().fold(0.0, f64::max),
    );
    // One hash costs about 20 ms. A path without it, or with two, differs by a factor of two or more.
    assert!(most < least * 1.25, "medians differ: {medians:.2?} ms");
}
