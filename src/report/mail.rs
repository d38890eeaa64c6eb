//! The mail: HTML and plain text, both from the one report.
//!
//! Owns the words and the order: the verdict, what went wrong, then a table an environment and tier. Templates
//! and escaping are askama's.

use std::collections::BTreeMap;
use std::time::Duration;

use askama::Template;
use jiff::tz::TimeZone;

use super::{EnvironmentReport, Report, Row, Status, TierReport};
use crate::model::{Action, ActionTaken, HoursOff, Outcome, Problem};
use crate::ports::Mail;

/// The plain text's width in characters.
const TEXT_WIDTH: usize = 78;
/// More unchanged servers of one list than this are folded into one line.
const UNFOLDED: usize = 6;

#[derive(Template)]
#[template(path = "report.html")]
struct Html<'a> {
    view: &'a View,
}

#[derive(Template)]
#[template(path = "report.txt")]
struct Text<'a> {
    view: &'a View,
}

/// The report in words.
struct View {
    subject: String,
    colour: &'static str,
    verdict: Sentence,
    /// For how long the servers had been off.
    off: Option<Sentence>,
    run: String,
    problems: Vec<ProblemView>,
    environments: Vec<EnvironmentView>,
    remarks: Vec<Sentence>,
}

/// A sentence for the HTML, and in lines for a terminal.
struct Sentence {
    text: String,
    lines: Vec<String>,
}

struct ProblemView {
    name: String,
    code: String,
    message: String,
    /// The message in lines for a terminal.
    lines: Vec<String>,
    link: Option<String>,
    id: String,
}

struct EnvironmentView {
    name: String,
    remark: &'static str,
    tiers: Vec<TierView>,
}

struct TierView {
    heading: String,
    off: Option<Sentence>,
    rows: Vec<RowView>,
    folded: String,
    folded_lines: Vec<String>,
}

struct RowView {
    name: String,
    id: String,
    states: String,
    note: String,
    bad: bool,
}

impl Report {
    /// The mail, with times in `zone` and links into the console of `region`.
    pub fn mail(&self, zone: &TimeZone, region: &str) -> Mail {
        let view = self.view(zone, region);
        Mail {
            subject: self.subject(),
            text: rendered(&Text { view: &view }, &view),
            html: rendered(&Html { view: &view }, &view),
        }
    }

    fn view(&self, zone: &TimeZone, region: &str) -> View {
        View {
            subject: self.subject(),
            colour: match self.status {
                Status::Success => "#1a7f37",
                Status::Degraded => "#9a6700",
                Status::Aborted => "#cf222e",
            },
            verdict: sentence(&self.verdict()),
            off: self.all_off(),
            run: self.run(zone),
            problems: self.problems.iter().map(|problem| problem_view(problem, region)).collect(),
            environments: self
                .environments
                .iter()
                .map(|environment| self.environment_view(environment))
                .collect(),
            remarks: self.remarks.iter().map(|remark| sentence(remark)).collect(),
        }
    }

