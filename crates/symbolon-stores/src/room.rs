//! Which logins make room for one more: the limits of [`Terms`] applied one after the other.

use symbolon_authority::ports::LoginWithGrants;
use symbolon_login::{Admission, ClientId, LoginLimit, Sid, admit};

/// What one more login needs before it may be opened.
pub(crate) enum Room {
    /// These end first: whole logins, then the app's grants in logins.
    Made { logins: Vec<Sid>, grants: Vec<Sid> },
    /// There is none beside these, newest first.
    Full(Vec<LoginWithGrants>),
}

/// The limits that a new login of a person has to fit into.
pub(crate) struct Limits<'a> {
    pub(crate) per_person: Option<LoginLimit>,
    pub(crate) per_app: Option<LoginLimit>,
    pub(crate) instead_of: &'a [Sid],
}

impl Limits<'_> {
    /// Whether nothing limits the person: then nobody needs to count.
    pub(crate) fn are_none(&self) -> bool {
        self.instead_of.is_empty() && self.per_person.is_none() && self.per_app.is_none()
    }

    /// Whether there is room beside `living` logins of the person whatever they are: then they need
    /// not be read.
    pub(crate) fn fit_beside(&self, living: u64) -> bool {
        let limits = [self.per_person, self.per_app];
        let room = |limit: &LoginLimit| living < u64::from(limit.most.get());
        self.instead_of.is_empty() && limits.iter().flatten().all(room)
    }

    /// From how many living logins of the person on they have to be read. None: never.
    pub(crate) fn read_from(&self) -> Option<u32> {
        if !self.instead_of.is_empty() {
            return Some(0);
        }
        let limits = [self.per_person, self.per_app];
        let most = limits.iter().flatten().map(|limit| limit.most.get());
        most.min()
    }

    /// Makes room for a login with a grant of `client_id` among `live`, the person's living logins
    /// with their living grants, newest first.
    pub(crate) fn room(&self, live: Vec<LoginWithGrants>, client_id: &ClientId) -> Room {
        let sids = |live: &[LoginWithGrants]| -> Vec<Sid> {
            live.iter().rev().map(|live| live.login.sid).collect()
        };
        let Admission::Welcome(logins) = admit(self.per_person, &sids(&live), self.instead_of)
        else {
            return Room::Full(live);
        };
        let mut in_app = live;
        in_app.retain(|live| {
            let mut grants = live.grants.iter();
            !logins.contains(&live.login.sid) && grants.any(|grant| grant.client_id == *client_id)
        });
        match admit(self.per_app, &sids(&in_app), &[]) {
            Admission::Welcome(grants) => Room::Made { logins, grants },
            Admission::Full => Room::Full(in_app),
        }
    }
}
