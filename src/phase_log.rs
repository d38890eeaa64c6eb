//! The phase log's lines: what a phase does, as a person would tell it.
//!
//! A watcher of the phase. Owns the words and what is new since the last look. A log that cannot be written never
//! fails a phase; the answer says so, and CloudWatch Logs is not asked again in that invocation.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::model::failure::Kind;
use crate::model::instance::label;
use crate::model::{Action, Failure, Outcome, PhaseAnswer};
use crate::phase::in_time::in_time;
use crate::phase::plan::{Plan, Request, Server, Standing, Step};
use crate::phase::progress::Progress;
use crate::phase::watch::Watcher;
use crate::ports::{Clock, LogLine, PhaseLog};

/// What the log is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About<'a> {
    /// The heading of what this phase writes.
    pub heading: &'a str,
    /// The stream, named after the run.
    pub stream: &'a str,
    /// Environment and tier: the phases of a run share its stream.
    pub list: &'a str,
    /// Start or stop.
    pub action: Action,
    /// Nothing is changed.
    pub dry_run: bool,
    /// The phase goes on from an invocation before.
    pub resumed: bool,
    /// When the invocation is cut off.
    pub deadline: Timestamp,
}

/// Tells a phase's story, each thing once.
#[derive(Debug)]
pub(crate) struct Narrator<'a, W> {
    world: &'a W,
    about: About<'a>,
    /// What is to be written, and the server that it is about.
    pending: Vec<(Option<String>, String)>,
    /// What was said of each server last.
    said: BTreeMap<String, String>,
    error: Option<String>,
}

impl<'a, W: PhaseLog + Clock> Narrator<'a, W> {
    /// Begins with the heading, in capitals.
    pub(crate) fn new(world: &'a W, about: About<'a>) -> Self {
        let mark = match (about.dry_run, about.resumed) {
            (true, _) => " (DRY RUN: NOTHING IS CHANGED)",
            (false, true) => " (CONTINUED)",
            (false, false) => "",
        };
        let heading = format!("{}{mark}", about.heading.to_uppercase());
        Self { world, about, pending: vec![(None, heading)], said: BTreeMap::new(), error: None }
    }

    /// Takes lines that are not about one server; they are written with the next ones.
    pub(crate) fn add(&mut self, lines: Vec<String>) {
        self.pending.extend(lines.into_iter().map(|line| (None, line)));
    }

    fn note(&mut self, plan: &Plan, progress: &Progress) {
        for server in &plan.servers {
            let sentence = sentence(server, self.about.action, progress);
            if self.said.get(&server.key) != Some(&sentence) {
                let name = label(&server.key, server.id.as_deref());
                self.pending.push((Some(server.key.clone()), format!("{name}: {sentence}")));
                self.said.insert(server.key.clone(), sentence);
            }
        }
    }

    /// Writes what was noted. Not after each note: what the last look saw goes out with the verdict.
    async fn write(&mut self) {
        let at = self.world.now();
        let list = self.about.list;
        let lines: Vec<LogLine> = self
            .pending
            .drain(..)
            .map(|(server, text)| LogLine {
                at,
                phase: list.to_owned(),
                server,
                text: format!("[{list}] {text}"),
            })
            .collect();
        if lines.is_empty() || self.error.is_some() {
            return;
        }
        let until = self.about.deadline - SignedDuration::from_secs(1);
        let written = in_time(self.world, until, "PutLogEvents", self.world.write(self.about.stream, &lines));
        if let Err(failure) = written.await {
            self.error = Some(failure.to_string());
        }
    }
}

