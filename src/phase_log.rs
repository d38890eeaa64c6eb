//! The phase log's lines: what a phase does, as a person would tell it.
//!
//! Owns the words and what is new since the last look. A log that cannot be written never fails a phase; the
//! answer says so.

use std::collections::BTreeMap;

use crate::model::{Action, Outcome, PhaseAnswer};
use crate::phase::judgement::{Judgement, Server};
use crate::phase::plan::{Request, Step};
use crate::phase::progress::Progress;
use crate::phase::run::Task;
use crate::phase::verdict::Standing;
use crate::ports::{LogLine, World};

/// Tells a phase's story, each thing once.
#[derive(Debug)]
pub struct Narration<'a> {
    stream: &'a str,
    /// Environment and tier: the phases of a run share its stream.
    whose: String,
    action: Action,
    /// What is to be written, and the server that it is about.
    pending: Vec<(Option<String>, String)>,
    told: BTreeMap<String, String>,
    error: Option<String>,
}

impl<'a> Narration<'a> {
    /// Begins with the heading, in capitals.
    pub fn new(task: &Task<'a>, resumed: bool) -> Self {
        let heading = task.heading.to_uppercase();
        let mark = match (task.dry_run, resumed) {
            (true, _) => " (DRY RUN: NOTHING IS CHANGED)",
            (false, true) => " (GOES ON)",
            (false, false) => "",
        };
        Self {
            stream: task.log_stream,
            whose: format!("{} {}", task.list.environment, task.list.tier),
            action: task.action,
            pending: vec![(None, format!("{heading}{mark}"))],
            told: BTreeMap::new(),
            error: None,
        }
    }

    /// Notes what is new since the last look, for the next write.
    pub fn note(&mut self, judgement: &Judgement, progress: &Progress) {
        for server in &judgement.servers {
            let sentence = sentence(server, self.action, progress);
            if self.told.get(&server.key) != Some(&sentence) {
                self.pending.push((Some(server.key.clone()), format!("{}: {sentence}", label(server))));
                self.told.insert(server.key.clone(), sentence);
            }
        }
    }

    /// Takes lines that are not about one server; they are told with the next ones.
    pub fn add(&mut self, lines: Vec<String>) {
        self.pending.extend(lines.into_iter().map(|line| (None, line)));
    }

    /// Ends with the verdict, and puts what went wrong with the log into the answer.
    pub async fn end<W: World>(mut self, world: &W, answer: PhaseAnswer) -> PhaseAnswer {
        for problem in &answer.problems {
            let text = format!("{}: {}: {}", problem.name, problem.code, problem.message);
            self.pending.push((Some(problem.name.clone()), text));
        }
        for (key, record) in answer.actions.iter().filter(|_| self.told.is_empty()) {
            let why = record.why.as_deref().unwrap_or_default();
            self.pending.push((Some(key.clone()), format!("{key}: {}: {why}", record.action.words())));
        }
        let counts = answer.servers;
        let verdict = format!(
            "{}: {} of {} servers ready, {} changed, {} failed, {} held",
            verdict_words(answer.outcome),
            counts.ready,
            counts.total,
            counts.changed,
            counts.failed,
            counts.held,
        );
        self.pending.push((None, verdict));
        self.write(world).await;
        PhaseAnswer { log_error: self.error, ..answer }
    }

    /// Writes what was noted. Not after each note: what the last look saw goes out with the verdict.
    pub async fn write<W: World>(&mut self, world: &W) {
        let at = world.now();
        let lines: Vec<LogLine> = self
            .pending
            .drain(..)
            .map(|(server, text)| LogLine {
                at,
                phase: self.whose.clone(),
                server,
                text: format!("[{}] {text}", self.whose),
            })
            .collect();
        if lines.is_empty() {
            return;
        }
        if let Err(error) = world.write(self.stream, &lines).await {
            self.error.get_or_insert(error.to_string());
        }
    }
}

/// The server's key, and its id if the key does not hold it already.
fn label(server: &Server) -> String {
    match &server.id {
        Some(id) if !server.key.contains(id.as_str()) => format!("{} ({id})", server.key),
        _ => server.key.clone(),
    }
}

fn sentence(server: &Server, action: Action, progress: &Progress) -> String {
    let memory = server.id.as_deref().map(|id| progress.memory_of(id)).unwrap_or_default();
    match (&server.standing, &server.step) {
        (Standing::Ready, _) => match (memory.seconds_to_ready(), action) {
            (Some(seconds), Action::Start) => format!("ready after {seconds} s"),
            (Some(seconds), Action::Stop) => format!("stopped after {seconds} s"),
            (None, Action::Start) => "was running and ready".to_owned(),
            (None, Action::Stop) => "was stopped".to_owned(),
        },
        (Standing::Held(why), _) => format!("left alone: {why}"),
        (Standing::Failed(code, what), _) => format!("failed: {code} {what}"),
        (Standing::UnderWay(_), Step::Ask(request, why)) => match (&memory.refusal, request) {
            (Some(refusal), _) => format!("{why}; refused: {}: {}", refusal.code, refusal.message),
            (None, Request::Start) => format!("{why}; asked to start"),
            (None, Request::Stop(_)) => format!("{why}; asked to stop"),
        },
        (Standing::UnderWay(why), _) => why.clone(),
    }
}

fn verdict_words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ready => "READY",
        Outcome::InProgress => "IN PROGRESS",
        Outcome::Degraded => "DEGRADED",
        Outcome::Failed => "FAILED",
        Outcome::Empty => "EMPTY LIST",
        Outcome::Skipped => "SKIPPED",
    }
}
