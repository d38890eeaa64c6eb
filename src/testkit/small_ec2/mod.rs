//! A small EC2 by hand: instances that take time, checks that lag, scripted faults, published token buckets,
//! virtual time. The vocabulary of the phase loop's tests.

mod answers;
mod phases;
mod server;
mod world;

pub(crate) use phases::*;
pub(crate) use server::*;
pub(crate) use world::*;
