//! servers.toml: what is read, and what is refused on which line.

use crate::servers::file::{Minimum, ServerLists, ServersFileError};

const SHIPPED: &str = include_str!("../../../tests/servers.toml");

/// A list with these lines changed or added; the [[list]] is on line 1.
fn list(change: &[(&str, &str)]) -> String {
    let mut keys = vec![
        ("number", "0"),
        ("environment", "\"dev\""),
        ("tier", "\"db\""),
        ("name", "\"dev db servers\""),
        ("servers", "[\"a\", \"b\"]"),
        ("ready", "\"status-checks\""),
        ("timeout_minutes", "15"),
    ];
    for (key, value) in change {
        keys.retain(|(known, _)| known != key);
        if !value.is_empty() {
            keys.push((*key, *value));
        }
    }
    let lines: Vec<String> = keys.iter().map(|(key, value)| format!("{key} = {value}")).collect();
    format!("[[list]]\n{}\n", lines.join("\n"))
}

fn refused(text: &str) -> (usize, String) {
    match ServerLists::parse(text) {
        Err(ServersFileError::Content { line, what }) => (line, what),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn the_shipped_file_holds_the_reference_lists() {
    let lists = ServerLists::parse(SHIPPED).unwrap();
    let names = |number: u32| lists.numbered(number).unwrap().servers.join(" ");
    assert_eq!(names(0), "test1 test4 test5 test19");
    assert_eq!(names(1), "test6 test11 test17 test18");
    assert_eq!(names(2), "test12 test13 test14");
    assert_eq!(names(3), "test2 test7 test8");
    assert_eq!(names(4), "test3 test9 test10");
    assert_eq!(names(5), "test15 test16 test20");
    assert_eq!(lists.environments(), ["dev", "test", "preprod"]);
}

#[test]
fn what_may_be_left_out_has_its_default() {
    let lists = ServerLists::parse(&list(&[])).unwrap();
    let phase = &lists.lists[0];
    assert_eq!((phase.minimum, phase.settle.as_secs(), phase.force_stop_after), (Minimum::All, 0, None));
    assert_eq!(lists.tiers, ["db", "app"]);
}

#[test]
fn databases_start_before_applications_whatever_the_files_order() {
    let lists = ServerLists::parse(SHIPPED).unwrap();
    let tiers: Vec<&str> = lists.in_start_order("dev").iter().map(|phase| phase.tier.as_str()).collect();
    assert_eq!(tiers, ["db", "app"]);
}

#[test]
fn an_empty_list_is_allowed_and_a_list_of_neither_names_nor_tags_is_not() {
    assert!(ServerLists::parse(&list(&[("servers", "[]")])).is_ok());
    assert!(ServerLists::parse(&list(&[("servers", ""), ("tags", "{ Tier = \"db\" }")])).is_ok());
    assert!(refused(&list(&[("servers", "")])).1.contains("neither servers nor tags"));
    assert!(refused(&list(&[("tags", "{}")])).1.contains("every instance"));
}

#[test]
fn each_mistake_is_refused_with_its_line() {
    let second = |change: &[(&str, &str)]| format!("{}\n{}", list(&[]), list(change));
    let other = [("number", "1"), ("tier", "\"app\""), ("servers", "[\"c\"]")];
    let with = |more: &[(&'static str, &'static str)]| {
        let mut all = other.to_vec();
        all.retain(|(key, _)| !more.iter().any(|(changed, _)| changed == key));
        all.extend(more);
        second(&all)
    };
    assert!(ServerLists::parse(&second(&other)).is_ok());
    for (text, line, what) in [
        (with(&[("number", "0")]), 10, "two lists have the number 0"),
        (with(&[("tier", "\"db\"")]), 10, "two lists for the tier"),
        (with(&[("servers", "[\"c\", \"a\"]")]), 17, "server \"a\" is in list 0 and in list 1"),
        (with(&[("servers", "[\"c\", \"\"]")]), 17, "empty name"),
        (list(&[("servers", "[\"a\", \"a\"]")]), 8, "server \"a\" is in list 0 and in list 0"),
        (list(&[("tier", "\"web\"")]), 1, "not one of"),
        (list(&[("environment", "\"my env\"")]), 1, "environment \"my env\""),
        (list(&[("name", "\" \"")]), 1, "empty name"),
        (list(&[("name", "\"two\\nlines\"")]), 1, "must be one line"),
        (format!("\ntiers = [\"db\", \"DB\"]\n{}", list(&[])), 2, "a tier twice"),
        (format!("tiers = []\n{}", list(&[])), 1, "1 to 6 tiers"),
        (list(&[("timeout_minutes", "0")]), 1, "timeout_minutes"),
        (list(&[("minimum", "0")]), 1, "minimum"),
        (list(&[("minimum", "3")]), 1, "only 2 servers"),
        (list(&[("force_stop_accepts", "\"data loss\"")]), 1, "force_stop_accepts has no"),
        (with(&[("environment", "\"DEV\"")]), 10, "differs from \"dev\" only by case"),
        (list(&[("servers", "[]"), ("minimum", "1")]), 1, "only 0 servers"),
        (list(&[("minimum_after_minutes", "5")]), 1, "needs a minimum that is a number"),
        (list(&[("minimum", "1"), ("minimum_after_minutes", "15")]), 1, "less than timeout_minutes"),
        (list(&[("servers", "[\"web-*\"]")]), 8, "wildcards are not read"),
        (list(&[("servers", "[\"web \"]")]), 8, "blanks around"),
        (list(&[("servers", "[\"i-0bad14933fffa49b9\"]")]), 8, "instance id"),
    ] {
        let (found, said) = refused(&text);
        assert!(said.contains(what), "{said}");
        assert_eq!(found, line, "{said}\n{text}");
    }
}

#[test]
fn unknown_keys_and_wrong_types_are_refused_with_their_line() {
    for (change, what) in [
        (("timeout", "15"), "unknown field `timeout`"),
        (("number", "\"0\""), "expected u32"),
        (("ready", "\"up\""), "unknown variant `up`"),
        (("minimum", "\"most\""), "minimum must be"),
        (("timeout_minutes", ""), "missing field `timeout_minutes`"),
    ] {
        match ServerLists::parse(&list(&[change])) {
            Err(ServersFileError::Shape(said)) => {
                assert!(said.contains(what) && said.contains("line"), "{said}");
            }
            other => panic!("{change:?} gave {other:?}"),
        }
    }
}

#[test]
fn a_forced_stop_of_databases_must_be_asked_for_in_words() {
    let force = [("force_stop_after_minutes", "10")];
    assert!(refused(&list(&force)).1.contains("force_stop_accepts = \"data loss\""));
    let words = [("force_stop_after_minutes", "10"), ("force_stop_accepts", "\"data loss\"")];
    assert!(ServerLists::parse(&list(&words)).is_ok());
    let app = [("force_stop_after_minutes", "10"), ("tier", "\"app\"")];
    assert!(ServerLists::parse(&list(&app)).is_ok());
    let late = [("force_stop_after_minutes", "15"), ("tier", "\"app\"")];
    assert!(refused(&list(&late)).1.contains("less than timeout_minutes"));
}

#[test]
fn a_rate_is_an_amount_above_nothing_and_a_currency() {
    let rate = |value: &str| ServerLists::parse(&list(&[("hourly_rate", value)]));
    assert!(rate("").unwrap().lists[0].hourly_rate.is_none());
    let given = rate("{ amount = 0.0964, currency = \"EUR\" }").unwrap().lists[0].hourly_rate.clone();
    assert_eq!(given.map(|rate| rate.currency).as_deref(), Some("EUR"));
    for value in [
        "{ amount = 0.0, currency = \"EUR\" }",
        "{ amount = -1.0, currency = \"EUR\" }",
        "{ amount = nan, currency = \"EUR\" }",
        "{ amount = 1.0, currency = \"euros\" }",
    ] {
        assert_eq!(refused(&list(&[("hourly_rate", value)])).0, 1, "{value}");
    }
    assert!(matches!(rate("0.1"), Err(ServersFileError::Shape(_))));
}

#[test]
fn more_environments_than_a_machine_holds_are_refused() {
    let many = |count: u32| -> String {
        (0..count)
            .map(|n| {
                let (number, environment) = (n.to_string(), format!("\"env{n}\""));
                list(&[("number", &number), ("environment", &environment), ("servers", "[]")])
            })
            .collect()
    };
    assert!(ServerLists::parse(&many(20)).is_ok());
    assert!(refused(&many(21)).1.contains("21 environments"));
}

#[test]
fn a_name_of_255_characters_is_taken_and_a_longer_one_is_not() {
    let named = |name: &str| list(&[("servers", &format!("[{name:?}]"))]);
    assert!(ServerLists::parse(&named(&"n".repeat(255))).is_ok());
    assert!(refused(&named(&"n".repeat(256))).1.contains("at most 255"));
    // EC2 reads a backslash only behind another one.
    assert!(refused(&named(&"\\".repeat(128))).1.contains("at most 255"));
}

const ELSEWHERE: &str =
    "[environment.dev]\nrole_arn = \"arn:aws:iam::210987654321:role/member\"\nregion = \"eu-central-1\"\n";

#[test]
fn an_environment_elsewhere_is_read_and_told() {
    let lists = ServerLists::parse(&format!("{}{ELSEWHERE}", list(&[]))).unwrap();
    assert_eq!(lists.elsewhere["dev"].account(), "210987654321");
    let understood = lists.understood().replace('\u{a0}', " ");
    assert_eq!(understood, "dev (account 210987654321, eu-central-1): db (2 servers)");
}

#[test]
fn an_environment_that_cannot_be_reached_is_refused_on_its_line() {
    let text = format!("{}{}", list(&[]), ELSEWHERE.replace("eu-central-1", "eu-central"));
    let (line, what) = refused(&text);
    assert_eq!((line, what.contains("a Region is expected")), (11, true), "{what}");
}

#[test]
fn the_environments_of_one_account_and_region_share_its_buckets_and_others_do_not() {
    let at_home = ServerLists::parse(SHIPPED).unwrap();
    let home = (Some("123456789012"), "eu-west-1");
    assert_eq!(at_home.sharers("dev", home), 3);
    let role = |environment: &str, account: &str, region: &str| {
        format!("[environment.{environment}]\nrole_arn = \"arn:aws:iam::{account}:role/m\"\n{region}\n")
    };
    let member = role("preprod", "210987654321", "");
    let lists = ServerLists::parse(&format!("{SHIPPED}\n{member}")).unwrap();
    assert_eq!((lists.sharers("dev", home), lists.sharers("preprod", home)), (2, 1));
    let same_account = role("test", "123456789012", "region = \"eu-west-1\"");
    let lists = ServerLists::parse(&format!("{SHIPPED}\n{member}{same_account}")).unwrap();
    assert_eq!(lists.sharers("test", home), 2);
    let other_region = role("test", "123456789012", "region = \"eu-west-2\"");
    let lists = ServerLists::parse(&format!("{SHIPPED}\n{member}{other_region}")).unwrap();
    assert_eq!((lists.sharers("test", home), lists.sharers("dev", home)), (1, 1));
}
