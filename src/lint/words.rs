//! The words of commands: quotes, escapes, variables, and what only a shell would read.

use std::ops::Range;

use crate::lint::command::Command;
use crate::lint::finding::{Finding, Findings};
use crate::lint::rule::Rule;
use crate::lint::subject::{Directive, Subject};
use crate::lint::values::shorten;
use crate::lint::variables::{Reference, Variables, is_set_by_script, references};
use crate::unit::placed::{PlacedWord, place_commands, unknown_escapes};
use crate::unit::systemd::complaint::Complaint;
use crate::unit::words::WordError;

pub(in crate::lint) static RULES: [&Rule; 8] = [
    &OPEN_QUOTE,
    &UNKNOWN_ESCAPE,
    &VANISHING_WORD,
    &UNSET_VARIABLE,
    &LITERAL_VARIABLE,
    &EARLY_VARIABLE,
    &SHELL_SYNTAX,
    &COMMENT_WORD,
];

static OPEN_QUOTE: Rule = Rule::error("U301", "a quote that is not closed")
    .because(
        "systemd refuses a unit with an open quote in a command; where the command has the prefix \
         `-` it drops the command, and where the quote opens in the first word it drops the line. A \
         quote may open and close anywhere in a word, also within a name such as `don't`: put the \
         whole word into the other kind of quotes.",
    )
    .example(
        "[Service]\nExecStart=/bin/echo don't\n",
        "[Service]\nExecStart=/bin/echo \"don't\"\n",
    );

static UNKNOWN_ESCAPE: Rule = Rule::warning("U302", "a backslash that starts no escape")
    .because(
        "systemd knows the letters `abfnrtvsxuU`, digits, quotes and the backslash behind one, in \
         quotes of either kind and outside of them. It keeps any other backslash as it stands, with \
         a warning in the journal at each load; versions differ in what else becomes of the word. \
         Write two backslashes for one.",
    )
    .example(
        "[Service]\nExecStart=/bin/grep \\d+ /etc/hosts\n",
        "[Service]\nExecStart=/bin/grep \\\\d+ /etc/hosts\n",
    );

static VANISHING_WORD: Rule = Rule::error("U306", "a word beginning with `$` that vanishes")
    .because(
        "systemd takes a word that begins with `$` for the name of a variable as a whole: \
         `$HOME/x`, `$PORT:80` and `$(date)` are variables that nobody sets, and nothing is passed \
         in their place. Write `${HOME}/x`. `$(…)` is a shell's: run one, as in `/bin/sh -c \"…\"`, \
         or double the `$` if it is meant as it stands.",
    )
    .example(
        "[Service]\nEnvironment=PORT=80\nExecStart=/bin/serve --publish $PORT:80\n",
        "[Service]\nEnvironment=PORT=80\nExecStart=/bin/serve --publish ${PORT}:80\n",
    );

static UNSET_VARIABLE: Rule = Rule::warning("U307", "a variable that the unit does not set")
    .because(
        "Neither `Environment=` nor systemd itself sets this variable, and there is no \
         `EnvironmentFile=` that could; only a `DefaultEnvironment=` of the machine might. `$NAME` as a word of its own then passes nothing, and \
         `${NAME}` passes an empty text. Set it, or double the `$` if a program that is started \
         should see it.",
    )
    .example(
        "[Service]\nExecStart=/bin/serve --port ${PORT}\n",
        "[Service]\nEnvironment=PORT=80\nExecStart=/bin/serve --port ${PORT}\n",
    );

static LITERAL_VARIABLE: Rule = Rule::error(
    "U308",
    "a variable within a word that is not replaced",
)
.because(
    "`$NAME` is replaced only where it is a word of its own; within a word it is passed as it \
         stands. systemd has no `${NAME:-default}` either. Within a word write `${NAME}`.",
)
.example(
    "[Service]\nEnvironment=PORT=80\nExecStart=/bin/serve --port=$PORT\n",
    "[Service]\nEnvironment=PORT=80\nExecStart=/bin/serve --port=${PORT}\n",
);

static EARLY_VARIABLE: Rule = Rule::error("U309", "a shell's variable that systemd replaces first")
    .because(
        "systemd replaces `${NAME}` in every word before the shell starts, quotes or not. A \
         variable that the script itself sets is not set yet, so the shell gets an empty text in \
         its place. Write `$${NAME}` for the shell's variables, or `$NAME` where it stands within \
         a word.",
    )
    .example(
        "[Service]\nExecStart=/bin/sh -c \"name=$(hostname); echo ${name}\"\n",
        "[Service]\nExecStart=/bin/sh -c \"name=$(hostname); echo $${name}\"\n",
    );

