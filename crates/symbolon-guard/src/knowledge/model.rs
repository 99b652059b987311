//! Stream, lease and epoch as a model that is searched exhaustively, with the guard's own [`Knowledge`]
//! and [`judge`] in it: in no order of events, of some small number, is there a yes past the bound.
//!
//! The authority appends ends to its log, goes back to a backup in a new epoch, and is away. Questions,
//! answers, snapshots and entries of the stream travel for as long as they like, change places, are
//! lost, and entries come twice. The guard starts anew at any time. An end is acknowledged as soon as it
//! is in the log: earlier than any real one.

use std::{
    collections::{HashSet, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    rc::Rc,
    time::Duration,
};

use symbolon_login::{
    ActiveCredential, AppSettings, CutOff, Freshness, LogEntry, Scope, Shape, Sid, UserId,
};

use super::*;
use crate::{
    check::{Judgement, Seen, judge},
    clock::Now,
    digest::Digests,
    fault::Fault,
};

/// One unit of time.
const TICK: Duration = Duration::from_secs(1);
/// The bound, in units.
const BOUND: u64 = 1;

/// A rule broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broken {
    Guard(Fault),
    /// The moment is noted when the answer comes, not before the question.
    NotedAfterAsking,
    /// A restored log goes on in the old epoch.
    NoNewEpoch,
    /// The head is not read after the question has arrived, but remembered from the first one.
    RememberedHead,
}

/// How much may happen.
#[derive(Clone, Copy)]
struct Size {
    ticks: u64,
    ends: usize,
    /// All in all, and at once.
    questions: usize,
    under_way: usize,
    restores: usize,
    guard_starts: usize,
    /// Whether what travels may be lost or come twice.
    losses: bool,
    /// Whether the authority's clock may be so far ahead that a snapshot leaves out all that there is, and
    /// whether credentials are renewed.
    forgets: bool,
}

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
enum Step {
    Tick,
    End(usize),
    SignIn,
    BackUp,
    Restore,
    StartGuard,
    Ask,
    QuestionArrives(usize),
    AnswerArrives(usize),
    AnswerIsLost(usize),
    Renew,
    SnapshotIsRead,
    EmptySnapshotIsRead,
    SnapshotArrives,
    SnapshotIsLost,
    StreamOpens,
    StreamBreaks,
    EntryArrives(usize),
    EntryArrivesAndComesAgain(usize),
    EntryIsLost(usize),
}

#[derive(Clone)]
struct State {
    now: u64,
    log: Vec<CutOff>,
    head: Position,
    backup: Option<(Vec<CutOff>, Position)>,
    restores: usize,
    guard_starts: usize,
    /// What was acknowledged when, and before which position it counts no longer.
    ends: Vec<(CutOff, u64, Option<Position>)>,
    /// Whose login each credential is of, its `rev` and its `as_of`: the one at the beginning, and one that
    /// signs in on the way.
    credentials: Vec<(usize, Position, Position)>,
    asked: usize,
    questions: Vec<Ticket>,
    answers: Vec<(Ticket, Position)>,
    remembered: Option<Position>,
    /// Its head, after which position it is complete, and its cut-offs.
    snapshot: Option<(Position, Position, Vec<CutOff>)>,
    /// Entries under way; none: no stream.
    stream: Option<Vec<CutOff>>,
    needs_snapshot: bool,
    guard: Knowledge,
}

fn moment(tick: u64) -> Moment {
    Moment::at(TICK * u32::try_from(tick).unwrap())
}

fn wall() -> UnixMillis {
    UnixMillis::from_secs(1_800_000_000)
}

fn sid(login: usize) -> Sid {
    Sid::mint(wall(), [u8::try_from(login).unwrap(); 10])
}

fn app() -> ClientId {
    "app".parse().unwrap()
}

fn new_guard(broken: Option<Broken>) -> Knowledge {
    let guard = Knowledge::new("https://a.test".to_owned(), app(), 1_000);
    let fault = match broken {
        Some(Broken::Guard(fault)) => Some(fault),
        _ => None,
    };
    guard.with(Faults { fault })
}

impl State {
    fn begin(broken: Option<Broken>) -> Self {
        Self {
            now: 0,
            log: Vec::new(),
            head: Position::START,
            backup: None,
            restores: 0,
            guard_starts: 0,
            ends: Vec::new(),
            credentials: vec![(0, Position::START, Position::START)],
            asked: 0,
            questions: Vec::new(),
            answers: Vec::new(),
            remembered: None,
            snapshot: None,
            stream: None,
            needs_snapshot: true,
            guard: new_guard(broken),
        }
    }

