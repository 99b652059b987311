#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use super::*;

const MS: Duration = Duration::from_millis(1);

fn app() -> ClientId {
    "dashboard".parse().unwrap()
}

fn guard(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn at(number: u64) -> Position {
    Position::new(1, number)
}

#[test]
fn the_time_from_acknowledgement_to_report_is_kept_for_each_guard() {
    let (board, start) = (Board::default(), Instant::now());
    board.reported(guard(1), app(), at(1), start);
    board.reported(guard(2), app(), at(1), start);
    board.acknowledged(at(2), start + 10 * MS);
    board.reported(guard(1), app(), at(2), start + 13 * MS);
    // The same word again changes nothing.
    board.reported(guard(1), app(), at(2), start + 250 * MS);
    let reports = board.reports_at(at(2), start + 300 * MS);
    assert_eq!(reports[0].applied_after, Some(3 * MS));
    assert_eq!(reports[1].applied_after, None);
}

#[test]
fn a_guard_may_be_faster_than_the_note_of_the_acknowledgement() {
    let (board, start) = (Board::default(), Instant::now());
    board.reported(guard(1), app(), at(1), start);
    board.reported(guard(1), app(), at(2), start + MS);
    board.acknowledged(at(2), start + 2 * MS);
    assert_eq!(
        board.reports_at(at(2), start + 3 * MS)[0].applied_after,
        Some(Duration::ZERO)
    );
}

#[test]
fn a_guard_that_came_later_is_no_measurement() {
    let (board, start) = (Board::default(), Instant::now());
    board.acknowledged(at(2), start);
    board.reported(guard(1), app(), at(2), start + 60_000 * MS);
    assert_eq!(
        board.reports_at(at(2), start + 60_001 * MS)[0].applied_after,
        None
    );
}

#[test]
fn who_says_nothing_is_gone() {
    let (board, start) = (Board::default(), Instant::now());
    board.reported(guard(1), app(), at(1), start);
    assert_eq!(
        board.guards_at(start + GONE_AFTER.saturating_sub(MS)).len(),
        1
    );
    assert_eq!(board.guards_at(start + GONE_AFTER).len(), 0);
}

#[test]
fn the_board_is_bounded() {
    let (board, start) = (Board::default(), Instant::now());
    for number in 0..2_000 {
        board.reported(guard(number), app(), at(1), start);
        board.acknowledged(at(u64::try_from(number).unwrap()), start);
    }
    assert_eq!(board.guards_at(start).len(), MOST_GUARDS);
    assert_eq!(board.lock().acknowledged.len(), ACKNOWLEDGEMENTS);
    // Those that are gone make room.
    board.reported(guard(9_999), app(), at(1), start + GONE_AFTER);
    assert_eq!(board.guards_at(start + GONE_AFTER).len(), 1);
    for number in 0..2_000 {
        board.reported(guard(9_999), app(), at(number), start + GONE_AFTER);
    }
    let inner = board.lock();
    assert_eq!(inner.guards[&(app(), guard(9_999))].steps.len(), STEPS);
}

#[tokio::test]
async fn waiting_ends_with_the_last_guard_or_with_the_limit() {
    let board = Arc::new(Board::default());
    board.reported(guard(1), app(), at(1), Instant::now());
    board.acknowledged(at(2), Instant::now());
    let late = board.wait_for(at(2), 20 * MS).await;
    assert_eq!(late[0].applied_after, None);

    let waiting = tokio::spawn({
        let board = Arc::clone(&board);
        async move { board.wait_for(at(2), Duration::from_secs(60)).await }
    });
    tokio::time::sleep(5 * MS).await;
    board.reported(guard(1), app(), at(2), Instant::now());
    assert!(waiting.await.unwrap()[0].applied_after.is_some());
}

#[tokio::test]
async fn with_no_guard_there_is_nothing_to_wait_for() {
    let board = Board::default();
    assert_eq!(board.wait_for(at(2), Duration::from_secs(60)).await, []);
}
