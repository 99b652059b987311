//! Cut-offs as checks look them up: a compact table that one writer fills and nobody locks.
//!
//! It gives the same verdicts as [`symbolon_login::CutOffs`] (a property test compares them). A slot
//! has 16 bytes: 64 bits of a keyed hash of the scope, and the number of its latest cut-off. Two scopes
//! with one hash share a slot and the later number, which can only refuse more. The hash is keyed at
//! random for each guard, so nobody can aim for that; by chance it happens to one of ten million
//! logins with a probability of about one in a million at a million cut-offs.
//!
//! The table is cut into shards that grow and forget each by itself, a fraction of a millisecond at
//! a time at a million cut-offs: news never waits for a large table to be rebuilt. Entries are
//! never taken out in place; a shard is rebuilt without them and swapped in.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use symbolon_login::{CutOff, Position, Scope, Subject};

/// A power of two, so that the top bits of a hash name the shard.
const SHARDS: usize = 256;

/// Of 100 slots so many are taken when a shard grows. With [`ROOMY`] a cut-off takes 25 to 32 bytes,
/// and a look-up that finds nothing reads 3 to 5 slots.
const FULL: usize = 65;

/// Of 100 slots so many are taken after it grew.
const ROOMY: usize = 50;

/// The least room of a shard that holds anything.
const LEAST_SLOTS: usize = 8;

/// How many shards one bite of forgetting looks through.
const BITE: usize = 4;

/// The hashed scopes that can cover one credential, computed once for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scopes {
    user: u64,
    login: u64,
    grant: u64,
    app: u64,
    key: Option<u64>,
}

/// What a cut-off that kills a credential took from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Killed {
    /// Its login, or its app's share in it.
    Login,
    /// Only the key that signed it; the login may live on.
    Key,
}

/// What readers hold: shared slots under a spine that changes only when a shard is swapped.
#[derive(Clone, Default)]
pub(crate) struct CutOffTable {
    hasher: RandomState,
    everything: Option<Position>,
    restored: Vec<(Position, Position)>,
    /// The latest first. There is one, and a second for an hour after a backup was put back.
    epochs: Vec<Epoch>,
}

#[derive(Clone)]
struct Epoch {
    epoch: u32,
    shards: Vec<Arc<Shard>>,
}

#[derive(Default)]
struct Shard {
    slots: Box<[Slot]>,
    taken: AtomicUsize,
}

/// A hash of zero means free. The number is written before the hash, and only ever grows.
#[derive(Default)]
struct Slot {
    hash: AtomicU64,
    number: AtomicU64,
}