static SHELL_SYNTAX: Rule = Rule::warning("U310", "what only a shell would read")
    .because(
        "systemd runs the program itself, without a shell. `|`, `&&`, `>` and the like are passed to \
         it as arguments, and `~` and backquotes mean nothing. Run a shell, as in \
         `/bin/sh -c \"one | two\"`, or give each command a directive of its own.",
    )
    .example(
        "[Service]\nExecStart=/bin/serve > /var/log/serve.log\n",
        "[Service]\nExecStart=/bin/sh -c \"exec /bin/serve >/var/log/serve.log\"\n",
    );

static COMMENT_WORD: Rule = Rule::warning("U311", "a comment behind a command")
    .because(
        "There are no comments behind a value: the `#` and all words after it are passed to the \
         program. Put the comment into a line of its own, not within a continued line.",
    )
    .example(
        "[Service]\nExecStart=/bin/serve --port 80 # the old one\n",
        "[Service]\n# the old one\nExecStart=/bin/serve --port 80\n",
    );

/// Finds words that do not reach the program as they look.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Findings) {
    for warning in &subject.reading.warnings {
        let directive = subject.directive(warning.line);
        if let Some(directive) = directive.filter(|directive| directive.name != "Environment")
            && warning.complaint == Complaint::Quoting
        {
            open_quote(subject, directive, found);
        }
    }
    let mut variables = None;
    for command in &subject.commands {
        if found.is_full() {
            return;
        }
        let script = command.script();
        // The path is never replaced in, and has checks of its own.
        for (index, word) in command.words.iter().enumerate() {
            if word.unknown_escape && !subject.is_misread(&command.directive) {
                unknown_escape(command, index, found);
            }
            if index == 0 {
                continue;
            }
            if word.text.contains(&b'$') && !command.prefix.no_variables {
                let variables = variables.get_or_insert_with(|| Variables::new(subject));
                dollars(command, index, script, variables, found);
            }
        }
        // The first such word tells of the others.
        let mut words = command.words.iter().enumerate().skip(1);
        words.find(|(index, word)| {
            script.is_none() && is_unquoted(command, word) && shell_syntax(command, *index, found)
        });
    }
}

fn open_quote(subject: &Subject<'_>, directive: &Directive<'_>, found: &mut Findings) {
    let value = directive.value;
    let (commands, error) = place_commands(value.as_bytes());
    if error != Some(WordError::Unbalanced) || subject.is_misread(directive) {
        return;
    }
    let read = commands.last().and_then(|command| command.words.last());
    let start = read.map_or(0, |word| word.range.end);
    let rest = value[start..].trim_start();
    let start = value.len() - rest.len();
    let quote = rest.find(['"', '\'']).unwrap_or_default();
    found.push(
        Finding::new(
            &OPEN_QUOTE,
            directive.range(start + quote..value.len()),
            format!("a quote in `{}` is not closed", directive.name),
        )
        .label("it opens here"),
    );
}

fn unknown_escape(command: &Command<'_>, index: usize, found: &mut Findings) {
    let word = &command.words[index];
    let value = command.directive.value.as_bytes();
    let places = unknown_escapes(&value[word.range.clone()]);
    let Some(&first) = places.first() else {
        return;
    };
    let place = |at: usize, length: usize| {
        let start = word.range.start + at;
        command.directive.range(start..start + length)
    };
    let mut finding = Finding::new(
        &UNKNOWN_ESCAPE,
        place(first, 2),
        "this backslash starts no escape that systemd knows",
    )
    .label("it is kept, with a warning")
    .help("write `\\\\` for a backslash");
    for at in places {
        let start = place(at, 1).start;
        finding = finding.fix(start..start, "\\");
    }
    found.push(finding);
}

/// A longer word than any that people write is not looked into.
const WORD_MAXIMUM: usize = 8 << 10;

