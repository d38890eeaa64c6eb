//! The clock and the dice. Local runs may let simulated time run faster than real time.

use std::time::{Duration, SystemTime};

use aws_smithy_async::time::TimeSource;
use jiff::{SignedDuration, Timestamp};

use crate::ports::Clock;

/// `LOCAL_CLOCK` is not what it must be.
#[derive(Debug, thiserror::Error)]
#[error(
    "LOCAL_CLOCK is \"{0}\"; expected <anchor, epoch milliseconds>:<speed>, for example 1795500000000:60"
)]
pub(crate) struct LocalClockError(String);

/// Real time, or time that runs `speed` times as fast since `anchor` (local runs only).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LambdaClock {
    anchor: Timestamp,
    speed: f64,
}

impl LambdaClock {
    /// Real time.
    pub(crate) const REAL: Self = Self { anchor: Timestamp::UNIX_EPOCH, speed: 1.0 };

    /// Reads `LOCAL_CLOCK`; real time without it.
    ///
    /// # Errors
    /// If the value is not an anchor and a speed above zero.
    pub(crate) fn from_setting(setting: Option<&str>) -> Result<Self, LocalClockError> {
        let Some(setting) = setting else { return Ok(Self::REAL) };
        let read = || {
            let (anchor, speed) = setting.split_once(':')?;
            let anchor = Timestamp::from_millisecond(anchor.parse().ok()?).ok()?;
            let speed: f64 = speed.parse().ok()?;
            (speed.is_finite() && speed > 0.0).then_some(Self { anchor, speed })
        };
        read().ok_or_else(|| LocalClockError(setting.to_owned()))
    }

    fn at(self, real: Timestamp) -> Timestamp {
        if self == Self::REAL {
            return real;
        }
        let since = real.duration_since(self.anchor).as_secs_f64() * self.speed;
        self.anchor + SignedDuration::from_secs_f64(since)
    }
}

impl Clock for LambdaClock {
    fn now(&self) -> Timestamp {
        self.at(Timestamp::now())
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration.div_f64(self.speed)).await;
    }

    fn chance(&self) -> f64 {
        fastrand::f64()
    }
}

impl TimeSource for LambdaClock {
    fn now(&self) -> SystemTime {
        Clock::now(self).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_the_setting_time_is_real() {
        let clock = LambdaClock::from_setting(None).expect("no setting");
        let now = Timestamp::now();
        assert_eq!(clock.at(now), now);
    }

    #[test]
    fn a_local_clock_runs_faster_from_its_anchor_on() {
        let clock = LambdaClock::from_setting(Some("1000000:60")).expect("a setting");
        let real = Timestamp::from_millisecond(1_002_000).expect("a time");
        assert_eq!(clock.at(real).as_millisecond(), 1_120_000);
    }

    #[test]
    fn a_setting_that_is_no_clock_is_refused() {
        for setting in ["", "60", "x:60", "1000:0", "1000:-1", "1000:NaN"] {
            assert!(LambdaClock::from_setting(Some(setting)).is_err(), "{setting}");
        }
    }
}
