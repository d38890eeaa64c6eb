//! `[environment.NAME]` in servers.toml: the role by which an environment in another account or Region is reached.
//!
//! Owns the table and its checks. All mistakes are found at once, each with its place in the text; `file` makes lines
//! of them.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use crate::model::Elsewhere;

/// A mistake: where it stands, and what is wrong and expected.
pub(super) type Mistake = (Range<usize>, String);

/// The tables, by the environments' names.
pub(super) type RawEnvironments = BTreeMap<String, Spanned<RawEnvironment>>;

/// "Length Constraints: Minimum length of 2. Maximum length of 1224" (API: sts:AssumeRole, `ExternalId`).
const EXTERNAL_ID_CHARACTERS: std::ops::RangeInclusive<usize> = 2..=1224;
/// "up to 64 characters" (API: iam:CreateRole, `RoleName`).
const LONGEST_ROLE_NAME: usize = 64;
/// The partitions whose consoles and services were looked up (template.yaml, `Partitions`).
const PARTITIONS: [&str; 3] = ["aws", "aws-cn", "aws-us-gov"];
/// What the Regions of the partition `aws` begin with (botocore 1.44.8, partitions.json, `regionRegex`).
const AREAS: [&str; 9] = ["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx"];

/// A table, as it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEnvironment {
    role_arn: Option<Spanned<String>>,
    external_id: Option<Spanned<String>>,
    region: Option<Spanned<String>>,
}

/// Where the environments are that have a table. `known` are the environments of the lists.
///
/// # Errors
/// Every mistake, in the order of the environments' names.
pub(super) fn read(
    raw: RawEnvironments,
    known: &[&str],
) -> Result<BTreeMap<String, Elsewhere>, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let mut partitions: BTreeMap<String, String> = BTreeMap::new();
    let mut read = BTreeMap::new();
    for (name, table) in raw {
        let at = table.span();
        let table = table.into_inner();
        if !known.contains(&name.as_str()) {
            let known = known.join(", ");
            mistakes.push((at.clone(), format!("[environment.{name}]: no list is of it; there are {known}")));
        }
        let before = mistakes.len();
        mistakes.extend(table.mistakes(&name, &at));
        let Some(role) = table.role_arn.filter(|_| mistakes.len() == before) else { continue };
        let span = role.span();
        let partition = partition_of(role.get_ref()).unwrap_or_default().to_owned();
        if let Some((other, first)) = partitions.iter().find(|(other, _)| **other != partition) {
            let what = format!(
                "[environment.{name}]: its role is in the partition {partition}, and that of {first} in {other}; no role of one can be assumed from the other"
            );
            mistakes.push((span, what));
        }
        partitions.entry(partition).or_insert_with(|| name.clone());
        let external_id = table.external_id.map(Spanned::into_inner);
        let region = table.region.map(Spanned::into_inner);
        read.insert(name, Elsewhere { role: role.into_inner(), external_id, region });
    }
    if mistakes.is_empty() { Ok(read) } else { Err(mistakes) }
}

impl RawEnvironment {
    fn mistakes(&self, name: &str, at: &Range<usize>) -> Vec<Mistake> {
        let Some(role) = &self.role_arn else {
            let what = format!(
                "[environment.{name}]: role_arn is missing; another Region is reached by a role too, in this account or another"
            );
            return vec![(at.clone(), what)];
        };
        let partition = partition_of(role.get_ref());
        let mut mistakes = Vec::new();
        if partition.is_none() {
            let what = format!(
                "[environment.{name}]: role_arn \"{}\" must be like arn:aws:iam::123456789012:role/ec2-start-stop-member",
                role.get_ref()
            );
            mistakes.push((role.span(), what));
        }
        if let Some(id) = self.external_id.as_ref().filter(|id| !is_external_id(id.get_ref())) {
            let what = format!(
                "[environment.{name}]: external_id must have 2 to 1224 letters, digits and any of _+=,.@:/-"
            );
            mistakes.push((id.span(), what));
        }
        mistakes.extend(self.region.as_ref().and_then(|region| {
            let what = wrong_region(region.get_ref(), partition)?;
            Some((region.span(), format!("[environment.{name}]: region \"{}\": {what}", region.get_ref())))
        }));
        mistakes
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

/// Why a Region is none, or none that the role's partition has.
fn wrong_region(region: &str, role_is_in: Option<&str>) -> Option<String> {
    let Some(partition) = partition_with(region) else {
        return Some("a Region is expected, for example eu-west-1".to_owned());
    };
    let other = role_is_in.filter(|other| *other != partition)?;
    Some(format!("it is in the partition {partition}, and role_arn in {other}"))
}

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
