//! The template engine: which templates there are, and their text with values in it.
//!
//! In: the built-in templates and the user's own, which replace those of the same name; variables.
//! Out: a text in which every value that a template put in is marked, so that `place` can escape it
//! for the place where it stands. Knows nothing of units: neither what variables there are nor what
//! the text means.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use tera::{ErrorKind, Kwargs, State, Tera, Value};

use crate::diagnostic::{Diagnostic, Report};
use crate::name::{TemplateName, UnitType};
use crate::span::{SourceId, Sources, Span, narrow};

/// Begins a value.
pub const OPEN: char = '\u{1}';
/// Ends a value.
pub const CLOSE: char = '\u{2}';
/// Stands before a letter for a character that a marked text can't hold.
pub const ESCAPE: char = '\u{3}';

/// What stands for each character that would end a line or a value.
pub const ESCAPED: [(char, char); 5] = [
    (OPEN, 'o'),
    (CLOSE, 'c'),
    (ESCAPE, 'e'),
    ('\n', 'n'),
    ('\r', 'r'),
];

const BUILT_IN: [(&str, &str); 8] = [
    (
        "announce.service.tera",
        include_str!("../templates/announce.service.tera"),
    ),
    (
        "docker-shell.service.tera",
        include_str!("../templates/docker-shell.service.tera"),
    ),
    (
        "docker.service.tera",
        include_str!("../templates/docker.service.tera"),
    ),
    (
        "plain.path.tera",
        include_str!("../templates/plain.path.tera"),
    ),
    (
        "plain.service.tera",
        include_str!("../templates/plain.service.tera"),
    ),
    (
        "plain.socket.tera",
        include_str!("../templates/plain.socket.tera"),
    ),
    (
        "plain.timer.tera",
        include_str!("../templates/plain.timer.tera"),
    ),
    (
        "task.service.tera",
        include_str!("../templates/task.service.tera"),
    ),
];

/// The ending of a template's file name.
pub const SUFFIX: &str = ".tera";

/// All templates of a run.
pub struct Templates {
    tera: Tera,
    sources: BTreeMap<String, SourceId>,
    own: BTreeSet<String>,
}

/// Why a template gives no text.
pub struct TemplateFailure {
    /// The place in the template, where there is one.
    pub span: Option<Span>,
    /// What is wrong.
    pub message: String,
}

impl Templates {
    /// Takes the built-in templates and the user's own: file names with their sources. Of the
    /// built-in ones only those in `used` are parsed, and what they include: that is most of what a
    /// small manifest costs. `None` where a template has a mistake, which is in the report: then no
    /// unit can be rendered.
    pub fn new(
        own: &[(String, SourceId)],
        used: &BTreeSet<String>,
        sources: &mut Sources,
        report: &mut Report,
    ) -> Option<Self> {
        let mut texts: BTreeMap<String, SourceId> = BTreeMap::new();
        for (name, text) in BUILT_IN {
            let source = sources.add(format!("<built-in>/{name}"), text);
            texts.insert(name.to_owned(), source);
        }
        texts.extend(own.iter().cloned());
        let mut templates = Self {
            tera: engine(),
            sources: texts,
            own: own.iter().map(|(name, _)| name.clone()).collect(),
        };
        templates
            .load(own, used, sources, report)
            .then_some(templates)
    }

    fn load(
        &mut self,
        own: &[(String, SourceId)],
        used: &BTreeSet<String>,
        sources: &Sources,
        report: &mut Report,
    ) -> bool {
        let text = |source: SourceId| sources.get(source).text.as_str();
        let mut loaded = true;
        for (name, source) in own {
            if let Some(at) = text(*source).find([OPEN, CLOSE, ESCAPE]) {
                let span = Span {
                    source: *source,
                    start: narrow(at),
                    end: narrow(at + 1),
                };
                let message = "a template can't hold this control character";
                report.push(Diagnostic::error(span, message));
                loaded = false;
            }
            // Alone first: loading all at once would stop at the first mistake.
            if let Err(error) = engine().add_raw_template(name, text(*source))
                && matches!(error.kind(), ErrorKind::SyntaxError(_))
            {
                self.report(&error, sources, report);
                loaded = false;
            }
        }
        if !loaded {
            return false;
        }
        let wanted = self.closure(used, sources);
        let all = wanted.iter().map(|name| (name, text(self.sources[name])));
        if let Err(error) = self.tera.add_raw_templates(all) {
            self.report(&error, sources, report);
            loaded = false;
        }
        loaded
    }

