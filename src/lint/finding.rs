//! What a check found, in terms of the unit's own text.
//!
//! Knows nothing of files: whoever holds the text turns a finding into a diagnostic, be it one that
//! points into the unit file or one that points into the manifest behind it.

use std::ops::Range;

use crate::diagnostic::{Diagnostic, Report, Severity};
use crate::lint::rule::Rule;
use crate::secrecy;
use crate::span::Span;

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// How much it matters here.
    pub severity: Severity,
    /// The bytes of the text that it is about.
    pub range: Range<usize>,
    /// What is wrong: a lowercase fragment with names in backticks.
    pub message: String,
    /// A few words for the marked place.
    pub label: String,
    /// Other places that explain this one.
    pub related: Vec<(Range<usize>, String)>,
    /// What to do.
    pub help: Option<String>,
    /// Replacements of bytes that mend it and change nothing of what systemd makes of the text.
    pub fix: Vec<(Range<usize>, String)>,
}

/// The greatest number of findings of one text.
pub const FINDINGS_MAXIMUM: usize = 500;

/// All findings of one text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// The findings, in the order of their places once they are sorted.
    pub list: Vec<Finding>,
    /// Whether systemd loads the unit.
    pub is_loaded: bool,
    /// Texts that must never be shown.
    pub secrets: Vec<String>,
}

impl Finding {
    /// Returns a finding without label, related places, help and fix.
    #[must_use]
    pub fn new(rule: &'static Rule, range: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            rule,
            severity: rule.severity,
            range,
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

    /// Adds another place that explains this one.
    #[must_use]
    pub fn related(mut self, range: Range<usize>, text: impl Into<String>) -> Self {
        self.related.push((range, text.into()));
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
        self.help = help.or(self.help);
        self
    }

    /// Adds a replacement that mends it.
    #[must_use]
    pub fn fix(mut self, range: Range<usize>, text: impl Into<String>) -> Self {
        self.fix.push((range, text.into()));
        self
    }

    /// Makes it an error: the unit does not load with it.
    #[must_use]
    pub fn fatal(mut self) -> Self {
        self.severity = Severity::Error;
        self
    }
}

impl Findings {
    /// Adds a finding, unless there are more already than anybody reads.
    pub fn push(&mut self, finding: Finding) {
        if !self.is_full() {
            self.list.push(finding);
        }
    }

    /// Tells whether there are more findings than anybody reads, so that no more are looked for.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.list.len() >= FINDINGS_MAXIMUM
    }

    /// Tells whether an error was found so far.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        let mut findings = self.list.iter();
        findings.any(|finding| finding.severity == Severity::Error)
    }

    /// Turns the findings into diagnostics; `span` says where a place of the text is shown.
    #[must_use]
    pub fn report(self, span: impl Fn(&Range<usize>) -> Span) -> Report {
        let mut report = Report::default();
        for secret in &self.secrets {
            report.hide(secret);
        }
        let place = |(range, text): (Range<usize>, String)| (span(&range), text);
        let secrets = self.secrets;
        let hidden = |text: String, rule: &Rule| {
            let mut text = secrecy::masked(&text).into_owned();
            // A value that is one may be named by any finding but those of the secrets themselves.
            if rule.code < "U700" {
                for secret in &secrets {
                    if text.contains(secret.as_str()) {
                        text = text.replace(secret.as_str(), &"*".repeat(secret.len()));
                    }
                }
            }
            text
        };
        for finding in self.list {
            report.push(Diagnostic {
                span: Some(span(&finding.range)),
                severity: finding.severity,
                code: Some(finding.rule.code),
                message: hidden(finding.message, finding.rule),
                label: hidden(finding.label, finding.rule),
                related: finding.related.into_iter().map(place).collect(),
                help: finding.help.map(|help| hidden(help, finding.rule)),
                // A replacement that would show a secret is not told, though `--fix` makes it.
                fix: if finding
                    .fix
                    .iter()
                    .any(|(_, text)| *text != secrecy::masked(text))
                {
                    Vec::new()
                } else {
                    finding.fix.into_iter().map(place).collect()
                },
            });
        }
        report
    }
}
