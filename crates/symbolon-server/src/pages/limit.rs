//! The two fields of a limit on concurrent logins, as forms bring them.

use symbolon_login::{AtLimit, LoginLimit};

/// Neither empty nor a number from 1 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadLimit;

/// Reads a limit; none where the number is left out.
pub(super) fn read(most: &str, at_limit: AtLimit) -> Result<Option<LoginLimit>, BadLimit> {
    match most.trim() {
        "" => Ok(None),
        most => {
            let most = most.parse().map_err(|_| BadLimit)?;
            Ok(Some(LoginLimit { most, at_limit }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_empty_or_a_number_from_one_on() {
        assert_eq!(read(" ", AtLimit::Ask), Ok(None));
        let two = read(" 2 ", AtLimit::Ask);
        assert!(two.is_ok_and(|two| {
            two.is_some_and(|two| two.most.get() == 2 && two.at_limit == AtLimit::Ask)
        }));
        for bad in ["0", "-1", "1.5", "4294967296", "many"] {
            assert_eq!(read(bad, AtLimit::Refuse), Err(BadLimit), "{bad}");
        }
    }
}
