//! kill -9 at random moments under load, again and again: nothing acknowledged is lost, nothing that
//! ended comes back, and the file opens each time.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::town::{PASSWORD, Town, text};

/// People whose logins are worked on at once; each login has one owner at a time, so that what was
/// acknowledged about it has an order.
const WORKERS: usize = 8;

/// What the authority acknowledged about one login. What it did not answer may be either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Alive,
    /// Its end was asked for and not answered.
    MayHaveEnded,
    Ended,
}

#[derive(Clone)]
struct Held {
    access: String,
    /// The newest secret of its line that was acknowledged.
    refresh: String,
    known: Known,
}

type Book = Arc<Mutex<HashMap<String, Held>>>;

/// How many rounds: some, or as `SYMBOLON_KILL_ROUNDS` says.
fn rounds() -> u32 {
    let asked = std::env::var("SYMBOLON_KILL_ROUNDS").ok();
    asked.map_or(12, |rounds| rounds.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn whenever_it_is_killed_what_was_acknowledged_stays() {
    // Alice collects logins: none of them may give way to a newer one.
    let mut town = Town::on(vec![("SYMBOLON_MAX_LOGINS", "1000000".to_owned())]).await;
    let redirect = "http://localhost:1/callback";
    let secret = town.register_app("api", "jwt", "within(10s)", redirect);
    let app = ("api".to_owned(), secret);
    let book = Book::default();
    let (mut chance, began) = (Chance(0x5eed), Instant::now());
    let (mut ended_in_all, mut refreshed_in_all) = (0, 0);
    for round in 0..rounds() {
        let stop = Arc::new(AtomicBool::new(false));
        // Signed in before the time runs: hashing passwords would be most of a round.
        let mut ready = JoinSet::new();
        for _ in 0..WORKERS {
            let worker = Worker {
                http: town.http.clone(),
                url: town.url.clone(),
                app: app.clone(),
                book: Arc::clone(&book),
                stop: Arc::clone(&stop),
                chance: Chance(chance.next()),
            };
            ready.spawn(async move {
                let login = worker.sign_in().await;
                (worker, login.expect("the authority is there"))
            });
        }
        let mut workers = JoinSet::new();
        for (worker, login) in ready.join_all().await {
            workers.spawn(worker.work(login));
        }
        tokio::time::sleep(Duration::from_millis(20 + chance.below(180))).await;
        town.kill();
        stop.store(true, Ordering::SeqCst);
        for (ended, refreshed) in workers.join_all().await {
            ended_in_all += ended;
            refreshed_in_all += refreshed;
        }
        town.start().await;
        check(&town, &app, &book, round).await;
    }
    println!(
        "{} rounds in {:.0} s: {ended_in_all} ends and {refreshed_in_all} refreshes acknowledged, none lost",
        rounds(),
        began.elapsed().as_secs_f64()
    );
    assert!(ended_in_all >= u64::from(rounds()), "hardly any load");
    assert!(refreshed_in_all >= u64::from(rounds()), "hardly any load");
}

struct Worker {
    http: Client,
    url: String,
    app: (String, String),
    book: Book,
    stop: Arc<AtomicBool>,
    chance: Chance,
}

impl Worker {
    /// Refreshes, ends and signs in until the authority is gone. Gives what was acknowledged.
    async fn work(mut self, first: (String, Held)) -> (u64, u64) {
        let (mut ended, mut refreshed) = (0, 0);
        let mut login = Some(first);
        while let Some((sid, mut held)) = login
            && !self.stop.load(Ordering::SeqCst)
        {
            for _ in 0..self.chance.below(6) {
                match refresh(&self.http, &self.url, &self.app, &held.refresh).await {
                    Some((access, refresh)) => (held.access, held.refresh) = (access, refresh),
                    // Not answered: the old secret and its successor are both good for a while.
                    None => break,
                }
                refreshed += 1;
                self.note(&sid, &held);
            }
            if self.chance.below(3) > 0 {
                // Before the question: an end that is not answered may have happened.
                held.known = Known::MayHaveEnded;
                self.note(&sid, &held);
                if self.end(&sid, &held.access).await {
                    held.known = Known::Ended;
                    ended += 1;
                    self.note(&sid, &held);
                }
            }
            login = self.sign_in().await;
        }
        (ended, refreshed)
    }

    fn note(&self, sid: &str, held: &Held) {
        let mut book = self.book.lock().unwrap();
        book.insert(sid.to_owned(), held.clone());
    }

    async fn sign_in(&self) -> Option<(String, Held)> {
        let request =
            json!({ "identifier": "alice", "password": PASSWORD, "client_id": self.app.0 });
        let asked = self.http.post(format!("{}/api/v1/logins", self.url));
        let answer = asked.json(&request).send().await.ok()?;
        if answer.status() != StatusCode::CREATED {
            return None;
        }
        let login: Value = answer.json().await.ok()?;
        let held = Held {
            access: text(&login, "access_token").to_owned(),
            refresh: text(&login, "refresh_token").to_owned(),
            known: Known::Alive,
        };
        let sid = text(&login, "sid").to_owned();
        self.note(&sid, &held);
        Some((sid, held))
    }

    async fn end(&self, sid: &str, access: &str) -> bool {
        let asked = self
            .http
            .delete(format!("{}/api/v1/logins/{sid}", self.url));
        let answer = asked.bearer_auth(access).send().await;
        answer.is_ok_and(|answer| answer.status() == StatusCode::OK)
    }
}

/// A new access token and the successor of the secret. None: refused, or not answered.
async fn refresh(
    http: &Client,
    url: &str,
    app: &(String, String),
    secret: &str,
) -> Option<(String, String)> {
    let form = [("grant_type", "refresh_token"), ("refresh_token", secret)];
    let asked = http.post(format!("{url}/oauth2/token"));
    let asked = asked.basic_auth(&app.0, Some(&app.1)).form(&form);
    let answer = asked.send().await.ok()?;
    if answer.status() != StatusCode::OK {
        return None;
    }
    let answer: Value = answer.json().await.ok()?;
    let member = |name| text(&answer, name).to_owned();
    Some((member("access_token"), member("refresh_token")))
}

/// Holds the authority to what it said, by presenting the newest secret that it acknowledged: the
/// line of a login that lives goes on from there, and an ended one gives nothing.
async fn check(town: &Town, app: &(String, String), book: &Book, round: u32) {
    let noted: Vec<(String, Held)> = {
        let book = book.lock().unwrap();
        let noted = book.iter().map(|(sid, held)| (sid.clone(), held.clone()));
        noted.collect()
    };
    for (sid, mut held) in noted {
        let answer = refresh(&town.http, &town.url, app, &held.refresh).await;
        let alive = answer.is_some();
        match held.known {
            Known::Alive => assert!(alive, "round {round}: login {sid} was lost"),
            Known::Ended => assert!(!alive, "round {round}: the end of {sid} was lost"),
            Known::MayHaveEnded => {}
        }
        match answer {
            Some((access, refresh)) => (held.access, held.refresh) = (access, refresh),
            // Over for certain now: the next rounds see to it that it stays so.
            None => held.known = Known::Ended,
        }
        book.lock().unwrap().insert(sid, held);
    }
    // Some of the old ones go on being asked about.
    let mut kept = 0;
    book.lock().unwrap().retain(|_, _| {
        kept += 1;
        kept <= 40
    });
}

/// Numbers that look random and are the same in each run (splitmix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }
}
