//! An app's configuration: environment variables whose values nobody else should see.
//!
//! In: bytes that another tool wrote (`import`). Out: variables. Knows nothing of files, of etcd and of
//! who asks; no message, `Debug` or `Display` of anything in here shows a value.

pub mod import;
pub mod variable;
