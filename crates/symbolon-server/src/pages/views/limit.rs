//! A limit on concurrent logins, shown and asked for.

use symbolon_login::{AtLimit, LoginLimit};

use crate::pages::words::Words;

/// The two fields of a limit, as they stand in a form.
#[derive(Clone, Debug)]
pub(crate) struct LimitFields {
    /// How many at most; empty for no limit.
    pub(crate) most: String,
    /// What one more does.
    pub(crate) rules: [RuleOption; 3],
}

/// A choice of what one login more does.
#[derive(Clone, Debug)]
pub(crate) struct RuleOption {
    pub(crate) value: String,
    pub(crate) text: String,
    pub(crate) selected: bool,
}

impl LimitFields {
    /// What was typed.
    pub(crate) fn typed(t: Words, most: String, at_limit: AtLimit) -> Self {
        let rules = [AtLimit::EndOldest, AtLimit::Ask, AtLimit::Refuse];
        Self {
            most,
            rules: rules.map(|rule| RuleOption {
                value: rule.to_string(),
                text: rule_text(t, rule),
                selected: rule == at_limit,
            }),
        }
    }

    /// What holds now.
    pub(crate) fn of(t: Words, limit: Option<LoginLimit>) -> Self {
        let most = limit.map_or_else(String::new, |limit| limit.most.to_string());
        let at_limit = limit.map_or(AtLimit::EndOldest, |limit| limit.at_limit);
        Self::typed(t, most, at_limit)
    }
}

/// A limit in words.
pub(crate) fn text(t: Words, limit: Option<LoginLimit>) -> String {
    match limit {
        None => t.limit_none(),
        Some(limit) => t.limit_value(u64::from(limit.most.get()), rule_text(t, limit.at_limit)),
    }
}

fn rule_text(t: Words, rule: AtLimit) -> String {
    match rule {
        AtLimit::Refuse => t.limit_at_refuse(),
        AtLimit::EndOldest => t.limit_at_end_oldest(),
        AtLimit::Ask => t.limit_at_ask(),
    }
}
