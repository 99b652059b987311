//! One suite for all backends: every verb, every named outcome, and the races between them.
//!
//! A backend is one more `backend!` line at the end. Time and ids are passed in, nothing sleeps.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod cells;
mod counters;
mod directory;
mod ends;
mod epochs;
mod fixture;
mod limits;
mod line;
mod log;
mod logins;
mod once;
mod races;
#[path = "../servers/schema.rs"]
mod schema;
mod sign_ins;
mod sweep;

/// Makes one test of each story for one backend.
macro_rules! backend {
    ($backend:ident, $make:expr) => {
        mod $backend {
            backend! { $make =>
                directory: an_identifier_is_taken_once
                    a_user_is_found_as_added
                    users_come_in_order_of_their_identifiers
                    the_first_admin_is_the_first
                    a_disabled_admin_counts_too
                    a_new_password_ends_every_login
                    a_disabled_user_cannot_open
                    new_roles_end_every_login
                    a_login_policy_is_kept
                    an_app_is_kept_and_changed_in_full
                    the_first_key_of_an_algorithm_is_the_only_one
                    keys_come_and_go_with_their_entries
                    keys_change_only_as_they_were_seen
                    a_mark_stays;
                logins: a_login_opens_at_the_head
                    a_login_opens_only_for_a_user
                    a_grant_joins_at_the_head
                    nothing_joins_what_is_over
                    a_login_is_found_whatever_its_state
                    a_person_sees_live_logins_newest_first
                    an_id_in_use_is_never_overwritten
                    an_id_of_a_grant_is_used_once_wherever_it_lies
                    a_use_moves_the_time_once_a_minute
                    a_use_revives_nothing
                    a_use_counts_against_idleness;
                sign_ins: of_a_crowd_each_hears_its_own_answer
                    of_a_crowd_with_one_id_one_opens
                    no_sign_in_outlives_an_acknowledged_disable
                    who_gives_up_costs_nobody_an_answer;
                limits: a_full_house_refuses
                    the_oldest_makes_room
                    what_was_given_up_makes_room
                    an_app_has_its_own_limit
                    a_join_is_held_to_the_apps_limit
                    what_a_sign_in_was_decided_on_must_still_hold;
                epochs: what_is_issued_after_a_backup_is_younger_than_its_mark
                    a_new_epoch_kills_what_the_backup_does_not_know
                    a_second_restore_outranks_the_first;
                line: the_current_secret_rotates
                    the_secret_before_replays_within_the_grace
                    a_secret_from_before_the_grace_ends_the_login
                    an_old_generation_ends_the_login_at_once
                    a_reuse_ends_the_login_of_an_idle_grant
                    what_is_over_earns_ended
                    idleness_and_expiry_have_an_exact_edge
                    what_the_line_never_issued_is_unknown;
                ends: each_scope_ends_what_it_covers
                    a_key_ends_no_login
                    an_end_of_nothing_is_appended
                    a_grant_of_an_ended_login_is_not_counted
                    one_ends_only_ones_own
                    what_came_after_an_end_lives;
                log: the_log_starts_empty
                    positions_are_dense
                    a_tail_comes_in_stretches
                    a_strange_position_resets
                    a_snapshot_holds_what_can_still_kill
                    a_snapshot_says_from_where_on_it_is_complete
                    the_wake_follows_the_head;
                once: a_value_is_fresh_once
                    a_value_expires_at_the_edge
                    a_purpose_sees_only_its_own
                    a_peek_takes_nothing
                    a_kept_value_is_never_overwritten;
                counters: a_window_ends_at_the_edge
                    keys_are_counted_apart
                    what_is_forgotten_begins_anew
                    fifty_at_once_are_fifty
                    a_sweep_leaves_open_windows;
                sweep: what_is_over_leaves
                    a_first_grant_leaves_without_its_login
                    what_may_be_needed_stays
                    a_sweep_is_bounded
                    the_head_survives_a_sweep;
                races: of_fifty_advances_one_rotates
                    fifty_reuses_end_the_login_once
                    an_acknowledged_end_beats_advance_and_join
                    a_disabled_user_opens_nothing_afterwards
                    two_sign_ins_at_the_limit_never_pass_it
                    a_list_shows_nothing_whose_end_was_acknowledged
                    one_first_admin
                    one_first_key
                    one_next_key
                    one_taker
                    one_owner_of_an_identifier
                    a_tailer_neither_skips_nor_doubles
                    the_head_is_never_behind_an_acknowledgement;
            }
        }
    };
    ($make:expr => $($topic:ident: $($story:ident)+;)+) => {
        $(mod $topic {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $story() {
                let (store, _keep) = $make;
                crate::$topic::$story(store).await;
            })+
        })+
    };
}
backend!(
    memory,
    (std::sync::Arc::new(symbolon_stores::Memory::new()), ())
);
backend!(sqlite, {
    let dir = tempfile::tempdir().unwrap();
    let store = symbolon_stores::Sqlite::open(dir.path()).unwrap();
    (std::sync::Arc::new(store), dir)
});
backend!(postgres, {
    let url = crate::schema::url().await;
    let store = symbolon_stores::Postgres::connect(&url).await.unwrap();
    (std::sync::Arc::new(store), ())
});
backend!(redis, crate::cells::cell("SYMBOLON_TEST_REDIS").await);
backend!(
    redis_cluster,
    crate::cells::cell("SYMBOLON_TEST_REDIS_CLUSTER").await
);
