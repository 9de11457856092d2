//! The one binary of integration tests.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests make files and processes of their own, and a failure of theirs is a failed test"
)]

mod corpus;
mod faults;
mod golden;
mod properties;
mod test;
mod vectors;
