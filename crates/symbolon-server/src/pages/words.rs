//! What the pages say, in every language that they speak.
//!
//! Each word is a method of [`Words`], so a template cannot use one that was never declared. The
//! texts are in `i18n/<language>/*.ftl` (Project Fluent); a test of this file fails when one is
//! missing in a language, names another placeholder than its method, or is not declared here.

use std::{borrow::Cow, collections::HashMap};

use fluent_templates::{LanguageIdentifier, StaticLoader, fluent_bundle::FluentValue, langid};
use symbolon_adviser::Lang;

fluent_templates::static_loader! {
    static LOCALES = {
        locales: "i18n",
        fallback_language: "en",
        // Marks around arguments would end up in titles and attributes; arguments that could turn a
        // sentence around are defused by `shown` instead.
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

const EN: LanguageIdentifier = langid!("en");
const KO: LanguageIdentifier = langid!("ko");

/// A language that the pages speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// English.
    En,
    /// Korean.
    Ko,
}

impl Language {
    /// Its BCP 47 tag: the value of `<html lang>` and of the preference cookie.
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ko => "ko",
        }
    }

    /// The language of a tag that [`Language::tag`] gives.
    pub(crate) fn from_tag(tag: &str) -> Option<Self> {
        [Self::En, Self::Ko]
            .into_iter()
            .find(|language| language.tag() == tag)
    }
}

impl From<Language> for Lang {
    fn from(language: Language) -> Self {
        match language {
            Language::En => Self::En,
            Language::Ko => Self::Ko,
        }
    }
}

/// All words in one language.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words(Language);

impl Words {
    /// The words of `language`.
    pub(crate) const fn of(language: Language) -> Self {
        Self(language)
    }

    /// The language.
    pub(crate) const fn language(self) -> Language {
        self.0
    }

    fn say(self, word: &'static str, arguments: &[(&'static str, FluentValue<'static>)]) -> String {
        let arguments: HashMap<_, _> = arguments
            .iter()
            .map(|(name, value)| (Cow::Borrowed(*name), value.clone()))
            .collect();
        lookup(self.0, word, &arguments)
            // Cannot happen while the test of this file passes; a page with a bare word in it is
            // better than no page.
            .unwrap_or_else(|| word.to_owned())
    }
}

type Arguments = HashMap<Cow<'static, str>, FluentValue<'static>>;

fn lookup(language: Language, word: &str, arguments: &Arguments) -> Option<String> {
    let loader: &StaticLoader = &LOCALES;
    let id = match language {
        Language::En => &EN,
        Language::Ko => &KO,
    };
    loader
        .lookup_single_language(id, word, Some(arguments))
        .ok()
}

/// What may stand at a placeholder.
pub(crate) trait Argument {
    /// The value for Fluent.
    fn value(&self) -> FluentValue<'static>;
}

impl Argument for str {
    fn value(&self) -> FluentValue<'static> {
        FluentValue::String(Cow::Owned(shown(self)))
    }
}

impl Argument for String {
    fn value(&self) -> FluentValue<'static> {
        self.as_str().value()
    }
}

impl Argument for u64 {
    fn value(&self) -> FluentValue<'static> {
        FluentValue::from(*self)
    }
}

impl<T: Argument + ?Sized> Argument for &T {
    fn value(&self) -> FluentValue<'static> {
        T::value(self)
    }
}

/// `text` without control characters and without the bidirectional controls by which a stored name
/// could reorder the sentence around it (UAX #9; "Trojan Source").
fn shown(text: &str) -> String {
    let harmful = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .map(|c| if harmful(c) { '\u{fffd}' } else { c })
        .collect()
}

macro_rules! words {
    ($($name:ident($($argument:ident),*);)*) => {
        impl Words {
            $(
                pub(crate) fn $name(self $(, $argument: impl Argument)*) -> String {
                    self.say(stringify!($name), &[$((stringify!($argument), $argument.value())),*])
                }
            )*
        }

        #[cfg(test)]
        const ALL: &[(&str, &[&str])] = &[$((stringify!($name), &[$(stringify!($argument)),*])),*];
    };
}

