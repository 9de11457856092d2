//! What the commands share: from the files to the units that should be.
//!
//! Each command is a file of its own with its arguments and one function.

pub mod against;
pub mod check;
pub mod config;
pub mod connection;
pub mod deploy;
pub mod diff;
pub mod env;
pub mod etcd;
pub mod explain;
pub mod init;
pub mod lint;
pub mod lock;
mod observe;
pub mod render;
pub mod restart;
pub mod rollback;
pub mod rollout;
pub mod schema;
pub mod set;
pub mod show;
pub mod snapshot;
pub mod status;
pub mod submit;
mod tree;

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::cluster::git::GitTree;
use crate::commands::tree::Tree;
use crate::diagnostic::{Diagnostic, Report, Severity};
use crate::error::CommandError;
use crate::layers::lay_files;
use crate::manifest::{self, Manifest};
use crate::model::Model;
use crate::name::AppName;
use crate::output::Output;
use crate::overrides::{self, Applied, Override};
use crate::render::desired::{Desired, DesiredUnit};
use crate::render::{self as rendering, Renderer};
use crate::report::{self, Style};
use crate::resolve::resolve;
use crate::settings::Settings;
use crate::span::{SourceId, Sources, Span};
use crate::suggestion::did_you_mean;
use crate::tell::count;
use crate::template::{SUFFIX, Templates};
use crate::yaml;

/// How results are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON value with a `format_version`.
    Json,
}

/// What every command has.
pub struct Invocation {
    /// The `-f` files.
    pub files: Vec<PathBuf>,
    /// What is laid over the manifest, above all files.
    pub overrides: Vec<Override>,
    /// What the environment says.
    pub settings: Settings,
    /// The two streams.
    pub output: Output,
}

/// All that the files say, and what follows from it.
#[derive(Default)]
pub struct Loaded {
    /// The texts.
    pub sources: Sources,
    /// What was found, sorted.
    pub report: Report,
    /// What was laid over the manifest, but for what a later one replaced.
    pub overrides: Vec<Applied>,
    /// What should run.
    pub model: Model,
    /// The units that should be; of the selected apps only, where there is a selection.
    pub desired: Desired,
    /// The units of the apps that are not selected.
    pub others: Vec<DesiredUnit>,
}

impl Invocation {
    /// Returns the manifests' paths.
    #[must_use]
    pub fn manifests(&self) -> Vec<PathBuf> {
        if !self.files.is_empty() {
            return self.files.clone();
        }
        if !self.settings.files.is_empty() {
            return self.settings.files.clone();
        }
        vec![PathBuf::from("services.yaml")]
    }

    /// Returns the folder that the first manifest stands in.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        let manifests = self.manifests();
        let parent = manifests.first().and_then(|path| path.parent());
        parent.map(Path::to_owned).unwrap_or_default()
    }

    /// Reads the manifests, lays over them what is to be, and renders all units, going as far as the
    /// mistakes allow.
    ///
    /// # Errors
    /// Says which file can't be read.
    pub fn load(&self) -> Result<Loaded, CommandError> {
        self.load_with(&self.overrides)
    }

    /// Does the same with other values laid over the manifests.
    ///
    /// # Errors
    /// Says which file can't be read.
    pub fn load_with(&self, overrides: &[Override]) -> Result<Loaded, CommandError> {
        let loaded = self.load_tree(Tree::Disk, overrides)?;
        Ok(loaded.unwrap_or_default())
    }

    /// Reads the manifests and templates as of a commit and renders all units, going as far as the
    /// mistakes allow. A manifest that was not there yet is left out; nothing is returned where none
    /// was there. Nothing is laid over them.
    ///
    /// # Errors
    /// Says which file can't be read.
    pub fn load_from(&self, commit: &mut GitTree) -> Result<Option<Loaded>, CommandError> {
        self.load_tree(Tree::Commit(commit), &[])
    }

    fn load_tree(
        &self,
        mut tree: Tree<'_>,
        overrides: &[Override],
    ) -> Result<Option<Loaded>, CommandError> {
        let mut loaded = Loaded::default();
        let mut nodes = Vec::new();
        let mut read = Vec::new();
        for path in self.manifests() {
            let Some(text) = tree.read_manifest(&path)? else {
                continue;
            };
            let source = loaded.sources.add(tree.shown(&path), text);
            read.push((source, path));
            match yaml::parse(&loaded.sources, source, &mut loaded.report) {
                Some(node) => nodes.push(node),
                None if !loaded.report.has_errors() => loaded.report.push(empty(source)),
                None => {}
            }
        }
        if read.is_empty() {
            return Ok(None);
        }
        let overlays = overrides::read(overrides, &mut loaded.sources, &mut loaded.report);
        // A node that is not there would only give consequences of what is reported already.
        if nodes.len() == read.len()
            && let Some(mut root) = lay_files(&nodes, &mut loaded.report)
        {
            loaded.overrides = overrides::lay(&mut root, &overlays, &mut loaded.report);
            let manifest = manifest::from_tree(&root, &mut loaded.report);
            let folder = self.templates(&manifest, &read);
            let named = manifest.templates.spanned().map(|named| named.span);
            let own = own_templates(&mut tree, &folder, named, &mut loaded)?;
            build(&manifest, &own, &mut loaded);
            // The process ends soon: giving millions of small values back one by one would only take
            // time.
            std::mem::forget((nodes, root, manifest));
        }
        overrides::censor(&overlays, &mut loaded.report);
        loaded.report.finish();
        Ok(Some(loaded))
    }

    /// Returns the folder of templates: that which a manifest names, as seen from its own folder, or
    /// the one beside the first manifest.
    fn templates(&self, manifest: &Manifest, read: &[(SourceId, PathBuf)]) -> PathBuf {
        let Some(named) = manifest.templates.spanned() else {
            return self.folder().join("templates");
        };
        let mut read = read.iter();
        let from = read.find(|(source, _)| *source == named.span.source);
        let folder = from.and_then(|(_, path)| path.parent());
        folder.unwrap_or(Path::new("")).join(&named.value)
    }

    /// Shows a report on stderr where there are errors; of warnings alone only how many there are, for
    /// a command whose answer is about something else.
    pub fn show_errors(&mut self, loaded: &Loaded) {
        let warnings = loaded.report.count(Severity::Warning);
        if loaded.report.has_errors() {
            self.show(loaded);
        } else if warnings > 0 {
            let warnings = count(warnings, "warning");
            self.output
                .message(&format!("{warnings}: see `unitgen check`\n"));
        }
    }

    /// Shows a report on stderr.
    pub fn show(&mut self, loaded: &Loaded) {
        let style = Style {
            colored: self.output.colored_messages,
            width: self.output.width,
        };
        let text = report::text(&loaded.report, &loaded.sources, style);
        self.output.message(&text);
    }
}

