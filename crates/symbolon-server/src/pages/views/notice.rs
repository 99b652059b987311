//! What a page says about what was just done.

use crate::pages::{return_to::LocalPath, words::Words};

/// One sentence on the page that a redirect leads to. Its name travels in the address, so a made-up
/// address can show it too: it never says more than what a person did themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// This login was ended.
    SignedOut,
    /// All logins of the person were ended.
    SignedOutEverywhere,
    /// There is an administrator now.
    SetUpDone,
    /// One other login was ended.
    LoginEnded,
    /// There was no such login to end.
    LoginGone,
    /// An account was added.
    UserAdded,
    /// An account was disabled.
    UserDisabled,
    /// An account was enabled.
    UserEnabled,
    /// Roles were replaced.
    RolesChanged,
    /// What logins are held to was replaced.
    PolicyChanged,
}

const NAMES: [(Notice, &str); 10] = [
    (Notice::SignedOut, "signed-out"),
    (Notice::SignedOutEverywhere, "signed-out-everywhere"),
    (Notice::SetUpDone, "set-up-done"),
    (Notice::LoginEnded, "login-ended"),
    (Notice::LoginGone, "login-gone"),
    (Notice::UserAdded, "user-added"),
    (Notice::UserDisabled, "user-disabled"),
    (Notice::UserEnabled, "user-enabled"),
    (Notice::RolesChanged, "roles-changed"),
    (Notice::PolicyChanged, "policy-changed"),
];

impl Notice {
    /// The notice of that name; none for anything else.
    pub(crate) fn from_name(text: &str) -> Option<Self> {
        NAMES
            .into_iter()
            .find(|(_, name)| *name == text)
            .map(|(notice, _)| notice)
    }

    /// The page at `path`, with this notice.
    pub(crate) fn at(self, path: LocalPath) -> LocalPath {
        let name = NAMES
            .into_iter()
            .find(|(notice, _)| *notice == self)
            .map_or("", |(_, name)| name);
        path.with("notice", name)
    }

    /// The sentence.
    pub(crate) fn text(self, t: Words) -> String {
        match self {
            Self::SignedOut => t.notice_signed_out(),
            Self::SignedOutEverywhere => t.notice_signed_out_everywhere(),
            Self::SetUpDone => t.notice_set_up_done(),
            Self::LoginEnded => t.notice_login_ended(),
            Self::LoginGone => t.notice_login_gone(),
            Self::UserAdded => t.notice_user_added(),
            Self::UserDisabled => t.notice_user_disabled(),
            Self::UserEnabled => t.notice_user_enabled(),
            Self::RolesChanged => t.notice_roles_changed(),
            Self::PolicyChanged => t.notice_policy_changed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_notice_finds_its_way_back() {
        for (notice, name) in NAMES {
            assert_eq!(Notice::from_name(name), Some(notice));
            assert_eq!(
                notice.at(LocalPath::to("/x")).as_str(),
                format!("/x?notice={name}")
            );
        }
        assert_eq!(Notice::from_name("<script>"), None);
    }
}