    fn append(&mut self, scope: Scope) {
        self.head = self.head.next();
        let cut_off = CutOff {
            position: self.head,
            scope,
        };
        self.log.push(cut_off.clone());
        self.ends.push((cut_off.clone(), self.now, None));
        if let Some(stream) = &mut self.stream {
            stream.push(cut_off);
        }
    }

    /// Everything that may happen next.
    fn steps(&self, size: Size) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut may = |condition: bool, step: Step| {
            if condition {
                steps.push(step);
            }
        };
        may(self.now < size.ticks, Step::Tick);
        let ends = self.ends.len() - self.restores;
        may(ends < size.ends, Step::End(0));
        may(ends < size.ends, Step::End(1));
        // Who signs in on the way matters where a backup does not know of it.
        let has_signed_in = self.credentials.len() > 1;
        may(size.restores > 0 && !has_signed_in, Step::SignIn);
        let may_restore = self.restores < size.restores;
        may(may_restore && self.backup.is_none(), Step::BackUp);
        may(may_restore && self.backup.is_some(), Step::Restore);
        may(self.guard_starts < size.guard_starts, Step::StartGuard);
        let under_way = self.questions.len() + self.answers.len();
        let knows = self.guard.view().applied().is_some();
        let may_ask = self.asked < size.questions && under_way < size.under_way;
        may(knows && may_ask, Step::Ask);
        for at in 0..self.questions.len() {
            may(true, Step::QuestionArrives(at));
        }
        for at in 0..self.answers.len() {
            may(true, Step::AnswerArrives(at));
            may(size.losses, Step::AnswerIsLost(at));
        }
        let wants = self.needs_snapshot && self.stream.is_none();
        may(wants && self.snapshot.is_none(), Step::SnapshotIsRead);
        let may_forget = size.forgets && !self.log.is_empty();
        may(
            wants && self.snapshot.is_none() && may_forget,
            Step::EmptySnapshotIsRead,
        );
        // By the authority's own record, which knows every end up to its head.
        let subject = self.facts(0);
        let lives = !self.log.iter().any(|end| end.kills(&subject.subject()));
        may(size.forgets && lives, Step::Renew);
        may(self.snapshot.is_some(), Step::SnapshotArrives);
        may(size.losses && self.snapshot.is_some(), Step::SnapshotIsLost);
        let may_open = knows && !self.needs_snapshot && self.stream.is_none();
        may(may_open, Step::StreamOpens);
        if let Some(stream) = &self.stream {
            may(true, Step::StreamBreaks);
            for at in 0..stream.len() {
                may(true, Step::EntryArrives(at));
                may(size.losses, Step::EntryArrivesAndComesAgain(at));
                may(size.losses, Step::EntryIsLost(at));
            }
        }
        steps
    }

    fn take(&mut self, step: Step, broken: Option<Broken>) {
        match step {
            Step::Tick => self.now += 1,
            Step::End(login) => self.append(Scope::Login { sid: sid(login) }),
            Step::SignIn => self.credentials.push((1, self.head, self.head)),
            Step::BackUp => self.backup = Some((self.log.clone(), self.head)),
            Step::Restore => self.restore(broken),
            Step::StartGuard => {
                self.guard_starts += 1;
                self.guard = new_guard(broken);
                self.questions.clear();
                self.answers.clear();
                (self.snapshot, self.stream, self.needs_snapshot) = (None, None, true);
            }
            Step::Ask => {
                let ticket = self.guard.view().ask(moment(self.now)).unwrap();
                self.asked += 1;
                self.questions.push(ticket);
            }
            Step::QuestionArrives(at) => {
                let ticket = self.questions.remove(at);
                let head = if broken == Some(Broken::RememberedHead) {
                    *self.remembered.get_or_insert(self.head)
                } else {
                    self.head
                };
                self.answers.push((ticket, head));
            }
            Step::AnswerArrives(at) => self.answer(at, broken),
            Step::AnswerIsLost(at) => drop(self.answers.remove(at)),
            Step::Renew => self.credentials[0].2 = self.head,
            Step::SnapshotIsRead => {
                self.snapshot = Some((self.head, Position::START, self.log.clone()));
            }
            Step::EmptySnapshotIsRead => {
                self.snapshot = Some((self.head, self.head, Vec::new()));
            }
            Step::SnapshotArrives => self.take_snapshot(),
            Step::SnapshotIsLost => self.snapshot = None,
            Step::StreamOpens => self.open(),
            Step::StreamBreaks => self.stream = None,
            Step::EntryArrives(at) => {
                let entry = self.stream.as_mut().unwrap().remove(at);
                self.apply(&entry);
            }
            Step::EntryArrivesAndComesAgain(at) => {
                let entry = self.stream.as_ref().unwrap()[at].clone();
                self.apply(&entry);
            }
            Step::EntryIsLost(at) => drop(self.stream.as_mut().unwrap().remove(at)),
        }
    }

    fn restore(&mut self, broken: Option<Broken>) {
        let (log, from) = self.backup.clone().unwrap();
        self.restores += 1;
        // The process that followed the old log is gone; what it had said may still be under way.
        for (end, _, forgotten) in &mut self.ends {
            if end.position > from {
                *forgotten = (*forgotten).max(Some(from));
            }
        }
        (self.log, self.head) = (log, from);
        if let Some(stream) = &mut self.stream {
            stream.clear();
        }
        if broken != Some(Broken::NoNewEpoch) {
            self.head = Position::new(from.epoch() + 1, 0);
        }
        self.append(Scope::Restored { from });
        // Its stream is another one.
        self.stream = None;
    }

    fn answer(&mut self, at: usize, broken: Option<Broken>) {
        let (ticket, head) = self.answers.remove(at);
        let ticket = if broken == Some(Broken::NotedAfterAsking) {
            self.guard.view().ask(moment(self.now)).unwrap()
        } else {
            ticket
        };
        if self.guard.answer(ticket, head) == Answer::WentBack {
            (self.needs_snapshot, self.stream) = (true, None);
        }
    }

    fn take_snapshot(&mut self) {
        let (head, complete_since, cut_offs) = self.snapshot.take().unwrap();
        let snapshot = Snapshot {
            head,
            issuer: "https://a.test".to_owned(),
            complete_since: Some(complete_since),
            cut_offs,
            keys: Vec::new(),
            apps: vec![AppSettings {
                client_id: app(),
                shape: Shape::Jwt,
                freshness: Freshness::DEFAULT,
                lifetimes: Lifetimes::default(),
            }],
        };
        self.guard.restore(&snapshot, moment(self.now)).unwrap();
        self.needs_snapshot = false;
    }

    /// As the authority's feed answers: what follows the position, or that it cannot be continued.
    fn open(&mut self) {
        let after = self.guard.view().applied().unwrap();
        if after.epoch() != self.head.epoch() || after > self.head {
            self.needs_snapshot = true;
            return;
        }
        let news = self.log.iter().filter(|entry| entry.position > after);
        self.stream = Some(news.cloned().collect());
    }

    fn apply(&mut self, cut_off: &CutOff) {
        let entry = LogEntry {
            position: cut_off.position,
            change: Change::CutOff {
                covers: cut_off.scope.clone(),
            },
        };
        if self.guard.apply(&entry, moment(self.now)) == Applied::Gap {
            (self.needs_snapshot, self.stream) = (true, None);
        }
    }

    /// The contract. Gives the number of the credential that is let in too late.
    fn let_in_too_late(&self) -> Option<usize> {
        (0..self.credentials.len()).find(|number| {
            let facts = self.facts(*number);
            let ended = self.ends.iter().filter(|(end, _, forgotten)| {
                let void = forgotten.is_some_and(|position| facts.rev < position);
                !void && end.kills(&facts.subject())
            });
            let Some(first) = ended.map(|(_, at, _)| *at).min() else {
                return false;
            };
            self.now > first + BOUND && self.says_yes(facts)
        })
    }

    fn facts(&self, number: usize) -> ActiveCredential {
        let (login, rev, as_of) = self.credentials[number];
        ActiveCredential {
            sub: UserId::mint(wall(), [9; 10]),
            username: "alice".to_owned(),
            sid: sid(login),
            client_id: app(),
            rev,
            as_of: Some(as_of),
            kid: None,
            shape: Shape::Jwt,
            iat: wall().as_secs(),
            exp: wall().as_secs() + 3_600,
            auth_time: wall().as_secs(),
            amr: Vec::new(),
            roles: Vec::new(),
        }
    }

    fn says_yes(&self, facts: ActiveCredential) -> bool {
        let now = Now {
            moment: moment(self.now),
            wall: wall(),
        };
        let era = self.guard.view().era(Shape::Jwt);
        let seen = Seen::establish(
            Digests::known().of(b"a token"),
            facts,
            None,
            era,
            now.moment,
            self.guard.view().table(),
        );
        let bound = TICK * u32::try_from(BOUND).unwrap();
        let judgement = judge(&seen, Freshness::Within(bound), self.guard.view(), now);
        matches!(judgement, Judgement::Yes(_))
    }

    /// What tells two states apart. Of the guard: all that its answers depend on.
    fn fingerprint(&self) -> (u64, u64) {
        let dead: Vec<_> = (0..self.credentials.len())
            .map(|number| {
                let table = self.guard.view().table();
                table.latest(&table.scopes(&self.facts(number).subject()))
            })
            .collect();
        let text = format!(
            "{} {} {:?} {:?} {:?} {} {} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {} {:?} {:?} {dead:?} {:?} {:?}",
            self.now,
            self.asked,
            self.log,
            self.head,
            self.backup,
            self.restores,
            self.guard_starts,
            self.ends,
            self.credentials,
            self.questions,
            self.answers,
            self.remembered,
            self.snapshot,
            self.stream,
            self.needs_snapshot,
            self.guard.view().applied(),
            self.guard.view().complete_since,
            self.guard.lease,
            self.guard.marks,
        );
        let hashed = |salt: u8| {
            let mut hasher = DefaultHasher::new();
            salt.hash(&mut hasher);
            text.hash(&mut hasher);
            hasher.finish()
        };
        (hashed(1), hashed(2))
    }
}

