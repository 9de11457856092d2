//! An app's configuration on the machine: what is asked of etcd, what the answer gives, and how it is
//! handed to a program.
//!
//! In: a request, and etcd's answer or that of a file which keeps an earlier one. Out: variables, and
//! the words and the environment of a program to which they are handed. The program's own client of
//! docker must not be steered by them. Knows nothing of how etcd is asked.

pub mod answer;
pub mod cache;
pub mod client;
pub mod hand;
pub mod limit;
pub mod request;
pub mod words;
