//! `servers.toml`: which servers there are, in which environment and tier, and when they count as ready.
//!
//! Owns the file's format and its checks: by `ec2-start-stop check`, by the build of the artefact, and by the function
//! when it starts.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use crate::model::Elsewhere;

use super::environment::{self, RawEnvironments};

/// The branches of the state machine's Parallel: more would not be read in the console any more.
const MOST_ENVIRONMENTS: usize = 20;
/// The tiers of one branch.
const MOST_TIERS: usize = 6;
/// Environments and tiers stand in state names, which have at most 80 characters
/// (<https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>).
const LONGEST_NAME: usize = 24;
/// An execution of hours is a mistake in the file: a whole day at most.
const LONGEST_MINUTES: u64 = 24 * 60;
/// "A filter value has at most 255 characters" (EC2 refuses longer ones; ansible-collections/amazon.aws, issue 2393).
const LONGEST_SERVER: usize = 255;
/// What a list must say before it may be stopped by force, unless nothing starts after it.
const ACCEPTS_DATA_LOSS: &str = "data loss";

/// How far a started server must have come to count as ready. Each level includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Readiness {
    /// EC2 says `running`.
    Running,
    /// The instance, system and attached-EBS status checks pass.
    StatusChecks,
    /// EC2's application status passes too.
    Application,
}

/// How many servers of a list must be ready before the next tier may go ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Minimum {
    /// Every server that is not held.
    All,
    /// This many.
    AtLeast(usize),
}

/// What a running server costs.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rate {
    /// Of one server, an hour.
    pub amount: f64,
    /// For example `USD`.
    pub currency: String,
}

/// One list of servers: one environment's one tier.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ServerList {
    /// The `phase_number` of the payload.
    pub number: u32,
    /// For example `dev`.
    pub environment: String,
    /// For example `db`.
    pub tier: String,
    /// For people, `development db servers` for example.
    pub name: String,
    /// Name tags. With `tags` too, an instance must have both.
    pub servers: Vec<String>,
    /// Tags that an instance must carry.
    pub tags: BTreeMap<String, String>,
    /// When a started server counts as ready.
    pub ready: Readiness,
    /// How long the list may take, all invocations together.
    pub timeout: Duration,
    /// How long to wait after this list before the next tier.
    pub settle: Duration,
    /// How many must be ready.
    pub minimum: Minimum,
    /// After this a minimum that is met is enough, although others are still under way.
    pub minimum_after: Option<Duration>,
    /// After how long a graceful stop becomes a forced one; never, if absent.
    pub force_stop_after: Option<Duration>,
    /// What one of its servers costs an hour, on average: only the user knows.
    pub hourly_rate: Option<Rate>,
}

impl ServerList {
    /// Environment and tier, `dev db` for example: what people call the list.
    pub(crate) fn label(&self) -> String {
        format!("{} {}", self.environment, self.tier)
    }

    /// The field of a branch's result that holds the list's initial states, `dev_db_initial_state` for example.
    pub(crate) fn initial_state_field(&self) -> String {
        format!("{}_{}_initial_state", self.environment, self.tier)
    }
}

/// The whole file.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ServerLists {
    /// The tiers in the order of their start; a stop reverses it.
    pub tiers: Vec<String>,
    /// The lists, in the file's order.
    pub lists: Vec<ServerList>,
    /// Where the environments are that are not in the stack's own account and Region.
    pub elsewhere: BTreeMap<String, Elsewhere>,
}