fn dollars(
    command: &Command<'_>,
    index: usize,
    script: Option<usize>,
    variables: &Variables<'_>,
    found: &mut Findings,
) {
    let text = command.word(index);
    let is_script = script == Some(index);
    let range = || command.range(index);
    if let Some(rest) = text.strip_prefix('$')
        && !rest.starts_with(['{', '$'])
    {
        let is_name = !rest.is_empty() && rest.bytes().all(is_name_byte);
        if !is_name {
            found.push(
                Finding::new(
                    &VANISHING_WORD,
                    range(),
                    format!("systemd passes nothing in place of `{}`", shorten(&text)),
                )
                .label("all of this is taken for a variable's name")
                .help(vanishing_help(rest)),
            );
        } else if variables.is_unset(rest) {
            unset(command, index, range(), rest, found);
        }
        return;
    }
    // Each reference is looked for in the whole word.
    if text.len() > WORD_MAXIMUM {
        return;
    }
    for reference in references(&text) {
        match reference {
            Reference::Braced(name) if is_script && is_set_by_script(&text, name) => {
                if !variables.is_given(name) {
                    let message = format!("the shell does not see `${{{name}}}`");
                    found.push(
                        Finding::new(&EARLY_VARIABLE, part(command, index, name), message)
                            .label("systemd replaces it before the script can set it")
                            .help(format!("write `$${{{name}}}`")),
                    );
                }
            }
            Reference::Braced(name) => {
                if variables.is_unset(name) {
                    unset(command, index, part(command, index, name), name, found);
                }
            }
            // A shell replaces these, be it one that the program starts.
            Reference::Bare(_) | Reference::Modified(_)
                if script.is_some() || text.contains([' ', '\t', '\n', ';']) => {}
            Reference::Bare(name) | Reference::Modified(name) => {
                if variables.may_be_given(name) {
                    let message = format!("`{name}` is not replaced here");
                    found.push(
                        Finding::new(&LITERAL_VARIABLE, part(command, index, name), message)
                            .label("passed as it stands")
                            .help(format!("write `${{{name}}}`")),
                    );
                }
            }
        }
    }
}

fn vanishing_help(rest: &str) -> String {
    let name: String = rest
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
        .collect();
    if rest.starts_with('(') {
        "only a shell replaces `$(…)`: run one, as in `/bin/sh -c \"…\"`".to_owned()
    } else if name.is_empty() {
        "write `$$` for a `$` that is meant".to_owned()
    } else {
        format!("write `${{{name}}}{}`", shorten(&rest[name.len()..]))
    }
}

fn unset(
    command: &Command<'_>,
    index: usize,
    range: Range<usize>,
    name: &str,
    found: &mut Findings,
) {
    let is_whole = command.word(index).len() == name.len() + 1;
    let label = if is_whole {
        "nothing is passed in its place"
    } else {
        "an empty text takes its place"
    };
    let message = format!("the unit does not set the variable `{name}`");
    found.push(Finding::new(&UNSET_VARIABLE, range, message).label(label));
}

/// Returns the bytes of a variable's reference within a word, or the word's where its quotes and
/// escapes hide it.
fn part(command: &Command<'_>, index: usize, name: &str) -> Range<usize> {
    let word = &command.words[index];
    let raw = &command.directive.value[word.range.clone()];
    for (open, close) in [("${", "}"), ("$", ""), ("${", "")] {
        let reference = format!("{open}{name}{close}");
        if let Some(at) = raw.find(&reference) {
            let start = word.range.start + at;
            return command.directive.range(start..start + reference.len());
        }
    }
    command.range(index)
}

fn is_unquoted(command: &Command<'_>, word: &PlacedWord<'_>) -> bool {
    command.directive.value.as_bytes().get(word.range.clone()) == Some(word.text.as_ref())
}

/// Finds a word that a shell would read, and tells whether it is one.
fn shell_syntax(command: &Command<'_>, index: usize, found: &mut Findings) -> bool {
    let text = command.word(index);
    let is_operator = matches!(text.as_ref(), "|" | "||" | "&&" | "&" | "|&");
    let redirected = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '&');
    let is_redirection = redirected == ">"
        || redirected == ">>"
        || text == "<"
        || (redirected.starts_with('>') && redirected[1..].starts_with(['/', '&', '>']));
    // What begins with a `$` vanishes, and is told of as that.
    let is_substitution = text.contains('`')
        || text
            .match_indices("$(")
            .any(|(at, _)| at > 0 && !text[..at].ends_with('$'));
    if is_operator || is_redirection || is_substitution || text.starts_with("~/") {
        let message = format!("no shell reads `{}` here", shorten(&text));
        found.push(
            Finding::new(&SHELL_SYNTAX, command.range(index), message)
                .label(format!("passed to `{}` as an argument", command.program()))
                .help("run a shell, as in `/bin/sh -c \"…\"`"),
        );
        return true;
    }
    if text == "#" || text.starts_with("##") {
        let last = command.words.len() - 1;
        let range = command.range(index).start..command.range(last).end;
        found.push(
            Finding::new(
                &COMMENT_WORD,
                range,
                "there are no comments behind a command",
            )
            .label(format!("passed to `{}` as arguments", command.program()))
            .help("put the comment into a line of its own"),
        );
        return true;
    }
    false
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
