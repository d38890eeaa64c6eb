//! How a list stands after its phase, for a caller that did not keep the phase's answer.
//!
//! Looks, decides, and asks EC2 by its DryRun whether it would let the phase do what is still missing: that alone tells
//! why a server was refused, when nobody remembers. Changes nothing.

use jiff::SignedDuration;

use crate::model::failure::Taken;
use crate::model::{Action, Failure, InitialStates, Instance, InstanceState, PhaseAnswer};
use crate::ports::World;

use super::ask::{Asking, Mode};
use super::decide::{Rules, decide};
use super::in_time::in_time;
use super::look::{look, patiently};
use super::plan::{Plan, Server, Standing, Step};
use super::progress::{Progress, Remembered};
use super::run::{MARGIN, Task};
use super::{answer, dry_run, keys};

/// What is in doubt is looked at again for this long: a server that EC2 does not show is gone after 30 s.
const LONGEST_DOUBT: SignedDuration = SignedDuration::from_secs(45);
/// Two looks that are to prove something are at least 3 s apart (decide.rs).
const PAUSE: std::time::Duration = std::time::Duration::from_secs(4);

/// The phase's answer as EC2 tells it now. `initial` is what its servers were before the run; where that is empty, and
/// there are servers, the phase was not reached: nothing then, unless it was the run's `first` one.
///
/// # Errors
/// EC2 could not be read.
pub(crate) async fn judge<W: World>(
    world: &W,
    task: &Task<'_>,
    initial: InitialStates,
    first: bool,
) -> Result<Option<PhaseAnswer>, Failure> {
    let (list, action, cut_off) = (task.list, task.action, task.deadline - MARGIN);
    let until = cut_off.min(world.now() + LONGEST_DOUBT);
    let told_of_none = initial.0.is_empty();
    let mut progress = Progress::new(list.number, action, task.environments, world.now());
    progress.initial_state = initial;
    let mut plan = loop {
        let read = patiently(world, cut_off, async || look(world, list, action, progress.ids()).await);
        let seen = in_time(world, cut_off, "DescribeInstances", read).await?;
        if told_of_none && !first && !seen.instances.is_empty() {
            return Ok(None);
        }
        seen.instances.iter().for_each(|instance| note_changed(&mut progress, instance));
        progress.take_in(&seen, task.run_began_at);
        let rules = Rules { list, action, now: world.now(), zone: &task.zone };
        let plan = decide(&seen, &progress, rules);
        progress.apply(&plan, world.chance());
        if !plan.is_in_doubt() || world.now() + PAUSE >= until {
            break plan;
        }
        world.sleep(PAUSE).await;
    };
    let asking = Asking { buckets: &mut progress.buckets, until: cut_off, cut_off, mode: Mode::Try };
    dry_run::try_changes(world, &mut plan, asking).await;
    close(&mut plan, &progress, action);
    keys::name_keys(world, &mut plan, cut_off).await;
    Ok(Some(answer::answer(&plan, list, &progress)))
}

/// A server that is the other way round now was changed by the run.
fn note_changed(progress: &mut Progress, instance: &Instance) {
    use InstanceState::{Pending, Running, Stopped, Stopping};
    let Some(initial) = progress.initial_state.0.values().find(|initial| initial.instance_id == instance.id)
    else {
        return;
    };
    let changed = match progress.action {
        Action::Start => !initial.is_running && matches!(instance.state, Pending | Running),
        Action::Stop => initial.is_running && matches!(instance.state, Stopping | Stopped),
    };
    if changed {
        let memory = Remembered { taken: true, ..Remembered::default() };
        progress.servers.insert(instance.id.clone(), memory);
    }
}

/// Nobody goes on: what is still under way has failed.
fn close(plan: &mut Plan, progress: &Progress, action: Action) {
    plan.membership_unsure = false;
    for server in &mut plan.servers {
        server.standing = match &server.standing {
            Standing::UnderWay(Step::Confirm) => Standing::Ready,
            Standing::UnderWay(step) => Standing::Failed(why(server, step, progress, action)),
            standing => standing.clone(),
        };
    }
}

fn why(server: &Server, step: &Step, progress: &Progress, action: Action) -> Failure {
    let reason = server.instance.as_ref().and_then(|instance| instance.state_reason.as_ref());
    match step {
        Step::Doubt(failure) | Step::AskLater(failure) => failure.clone(),
        Step::Ask(..) if action == Action::Start => match reason {
            Some(reason) if reason.explains_failed_start() => {
                reason.clone().because("it is stopped, and EC2's last reason for it is")
            }
            _ => Failure::not_as_wanted(&step.words()),
        },
        Step::Ask(..) => Failure::not_as_wanted(&step.words()),
        Step::Wait(_) | Step::Boot(_) | Step::Confirm => {
            let changed = server.id.as_deref().is_some_and(|id| progress.of(id).taken);
            let taken = if changed { Taken::Request } else { Taken::Nothing };
            Failure::not_in_time(action, taken, &step.words())
        }
    }
}
