//! What becomes of a grant when a secret of its line is presented, and when it is seen again.

use std::time::Duration;

use crate::{
    ClientId, Digest, Grant, GrantId, Lifetimes, Line, Login, Redemption, Standing, UnixMillis,
    redeem, standing,
};

/// Uses of one grant that are closer together than this are one write.
pub const SEEN_EVERY: Duration = Duration::from_secs(60);

/// A presented secret of a line, authentic by its MAC.
#[derive(Clone, Debug)]
pub struct Presented {
    /// The grant that it names.
    pub grant: GrantId,
    /// Its generation.
    pub generation: u32,
    /// Its digest.
    pub digest: Digest,
    /// The digest of the secret that replaces it.
    pub successor: Digest,
}

/// What the presentation of a secret does to its grant and login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Move the line to its successor.
    Rotate,
    /// Give the same answer again; nothing changes.
    Replay,
    /// Somebody kept a copy: end the login.
    EndLogin,
    /// Refuse: it is over.
    Ended,
    /// Refuse: not of this app, or not of this line.
    Unknown,
}

impl Presented {
    /// Judges it against its grant, shown by the app `client_id`.
    ///
    /// A reuse ends the login even when only the grant is over: a copied secret is proof of a theft
    /// whatever became of the grant since (RFC 9700 section 4.14.2).
    pub fn judge(
        &self,
        login: &Login,
        grant: &Grant,
        client_id: &ClientId,
        lifetimes: &Lifetimes,
        now: UnixMillis,
    ) -> Verdict {
        if grant.client_id != *client_id {
            return Verdict::Unknown;
        }
        let (digest, successor) = (&self.digest, &self.successor);
        let grace = lifetimes.grace();
        let redemption = redeem(&grant.line, self.generation, digest, successor, now, grace);
        let standing = standing(login, grant, lifetimes, now);
        match redemption {
            Redemption::Reuse if login.stands(now) => Verdict::EndLogin,
            _ if !matches!(standing, Standing::Alive { .. }) => Verdict::Ended,
            Redemption::Current => Verdict::Rotate,
            Redemption::Replay => Verdict::Replay,
            Redemption::Reuse => Verdict::Ended,
            Redemption::Foreign => Verdict::Unknown,
        }
    }

    /// Where its line stands after it was redeemed.
    pub fn moved(&self, now: UnixMillis) -> Line {
        Line {
            generation: self.generation.saturating_add(1),
            digest: self.successor,
            moved_at: now,
        }
    }
}

impl Login {
    /// Whether it has neither ended nor expired.
    pub fn stands(&self, now: UnixMillis) -> bool {
        self.ended_at.is_none() && now < self.expires_at
    }
}

impl Grant {
    /// The time of use to write when it is seen at `now`, if any: at most one in [`SEEN_EVERY`], and
    /// none for a grant or login that is over.
    pub fn seen(&self, login: &Login, now: UnixMillis) -> Option<UnixMillis> {
        let stands = login.stands(now) && self.ended_at.is_none();
        (stands && now >= self.used_at.plus(SEEN_EVERY)).then_some(now)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::{Position, SecretKeys, SecretKind, Sid, UserId};

    const START: UnixMillis = UnixMillis::from_secs(1_800_000_000);

    fn at(secs: u64) -> UnixMillis {
        START.plus(Duration::from_secs(secs))
    }

    /// A login, its grant at generation 1 (moved at 100 s), and secrets of generations 0 and 1.
    fn world() -> (Login, Grant, Presented, Presented) {
        let login = Login {
            sid: Sid::mint(START, [1; 10]),
            user: UserId::mint(START, [2; 10]),
            authenticated_at: START,
            methods: vec![],
            device: None,
            expires_at: at(10_000),
            idle: None,
            remembered: true,
            ended_at: None,
        };
        let keys = SecretKeys::derive(&[1; 32]);
        let kind = SecretKind::Refresh;
        let id = GrantId::mint(START, [3; 10]);
        let first = keys.first(kind, id, [5; 32]);
        let second = keys.successor(&first, kind);
        let third = keys.successor(&second, kind);
        let presented = |generation, digest, successor| Presented {
            grant: id,
            generation,
            digest,
            successor,
        };
        let old = presented(0, first.digest(), second.digest());
        let current = presented(1, second.digest(), third.digest());
        let grant = Grant {
            id,
            sid: login.sid,
            client_id: "app".parse().unwrap(),
            rev: Position::START,
            opened_at: START,
            used_at: at(100),
            line: old.moved(at(100)),
            ended_at: None,
        };
        (login, grant, old, current)
    }

    fn judge(presented: &Presented, login: &Login, grant: &Grant, now: UnixMillis) -> Verdict {
        presented.judge(
            login,
            grant,
            &"app".parse().unwrap(),
            &Lifetimes::default(),
            now,
        )
    }

    #[test]
    fn a_presented_secret_earns_what_line_and_login_allow() {
        let (login, grant, old, current) = world();
        assert_eq!(judge(&current, &login, &grant, at(105)), Verdict::Rotate);
        assert_eq!(judge(&old, &login, &grant, at(109)), Verdict::Replay);
        assert_eq!(judge(&old, &login, &grant, at(110)), Verdict::EndLogin);
        let other = "other".parse().unwrap();
        let asked = old.judge(&login, &grant, &other, &Lifetimes::default(), at(110));
        assert_eq!(
            asked,
            Verdict::Unknown,
            "another app cannot end the login with it"
        );

        let alone = Grant {
            ended_at: Some(at(101)),
            ..grant.clone()
        };
        assert_eq!(judge(&current, &login, &alone, at(105)), Verdict::Ended);
        assert_eq!(judge(&old, &login, &alone, at(109)), Verdict::Ended);
        assert_eq!(judge(&old, &login, &alone, at(110)), Verdict::EndLogin);
        let over = Login {
            ended_at: Some(at(101)),
            ..login.clone()
        };
        assert_eq!(judge(&current, &over, &grant, at(105)), Verdict::Ended);
        assert_eq!(judge(&old, &over, &grant, at(110)), Verdict::Ended);
        assert_eq!(
            judge(&old, &login, &grant, at(10_000)),
            Verdict::Ended,
            "expired"
        );
    }

    #[test]
    fn a_use_is_written_once_a_minute_and_never_revives() {
        let (login, grant, ..) = world();
        assert_eq!(grant.seen(&login, at(159)), None);
        assert_eq!(grant.seen(&login, at(160)), Some(at(160)));
        let alone = Grant {
            ended_at: Some(at(101)),
            ..grant.clone()
        };
        assert_eq!(alone.seen(&login, at(160)), None);
        let over = Login {
            ended_at: Some(at(101)),
            ..login
        };
        assert_eq!(grant.seen(&over, at(160)), None);
    }
}
