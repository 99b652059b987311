//! Follows the feed: the stream brings news, the lease says how old the knowledge can be.
//!
//! Two tasks for each guard, and a third that looks after open answers. They end when the last handle of the guard is dropped.

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt, StreamExt};
use symbolon_login::{Change, Head, LogEntry, Position, UnixMillis};
use tokio::{task::AbortHandle, time};

use crate::{
    backoff::Backoff,
    clock::Now,
    core::Core,
    knowledge::{Applied, BadSnapshot},
    lease::Answer,
    nodes::Unavailable,
    open_answers::look_after,
    sse::{BadStream, Event, Parser},
};

/// How often the head is asked for.
const BEAT: Duration = Duration::from_millis(250);

/// How far apart the questions are that follow news at least. Many guards under many cut-offs would
/// otherwise ask for the head as often as there are both.
const AFTER_NEWS: Duration = Duration::from_millis(50);

/// How long the stream may lag behind a head that the lease heard of.
const LAG: Duration = Duration::from_millis(100);

/// How long the stream may be silent. The authority writes a comment every 5 s.
const SILENCE: Duration = Duration::from_secs(12);

/// A stream that lived this long was a good one: the next one is tried at once.
const GOOD: Duration = Duration::from_secs(2);

/// How far apart two clocks that are kept by NTP never are, transport included.
const CLOCKS_AGREE: Duration = Duration::from_secs(5);

/// The tasks of one guard; dropping this ends them.
pub(crate) struct Follower {
    tasks: [AbortHandle; 3],
}

