//! Nothing is here that is not so.

use super::*;

fn sid(n: u8) -> Sid {
    Sid::from_bytes([n; 16])
}

fn user(n: u8) -> UserId {
    UserId::from_bytes([n; 16])
}

fn rows(numbers: impl IntoIterator<Item = u8>) -> BTreeMap<Sid, UserId> {
    numbers.into_iter().map(|n| (sid(n), user(n))).collect()
}

fn end(living: &Living, n: u8) {
    living.change([sid(n)].into_iter(), [].into_iter());
}

fn open(living: &Living, n: u8) {
    living.change([].into_iter(), [(sid(n), user(n))].into_iter());
}

#[test]
fn what_was_opened_is_there_until_it_is_over() {
    let living = Living::default();
    assert_eq!(living.whose(sid(1)), None);
    open(&living, 1);
    assert_eq!(living.whose(sid(1)), Some(user(1)));
    end(&living, 1);
    assert_eq!(living.whose(sid(1)), None);
}

#[test]
fn what_ended_while_the_rows_were_read_stays_out() {
    let living = Living::default();
    open(&living, 1);
    open(&living, 2);
    end(&living, 2);
    end(&living, 3);
    // The rows are of a moment before both ends.
    living.take_over(rows(1..=4));
    for (n, whose) in [(1, Some(user(1))), (2, None), (3, None), (4, Some(user(4)))] {
        assert_eq!(living.whose(sid(n)), whose);
    }
    // One that is in the rows and was opened since the start is taken out for good.
    for n in [1, 4] {
        end(&living, n);
        assert_eq!(living.whose(sid(n)), None);
    }
}

#[test]
fn after_an_end_of_all_no_rows_are_taken_over() {
    let living = Living::default();
    open(&living, 1);
    living.clear();
    living.take_over(rows(1..=2));
    assert_eq!(living.whose(sid(1)), None);
    assert_eq!(living.whose(sid(2)), None);
    open(&living, 3);
    assert_eq!(living.whose(sid(3)), Some(user(3)));
}

#[test]
fn after_too_many_ends_no_rows_are_taken_over() {
    let living = Living::default();
    let many = (0..100).map(sid).collect::<Vec<_>>();
    living.change(many.into_iter(), [].into_iter());
    living.take_over(rows([1, 200]));
    assert_eq!(living.whose(sid(1)), None);
    assert_eq!(living.whose(sid(200)), None);
}
