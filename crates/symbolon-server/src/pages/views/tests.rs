#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod advice;
mod refused;

use std::{collections::HashMap, fs, num::NonZeroU32, path::Path, time::Duration};

use askama::Template;
use http::StatusCode;
use symbolon_authority::{App, FullHouse, User, ports::LoginWithGrants};
use symbolon_login::{
    AppSettings, AtLimit, Digest, Freshness, Grant, GrantId, Lifetimes, Line, Login, LoginLimit,
    LoginPolicy, Position, Shape, Sid, UnixMillis, UserId,
};

use super::{
    account::AccountPage,
    apps::{AddedPage, AppForm, AppsPage, BadApp, Dial, Turned},
    full_house::{FullHousePage, Occasion, SignInAgain},
    login::{EndedBy, LoginRow},
    notice::Notice,
    refusal::{OauthError, Refusal, RefusalPage},
    set_up::SetUpPage,
    sign_in::SignInPage,
    user::{BadRules, Cut, RulesForm, UserPage},
    users::{BadUser, UserForm, UserRow, UsersPage},
};
use uuid::Uuid;

use crate::{
    board::{GuardReport, GuardSeen, Traffic},
    pages::{
        page::{Page, Section, Visitor},
        return_to::LocalPath,
        words::{Language, Words},
    },
};

/// What somebody may have stored or typed (ASVS 3.2.2), and how it looks when it is only text.
const HOSTILE: &str =
    r#""><script>alert('x')</script><img src=x onerror=alert(1)>{{7*7}}</textarea></title>&"#;

const NOW: UnixMillis = UnixMillis::from_millis(1_795_415_508_000);

fn page(language: Language) -> Page {
    Page {
        t: Words::of(language),
        visitor: Visitor::Known {
            name: HOSTILE.to_owned(),
            admin: true,
        },
        section: Section::Users,
        here: LocalPath::to("/account"),
    }
}

fn app(client_id: &str, shape: Shape) -> App {
    App {
        settings: AppSettings {
            client_id: client_id.parse().unwrap(),
            shape,
            freshness: Freshness::Within(Duration::from_millis(250)),
            lifetimes: Lifetimes::default(),
        },
        name: HOSTILE.to_owned(),
        limit: Some(limit()),
        redirect_uris: vec!["https://a.test/cb?x=<script>&y='\"".parse().unwrap()],
        secret: None,
        first_party: true,
        created_at: NOW,
    }
}

fn limit() -> LoginLimit {
    LoginLimit {
        most: NonZeroU32::MIN,
        at_limit: AtLimit::Ask,
    }
}

fn found() -> LoginWithGrants {
    let (user, sid) = (UserId::mint(NOW, [1; 10]), Sid::mint(NOW, [2; 10]));
    let login = Login {
        sid,
        user,
        authenticated_at: NOW,
        methods: vec!["pwd".to_owned()],
        device: Some(HOSTILE.to_owned()),
        expires_at: NOW,
        idle: None,
        remembered: false,
        ended_at: None,
    };
    let grant = Grant {
        id: GrantId::mint(NOW, [3; 10]),
        sid,
        client_id: "dashboard".parse().unwrap(),
        rev: Position::START,
        opened_at: NOW,
        used_at: NOW,
        line: Line {
            generation: 0,
            digest: Digest::of("test", b""),
            moved_at: NOW,
        },
        ended_at: None,
    };
    LoginWithGrants {
        login,
        grants: vec![grant],
    }
}

fn rows(t: Words, by: EndedBy) -> Vec<LoginRow> {
    let dashboard = app("dashboard", Shape::Jwt);
    let apps = HashMap::from([(dashboard.settings.client_id.clone(), dashboard)]);
    let found = found();
    vec![LoginRow::new(t, &found, &apps, found.login.sid, by)]
}

fn user() -> User {
    User {
        id: UserId::mint(NOW, [1; 10]),
        identifier: "mallory&co".parse().unwrap(),
        roles: vec!["admin".parse().unwrap(), "clerk".parse().unwrap()],
        policy: LoginPolicy::new(None, None, Some(limit())).unwrap(),
        created_at: NOW,
        disabled_at: Some(NOW),
    }
}

fn cut() -> Cut {
    let guard = |bytes, applied_after| GuardReport {
        guard: Uuid::from_bytes([bytes; 16]),
        client_id: "dashboard".parse().unwrap(),
        applied_after,
    };
    let reports = vec![
        guard(1, None),
        guard(2, Some(Duration::from_micros(3_249))),
        guard(3, Some(Duration::from_micros(800))),
    ];
    Cut::new(Position::new(1, 43), reports)
}

