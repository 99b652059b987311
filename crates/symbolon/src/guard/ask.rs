//! What a route demands: the query of `/check`.

use symbolon_guard::{Freshness, Role};
use url::form_urlencoded;

/// The demands of one route beside "signed in".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ask {
    /// How fresh the yes has to be, beside what the app says.
    pub(super) freshness: Option<Freshness>,
    /// What the person has to be allowed.
    pub(super) role: Option<Role>,
    /// Whether nobody is good enough.
    pub(super) optional: bool,
}

impl Ask {
    /// Reads a query. Nothing in it is passed over: a demand that is not understood must not become none.
    ///
    /// The error says what is wrong, in words for whoever configures the proxy.
    pub(super) fn read(query: &str) -> Result<Self, String> {
        let mut ask = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let again = match &*name {
                "freshness" => {
                    let freshness = value.parse().map_err(|bad| format!("freshness: {bad}"))?;
                    ask.freshness.replace(freshness).is_some()
                }
                "role" => {
                    let role = value.parse().map_err(|bad| format!("role: {bad}"))?;
                    ask.role.replace(role).is_some()
                }
                "optional" if value.is_empty() => std::mem::replace(&mut ask.optional, true),
                "optional" => return Err("optional takes no value".to_owned()),
                _ => {
                    return Err(format!(
                        "unknown parameter {name:?}: expected freshness, role or optional"
                    ));
                }
            };
            if again {
                return Err(format!("{name} is given twice"));
            }
        }
        if ask.optional && ask.role.is_some() {
            return Err("optional and role contradict each other".to_owned());
        }
        Ok(ask)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn demands_are_read() {
        assert_eq!(Ask::read("").unwrap(), Ask::default());
        let ask = Ask::read("role=admin&freshness=within(1s)").unwrap();
        assert_eq!(ask.role, Some("admin".parse().unwrap()));
        assert_eq!(ask.freshness, Some("within(1s)".parse().unwrap()));
        let escaped = Ask::read("freshness=within%28500ms%29").unwrap();
        assert_eq!(escaped.freshness, Some("within(500ms)".parse().unwrap()));
        assert!(Ask::read("optional").unwrap().optional);
        assert!(Ask::read("optional=").unwrap().optional);
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for query in [
            "roles=admin",
            "Role=admin",
            "role",
            "role=",
            "role=a&role=b",
            "role=a,b",
            "role=Admin",
            "freshness=",
            "freshness=now",
            "freshness=within(2h)",
            "freshness=live&freshness=live",
            "optional=no",
            "optional&optional",
            "optional&role=admin",
            "max_age=300",
            "x",
            "=",
        ] {
            assert!(Ask::read(query).is_err(), "{query}");
        }
    }
}
