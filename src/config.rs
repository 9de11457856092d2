//! An app's configuration: environment variables whose values nobody else should see.
//!
//! In: bytes that another tool wrote (`import`), or variables (`export`). Out: variables, or the text
//! that another tool reads. Knows nothing of files, of etcd and of who asks; no message, `Debug` or
//! `Display` of anything in here shows a value.

pub mod export;
pub mod import;
pub mod steering;
pub mod variable;
