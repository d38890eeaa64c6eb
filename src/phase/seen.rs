//! What one look showed. Plain values.
//!
//! A look at a part, and the plan made of it, hold the same instances, not copies: with thousands of servers each copy
//! is a megabyte.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use jiff::Timestamp;

use crate::model::{Instance, StatusChecks};

/// What one look showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// When it began.
    pub at: Timestamp,
    /// The list's live instances, in the list's own order.
    pub instances: Vec<Rc<Instance>>,
    /// Servers of the list that are not among them (any more), as their ids show them.
    pub elsewhere: Vec<Rc<Instance>>,
    /// Status checks, by id.
    pub checks: BTreeMap<String, StatusChecks>,
}

impl Seen {
    /// This, with these servers as they are now. Whose checks EC2 did not tell this time has none: one answer must not
    /// count twice.
    pub(crate) fn with(
        &self,
        at: Timestamp,
        looked_at: &BTreeSet<&str>,
        described: &[String],
        new: Vec<Instance>,
        checks: BTreeMap<String, StatusChecks>,
    ) -> Self {
        let mut new: BTreeMap<String, Instance> = new.into_iter().map(|i| (i.id.clone(), i)).collect();
        let described: BTreeSet<&String> = described.iter().collect();
        let kept = self.instances.iter().filter_map(|instance| match new.remove(&instance.id) {
            Some(fresh) => Some(Rc::new(fresh)),
            None => (!described.contains(&instance.id)).then(|| Rc::clone(instance)),
        });
        let instances = kept.collect();
        let others = self.checks.iter().filter(|(id, _)| !looked_at.contains(id.as_str()));
        let checks = others.map(|(id, checks)| (id.clone(), checks.clone())).chain(checks).collect();
        Self { at, instances, elsewhere: self.elsewhere.clone(), checks }
    }
}