impl<W: PhaseLog + Clock> Watcher for Narrator<'_, W> {
    async fn after_asking(&mut self, plan: &Plan, progress: &Progress) {
        self.note(plan, progress);
    }

    async fn before_waiting(&mut self) {
        self.write().await;
    }

    /// Ends with the verdict, and puts what went wrong with the log into the answer.
    async fn ends(&mut self, answer: &mut PhaseAnswer) {
        for problem in &answer.problems {
            let text = format!("{}: {}", problem.name, coded(&problem.code, &problem.message));
            self.pending.push((Some(problem.name.clone()), text));
        }
        for (key, record) in answer.actions.iter().filter(|_| self.said.is_empty()) {
            let why = record.why.as_deref().unwrap_or_default();
            self.pending.push((Some(key.clone()), format!("{key}: {}: {why}", record.action.words())));
        }
        self.pending.push((None, verdict(answer, self.about.action, self.about.dry_run)));
        self.write().await;
        answer.log_error = self.error.take();
    }

    async fn breaks_off(&mut self, failure: &Failure) {
        self.pending.push((None, format!("BROKEN OFF: {failure}")));
        self.write().await;
    }
}

fn sentence(server: &Server, action: Action, progress: &Progress) -> String {
    let memory = server.id.as_deref().map(|id| progress.of(id)).unwrap_or_default();
    match &server.standing {
        Standing::Ready => match (memory.seconds_to_ready(), action) {
            (Some(seconds), Action::Start) => format!("ready after {seconds} s"),
            (Some(seconds), Action::Stop) => format!("stopped after {seconds} s"),
            (None, Action::Start) => "was running and ready".to_owned(),
            (None, Action::Stop) => "was stopped".to_owned(),
        },
        Standing::Held(why) => format!("left alone: {why}"),
        Standing::Failed(failure) => format!("failed: {}", coded(&failure.code, failure.whole())),
        Standing::UnderWay(Step::Ask(request, why)) => match (&memory.refusal, &memory.unanswered, request) {
            (Some(lost), _, _) if lost.kind == Kind::Outage => {
                format!("{why}; asked, without an answer: {}", lost.code)
            }
            (Some(refusal), _, _) => format!("{why}; refused: {}", coded(&refusal.code, refusal.whole())),
            (None, Some(failure), _) => format!("{why}; asked, without an answer: {}", failure.code),
            (None, None, _) if memory.asked_at.is_none() && !memory.forced => format!("{why}; not asked yet"),
            (None, None, Request::Start) => format!("{why}; asked to start"),
            (None, None, Request::Stop(_)) => format!("{why}; asked to stop"),
        },
        Standing::UnderWay(step) => step.words(),
    }
}

/// A code, and what is said with it: of a server that is missing there is nothing more to say.
fn coded(code: &str, said: &str) -> String {
    if said.is_empty() { code.to_owned() } else { format!("{code}: {said}") }
}

/// `make start` and `make stop` read this line's beginning (operate/waiting.py).
fn verdict(answer: &PhaseAnswer, action: Action, dry_run: bool) -> String {
    let (there, done) = match action {
        Action::Start => ("READY", "ready"),
        Action::Stop => ("STOPPED", "stopped"),
    };
    let counts = answer.servers;
    let (ready, total) = (counts.ready, counts.total);
    if dry_run {
        let would = match answer.outcome {
            Outcome::Ready | Outcome::InProgress => format!("WOULD BE {there}"),
            Outcome::Degraded => "WOULD BE DEGRADED".to_owned(),
            Outcome::Failed => "WOULD FAIL".to_owned(),
            Outcome::Empty => "EMPTY LIST".to_owned(),
            Outcome::Skipped => "SKIPPED".to_owned(),
        };
        let (failed, held) = (counts.failed, counts.held);
        return format!("{would}: {ready} of {total} servers {done} now, {failed} would fail, {held} held");
    }
    let word = match answer.outcome {
        Outcome::Ready => there,
        Outcome::InProgress => "IN PROGRESS",
        Outcome::Degraded => "DEGRADED",
        Outcome::Failed => "FAILED",
        Outcome::Empty => "EMPTY LIST",
        Outcome::Skipped => "SKIPPED",
    };
    format!(
        "{word}: {ready} of {total} servers {done}, {} changed, {} failed, {} held",
        counts.changed, counts.failed, counts.held,
    )
}
