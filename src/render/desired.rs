//! The units that should be, as values.
//!
//! Made by `render` alone. Knows nothing of what is there.

use std::sync::Arc;

use crate::model::{Companion, CompanionKind, Instance, Process};
use crate::name::{AppName, ProcessName, UnitName};
use crate::span::Span;
use crate::state::{Mark, State};

/// All units that should be in the registry, sorted by name.
#[derive(Debug, Default)]
pub struct Desired {
    /// The units.
    pub units: Vec<DesiredUnit>,
}

/// One unit that should be in the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredUnit {
    /// Its name: a template or a plain unit.
    pub name: UnitName,
    /// Its canonical text.
    pub text: String,
    /// The app that it belongs to.
    pub app: AppName,
    /// The process that it belongs to.
    pub process: ProcessName,
    /// Where the manifest asks for it.
    pub span: Span,
    /// The instances that should run.
    pub instances: Arc<[Instance]>,
    /// What fleet is to do with them: what a timer, a socket or a path starts is only loaded.
    pub state: State,
}

impl DesiredUnit {
    /// Returns whose it is.
    #[must_use]
    pub fn owner(&self) -> Mark {
        Mark {
            app: self.app.as_str().to_owned(),
            process: self.process.as_str().to_owned(),
        }
    }
}

/// Returns what fleet is to do with a process's own instances.
pub(super) fn state(process: &Process) -> State {
    let starts = |companion: &Companion| match companion.kind {
        CompanionKind::Timer(_) | CompanionKind::Socket | CompanionKind::Path => true,
        CompanionKind::Announce(_) => false,
    };
    if process.companions.iter().any(starts) {
        State::Loaded
    } else {
        State::Launched
    }
}
