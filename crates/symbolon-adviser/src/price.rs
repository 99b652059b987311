//! What each option costs under a given load, from figures measured on this project, with the formula of each
//! number. Arithmetic, not a benchmark: it says which term is large, and what it hangs on.

mod amount;
mod figures;
mod load;

pub use amount::{Amount, human};
pub use figures::{FIGURES, Figure, Known};
pub use load::{Assumption, Load};

use amount::{Amount as A, Term, term};
use figures as f;
use serde::Serialize;

use crate::{
    dials::{Freshness, Shape},
    facts::Facts,
    verdict::Verdict,
    words::{Lang, Text},
};

/// The token of the article's examples lasts half an hour (its section 2).
const CLASSIC_TOKEN_SECONDS: f64 = 1_800.0;

/// Machines and cells are filled to two thirds, as `docs/scale.md` does.
const FILLED: f64 = 2.0 / 3.0;

/// A machine has two cores here, as the one that was measured.
const CORES: f64 = 2.0;

/// One way to do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// A session in a store that is asked for each request.
    ClassicSession,
    /// A token that is good until it expires, checked by a plain library.
    ClassicJwt,
    /// Ours.
    Ours(Shape, Freshness),
}

/// What one option costs.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Its name in files: `classic_session`, `jwt_within_10s`, ...
    pub id: String,
    /// Whether it is what the verdict says.
    pub chosen: bool,
    /// Reads of the store, a second.
    pub store_reads: Amount,
    /// Durable writes, a second: refreshes, sign-ins, ends.
    pub store_writes: Amount,
    /// Questions over the network about credentials, a second: to the store (classic) or to the authority (ours).
    pub questions: Amount,
    /// Access tokens signed, a second.
    pub tokens: Amount,
    /// Cores for checking, asking, answering, signing; the password hash at sign-in is the same for all and left out.
    pub cores: Amount,
    /// Bytes at rest and in guards.
    pub memory: Amount,
    /// Bytes a second between the app, the authority and the store.
    pub network: Amount,
    /// Bytes of the credential in each request.
    pub bytes_per_request: Amount,
    /// Seconds in which an ended login still works while the network is well.
    pub window_usual_seconds: f64,
    /// The same at worst.
    pub window_worst_seconds: f64,
    /// Machines of two cores for it, two thirds full.
    pub machines: u64,
    /// `PostgreSQL` servers for its writes, two thirds full; more than one: cells.
    pub cells: u64,
    /// What it is.
    #[serde(skip)]
    pub choice: Choice,
}

/// What all options cost.
#[derive(Clone, Debug, Serialize)]
pub struct Price {
    /// The load that it was computed for.
    pub load: Load,
    /// One row for each option: the two classics first.
    pub options: Vec<Row>,
    /// The figures that the formulas use.
    pub figures: &'static [Figure],
}

impl Choice {
    /// Its name in files.
    pub fn id(self) -> String {
        match self {
            Self::ClassicSession => "classic_session".to_owned(),
            Self::ClassicJwt => "classic_jwt".to_owned(),
            Self::Ours(shape, Freshness::Within(seconds)) => format!("{shape}_within_{seconds}s"),
            Self::Ours(shape, freshness) => format!("{shape}_{freshness}"),
        }
    }

    /// Its name for people.
    pub fn name(self, lang: Lang) -> String {
        let text = |en, ko| Text { en, ko }.of(lang).to_owned();
        match self {
            Self::ClassicSession => text(
                "classic session, store asked each time",
                "고전적 세션, 요청마다 저장소 조회",
            ),
            Self::ClassicJwt => text(
                "classic JWT, good until it expires",
                "고전적 JWT, 만료될 때까지 유효",
            ),
            Self::Ours(shape, freshness) => format!("{shape}, {freshness}"),
        }
    }
}