/// How a state came about.
struct Path {
    step: Option<Step>,
    before: Option<Rc<Path>>,
}

impl Path {
    fn steps(&self) -> Vec<Step> {
        let before = self.before.as_ref().map(|before| before.steps());
        let mut steps = before.unwrap_or_default();
        steps.extend(self.step);
        steps
    }
}

/// Visits every state of the size. Gives their number, or the shortest way to a yes past the bound.
fn search(size: Size, broken: Option<Broken>) -> Result<usize, Vec<Step>> {
    let beginning = State::begin(broken);
    let mut visited = HashSet::from([beginning.fingerprint()]);
    let path = Rc::new(Path {
        step: None,
        before: None,
    });
    let mut open = VecDeque::from([(beginning, path)]);
    while let Some((state, path)) = open.pop_front() {
        for step in state.steps(size) {
            let mut next = state.clone();
            next.take(step, broken);
            if !visited.insert(next.fingerprint()) {
                continue;
            }
            let path = Rc::new(Path {
                step: Some(step),
                before: Some(Rc::clone(&path)),
            });
            if next.let_in_too_late().is_some() {
                return Err(path.steps());
            }
            open.push_back((next, path));
        }
    }
    Ok(visited.len())
}

/// Two ends; questions and entries in any order.
const STREAM: Size = Size {
    ticks: 2,
    ends: 2,
    questions: 2,
    under_way: 1,
    restores: 0,
    guard_starts: 0,
    losses: true,
    forgets: false,
};

