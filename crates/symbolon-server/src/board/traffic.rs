//! What an app's guards say they checked, as requests a second over about the last minute.
//!
//! Each guard sends two counters that only grow. Only differences count: what was checked before this process
//! heard of a guard is not in it. What a guard cannot have checked is not believed, and neither makes its
//! figure larger than a process can be busy, nor touches another app's.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// How far back the figure looks.
const WINDOW: Duration = Duration::from_secs(60);
/// Between two of the reports that are kept.
const STEP: Duration = Duration::from_secs(5);
/// Over less time than this there is no figure yet.
const SHORTEST: Duration = Duration::from_secs(1);
/// A check takes a process about a microsecond of a core: more than this is no count.
const MOST_PER_SECOND: u64 = 10_000_000;

/// What a guard has checked since it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Checked {
    /// Requests that showed a credential.
    pub(crate) checked: u64,
    /// Those of them that showed it in a cookie.
    pub(crate) cookies: u64,
}

/// What is known of an app's traffic here.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Traffic {
    /// Its guards that were heard of lately.
    pub(crate) guards: u64,
    /// Those of them whose counts are in the figures.
    pub(crate) counted: u64,
    /// Requests a second with a credential; none where no guard counts.
    pub(crate) requests_per_second: Option<f64>,
    /// Which share of them showed it in a cookie; none without requests.
    pub(crate) cookie_share: Option<f64>,
}

/// The latest reports of one guard. Bounded by time: one in [`STEP`], and the last.
#[derive(Default)]
pub(super) struct Reports {
    kept: VecDeque<(Instant, Checked)>,
    last: Option<(Instant, Checked)>,
}

/// What one guard checked, a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rate {
    requests: f64,
    cookies: f64,
}

impl Reports {
    /// A guard says what it has checked. A counter that went back, or leapt, is another counter: from here on
    /// it is counted anew.
    pub(super) fn heard(&mut self, checked: Checked, now: Instant) {
        if self.last.is_some_and(|last| !follows(last, (now, checked)))
            || checked.cookies > checked.checked
        {
            self.forget();
        }
        if checked.cookies > checked.checked {
            return;
        }
        self.last = Some((now, checked));
        let is_due = |at: Instant| now.saturating_duration_since(at) >= STEP;
        if self.kept.back().is_none_or(|(at, _)| is_due(*at)) {
            self.kept.push_back((now, checked));
        }
        // One beyond the window stays: the figure is about a whole one.
        let is_old = |at: Instant| now.saturating_duration_since(at) >= WINDOW;
        while self.kept.get(1).is_some_and(|(at, _)| is_old(*at)) {
            self.kept.pop_front();
        }
    }

    /// What was heard is of another life of the guard.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// What it checked a second; none where it does not count, or not long enough yet.
    pub(super) fn rate(&self) -> Option<Rate> {
        let (since, first) = *self.kept.front()?;
        let (until, last) = self.last?;
        let span = until.saturating_duration_since(since);
        let a_second = |first: u64, last: u64| {
            #[expect(
                clippy::cast_precision_loss,
                reason = "the sixteenth digit of a rate is nobody's concern"
            )]
            let count = last.saturating_sub(first) as f64;
            count / span.as_secs_f64()
        };
        (span >= SHORTEST).then(|| Rate {
            requests: a_second(first.checked, last.checked),
            cookies: a_second(first.cookies, last.cookies),
        })
    }
}

/// Whether the same counter can have come from `before` to `after`.
fn follows((then, before): (Instant, Checked), (now, after): (Instant, Checked)) -> bool {
    // Reports a moment apart may have been a second on their way.
    let seconds = now.saturating_duration_since(then).as_secs() + 2;
    let most = MOST_PER_SECOND.saturating_mul(seconds);
    let grew = |before: u64, after: u64| after.checked_sub(before);
    grew(before.cookies, after.cookies).is_some()
        && grew(before.checked, after.checked).is_some_and(|more| more <= most)
}