/// What all options cost for what is known, and for the verdict's bound and token life.
pub fn price(facts: &Facts, verdict: &Verdict) -> Price {
    let load = Load::of(facts, verdict);
    let within = match verdict.freshness {
        Freshness::Within(seconds) => seconds,
        Freshness::Live | Freshness::UntilExpiry => 10,
    };
    let mut choices = vec![Choice::ClassicSession, Choice::ClassicJwt];
    for shape in [Shape::Session, Shape::Jwt] {
        for freshness in [
            Freshness::Live,
            Freshness::Within(within),
            Freshness::UntilExpiry,
        ] {
            choices.push(Choice::Ours(shape, freshness));
        }
    }
    let said = Choice::Ours(verdict.shape, verdict.freshness);
    let options = choices
        .into_iter()
        .map(|choice| row(choice, choice == said, &load))
        .collect();
    Price {
        load,
        options,
        figures: &FIGURES,
    }
}

/// What one option costs under this load.
pub(crate) fn row(choice: Choice, chosen: bool, load: &Load) -> Row {
    let asked = asked(choice, load);
    let tokens = tokens(choice, load);
    let store_writes = A::sum(
        "a second",
        &[
            term(&[("tokens/s", tokens.value)]),
            term(&[
                ("sign-ins and ends a day", 2.0 * load.sign_outs_per_day),
                ("a second", 1.0 / 86_400.0),
            ]),
        ],
    );
    let cores = cores(choice, load, asked.value, tokens.value);
    let (usual, worst) = window(choice, load);
    Row {
        id: choice.id(),
        chosen,
        store_reads: A::sum(
            "a second",
            &[
                term(&[("questions/s", asked.value)]),
                term(&[("tokens/s", tokens.value)]),
            ],
        ),
        questions: A::sum(
            "a second",
            &[
                term(&[("about credentials/s", asked.value)]),
                term(&[("tokens/s", tokens.value)]),
            ],
        ),
        memory: memory(choice, load),
        network: network(choice, load, asked.value, tokens.value),
        bytes_per_request: A::figure(match choice {
            Choice::ClassicSession | Choice::Ours(Shape::Session, _) => f::SESSION,
            Choice::ClassicJwt | Choice::Ours(Shape::Jwt, _) => f::TOKEN,
        }),
        window_usual_seconds: usual,
        window_worst_seconds: worst,
        machines: whole(cores.value / (CORES * FILLED)),
        cells: whole(store_writes.value / (f::POSTGRES.value * FILLED)),
        store_writes,
        tokens,
        cores,
        choice,
    }
}

/// Questions about credentials, a second.
fn asked(choice: Choice, load: &Load) -> Amount {
    let requests = A::sum(
        "a second",
        &[term(&[("requests/s", load.requests_per_second)])],
    );
    match choice {
        Choice::ClassicSession | Choice::Ours(_, Freshness::Live) => requests,
        Choice::Ours(Shape::Session, _) => load.misses(),
        Choice::ClassicJwt | Choice::Ours(Shape::Jwt, _) => A::sum("a second", &[]),
    }
}

fn tokens(choice: Choice, load: &Load) -> Amount {
    let life = match choice {
        Choice::ClassicSession | Choice::Ours(Shape::Session, _) => return A::sum("a second", &[]),
        Choice::ClassicJwt => CLASSIC_TOKEN_SECONDS,
        Choice::Ours(Shape::Jwt, _) => load.token_seconds,
    };
    A::sum(
        "a second",
        &[term(&[
            ("logins in use", load.logins_in_use),
            ("1/renewed_at", 1.0 / f::RENEWED.value),
            ("1/token life", 1.0 / life),
        ])],
    )
}

/// Seconds of a core to ask the authority over HTTP (both ends) and to look the login up.
fn question_cost() -> f64 {
    2.0 / f::HTTP.value + 2.0 * f::FIND.value / 1e6
}

/// Seconds of a core to sign a token and to answer one durable request.
fn token_cost() -> f64 {
    f::SIGN.value / 1e6 + 0.5 / f::PAIRS.value
}