impl Follower {
    /// Starts the tasks on the current tokio runtime.
    pub(crate) fn start(core: &Arc<Core>) -> Self {
        let stream = tokio::spawn(follow(Arc::clone(core)));
        let lease = tokio::spawn(keep_lease(Arc::clone(core)));
        let open = tokio::spawn(look_after(Arc::clone(core)));
        Self {
            tasks: [
                stream.abort_handle(),
                lease.abort_handle(),
                open.abort_handle(),
            ],
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Why a stream ended.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("{0}")]
    Unavailable(#[from] Unavailable),
    #[error("the feed is not what was expected: {0}")]
    BadStream(#[from] BadStream),
    #[error("the snapshot cannot be used: {0}")]
    BadSnapshot(#[from] BadSnapshot),
    #[error("the stream broke off")]
    Ended,
    #[error("the stream was silent for {} s", SILENCE.as_secs())]
    Silent,
    #[error("the stream lags behind the head")]
    Lagging,
    #[error("the log cannot be continued from here")]
    Resync,
}

/// Snapshot, then stream, again and again.
async fn follow(core: Arc<Core>) {
    let mut backoff = Backoff::default();
    let mut needs_snapshot = true;
    loop {
        let started = core.clock.moment();
        // What was said of the stream before is over with it; what was said of the log is not.
        let _ = core.lagging.notified().now_or_never();
        needs_snapshot |= core.resync.notified().now_or_never().is_some();
        let trouble = match turn(&core, needs_snapshot).await {
            Ok(never) => match never {},
            Err(trouble) => trouble,
        };
        core.report(|health| {
            health.connected = false;
            health.trouble = Some(trouble.to_string());
        });
        tracing::info!(reason = %trouble, "the feed is interrupted");
        if matches!(trouble, Trouble::Lagging | Trouble::Silent) {
            core.authority.turn();
        }
        needs_snapshot = match trouble {
            // An entry that could not be read was not applied: a snapshot says it in another way.
            Trouble::Resync | Trouble::BadSnapshot(_) | Trouble::BadStream(_) => true,
            _ => core.knowledge().applied().is_none(),
        };
        if core.clock.moment().since(started) >= GOOD {
            backoff.reset();
        }
        time::sleep(backoff.next(core.clock.chance())).await;
    }
}

enum Never {}

async fn turn(core: &Arc<Core>, needs_snapshot: bool) -> Result<Never, Trouble> {
    let known = core.knowledge().applied();
    let after = match known {
        Some(applied) if !needs_snapshot => applied,
        _ => {
            let snapshot = core.authority.snapshot().await?;
            let now = core.clock.moment();
            core.learn(|knowledge| knowledge.restore(&snapshot, now))?;
            core.open_answers.strike_all(&core.knowledge());
            tracing::debug!(head = %snapshot.head, "snapshot taken");
            core.ask_now.notify_one();
            snapshot.head
        }
    };
    let mut stream = core.authority.stream(after).await?.into_data_stream();
    let (mut parser, mut events) = (Parser::default(), Vec::new());
    loop {
        // In this order each time, so that a simulation can be repeated.
        let chunk = tokio::select! {
            biased;
            () = core.lagging.notified() => return Err(Trouble::Lagging),
            () = core.resync.notified() => return Err(Trouble::Resync),
            chunk = time::timeout(SILENCE, stream.next()) => chunk,
        };
        let chunk = chunk
            .map_err(|_| Trouble::Silent)?
            .ok_or(Trouble::Ended)?
            .map_err(|_| Trouble::Ended)?;
        parser.push(&chunk, &mut events)?;
        take(core, &mut events)?;
    }
}

/// Applies what one chunk brought, then asks for the head: that is the proof that the news
/// is complete, and the authority's notice that this guard has it.
fn take(core: &Core, events: &mut Vec<Event>) -> Result<(), Trouble> {
    let mut applied_some = false;
    for event in events.drain(..) {
        match event.name.as_str() {
            "hello" => hello(core, &event)?,
            "entry" => applied_some |= entry(core, &event)?,
            "reset" => return Err(Trouble::Resync),
            other => tracing::debug!(event = %other.escape_debug(), "an unknown event is skipped"),
        }
    }
    if applied_some {
        core.ask_soon.notify_one();
    }
    Ok(())
}

fn hello(core: &Core, event: &Event) -> Result<(), Trouble> {
    let hello: Head = serde_json::from_str(&event.data).map_err(|_| Trouble::Resync)?;
    let applied = core.knowledge().applied();
    if applied.is_none_or(|applied| hello.head < applied) {
        return Err(Trouble::Resync);
    }
    tracing::debug!(head = %hello.head, "the stream is open");
    core.report(|health| {
        health.connected = true;
        health.trouble = None;
    });
    Ok(())
}

fn entry(core: &Core, event: &Event) -> Result<bool, Trouble> {
    let entry: LogEntry = serde_json::from_str(&event.data).map_err(|_| {
        tracing::warn!(
            "an entry of the feed cannot be read; is this guard older than its authority?"
        );
        Trouble::Resync
    })?;
    if entry.position.to_string() != event.id {
        return Err(Trouble::Resync);
    }
    let now = core.clock.moment();
    match core.learn(|knowledge| knowledge.apply(&entry, now)) {
        Applied::New => {
            if let Change::CutOff { covers } = &entry.change {
                core.open_answers.strike(covers, &core.knowledge());
            }
            tracing::debug!(position = %entry.position, "applied");
            Ok(true)
        }
        Applied::Known => Ok(false),
        Applied::Gap => Err(Trouble::Resync),
    }
}

/// Asks for the head on every beat, soon after news, and at once when told to. One question at a time.
async fn keep_lease(core: Arc<Core>) {
    let mut beat = time::interval(BEAT);
    beat.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    let mut disagrees = false;
    let mut asked_last = time::Instant::now();
    loop {
        // Whichever comes first is the question after the news, too.
        let news = async {
            core.ask_soon.notified().await;
            time::sleep_until(asked_last + AFTER_NEWS).await;
        };
        tokio::select! {
            biased;
            () = core.ask_now.notified() => {}
            () = news => {}
            _ = beat.tick() => {}
        }
        asked_last = time::Instant::now();
        // Noted before asking: that is what the proof rests on.
        let asked_at = core.clock.moment();
        let Some((ticket, applied)) = ({
            let knowledge = core.knowledge();
            knowledge.ask(asked_at).zip(knowledge.applied())
        }) else {
            continue;
        };
        let counts = core.checked.counts();
        match core.authority.head(applied, counts).await {
            Ok((head, time)) => {
                let now = core.clock.now();
                let answer = core.learn(|knowledge| {
                    knowledge.forget(now.moment);
                    if let Some(time) = time {
                        knowledge.hear_time(time, asked_at);
                    }
                    knowledge.answer(ticket, head)
                });
                warn_of_clocks(time, now, &mut disagrees);
                match answer {
                    Answer::Proved => {}
                    Answer::Behind => expect_news(&core, applied).await,
                    Answer::WentBack => {
                        tracing::error!(%head, %applied, "the authority's log went back");
                        core.resync.notify_one();
                    }
                }
            }
            Err(unavailable) => tracing::debug!(reason = %unavailable, "the head was not answered"),
        }
    }
}

/// Says it once when the clocks of this machine and the authority part: tokens then end too early.
fn warn_of_clocks(authority: Option<UnixMillis>, now: Now, disagrees: &mut bool) {
    let Some(authority) = authority else { return };
    let apart = now.wall.since(authority).max(authority.since(now.wall));
    let before = std::mem::replace(disagrees, apart > CLOCKS_AGREE);
    if *disagrees && !before {
        tracing::warn!(
            seconds = apart.as_secs(),
            "this machine's clock and the authority's disagree; tokens end by the later of the two"
        );
    }
}

/// The stream should have brought something by now; if it has not moved at all, it is stuck.
async fn expect_news(core: &Core, applied: Position) {
    let moved = core
        .wait_until(LAG, |pulse| pulse.applied != Some(applied))
        .await;
    if !moved && core.health().connected {
        core.lagging.notify_one();
    }
}