/// What is wrong with the file, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ServersFileError {
    /// It is not TOML, or not of the file's shape; the text tells the line.
    #[error("servers.toml: {0}")]
    Shape(String),
    /// It is of the right shape, and says something that cannot be.
    #[error("servers.toml, line {line}: {what}")]
    Content {
        /// Counted from 1.
        line: usize,
        /// What is wrong, and what is expected.
        what: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default = "default_tiers")]
    tiers: Spanned<Vec<String>>,
    #[serde(default)]
    list: Vec<Spanned<RawList>>,
    #[serde(default)]
    environment: RawEnvironments,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawList {
    number: u32,
    environment: String,
    tier: String,
    name: String,
    servers: Option<Vec<Spanned<String>>>,
    tags: Option<BTreeMap<String, String>>,
    ready: Readiness,
    timeout_minutes: u64,
    #[serde(default)]
    settle_seconds: u64,
    #[serde(default)]
    minimum: RawMinimum,
    minimum_after_minutes: Option<u64>,
    force_stop_after_minutes: Option<u64>,
    force_stop_accepts: Option<String>,
    hourly_rate: Option<Rate>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "minimum must be \"all\" or a number")]
enum RawMinimum {
    Word(All),
    Number(usize),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum All {
    All,
}

impl Default for RawMinimum {
    fn default() -> Self {
        Self::Word(All::All)
    }
}

fn default_tiers() -> Spanned<Vec<String>> {
    Spanned::new(0..0, vec!["db".to_owned(), "app".to_owned()])
}

impl ServerLists {
    /// Reads the file's text.
    ///
    /// # Errors
    /// With the line and what is wrong there; nothing of a bad file is used.
    pub(crate) fn parse(text: &str) -> Result<Self, ServersFileError> {
        let raw: RawFile = toml::from_str(text)
            .map_err(|error| ServersFileError::Shape(error.to_string().trim_end().to_owned()))?;
        let check = Check { text };
        let tiers_at = raw.tiers.span();
        let tiers = raw.tiers.into_inner();
        check.tiers(&tiers, &tiers_at)?;
        let mut lists: Vec<ServerList> = Vec::new();
        let mut taken: BTreeMap<String, u32> = BTreeMap::new();
        for spanned in raw.list {
            let at = spanned.span();
            let raw = spanned.into_inner();
            check.list(&raw, &at, &tiers, &lists)?;
            check.names(&raw, &mut taken)?;
            lists.push(raw.into_list());
        }
        let mut lists = Self { tiers, lists, elsewhere: BTreeMap::new() };
        if lists.lists.is_empty() {
            return Err(check.content(&(0..0), "there is no [[list]]".to_owned()));
        }
        let environments = lists.environments().len();
        if environments > MOST_ENVIRONMENTS {
            let what =
                format!("{environments} environments; at most {MOST_ENVIRONMENTS} fit a state machine");
            return Err(check.content(&(0..0), what));
        }
        check.days(&lists)?;
        lists.elsewhere = environment::read(raw.environment, &lists.environments()).map_err(|mistakes| {
            let first = mistakes.into_iter().next().unwrap_or_default();
            check.content(&first.0, first.1)
        })?;
        Ok(lists)
    }

