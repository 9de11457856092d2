//! `unitgen diff` as text, against a folder.