impl Loaded {
    /// Keeps the units of some apps only; all where none is named.
    ///
    /// # Errors
    /// Says which app there is not.
    pub fn select(&mut self, apps: &[String]) -> Result<Option<Vec<AppName>>, CommandError> {
        for app in apps {
            self.check_app(app)?;
        }
        self.select_also_gone(apps)
    }

    /// Keeps the units of some apps only. They need not be in the manifest: what is compared with it may
    /// have them.
    ///
    /// # Errors
    /// Says which is no app's name.
    pub fn select_also_gone(
        &mut self,
        apps: &[String],
    ) -> Result<Option<Vec<AppName>>, CommandError> {
        if apps.is_empty() {
            return Ok(None);
        }
        let names = apps.iter().map(|app| match AppName::new(app.as_str()) {
            Ok(name) => Ok(name),
            Err(_) => Err(self.no_app(app)),
        });
        let selected: Vec<AppName> = names.collect::<Result<_, _>>()?;
        let units = std::mem::take(&mut self.desired.units);
        let (units, others) = units
            .into_iter()
            .partition(|unit| selected.contains(&unit.app));
        self.desired.units = units;
        self.others = others;
        Ok(Some(selected))
    }

    /// Refuses an app that the manifest does not have.
    ///
    /// # Errors
    /// Says that there is none.
    pub fn check_app(&self, app: &str) -> Result<(), CommandError> {
        let mut apps = self.model.apps.iter();
        if apps.any(|known| known.name.value.as_str() == app) {
            return Ok(());
        }
        Err(self.no_app(app))
    }

    fn no_app(&self, app: &str) -> CommandError {
        let error = CommandError::trouble(format!("there is no app `{app}`"));
        let names = self.model.apps.iter().map(|app| app.name.value.as_str());
        match did_you_mean(app, names) {
            Some(help) => error.help(help),
            None => error,
        }
    }
}

/// Reads the templates of a folder; `named` is where a manifest names it.
fn own_templates(
    tree: &mut Tree<'_>,
    folder: &Path,
    named: Option<Span>,
    loaded: &mut Loaded,
) -> Result<Vec<(String, SourceId)>, CommandError> {
    let files = tree.read_folder(folder, SUFFIX)?;
    if let Some(span) = named
        && files.is_none()
    {
        let message = format!("there is no folder `{}`", tree.shown(folder));
        let diagnostic = Diagnostic::error(span, message);
        loaded
            .report
            .push(diagnostic.label("templates are to be found there"));
    }
    let templates = files.unwrap_or_default().into_iter();
    let templates = templates.map(|(name, path, text)| {
        let source = loaded.sources.add(tree.shown(&path), text);
        (name, source)
    });
    Ok(templates.collect())
}

/// Renders what a manifest says.
fn build(manifest: &Manifest, own: &[(String, SourceId)], loaded: &mut Loaded) {
    loaded.model = resolve(manifest, &mut loaded.report);
    let used = rendering::templates(&loaded.model);
    let templates = Templates::new(own, &used, &mut loaded.sources, &mut loaded.report);
    let Some(templates) = templates else {
        return;
    };
    let renderer = Renderer {
        templates: &templates,
        sources: &loaded.sources,
    };
    let (desired, found) = renderer.render(&loaded.model);
    loaded.report.extend(found);
    if !loaded.report.has_errors() {
        loaded.desired = desired;
    }
}

fn empty(source: SourceId) -> Diagnostic {
    let span = Span {
        source,
        start: 0,
        end: 0,
    };
    Diagnostic::error(span, "this manifest is empty").help("`unitgen init` writes a first manifest")
}
