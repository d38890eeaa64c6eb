//! Random fleets: the shipped six lists, or as long ones as wanted, with boot times that differ.

use crate::model::InstanceState;
use crate::servers::file::{Minimum, ServerList, ServerLists};
use fastrand::Rng;
use jiff::SignedDuration;

use crate::testkit::small_ec2::{Habit, Server, server};

const SHIPPED: &str = include_str!("../../../tests/servers.toml");

/// What an instance takes, as medians and spreads of a log-normal. Assumed, not measured: EC2 promises nothing.
/// From pending to running, seconds.
const BOOT: Spread = Spread { median: 18.0, sigma: 0.35, least: 8.0, most: 60.0 };
/// From running to all checks passed; they are made every minute
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-system-instance-status-check.html>).
const CHECKS: Spread = Spread { median: 110.0, sigma: 0.35, least: 45.0, most: 240.0 };

/// A log-normal, cut off at both ends.
struct Spread {
    median: f64,
    sigma: f64,
    least: f64,
    most: f64,
}

impl Spread {
    fn draw(&self, dice: &mut Rng) -> SignedDuration {
        // Box and Muller's way from two uniform numbers to a normal one.
        let radius = (-2.0 * (1.0 - dice.f64()).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * dice.f64()).cos();
        let seconds = self.median * (self.sigma * normal).exp();
        SignedDuration::from_secs_f64(seconds.clamp(self.least, self.most))
    }
}

/// The shipped lists. With `count`, lists of equal length with generated names, that many servers in all;
/// then one bad server does not keep the next tier from starting.
pub(crate) fn lists(count: Option<usize>) -> ServerLists {
    let mut lists = ServerLists::parse(SHIPPED).expect("build.rs has checked it");
    let Some(count) = count else { return lists };
    let among = lists.lists.len();
    for (place, list) in lists.lists.iter_mut().enumerate() {
        let length = count / among + usize::from(place < count % among);
        list.servers = (0..length).map(|number| format!("server-{place}-{number:05}")).collect();
        list.minimum = Minimum::AtLeast(1);
    }
    lists
}

/// Stopped servers for all lists; so many of them, one list after the other, EC2 refuses to start.
pub(crate) fn servers(lists: &[ServerList], bad: usize, dice: &mut Rng) -> Vec<Server> {
    let bad_in = |place: usize| bad / lists.len() + usize::from(place < bad % lists.len());
    let mut servers = Vec::new();
    for (place, list) in lists.iter().enumerate() {
        for (number, name) in list.servers.iter().enumerate() {
            let habit =
                if number < bad_in(place) { Habit::Refuses("UnsupportedOperation") } else { Habit::Good };
            let mut server = server(name, InstanceState::Stopped).with(habit);
            server.boot = BOOT.draw(dice);
            server.checks_after = CHECKS.draw(dice);
            servers.push(server);
        }
    }
    servers
}
