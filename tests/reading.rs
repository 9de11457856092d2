//! Rendering in memory, and a unit as systemd and fleet read it.
//!
//! It reads by `unitgen::unit`, which reads as systemd does and knows nothing of how a text came
//! about.

use unitgen::diagnostic::Report;
use unitgen::manifest;
use unitgen::overrides::{self, Override};
use unitgen::render::{Renderer, templates};
use unitgen::resolve::resolve;
use unitgen::span::Sources;
use unitgen::template::Templates;
use unitgen::unit::UnitFile;
use unitgen::unit::dollar::substitute;
use unitgen::unit::fleet::FleetUnit;
use unitgen::unit::name::UnitName;
use unitgen::unit::specifier::{Context, Host, expand};
use unitgen::unit::words::{split_assignments, split_commands};
use unitgen::yaml;

/// Renders a manifest: the units by name, or nothing where the report has an error.
pub(crate) fn render(text: &str) -> Option<Vec<(String, String)>> {
    render_with(text, &[])
}

/// Renders a manifest with values laid over it.
pub(crate) fn render_with(text: &str, over: &[Override]) -> Option<Vec<(String, String)>> {
    let mut sources = Sources::default();
    let source = sources.add("services.yaml", text);
    let mut report = Report::default();
    let mut tree = yaml::parse(&sources, source, &mut report)?;
    let overlays = overrides::read(over, &mut sources, &mut report);
    overrides::lay(&mut tree, &overlays, &mut report);
    let manifest = manifest::from_tree(&tree, &mut report);
    let model = resolve(&manifest, &mut report);
    let used = templates(&model);
    let templates = Templates::new(&[], &used, &mut sources, &mut report)?;
    let renderer = Renderer {
        templates: &templates,
        sources: &sources,
    };
    let (desired, found) = renderer.render(&model);
    let (again, _) = renderer.render(&model);
    assert_eq!(desired.units, again.units);
    report.extend(found);
    if report.has_errors() {
        return None;
    }
    let units = desired.units.iter();
    Some(
        units
            .map(|unit| (unit.name.as_str().to_owned(), unit.text.clone()))
            .collect(),
    )
}

/// A unit as systemd and fleet read it: assignments and commands of its instance `1`, specifiers
/// expanded and variables replaced.
pub(crate) struct Read {
    name: UnitName,
    pub(crate) environment: Vec<String>,
    commands: Vec<(String, Vec<String>)>,
}

/// Takes bytes as text.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

impl Read {
    /// Reads a unit as the instance `1` of it.
    pub(crate) fn new(unit: &str, content: &str) -> Self {
        let kept = FleetUnit::parse(content).unwrap();
        assert_eq!(kept.canonical(), content);
        assert!(content.lines().all(|line| line.len() < 2_000));
        let mut read = Self {
            name: UnitName::new(&unit.replace('@', "@1")).unwrap(),
            environment: Vec::new(),
            commands: Vec::new(),
        };
        for directive in UnitFile::parse(content).directives() {
            if directive.name == "Environment" {
                let split = split_assignments(&directive.value);
                assert_eq!(split.error, None, "{}", directive.value);
                let words = split.words.iter();
                let words = words.map(|word| text(&read.expand(word, Context::Environment)));
                let words: Vec<String> = words.collect();
                read.environment.extend(words);
            } else if directive.name.starts_with("Exec") {
                read.command(&directive.name, &directive.value);
            }
        }
        read
    }

    fn expand(&self, word: &[u8], context: Context) -> Vec<u8> {
        expand(word, context, &self.name, &Host::unknown()).unwrap()
    }

    fn command(&mut self, name: &str, value: &str) {
        let commands = split_commands(value).unwrap();
        assert_eq!(commands.len(), 1, "{value}");
        assert!(!commands[0].unknown_escape, "{value}");
        let words = commands[0].words.iter();
        let words: Vec<Vec<u8>> = words.map(|word| self.expand(word, Context::Full)).collect();
        let words = substitute(&words, &self.environment);
        let words = words.iter().map(|word| text(word)).collect();
        self.commands.push((name.to_owned(), words));
    }

    /// Returns all commands of a directive, word by word.
    pub(crate) fn all(&self, name: &str) -> Vec<&[String]> {
        let commands = self.commands.iter().filter(|(key, _)| key == name);
        commands.map(|(_, words)| words.as_slice()).collect()
    }
}
