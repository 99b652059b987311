//! Work of real threads (password hashes) inside a paused time: the true time must not go on, and no
//! order may change, while they work.

use std::{
    cell::Cell,
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
    thread,
    time::{Duration, Instant},
};

use tokio::task::coop::unconstrained;

tokio::task_local! {
    /// Whether the handler waits for the simulation's own time, and not for a thread.
    static ASLEEP: Cell<bool>;
}

/// Marks a wait for the simulation's time.
pub(crate) async fn asleep<T>(wait: impl Future<Output = T>) -> T {
    let set = |asleep| {
        let _ = ASLEEP.try_with(|flag| flag.set(asleep));
    };
    set(true);
    let done = wait.await;
    set(false);
    done
}

/// Runs a handler that waits for a thread once, for a password's hash: this thread waits with it. It
/// is the first wait for something else than [`asleep`]; later ones are for other handlers.
pub(crate) async fn steady<T>(handler: impl Future<Output = T>) -> T {
    let blocking = Blocking {
        handler: Box::pin(handler),
        hash: Hash::NotYet,
    };
    ASLEEP
        .scope(Cell::new(false), unconstrained(blocking))
        .await
}

/// No hash of these tests takes so long; what does is no hash.
const LONGEST_HASH: Duration = Duration::from_millis(250);

struct Blocking<F> {
    handler: Pin<Box<F>>,
    hash: Hash,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Hash {
    NotYet,
    UnderWay,
    Done,
}

impl<F: Future> Future for Blocking<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let began = Instant::now();
        while self.hash != Hash::Done {
            // A thread that is done wakes nobody: its wake-up would come at a time of its own.
            let mut unheard = Context::from_waker(Waker::noop());
            if let Poll::Ready(done) = self.handler.as_mut().poll(&mut unheard) {
                return Poll::Ready(done);
            }
            if ASLEEP.with(Cell::get) {
                if self.hash == Hash::UnderWay {
                    self.hash = Hash::Done;
                }
                break;
            }
            // A hash that was done before it was first looked for leaves a wait for another handler to be
            // the first one, and that handler goes on only when this thread does.
            self.hash = if began.elapsed() < LONGEST_HASH {
                Hash::UnderWay
            } else {
                Hash::Done
            };
            thread::sleep(Duration::from_micros(20));
        }
        self.handler.as_mut().poll(context)
    }
}
