//! Ends of single logins that stand in the log alone.
//!
//! Such an end is durable and decides from its commit on, by the rule of death: a login is dead when a
//! cut-off that covers it has a later position than its `rev`. Its row, somewhere in the file, is not
//! written for that. What the rows do not say yet is kept here, and everyone who reads the row of a login
//! asks here too. After a start it is read from the log again ([`load`]): it is exactly the log's ends of
//! single logins after the position up to which rows are marked, and the log keeps those.

#[cfg(test)]
mod tests;

use std::{
    cell::Cell,
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rusqlite::{Connection, params};
use symbolon_login::{Change, Login, Position, Scope, Sid, UnixMillis};

use super::{
    columns::{json, position, time, to_integer},
    fault::Work,
};

/// Ends by login and position, with their times.
pub(super) type Ends = BTreeMap<(Sid, Position), UnixMillis>;

/// The committed ends that rows do not say.
#[derive(Default)]
pub(super) struct Unmarked(Mutex<State>);

#[derive(Default)]
struct State {
    ends: Ends,
    /// How often some were taken away, because by then the rows said so or were gone.
    removals: u64,
}

/// What one reading of rows knows of ends.
///
/// Rows are read first and judged afterwards. In between, the row that was read may have been marked and
/// its end taken away from here: then the reading is [torn](View::is_torn), and worth nothing.
pub(super) struct View<'a> {
    unmarked: &'a Unmarked,
    /// The ends of the transaction that reads, if one does.
    own: Option<&'a Ends>,
    removals: u64,
    torn: Cell<bool>,
}

impl Unmarked {
    /// The ends that the file's log has and its rows do not say.
    pub(super) fn load(conn: &Connection) -> Work<Self> {
        let ends = load(conn)?;
        Ok(Self(Mutex::new(State { ends, removals: 0 })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock panics half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads rows of logins, again if the reading was torn.
    pub(super) fn read<T>(&self, work: impl Fn(&View<'_>) -> Work<T>) -> Work<T> {
        loop {
            let view = self.view(None);
            let found = work(&view);
            if !view.is_torn() {
                return found;
            }
        }
    }

    /// The view of the writer, who alone takes ends away: it is never torn.
    pub(super) fn view<'a>(&'a self, own: Option<&'a Ends>) -> View<'a> {
        View {
            unmarked: self,
            own,
            removals: self.lock().removals,
            torn: Cell::new(false),
        }
    }

    /// Adds ends whose transaction is committed.
    pub(super) fn add(&self, ends: Ends) {
        if !ends.is_empty() {
            self.lock().ends.extend(ends);
        }
    }

    /// Takes away what a committed transaction has marked or removed: everything up to `through`.
    pub(super) fn forget(&self, through: Position) {
        let mut state = self.lock();
        state.ends.retain(|(_, at), _| *at > through);
        state.removals += 1;
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.lock().ends.len()
    }

    /// All of them, in the order in which the rows lie.
    pub(super) fn all(&self) -> Ends {
        self.lock().ends.clone()
    }
}

impl View<'_> {
    /// Adds to a login, as its row has it, the end that the row does not say.
    pub(super) fn judge(&self, login: &mut Login, rev: Position) {
        if login.ended_at.is_none() {
            login.ended_at = self.end_of(login.sid, rev);
        }
    }

    /// When a login ended whose row does not say that it has.
    pub(super) fn end_of(&self, sid: Sid, rev: Position) -> Option<UnixMillis> {
        let known = {
            let state = self.unmarked.lock();
            let torn = state.removals != self.removals;
            self.torn.set(self.torn.get() || torn);
            first_end(&state.ends, sid, rev)
        };
        known.or_else(|| self.own.and_then(|own| first_end(own, sid, rev)))
    }

    fn is_torn(&self) -> bool {
        self.torn.get()
    }
}

/// The end that came first after `rev`: a later one ended nothing.
fn first_end(ends: &Ends, sid: Sid, rev: Position) -> Option<UnixMillis> {
    let later = (sid, rev.next())..=(sid, Position::new(u32::MAX, u64::MAX));
    ends.range(later).next().map(|(_, at)| *at)
}

/// Up to where the rows say what has ended.
pub(super) fn marked(conn: &Connection) -> Work<Position> {
    let sql = "SELECT marked_epoch, marked_number FROM epoch";
    let mut marked = conn.prepare_cached(sql)?;
    Ok(marked.query_row([], |row| position(row, 0, 1))?)
}

/// Notes that the rows say everything up to `through`. Never goes back.
pub(super) fn set_marked(conn: &Connection, through: Position) -> Work<()> {
    let sql = "UPDATE epoch SET marked_epoch = ?1, marked_number = ?2
               WHERE (marked_epoch, marked_number) < (?1, ?2)";
    let through = params![through.epoch(), to_integer(through.number())?];
    conn.prepare_cached(sql)?.execute(through)?;
    Ok(())
}

/// The ends that rows do not say, as the log has them.
fn load(conn: &Connection) -> Work<Ends> {
    let marked = marked(conn)?;
    let sql = "SELECT epoch, number, at, change FROM log WHERE (epoch, number) > (?1, ?2)";
    let mut later = conn.prepare_cached(sql)?;
    let mut later = later.query(params![marked.epoch(), to_integer(marked.number())?])?;
    let mut ends = Ends::new();
    while let Some(row) = later.next()? {
        if let Change::CutOff {
            covers: Scope::Login { sid },
        } = json(row, 3)?
        {
            ends.insert((sid, position(row, 0, 1)?), time(row, 2)?);
        }
    }
    Ok(ends)
}

/// Writes ends into the rows of their logins.
pub(super) fn mark<'a>(
    conn: &Connection,
    ends: impl IntoIterator<Item = (&'a (Sid, Position), &'a UnixMillis)>,
) -> Work<()> {
    let sql = "UPDATE login SET ended_at = ?2
               WHERE sid = ?1 AND ended_at IS NULL AND (rev_epoch, rev_number) < (?3, ?4)";
    let mut mark = conn.prepare_cached(sql)?;
    for ((sid, position), at) in ends {
        let number = to_integer(position.number())?;
        mark.execute(params![
            sid.as_bytes(),
            at.as_millis(),
            position.epoch(),
            number
        ])?;
    }
    Ok(())
}
