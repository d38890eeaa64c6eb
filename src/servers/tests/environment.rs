//! `[environment.NAME]`: which places are read, and what is refused.

use std::collections::BTreeMap;

use crate::model::Elsewhere;
use crate::servers::file::ServerLists;
use crate::servers::mistake::ServersFileError;

const ROLE: &str = "arn:aws:iam::210987654321:role/ec2-start-stop-member";
/// Of dev, test and preprod.
const LISTS: &str = include_str!("../../../tests/servers.toml");

/// What tables behind the lists mean.
fn read_text(tables: &str) -> Result<BTreeMap<String, Elsewhere>, Vec<String>> {
    let tables = tables.replace("[dev]", "[environment.dev]").replace("[pr", "[environment.pr");
    match ServerLists::parse(&format!("{LISTS}\n{tables}")) {
        Ok(lists) => Ok(lists.elsewhere),
        Err(ServersFileError::Mistakes(mistakes)) => Err(mistakes.into_iter().map(|one| one.what).collect()),
        Err(other) => panic!("{other}"),
    }
}

fn refused(text: &str) -> String {
    read_text(text).expect_err(text).join("\n")
}

#[test]
fn an_environment_without_a_table_is_at_home() {
    assert_eq!(read_text(""), Ok(BTreeMap::new()));
}

#[test]
fn a_table_says_account_region_and_external_id() {
    let text = format!(
        "[preprod]\nrole_arn = \"{ROLE}\"\nexternal_id = \"a-secret/of:two\"\nregion = \"eu-central-1\"\n"
    );
    let elsewhere = &read_text(&text).unwrap()["preprod"];
    assert_eq!((elsewhere.account(), elsewhere.region("eu-west-1")), ("210987654321", "eu-central-1"));
    assert_eq!(elsewhere.external_id.as_deref(), Some("a-secret/of:two"));
    let at_home = &read_text(&format!("[dev]\nrole_arn = \"{ROLE}\"\n")).unwrap()["dev"];
    assert_eq!(at_home.words("eu-west-1"), "account\u{a0}210987654321, eu-west-1");
}

#[test]
fn an_unknown_environment_is_refused_with_those_that_there_are() {
    let what = refused(&format!("[prod]\nrole_arn = \"{ROLE}\"\n"));
    assert_eq!(what, "[environment.prod] is of no list: write one of dev, preprod, test");
}

#[test]
fn a_region_alone_is_refused_because_no_role_reaches_it() {
    assert!(
        refused("[dev]\nregion = \"eu-central-1\"\n")
            .contains("[environment.dev] has no role_arn: write the ARN of the role")
    );
}

#[test]
fn what_is_no_role_of_a_known_partition_is_refused() {
    for arn in [
        "",
        "ec2-start-stop-member",
        "arn:aws:iam::21098765432:role/member",
        "arn:aws:iam::21098765432x:role/member",
        "arn:aws:iam:eu-west-1:210987654321:role/member",
        "arn:aws:sts::210987654321:assumed-role/member/session",
        "arn:aws:iam::210987654321:user/member",
        "arn:aws:iam::210987654321:role/",
        "arn:aws:iam::210987654321:role/a//b",
        "arn:aws:iam::210987654321:role/a b",
        "arn:aws-iso:iam::210987654321:role/member",
        "arn:AWS:iam::210987654321:role/member",
    ] {
        assert!(
            refused(&format!("[dev]\nrole_arn = \"{arn}\"\n")).contains("write the ARN of the role"),
            "{arn}"
        );
    }
    let long = format!("arn:aws:iam::210987654321:role/{}", "r".repeat(65));
    assert!(refused(&format!("[dev]\nrole_arn = \"{long}\"\n")).contains("write the ARN of the role"));
}

#[test]
fn each_partition_has_its_own_roles_and_regions() {
    for (partition, region) in [
        ("aws", "eu-west-1"),
        ("aws", "mx-central-1"),
        ("aws", "ap-southeast-5"),
        ("aws-cn", "cn-northwest-1"),
        ("aws-us-gov", "us-gov-west-1"),
    ] {
        let role = format!("arn:{partition}:iam::210987654321:role/teams/a/member");
        let text = format!("[dev]\nrole_arn = \"{role}\"\nregion = \"{region}\"\n");
        assert!(read_text(&text).is_ok(), "{region}");
    }
}

#[test]
fn a_region_that_no_partition_has_or_another_one_is_refused() {
    for region in [
        "",
        "eu",
        "eu-west",
        "eu-west-1a",
        "EU-WEST-1",
        "xx-west-1",
        "us-gov-1",
        "us-iso-east-1",
        "us-isob-1",
    ] {
        let text = format!("[dev]\nrole_arn = \"{ROLE}\"\nregion = \"{region}\"\n");
        assert!(refused(&text).contains("write a Region, in quotes"), "{region}");
    }
    let text = format!("[dev]\nrole_arn = \"{ROLE}\"\nregion = \"cn-north-1\"\n");
    assert!(refused(&text).contains("is in the partition aws-cn, and role_arn in aws: write"));
}

#[test]
fn an_external_id_is_one_as_sts_takes_it() {
    for id in ["x", "", "two words", "a#b", "ä-long-one"] {
        let text = format!("[dev]\nrole_arn = \"{ROLE}\"\nexternal_id = \"{id}\"\n");
        assert!(refused(&text).contains("write 2 to 1224 letters"), "{id}");
    }
    let long = format!("[dev]\nrole_arn = \"{ROLE}\"\nexternal_id = \"{}\"\n", "x".repeat(1225));
    assert!(refused(&long).contains("write 2 to 1224 letters"));
}

#[test]
fn roles_of_two_partitions_are_refused_because_none_reaches_the_other() {
    let text = "[dev]\nrole_arn = \"arn:aws:iam::210987654321:role/m\"\n\
        [preprod]\nrole_arn = \"arn:aws-cn:iam::210987654321:role/m\"\n";
    assert!(refused(text).contains("that of dev in aws, from where none"), "{}", refused(text));
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = "[prod]\nregion = \"x\"\n[dev]\nrole_arn = \"x\"\nexternal_id = \"x\"\nregion = \"x\"\n";
    assert_eq!(read_text(text).unwrap_err().len(), 6, "{}", refused(text));
}
