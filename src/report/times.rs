//! Sentences of a report that hold a time: by the stack's clocks in the mail, in UTC elsewhere. Pure.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::ActionTaken;

/// The schedule that stops what a start has started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StopLater {
    /// When it does.
    pub at: Timestamp,
    /// Its name, for who wants to delete it.
    pub schedule: String,
}

impl StopLater {
    /// What a reader of the report should know of it, with its time by the clocks of `zone`.
    pub(crate) fn remark(&self, zone: &TimeZone) -> String {
        let (at, schedule) = (self.at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %Z"), &self.schedule);
        format!("A schedule stops these environments at {at}: delete {schedule} to keep them up.")
    }
}

/// When it was changed, by the clocks of `zone`. EC2's times do not say who it was.
pub(super) fn changed_words(action: ActionTaken, at: Timestamp, zone: &TimeZone) -> String {
    let (word, at) = (action.words(), at.to_zoned(zone.clone()).strftime("%H:%M %Z"));
    format!("{word} at {at}, after this run began, according to EC2; its tier broke off")
}
