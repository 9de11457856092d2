//! The door to clusters: what is there, and what is to be there; and to the commits of a repository,
//! which say what was to be there.
//!
//! In: where a cluster is, and units. Out: what was observed, or what came of a request. Knows nothing
//! of manifests and of what should run; decides nothing.

pub mod directory;
pub mod fleet;
pub mod fleetctl;
pub mod git;
pub mod snapshot;
