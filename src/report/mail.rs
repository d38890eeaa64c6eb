//! The mail: HTML and plain text, both from the one report.
//!
//! Owns the words and the order: the verdict, what went wrong, then a table an environment and tier. Templates
//! and escaping are askama's.

use askama::Template;
use jiff::tz::TimeZone;

use super::{EnvironmentReport, Report, Row, Status, TierReport};
use crate::payload::{Action, Did, Outcome, Problem};
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
    verdict: String,
    run: String,
    problems: Vec<ProblemView>,
    environments: Vec<EnvironmentView>,
    remarks: Vec<RemarkView>,
}

struct RemarkView {
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
            verdict: self.verdict(),
            run: self.run(zone),
            problems: self.problems.iter().map(|problem| problem_view(problem, region)).collect(),
            environments: self
                .environments
                .iter()
                .map(|environment| self.environment_view(environment))
                .collect(),
            remarks: self.remarks.iter().map(|remark| remark_view(remark)).collect(),
        }
    }

    /// The first line: the verdict, the counts, how long it took.
    fn verdict(&self) -> String {
        let totals = self.totals();
        let (done, wanted) = match (self.action, self.dry_run) {
            (Action::Start, false) => ("started", "up"),
            (Action::Stop, false) => ("stopped", "down"),
            (_, true) => ("changed", "planned"),
        };
        let words = match self.status {
            _ if self.dry_run => "Dry run, nothing was changed".to_owned(),
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

/// A template that cannot be rendered must not cost the report its verdict.
fn rendered(template: &impl Template, view: &View) -> String {
    template.render().unwrap_or_else(|error| format!("{}\n{}\n({error})", view.subject, view.verdict))
}

fn remark_view(remark: &str) -> RemarkView {
    RemarkView { text: remark.to_owned(), lines: wrapped(remark, TEXT_WIDTH - 2) }
}

fn problem_view(problem: &Problem, region: &str) -> ProblemView {
    ProblemView {
        name: isolated(&problem.name),
        code: problem.code.clone(),
        message: problem.message.clone(),
        lines: wrapped(&problem.message, TEXT_WIDTH - 2),
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
        rows: shown.map(row_view).collect(),
        folded_lines: wrapped(&folded, TEXT_WIDTH - 4),
        folded,
    }
}

fn is_unchanged(row: &Row) -> bool {
    row.action == Did::Nothing && row.problem.is_none()
}

fn row_view(row: &Row) -> RowView {
    let end = row.end_state.as_deref().unwrap_or("unknown");
    let states = match row.initial_state.as_deref() {
        Some(initial) if initial != end => format!("{initial} → {end}"),
        _ => end.to_owned(),
    };
    let mut note: Vec<String> = Vec::new();
    match (row.action, row.seconds) {
        (Did::Nothing, _) => {}
        (Did::Started, Some(seconds)) => note.push(format!("ready after {}", duration(seconds))),
        (Did::Stopped, Some(seconds)) => note.push(format!("stopped after {}", duration(seconds))),
        (Did::Started, None) => note.push("asked to start".to_owned()),
        (Did::Stopped, None) => note.push("asked to stop".to_owned()),
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
