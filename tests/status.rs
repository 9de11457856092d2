//! `unitgen status`.
