//! A mail that is no report of a run: the same parts in the same order, of what its sender says.
//!
//! Owns how such a mail is put together. What it says is its sender's.

use indexmap::IndexMap;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::lines::Line;
use super::next::{self, Next};
use super::problems::{self, About};
use super::verdict::Mood;
use super::view::{self, View};
use super::{html, text};
use crate::model::{Elsewhere, Execution, Problem};
use crate::ports::Mail;
use crate::report::place::Place;
use crate::report::subject;

/// What the mail says.
#[derive(Debug, Clone)]
pub(crate) struct Notice {
    /// The fixed words, for filters: `CHECK STATUS: WOULD FAIL`.
    pub status: String,
    /// One sentence without its full stop.
    pub title: String,
    /// What it means.
    pub meaning: String,
    /// An environment in one line: its name, whether all is well with it, and words.
    pub environments: Vec<(String, bool, String)>,
    /// Above the problems.
    pub heading: &'static str,
    /// What is wrong.
    pub problems: Vec<Told>,
    /// What should be known besides.
    pub remarks: Vec<String>,
    /// What to do next: why, the project's command if it has one, and the execution's input.
    pub next: (&'static str, Option<String>, Value),
    /// The execution that sends it.
    pub execution: Option<Execution>,
    /// When.
    pub at: Timestamp,
}

/// A problem, and whose it is.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// What is wrong.
    pub problem: Problem,
    /// The server's list, `dev db`, if it is about one.
    pub list: Option<String>,
    /// Where the server is, if not at home.
    pub elsewhere: Option<Elsewhere>,
}

impl About for [Told] {
    fn lists(&self, is_of_it: &dyn Fn(&str) -> bool) -> Vec<String> {
        let told = self.iter().filter(|told| is_of_it(&told.problem.name));
        told.filter_map(|told| told.list.clone()).collect()
    }

    fn elsewhere(&self, id: &str) -> Option<&Elsewhere> {
        let told = self.iter().find(|told| told.problem.id.as_deref() == Some(id));
        told.and_then(|told| told.elsewhere.as_ref())
    }
}

impl Notice {
    /// The mail, with times in `zone` and links into the console of `place`.
    pub(crate) fn mail(&self, zone: &TimeZone, place: &Place) -> Mail {
        let problems: Vec<Problem> = self.problems.iter().map(|told| told.problem.clone()).collect();
        let (why, command, input) = &self.next;
        let execution = self.execution.as_ref();
        let view = View {
            status: self.status.clone(),
            mood: Mood::Bad,
            title: self.title.clone(),
            meaning: self.meaning.clone(),
            lines: self.environments.iter().map(line).collect(),
            links: view::links(execution, true, place),
            heading: self.heading,
            problems: problems::entries(&problems, &self.problems[..], place),
            remarks: self.remarks.clone(),
            environments: Vec::new(),
            off: None,
            next: Some(Next {
                why,
                command: command.clone().map(|command| next::of_stack(command, place)),
                call: next::call(execution, input),
            }),
            run: view::run(execution, self.at, zone),
            place: place.words(),
            few: true,
        };
        let subject = subject::line(&self.status, &self.matters(), place);
        Mail { subject, text: text::of(&view), html: html::of(&view) }
    }

    /// The servers by list; then what is no server's.
    fn matters(&self) -> Vec<String> {
        let mut lists: IndexMap<&str, Vec<&str>> = IndexMap::new();
        let mut of_no_server = Vec::new();
        for Told { problem, list, .. } in &self.problems {
            match list {
                Some(list) => {
                    let names = lists.entry(list).or_default();
                    if !names.contains(&problem.name.as_str()) {
                        names.push(&problem.name);
                    }
                }
                None => of_no_server.push(format!("{}: {}", problem.name, problem.code)),
            }
        }
        let servers = lists.iter().map(|(list, names)| subject::named(list, names));
        servers.chain(of_no_server).collect()
    }
}

fn line((name, well, words): &(String, bool, String)) -> Line {
    let (mark, mood) = if *well { ("✓", Mood::Good) } else { ("✗", Mood::Bad) };
    Line { name: name.clone(), mark, words: words.clone(), mood }
}
