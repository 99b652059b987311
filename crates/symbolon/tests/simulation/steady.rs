//! Work of real threads (password hashes) inside a paused time: the true time must not go on, and no
//! order may change, while they work.

use std::{
    cell::Cell,
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
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

/// Runs a handler that may wait for threads: whenever it waits for something else than
/// [`asleep`], this thread waits with it.
pub(crate) async fn steady<T>(handler: impl Future<Output = T>) -> T {
    ASLEEP
        .scope(Cell::new(false), unconstrained(Blocking(Box::pin(handler))))
        .await
}

struct Blocking<F>(Pin<Box<F>>);

impl<F: Future> Future for Blocking<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        loop {
            // A thread that is done wakes nobody: its wake-up would come at a time of its own.
            let mut unheard = Context::from_waker(Waker::noop());
            let inner = pin!(&mut self.0);
            if let Poll::Ready(done) = inner.poll(&mut unheard) {
                return Poll::Ready(done);
            }
            if ASLEEP.with(Cell::get) {
                return self.0.as_mut().poll(context);
            }
            thread::sleep(Duration::from_micros(20));
        }
    }
}