    /// Returns the used templates and the user's own, with all that their texts name.
    fn closure(&self, used: &BTreeSet<String>, sources: &Sources) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut open: Vec<&String> = used.union(&self.own).collect();
        while let Some(name) = open.pop() {
            let Some((name, source)) = self.sources.get_key_value(name) else {
                continue;
            };
            if found.insert(name.clone()) {
                let text = &sources.get(*source).text;
                let named = |other: &&String| text.contains(other.as_str());
                open.extend(self.sources.keys().filter(named));
            }
        }
        found
    }

    fn report(&self, error: &tera::Error, sources: &Sources, report: &mut Report) {
        let failure = self.failure(error, sources);
        // Where there is no place to point at, the user's first own template is the nearest.
        let span = failure.span.or_else(|| self.first_own());
        report.push(match span {
            Some(span) => Diagnostic::error(span, failure.message),
            None => Diagnostic::new(crate::diagnostic::Severity::Error, None, failure.message),
        });
    }

    fn first_own(&self) -> Option<Span> {
        let own = self.own.first().and_then(|file| self.sources.get(file));
        own.map(|source| Span {
            source: *source,
            start: 0,
            end: 1,
        })
    }

    /// Returns the file name of a template for a unit type, where there is one.
    #[must_use]
    pub fn find(&self, name: &TemplateName, unit_type: UnitType) -> Option<String> {
        let file = format!("{name}.{}{SUFFIX}", unit_type.suffix());
        self.sources.contains_key(&file).then_some(file)
    }

    /// Tells whether a template is the user's own.
    #[must_use]
    pub fn is_own(&self, name: &TemplateName, unit_type: UnitType) -> bool {
        self.find(name, unit_type)
            .is_some_and(|file| self.own.contains(&file))
    }

    /// Returns the names of all templates for a unit type.
    #[must_use]
    pub fn names(&self, unit_type: UnitType) -> Vec<&str> {
        let suffix = format!(".{}{SUFFIX}", unit_type.suffix());
        let names = self.sources.keys();
        names
            .filter_map(|file| file.strip_suffix(suffix.as_str()))
            .collect()
    }

    /// Returns where a template's first line stands.
    #[must_use]
    pub fn span(&self, file: &str) -> Option<Span> {
        self.sources.get(file).map(|source| Span {
            source: *source,
            start: 0,
            end: 1,
        })
    }

    /// Returns where a template's first line stands that begins with a text.
    #[must_use]
    pub fn line(&self, file: &str, beginning: &str, sources: &Sources) -> Option<Span> {
        let source = *self.sources.get(file)?;
        let mut start = 0;
        for line in sources.get(source).text.split_inclusive('\n') {
            if line.trim_start().starts_with(beginning) {
                return Some(Span {
                    source,
                    start: narrow(start),
                    end: narrow(start + line.trim_end().len()),
                });
            }
            start += line.len();
        }
        None
    }

    /// Renders a template to marked text.
    ///
    /// # Errors
    /// Says what the template does wrong, and where.
    pub fn render(
        &self,
        file: &str,
        context: &tera::Context,
        sources: &Sources,
    ) -> Result<String, TemplateFailure> {
        self.tera
            .render(file, context)
            .map_err(|error| self.failure(&error, sources))
    }

    fn failure(&self, error: &tera::Error, sources: &Sources) -> TemplateFailure {
        let (ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report)) = error.kind()
        else {
            return self.written_failure(&error.to_string(), sources);
        };
        let source = self.sources.get(report.filename()).copied();
        let span = source.map(|source| {
            let text = &sources.get(source).text;
            let tera = report.span();
            let start = offset(text, tera.start_line, tera.start_col);
            let end = offset(text, tera.end_line, tera.end_col).max(start + 1);
            Span {
                source,
                start: narrow(start),
                end: narrow(end),
            }
        });
        TemplateFailure {
            span,
            message: lower_first(report.message()),
        }
    }

    /// Reads an error that tera has laid out already: `error: …`, then ` --> file:line:column`.
    fn written_failure(&self, text: &str, sources: &Sources) -> TemplateFailure {
        let mut lines = text.lines();
        let message = lines.next().unwrap_or_default();
        let place = lines.find_map(|line| line.trim_start().strip_prefix("--> "));
        let span = place.and_then(|place| {
            let (place, column) = place.rsplit_once(':')?;
            let (file, line) = place.rsplit_once(':')?;
            let source = *self.sources.get(file)?;
            let text = &sources.get(source).text;
            let column: usize = column.trim().parse().ok()?;
            let start = offset(text, line.parse().ok()?, column.saturating_sub(1));
            Some(Span {
                source,
                start: narrow(start),
                end: narrow(start + 1),
            })
        });
        TemplateFailure {
            span,
            message: lower_first(message.strip_prefix("error: ").unwrap_or(message)),
        }
    }
}

