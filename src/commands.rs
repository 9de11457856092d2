//! What the commands share: from the files to the units that should be.
//!
//! Each command is a file of its own with its arguments and one function.

pub mod against;
pub mod check;
pub mod connection;
pub mod diff;
pub mod explain;
pub mod init;
pub mod lint;
pub mod render;
pub mod schema;
pub mod show;

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::diagnostic::{Diagnostic, Report};
use crate::error::CommandError;
use crate::files;
use crate::manifest::{self, Manifest};
use crate::model::Model;
use crate::name::AppName;
use crate::output::Output;
use crate::render::desired::Desired;
use crate::render::{self as rendering, Renderer};
use crate::report::{self, Style};
use crate::resolve::resolve;
use crate::settings::Settings;
use crate::span::{SourceId, Sources};
use crate::suggestion::did_you_mean;
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
    /// What the environment says.
    pub settings: Settings,
    /// The two streams.
    pub output: Output,
}

/// All that the files say, and what follows from it.
pub struct Loaded {
    /// The texts.
    pub sources: Sources,
    /// What was found, sorted.
    pub report: Report,
    /// What should run.
    pub model: Model,
    /// The units that should be.
    pub desired: Desired,
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

    /// Reads the manifests and renders all units, going as far as the mistakes allow.
    ///
    /// # Errors
    /// Says which file can't be read.
    pub fn load(&self) -> Result<Loaded, CommandError> {
        let mut sources = Sources::default();
        let mut report = Report::default();
        let mut trees = Vec::new();
        let paths = self.manifests();
        for path in &paths {
            let source = sources.add(path.display().to_string(), read_manifest(path)?);
            match yaml::parse(&sources, source, &mut report) {
                Some(tree) => trees.push(tree),
                None if !report.has_errors() => report.push(empty(source)),
                None => {}
            }
        }
        let mut loaded = Loaded {
            sources,
            report,
            model: Model::default(),
            desired: Desired::default(),
        };
        // A tree that is not there would only give consequences of what is reported already.
        if trees.len() == paths.len() {
            let manifest = manifest::from_trees(&trees, &mut loaded.report);
            self.build(&manifest, &mut loaded)?;
            // The process ends soon: giving millions of small values back one by one would only take
            // time.
            std::mem::forget((trees, manifest));
        }
        loaded.report.finish();
        Ok(loaded)
    }

    fn build(&self, manifest: &Manifest, loaded: &mut Loaded) -> Result<(), CommandError> {
        let own = self.own_templates(manifest, &mut loaded.sources, &mut loaded.report)?;
        loaded.model = resolve(manifest, &mut loaded.report);
        let used = rendering::templates(&loaded.model);
        let templates = Templates::new(&own, &used, &mut loaded.sources, &mut loaded.report);
        let Some(templates) = templates else {
            return Ok(());
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
        Ok(())
    }

    fn own_templates(
        &self,
        manifest: &Manifest,
        sources: &mut Sources,
        report: &mut Report,
    ) -> Result<Vec<(String, SourceId)>, CommandError> {
        let named = manifest.templates.spanned();
        let folder = match named {
            Some(named) => folder_of(&sources.get(named.span.source).name).join(&named.value),
            None => self.folder().join("templates"),
        };
        if let Some(named) = named
            && !files::is_folder(&folder)
        {
            let message = format!("there is no folder `{}`", folder.display());
            report.push(
                Diagnostic::error(named.span, message).label("templates are to be found there"),
            );
        }
        let files = files::read_folder(&folder, SUFFIX)?;
        let templates = files.into_iter().map(|(name, path, text)| {
            let source = sources.add(path.display().to_string(), text);
            (name, source)
        });
        Ok(templates.collect())
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
        if apps.is_empty() {
            return Ok(None);
        }
        let mut selected = Vec::new();
        for app in apps {
            let names = self.model.apps.iter().map(|app| &app.name.value);
            let Some(found) = names.clone().find(|name| name.as_str() == app) else {
                let error = CommandError::trouble(format!("there is no app `{app}`"));
                return Err(match did_you_mean(app, names.map(AppName::as_str)) {
                    Some(help) => error.help(help),
                    None => error,
                });
            };
            selected.push(found.clone());
        }
        self.desired
            .units
            .retain(|unit| selected.contains(&unit.app));
        Ok(Some(selected))
    }
}

/// Returns the folder that a file stands in.
fn folder_of(file: &str) -> PathBuf {
    Path::new(file)
        .parent()
        .map(Path::to_owned)
        .unwrap_or_default()
}

fn read_manifest(path: &Path) -> Result<String, CommandError> {
    files::read_text(path).map_err(|error| match error.help {
        Some(_) => error,
        None => error.help("name the manifest with `-f FILE`; `unitgen init` writes a first one"),
    })
}

fn empty(source: SourceId) -> Diagnostic {
    let span = crate::span::Span {
        source,
        start: 0,
        end: 0,
    };
    Diagnostic::error(span, "this manifest is empty").help("`unitgen init` writes a first manifest")
}
