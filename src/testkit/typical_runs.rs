//! Runs as they happen, told by the phase loop itself against the small EC2: what mails are looked at with.

use std::fmt::Write;
use std::ops::Range;

use crate::model::{Action, Execution, Instance, InstanceState};
use crate::phase::run::Task;
use crate::ports::Mail;
use crate::report::asked::Asked;
use crate::report::calendar::{Calendar, Said};
use crate::report::request::ReportRequest;
use crate::report::{Place, Report};
use crate::servers::file::{ServerList, ServerLists};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{typical_check, typical_question};
use crate::testkit::small_ec2::{self as world, Habit, Server, World, invoke, running, seven, stopped};

/// A mail, as it would be sent.
#[derive(Debug)]
pub struct TypicalMail {
    /// What its file is called.
    pub name: &'static str,
    /// The subject.
    pub subject: String,
    /// The body for people.
    pub html: String,
    /// The body for terminals.
    pub text: String,
}

/// The mails of all typical runs, of a check, and of questions.
pub fn mails() -> Vec<TypicalMail> {
    let mail = |run: Run| {
        let Mail { subject, html, text } = run.mail();
        TypicalMail { name: run.name, subject, html, text }
    };
    all().into_iter().map(mail).chain([typical_check::mail()]).chain(typical_question::mails()).collect()
}

/// A run to be made.
pub(crate) struct Run {
    /// What the mail's file is called.
    pub name: &'static str,
    file: String,
    action: Action,
    dry_run: bool,
    only: Option<&'static str>,
    before: fn(&str) -> Server,
    /// It did nothing, because its calendar is closed.
    closed: bool,
}

/// The runs that a user meets.
pub(crate) fn all() -> Vec<Run> {
    vec![
        Run { before: |name| timed(stopped(name)), ..run("success", Action::Start) },
        Run { before: |name| timed(running(name)), ..run("nothing-to-do", Action::Start) },
        Run { before: one_is_short, file: enough_are_two(), ..run("degraded", Action::Start) },
        Run { before: two_are_broken, ..run("aborted", Action::Start) },
        Run { before: |name| timed(running(name)), ..run("shutdown", Action::Stop) },
        Run { before: one_is_held, dry_run: true, ..run("dry-run", Action::Start) },
        Run {
            before: |name| timed(stopped(name)),
            only: Some("dev"),
            ..run("one-environment", Action::Start)
        },
        Run { before: |name| timed(running(name)), closed: true, ..run("closed-calendar", Action::Stop) },
        Run { before: |name| timed(stopped(name)), file: odd_names(), ..run("odd-names", Action::Start) },
        Run { before: some_are_broken, file: thousand(), ..run("thousand", Action::Start) },
    ]
}

fn run(name: &'static str, action: Action) -> Run {
    let file = include_str!("../../tests/servers.toml").to_owned();
    Run { name, file, action, dry_run: false, only: None, before: stopped, closed: false }
}

impl Run {
    /// Runs every environment, and reports.
    pub(crate) fn report(&self) -> Report {
        let lists = ServerLists::parse(&self.file).unwrap();
        let branches: Vec<Branch> =
            lists.environments().into_iter().map(|name| self.branch(&lists, name)).collect();
        let request = ReportRequest {
            action: self.action,
            dry_run: self.dry_run,
            execution: Some(execution(self.action)),
            results: branches.iter().filter(|_| !self.closed).map(|branch| branch.result.clone()).collect(),
            waited: false,
            look_error: None,
            error: None,
            claim: None,
            skipped: self.closed,
            calendar: self.closed.then(holidays),
            asked: Asked { environments: self.only.map(|only| vec![only.to_owned()]), ..Asked::default() },
            silent: false,
        };
        let seen = branches.iter().flat_map(|branch| branch.seen.clone()).collect();
        let ended = branches.iter().map(|branch| branch.ended).max().unwrap();
        Report::build(&request, &lists, &seen, ended)
    }

    /// The mail of the run.
    pub(crate) fn mail(&self) -> Mail {
        self.report().mail(&zone(), &place())
    }

    /// One environment, as its branch of the state machine goes.
    fn branch(&self, lists: &ServerLists, environment: &str) -> Branch {
        let mut phases = lists.in_start_order(environment);
        if self.action == Action::Stop {
            phases.reverse();
        }
        let servers = phases.iter().flat_map(|phase| &phase.servers).map(|name| (self.before)(name));
        let world = World::new(servers);
        let mut result = json!({ "environment": environment, "ok": true, "phases": [] });
        let is_in_it = !self.closed && self.only.is_none_or(|only| only == environment);
        for phase in phases.iter().filter(|_| is_in_it) {
            let answer = self.phase(&world, phase);
            result[format!("{environment}_{}_initial_state", phase.tier)] = answer["initial_state"].clone();
            let go_on = answer["next_phase"] == true;
            let mut told = answer;
            told["phase_number"] = json!(phase.number);
            result["phases"].as_array_mut().unwrap().push(told);
            if !go_on {
                break;
            }
        }
        let seen = phases.iter().map(|phase| (phase.number, Ok(now(&world, phase)))).collect();
        Branch { result, seen, ended: seven() + SignedDuration::from_secs(world.seconds()) }
    }