/// Where a hash is, or would be.
enum Place<'s> {
    Taken(&'s Slot),
    Free(&'s Slot),
    /// Only in a shard without slots.
    None,
}

/// The writer's side: the table and how far forgetting has come.
#[derive(Default)]
pub(crate) struct Writer {
    table: Arc<CutOffTable>,
    len: usize,
    /// Everything at or before this is to be forgotten.
    through: Option<Position>,
    /// The next shard to look through; none when all were.
    next: Option<usize>,
}

impl Scopes {
    /// Those that no other person's credential has. A cut-off of one of them stands under
    /// [`CutOffTable::hash_of_person`].
    pub(crate) const fn of_person(&self) -> [u64; 3] {
        [self.login, self.user, self.grant]
    }
}

impl CutOffTable {
    /// The hashes under which cut-offs of this credential would stand.
    pub(crate) fn scopes(&self, subject: &Subject<'_>) -> Scopes {
        Scopes {
            user: self.hash(&(1_u8, subject.user)),
            login: self.hash(&(2_u8, subject.sid)),
            grant: self.hash(&(3_u8, subject.sid, subject.client_id)),
            app: self.hash(&(4_u8, subject.client_id)),
            key: subject.key.map(|kid| self.hash(&(5_u8, kid))),
        }
    }

    /// The rule of death: covered by a cut-off, and older than it.
    pub(crate) fn kills(&self, scopes: &Scopes, rev: Position) -> Option<Killed> {
        let by_all = self.everything.is_some_and(|position| rev < position);
        let by_restore = || {
            let mut restored = self.restored.iter();
            restored.any(|(from, position)| *from <= rev && rev < *position)
        };
        let Scopes {
            user,
            login,
            grant,
            app,
            key,
        } = *scopes;
        let by_scope = || {
            [login, user, grant, app]
                .into_iter()
                .any(|hash| self.is_after(hash, rev))
        };
        if by_all || by_restore() || by_scope() {
            return Some(Killed::Login);
        }
        key.is_some_and(|hash| self.is_after(hash, rev))
            .then_some(Killed::Key)
    }

    /// Whether the scope of this hash was cut off after `rev`.
    fn is_after(&self, hash: u64, rev: Position) -> bool {
        self.epochs
            .iter()
            .take_while(|epoch| epoch.epoch >= rev.epoch())
            .filter_map(|epoch| Some((epoch.epoch, epoch.number(hash)?)))
            .any(|(epoch, number)| Position::new(epoch, number) > rev)
    }

    fn hash(&self, scope: &impl std::hash::Hash) -> u64 {
        self.hasher.hash_one(scope).max(1)
    }

    /// The hash under which a cut-off of this scope stands; none for what concerns everybody.
    pub(crate) fn hash_of(&self, scope: &Scope) -> Option<u64> {
        Some(match scope {
            Scope::User { user } => self.hash(&(1_u8, user)),
            Scope::Login { sid } => self.hash(&(2_u8, sid)),
            Scope::Grant { sid, client_id } => self.hash(&(3_u8, sid, client_id)),
            Scope::App { client_id } => self.hash(&(4_u8, client_id)),
            Scope::Key { kid } => self.hash(&(5_u8, kid)),
            Scope::Everything {} | Scope::Restored { .. } => return None,
        })
    }

    /// The same for a scope within one person's; none for one that may concern many. Those are rare, and each
    /// credential is looked up once for them; remembered by their hashes they would cost every check for long.
    pub(crate) fn hash_of_person(&self, scope: &Scope) -> Option<u64> {
        match scope {
            Scope::User { .. } | Scope::Login { .. } | Scope::Grant { .. } => self.hash_of(scope),
            Scope::App { .. }
            | Scope::Key { .. }
            | Scope::Everything {}
            | Scope::Restored { .. } => None,
        }
    }
}

#[cfg(test)]
impl CutOffTable {
    /// The latest cut-off that stands under one of these hashes, whether it kills or not.
    pub(crate) fn latest(&self, scopes: &Scopes) -> Option<Position> {
        let Scopes {
            user,
            login,
            grant,
            app,
            ..
        } = *scopes;
        let numbers = |epoch: &Epoch| {
            let number = [user, login, grant, app].map(|hash| epoch.number(hash));
            let latest = number.into_iter().flatten().max();
            latest.map(|number| Position::new(epoch.epoch, number))
        };
        let known = self.epochs.iter().filter_map(numbers).max();
        let restored = self.restored.iter().map(|(_, position)| *position).max();
        known.max(self.everything).max(restored)
    }
}

/// A writer of its own: nothing that is put into one is seen in the other.
#[cfg(test)]
impl Clone for Writer {
    fn clone(&self) -> Self {
        let mut table = CutOffTable::clone(&self.table);
        for shard in table.epochs.iter_mut().flat_map(|epoch| &mut epoch.shards) {
            if !shard.slots.is_empty() {
                *shard = Arc::new(shard.rebuilt(None));
            }
        }
        Self {
            table: Arc::new(table),
            len: self.len,
            through: self.through,
            next: self.next,
        }
    }
}

impl Epoch {
    fn new(epoch: u32) -> Self {
        let empty = Arc::new(Shard::default());
        Self {
            epoch,
            shards: vec![empty; SHARDS],
        }
    }

    fn number(&self, hash: u64) -> Option<u64> {
        match self.shards.get(shard_of(hash))?.find(hash) {
            Place::Taken(slot) => Some(slot.number.load(Ordering::Acquire)),
            Place::Free(_) | Place::None => None,
        }
    }
}

fn shard_of(hash: u64) -> usize {
    // The top 8 bits: always below SHARDS.
    usize::from(hash.to_be_bytes()[0])
}

impl Shard {
    fn with_room_for(entries: usize) -> Self {
        let slots = (entries * 100 / ROOMY).max(LEAST_SLOTS);
        Self {
            slots: std::iter::repeat_with(Slot::default).take(slots).collect(),
            taken: AtomicUsize::new(0),
        }
    }

    fn find(&self, hash: u64) -> Place<'_> {
        // The bits below those that chose the shard, spread over any number of slots. The product's
        // upper half is below the number of slots, which is a usize.
        let spread = u128::from(hash << 8) * self.slots.len() as u128;
        let start = usize::try_from(spread >> 64).unwrap_or(0);
        let (before, after) = self.slots.split_at(start.min(self.slots.len()));
        for slot in after.iter().chain(before) {
            match slot.hash.load(Ordering::Acquire) {
                0 => return Place::Free(slot),
                taken if taken == hash => return Place::Taken(slot),
                _ => {}
            }
        }
        Place::None
    }

    fn is_full(&self) -> bool {
        (self.taken.load(Ordering::Relaxed) + 1) * 100 > self.slots.len() * FULL
    }

    /// Puts a new one in or raises the known one; whether it is new. There has to be room.
    fn put(&self, hash: u64, number: u64) -> bool {
        match self.find(hash) {
            Place::Taken(slot) => {
                slot.number.fetch_max(number, Ordering::Release);
                false
            }
            Place::Free(slot) => {
                slot.number.store(number, Ordering::Release);
                // Whoever sees the hash sees the number.
                slot.hash.store(hash, Ordering::Release);
                self.taken.fetch_add(1, Ordering::Relaxed);
                true
            }
            Place::None => false,
        }
    }

    /// Those that stay when everything at or before `through` goes.
    fn survivors(&self, through: Option<u64>) -> impl Iterator<Item = (u64, u64)> {
        self.slots
            .iter()
            .map(|slot| {
                let hash = slot.hash.load(Ordering::Acquire);
                (hash, slot.number.load(Ordering::Acquire))
            })
            .filter(move |(hash, number)| *hash != 0 && through.is_none_or(|at| *number > at))
    }

    /// A copy of those that stay, with room for one more.
    fn rebuilt(&self, through: Option<u64>) -> Self {
        let count = self.survivors(through).count();
        let shard = Self::with_room_for(count + 1);
        for (hash, number) in self.survivors(through) {
            shard.put(hash, number);
        }
        shard
    }
}

