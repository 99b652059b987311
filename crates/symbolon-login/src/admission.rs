//! How many logins a person may have at once, and what becomes of one more.

use std::{fmt, num::NonZeroU32, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::Sid;

/// What one login more than the limit does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AtLimit {
    /// It is refused: the people who are signed in stay it.
    Refuse,
    /// The oldest makes room.
    EndOldest,
    /// The person is asked which one makes room.
    Ask,
}

impl fmt::Display for AtLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refuse => "refuse",
            Self::EndOldest => "end_oldest",
            Self::Ask => "ask",
        })
    }
}

/// The text says nothing about what happens at the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an answer to a full house: expected refuse, end_oldest or ask")]
pub struct UnknownAtLimit;

impl FromStr for AtLimit {
    type Err = UnknownAtLimit;

    fn from_str(text: &str) -> Result<Self, UnknownAtLimit> {
        match text {
            "refuse" => Ok(Self::Refuse),
            "end_oldest" => Ok(Self::EndOldest),
            "ask" => Ok(Self::Ask),
            _ => Err(UnknownAtLimit),
        }
    }
}

/// A limit on concurrent logins: of a person in all, or of a person in one app (ASVS 7.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginLimit {
    /// How many at most.
    pub most: NonZeroU32,
    /// What one more does.
    pub at_limit: AtLimit,
}

impl LoginLimit {
    /// Whether one more login can be had by giving up another.
    pub const fn yields(&self) -> bool {
        !matches!(self.at_limit, AtLimit::Refuse)
    }
}

/// Whether there is room for one more login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// There is, once these have ended. Often none.
    Welcome(Vec<Sid>),
    /// There is not: nothing is ended and nothing is opened.
    Full,
}

/// Decides whether one more login fits beside `live` (oldest first), of which the person gave up
/// `instead_of`. What was given up and is not live any more takes up no room either way.
pub fn admit(limit: Option<LoginLimit>, live: &[Sid], instead_of: &[Sid]) -> Admission {
    let (mut ending, staying): (Vec<Sid>, Vec<Sid>) =
        live.iter().partition(|sid| instead_of.contains(sid));
    let Some(limit) = limit else {
        return Admission::Welcome(ending);
    };
    let most = usize::try_from(limit.most.get()).unwrap_or(usize::MAX);
    let beyond = staying.len().saturating_add(1).saturating_sub(most);
    match limit.at_limit {
        _ if beyond == 0 => Admission::Welcome(ending),
        AtLimit::EndOldest => {
            ending.extend(staying.into_iter().take(beyond));
            Admission::Welcome(ending)
        }
        AtLimit::Refuse | AtLimit::Ask => Admission::Full,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;
    use crate::UnixMillis;

    fn sid(n: u8) -> Sid {
        Sid::mint(UnixMillis::from_millis(i64::from(n)), [n; 10])
    }

    fn sids(numbers: &[u8]) -> Vec<Sid> {
        numbers.iter().copied().map(sid).collect()
    }

    #[expect(clippy::unnecessary_wraps, reason = "what `admit` takes")]
    fn limit(most: u32, at_limit: AtLimit) -> Option<LoginLimit> {
        let most = NonZeroU32::new(most).unwrap();
        Some(LoginLimit { most, at_limit })
    }

    #[test]
    fn one_more_login_fits_refuses_displaces_or_asks() {
        use AtLimit::{Ask, EndOldest, Refuse};
        let welcome = |ending: &[u8]| Admission::Welcome(sids(ending));
        for (limit, live, instead_of, expected) in [
            (None, &[1, 2, 3][..], &[][..], welcome(&[])),
            (None, &[1, 2, 3], &[2], welcome(&[2])),
            (limit(3, Refuse), &[1, 2], &[], welcome(&[])),
            (limit(3, Refuse), &[1, 2, 3], &[], Admission::Full),
            (limit(3, Refuse), &[1, 2, 3], &[3], welcome(&[3])),
            (limit(3, Ask), &[1, 2, 3], &[], Admission::Full),
            (limit(3, Ask), &[1, 2, 3], &[1], welcome(&[1])),
            // What is gone already makes no room.
            (limit(3, Ask), &[1, 2, 3], &[9], Admission::Full),
            (limit(3, EndOldest), &[1, 2], &[], welcome(&[])),
            (limit(3, EndOldest), &[1, 2, 3], &[], welcome(&[1])),
            (limit(1, EndOldest), &[1, 2, 3], &[], welcome(&[1, 2, 3])),
            (limit(2, EndOldest), &[1, 2, 3], &[2], welcome(&[2, 1])),
            // A limit that was lowered: as many leave as it takes.
            (limit(2, Ask), &[1, 2, 3, 4], &[1], Admission::Full),
            (
                limit(2, Ask),
                &[1, 2, 3, 4],
                &[1, 2, 4],
                welcome(&[1, 2, 4]),
            ),
        ] {
            let found = admit(limit, &sids(live), &sids(instead_of));
            assert_eq!(found, expected, "{limit:?} {live:?} {instead_of:?}");
        }
    }

    proptest! {
        #[test]
        fn whoever_is_admitted_leaves_the_limit_kept(
            most in 1..5_u32,
            at in prop_oneof![Just(AtLimit::Refuse), Just(AtLimit::EndOldest), Just(AtLimit::Ask)],
            live in 0..8_u8,
            given_up in proptest::collection::vec(0..10_u8, 0..4),
        ) {
            let live: Vec<_> = (0..live).map(sid).collect();
            match admit(limit(most, at), &live, &sids(&given_up)) {
                Admission::Welcome(ending) => {
                    let mut distinct = ending.clone();
                    distinct.sort();
                    distinct.dedup();
                    prop_assert_eq!(distinct.len(), ending.len(), "each is ended once");
                    prop_assert!(ending.iter().all(|sid| live.contains(sid)));
                    prop_assert!(live.len() - ending.len() < usize::try_from(most).unwrap());
                }
                Admission::Full => prop_assert!(at != AtLimit::EndOldest),
            }
        }
    }

    #[test]
    fn an_answer_to_a_full_house_has_one_spelling() {
        for at in [AtLimit::Refuse, AtLimit::EndOldest, AtLimit::Ask] {
            assert_eq!(at.to_string().parse(), Ok(at));
            assert_eq!(serde_json::to_string(&at).unwrap(), format!("\"{at}\""));
        }
        assert_eq!("oldest".parse::<AtLimit>(), Err(UnknownAtLimit));
    }
}