    fn phase(&self, world: &World, list: &ServerList) -> Value {
        let task = Task { dry_run: self.dry_run, zone: zone(), ..world::task(world, list, self.action) };
        serde_json::to_value(invoke(world, &task, None).unwrap()).unwrap()
    }
}

struct Branch {
    result: Value,
    seen: crate::report::Seen,
    ended: Timestamp,
}

fn holidays() -> Calendar {
    let until = seven() + SignedDuration::from_hours(41);
    Calendar { name: "holidays".to_owned(), said: Said::Closed(Some(until)) }
}

pub(super) fn zone() -> TimeZone {
    TimeZone::get("Europe/Madrid").unwrap()
}

pub(super) fn place() -> Place {
    Place {
        account: Some("123456789012".to_owned()),
        log_group: Some("/ec2-start-stop/prod-scheduler".to_owned()),
        docs_url: Some("https://git.example.com/ec2-start-stop/docs"),
        // A new version must not make every mail of the tests another one.
        version: "1.2.3",
        ..Place::new("eu-west-1", "prod-scheduler")
    }
}

/// Named as `make start` and `make stop` do.
pub(super) fn execution(action: Action) -> Execution {
    let verb = if action == Action::Start { "start" } else { "stop" };
    let name = format!("{verb}-20261123T060000Z-1f0c9a3e");
    Execution {
        id: format!("arn:aws:states:eu-west-1:123456789012:execution:prod-scheduler:{name}"),
        name,
        start_time: seven(),
    }
}

fn now(world: &World, list: &ServerList) -> Vec<Instance> {
    list.servers
        .iter()
        .map(|name| {
            let state = world.state(name);
            let servers = world.servers.borrow();
            let instance = servers[&world.id(name)].instance.clone();
            Instance { state, ..instance }
        })
        .filter(|instance| instance.state != InstanceState::Terminated)
        .collect()
}

/// Each server takes its own time.
fn timed(server: Server) -> Server {
    let name = server.instance.name.clone().unwrap_or_default();
    let spread = |seconds: Range<i64>| {
        let sum: i64 = name.bytes().map(i64::from).sum();
        SignedDuration::from_secs(seconds.start + sum * 37 % (seconds.end - seconds.start))
    };
    let (boot, checks, stop) = (spread(9..24), spread(70..150), spread(20..75));
    server.change(|server| (server.boot, server.checks_after, server.stop) = (boot, checks, stop))
}

fn one_is_short(name: &str) -> Server {
    match name {
        "test8" => timed(stopped(name)).with(Habit::Refuses("InsufficientInstanceCapacity")),
        "test13" => held(name),
        _ => timed(stopped(name)),
    }
}

fn one_is_held(name: &str) -> Server {
    if name == "test13" { held(name) } else { timed(stopped(name)) }
}

fn held(name: &str) -> Server {
    timed(stopped(name)).change(|server| server.instance.hold = Some("2026-12-24".to_owned()))
}

fn two_are_broken(name: &str) -> Server {
    match name {
        "test2" => timed(stopped(name)).with(Habit::Bounces("Client.InternalError")),
        "test10" => timed(stopped(name)).with(Habit::Impaired("system")),
        _ => timed(stopped(name)),
    }
}

fn some_are_broken(name: &str) -> Server {
    match name {
        "web-0017" => timed(stopped(name)).with(Habit::Refuses("VcpuLimitExceeded")),
        "web-0580" => timed(stopped(name)).with(Habit::Refuses("UnauthorizedOperation")),
        "web-0900" => timed(stopped(name)).with(Habit::Bounces("Server.InternalError")),
        _ if name.ends_with('7') => timed(running(name)),
        _ => timed(stopped(name)),
    }
}

/// Two databases are enough, and it is known what they cost.
fn enough_are_two() -> String {
    let shipped = include_str!("../../tests/servers.toml");
    let dev_db = "name = \"development db servers\"";
    let more = "minimum = 2\nhourly_rate = { amount = 0.1928, currency = \"USD\" }";
    let section = shipped.find(dev_db).unwrap();
    let (before, after) = shipped.split_at(section);
    format!("{before}{}", after.replacen("minimum = \"all\"", more, 1))
}

fn odd_names() -> String {
    list(
        0,
        "dev",
        "<b>bold</b> & \"quoted\"",
        &["<script>alert(1)</script>", "שרת-מסד", "📦 parcels", "a & b"],
    )
}

fn thousand() -> String {
    let names: Vec<String> = (0..1000).map(|number| format!("web-{number:04}")).collect();
    list(0, "prod", "production web servers", &names.iter().map(String::as_str).collect::<Vec<_>>())
}

fn list(number: u32, environment: &str, name: &str, servers: &[&str]) -> String {
    let mut file = String::new();
    write!(
        file,
        "[[list]]\nnumber = {number}\nenvironment = \"{environment}\"\ntier = \"app\"\nname = '{name}'\n\
         servers = {servers:?}\nready = \"status-checks\"\ntimeout_minutes = 15\n"
    )
    .unwrap();
    file
}
