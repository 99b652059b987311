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
    board.reported(guard(1), app(), at(1), None, start);
    board.reported(guard(2), app(), at(1), None, start);
    board.acknowledged(at(2), start + 10 * MS);
    board.reported(guard(1), app(), at(2), None, start + 13 * MS);
    // The same word again changes nothing.
    board.reported(guard(1), app(), at(2), None, start + 250 * MS);
    let reports = board.reports_at(at(2), start + 300 * MS);
    assert_eq!(reports[0].applied_after, Some(3 * MS));
    assert_eq!(reports[1].applied_after, None);
}

#[test]
fn a_guard_may_be_faster_than_the_note_of_the_acknowledgement() {
    let (board, start) = (Board::default(), Instant::now());
    board.reported(guard(1), app(), at(1), None, start);
    board.reported(guard(1), app(), at(2), None, start + MS);
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
    board.reported(guard(1), app(), at(2), None, start + 60_000 * MS);
    assert_eq!(
        board.reports_at(at(2), start + 60_001 * MS)[0].applied_after,
        None
    );
}

#[test]
fn who_says_nothing_is_gone() {
    let (board, start) = (Board::default(), Instant::now());
    board.reported(guard(1), app(), at(1), None, start);
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
        board.reported(guard(number), app(), at(1), None, start);
        board.acknowledged(at(u64::try_from(number).unwrap()), start);
    }
    assert_eq!(board.guards_at(start).len(), MOST_GUARDS);
    assert_eq!(board.lock().acknowledged.len(), ACKNOWLEDGEMENTS);
    // Those that are gone make room.
    board.reported(guard(9_999), app(), at(1), None, start + GONE_AFTER);
    assert_eq!(board.guards_at(start + GONE_AFTER).len(), 1);
    for number in 0..2_000 {
        board.reported(guard(9_999), app(), at(number), None, start + GONE_AFTER);
    }
    let inner = board.lock();
    assert_eq!(inner.guards[&(app(), guard(9_999))].steps.len(), STEPS);
}

#[tokio::test]
async fn waiting_ends_with_the_last_guard_or_with_the_limit() {
    let board = Arc::new(Board::default());
    board.reported(guard(1), app(), at(1), None, Instant::now());
    board.acknowledged(at(2), Instant::now());
    let late = board.wait_for(at(2), 20 * MS).await;
    assert_eq!(late[0].applied_after, None);

    let waiting = tokio::spawn({
        let board = Arc::clone(&board);
        async move { board.wait_for(at(2), Duration::from_secs(60)).await }
    });
    tokio::time::sleep(5 * MS).await;
    board.reported(guard(1), app(), at(2), None, Instant::now());
    assert!(waiting.await.unwrap()[0].applied_after.is_some());
}

#[tokio::test]
async fn with_no_guard_there_is_nothing_to_wait_for() {
    let board = Board::default();
    assert_eq!(board.wait_for(at(2), Duration::from_secs(60)).await, []);
}

const QUARTER: Duration = Duration::from_millis(250);

fn other() -> ClientId {
    "shop".parse().unwrap()
}

/// A guard says four times a second for so long that it has checked so many more.
fn busy(board: &Board, who: (u128, &ClientId), from: Instant, seconds: u32, each: u64) -> Instant {
    let mut now = from;
    for report in 0..4 * u64::from(seconds) {
        now += QUARTER;
        let said = Checked {
            checked: each * report,
            cookies: each * report,
        };
        board.reported(guard(who.0), who.1.clone(), at(1), Some(said), now);
    }
    now
}

#[test]
fn the_traffic_of_an_app_is_that_of_its_live_guards() {
    let (board, start) = (Board::default(), Instant::now());
    busy(&board, (1, &app()), start, 5, 10);
    busy(&board, (2, &app()), start, 5, 5);
    busy(&board, (3, &other()), start, 5, 1_000);
    let now = start + 20 * QUARTER;
    // A guard of an earlier version is seen and says nothing.
    board.reported(guard(4), app(), at(1), None, now);
    let traffic = board.traffic_at(&app(), now);
    assert_eq!((traffic.guards, traffic.counted), (3, 2));
    assert_eq!(traffic.requests_per_second, Some(60.0));
    assert_eq!(traffic.cookie_share, Some(1.0));
    // One of them restarts: its successor has another name, and it is gone.
    let now = busy(&board, (5, &app()), now, 12, 10);
    let traffic = board.traffic_at(&app(), now);
    assert_eq!((traffic.guards, traffic.counted), (1, 1));
    assert_eq!(traffic.requests_per_second, Some(40.0));
    assert_eq!(board.traffic_at(&"none".parse().unwrap(), now).guards, 0);
}

#[test]
fn a_guard_that_was_gone_is_counted_anew() {
    let (board, start) = (Board::default(), Instant::now());
    let gone = busy(&board, (1, &app()), start, 5, 10);
    let back = gone + GONE_AFTER;
    let said = Checked {
        checked: 1_000_000,
        cookies: 0,
    };
    board.reported(guard(1), app(), at(1), Some(said), back);
    let traffic = board.traffic_at(&app(), back);
    assert_eq!((traffic.guards, traffic.requests_per_second), (1, None));
}

#[test]
fn one_apps_guards_cannot_push_out_anothers() {
    let (board, start) = (Board::default(), Instant::now());
    for number in 0..2_000 {
        board.reported(guard(number), app(), at(1), None, start);
    }
    busy(&board, (9_999, &other()), start, 2, 3);
    for number in 2_000..4_000 {
        board.reported(guard(number), app(), at(1), None, start + 8 * QUARTER);
    }
    let now = start + 8 * QUARTER;
    let traffic = board.traffic_at(&other(), now);
    assert_eq!(traffic.requests_per_second, Some(12.0));
    assert_eq!(board.guards_at(now).len(), MOST_GUARDS);
    // Nor can two that crowd it take the last place of a third.
    for number in 0..2_000 {
        let second = "second".parse().unwrap();
        board.reported(guard(number), second, at(1), None, now);
    }
    assert_eq!(board.traffic_at(&other(), now).guards, 1);
    assert!(board.traffic_at(&app(), now).guards > 500);
}