words! {
    // Every page.
    skip_to_content();
    language_label();
    nav_label();
    nav_account();
    nav_users();
    nav_apps();
    nav_adviser();
    sign_in();
    sign_out();
    signed_in_as(name);
    footer_line();
    reveal_password();
    hide_password();
    copy();
    copied();

    // Values.
    shape_session();
    shape_jwt();
    role_admin();
    unknown_device();
    days(count);
    hours(count);
    minutes(count);
    seconds(count);
    milliseconds(count);

    // Sign-in.
    sign_in_to(app);
    tagline();
    tagline_end();
    identifier();
    password();
    wrong_credentials();
    prove_again();
    prove_again_for(app);

    // What a page says about what was just done.
    notice_signed_out();
    notice_signed_out_everywhere();
    notice_set_up_done();
    notice_login_ended();
    notice_login_gone();
    notice_user_added();
    notice_user_disabled();
    notice_user_enabled();
    notice_shape_changed(app, shape);
    notice_nobody_signs_in_again();
    notice_freshness_changed(app, freshness);

    // No room for one more login.
    keep_signed_in();
    full_title();
    full_choose();
    full_choose_app(app);
    full_refused();
    full_refused_app(app);
    full_legend();
    full_password();
    full_submit();

    // Limits.
    limit();
    limit_none();
    limit_value(count, rule);
    limit_at();
    limit_at_refuse();
    limit_at_end_oldest();
    limit_at_ask();
    limit_set();
    limit_hint();
    bad_limit();
    notice_limit_changed(app, limit);
    notice_roles_changed();
    notice_policy_changed();
    user_roles_hint();
    user_roles_set();
    user_policy();
    user_policy_hint();
    user_idle();
    user_absolute();
    user_policy_set();
    bad_role();
    bad_own_role();
    bad_idle();
    bad_absolute();

    // My devices.
    account_title();
    account_intro();
    this_device();
    signed_in_since();
    last_used();
    expires();
    apps_of_login();
    end_own_login();
    end_own_login_label(device);
    sign_out_everywhere();
    sign_out_everywhere_hint();
    no_logins();

    // Users.
    users_title();
    users_search();
    users_search_submit();
    users_none();
    users_first();
    users_next();
    user_roles();
    user_state();
    user_created();
    user_active();
    user_disabled();
    user_disabled_at();
    user_add();
    user_add_submit();
    user_make_admin();
    new_password_hint();
    bad_identifier();
    bad_password_short();
    bad_password_long();
    identifier_taken();
    optional();

    // One user.
    user_logins();
    force_logout();
    force_logout_label(device);
    user_sign_out_everywhere();
    user_disable();
    user_disable_hint();
    user_enable();
    user_is_you();
    cut_title();
    cut_position(position);
    cut_slowest();
    cut_from_acknowledgement();
    cut_all_applied(count);
    cut_some_missing(count);
    cut_no_guards();
    cut_guard();
    cut_applied_after();
    cut_not_yet();
    cut_milliseconds(time);

    // Apps.
    apps_title();
    apps_intro();
    app();
    app_shape();
    app_shape_session_hint();
    app_shape_jwt_hint();
    app_flip(from, to);
    app_freshness();
    app_freshness_live();
    app_freshness_within(time);
    app_freshness_until_expiry();
    app_freshness_set();
    app_idle();
    app_absolute();
    app_access_token();
    app_grace();
    app_redirect_uris();
    app_no_redirect_uris();
    app_guards();
    app_no_guards();
    app_guard_position(position);
    app_guard_ago(time);
    app_confidential();
    app_public();
    app_first_party();
    app_console_hint();

    // What the adviser thinks of one.
    advice_title();
    advice_agrees();
    advice_differs(advised);
    advice_link();
    advice_dials();
    advice_now();
    advice_advised();
    advice_same();
    advice_yes();
    advice_no();
    advice_known();
    advice_unknown();
    advice_more();
    carrier_cookie();
    carrier_bearer();
    traffic_measured(requests, counted, guards);
    traffic_cookies(percent);
    traffic_without_guards();
    traffic_not_counted(guards);
    traffic_of_public();
    traffic_of_node();

    // A new app.
    app_add();
    app_add_submit();
    app_client_id();
    app_client_id_hint();
    app_name();
    app_redirect_uris_hint();
    app_confidential_hint();
    app_first_party_hint();
    bad_client_id();
    bad_app_name();
    bad_redirect_uri();
    client_id_taken();
    app_added(app);
    app_secret();
    app_secret_once();
    app_public_no_secret();
    app_added_back();

    // The adviser.
    adviser_title();
    adviser_intro();
    adviser_unknown();
    adviser_submit();
    adviser_bad_answer(name, allowed);
    adviser_bad_fact(name);
    adviser_contradictions();
    adviser_because();
    adviser_against();
    adviser_flips();
    adviser_no_flips();
    adviser_flip(dial, to);
    adviser_change(fact, to, from);
    adviser_price();
    adviser_chart();
    adviser_option();
    adviser_reads();
    adviser_writes();
    adviser_questions();
    adviser_tokens();
    adviser_cores();
    adviser_memory();
    adviser_network();
    adviser_bytes();
    adviser_window();
    adviser_chosen();
    adviser_assumed(fact, value, why);
    adviser_formulas();
    adviser_settings();
    adviser_example(framework);

    // Set-up.
    set_up_title();
    set_up_intro();
    set_up_submit();
    set_up_refused_title();
    set_up_refused();
    set_up_taken();

    // Refusals.
    refusal_home();
    refusal_bad_request_title();
    refusal_bad_request();
    refusal_not_admin_title();
    refusal_not_admin();
    refusal_cross_site_title();
    refusal_cross_site();
    refusal_not_found_title();
    refusal_not_found();
    refusal_too_large_title();
    refusal_too_large();
    refusal_too_many_title();
    refusal_too_many(count);
    refusal_unavailable_title();
    refusal_unavailable();
    refusal_internal_title();
    refusal_internal();
    refusal_oauth_title();
    refusal_oauth();
    refusal_oauth_code();
    refusal_oauth_description();
}

#[cfg(test)]
mod tests;
