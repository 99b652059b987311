//! How scopes and entries stand in scripts, and taking over the entries of another store's log.

use redis::cmd;
use symbolon_authority::ports::{Ended, StoreError};
use symbolon_login::{Change, LogEntry, Position, Scope, UnixMillis};

use super::{
    Args, Redis, Reply,
    reply::{damaged, unwritable},
};

/// For how many entries it is remembered where they came to stand.
const REMEMBERED: u64 = 1000;

impl Args {
    /// A cut-off: its kind, two values, and the entry of the log.
    pub(super) fn with_scope(self, scope: &Scope) -> Result<Self, StoreError> {
        let args = match scope {
            Scope::Everything {} => self.with("everything").with("").with(""),
            Scope::Restored { from } => {
                self.with("restored").with(from.epoch()).with(from.number())
            }
            Scope::Key { kid } => self.with("key").with(kid.as_str()).with(""),
            Scope::App { client_id } => self.with("app").with(client_id.as_str()).with(""),
            Scope::User { user } => self.with("user").with(user.as_bytes()).with(""),
            Scope::Login { sid } => self.with("login").with(sid.as_bytes()).with(""),
            Scope::Grant { sid, client_id } => self
                .with("grant")
                .with(sid.as_bytes())
                .with(client_id.as_str()),
        };
        let covers = scope.clone();
        args.with_change(&Change::CutOff { covers })
    }

    /// An entry of the log.
    pub(super) fn with_change(self, change: &Change) -> Result<Self, StoreError> {
        let change = serde_json::to_string(change);
        Ok(self.with(change.map_err(|why| unwritable(&why.to_string()))?))
    }
}

/// What became of an entry that was to be taken over.
pub(crate) enum Carried {
    /// It stands here.
    Now,
    /// Another node was faster: go on from here.
    Changed(Position),
}

impl Redis {
    /// Up to which entry of the other log everything was taken over.
    pub(crate) async fn carried_through(&self) -> Result<Position, StoreError> {
        let mut field = cmd("HMGET");
        field.arg(&self.cell.head).arg("carried").arg("epoch");
        let answer = self.cell.asking.ask(&field).await;
        let mut reply = Reply::new(answer.map_err(|error| self.cell.fault(&error))?)?;
        let carried = reply.maybe_text()?;
        if reply.maybe_text()?.is_none() {
            return Err(self.cell.lost());
        }
        let carried = carried.map(|carried| carried.parse()).transpose();
        let carried = carried.map_err(|_| damaged("the place of the other log cannot be read"))?;
        Ok(carried.unwrap_or(Position::START))
    }

    /// Takes over `entry`, if everything up to `from` was and nothing after it.
    pub(crate) async fn carry(
        &self,
        from: Position,
        entry: &LogEntry,
        now: UnixMillis,
    ) -> Result<Carried, StoreError> {
        let to = entry.position;
        let old = Position::new(to.epoch(), to.number().saturating_sub(REMEMBERED));
        let args = Args::default().with(now.as_millis()).with(from.to_string());
        let args = args.with(to.to_string()).with(old.to_string());
        let args = match &entry.change {
            Change::CutOff { covers } => args.with_scope(covers)?,
            other => args.with("").with("").with("").with_change(other)?,
        };
        let mut reply = self.cell.write(&self.cell.scripts.carry, &args).await?;
        if reply.text()? == "changed" {
            return reply.parsed().map(Carried::Changed);
        }
        self.cell.saw(reply.parsed()?);
        Ok(Carried::Now)
    }

    /// Takes the cell into use, and waits until what others wrote up to now is as durable as was asked for.
    pub(crate) async fn confirm(&self) -> Result<(), StoreError> {
        let script = &self.cell.scripts.confirm;
        self.cell.write(script, &Args::default()).await.map(|_| ())
    }

    /// Where an entry of the other log came to stand, and how many it ended.
    pub(crate) async fn carried(&self, entry: Position) -> Result<Ended, StoreError> {
        let mut field = cmd("HMGET");
        field.arg(self.cell.key("carried")).arg(entry.to_string());
        let answer = self.cell.asking.ask(&field).await;
        let mut reply = Reply::new(answer.map_err(|error| self.cell.fault(&error))?)?;
        let place = reply.maybe_text()?;
        let place = place.ok_or_else(|| damaged("an entry was taken over too long ago"))?;
        let unreadable = || damaged("the place of an entry cannot be read");
        let (position, count) = place.split_once(':').ok_or_else(unreadable)?;
        Ok(Ended {
            position: position.parse().map_err(|_| unreadable())?,
            count: count.parse().map_err(|_| unreadable())?,
        })
    }
}