impl Traffic {
    /// The traffic of an app with these guards.
    pub(super) fn of(guards: impl Iterator<Item = Option<Rate>>) -> Self {
        let mut all = Self::default();
        let (mut requests, mut cookies) = (0.0, 0.0);
        for rate in guards {
            all.guards += 1;
            if let Some(rate) = rate {
                all.counted += 1;
                requests += rate.requests;
                cookies += rate.cookies;
            }
        }
        Self {
            requests_per_second: (all.counted > 0).then_some(requests),
            cookie_share: (requests > 0.0).then(|| cookies / requests),
            ..all
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const QUARTER: Duration = Duration::from_millis(250);

    const fn said(checked: u64, cookies: u64) -> Checked {
        Checked { checked, cookies }
    }

    /// A guard that is asked four times a second for so long, and checks so many each time.
    fn steady(
        reports: &mut Reports,
        from: (Instant, u64),
        seconds: u32,
        each: u64,
    ) -> (Instant, u64) {
        let (mut now, mut count) = from;
        for _ in 0..4 * seconds {
            now += QUARTER;
            count += each;
            reports.heard(said(count, 0), now);
        }
        (now, count)
    }

    fn requests(reports: &Reports) -> Option<f64> {
        reports.rate().map(|rate| rate.requests)
    }

    #[test]
    fn what_was_checked_before_the_guard_was_heard_of_does_not_count() {
        let (mut reports, start) = (Reports::default(), Instant::now());
        reports.heard(said(1_000_000, 0), start);
        assert_eq!(
            requests(&reports),
            None,
            "one report says nothing of a rate"
        );
        steady(&mut reports, (start, 1_000_000), 10, 5);
        assert_eq!(requests(&reports), Some(20.0));
    }

    #[test]
    fn the_figure_is_of_the_last_minute() {
        let (mut reports, start) = (Reports::default(), Instant::now());
        reports.heard(said(0, 0), start);
        let busy = steady(&mut reports, (start, 0), 300, 250);
        assert_eq!(requests(&reports), Some(1_000.0));
        let quiet = steady(&mut reports, busy, 30, 0);
        let half = requests(&reports).unwrap();
        assert!((450.0..=550.0).contains(&half), "{half}");
        steady(&mut reports, quiet, 40, 0);
        assert_eq!(requests(&reports), Some(0.0));
        // However long it goes on.
        assert!(reports.kept.len() <= 14, "{}", reports.kept.len());
    }

    #[test]
    fn a_counter_that_goes_back_is_counted_anew() {
        let (mut reports, start) = (Reports::default(), Instant::now());
        reports.heard(said(0, 0), start);
        let (now, _) = steady(&mut reports, (start, 0), 30, 100);
        reports.heard(said(7, 0), now + QUARTER);
        assert_eq!(requests(&reports), None);
        steady(&mut reports, (now + QUARTER, 7), 10, 1);
        assert_eq!(requests(&reports), Some(4.0));
        // The one counter alone is enough.
        reports.heard(said(50_000, 9), now + 80 * QUARTER);
        reports.heard(said(50_001, 8), now + 90 * QUARTER);
        assert_eq!(reports.rate(), None);
    }

    #[test]
    fn a_count_that_no_process_reaches_is_not_believed() {
        let start = Instant::now();
        for (first, leap) in [
            (said(0, 0), said(u64::MAX, u64::MAX)),
            (said(0, 0), said(30 * MOST_PER_SECOND, 0)),
            (said(10, 5), said(11, 12)),
        ] {
            let mut reports = Reports::default();
            reports.heard(first, start);
            reports.heard(first, start + 8 * QUARTER);
            reports.heard(leap, start + 12 * QUARTER);
            assert_eq!(reports.rate(), None, "{leap:?}");
        }
        // Whatever is sent, a guard stays below what a process can do.
        let (mut reports, mut now, mut count) = (Reports::default(), start, 0_u64);
        for _ in 0..1_000 {
            now += Duration::from_secs(1);
            count = count.saturating_add(2 * MOST_PER_SECOND);
            reports.heard(said(count, count), now);
        }
        let most = requests(&reports).unwrap();
        assert!(most <= 3e7, "{most}");
    }

    #[test]
    fn the_guards_of_an_app_add_up() {
        let rate = |requests, cookies| Some(Rate { requests, cookies });
        let all = Traffic::of([rate(30.0, 30.0), None, rate(10.0, 0.0)].into_iter());
        assert_eq!((all.guards, all.counted), (3, 2));
        assert_eq!(all.requests_per_second, Some(40.0));
        assert_eq!(all.cookie_share, Some(0.75));
        // Guards that do not count are no silence.
        let old = Traffic::of([None].into_iter());
        assert_eq!((old.guards, old.requests_per_second), (1, None));
        let idle = Traffic::of([rate(0.0, 0.0)].into_iter());
        assert_eq!(
            (idle.requests_per_second, idle.cookie_share),
            (Some(0.0), None)
        );
    }
}
