//! The plan: how each server of a list stands after one look, once. Plain values, made by [`super::decide`].

use std::collections::BTreeSet;
use std::rc::Rc;

use jiff::Timestamp;

use crate::model::failure::Kind;
use crate::model::{Failure, Instance, StopKind};

/// All servers of the list, as one look showed them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// When the look was.
    pub at: Timestamp,
    /// Each server once.
    pub servers: Vec<Server>,
    /// The list itself: it selects by tags, and nothing carries them.
    pub nothing_selected: Option<Failure>,
    /// Which servers the tags select is not sure before two looks agree.
    pub membership_unsure: bool,
}

/// A server of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    /// Its key in the initial states; for a listed name that no instance has, that name.
    pub key: String,
    /// Its id, also of an instance that is gone.
    pub id: Option<String>,
    /// What EC2 shows; nothing, if no such instance is there (any more).
    pub instance: Option<Rc<Instance>>,
    /// How it stands.
    pub standing: Standing,
}

/// How one server stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// As wanted.
    Ready,
    /// Not as wanted yet.
    UnderWay(Step),
    /// Left alone on purpose, and not as wanted; the sentence says why.
    Held(String),
    /// Not as wanted, and waiting is of no use.
    Failed(Failure),
}

impl Standing {
    /// A server whose request EC2 refused for good.
    pub(crate) fn refused(refusal: Failure) -> Self {
        match refusal.kind {
            Kind::Protected => Self::Held("stop protection is on".to_owned()),
            _ => Self::Failed(refusal),
        }
    }
}

/// What comes next for a server that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Ask EC2; the sentence says why.
    Ask(Request, String),
    /// Look again later; the sentence says what is waited for.
    Wait(String),
    /// It boots, and its status checks have to pass before it is ready; the sentence says how far it is.
    Boot(String),
    /// It fell back for a reason that passes: ask again after a pause.
    AskLater(Failure),
    /// As wanted; one more look to be sure.
    Confirm,
    /// It looks failed; one more look to be sure.
    Doubt(Failure),
}

/// What to ask EC2 for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Request {
    /// StartInstances.
    Start,
    /// StopInstances.
    Stop(StopKind),
}

impl Step {
    /// What is waited for, in words.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Ask(_, why) | Self::Wait(why) | Self::Boot(why) => why.clone(),
            Self::AskLater(failure) => {
                format!("it fell back to stopped: {}; it is asked again later", failure.code)
            }
            Self::Confirm => "it is ready; one more look to be sure".to_owned(),
            Self::Doubt(failure) => {
                format!("{}; one more look to be sure", doubt(failure))
            }
        }
    }
}

fn doubt(failure: &Failure) -> &str {
    if failure.message.is_empty() { "EC2 does not show it" } else { &failure.message }
}

impl Plan {
    /// The plan before anything was seen.
    pub(crate) fn unseen(at: Timestamp) -> Self {
        Self { at, servers: Vec::new(), nothing_selected: None, membership_unsure: true }
    }

    /// The servers to ask for, by request.
    pub(crate) fn requests(&self) -> Vec<(Request, Vec<&Instance>)> {
        let mut requests: Vec<(Request, Vec<&Instance>)> = Vec::new();
        for server in &self.servers {
            let (Standing::UnderWay(Step::Ask(request, _)), Some(instance)) =
                (&server.standing, &server.instance)
            else {
                continue;
            };
            match requests.iter_mut().find(|(known, _)| known == request) {
                Some((_, instances)) => instances.push(instance),
                None => requests.push((*request, vec![instance])),
            }
        }
        requests
    }

    /// What is under way, step by step.
    fn steps(&self) -> impl Iterator<Item = &Step> {
        self.servers.iter().filter_map(|server| match &server.standing {
            Standing::UnderWay(step) => Some(step),
            _ => None,
        })
    }

    /// Whether nothing is under way any more.
    pub(crate) fn is_decided(&self) -> bool {
        !self.membership_unsure && self.steps().next().is_none()
    }

    /// Whether another look is all that is missing: nothing that was seen is in doubt.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.membership_unsure || self.steps().any(|step| matches!(step, Step::Doubt(_)))
    }

    /// Whether all that is under way only waits for its second look.
    pub(crate) fn only_confirms(&self) -> bool {
        self.steps().all(|step| matches!(step, Step::Confirm))
    }

    /// Whether all that is under way is a failure in doubt.
    pub(crate) fn only_doubts(&self) -> bool {
        self.steps().all(|step| matches!(step, Step::Doubt(_)))
    }

    /// The servers that are under way, if a look at them alone tells all that is waited for: nothing is in doubt, and
    /// no verdict is near.
    pub(crate) fn to_look_at_again(&self) -> Option<BTreeSet<&str>> {
        if self.is_in_doubt() || self.only_confirms() {
            return None;
        }
        let under_way = self.servers.iter().filter(|server| matches!(server.standing, Standing::UnderWay(_)));
        under_way.map(|server| server.id.as_deref()).collect()
    }

    /// EC2 said no to this server's dry run, or could not be asked.
    pub(crate) fn fail(&mut self, id: &str, failure: Failure) {
        if let Some(server) = self.servers.iter_mut().find(|server| server.id.as_deref() == Some(id)) {
            server.standing = Standing::refused(failure);
        }
    }
}
