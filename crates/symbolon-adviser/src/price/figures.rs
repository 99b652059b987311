//! The figures that the price is computed from, each with the line that it stands in. A test looks for
//! each line in its page, so that the two cannot drift apart.

use serde::Serialize;

/// One figure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// Its name in formulas.
    pub id: &'static str,
    /// Its value.
    pub value: f64,
    /// Of what.
    pub unit: &'static str,
    /// How it is known.
    pub known: Known,
    /// The page that says so, from the root of the tree.
    pub page: &'static str,
    /// The words of the page, as they stand there.
    pub line: &'static str,
}

/// How a figure is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// Measured on the machine that the results name.
    Measured,
    /// A setting of this project.
    Set,
    /// Not measured: an estimate that the formula names as one.
    Estimated,
}

const RESULTS: &str = "bench/RESULTS.md";

const fn measured(id: &'static str, value: f64, unit: &'static str, line: &'static str) -> Figure {
    Figure {
        id,
        value,
        unit,
        known: Known::Measured,
        page: RESULTS,
        line,
    }
}

/// Checking a token that was never seen, with `symbolon-jose`.
pub(super) const VERIFY: Figure = measured(
    "verify_es256",
    50.12,
    "us of a core",
    "| verify ES256 | 49.06 (48.98-49.24) | 50.12 (50.01-50.47) | 53.61",
);

/// The same with the crate jsonwebtoken.
pub(super) const PEER_VERIFY: Figure = measured(
    "jsonwebtoken_verify_es256",
    53.61,
    "us of a core",
    "| verify ES256 | 49.06 (48.98-49.24) | 50.12 (50.01-50.47) | 53.61",
);

/// The same with a shared secret, as the article's examples do.
pub(super) const PEER_VERIFY_SHARED: Figure = measured(
    "jsonwebtoken_verify_hs256",
    3.08,
    "us of a core",
    "| verify HS256 | 0.42 (0.42-0.42) | 0.98 (0.98-0.99) | 3.08",
);

/// Signing an access token.
pub(super) const SIGN: Figure = measured(
    "sign_es256",
    16.01,
    "us of a core",
    "| sign ES256 | 15.55 (15.53-15.59) | 16.01 (15.99-16.09)",
);

/// Reading a key from Redis, caller and server together on two cores.
pub(super) const REDIS_GETS: Figure = measured(
    "redis_get",
    224_515.0,
    "a second on two cores",
    "0.20 of GET, 224,515",
);

/// One look-up of a login in `SQLite`, 64 callers on two cores.
pub(super) const FIND: Figure = measured(
    "sqlite_find",
    9.7,
    "us of two cores",
    "| 64 callers, a look-up, one row a login | 7.3 (5.7-8.0), 7.1 (6.3-7.3) | 9.7 (6.8-10.5)",
);

/// HTTP requests that do nothing, on one core.
pub(super) const HTTP: Figure = measured(
    "http_nothing",
    118_528.0,
    "a second on one core",
    "| quiet, one row a login | 118,528",
);

/// A login and its end, two durable requests, on one core.
pub(super) const PAIRS: Figure = measured(
    "http_pairs",
    23_163.0,
    "a second on one core",
    "| quiet, one row a login | 118,528 (118,332-118,838) | 23,163",
);

/// Durable sign-ins of one `PostgreSQL` on two cores, each in a transaction of its own: refreshes still are, and
/// most writes are refreshes.
pub(super) const POSTGRES: Figure = measured(
    "postgres_writes",
    8_709.0,
    "a second",
    "| sign-ins without the hash, 64 at once | 8,709",
);

/// A login at rest, with its indexes.
pub(super) const LOGIN: Figure = measured(
    "login_at_rest",
    178.0,
    "bytes",
    "On disk a login has 178 bytes",
);

/// From the acknowledgement of an end to the last guard's refusal, with two guards.
pub(super) const NEWS: Figure = measured(
    "end_reaches_guards",
    13.3,
    "ms (p99)",
    "| the last of a round, 50 rounds | 2.8 to 4.4 ms | 6.6 to 13.3 ms",
);

/// A session secret in a request.
pub(super) const SESSION: Figure = measured(
    "session_secret",
    97.0,
    "bytes",
    "| session secret, or refresh token | 97 |",
);

/// An access token in a request.
pub(super) const TOKEN: Figure = measured(
    "access_token",
    630.0,
    "bytes",
    "| access token, ES256, issuer `http://localhost:17911` | 630 |",
);

/// One question about a credential.
pub(super) const QUESTION: Figure = measured(
    "question",
    1_116.0,
    "bytes",
    "question and answer | 1,116 (369 and 747) |",
);

/// One question for the head of the log.
pub(super) const LEASE: Figure = measured(
    "lease",
    592.0,
    "bytes",
    "question and answer | 592 (88 and 504) |",
);

/// Checking a credential that the guard has seen, cut-offs included: from the request's headers to what
/// a handler gets.
pub(super) const SEEN: Figure = measured(
    "seen_before",
    0.374,
    "us of a core",
    "| **0.85** (0.84-0.85) | 374 (372-376) |",
);

/// A verdict that a guard keeps.
pub(super) const KEPT: Figure = Figure {
    id: "kept_verdict",
    value: 600.0,
    unit: "bytes",
    known: Known::Set,
    page: "docs/defaults.md",
    line: "10,000 refused | `most_seen` | about 600 bytes each",
};

/// How many verdicts a guard keeps.
pub(super) const KEPT_MOST: Figure = Figure {
    id: "kept_verdicts",
    value: 100_000.0,
    unit: "a guard",
    known: Known::Set,
    page: "docs/defaults.md",
    line: "| credentials remembered | 100,000 seen",
};

/// A cut-off that a guard remembers.
pub(super) const CUT_OFF: Figure = Figure {
    id: "cut_off",
    value: 40.0,
    unit: "bytes",
    known: Known::Set,
    page: "docs/scale.md",
    line: "entries of 40 bytes at most",
};

/// For how long.
pub(super) const CUT_OFF_KEPT: Figure = Figure {
    id: "cut_off_kept",
    value: 3_900.0,
    unit: "s",
    known: Known::Set,
    page: "docs/defaults.md",
    line: "| remembers a cut-off | 65 min |",
};

/// How often a guard asks for the head of the log.
pub(super) const LEASES: Figure = Figure {
    id: "leases",
    value: 4.0,
    unit: "a second and guard",
    known: Known::Set,
    page: "docs/scale.md",
    line: "| following | 4 questions a second for each guard process",
};

/// When an access token is renewed.
pub(super) const RENEWED: Figure = Figure {
    id: "renewed_at",
    value: 0.9,
    unit: "of its life",
    known: Known::Set,
    page: "docs/scale.md",
    line: "nine tenths of an access token's 5 minutes",
};

/// All of them.
pub const FIGURES: [Figure; 22] = [
    VERIFY,
    PEER_VERIFY,
    PEER_VERIFY_SHARED,
    SIGN,
    REDIS_GETS,
    FIND,
    HTTP,
    PAIRS,
    POSTGRES,
    LOGIN,
    NEWS,
    SESSION,
    TOKEN,
    QUESTION,
    LEASE,
    SEEN,
    KEPT,
    KEPT_MOST,
    CUT_OFF,
    CUT_OFF_KEPT,
    LEASES,
    RENEWED,
];
