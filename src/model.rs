//! What the manifest means: valid by construction, with every default in place.
//!
//! Made by `resolve` alone. Every part still knows the manifest's place that caused it. Knows nothing
//! of YAML, of templates' text and of the world.

use std::sync::Arc;

use crate::manifest::forms::Span as Time;
use crate::manifest::resources::PullPolicy;
use crate::name::{AppName, ProcessName, Slot, TemplateName, UnitName, VariableName, Version};
use crate::span::{Span, Spanned};

/// Everything that should run.
#[derive(Debug, Default)]
pub struct Model {
    /// The apps, sorted by name.
    pub apps: Vec<App>,
}

/// One app.
#[derive(Debug)]
pub struct App {
    /// Its name, and where that stands.
    pub name: Spanned<AppName>,
    /// Its processes, in the manifest's order.
    pub processes: Vec<Process>,
}

/// One process: a unit, the instances of it that run, and the units that accompany it.
#[derive(Debug)]
pub struct Process {
    /// The app's name.
    pub app: AppName,
    /// The process's name, and where it stands; an app without `processes` stands for its only one.
    pub name: Spanned<ProcessName>,
    /// The name of its unit: a template or a plain unit.
    pub unit: UnitName,
    /// Which template gives the unit's text, and where the manifest says so.
    pub template: Spanned<TemplateName>,
    /// There are mistakes in what the manifest says of it, so that further ones may be their
    /// consequences.
    pub is_faulty: bool,
    /// What the unit runs.
    pub work: Work,
    /// The fixed variables of the unit.
    pub environment: Vec<Variable>,
    /// How the unit asks etcd for variables, where it does.
    pub config: Option<ConfigRequest>,
    /// Whether instances are named after versions.
    pub versioned: bool,
    /// Whether it runs on every machine.
    pub global: bool,
    /// The instances that should run, in their order; for a plain unit one that has its own name.
    pub instances: Arc<[Instance]>,
    /// What may not run on the same machine: fleet's patterns.
    pub conflicts: Vec<Spanned<String>>,
    /// Directives that are laid over the unit of the process and those that accompany it.
    pub overlays: Vec<Overlay>,
    /// The units beside the process's own.
    pub companions: Vec<Companion>,
    /// The ports of the machine that it takes.
    pub machine_ports: Vec<Spanned<MachinePort>>,
    /// The bounds within which instances are replaced.
    pub deploy: Deploy,
}

/// What a unit runs.
#[derive(Debug)]
pub enum Work {
    /// A container.
    Container(Container),
    /// A program of the machine.
    Program(Program),
    /// Nothing: a socket, a timer or a path.
    Nothing,
    /// Whatever this text says.
    Verbatim(Spanned<String>),
}

/// A program of the machine.
#[derive(Debug)]
pub struct Program {
    /// systemd's prefixes, which stand before whatever comes first in the line.
    pub prefix: String,
    /// The program and its arguments.
    pub words: Vec<Word>,
    /// Where they are written.
    pub span: Span,
}

/// A container.
#[derive(Debug)]
pub struct Container {
    /// The image as the unit names it, without a version.
    pub image: Spanned<String>,
    /// When it is pulled.
    pub pull: PullPolicy,
    /// Arguments of `docker run` between the container's name and the image.
    pub options: Vec<Spanned<Word>>,
    /// The fixed variables among them: their values stand on the client's command line, since the
    /// client itself would read them from its environment.
    pub arguments: Vec<Spanned<VariableName>>,
    /// Whether some of them are the user's own, word for word.
    pub has_own_options: bool,
    /// What stands behind the image.
    pub command: Vec<Word>,
    /// Where the command is written, or else the entry point.
    pub command_span: Option<Span>,
    /// How long the container may take to stop, in seconds.
    pub stop_seconds: u64,
    /// Where that is written.
    pub stop_span: Option<Span>,
    /// The exit statuses of a container that was asked to stop.
    pub stop_statuses: Vec<u8>,
}

/// One word of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// An argument that the program must receive just so.
    Literal(String),
    /// systemd's own text: `${SLOT}:5000`.
    Systemd(String),
}

/// A fixed variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: VariableName,
    /// Its value.
    pub value: String,
    /// Where it is written.
    pub span: Span,
}

/// How a unit asks etcd for variables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigRequest {
    /// The folder of the app's config, where it is not the usual one; `Some(None)` asks for none.
    pub folder: Option<Option<String>>,
    /// Where the manifest names the folder, if it does.
    pub folder_span: Option<Span>,
    /// Variables without which the app must not start.
    pub required: Vec<Spanned<VariableName>>,
    /// Variables that the config may have beside those, where the manifest says which.
    pub known: Option<Spanned<Vec<VariableName>>>,
    /// Variables whose values are elsewhere in etcd, with their keys.
    pub from: Vec<(Spanned<VariableName>, String)>,
}

/// An instance that should run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Its unit's name.
    pub unit: UnitName,
    /// The version that it runs.
    pub version: Option<Version>,
    /// What tells it apart; a plain unit has none.
    pub slot: Option<Slot>,
    /// Where the manifest says so.
    pub span: Span,
    /// Where it names the version.
    pub version_span: Option<Span>,
}

/// A directive that is laid over what a template gives.
#[derive(Debug, Clone)]
pub struct Overlay {
    /// The section.
    pub section: &'static str,
    /// The directive's name, and where it stands.
    pub name: Spanned<String>,
    /// The values in systemd's own text; `None` removes the directive.
    pub values: Option<Vec<Spanned<String>>>,
}

/// A unit beside a process's own.
#[derive(Debug)]
pub struct Companion {
    /// Its name.
    pub unit: UnitName,
    /// What it does.
    pub kind: CompanionKind,
    /// Where the manifest asks for it.
    pub span: Span,
}

/// What a unit beside a process's own does.
#[derive(Debug)]
pub enum CompanionKind {
    /// Starts the process by the clock, at these calendar events.
    Timer(Vec<String>),
    /// Starts the process when somebody connects.
    Socket,
    /// Starts the process when a file changes.
    Path,
    /// Announces the process in etcd.
    Announce(Announce),
}

/// An announcement.
#[derive(Debug)]
pub struct Announce {
    /// The key: systemd's own text.
    pub key: String,
    /// The value: systemd's own text.
    pub value: String,
    /// How long it lives without being renewed, in seconds.
    pub ttl: u64,
    /// The value holds the slot of a versioned instance.
    pub needs_slot: bool,
}

/// A port of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MachinePort {
    /// Its number; `None` for the instance's slot.
    pub number: Option<u16>,
    /// Its protocol.
    pub protocol: crate::manifest::port::Protocol,
}

/// The bounds within which instances are replaced. What is not given is for the deploy to choose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deploy {
    /// How many instances serve at any time.
    pub min_alive: Option<u32>,
    /// How many instances more than wanted may run for a while.
    pub max_growth: Option<u32>,
    /// For how many seconds an instance must be up before the next one's turn.
    pub ready_secs: Option<u32>,
    /// How long one instance may take.
    pub timeout: Option<Time>,
    /// How many instances may fail before the rest is left as it is.
    pub max_failures: Option<u32>,
    /// What an instance must answer besides: an HTTP address with `{machine}` and `{port}`.
    pub health: Option<String>,
}
