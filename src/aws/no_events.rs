//! EventBridge of a build without the feature `events`: there is none. Such a request is refused before it gets here
//! (`lambda::telling`).

use crate::model::Failure;
use crate::ports::{BusEvent, PutEvents};

use super::clients::Aws;

impl PutEvents for Aws {
    async fn put_event(&self, _: &BusEvent) -> Result<(), Failure> {
        Err(Failure::unreachable("PutEvents", "this build has no feature `events`"))
    }
}
