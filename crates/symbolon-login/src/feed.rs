//! The log as guards follow it.

use serde::{Deserialize, Serialize};

use crate::{AppSettings, CutOff, KeyId, Position, Scope};

mod walk;

pub use walk::LogWalk;

/// One entry of the log: what changed, and where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Its place. Numbers are dense: a guard that misses one knows it.
    pub position: Position,
    /// What changed.
    #[serde(flatten)]
    pub change: Change,
}

/// What an entry of the log tells guards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Change {
    /// From here on everything older in this scope is dead.
    CutOff {
        /// What it covers.
        covers: Scope,
    },
    /// A key may sign from now on.
    KeyAdded {
        /// Its public JWK (RFC 7517).
        jwk: serde_json::Value,
    },
    /// A key signs no longer and no token of it is left.
    KeyRetired {
        /// Which.
        kid: KeyId,
    },
    /// An app is new or has new settings.
    App {
        /// All of them.
        settings: AppSettings,
    },
    /// A backup was taken here: what a restored copy of it knows ends at this position.
    BackedUp {},
}

impl LogEntry {
    /// The cut-off that this entry is, if it is one.
    pub fn cut_off(&self) -> Option<CutOff> {
        match &self.change {
            Change::CutOff { covers } => Some(CutOff {
                position: self.position,
                scope: covers.clone(),
            }),
            _ => None,
        }
    }
}

/// The answer of `GET /feed/head`: the newest entry, read after the question arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The log's head.
    pub head: Position,
}

/// The answer of `GET /feed/snapshot`: everything a guard needs to know, as of one position.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// As of here. Follow the feed from this position on.
    pub head: Position,
    /// Who issues the tokens: the claim `iss`.
    pub issuer: String,
    /// Every cut-off after this position and up to the head is among `cut_offs`. Older
    /// authorities do not say it: [`Snapshot::complete_since`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete_since: Option<Position>,
    /// Cut-offs that can still kill something.
    pub cut_offs: Vec<CutOff>,
    /// Public JWKs of the keys whose tokens may still live.
    pub keys: Vec<serde_json::Value>,
    /// All apps.
    pub apps: Vec<AppSettings>,
}

impl Snapshot {
    /// After which position no cut-off is missing. Where that is not said, nothing is known of what was
    /// before the head.
    pub fn complete_since(&self) -> Position {
        self.complete_since.unwrap_or(self.head)
    }
}
