//! Reading the log: a stream whose ids are the positions.

use redis::{Value, cmd};
use symbolon_authority::ports::{Ended, LogSnapshot, StoreError, Tail};
use symbolon_login::{Change, LogEntry, LogWalk, Position, Scope, UnixMillis};

use super::{
    Args, Cell, Reply,
    reply::{damaged, entry_position},
};

/// How many entries one question brings when the whole log is read.
const PAGE: usize = 1000;

/// Up to `limit` entries after `after`, in one consistent read.
pub(super) async fn tail(cell: &Cell, after: Position, limit: u32) -> Result<Tail, StoreError> {
    // Nothing follows the last position that there can be, and the server has no word for "after" it.
    if after.number() == u64::MAX {
        return Ok(Tail::Reset);
    }
    let args = Args::default().with(id(after)).with(limit.max(1));
    let mut reply = cell.ask(&cell.scripts.tail, &args).await?;
    let head: Position = reply.parsed()?;
    let oldest = reply.text()?;
    let oldest = match oldest.as_str() {
        "" => head,
        oldest => entry_position(oldest)?,
    };
    if after.epoch() != head.epoch() || after > head || (after < head && after.next() < oldest) {
        return Ok(Tail::Reset);
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let entries = reply.list()?.lists().take(limit).map(|entry| {
        let mut entry = entry?;
        let position = entry_position(&entry.text()?)?;
        let _at = entry.time()?;
        read_entry(position, &entry.text()?)
    });
    entries.collect::<Result<_, _>>().map(Tail::Entries)
}

/// The head, and every cut-off up to it that is younger than `kept_since`; apps are elsewhere. What the log
/// holds up to its head never changes but that its front leaves, which shows as a gap: so pages of it are as
/// good as one read.
pub(super) async fn snapshot(
    cell: &Cell,
    kept_since: UnixMillis,
) -> Result<LogSnapshot, StoreError> {
    let head = cell.read_head().await?;
    let mut walk = LogWalk::begin();
    let mut from = "-".to_owned();
    loop {
        let mut page = cmd("XRANGE");
        page.arg(cell.key("log")).arg(from).arg(id(head));
        page.arg("COUNT").arg(PAGE);
        let page = cell.asking.ask(&page).await;
        let page = page.map_err(|error| cell.fault(&error))?;
        let whole = matches!(&page, Value::Array(entries) if entries.len() == PAGE);
        let mut last = String::new();
        for entry in Reply::new(page)?.lists() {
            let mut entry = entry?;
            last = entry.text()?;
            let (at, change) = fields(entry.list()?)?;
            let entry = read_entry(entry_position(&last)?, &change)?;
            walk.pass(&entry, at >= kept_since);
        }
        if !whole {
            let (cut_offs, complete_since) = walk.end(head);
            return Ok(LogSnapshot {
                head,
                complete_since,
                cut_offs,
                apps: Vec::new(),
            });
        }
        from = format!("({last}");
    }
}

/// Begins the epoch of `next`, if the head is still `from`: none otherwise.
pub(super) async fn begin_epoch(
    cell: &Cell,
    from: Position,
    next: Position,
    now: UnixMillis,
) -> Result<Option<Ended>, StoreError> {
    let covers = Scope::Restored { from };
    let args = Args::default().with(now.as_millis()).with(from.to_string());
    let args = args.with(next.epoch());
    let args = args.with_change(&Change::CutOff { covers })?;
    let mut reply = cell.write(&cell.scripts.begin_epoch, &args).await?;
    match reply.text()?.as_str() {
        "ended" => cell.ended(reply).map(Some),
        _ => Ok(None),
    }
}

impl Cell {
    /// The place of an end, of which followers hear.
    pub(super) fn ended(&self, mut reply: Reply) -> Result<Ended, StoreError> {
        let (position, count) = (reply.parsed()?, reply.parsed()?);
        self.saw(position);
        Ok(Ended { position, count })
    }
}

/// The time and the change of an entry.
fn fields(mut fields: Reply) -> Result<(UnixMillis, String), StoreError> {
    fields.text()?;
    let at = fields.time()?;
    fields.text()?;
    Ok((at, fields.text()?))
}

fn read_entry(position: Position, change: &str) -> Result<LogEntry, StoreError> {
    let change = serde_json::from_str(change);
    let change = change.map_err(|why| damaged(&format!("entry {position}: {why}")))?;
    Ok(LogEntry { position, change })
}

fn id(position: Position) -> String {
    format!("{}-{}", position.epoch(), position.number())
}
