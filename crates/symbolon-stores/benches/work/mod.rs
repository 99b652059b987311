//! What the benches of this crate share: made-up people and logins, and how figures are printed.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "benches")]

use std::time::Duration;

use symbolon_authority::{
    PasswordHash, User,
    ports::{Directory, NewGrant},
};
use symbolon_login::{ClientId, Digest, GrantId, Login, LoginPolicy, Sid, UnixMillis, UserId};
use symbolon_stores::Sqlite;

/// Where the made-up clock starts.
pub(crate) const START: UnixMillis = UnixMillis::from_secs(1_800_000_000);
/// How many logins the made-up clock sees in a millisecond.
const A_MILLISECOND: u64 = 50;

/// Numbers without a pattern, the same in every run (`SplitMix64`).
pub(crate) struct Scatter(pub u64);

impl Scatter {
    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// The next number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// The moment at which the login `n` is made.
pub(crate) fn moment(n: u64) -> UnixMillis {
    START.plus(Duration::from_millis(n / A_MILLISECOND))
}

/// 80 bits that look random, the same for the same number and kind.
pub(crate) fn bits(n: u64, kind: u64) -> [u8; 10] {
    let mut scatter = Scatter(n.wrapping_mul(31).wrapping_add(kind << 56));
    let mut bits = [0; 10];
    let words = scatter.next().to_le_bytes().into_iter();
    for (to, from) in bits.iter_mut().zip(words.chain([0, 0])) {
        *to = from;
    }
    bits[8] = scatter.next().to_le_bytes()[0];
    bits
}

/// The login `n`'s id.
pub(crate) fn sid(n: u64) -> Sid {
    Sid::mint(moment(n), bits(n, 1))
}

/// The id of the login `n`'s grant.
pub(crate) fn grant_id(n: u64) -> GrantId {
    GrantId::first_of(sid(n))
}

/// The person `n`'s id.
pub(crate) fn user_id(n: u64) -> UserId {
    UserId::mint(START, bits(n, 3))
}

/// The login `n`, as it is asked for.
pub(crate) fn login(n: u64, users: u64) -> (Login, NewGrant) {
    let now = moment(n);
    let login = Login {
        sid: sid(n),
        user: user_id(Scatter(n).below(users)),
        authenticated_at: now,
        methods: vec!["pwd".to_owned()],
        device: Some("Firefox on Linux".to_owned()),
        expires_at: now.plus(Duration::from_secs(30 * 86_400)),
        idle: None,
        remembered: true,
        ended_at: None,
    };
    let grant = NewGrant {
        id: grant_id(n),
        client_id: client_id(),
        digest: secret(n, 0),
    };
    (login, grant)
}

/// The app of all logins.
pub(crate) fn client_id() -> ClientId {
    "backoffice".parse().unwrap()
}

/// The digest of the secret `generation` of the login `n`'s grant.
pub(crate) fn secret(n: u64, generation: u32) -> Digest {
    let (n, generation) = (n.to_le_bytes(), generation.to_le_bytes());
    Digest::of("bench", &[&n[..], &generation[..]].concat())
}

/// Adds the first so many people.
pub(crate) async fn add_users(store: &Sqlite, users: u64) {
    let mut numbers = (0..users).peekable();
    while numbers.peek().is_some() {
        let added = numbers.by_ref().take(1_000).map(|n| {
            let user = User {
                id: user_id(n),
                identifier: format!("person{n}").parse().unwrap(),
                roles: Vec::new(),
                policy: LoginPolicy::default(),
                created_at: START,
                disabled_at: None,
            };
            store.add_user(user, PasswordHash::from_phc("x".to_owned()))
        });
        for added in futures_util::future::join_all(added).await {
            added.unwrap();
        }
    }
}

/// The middle of the figures and, around it, their middle half.
pub(crate) fn spread(mut figures: Vec<f64>) -> [f64; 3] {
    figures.sort_by(f64::total_cmp);
    let at = |part: usize| figures[(figures.len() - 1) * part / 4];
    [at(2), at(1), at(3)]
}
