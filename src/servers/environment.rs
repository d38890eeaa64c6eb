//! `[environment.NAME]` in servers.toml: the role by which an environment in another account or Region is reached, and
//! what a person is asked of it.
//!
//! Owns the table and the checks of the place; those of the question, `approve` has.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::model::Elsewhere;

use super::approve::{Approval, RawApproval};
use super::keys::{ENVIRONMENTS, EXTERNAL_ID, OF_ENVIRONMENT, REGION, ROLE_ARN};
use super::mistake::{Given, Mistakes};
use super::table::Table;

/// "Length Constraints: Minimum length of 2. Maximum length of 1224" (API: sts:AssumeRole, `ExternalId`).
const EXTERNAL_ID_CHARACTERS: std::ops::RangeInclusive<usize> = 2..=1224;
/// "up to 64 characters" (API: iam:CreateRole, `RoleName`).
const LONGEST_ROLE_NAME: usize = 64;
/// The partitions whose consoles and services were looked up (template.yaml, `Partitions`).
const PARTITIONS: [&str; 3] = ["aws", "aws-cn", "aws-us-gov"];
/// What the Regions of the partition `aws` begin with (botocore 1.44.8, partitions.json, `regionRegex`).
const AREAS: [&str; 9] = ["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx"];

/// One `[environment.NAME]`.
pub(super) struct RawEnvironment {
    at: Range<usize>,
    name: String,
    role_arn: Given<String>,
    external_id: Given<String>,
    region: Given<String>,
    approve: RawApproval,
}

/// Reads all of them.
pub(super) fn read(file: &Table<'_>, mistakes: &mut Mistakes<'_>) -> Vec<RawEnvironment> {
    let Some(found) = file.get(&ENVIRONMENTS) else { return Vec::new() };
    let Some(tables) = found.get_ref().as_table() else {
        let what = format!(
            "environment = {}: it belongs to a list: write [[list]] above it",
            mistakes.source(&found.span())
        );
        mistakes.note(&found.span(), what);
        return Vec::new();
    };
    let mut read = Vec::new();
    for (name, table) in tables {
        let (name, at) = (name.get_ref().to_string(), table.span());
        let Some(items) = table.get_ref().as_table() else {
            let what = format!("environment.{name} is no table: write {}", ENVIRONMENTS.expected);
            mistakes.note(&at, what);
            continue;
        };
        let table = Table::new(format!("[environment.{name}]"), items, at.clone());
        table.only(&OF_ENVIRONMENT, |_, _| None, mistakes);
        let approve = RawApproval::read(&table, mistakes);
        let is_elsewhere = table.get(&EXTERNAL_ID).is_some() || table.get(&REGION).is_some();
        if (is_elsewhere || approve.is_absent()) && table.get(&ROLE_ARN).is_none() {
            table.lacks(&ROLE_ARN, mistakes);
        }
        read.push(RawEnvironment {
            at,
            name,
            approve,
            role_arn: table.read(&ROLE_ARN, |arn: &String| partition_of(arn).is_some(), mistakes),
            external_id: table.read(&EXTERNAL_ID, |id: &String| is_external_id(id), mistakes),
            region: table.read(&REGION, |region: &String| partition_with(region).is_some(), mistakes),
        });
    }
    read
}

/// Notes tables of no environment, and places that no role reaches. `known` are the environments of the lists, if all
/// can be read.
pub(super) fn check(all: &[RawEnvironment], known: Option<&BTreeSet<&str>>, mistakes: &mut Mistakes<'_>) {
    let mut first: Option<(&str, &str)> = None;
    for one in all {
        if let Some(known) = known.filter(|known| !known.contains(one.name.as_str())) {
            let known: Vec<&str> = known.iter().copied().collect();
            let what = format!("[environment.{}] is of no list: write one of {}", one.name, known.join(", "));
            mistakes.note(&one.at, what);
        }
        let Some(role) = one.role_arn.good() else { continue };
        let Some(partition) = partition_of(role.get_ref()) else { continue };
        let (of, other) = *first.get_or_insert((one.name.as_str(), partition));
        mistakes.ensure(partition == other, &role.span(), || {
            format!(
                "role_arn is in the partition {partition}, and that of {of} in {other}, from where none of \
                 {partition} can be assumed: write a role in {other}"
            )
        });
        let Some(region) = one.region.good() else { continue };
        let (name, place) = (region.get_ref(), partition_with(region.get_ref()));
        mistakes.ensure(place == Some(partition), &region.span(), || {
            let place = place.unwrap_or("none");
            format!(
                "region = \"{name}\" is in the partition {place}, and role_arn in {partition}: \
                 write a Region of {partition}"
            )
        });
    }
}

impl RawEnvironment {
    /// The environment's name and place, if it is elsewhere.
    pub(super) fn into_elsewhere(self) -> Option<(String, Elsewhere)> {
        let role = self.role_arn.value()?.clone();
        let (external_id, region) = (self.external_id.value().cloned(), self.region.value().cloned());
        Some((self.name, Elsewhere { role, external_id, region }))
    }

    /// What a person is asked of it, if anything.
    pub(super) fn approval(&self) -> Option<(String, Approval)> {
        Some((self.name.clone(), self.approve.as_approval()?))
    }
}

/// The partition of a role's ARN; nothing if it is none of a partition that we know.
fn partition_of(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(6, ':');
    let (scheme, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let mut path: Vec<&str> = resource.strip_prefix("role/")?.split('/').collect();
    let is_role = path.pop().is_some_and(|role| role.len() <= LONGEST_ROLE_NAME && is_plain(role))
        && path.into_iter().all(is_plain);
    let fits = scheme == "arn" && service == "iam" && region.is_empty() && is_account && is_role;
    Some(partition).filter(|partition| fits && PARTITIONS.contains(partition))
}

/// What roles and their paths are named with (API: iam:CreateRole, `RoleName`: `[\w+=,.@-]+`).
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte))
}

/// API: sts:AssumeRole, `ExternalId`: `[\w+=,.@:\/-]*`.
fn is_external_id(id: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&byte);
    EXTERNAL_ID_CHARACTERS.contains(&id.len()) && id.bytes().all(fits)
}

/// The partition of a Region; nothing if no partition has it.
fn partition_with(region: &str) -> Option<&'static str> {
    let parts: Vec<&str> = region.split('-').collect();
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_number = |number: &str| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    match parts[..] {
        ["us", "gov", word, number] if is_word(word) && is_number(number) => Some("aws-us-gov"),
        ["cn", word, number] if is_word(word) && is_number(number) => Some("aws-cn"),
        // us-gov-1 and us-iso-1 would be partitions without a place in them.
        [area, word, number] if AREAS.contains(&area) && is_word(word) && is_number(number) => {
            (!word.starts_with("iso") && word != "gov").then_some("aws")
        }
        _ => None,
    }
}
