//! What went wrong. Equal problems of many servers are one entry, so that 200 refused servers make a short mail.

use super::words::{capitalised, isolated};
use crate::model::{Elsewhere, Failure, Problem};
use crate::report::parts::Report;
use crate::report::place::Place;

/// So many servers of an entry are named; the others are named in the rows.
const MOST_NAMES: usize = 30;
/// With more entries than this, those of one code are one: Gmail cuts a mail off at 102 kB.
const MOST_ENTRIES: usize = 20;
/// An entry shows at most this many of AWS's texts.
const MOST_TEXTS: usize = 3;

/// One kind of problem.
pub(super) struct Entry {
    /// Whose it is.
    pub(super) names: String,
    /// The list of all of them, `dev db`; empty if they are of several, or no servers.
    pub(super) list: String,
    /// AWS's error code, or one of ours.
    pub(super) code: String,
    /// What happened, and what to do.
    pub(super) message: String,
    /// Where the code is explained.
    pub(super) explanation: Option<String>,
    /// The instance's page, if it is the problem of one.
    pub(super) link: Option<String>,
    /// That instance.
    pub(super) id: String,
}

struct Group<'a> {
    code: &'a str,
    advice: Option<String>,
    texts: Vec<String>,
    problems: Vec<&'a Problem>,
}

/// Whose problems they are.
pub(super) trait About {
    /// The lists of the servers with such a name, `dev db`, in order; equal ones may follow each other.
    fn lists(&self, is_of_it: &dyn Fn(&str) -> bool) -> Vec<String>;
    /// Where an instance is, if its environment is not at home.
    fn elsewhere(&self, id: &str) -> Option<&Elsewhere>;
}

impl About for Report {
    fn lists(&self, is_of_it: &dyn Fn(&str) -> bool) -> Vec<String> {
        let rows = self.rows().filter(|row| is_of_it(&row.name));
        rows.map(|row| format!("{} {}", row.environment, row.tier)).collect()
    }

    fn elsewhere(&self, id: &str) -> Option<&Elsewhere> {
        let row = self.rows().find(|row| row.id.as_deref() == Some(id))?;
        let of_it = self.environments.iter().find(|environment| environment.name == row.environment)?;
        of_it.elsewhere.as_ref()
    }
}

/// All problems, in their order.
pub(super) fn entries(problems: &[Problem], about: &(impl About + ?Sized), place: &Place) -> Vec<Entry> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for problem in problems {
        let (what, advice) = parts(problem);
        let many = groups.len() >= MOST_ENTRIES;
        let fits = |group: &&mut Group<'_>| {
            let is_alike = group.advice == advice && (advice.is_some() || group.texts.contains(&what));
            group.code == problem.code && (many || is_alike)
        };
        match groups.iter_mut().find(fits) {
            Some(group) => {
                group.problems.push(problem);
                if !group.texts.contains(&what) {
                    group.texts.push(what);
                }
            }
            None => {
                groups.push(Group { code: &problem.code, advice, texts: vec![what], problems: vec![problem] })
            }
        }
    }
    groups.into_iter().map(|group| entry(about, &group, place)).collect()
}

/// What happened, without the server's own id, and the advice where it is the code's own.
fn parts(problem: &Problem) -> (String, Option<String>) {
    let advice = Failure::of_state_reason(&problem.code, "").advice;
    let (what, advice) = match problem.message.strip_suffix(advice.as_ref()) {
        Some(what) => (what.trim_end(), Some(advice.into_owned())),
        None => (problem.message.as_str(), None),
    };
    let what = problem.id.as_ref().map_or_else(|| what.to_owned(), |id| what.replace(id, "…"));
    (what, advice)
}

fn entry(about: &(impl About + ?Sized), group: &Group<'_>, place: &Place) -> Entry {
    let (names, more) = group.problems.split_at(group.problems.len().min(MOST_NAMES));
    let mut names = names.iter().map(|problem| isolated(&problem.name)).collect::<Vec<_>>().join(", ");
    if !more.is_empty() {
        names = format!("{names} and {} more, named below", more.len());
    }
    let single = if let [problem] = group.problems[..] { Some(problem) } else { None };
    let id = single.and_then(|problem| problem.id.clone());
    Entry {
        names,
        list: list(about, group),
        code: group.code.to_owned(),
        message: capitalised(&single.map_or_else(|| of_many(group), |problem| problem.message.clone())),
        explanation: place.explanation(group.code),
        link: id.as_ref().and_then(|id| place.of(about.elsewhere(id)).instance(id)),
        id: id.unwrap_or_default(),
    }
}

fn of_many(group: &Group<'_>) -> String {
    let texts = group.texts.iter().filter(|text| !text.is_empty()).take(MOST_TEXTS);
    let mut said: Vec<String> = texts.cloned().collect();
    if group.texts.len() > MOST_TEXTS {
        said.push("The other texts are in the phase log.".to_owned());
    }
    said.extend(group.advice.clone());
    said.join(" ")
}

fn list(about: &(impl About + ?Sized), group: &Group<'_>) -> String {
    let mut lists = about.lists(&|name| group.problems.iter().any(|problem| problem.name == name));
    lists.dedup();
    match &lists[..] {
        [one] => one.clone(),
        _ => String::new(),
    }
}