    /// What the file means, environment by environment.
    pub(crate) fn understood(&self) -> String {
        let tier = |list: &&ServerList| format!("{} ({} servers)", list.tier, list.servers.len());
        let line = |name: &str| {
            let tiers: Vec<String> = self.in_start_order(name).iter().map(tier).collect();
            let place = self
                .elsewhere
                .get(name)
                .map(|elsewhere| format!(" ({})", elsewhere.words("the stack's Region")));
            format!("{name}{}: {}", place.unwrap_or_default(), tiers.join(" → "))
        };
        self.environments().into_iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// The list of a `phase_number`.
    pub(crate) fn numbered(&self, number: u32) -> Option<&ServerList> {
        self.lists.iter().find(|list| list.number == number)
    }

    /// The environments, in the order in which the file names them first.
    pub(crate) fn environments(&self) -> Vec<&str> {
        let mut seen = BTreeSet::new();
        self.lists.iter().map(|list| list.environment.as_str()).filter(|name| seen.insert(*name)).collect()
    }

    /// How many environments are where this one is, itself too, and share EC2's token buckets: those are an account's
    /// and a Region's (<https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>). `home` is the
    /// stack's own account, where it is known, and Region.
    pub(crate) fn sharers(&self, environment: &str, home: (Option<&str>, &str)) -> usize {
        let place = |name: &str| match self.elsewhere.get(name) {
            Some(elsewhere) => (Some(elsewhere.account()), elsewhere.region(home.1)),
            None => home,
        };
        self.environments().into_iter().filter(|name| place(name) == place(environment)).count()
    }

    /// An environment's lists in the order of their start.
    pub(crate) fn in_start_order(&self, environment: &str) -> Vec<&ServerList> {
        let place = |list: &&ServerList| self.tiers.iter().position(|tier| *tier == list.tier);
        let mut lists: Vec<&ServerList> =
            self.lists.iter().filter(|list| list.environment == environment).collect();
        lists.sort_by_key(place);
        lists
    }
}

impl RawList {
    fn into_list(self) -> ServerList {
        ServerList {
            number: self.number,
            environment: self.environment,
            tier: self.tier,
            name: self.name,
            servers: self.servers.unwrap_or_default().into_iter().map(Spanned::into_inner).collect(),
            tags: self.tags.unwrap_or_default(),
            ready: self.ready,
            timeout: Duration::from_secs(self.timeout_minutes * 60),
            settle: Duration::from_secs(self.settle_seconds),
            minimum: match self.minimum {
                RawMinimum::Word(All::All) => Minimum::All,
                RawMinimum::Number(number) => Minimum::AtLeast(number),
            },
            minimum_after: self.minimum_after_minutes.map(|minutes| Duration::from_secs(minutes * 60)),
            force_stop_after: self.force_stop_after_minutes.map(|minutes| Duration::from_secs(minutes * 60)),
            hourly_rate: self.hourly_rate,
        }
    }
}

/// The checks that the types cannot make; each refusal has its line.
struct Check<'a> {
    text: &'a str,
}

impl Check<'_> {
    fn content(&self, at: &Range<usize>, what: String) -> ServersFileError {
        let before = self.text.get(..at.start).unwrap_or_default();
        ServersFileError::Content { line: before.matches('\n').count() + 1, what }
    }

    fn ensure(
        &self,
        holds: bool,
        at: &Range<usize>,
        what: impl FnOnce() -> String,
    ) -> Result<(), ServersFileError> {
        if holds { Ok(()) } else { Err(self.content(at, what())) }
    }

    fn tiers(&self, tiers: &[String], at: &Range<usize>) -> Result<(), ServersFileError> {
        self.ensure((1..=MOST_TIERS).contains(&tiers.len()), at, || {
            format!("tiers must name 1 to {MOST_TIERS} tiers in the order of their start")
        })?;
        for tier in tiers {
            self.state_name("tier", tier, at)?;
        }
        // State names write db as DB: tiers that differ only so would be one state.
        let distinct: BTreeSet<String> = tiers.iter().map(|tier| tier.to_lowercase()).collect();
        self.ensure(distinct.len() == tiers.len(), at, || "tiers names a tier twice".to_owned())
    }

