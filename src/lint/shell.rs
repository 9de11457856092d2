//! A shell's script, taken apart into its simple commands.
//!
//! In: the script as systemd has unquoted it, so `$$` for each `$` that the shell is to see. Out: the
//! simple commands with their words, where these stand in the script, and how one command depends on
//! another. Redirections and the words of `for` and `case` are left out; a substitution stays within
//! its word. What it can't follow it leaves out, it never guesses. Knows no rule and no program.

use crate::lint::shell::word::{Word, find, substitution_end, word_end};

pub(in crate::lint) mod word;

/// What stands between two commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lint) enum Joint {
    /// Nothing: the script begins or ends.
    Edge,
    /// `;`, a new line, or a bracket.
    Sequence,
    /// `&&`.
    And,
    /// `||`.
    Or,
    /// `|`.
    Pipe,
    /// `&`.
    Background,
}

/// A command without control flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::lint) struct Simple<'a> {
    /// The assignments before the first word.
    pub(in crate::lint) assignments: Vec<Word<'a>>,
    /// The words, the program first.
    pub(in crate::lint) words: Vec<Word<'a>>,
    /// What joins it to the command before.
    pub(in crate::lint) before: Joint,
    /// What joins it to the command after.
    pub(in crate::lint) after: Joint,
    /// Whether it stands within `if`, a loop, a function or brackets.
    pub(in crate::lint) is_nested: bool,
    /// Whether it reads a file instead of what the shell reads.
    pub(in crate::lint) has_input: bool,
}

/// What control flow is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Bracket,
    Case,
    Other,
}

struct Reader<'a> {
    script: &'a str,
    at: usize,
    blocks: Vec<Block>,
    current: Simple<'a>,
    /// Whether the words up to the next command are those of `for` or `case`.
    is_header: bool,
    list: Vec<Simple<'a>>,
}

/// Returns the simple commands of a script, in order.
#[must_use]
pub(in crate::lint) fn split(script: &str) -> Vec<Simple<'_>> {
    let mut reader = Reader {
        script,
        at: 0,
        blocks: Vec::new(),
        current: Simple::new(Joint::Edge),
        is_header: false,
        list: Vec::new(),
    };
    while reader.at < script.len() {
        if !reader.step() {
            return reader.list;
        }
    }
    reader.close(Joint::Edge);
    reader.list
}

impl Simple<'_> {
    fn new(before: Joint) -> Self {
        Self {
            assignments: Vec::new(),
            words: Vec::new(),
            before,
            after: Joint::Edge,
            is_nested: false,
            has_input: false,
        }
    }

    fn is_empty(&self) -> bool {
        self.words.is_empty() && self.assignments.is_empty()
    }
}

impl<'a> Simple<'a> {
    /// Returns the variables that it sets for the rest of the script, with their values.
    pub(in crate::lint) fn sets(&self) -> impl Iterator<Item = (&'a str, Word<'a>)> {
        let exports = ["export", "local", "readonly", "declare"];
        let words = match self.words.split_first() {
            Some((first, rest)) if exports.contains(&first.raw) => rest,
            _ => &[],
        };
        let all = self.assignments.iter().chain(words);
        all.filter_map(|word| word.assignment())
    }
}