/// A restore, and what was issued after the backup.
const EPOCH: Size = Size {
    ticks: 2,
    ends: 1,
    questions: 1,
    under_way: 1,
    restores: 1,
    guard_starts: 0,
    losses: false,
    forgets: true,
};

/// One end, a guard that starts anew, and two questions that overtake each other.
const START: Size = Size {
    ticks: 2,
    ends: 1,
    questions: 2,
    under_way: 2,
    restores: 0,
    guard_starts: 1,
    losses: false,
    forgets: false,
};

/// Snapshots that leave out what ended somebody, and credentials that are renewed.
const FORGETFUL: Size = Size {
    ticks: 2,
    ends: 2,
    questions: 1,
    under_way: 1,
    restores: 0,
    guard_starts: 1,
    losses: false,
    forgets: true,
};

#[test]
fn no_order_of_events_lets_anybody_in_past_the_bound() {
    for size in [STREAM, EPOCH, START, FORGETFUL] {
        match search(size, None) {
            Ok(states) => {
                println!("{states} states");
                assert!(states > 1_000, "{states}");
            }
            Err(steps) => panic!("{steps:#?}"),
        }
    }
}

#[test]
fn each_rule_is_needed() {
    for (broken, size) in [
        (Broken::Guard(Fault::SkipLease), STREAM),
        (Broken::Guard(Fault::ApplyOutOfOrder), STREAM),
        (Broken::Guard(Fault::IgnoreCompleteSince), FORGETFUL),
        (Broken::NotedAfterAsking, STREAM),
        (Broken::RememberedHead, STREAM),
        (Broken::NoNewEpoch, EPOCH),
    ] {
        assert!(search(size, Some(broken)).is_err(), "{broken:?}");
    }
}