    fn list(
        &self,
        raw: &RawList,
        at: &Range<usize>,
        tiers: &[String],
        before: &[ServerList],
    ) -> Result<(), ServersFileError> {
        let number = raw.number;
        self.state_name("environment", &raw.environment, at)?;
        self.ensure(tiers.contains(&raw.tier), at, || {
            format!("list {number} has the tier \"{}\", which is not one of {tiers:?}", raw.tier)
        })?;
        self.ensure(!raw.name.trim().is_empty(), at, || format!("list {number} has an empty name"))?;
        self.ensure(!raw.name.contains(char::is_control), at, || {
            format!("list {number}: its name must be one line without control characters")
        })?;
        self.ensure(!before.iter().any(|list| list.number == number), at, || {
            format!("two lists have the number {number}")
        })?;
        let like = |name: &str| name.to_lowercase().replace('_', "-");
        let twin = before.iter().find(|list| {
            list.environment != raw.environment && like(&list.environment) == like(&raw.environment)
        });
        self.ensure(twin.is_none(), at, || {
            let other = twin.map_or("", |list| list.environment.as_str());
            let environment = &raw.environment;
            format!("environment \"{environment}\" differs from \"{other}\" only by case, - or _: its tiers would not wait for each other")
        })?;
        let same = |list: &ServerList| list.environment == raw.environment && list.tier == raw.tier;
        self.ensure(!before.iter().any(same), at, || {
            format!("environment \"{}\" has two lists for the tier \"{}\"", raw.environment, raw.tier)
        })?;
        self.times(raw, at)?;
        self.rate(raw, at)?;
        self.selection(raw, at)?;
        self.minimum_after(raw, at)?;
        self.force_stop(raw, tiers, at)
    }

    fn times(&self, raw: &RawList, at: &Range<usize>) -> Result<(), ServersFileError> {
        let number = raw.number;
        self.ensure((1..=LONGEST_MINUTES).contains(&raw.timeout_minutes), at, || {
            format!("list {number}: timeout_minutes must be 1 to {LONGEST_MINUTES}")
        })?;
        self.ensure(raw.settle_seconds <= LONGEST_MINUTES * 60, at, || {
            format!("list {number}: settle_seconds must be at most {}", LONGEST_MINUTES * 60)
        })
    }

    /// One environment's lists run one after the other, within the state machine's time-out (machine.rs).
    fn days(&self, lists: &ServerLists) -> Result<(), ServersFileError> {
        for environment in lists.environments() {
            let of = lists.in_start_order(environment);
            let minutes =
                of.iter().map(|list| (list.timeout + list.settle).as_secs()).sum::<u64>().div_ceil(60);
            self.ensure(minutes <= LONGEST_MINUTES, &(0..0), || {
                format!(
                    "environment \"{environment}\": timeout_minutes and settle_seconds of its lists come to \
                     {minutes} minutes together, and must be at most {LONGEST_MINUTES}"
                )
            })?;
        }
        Ok(())
    }

    fn rate(&self, raw: &RawList, at: &Range<usize>) -> Result<(), ServersFileError> {
        let fits = |rate: &Rate| {
            let currency = rate.currency.chars().all(|c| c.is_ascii_uppercase()) && rate.currency.len() == 3;
            currency && rate.amount.is_finite() && rate.amount > 0.0
        };
        self.ensure(raw.hourly_rate.as_ref().is_none_or(fits), at, || {
            format!("list {}: hourly_rate must be like {{ amount = 0.0964, currency = \"USD\" }}", raw.number)
        })
    }

    fn selection(&self, raw: &RawList, at: &Range<usize>) -> Result<(), ServersFileError> {
        let number = raw.number;
        self.ensure(raw.servers.is_some() || raw.tags.is_some(), at, || {
            format!("list {number} has neither servers nor tags; an empty list is servers = []")
        })?;
        let tags = raw.tags.iter().flatten();
        self.ensure(raw.tags.as_ref().is_none_or(|tags| !tags.is_empty()), at, || {
            format!("list {number}: tags is empty, which would mean every instance")
        })?;
        for (key, value) in tags {
            self.ensure(!key.trim().is_empty() && !value.trim().is_empty(), at, || {
                format!("list {number}: a tag has an empty key or value")
            })?;
        }
        let RawMinimum::Number(minimum) = raw.minimum else { return Ok(()) };
        self.ensure(minimum >= 1, at, || format!("list {number}: minimum must be \"all\" or at least 1"))?;
        let listed = raw.servers.as_ref().map(Vec::len);
        self.ensure(listed.is_none_or(|listed| minimum <= listed), at, || {
            let listed = listed.unwrap_or_default();
            format!("list {number}: minimum is {minimum}, but the list has only {listed} servers")
        })
    }

