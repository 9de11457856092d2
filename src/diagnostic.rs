//! A user's mistake as data: what is wrong, where, and what to do.
//!
//! Stages collect diagnostics in a `Report` and go on, so that one run shows all mistakes. Knows
//! nothing of how a report is shown, and is no error type: what the user can't have caused by
//! writing a file is an error of its own.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::secrecy;
use crate::span::{SourceId, Span};

/// How much a diagnostic matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing is rendered until this is mended.
    Error,
    /// Rendered all the same; refused under `--strict`.
    Warning,
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Diagnostic {
    /// Where it stands; `None` only where there is no text to point into.
    pub span: Option<Span>,
    /// How much it matters.
    pub severity: Severity,
    /// The code of the rule that found it, if it has one.
    pub code: Option<&'static str>,
    /// What is wrong: a lowercase fragment with names in backticks.
    pub message: String,
    /// A few words for the marked place, often the reason.
    pub label: String,
    /// Other places that explain this one.
    pub related: Vec<(Span, String)>,
    /// What to do.
    pub help: Option<String>,
    /// Replacements of text that mend it.
    pub fix: Vec<(Span, String)>,
}

/// With more secrets than this all of an excerpt is hidden, rather than each in its turn.
const SECRETS_MAXIMUM: usize = 1_000;

/// All that a stage found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    diagnostics: Vec<Diagnostic>,
    errors: usize,
    secrets: BTreeSet<(Reverse<usize>, String)>,
}

impl Diagnostic {
    /// Returns an error at `span`.
    #[must_use]
    pub fn error(span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, Some(span), message)
    }

    /// Returns a warning at `span`.
    #[must_use]
    pub fn warning(span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, Some(span), message)
    }

    /// Returns a diagnostic without label, related places and help.
    #[must_use]
    pub fn new(severity: Severity, span: Option<Span>, message: impl Into<String>) -> Self {
        Self {
            span,
            severity,
            code: None,
            message: message.into(),
            label: String::new(),
            related: Vec::new(),
            help: None,
            fix: Vec::new(),
        }
    }

    /// Adds the words that stand under the marked place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds what to do where there is something.
    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    /// Adds another place that explains this one.
    #[must_use]
    pub fn related(mut self, span: Span, text: impl Into<String>) -> Self {
        self.related.push((span, text.into()));
        self
    }
}

impl Report {
    /// Adds a diagnostic.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.errors += usize::from(diagnostic.severity == Severity::Error);
        self.diagnostics.push(diagnostic);
    }

    /// Adds all of another report.
    pub fn extend(&mut self, other: Report) {
        self.errors += other.errors;
        self.diagnostics.extend(other.diagnostics);
        self.secrets.extend(other.secrets);
    }

    /// Keeps a text out of all excerpts.
    pub fn hide(&mut self, secret: &str) {
        let longest_first = Reverse(secret.len());
        self.secrets.insert((longest_first, secret.to_owned()));
    }

    /// Returns a text with every secret in it made unreadable, as long as it was.
    #[must_use]
    pub fn masked<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = secrecy::masked(text);
        if self.secrets.len() > SECRETS_MAXIMUM {
            let starred = text
                .chars()
                .map(|c| if c.is_ascii_graphic() { '*' } else { c });
            return Cow::Owned(starred.collect());
        }
        for (_, secret) in &self.secrets {
            if !secret.is_empty() && text.contains(secret.as_str()) {
                text = Cow::Owned(text.replace(secret, &"*".repeat(secret.len())));
            }
        }
        text
    }

    /// Puts other words in the place of what is said of a source.
    pub fn reword(&mut self, source: SourceId, words: impl Fn(&str) -> String) {
        for diagnostic in &mut self.diagnostics {
            if diagnostic.span.is_some_and(|span| span.source == source) {
                diagnostic.message = words(&diagnostic.message);
                diagnostic.label = words(&diagnostic.label);
                diagnostic.help = diagnostic.help.as_deref().map(&words);
            }
        }
    }

    /// Sorts by place and drops repetitions: a value that several processes inherit is read once
    /// for each of them, but is wrong only once.
    pub fn finish(&mut self) {
        let mut seen = BTreeSet::new();
        self.diagnostics
            .retain(|diagnostic| seen.insert(diagnostic.clone()));
        self.diagnostics.sort();
        let errors = self.diagnostics.iter();
        self.errors = errors.filter(|d| d.severity == Severity::Error).count();
    }

    /// Returns the diagnostics in their present order.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Counts the diagnostics of one severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        match severity {
            Severity::Error => self.errors,
            Severity::Warning => self.diagnostics.len() - self.errors,
        }
    }

    /// Tells whether anything stands in the way of going on.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// Tells whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.diagnostics.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::span::Sources;

    #[test]
    fn secrets_are_made_unreadable() {
        let mut report = Report::default();
        assert_eq!(report.masked("a=hunter2 b"), "a=hunter2 b");
        report.hide("hunter2");
        report.hide("hunter22");
        assert_eq!(
            report.masked("a=hunter2 b=hunter22"),
            "a=******* b=********"
        );
    }

    #[test]
    fn a_finished_report_is_sorted_by_place_and_has_no_repetition() {
        let mut sources = Sources::default();
        let source = sources.add("a", "0123456789");
        let span = |start, end| Span { source, start, end };
        let mut report = Report::default();
        report.push(Diagnostic::warning(span(5, 6), "late"));
        report.push(Diagnostic::error(span(1, 2), "early"));
        report.push(Diagnostic::warning(span(5, 6), "late"));
        report.finish();
        let messages: Vec<_> = report.diagnostics().iter().map(|d| &d.message).collect();
        assert_eq!(messages, ["early", "late"]);
        assert_eq!(report.count(Severity::Warning), 1);
        assert!(report.has_errors());
    }
}
