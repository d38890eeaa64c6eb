//! `[environment.NAME]`: which places are read, and what is refused.

use std::collections::BTreeMap;

use crate::model::Elsewhere;
use crate::servers::environment::{Mistake, RawEnvironments, read};

const ROLE: &str = "arn:aws:iam::210987654321:role/ec2-start-stop-member";

fn read_text(text: &str) -> Result<BTreeMap<String, Elsewhere>, Vec<String>> {
    let raw: RawEnvironments = toml::from_str(text).unwrap();
    let what = |mistakes: Vec<Mistake>| mistakes.into_iter().map(|(_, what)| what).collect();
    read(raw, &["dev", "preprod"]).map_err(what)
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
    assert_eq!(what, "[environment.prod]: no list is of it; there are dev, preprod");
}

#[test]
fn a_region_alone_is_refused_because_no_role_reaches_it() {
    assert!(refused("[dev]\nregion = \"eu-central-1\"\n").contains("role_arn is missing"));
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
        assert!(refused(&format!("[dev]\nrole_arn = \"{arn}\"\n")).contains("must be like"), "{arn}");
    }
    let long = format!("arn:aws:iam::210987654321:role/{}", "r".repeat(65));
    assert!(refused(&format!("[dev]\nrole_arn = \"{long}\"\n")).contains("must be like"));
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
        assert!(refused(&text).contains("a Region is expected"), "{region}");
    }
    let text = format!("[dev]\nrole_arn = \"{ROLE}\"\nregion = \"cn-north-1\"\n");
    assert!(refused(&text).contains("it is in the partition aws-cn, and role_arn in aws"));
}

#[test]
fn an_external_id_is_one_as_sts_takes_it() {
    for id in ["x", "", "two words", "a#b", "ä-long-one"] {
        let text = format!("[dev]\nrole_arn = \"{ROLE}\"\nexternal_id = \"{id}\"\n");
        assert!(refused(&text).contains("external_id must have"), "{id}");
    }
    let long = format!("[dev]\nrole_arn = \"{ROLE}\"\nexternal_id = \"{}\"\n", "x".repeat(1225));
    assert!(refused(&long).contains("external_id must have"));
}

#[test]
fn roles_of_two_partitions_are_refused_because_none_reaches_the_other() {
    let text = "[dev]\nrole_arn = \"arn:aws:iam::210987654321:role/m\"\n\
        [preprod]\nrole_arn = \"arn:aws-cn:iam::210987654321:role/m\"\n";
    assert!(refused(text).contains("that of dev in aws; no role of one"), "{}", refused(text));
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = "[prod]\nregion = \"x\"\n[dev]\nrole_arn = \"x\"\nexternal_id = \"x\"\nregion = \"x\"\n";
    assert_eq!(read_text(text).unwrap_err().len(), 5, "{}", refused(text));
}
