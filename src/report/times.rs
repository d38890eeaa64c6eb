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
    /// What a reader of the report that was made `now` should know of it, with its time by the clocks of `zone`. A
    /// start may outlast its hours, by a person's answer for example: its schedule has then fired and is gone, and the
    /// run of the stop waits for the start's end.
    pub(crate) fn remark(&self, now: Timestamp, zone: &TimeZone) -> String {
        let (at, schedule) = (self.at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %Z"), &self.schedule);
        if self.at <= now {
            return format!(
                "The stop of these environments was due at {at}, before this run had ended: it follows at once. Its \
                 schedule is gone; to keep them up, end the run of that stop."
            );
        }
        format!("A schedule stops these environments at {at}: delete {schedule} to keep them up.")
    }
}

/// A time for whoever is told without the stack's clocks at hand.
pub(super) fn in_utc(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// When it was changed, by the clocks of `zone`. EC2's times do not say who it was.
pub(super) fn changed_words(action: ActionTaken, at: Timestamp, zone: &TimeZone) -> String {
    let (word, at) = (action.words(), at.to_zoned(zone.clone()).strftime("%H:%M %Z"));
    format!("{word} at {at}, after this run began, according to EC2; its tier broke off")
}
