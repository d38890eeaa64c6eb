//! The mail: HTML and plain text, equal in worth, both from one view of the report.
//!
//! - [`view`]: what the mail says, in its order
//! - [`verdict`]: the title, and what it means
//! - [`lines`]: a line an environment
//! - [`tally`]: the counts of both
//! - [`problems`]: what went wrong, equal problems of many servers in one entry
//! - [`servers`]: each server once, as a row if there is news of it, by its name otherwise
//! - [`words`]: counts, times and names
//! - [`question`]: the mail that asks for a person's yes
//! - [`next`]: what to do next, by commands that ask again what was asked
//! - [`html`], [`text`]: the two forms
//! - [`notice`]: a mail that is no report, of the same parts

mod html;
mod lines;
mod next;
pub(super) mod notice;
mod problems;
mod question;
mod servers;
mod tally;
mod text;
mod verdict;
mod view;
mod words;

use jiff::tz::TimeZone;

use super::parts::Report;
use super::place::Place;
use crate::ports::Mail;

impl Report {
    /// The mail, with times in `zone` and links into the console of `place`.
    pub(crate) fn mail(&self, zone: &TimeZone, place: &Place) -> Mail {
        let view = view::of(self, zone, place);
        Mail { subject: self.subject(place), text: text::of(&view), html: html::of(&view) }
    }
}
