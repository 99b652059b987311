//! The arrows between our crates, as ARCHITECTURE.md draws them: any other fails here.

#![expect(clippy::expect_used, reason = "tests")]

use std::{collections::BTreeSet, path::Path};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// What a `main` may build on, where all parts meet: the binary's, and that of any user.
const MAIN: &[&str] = &[
    "symbolon-server",
    "symbolon-stores",
    "symbolon-guard",
    "symbolon-adviser",
];

/// What each of our crates may build on. A crate that is not listed may not exist.
const ALLOWED: &[(&str, &[&str])] = &[
    ("symbolon", MAIN),
    // Examples are what users write.
    ("symbolon-example-axum", MAIN),
    (
        "symbolon-server",
        &[
            "symbolon-authority",
            "symbolon-guard",
            "symbolon-jose",
            "symbolon-login",
            "symbolon-adviser",
        ],
    ),
    ("symbolon-stores", &["symbolon-authority", "symbolon-login"]),
    ("symbolon-authority", &["symbolon-login", "symbolon-jose"]),
    ("symbolon-guard", &["symbolon-login", "symbolon-jose"]),
    ("symbolon-jose", &[]),
    ("symbolon-login", &[]),
    ("symbolon-adviser", &[]),
];

/// What tests alone may use on top: the stories and the pages are tested on real stores.
const ALLOWED_IN_TESTS: &[(&str, &[&str])] = &[
    ("symbolon-authority", &["symbolon-stores"]),
    ("symbolon-server", &["symbolon-stores"]),
];

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Arrow {
    from: String,
    to: String,
    only_tests: bool,
}

/// Every arrow that the tables do not allow, as a line to print.
fn forbidden(arrows: &BTreeSet<Arrow>) -> Vec<String> {
    let listed = |table: &[(&str, &[&str])], arrow: &Arrow| {
        table
            .iter()
            .any(|(from, to)| *from == arrow.from && to.contains(&arrow.to.as_str()))
    };
    arrows
        .iter()
        .filter(|arrow| {
            let in_tests = arrow.only_tests && listed(ALLOWED_IN_TESTS, arrow);
            !listed(ALLOWED, arrow) && !in_tests
        })
        .map(|arrow| {
            let kind = if arrow.only_tests { " (tests)" } else { "" };
            format!("{} -> {}{kind}", arrow.from, arrow.to)
        })
        .collect()
}

/// The crates of this workspace.
fn ours(metadata: &Metadata) -> BTreeSet<String> {
    let names = metadata.packages.iter();
    names.map(|package| package.name.to_string()).collect()
}

/// The arrows between them. A build dependency counts like a normal one.
fn arrows(metadata: &Metadata) -> BTreeSet<Arrow> {
    let ours = ours(metadata);
    let mut arrows = BTreeSet::new();
    for package in &metadata.packages {
        for dependency in &package.dependencies {
            if ours.contains(&dependency.name) {
                arrows.insert(Arrow {
                    from: package.name.to_string(),
                    to: dependency.name.clone(),
                    only_tests: dependency.kind == DependencyKind::Development,
                });
            }
        }
    }
    arrows
}

fn workspace() -> Metadata {
    MetadataCommand::new()
        .manifest_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo metadata of this workspace")
}

#[test]
fn no_arrow_but_those_of_the_design() {
    let found = arrows(&workspace());
    assert!(!found.is_empty(), "cargo metadata named no arrow at all");
    assert_eq!(forbidden(&found), Vec::<String>::new());
}

#[test]
fn every_crate_has_its_place_in_the_table() {
    let placed = |name: &String| ALLOWED.iter().any(|(from, _)| from == name);
    let unplaced: Vec<_> = ours(&workspace())
        .into_iter()
        .filter(|name| !placed(name))
        .collect();
    assert_eq!(unplaced, Vec::<String>::new());
}

/// Whoever holds a test authority signs anybody in: it must not be in any program.
#[test]
fn the_test_authority_is_for_tests_alone() {
    let metadata = workspace();
    let takes_it = |kind: DependencyKind| {
        let dependencies = metadata.packages.iter().flat_map(|package| {
            let from = package.name.to_string();
            package
                .dependencies
                .iter()
                .map(move |to| (from.clone(), to))
        });
        let taken = dependencies.filter(|(_, to)| {
            let has_feature = to.features.iter().any(|feature| feature == "testing");
            to.name == "symbolon-guard" && has_feature && to.kind == kind
        });
        taken.map(|(from, _)| from).collect::<Vec<_>>()
    };
    assert_eq!(takes_it(DependencyKind::Normal), Vec::<String>::new());
    assert_eq!(takes_it(DependencyKind::Build), Vec::<String>::new());
    assert_eq!(
        takes_it(DependencyKind::Development),
        ["symbolon-example-axum"]
    );
    let guard = metadata
        .packages
        .iter()
        .find(|package| package.name == "symbolon-guard");
    let features = &guard.expect("the guard").features;
    assert!(features.contains_key("testing") && !features.contains_key("default"));
}

/// The guard's feature by which a simulation breaks its rules is for tests alone. With the resolver that
/// the workspace uses, what a test asks for does not reach a program that is built without tests.
#[test]
fn no_shipped_crate_can_break_the_guard() {
    let metadata = workspace();
    let mut asked_by_tests = false;
    for package in &metadata.packages {
        for dependency in &package.dependencies {
            let breaks = dependency.name == "symbolon-guard"
                && dependency.features.iter().any(|name| name == "simulation");
            let only_tests = dependency.kind == DependencyKind::Development;
            asked_by_tests |= breaks && only_tests;
            assert!(!breaks || only_tests, "{}", package.name);
        }
        let default = package.features.get("default");
        let by_default = default.is_some_and(|all| all.iter().any(|name| name == "simulation"));
        assert!(!by_default, "{}", package.name);
    }
    assert!(
        asked_by_tests,
        "the simulation does not ask for it any more"
    );
}

/// The tests above are able to fail.
#[test]
fn a_wrong_arrow_is_named() {
    let arrow = |from: &str, to: &str, only_tests| Arrow {
        from: from.to_owned(),
        to: to.to_owned(),
        only_tests,
    };
    let table = [
        (arrow("symbolon-server", "symbolon-authority", false), None),
        (arrow("symbolon-server", "symbolon-authority", true), None),
        (arrow("symbolon-server", "symbolon-stores", true), None),
        (
            arrow("symbolon-server", "symbolon-stores", false),
            Some("symbolon-server -> symbolon-stores"),
        ),
        (
            arrow("symbolon-guard", "symbolon-stores", true),
            Some("symbolon-guard -> symbolon-stores (tests)"),
        ),
        (
            arrow("symbolon-login", "symbolon-jose", false),
            Some("symbolon-login -> symbolon-jose"),
        ),
        (
            arrow("symbolon-newcomer", "symbolon-login", false),
            Some("symbolon-newcomer -> symbolon-login"),
        ),
    ];
    for (arrow, expected) in table {
        let expected: Vec<String> = expected.map(str::to_owned).into_iter().collect();
        assert_eq!(forbidden(&BTreeSet::from([arrow])), expected);
    }
}