impl Reader<'_> {
    fn byte(&self, ahead: usize) -> u8 {
        let bytes = self.script.as_bytes();
        bytes.get(self.at + ahead).copied().unwrap_or_default()
    }

    /// Reads what comes next; false if the script can't be followed any further.
    fn step(&mut self) -> bool {
        match (self.byte(0), self.byte(1)) {
            (b' ' | b'\t' | b'\r', _) => self.at += 1,
            (b'#', _) => self.at = find(self.script, self.at, b'\n'),
            (b'&', b'>') | (b'<' | b'>', _) => return self.redirection(),
            (b'&', b'&') => self.joint(2, Joint::And),
            (b'|', b'|') => self.joint(2, Joint::Or),
            (b'|', b'&') => self.joint(2, Joint::Pipe),
            (b'|', _) => self.joint(1, Joint::Pipe),
            (b'&', _) => self.joint(1, Joint::Background),
            (b';' | b'\n', _) => self.joint(1, Joint::Sequence),
            (b'(', _) => {
                // What stands before it is the name of a function.
                self.current.words.clear();
                self.blocks.push(Block::Bracket);
                self.at += 1;
            }
            (b')', _) if self.blocks.last() == Some(&Block::Case) => {
                self.current.words.clear();
                self.at += 1;
            }
            (b')', _) => {
                self.joint(1, Joint::Sequence);
                self.blocks.pop();
            }
            _ => self.word(),
        }
        true
    }

    fn joint(&mut self, length: usize, joint: Joint) {
        self.at += length;
        self.close(joint);
    }

    /// Ends the command that is being read.
    fn close(&mut self, joint: Joint) {
        if self.is_header || self.current.is_empty() {
            // `a &&` goes on in the next line; `fi ||` is about what came before.
            if joint != Joint::Sequence || self.is_header {
                self.current = Simple::new(joint);
                let last = self.list.last_mut();
                if let Some(last) = last.filter(|last| last.after == Joint::Sequence) {
                    last.after = joint;
                }
            }
            self.is_header = false;
            return;
        }
        let mut closed = std::mem::replace(&mut self.current, Simple::new(joint));
        closed.after = joint;
        closed.is_nested = !self.blocks.is_empty();
        self.list.push(closed);
    }

    fn word(&mut self) {
        let start = self.at;
        self.at = word_end(self.script, start);
        let raw = &self.script[start..self.at];
        // The number of what a redirection is for belongs to it.
        if matches!(self.byte(0), b'<' | b'>') && raw.bytes().all(|byte| byte.is_ascii_digit()) {
            return;
        }
        if self.is_header {
            if raw == "in" && self.blocks.last() == Some(&Block::Case) {
                self.is_header = false;
                self.current.words.clear();
            }
            return;
        }
        if self.current.is_empty() && self.keyword(raw) {
            return;
        }
        let word = Word { raw, start };
        if self.current.words.is_empty() && word.assignment().is_some() {
            self.current.assignments.push(word);
        } else {
            self.current.words.push(word);
        }
    }

    /// Tells whether a word at the beginning of a command is none of its words.
    fn keyword(&mut self, raw: &str) -> bool {
        match raw {
            "if" | "while" | "until" | "{" => self.blocks.push(Block::Other),
            "for" | "select" => {
                self.blocks.push(Block::Other);
                self.is_header = true;
            }
            "case" => {
                self.blocks.push(Block::Case);
                self.is_header = true;
            }
            "fi" | "done" | "esac" | "}" => {
                self.blocks.pop();
            }
            "then" | "else" | "elif" | "do" | "!" | "function" => {}
            _ => return false,
        }
        true
    }

    /// Skips a redirection; false if the script can't be followed any further.
    fn redirection(&mut self) -> bool {
        let start = self.at;
        while matches!(self.byte(0), b'<' | b'>' | b'&' | b'|') {
            self.at += 1;
        }
        let operator = &self.script[start..self.at];
        if operator == "<<" {
            return false;
        }
        if self.byte(0) == b'(' {
            self.at = substitution_end(self.script, self.at + 1);
            return true;
        }
        self.current.has_input |= operator.starts_with('<');
        while matches!(self.byte(0), b' ' | b'\t' | b'-') {
            self.at += 1;
        }
        self.at = word_end(self.script, self.at);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes each command as its words in brackets, nested ones in braces, with what joins them.
    fn shown(script: &str) -> String {
        let mut shown = String::new();
        for simple in split(script) {
            let all = simple.assignments.iter().chain(&simple.words);
            let words: Vec<_> = all.map(|word| word.raw).collect();
            let words = words.join("|");
            let (open, close) = if simple.is_nested {
                ("{", "}")
            } else {
                ("[", "]")
            };
            let joint = match simple.after {
                Joint::Edge => "",
                Joint::Sequence => " ; ",
                Joint::And => " && ",
                Joint::Or => " || ",
                Joint::Pipe => " | ",
                Joint::Background => " & ",
            };
            shown.extend([open, &words, close, joint]);
        }
        shown
    }

    #[track_caller]
    fn case(script: &str, expected: &str) {
        assert_eq!(shown(script), expected, "{script}");
    }

    #[test]
    fn commands_end_at_operators() {
        case(
            "a b; c && d||e | f & g",
            "[a|b] ; [c] && [d] || [e] | [f] & [g]",
        );
        case("a\nb", "[a] ; [b]");
        case("a &&\n b;", "[a] && [b]");
        case("a &", "[a] & ");
        case("", "");
        case("a # b; c\nd#e", "[a] ; [d#e]");
    }

    #[test]
    fn quotes_and_substitutions_stay_in_their_word() {
        case("a 'b; c' \"d && e\"f g\\ h", "[a|'b; c'|\"d && e\"f|g\\ h]");
        case(
            "a $(b; c | d) `e; f` ${g:-h i}",
            "[a|$(b; c | d)|`e; f`|${g:-h i}]",
        );
        case("a $$(b \")\" $(c)) d", "[a|$$(b \")\" $(c))|d]");
        case("a \"$(b \"c d\")\" e", "[a|\"$(b \"c d\")\"|e]");
        case("a \"it's\" b", "[a|\"it's\"|b]");
        case("a 'b", "[a|'b]");
        case("a \"b $(c", "[a|\"b $(c]");
        case("a é\\é \\", "[a|é\\é|\\]");
    }

    #[test]
    fn control_flow_is_left_out() {
        case("if a; then b; else c; fi; d", "{a} ; {b} ; {c} ; [d]");
        case("while ! a; do b; done && c", "{a} ; {b} && [c]");
        case("for i in a $(b); do c $i; done", "{c|$i}");
        case("(a && b) || c", "{a} && {b} || [c]");
        case("{ a; b; } | c", "{a} ; {b} | [c]");
        case(
            "case $a in b|c) d;; *) e;; esac; f",
            "{b} | {d} ; {e} ; [f]",
        );
        case("f() { a; }; b", "{a} ; [b]");
        case("echo if then", "[echo|if|then]");
    }

    #[test]
    fn redirections_are_left_out() {
        case("a >/dev/null 2>&1 || b", "[a] || [b]");
        case("a b>c <d e &>f g", "[a|b|e|g]");
        case("a >> b; c 2>&-", "[a] ; [c]");
        case("a <(b c) d", "[a|d]");
        case("a; cat <<END b", "[a] ; ");
        assert!(split("a </dev/tty")[0].has_input);
    }

    #[test]
    fn assignments_stand_before_the_program() {
        let list = split("A=1 B=\"$(c)\" d E=2; export F=3; G+=4");
        assert_eq!(list[0].assignments.len(), 2);
        assert_eq!(list[0].words.len(), 2);
        let names: Vec<_> = list
            .iter()
            .flat_map(Simple::sets)
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, ["A", "B", "F", "G"]);
    }

    #[test]
    fn words_know_their_place() {
        let script = "a; exec b 'c d'";
        let word = split(script)[1].words[2];
        assert_eq!(&script[word.range()], "'c d'");
    }
}
