//! servers.toml: what is read, what `check` makes of it, and what is refused on which line.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::servers::file::{Minimum, ServerLists};
use crate::servers::mistake::{Mistake, ServersFileError};
use crate::servers::read::ServersFile;

const SHIPPED: &str = include_str!("../../../tests/servers.toml");

/// tests/servers_mistakes.toml; its head says what is what.
#[derive(Deserialize)]
struct Table {
    base: String,
    other: String,
    mistake: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    keys: Option<BTreeMap<String, String>>,
    other: Option<BTreeMap<String, String>>,
    text: Option<String>,
    line: usize,
    says: String,
    #[serde(rename = "editor")]
    _editor: bool,
}

fn table() -> Table {
    toml::from_str(include_str!("../../../tests/servers_mistakes.toml")).unwrap()
}

/// The list with these keys changed in their line, added behind the last, or taken away.
fn changed<'a>(list: &str, keys: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut lines: Vec<String> = list.lines().map(str::to_owned).collect();
    for (key, value) in keys {
        let line = if value.is_empty() { String::new() } else { format!("{key} = {value}") };
        match lines.iter_mut().find(|line| line.starts_with(&format!("{key} = "))) {
            Some(place) => *place = line,
            None => lines.push(line),
        }
    }
    lines.join("\n") + "\n"
}

/// The first list of the table, so changed.
fn list(keys: &[(&str, &str)]) -> String {
    changed(&table().base, keys.iter().copied())
}

fn good(text: &str) -> ServerLists {
    ServerLists::parse(text).unwrap()
}

fn mistakes(text: &str) -> Vec<Mistake> {
    match ServersFile::read(text.as_bytes()) {
        Err(ServersFileError::Mistakes(mistakes)) => mistakes,
        other => panic!("{text}\ngave {other:?}"),
    }
}

#[test]
fn the_shipped_file_holds_the_reference_lists() {
    let lists = good(SHIPPED);
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
    let lists = good(&list(&[]));
    let phase = &lists.lists[0];
    assert_eq!((phase.minimum, phase.settle.as_secs(), phase.force_stop_after), (Minimum::All, 0, None));
    assert_eq!((&phase.hourly_rate, phase.minimum_after), (&None, None));
    assert_eq!(lists.tiers, ["db", "app"]);
}

#[test]
fn databases_start_before_applications_whatever_the_files_order() {
    let lists = good(SHIPPED);
    let tiers: Vec<&str> = lists.in_start_order("dev").iter().map(|phase| phase.tier.as_str()).collect();
    assert_eq!(tiers, ["db", "app"]);
}

#[test]
fn what_is_allowed_is_no_mistake() {
    let Table { base, other, .. } = table();
    good(&format!("{base}\n{other}"));
    for keys in [
        &[("servers", "[]")][..],
        &[("servers", ""), ("tags", "{ Tier = \"db\" }")],
        &[("servers", ""), ("tags", "{ Tier = \"db\" }"), ("minimum", "2")],
        &[("tags", "{ Tier = \"db\" }"), ("minimum", "2"), ("minimum_after_minutes", "14")],
        &[("minimum", "\"all\""), ("timeout_minutes", "1440")],
        &[("timeout_minutes", "1439"), ("settle_seconds", "60")],
        &[("force_stop_after_minutes", "10"), ("force_stop_accepts", "\"data loss\"")],
        &[("force_stop_after_minutes", "10"), ("tier", "\"app\"")],
        &[("hourly_rate", "{ amount = 1, currency = \"EUR\" }")],
        &[("number", "4294967295"), ("environment", "\"an-environment-of_24char\"")],
    ] {
        good(&list(keys));
    }
    good(&format!(
        "tiers = [\"a\", \"b\", \"c\", \"d\", \"e\", \"db\"]\n{base}force_stop_after_minutes = 1\n"
    ));
    good(&base.replace('\n', "\r\n"));
}