    /// The first line: the verdict, the counts, how long it took.
    fn verdict(&self) -> String {
        let totals = self.totals();
        let (done, wanted) = match self.action {
            Action::Start => ("started", "up"),
            Action::Stop => ("stopped", "down"),
        };
        let done = if self.dry_run { format!("would be {done}") } else { done.to_owned() };
        let words = match self.status {
            _ if self.dry_run => "Dry run, nothing was changed".to_owned(),
            Status::Success if totals.changed == 0 => format!("All was {wanted} already"),
            Status::Success => format!("All is {wanted}"),
            Status::Degraded => format!("Not all is {wanted}, but enough to go on"),
            Status::Aborted => "Aborted".to_owned(),
        };
        let mut parts =
            vec![format!("{words}: {} servers", totals.servers), format!("{} {done}", totals.changed)];
        let counted =
            [(totals.problems, "with a problem"), (totals.held, "held"), (totals.not_reached, "not reached")];
        parts.extend(counted.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")));
        parts.extend(self.seconds().map(|seconds| format!("in {}", duration(seconds))));
        format!("{}.", parts.join(", "))
    }

    /// All hours off, and what they would have cost, by currency.
    fn all_off(&self) -> Option<Sentence> {
        let mut money = BTreeMap::new();
        for (currency, amount) in self.tiers().filter_map(TierReport::money) {
            *money.entry(currency).or_default() += amount;
        }
        let all_have_a_rate = self.tiers().all(|tier| tier.off.servers == 0 || tier.hourly_rate.is_some());
        off(self.off(), &money, if all_have_a_rate { "" } else { " where the rate is known" })
    }

    fn run(&self, zone: &TimeZone) -> String {
        let at = self.at.to_zoned(zone.clone()).strftime("%A %Y-%m-%d %H:%M %Z").to_string();
        match &self.execution {
            Some(execution) => format!("Execution {}, reported {at}", execution.name),
            None => format!("Reported {at}"),
        }
    }

    fn environment_view(&self, environment: &EnvironmentReport) -> EnvironmentView {
        EnvironmentView {
            name: environment.name.clone(),
            remark: if environment.skipped { "not part of this run" } else { "" },
            tiers: environment.tiers.iter().map(tier_view).collect(),
        }
    }
}

impl TierReport {
    fn money(&self) -> Option<(&str, f64)> {
        let rate = self.hourly_rate.as_ref().filter(|_| self.off.servers > 0)?;
        Some((rate.currency.as_str(), rate.amount * hours(self.off)))
    }
}

fn hours(off: HoursOff) -> f64 {
    Duration::from_secs(off.seconds).as_secs_f64() / 3600.0
}

/// The hours off, where any are known.
fn off(off: HoursOff, money: &BTreeMap<&str, f64>, of_which: &str) -> Option<Sentence> {
    if off.servers == 0 {
        return None;
    }
    let saved: String = money
        .iter()
        .map(|(currency, amount)| format!(", about {amount:.2} {currency} not spent{of_which}"))
        .collect();
    let servers = if off.servers == 1 { "server" } else { "servers" };
    let text = format!(
        "Off since the last stop: {:.1} instance-hours of {} {servers}{saved}.",
        hours(off),
        off.servers
    );
    Some(sentence(&text))
}

/// A template that cannot be rendered must not cost the report its verdict.
fn rendered(template: &impl Template, view: &View) -> String {
    template.render().unwrap_or_else(|error| format!("{}\n{}\n({error})", view.subject, view.verdict.text))
}

fn sentence(text: &str) -> Sentence {
    Sentence { text: text.to_owned(), lines: wrapped(text, TEXT_WIDTH - 4) }
}

fn problem_view(problem: &Problem, region: &str) -> ProblemView {
    let message = capitalised(&problem.message);
    ProblemView {
        name: isolated(&problem.name),
        code: problem.code.clone(),
        lines: wrapped(&message, TEXT_WIDTH - 2),
        message,
        link: problem.id.as_ref().map(|id| {
            format!("https://{region}.console.aws.amazon.com/ec2/home?region={region}#InstanceDetails:instanceId={id}")
        }),
        id: problem.id.clone().unwrap_or_default(),
    }
}

fn tier_view(tier: &TierReport) -> TierView {
    let outcome = match tier.outcome {
        None => "not reached",
        Some(Outcome::Ready) => "ready",
        Some(Outcome::Degraded) => "degraded: its minimum is met",
        Some(Outcome::Failed) => "failed",
        Some(Outcome::Empty) => "no servers listed",
        Some(Outcome::Skipped) => "skipped",
        Some(Outcome::InProgress) => "was still in progress",
    };
    let unchanged: Vec<&Row> = tier.rows.iter().filter(|row| is_unchanged(row)).collect();
    let fold = unchanged.len() > UNFOLDED;
    let shown = tier.rows.iter().filter(|row| !fold || !is_unchanged(row));
    let names: Vec<String> = unchanged.iter().map(|row| isolated(&row.name)).collect();
    let folded =
        if fold { format!("{} unchanged: {}", names.len(), names.join(", ")) } else { String::new() };
    TierView {
        heading: format!("{}: {outcome}", tier.name),
        off: off(tier.off, &tier.money().into_iter().collect(), ""),
        rows: shown.map(row_view).collect(),
        folded_lines: wrapped(&folded, TEXT_WIDTH - 4),
        folded,
    }
}

fn is_unchanged(row: &Row) -> bool {
    row.action == ActionTaken::Nothing && row.problem.is_none()
}

fn row_view(row: &Row) -> RowView {
    let end = row.end_state.as_deref().unwrap_or("unknown");
    let states = match row.initial_state.as_deref() {
        Some(initial) if initial != end => format!("{initial} → {end}"),
        _ => end.to_owned(),
    };
    let mut note: Vec<String> = Vec::new();
    match (row.action, row.seconds) {
        (ActionTaken::Nothing, _) => {}
        (ActionTaken::Started, Some(seconds)) => note.push(format!("ready after {}", duration(seconds))),
        (ActionTaken::Stopped, Some(seconds)) => note.push(format!("stopped after {}", duration(seconds))),
        (ActionTaken::Started, None) => note.push("asked to start".to_owned()),
        (ActionTaken::Stopped, None) => note.push("asked to stop".to_owned()),
        (did, _) => note.push(did.words().to_owned()),
    }
    note.extend(row.note.clone());
    note.extend(row.problem.clone());
    RowView {
        name: isolated(&row.name),
        id: row.id.clone().unwrap_or_default(),
        states,
        note: note.join(": "),
        bad: row.problem.is_some(),
    }
}

fn duration(seconds: u64) -> String {
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// The words of a text in lines of at most `width` characters; a longer word stands alone.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A name that may run from right to left is kept from turning the text around it (Unicode isolates).
fn isolated(name: &str) -> String {
    if name.is_ascii() { name.to_owned() } else { format!("\u{2068}{name}\u{2069}") }
}