/// Every page, with something hostile wherever somebody else may have written.
fn pages(language: Language) -> Vec<(&'static str, String)> {
    let t = Words::of(language);
    let hostile = || HOSTILE.to_owned();
    let render = |template: &dyn Fn() -> Result<String, askama::Error>| template().unwrap();
    let mut sign_in = SignInPage::new(
        page(language),
        Some(hostile()),
        LocalPath::parse("/a?b=\"><script>"),
    );
    sign_in.identifier = hostile();
    sign_in.refused = true;
    sign_in.again = true;
    sign_in.notice = Some(Notice::SignedOut);
    let account = AccountPage {
        page: page(language),
        t,
        notice: Some(Notice::LoginEnded),
        logins: rows(t, EndedBy::Owner),
    };
    let users = UsersPage {
        page: page(language),
        t,
        query: hostile(),
        users: vec![UserRow::new(t, &user())],
        next: Some("/admin/users?q=%22&after=x".to_owned()),
        later: true,
        form: UserForm {
            identifier: hostile(),
            admin: true,
            bad: Some(BadUser::Identifier),
        },
    };
    let by = EndedBy::Admin(user().id);
    let one = UserPage::new(
        page(language),
        &user(),
        false,
        Some(Notice::UserAdded),
        rows(t, by),
        Some(cut()),
        RulesForm {
            roles: hostile(),
            idle: hostile(),
            absolute: hostile(),
            max_logins: hostile(),
            at_limit: AtLimit::Refuse,
            bad: Some(BadRules::Role),
        },
    );
    let form = AppForm {
        client_id: hostile(),
        name: hostile(),
        redirect_uris: hostile(),
        max_logins: hostile(),
        bad: Some(BadApp::Name),
        ..AppForm::default()
    };
    let guards = [GuardSeen {
        guard: Uuid::from_bytes([1; 16]),
        client_id: "dashboard".parse().unwrap(),
        applied: Position::new(1, 43),
        seen_ago: Duration::from_millis(120),
    }];
    let turned = Turned {
        dial: Dial::Shape,
        client_id: "dashboard".to_owned(),
    };
    let all = [
        app("dashboard", Shape::Session),
        app("symbolon", Shape::Session),
    ];
    let console = "symbolon".parse().unwrap();
    let apps = AppsPage::new(
        page(language),
        &all,
        &console,
        &guards,
        |_| Traffic::default(),
        Some(turned),
        form,
    );
    let [first, _] = &all;
    let added = AddedPage::new(page(language), first, Some("sym_c_x"));
    let mut set_up = SetUpPage::new(page(language), hostile());
    set_up.identifier = hostile();
    set_up.bad = Some(BadUser::PasswordShort);
    let mut all = vec![
        ("sign_in", render(&|| sign_in.render())),
        ("account", render(&|| account.render())),
        ("users", render(&|| users.render())),
        ("user", render(&|| one.render())),
        ("apps", render(&|| apps.render())),
        ("app_added", render(&|| added.render())),
        ("set_up", render(&|| set_up.render())),
    ];
    all.push(("app", advice::of(language, hostile()).render().unwrap()));
    all.extend(refused::full_houses(language));
    all.extend(refused::refusals(language));
    all
}

/// The tags of a page in order, each as it is written between `<` and `>`.
fn tags(html: &str) -> Vec<&str> {
    html.split('<')
        .skip(1)
        .map(|rest| rest.split_once('>').unwrap().0)
        .collect()
}

/// The value of an attribute of a tag.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    Some(rest.split_once('"').unwrap().0)
}

#[test]
fn what_somebody_wrote_stays_text_in_both_languages() {
    for language in [Language::En, Language::Ko] {
        for (name, html) in pages(language) {
            assert!(!html.contains("<script>"), "{name}");
            assert!(!html.contains("<img src=x"), "{name}");
            assert!(!html.contains(HOSTILE), "{name}");
            let scripts: Vec<_> = tags(&html)
                .into_iter()
                .filter(|tag| tag.starts_with("script"))
                .collect();
            let [own] = scripts.as_slice() else {
                panic!("{name}: {scripts:?}")
            };
            assert!(
                attribute(own, "src")
                    .unwrap()
                    .starts_with("/assets/symbolon."),
                "{name}"
            );
            for tag in tags(&html) {
                // Outside of quoted values.
                let mut names = tag
                    .split('"')
                    .step_by(2)
                    .flat_map(str::split_ascii_whitespace);
                let handler = names.any(|name| name.starts_with("on"));
                assert!(!handler, "{name}: {tag}");
            }
        }
    }
}

#[test]
fn every_page_says_its_language_and_shows_the_way_out() {
    for language in [Language::En, Language::Ko] {
        for (name, html) in pages(language) {
            assert!(
                html.contains(&format!("<html lang=\"{}\">", language.tag())),
                "{name}"
            );
            assert!(html.contains("action=\"/sign-out\""), "{name}");
            assert!(html.contains("action=\"/language\""), "{name}");
            assert_eq!(html.matches("<h1").count(), 1, "{name}");
            assert_eq!(html.matches("<title>").count(), 1, "{name}");
        }
    }
}

