//! Why a command could not do its work, and the exit codes of all commands.
//!
//! A user's mistake in a manifest is no error but a diagnostic. The kind of an error alone decides
//! the exit code. Knows nothing of single commands.

use std::error::Error;
use std::fmt;

use crate::visible::plain;

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The world is as wanted; nothing was found.
    Done,
    /// Differences, findings, an absent key.
    Found,
    /// Usage, a bad manifest, files that can't be read or written, a bug.
    Trouble,
    /// The other side is out of reach, refuses or timed out.
    Remote,
    /// Applied in part; the result says what was and what was not.
    Partial,
    /// A guard refused it, and nothing was done: a stale plan, a limit.
    Refused,
    /// The command to be run was found and can't be executed, as a shell says it.
    NotExecutable,
    /// The command to be run was not found, as a shell says it.
    NotFound,
}

impl Status {
    /// Returns the exit code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Found => 1,
            Self::Trouble => 2,
            Self::Remote => 3,
            Self::Partial => 4,
            Self::Refused => 5,
            Self::NotExecutable => 126,
            Self::NotFound => 127,
        }
    }
}

/// What went wrong.
#[derive(Debug)]
pub struct CommandError {
    /// Decides the exit code.
    pub status: Status,
    /// What this layer could not do: a lowercase fragment.
    pub message: String,
    /// Why.
    pub source: Option<Box<dyn Error + Send + Sync>>,
    /// What to do.
    pub help: Option<String>,
    /// Whether it may pass by itself, so that the same may succeed a little later.
    pub may_pass: bool,
    /// Whether nobody was found at all at the other side's address.
    pub is_nobody: bool,
}

impl CommandError {
    /// Returns an error of this side.
    #[must_use]
    pub fn trouble(message: impl Into<String>) -> Self {
        Self {
            status: Status::Trouble,
            message: message.into(),
            source: None,
            help: None,
            may_pass: false,
            is_nobody: false,
        }
    }

    /// Returns an error of the other side.
    #[must_use]
    pub fn remote(message: impl Into<String>) -> Self {
        Self {
            status: Status::Remote,
            ..Self::trouble(message)
        }
    }

    /// Returns an error of a guard, which kept anything from being done.
    #[must_use]
    pub fn refused(message: impl Into<String>) -> Self {
        Self {
            status: Status::Refused,
            ..Self::trouble(message)
        }
    }

    /// Adds the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Puts this error under another one of the same kind, as its cause.
    #[must_use]
    pub fn under(self, message: impl Into<String>) -> Self {
        Self {
            status: self.status,
            message: message.into(),
            help: self.help.clone(),
            may_pass: self.may_pass,
            is_nobody: self.is_nobody,
            source: Some(Box::new(self)),
        }
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Returns the chain of causes, the nearest first.
    #[must_use]
    pub fn causes(&self) -> Vec<String> {
        let mut causes = Vec::new();
        let mut next = self.source.as_deref().map(|error| error as &dyn Error);
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        causes
    }

    /// Returns the message, the chain of causes and what to do, as the user reads them.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("error: {}\n", plain(&self.message));
        for cause in self.causes() {
            text.push_str(&format!("  caused by: {}\n", plain(&cause)));
        }
        if let Some(help) = &self.help {
            text.push_str(&format!("\nhelp: {}\n", plain(help)));
        }
        text
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl Error for CommandError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_its_code() {
        let all = [
            Status::Done,
            Status::Found,
            Status::Trouble,
            Status::Remote,
            Status::Partial,
            Status::Refused,
            Status::NotExecutable,
            Status::NotFound,
        ];
        assert_eq!(all.map(Status::code), [0, 1, 2, 3, 4, 5, 126, 127]);
    }

    #[test]
    fn the_text_has_the_chain_and_the_help() {
        let cause = std::io::Error::other("disk full");
        let error = CommandError::trouble("can't write `a`")
            .because(cause)
            .help("free some room");
        assert_eq!(
            error.text(),
            "error: can't write `a`\n  caused by: disk full\n\nhelp: free some room\n"
        );
    }
}
