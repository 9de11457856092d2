//! Variables that `Environment=` loses or takes literally.

use std::collections::HashMap;

use crate::lint::finding::{Finding, Findings};
use crate::lint::rule::Rule;
use crate::lint::subject::{Directive, Subject};
use crate::lint::values::shorten;
use crate::lint::variables::{Reference, Variables, references};
use crate::unit::placed::{PlacedWord, place_assignments};
use crate::unit::words::{WordError, split_assignment};

pub(in crate::lint) static RULES: [&Rule; 4] =
    [&LOST_REST, &LOST_WORD, &LITERAL_REFERENCE, &LOST_VARIABLE];

static LOST_REST: Rule = Rule::error("U321", "variables that a quote or backslash loses")
    .because(
        "At a quote that is not closed, or a backslash that starts no escape, systemd drops the \
         rest of an `Environment=` line, with a warning in the journal; the variables before it \
         stay. Put each assignment as a whole into double quotes, and write `\\\\` for a backslash.",
    )
    .example(
        "[Service]\nEnvironment=A=1 PATTERN=\\d+ B=2\nExecStart=/bin/true\n",
        "[Service]\nEnvironment=A=1 \"PATTERN=\\\\d+\" B=2\nExecStart=/bin/true\n",
    );

static LOST_WORD: Rule = Rule::error("U322", "a word in Environment= that is no assignment")
    .because(
        "`Environment=` is split at blanks, and what is no `NAME=value` is dropped with a warning in \
         the journal. Mostly a value has a blank in it: of `OPTIONS=-a -b` only `-a` is left. Put \
         the assignment as a whole into double quotes. Quotes within the value need backslashes, so \
         JSON is torn apart without them.",
    )
    .example(
        "[Service]\nEnvironment=OPTIONS=-a -b\nExecStart=/bin/true\n",
        "[Service]\nEnvironment=\"OPTIONS=-a -b\"\nExecStart=/bin/true\n",
    );

static LITERAL_REFERENCE: Rule = Rule::warning("U323", "a variable within Environment=")
    .because(
        "systemd replaces no variables in `Environment=`: the program gets the text `$NAME` or \
         `${NAME}` as it stands. Specifiers such as `%i` are replaced. Write the value out, or set \
         the variable in the command, as in `/bin/sh -c \"ADDRESS=$HOST:80 exec /bin/serve\"`.",
    )
    .example(
        "[Service]\nEnvironment=HOST=web ADDRESS=${HOST}:80\nExecStart=/bin/true\n",
        "[Service]\nEnvironment=HOST=web ADDRESS=web:80\nExecStart=/bin/true\n",
    );

static LOST_VARIABLE: Rule = Rule::warning("U324", "a variable that is set twice")
    .because(
        "Of several values of one variable the last one counts; the others are lost without a word. \
         Leave one.",
    )
    .example(
        "[Service]\nEnvironment=PORT=80\nEnvironment=PORT=8080\nExecStart=/bin/true\n",
        "[Service]\nEnvironment=PORT=8080\nExecStart=/bin/true\n",
    );

/// Finds variables that do not arrive as they look.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Findings) {
    let mut set: HashMap<String, (&Directive<'_>, PlacedWord<'_>)> = HashMap::new();
    let mut variables = None;
    for directive in &subject.directives {
        if directive.name != "Environment" || subject.is_misread(directive) {
            continue;
        }
        if directive.value.is_empty() {
            set.clear();
            continue;
        }
        let (words, error) = place_assignments(directive.value.as_bytes());
        if error.is_some() {
            lost_rest(directive, &words, error, found);
        }
        let mut before = None;
        for word in words {
            let Some((name, value)) = split_assignment(&word.text) else {
                lost_word(directive, &word, before.as_deref(), found);
                continue;
            };
            if value.contains('$') {
                let variables = variables.get_or_insert_with(|| Variables::new(subject));
                literal(directive, &word, value, variables, found);
            }
            before = Some(name.to_owned());
            let name = name.to_owned();
            if let Some((earlier, lost)) = set.insert(name, (directive, word.clone()))
                && lost.text != word.text
            {
                lost_variable((earlier, &lost), (directive, &word), found);
            }
        }
    }
}

fn lost_rest(
    directive: &Directive<'_>,
    words: &[PlacedWord<'_>],
    error: Option<WordError>,
    found: &mut Findings,
) {
    let value = directive.value;
    let start = words.last().map_or(0, |word| word.range.end);
    let rest = value[start..].trim_start();
    let range = directive.range(value.len() - rest.len()..value.len());
    let message = if error == Some(WordError::Unbalanced) {
        "a quote in `Environment` is not closed"
    } else {
        "a backslash in `Environment` starts no escape that systemd knows"
    };
    found.push(
        Finding::new(&LOST_REST, range, message)
            .label("all of this is dropped")
            .help("write `\"NAME=value\"`, with `\\\\` for a backslash and `\\\"` for a quote"),
    );
}

fn lost_word(
    directive: &Directive<'_>,
    word: &PlacedWord<'_>,
    before: Option<&str>,
    found: &mut Findings,
) {
    let text = String::from_utf8_lossy(&word.text);
    // A specifier may yet make a name of it.
    if text.starts_with('%') {
        return;
    }
    let range = directive.range(word.range.clone());
    let finding = if let Some((name, _)) = text.split_once('=') {
        let message = format!("`{}` is no name of a variable", shorten(name));
        Finding::new(&LOST_WORD, range, message)
            .help("a name has letters, digits and `_`, and begins with no digit")
    } else {
        let message = "this word in `Environment` is no assignment";
        let help = match before {
            Some(before) => format!(
                "if it belongs to `{before}`, put the assignment as a whole into double quotes"
            ),
            None => "write `NAME=value`".to_owned(),
        };
        Finding::new(&LOST_WORD, range, message).help(help)
    };
    found.push(finding.label("it is dropped"));
}

fn literal(
    directive: &Directive<'_>,
    word: &PlacedWord<'_>,
    value: &str,
    variables: &Variables<'_>,
    found: &mut Findings,
) {
    // In capitals, as variables are; a hashed password has dollars as well.
    let is_meant = |name: &str| {
        let is_capital = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        name.len() > 1 && name.chars().all(is_capital)
    };
    let name = references(value).into_iter().find_map(|reference| {
        let (Reference::Braced(name) | Reference::Bare(name) | Reference::Modified(name)) =
            reference;
        (is_meant(name) || variables.is_given(name)).then_some(name)
    });
    if let Some(name) = name {
        let message = format!("`{name}` is not replaced in `Environment`");
        found.push(
            Finding::new(
                &LITERAL_REFERENCE,
                directive.range(word.range.clone()),
                message,
            )
            .label("the value is taken as it stands"),
        );
    }
}

fn lost_variable(
    lost: (&Directive<'_>, &PlacedWord<'_>),
    kept: (&Directive<'_>, &PlacedWord<'_>),
    found: &mut Findings,
) {
    let place =
        |(directive, word): (&Directive<'_>, &PlacedWord<'_>)| directive.range(word.range.clone());
    let text = String::from_utf8_lossy(&lost.1.text);
    let name = text.split('=').next().unwrap_or_default();
    let message = format!("this value of `{name}` is lost");
    found.push(
        Finding::new(&LOST_VARIABLE, place(lost), message).related(place(kept), "this one counts"),
    );
}
