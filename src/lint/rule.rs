//! What a rule is: its code, how much it matters, and its long form.
//!
//! The rules themselves stand beside the checks that find them. Knows nothing of how a finding comes
//! about.

use crate::diagnostic::Severity;

/// One rule. Its code never changes its meaning; a rule that is given up leaves its code unused.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// A letter and three digits, the first for the family.
    pub code: &'static str,
    /// How much a finding matters as a rule; one that keeps the unit from loading is always an error.
    pub severity: Severity,
    /// What is found, in a few words.
    pub title: &'static str,
    /// Why it matters and what to do.
    pub reason: &'static str,
    /// A unit file in which it is found.
    pub bad: &'static str,
    /// The same, mended.
    pub good: &'static str,
}

impl Rule {
    /// Returns a rule whose findings are errors: what is written is not what happens.
    pub(in crate::lint) const fn error(code: &'static str, title: &'static str) -> Self {
        Self::new(code, Severity::Error, title)
    }

    /// Returns a rule whose findings are warnings: it works, until it does not.
    pub(in crate::lint) const fn warning(code: &'static str, title: &'static str) -> Self {
        Self::new(code, Severity::Warning, title)
    }

    const fn new(code: &'static str, severity: Severity, title: &'static str) -> Self {
        Self {
            code,
            severity,
            title,
            reason: "",
            bad: "",
            good: "",
        }
    }

    /// Adds why it matters and what to do.
    pub(in crate::lint) const fn because(mut self, reason: &'static str) -> Self {
        self.reason = reason;
        self
    }

    /// Adds a unit file in which it is found, and the same mended.
    pub(in crate::lint) const fn example(mut self, bad: &'static str, good: &'static str) -> Self {
        self.bad = bad;
        self.good = good;
        self
    }
}