fn engine() -> Tera {
    let mut tera = Tera::new();
    tera.autoescape_on([SUFFIX]);
    tera.set_escape_fn(mark);
    tera.register_filter("raw", |value: Value, _: Kwargs, _: &State| {
        raw(&value.to_string())
    });
    tera.register_filter("sh", |value: Value, _: Kwargs, _: &State| {
        if value.is_safe() {
            value
        } else {
            Value::from(shell_word(&value.to_string()))
        }
    });
    tera
}

/// Marks a text as systemd's own. It can't forge a value's marks.
fn raw(text: &str) -> tera::TeraResult<Value> {
    if text.contains([OPEN, CLOSE, ESCAPE]) {
        return Err(tera::Error::message(
            "`raw` text can't hold control characters",
        ));
    }
    Ok(Value::safe_string(text))
}

/// Quotes a text as one word of a POSIX shell.
fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Writes a value between marks. A number is the same in every place and needs none.
fn mark(text: &str, output: &mut dyn Write) -> std::io::Result<()> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return output.write_all(text.as_bytes());
    }
    let mut buffer = [0; 4];
    output.write_all(OPEN.encode_utf8(&mut buffer).as_bytes())?;
    let special = |c: char| ESCAPED.iter().any(|(from, _)| *from == c);
    if text.contains(special) {
        for c in text.chars() {
            match ESCAPED.iter().find(|(from, _)| *from == c) {
                Some((_, to)) => {
                    output.write_all(ESCAPE.encode_utf8(&mut buffer).as_bytes())?;
                    output.write_all(to.encode_utf8(&mut buffer).as_bytes())?;
                }
                None => output.write_all(c.encode_utf8(&mut buffer).as_bytes())?,
            }
        }
    } else {
        output.write_all(text.as_bytes())?;
    }
    output.write_all(CLOSE.encode_utf8(&mut buffer).as_bytes())
}

/// Returns the byte offset of a line (from 1) and a column in characters (from 0).
fn offset(text: &str, line: usize, column: usize) -> usize {
    let mut start = 0;
    for _ in 1..line {
        match text[start..].find('\n') {
            Some(at) => start += at + 1,
            None => return text.len(),
        }
    }
    let rest = &text[start..];
    start
        + rest
            .char_indices()
            .nth(column)
            .map_or(rest.len(), |(at, _)| at)
}

fn lower_first(text: &str) -> String {
    let mut characters = text.trim_end_matches('.').chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(template: &str, value: &str) -> Result<String, String> {
        let mut sources = Sources::default();
        let mut report = Report::default();
        let own = sources.add("t", template);
        let own = [("x.service.tera".to_owned(), own)];
        let templates = Templates::new(&own, &BTreeSet::new(), &mut sources, &mut report);
        if let Some(diagnostic) = report.diagnostics().first() {
            let place = diagnostic.span.map(|span| sources.place(span));
            return Err(format!(
                "{:?} {}",
                place.map(|p| (p.line, p.column)),
                diagnostic.message
            ));
        }
        let mut context = tera::Context::new();
        context.insert("value", value);
        templates
            .unwrap()
            .render("x.service.tera", &context, &sources)
            .map_err(|failure| failure.message)
    }

    #[test]
    fn values_are_marked_and_can_not_forge_marks() {
        assert_eq!(render("a={{ value }}", "x y").unwrap(), "a=\u{1}x y\u{2}");
        assert_eq!(
            render("{{ value }}", "\u{2}\n\u{1}").unwrap(),
            "\u{1}\u{3}c\u{3}n\u{3}o\u{2}"
        );
        assert_eq!(render("{{ value | raw }}", "%i").unwrap(), "%i");
        assert_eq!(
            render("{{ value | sh }}", "it's").unwrap(),
            "\u{1}'it'\\''s'\u{2}"
        );
    }

    #[test]
    fn mistakes_have_a_place() {
        assert_eq!(
            render("\n{% if %}", "").unwrap_err(),
            "Some((2, 7)) found `%}` but expected one of: \
             integer, float, string, bool, ident, `-`, `not`, `<`, `{`, `[` or `(`"
        );
        assert!(render("{{ nothing }}", "").unwrap_err().contains("nothing"));
    }
}
