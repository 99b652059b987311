//! For whoever watches the daemon.

use std::{
    fmt::Write,
    sync::atomic::{AtomicU64, Ordering},
};

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use symbolon_guard::{Freshness, Ground, Guard};

use super::answer::NOT_READY;

/// How often `/check` answered what.
#[derive(Default)]
pub(super) struct Counts([AtomicU64; KINDS.len()]);

/// What `/check` answers; the last stands for what should not happen.
const KINDS: [&str; 7] = ["200", "302", "400", "401", "403", "503", "other"];

impl Counts {
    /// Counts an answer.
    pub(super) fn count(&self, status: StatusCode) {
        let place = match status.as_u16() {
            200 => 0,
            302 => 1,
            400 => 2,
            401 => 3,
            403 => 4,
            503 => 5,
            _ => 6,
        };
        if let Some(count) = self.0.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// `/readyz`: what the guard knows is good for the app's freshness.
pub(super) fn ready(guard: &Guard) -> Response {
    if is_ready(guard) {
        "ready\n".into_response()
    } else {
        NOT_READY.json()
    }
}

fn is_ready(guard: &Guard) -> bool {
    let status = guard.status();
    match guard.freshness() {
        // Nothing that is known is fresh enough: the authority has to be there.
        Freshness::Live => status.connected,
        within => within.ground(status.staleness) == Ground::Local,
    }
}

/// `/metrics`, in the text format of Prometheus.
pub(super) fn metrics(guard: &Guard, counts: &Counts) -> Response {
    let status = guard.status();
    let mut text = String::new();
    let mut gauge = |name: &str, help: &str, value: f64| {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "# HELP symbolon_guard_{name} {help}\n# TYPE symbolon_guard_{name} gauge\nsymbolon_guard_{name} {value}"
        );
    };
    gauge(
        "ready",
        "Whether a yes is possible.",
        f64::from(u8::from(is_ready(guard))),
    );
    gauge(
        "connected",
        "Whether the authority's feed is open.",
        f64::from(u8::from(status.connected)),
    );
    gauge(
        "staleness_seconds",
        "How old the guard's knowledge can be at most; +Inf before the first proof.",
        status
            .staleness
            .map_or(f64::INFINITY, |age| age.as_secs_f64()),
    );
    #[expect(clippy::cast_precision_loss, reason = "a count far below 2^52")]
    gauge(
        "cut_offs",
        "Scopes with a cut-off that the guard knows.",
        status.cut_offs as f64,
    );
    let _ = writeln!(
        text,
        "# HELP symbolon_guard_checks_total Answers of /check by status.\n# TYPE symbolon_guard_checks_total counter"
    );
    for (kind, count) in KINDS.iter().zip(&counts.0) {
        let count = count.load(Ordering::Relaxed);
        let _ = writeln!(
            text,
            "symbolon_guard_checks_total{{status=\"{kind}\"}} {count}"
        );
    }
    let kind = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    (kind, text.replace(" inf\n", " +Inf\n")).into_response()
}