#[test]
fn each_mistake_is_told_with_its_line_and_what_to_write_and_nothing_else_is_told() {
    let Table { base, other, mistake } = table();
    let pairs =
        |keys: &BTreeMap<String, String>| -> Vec<(String, String)> { keys.clone().into_iter().collect() };
    for row in mistake {
        let with = |list: &str, keys: &BTreeMap<String, String>| {
            let keys = pairs(keys);
            changed(list, keys.iter().map(|(key, value)| (key.as_str(), value.as_str())))
        };
        let text = match (&row.keys, &row.other, &row.text) {
            (Some(keys), None, None) => with(&base, keys),
            (None, Some(keys), None) => format!("{base}\n{}", with(&other, keys)),
            (None, None, Some(text)) => text.replace("BASE", &base),
            _ => panic!("{}: one of keys, other and text is expected", row.says),
        };
        let found = mistakes(&text);
        let told = |mistake: &Mistake| mistake.line == row.line && mistake.what.contains(&row.says);
        assert!(found.iter().any(told), "line {}: {}\n{found:#?}\nin\n{text}", row.line, row.says);
        // A whole text, such as [list] without its keys, may have more to it.
        assert!(found.len() == 1 || row.text.is_some(), "{found:#?}\nin\n{text}");
        assert!(
            found.iter().all(|mistake| mistake.what.contains("write")
                || mistake.what.contains("take")
                || mistake.what.contains("known are")
                || mistake.what.contains("select by")
                || mistake.what.contains("control characters")
                || mistake.what.contains("not TOML")),
            "says not what to do: {found:#?}"
        );
    }
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_their_lines() {
    let text = format!(
        "tiers = [\"db\", \"DB\"]\n{}\n{}",
        list(&[("timeout_minutes", "\"10\""), ("ready", "")]),
        changed(&table().other, [("number", "0"), ("minimum", "-1"), ("tier", "\"DB\""), ("rate", "1")]),
    );
    let lines: Vec<usize> = mistakes(&text).iter().map(|mistake| mistake.line).collect();
    assert_eq!(lines, [1, 2, 9, 12, 19, 20]);
    let told = ServerLists::parse(&text).unwrap_err().to_string();
    assert!(told.starts_with("servers.toml, line 1: tiers names a tier twice"), "{told}");
    assert!(told.ends_with("; and 1 more, which ec2-start-stop check tells"), "{told}");
}

#[test]
fn no_word_of_rust_is_told() {
    let text =
        list(&[("number", "\"0\""), ("hourly_rate", "0.1"), ("ready", "1"), ("servers", "1"), ("tags", "1")]);
    for mistake in mistakes(&text) {
        for word in ["u32", "u64", "struct", "variant", "field", "invalid type", "map", "sequence"] {
            assert!(!mistake.what.contains(word), "{}", mistake.what);
        }
    }
}

#[test]
fn check_prints_what_it_understood_in_the_order_of_tiers() {
    let shipped = "dev: db (3 servers) → app (4 servers)\ntest: db (3 servers) → app (4 servers)\n\
                   preprod: db (3 servers) → app (3 servers)";
    assert_eq!(good(SHIPPED).understood(), shipped);
    let app = [("ready", "\"application\""), ("minimum", "1"), ("force_stop_after_minutes", "10")];
    let text = format!("{}\n{}", changed(&table().other, app), list(&[("tags", "{ A = \"1\", B = \"2\" }")]));
    let dev = "dev: db (2 servers, tags A=1 and B=2) → \
               app (1 server, application, minimum 1, stopped by force after 10 min)";
    assert_eq!(good(&text).understood(), dev);
}

#[test]
fn check_marks_an_environment_with_one_tier_only() {
    let apart = changed(&table().other, [("environment", "\"deb\"")]);
    let understood = good(&format!("{}\n{apart}", list(&[("servers", "[]")]))).understood();
    assert_eq!(
        understood,
        "dev: db (no servers)  ! one tier only\ndeb: app (1 server, running)  ! one tier only"
    );
    let only = format!("tiers = [\"db\"]\n{}", list(&[]));
    assert_eq!(good(&only).understood(), "dev: db (2 servers)");
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
    good(&many(20));
    assert!(mistakes(&many(21))[0].what.contains("21 environments: write at most 20"));
}

#[test]
fn a_name_of_255_characters_is_taken_and_a_longer_one_is_not() {
    let named = |name: &str| list(&[("servers", &format!("[{name:?}]"))]);
    good(&named(&"n".repeat(255)));
    assert!(mistakes(&named(&"n".repeat(256)))[0].what.contains("at most 255"));
    // EC2 reads a backslash only behind another one.
    assert!(mistakes(&named(&"\\".repeat(128)))[0].what.contains("at most 255"));
}

#[test]
fn as_many_and_as_long_tags_as_a_server_can_have_are_taken() {
    let tags: Vec<String> =
        (10..60).map(|n| format!("{}{n} = \"{}\"", "k".repeat(126), "v".repeat(255))).collect();
    let lists = good(&list(&[("servers", ""), ("tags", &format!("{{ {} }}", tags.join(", ")))]));
    assert_eq!(lists.lists[0].tags.len(), 50);
}

#[test]
fn names_of_scripts_that_need_joiners_are_taken() {
    good(&list(&[("servers", "[\"می\\u200Cخواهم\", \"👩\\u200D💻\"]")]));
}

#[test]
fn a_file_in_another_encoding_is_told_with_its_line() {
    let text = list(&[("name", "\"Datenbanken für dev\"")]);
    good(&text);
    assert_eq!(ServerLists::read(text.as_bytes()), ServerLists::parse(&text));
    let latin1: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let utf16 = |order: fn(u16) -> [u8; 2]| {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(order).collect()
    };
    for (file, line, says) in [
        (latin1, 5, "write the file as UTF-8"),
        (utf16(u16::to_le_bytes), 1, "saved as UTF-16: write it as UTF-8"),
        (utf16(u16::to_be_bytes), 1, "saved as UTF-16: write it as UTF-8"),
        (vec![0x7f, b'E', b'L', b'F', 0xb7], 1, "write the file as UTF-8"),
    ] {
        let Err(ServersFileError::Mistakes(found)) = ServerLists::read(&file) else {
            panic!("{says}: taken")
        };
        assert!(found.len() == 1 && found[0].line == line && found[0].what.contains(says), "{found:?}");
    }
}

const ELSEWHERE: &str =
    "[environment.dev]\nrole_arn = \"arn:aws:iam::210987654321:role/member\"\nregion = \"eu-central-1\"\n";

#[test]
fn an_environment_elsewhere_is_read_and_told() {
    let lists = ServerLists::parse(&format!("{}{ELSEWHERE}", list(&[]))).unwrap();
    assert_eq!(lists.elsewhere["dev"].account(), "210987654321");
    let understood = lists.understood().replace('\u{a0}', " ");
    assert_eq!(understood, "dev (account 210987654321, eu-central-1): db (2 servers)  ! one tier only");
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
