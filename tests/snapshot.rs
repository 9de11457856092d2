//! `unitgen snapshot`.