impl Writer {
    /// The table for readers. What is put in afterwards may be seen in it, and is surely seen only in the
    /// one that this gives then.
    pub(crate) fn table(&self) -> &Arc<CutOffTable> {
        &self.table
    }

    /// How many scopes have a cut-off; one that has it in two epochs counts twice.
    pub(crate) fn len(&self) -> usize {
        self.len + usize::from(self.table.everything.is_some()) + self.table.restored.len()
    }

    /// Adds one cut-off, unless that would make more than `most`; whether it is in.
    #[must_use]
    pub(crate) fn insert(&mut self, cut_off: &CutOff, most: usize) -> bool {
        let position = cut_off.position;
        let Some(hash) = self.table.hash_of(&cut_off.scope) else {
            // Rare, and few: never refused.
            let table = Arc::make_mut(&mut self.table);
            match cut_off.scope {
                Scope::Restored { from } => raise(&mut table.restored, from, position),
                _ => table.everything = table.everything.max(Some(position)),
            }
            return true;
        };
        let (at, shard) = (self.epoch(position.epoch()), shard_of(hash));
        // Both were just made or found.
        let Some(known) = self
            .table
            .epochs
            .get(at)
            .and_then(|epoch| epoch.shards.get(shard))
        else {
            return false;
        };
        if !matches!(known.find(hash), Place::Taken(_)) {
            if self.len() >= most {
                return false;
            }
            if known.is_full() {
                let rebuilt = known.rebuilt(self.forgotten_of(position.epoch()));
                self.swap(at, shard, rebuilt);
            }
        }
        let known = self
            .table
            .epochs
            .get(at)
            .and_then(|epoch| epoch.shards.get(shard));
        self.len += usize::from(known.is_some_and(|shard| shard.put(hash, position.number())));
        true
    }

