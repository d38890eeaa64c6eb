//! Reaches environments in other accounts and Regions.
//!
//! Owns which clients are made for them, lazily, and for how long they are kept: between invocations, as long as the
//! run is the same one, because a role's session is named after it.

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::PoisonError;

use aws_sdk_ec2::config::{IdentityCache, Region};

use crate::model::Elsewhere;
use crate::ports::Reach;

use super::clients::Aws;
use super::role;

impl Reach for Aws {
    async fn reach(&self, place: Option<&Elsewhere>, run: &str) -> impl Deref<Target = Self> {
        let Some(place) = place else { return Cow::Borrowed(self) };
        if let Some(kept) = self.kept_for(place, run) {
            return Cow::Owned(kept);
        }
        let mut config = self
            .config
            .to_builder()
            .credentials_provider(role::credentials(&self.config, place, run))
            // One for both clients of the place, and for no other: the role is assumed once.
            .identity_cache(IdentityCache::lazy().build());
        if let Some(region) = &place.region {
            config.set_region(Region::new(region.clone()));
        }
        let there = self.at(place, &config.build());
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(place.clone(), (run.to_owned(), there.clone()));
        Cow::Owned(there)
    }
}

impl Aws {
    fn kept_for(&self, place: &Elsewhere, run: &str) -> Option<Self> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(place).filter(|(of, _)| of == run).map(|(_, there)| there.clone())
    }
}
