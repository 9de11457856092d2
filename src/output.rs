//! The one place that writes to the terminal: results to stdout, everything else to stderr.
//!
//! In: finished text. Out: bytes on the two streams. A closed pipe ends the writing quietly, as with
//! any other tool in a pipe. Knows nothing of what the text says.

pub mod progress;

use std::io::{self, BufRead, Write};

use crate::error::CommandError;
use crate::visible::plain;

/// The two streams.
#[derive(Debug)]
pub struct Output {
    /// Results may be coloured.
    pub colored_results: bool,
    /// Messages may be coloured.
    pub colored_messages: bool,
    /// How many columns messages may take.
    pub width: usize,
    failure: Option<io::Error>,
}

impl Output {
    /// Returns the streams, as the settings want them coloured.
    #[must_use]
    pub fn new(colored_results: bool, colored_messages: bool, width: usize) -> Self {
        Self {
            colored_results,
            colored_messages,
            width,
            failure: None,
        }
    }

    /// Writes a result.
    pub fn result(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Writes a result that need not be text.
    pub fn bytes(&mut self, bytes: &[u8]) {
        let mut stream = io::stdout().lock();
        let written = stream.write_all(bytes).and_then(|()| stream.flush());
        self.note(written);
    }

    /// Writes a message.
    pub fn message(&mut self, text: &str) {
        let mut stream = io::stderr().lock();
        let written = stream.write_all(text.as_bytes());
        self.note(written);
    }

    /// Writes a warning, in which what others wrote steers nothing.
    pub fn warning(&mut self, text: &str) {
        self.message(&format!("warning: {}\n", plain(text)));
    }

    /// Asks a question on the terminal. Anything but a yes is a no.
    ///
    /// # Errors
    /// Says why there is no answer.
    pub fn ask(&mut self, question: &str) -> Result<bool, CommandError> {
        self.message(&format!("{} [y/N] ", plain(question)));
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer);
        read.map_err(|error| CommandError::trouble("can't read the answer").because(error))?;
        let answer = answer.trim().to_lowercase();
        Ok(matches!(answer.as_str(), "y" | "yes"))
    }

    /// Returns what kept a result or a message from being written, but for a reader that left.
    ///
    /// # Errors
    /// Returns the first failure.
    pub fn finish(self) -> io::Result<()> {
        self.failure.map_or(Ok(()), Err)
    }

    fn note(&mut self, written: io::Result<()>) {
        if let Err(error) = written
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            self.failure.get_or_insert(error);
        }
    }
}