#[test]
fn every_field_has_a_label_and_passwords_are_hidden() {
    for (name, html) in pages(Language::En) {
        let labelled: Vec<_> = tags(&html)
            .into_iter()
            .filter(|tag| tag.starts_with("label"))
            .filter_map(|tag| attribute(tag, "for"))
            .collect();
        for tag in tags(&html) {
            let kind = attribute(tag, "type");
            let field = ["input ", "select ", "textarea "]
                .iter()
                .any(|start| tag.starts_with(start));
            if !field || kind == Some("hidden") {
                continue;
            }
            if kind == Some("checkbox") {
                // Inside of its label.
                let at = html.find(tag).unwrap();
                assert!(
                    html[..at].ends_with("<label class=\"tick\"><"),
                    "{name}: {tag}"
                );
                continue;
            }
            let id = attribute(tag, "id").unwrap();
            assert!(labelled.contains(&id), "{name}: {tag}");
            if attribute(tag, "name") == Some("password") {
                assert_eq!(kind, Some("password"), "{name}");
                let completed = attribute(tag, "autocomplete").unwrap();
                assert!(completed.ends_with("-password"), "{name}: {completed}");
            }
        }
        let ids: Vec<_> = tags(&html)
            .into_iter()
            .filter_map(|tag| attribute(tag, "id"))
            .collect();
        for tag in tags(&html) {
            for named in ["aria-describedby", "aria-labelledby"] {
                if let Some(id) = attribute(tag, named) {
                    assert_eq!(
                        ids.iter().filter(|other| **other == id).count(),
                        1,
                        "{name}: {tag}"
                    );
                }
            }
        }
    }
}

#[test]
fn tags_are_nested_well() {
    const VOID: [&str; 5] = ["meta", "link", "img", "input", "!doctype"];
    for (name, html) in pages(Language::Ko) {
        let mut open = Vec::new();
        for tag in tags(&html) {
            let element = tag.split([' ', '\n']).next().unwrap();
            match element.strip_prefix('/') {
                Some(closed) => assert_eq!(open.pop(), Some(closed), "{name}: {tag}"),
                None if VOID.contains(&element) => {}
                None => open.push(element),
            }
        }
        assert!(open.is_empty(), "{name}: {open:?}");
    }
}

/// The policy of the pages forbids inline script and style; and a text marked as safe would be the
/// one hole in the escaping.
#[test]
fn templates_hold_no_script_no_style_and_nothing_unescaped() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        for banned in [
            "style=",
            "<style",
            "|safe",
            "| safe",
            "javascript:",
            "<iframe",
            "<object",
            "<base",
            "http-equiv",
            "{% filter",
            "onpaste",
            "formaction",
            "target=",
        ] {
            assert!(!text.contains(banned), "{}: {banned}", path.display());
        }
        for part in text.split_ascii_whitespace() {
            let handler = part.starts_with("on") && part.contains('=');
            assert!(!handler, "{}: {part}", path.display());
        }
        for tag in tags(&text)
            .into_iter()
            .filter(|tag| tag.starts_with("form"))
        {
            // Only what reads is asked for by an address: a search, and the adviser.
            let reads = tag.contains("role=\"search\"") || tag.contains("action=\"/adviser\"");
            assert!(tag.contains("method=\"post\"") || reads, "{tag}");
        }
    }
}

#[test]
fn the_page_of_a_cut_off_tells_the_time_of_each_guard() {
    let cut = cut();
    assert_eq!((cut.applied, cut.missing), (2, 1));
    // One has not reported: there is no slowest yet.
    assert_eq!(cut.slowest, None);
    let order: Vec<_> = cut
        .guards
        .iter()
        .map(|guard| guard.applied_after.as_deref())
        .collect();
    assert_eq!(order, [Some("0.8"), Some("3.2"), None]);
    let page = UserPage::new(
        page(Language::En),
        &user(),
        false,
        None,
        Vec::new(),
        Some(cut),
        RulesForm::of(&user()),
    );
    let html = page.render().unwrap();
    assert!(html.contains("<data value=\"3.2\">3.2 ms</data>"));
    assert!(html.contains("not yet"));
}

#[test]
fn a_flip_says_that_nobody_signs_in_again() {
    let apps = [
        app("dashboard", Shape::Session),
        app("symbolon", Shape::Session),
    ];
    let turned = Turned {
        dial: Dial::Shape,
        client_id: "dashboard".to_owned(),
    };
    let console = "symbolon".parse().unwrap();
    let view = AppsPage::new(
        page(Language::En),
        &apps,
        &console,
        &[],
        |_| Traffic::default(),
        Some(turned),
        AppForm::default(),
    );
    let html = view.render().unwrap();
    assert!(html.contains("Nobody has to sign in again."));
    assert!(html.contains("Session → JWT"));
    // The pages' own app has no dials to turn.
    assert!(html.contains("action=\"/admin/apps/dashboard\""));
    assert!(!html.contains("action=\"/admin/apps/symbolon\""));
}

#[test]
fn one_does_not_disable_oneself() {
    let mut somebody = user();
    somebody.disabled_at = None;
    for (you, offered) in [(true, false), (false, true)] {
        let view = UserPage::new(
            page(Language::En),
            &somebody,
            you,
            None,
            Vec::new(),
            None,
            RulesForm::of(&somebody),
        );
        assert_eq!(view.render().unwrap().contains("/disable\""), offered);
    }
}