    /// From now on everything at or before `position` may be forgotten; [`Writer::forget_some`] does it.
    pub(crate) fn forget_through(&mut self, position: Position) {
        if self.through >= Some(position) {
            return;
        }
        self.through = Some(position);
        self.next = Some(0);
        let stays = |at: Position| at > position;
        let table = &self.table;
        let is_touched = table.everything.is_some_and(|at| !stays(at))
            || table.restored.iter().any(|(_, at)| !stays(*at))
            || table.epochs.iter().any(|e| e.epoch < position.epoch());
        if is_touched {
            let table = Arc::make_mut(&mut self.table);
            table.everything = table.everything.filter(|at| stays(*at));
            table.restored.retain(|(_, at)| stays(*at));
            table.epochs.retain(|e| e.epoch >= position.epoch());
            self.count();
        }
    }

    /// Everything at or before this is forgotten, or may be at any time.
    pub(crate) const fn forgotten(&self) -> Option<Position> {
        self.through
    }

    /// What was allowed to be forgotten and is not yet, stays: positions of another log come.
    pub(crate) const fn keep_all(&mut self) {
        self.through = None;
        self.next = None;
    }

    /// Forgets in a few shards what [`Writer::forget_through`] allowed; whether there is more to look
    /// through.
    pub(crate) fn forget_some(&mut self) -> bool {
        let (Some(from), Some(through)) = (self.next, self.through) else {
            return false;
        };
        let epoch = self
            .table
            .epochs
            .iter()
            .position(|epoch| epoch.epoch == through.epoch());
        self.next = Some(from + BITE).filter(|next| epoch.is_some() && *next < SHARDS);
        for shard in from..(from + BITE).min(SHARDS) {
            let Some((at, known)) =
                epoch.and_then(|at| Some((at, self.table.epochs.get(at)?.shards.get(shard)?)))
            else {
                continue;
            };
            let stay = known.survivors(Some(through.number())).count();
            let rebuilt = match (stay, known.taken.load(Ordering::Relaxed)) {
                (stay, taken) if stay == taken => continue,
                (0, _) => Shard::default(),
                _ => known.rebuilt(Some(through.number())),
            };
            self.swap(at, shard, rebuilt);
        }
        self.next.is_some()
    }

    /// The place of this epoch among the table's, made if there is none.
    fn epoch(&mut self, epoch: u32) -> usize {
        let at = self
            .table
            .epochs
            .iter()
            .position(|known| known.epoch <= epoch)
            .unwrap_or(self.table.epochs.len());
        let known = self.table.epochs.get(at).map(|known| known.epoch);
        if known != Some(epoch) {
            Arc::make_mut(&mut self.table)
                .epochs
                .insert(at, Epoch::new(epoch));
        }
        at
    }

    /// The number through which this epoch may be forgotten.
    fn forgotten_of(&self, epoch: u32) -> Option<u64> {
        self.through
            .filter(|through| through.epoch() == epoch)
            .map(Position::number)
    }

    /// Readers that hold the table as it was keep the shard as it was.
    fn swap(&mut self, epoch: usize, shard: usize, rebuilt: Shard) {
        let table = Arc::make_mut(&mut self.table);
        let place = table
            .epochs
            .get_mut(epoch)
            .and_then(|epoch| epoch.shards.get_mut(shard));
        if let Some(place) = place {
            self.len -= place.taken.load(Ordering::Relaxed);
            self.len += rebuilt.taken.load(Ordering::Relaxed);
            *place = Arc::new(rebuilt);
        }
    }

    fn count(&mut self) {
        let shards = self.table.epochs.iter().flat_map(|epoch| &epoch.shards);
        self.len = shards
            .map(|shard| shard.taken.load(Ordering::Relaxed))
            .sum();
    }
}

fn raise(restored: &mut Vec<(Position, Position)>, from: Position, position: Position) {
    match restored.iter_mut().find(|(known, _)| *known == from) {
        Some((_, at)) => *at = position.max(*at),
        None => restored.push((from, position)),
    }
}

#[cfg(test)]
mod tests;