    fn minimum_after(&self, raw: &RawList, at: &Range<usize>) -> Result<(), ServersFileError> {
        let number = raw.number;
        let Some(minutes) = raw.minimum_after_minutes else { return Ok(()) };
        self.ensure(matches!(raw.minimum, RawMinimum::Number(_)), at, || {
            format!("list {number}: minimum_after_minutes needs a minimum that is a number")
        })?;
        self.ensure((1..raw.timeout_minutes).contains(&minutes), at, || {
            format!("list {number}: minimum_after_minutes must be at least 1 and less than timeout_minutes")
        })
    }

    /// What starts before something else may hold its data: every list but those of the last tier.
    fn force_stop(&self, raw: &RawList, tiers: &[String], at: &Range<usize>) -> Result<(), ServersFileError> {
        let number = raw.number;
        let Some(minutes) = raw.force_stop_after_minutes else {
            return self.ensure(raw.force_stop_accepts.is_none(), at, || {
                format!("list {number}: force_stop_accepts has no force_stop_after_minutes to accept")
            });
        };
        self.ensure((1..raw.timeout_minutes).contains(&minutes), at, || {
            format!(
                "list {number}: force_stop_after_minutes must be at least 1 and less than timeout_minutes"
            )
        })?;
        let accepted = raw.force_stop_accepts.as_deref() == Some(ACCEPTS_DATA_LOSS);
        let is_last = tiers.len() > 1 && tiers.last() == Some(&raw.tier);
        self.ensure(is_last || accepted, at, || {
            format!(
                "list {number}: a forced stop can destroy data of the tier \"{tier}\"; \
                 if you accept that, say force_stop_accepts = \"{ACCEPTS_DATA_LOSS}\"",
                tier = raw.tier
            )
        })
    }

    /// Names of servers: Name tags as they are, none in two lists.
    fn names(&self, raw: &RawList, taken: &mut BTreeMap<String, u32>) -> Result<(), ServersFileError> {
        for name in raw.servers.iter().flatten() {
            let (at, name) = (name.span(), name.get_ref());
            if let Some(wrong) = wrong_name(name) {
                return Err(self.content(&at, format!("list {}: server \"{name}\": {wrong}", raw.number)));
            }
            if let Some(other) = taken.insert(name.clone(), raw.number) {
                let what = format!("server \"{name}\" is in list {other} and in list {}", raw.number);
                return Err(self.content(&at, what));
            }
        }
        Ok(())
    }

    /// Environments and tiers stand in the names of states and of report fields.
    fn state_name(&self, what: &str, name: &str, at: &Range<usize>) -> Result<(), ServersFileError> {
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        self.ensure(plain && (1..=LONGEST_NAME).contains(&name.len()), at, || {
            format!("{what} \"{name}\": 1 to {LONGEST_NAME} letters, digits, - and _ are expected")
        })
    }
}

/// Why a Name tag cannot be listed, if it cannot.
fn wrong_name(name: &str) -> Option<&'static str> {
    let id = |rest: &str| matches!(rest.len(), 8 | 17) && rest.chars().all(|c| c.is_ascii_hexdigit());
    if name.trim().is_empty() {
        Some("an empty name")
    } else if name.trim() != name {
        Some("take the blanks around the name away")
    } else if name.contains(['*', '?']) {
        Some("wildcards are not read; list the names, or select by tags")
    } else if name.strip_prefix("i-").is_some_and(id) {
        Some("this is an instance id; write the server's Name tag")
    } else if name.contains(char::is_control) {
        Some("a name is one line without control characters")
    } else if name.chars().map(|c| if c == '\\' { 2 } else { 1 }).sum::<usize>() > LONGEST_SERVER {
        Some("EC2 takes at most 255 characters; select by tags")
    } else {
        None
    }
}