fn cores(choice: Choice, load: &Load, asked: f64, tokens: f64) -> Amount {
    let requests = load.requests_per_second;
    let us = 1e-6;
    let questions: Term = term(&[
        ("questions/s", asked),
        ("(2/http_nothing + 2*sqlite_find) s", question_cost()),
    ]);
    let issued: Term = term(&[
        ("tokens/s", tokens),
        ("(sign_es256 + 1/(2*http_pairs)) s", token_cost()),
    ]);
    let seen: Term = term(&[
        ("requests/s", requests),
        ("seen_before (estimated) s", f::SEEN.value * us),
    ]);
    match choice {
        Choice::ClassicSession => A::sum(
            "cores",
            &[term(&[
                ("requests/s", requests),
                ("2/redis_get s", CORES / f::REDIS_GETS.value),
            ])],
        ),
        Choice::ClassicJwt => {
            let verify = if load.shared_secret {
                (
                    "jsonwebtoken_verify_hs256 s",
                    f::PEER_VERIFY_SHARED.value * us,
                )
            } else {
                ("jsonwebtoken_verify_es256 s", f::PEER_VERIFY.value * us)
            };
            A::sum(
                "cores",
                &[term(&[("requests/s", requests), verify]), issued],
            )
        }
        Choice::Ours(Shape::Session, Freshness::Live) => A::sum("cores", &[questions]),
        Choice::Ours(Shape::Session, _) => A::sum("cores", &[seen, questions]),
        Choice::Ours(Shape::Jwt, Freshness::Live) => A::sum("cores", &[seen, questions, issued]),
        Choice::Ours(Shape::Jwt, _) => {
            let verified = term(&[
                ("not seen before/s", load.misses().value),
                ("verify_es256 s", f::VERIFY.value * us),
            ]);
            A::sum("cores", &[seen, verified, issued])
        }
    }
}

fn memory(choice: Choice, load: &Load) -> Amount {
    let at_rest = term(&[("logins", load.logins), ("login_at_rest", f::LOGIN.value)]);
    let Choice::Ours(_, freshness) = choice else {
        return A::sum("bytes", &[at_rest]);
    };
    let kept = if freshness == Freshness::Live {
        0.0
    } else {
        load.logins_in_use.min(f::KEPT_MOST.value)
    };
    A::sum(
        "bytes",
        &[
            at_rest,
            term(&[
                ("guards", load.guards),
                ("verdicts kept", kept),
                ("kept_verdict", f::KEPT.value),
            ]),
            term(&[
                ("guards", load.guards),
                ("ends/s", load.sign_outs_per_day / 86_400.0),
                ("cut_off_kept s", f::CUT_OFF_KEPT.value),
                ("cut_off", f::CUT_OFF.value),
            ]),
        ],
    )
}

fn network(choice: Choice, load: &Load, asked: f64, tokens: f64) -> Amount {
    let refreshed = term(&[("tokens/s", tokens), ("question", f::QUESTION.value)]);
    match choice {
        Choice::ClassicSession => A::sum(
            "bytes a second",
            &[term(&[
                ("questions/s", asked),
                (
                    "session_secret + login_at_rest",
                    f::SESSION.value + f::LOGIN.value,
                ),
            ])],
        ),
        Choice::ClassicJwt => A::sum("bytes a second", &[refreshed]),
        Choice::Ours(..) => A::sum(
            "bytes a second",
            &[
                term(&[("questions/s", asked), ("question", f::QUESTION.value)]),
                refreshed,
                term(&[
                    ("guards", load.guards),
                    ("leases", f::LEASES.value),
                    ("lease", f::LEASE.value),
                ]),
            ],
        ),
    }
}

/// Seconds in which an ended login still works: usually, and at worst.
fn window(choice: Choice, load: &Load) -> (f64, f64) {
    let news = f::NEWS.value / 1e3;
    match choice {
        Choice::ClassicSession | Choice::Ours(_, Freshness::Live) => (0.0, 0.0),
        Choice::ClassicJwt => (CLASSIC_TOKEN_SECONDS, CLASSIC_TOKEN_SECONDS),
        #[expect(clippy::cast_precision_loss, reason = "seconds of days")]
        Choice::Ours(_, Freshness::Within(seconds)) => (news, seconds as f64),
        Choice::Ours(_, Freshness::UntilExpiry) if load.unheard => {
            (load.token_seconds, load.token_seconds)
        }
        Choice::Ours(_, Freshness::UntilExpiry) => (news, load.token_seconds),
    }
}

/// So many whole ones, at least one.
fn whole(share: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rounded up and at least one; beyond u64 it stays at its end"
    )]
    let count = share.ceil().max(1.0) as u64;
    count
}
