//! What fleet reads of a unit, and what it refuses or ignores.
//!
//! fleet itself checks a unit's options only when the unit is new, and ignores much in silence; here
//! all of it is said before.

use std::ops::Range;

use crate::glob;
use crate::lint::combinations;
use crate::lint::finding::{Finding, Findings};
use crate::lint::rule::Rule;
use crate::suggestion::did_you_mean;
use crate::target::{LEGACY, OPTIONS, SPECIFIERS};
use crate::unit::fleet::constraints::split_quoted;

pub(in crate::lint) static RULES: [&Rule; 10] = [
    &UNKNOWN_OPTION,
    &LEGACY_NAME,
    &NO_RESET,
    &SPECIFIER,
    &METADATA,
    &GLOBAL,
    &PATTERN,
    &PEER,
    &NO_SUFFIX,
    &CONTINUED,
];

static UNKNOWN_OPTION: Rule = Rule::error("U401", "an option that fleet does not have")
    .because(
        "fleet takes an option that it does not know and ignores it; only `fleetctl` warns, and ends \
         with 0. The unit then runs on any machine.",
    )
    .example(
        "[Service]\nExecStart=/bin/true\n[X-Fleet]\nMachineMeta=role=web\n",
        "[Service]\nExecStart=/bin/true\n[X-Fleet]\nMachineMetadata=role=web\n",
    );

static LEGACY_NAME: Rule = Rule::warning("U402", "an old name of an option of fleet's")
    .because(
        "Names that begin with `X-` come from fleet's first versions. The last one still reads them, \
         beside the present names (of several machine ids it takes the one by the present name); tools \
         around it mostly do not.",
    )
    .example(
        "[Service]\nExecStart=/bin/true\n[X-Fleet]\nX-Conflicts=app@*.service\n",
        "[Service]\nExecStart=/bin/true\n[X-Fleet]\nConflicts=app@*.service\n",
    );

static NO_RESET: Rule = Rule::error("U403", "an option of fleet's without a value")
    .because(
        "fleet has no reset: an empty value is one more value, which matches nothing or makes the \
         unit fit no machine. Leave the option out.",
    )
    .example(
        "[Service]\nExecStart=/bin/true\n[X-Fleet]\nConflicts=\n",
        "[Service]\nExecStart=/bin/true\n",
    );

static SPECIFIER: Rule = Rule::error("U404", "a specifier that fleet does not replace")
    .because(
        "In its own section fleet replaces `%n`, `%N`, `%p` and `%i`, as plain text, and nothing \
         else: `%%` stays two characters, and so does `%H`. systemd never sees this section.",
    )
    .example(
        "[Service]\nExecStart=/bin/true\n[X-Fleet]\nMachineID=%m\n",
        "[Service]\nExecStart=/bin/true\n[X-Fleet]\nMachineID=e5f6\n",
    );

static METADATA: Rule = Rule::error(
    "U405",
    "machine metadata that fleet ignores, or that no machine has",
)
.because(
    "fleet wants exactly one `key=value` a value. What has another number of `=`, or nothing on \
     one side, it drops without a word, and the unit runs on any machine: `a=b c=d`, `a=b=c`, \
     `a=`. Blanks, commas and single quotes belong to the pair: `a = b` is looked for just so, and \
     no machine has it. Write each pair in a line of its own; for one key several lines mean any \
     of the values, for several keys all must match.",
)
.example(
        "[Service]\nExecStart=/bin/true\n[X-Fleet]\nMachineMetadata=region=eu disk=ssd\n",
        "[Service]\nExecStart=/bin/true\n[X-Fleet]\nMachineMetadata=region=eu\nMachineMetadata=disk=ssd\n",
    );

static GLOBAL: Rule = Rule::error("U406", "a word that fleet takes for false")
    .because(
        "fleet takes `true`, `yes`, `1`, `on` and `t` for true, and every other word for false \
         without telling: systemd's `y` among them.",
    )
    .example(
        "[Service]\nExecStart=/bin/true\n[X-Fleet]\nGlobal=enabled\n",
        "[Service]\nExecStart=/bin/true\n[X-Fleet]\nGlobal=true\n",
    );

static PATTERN: Rule = Rule::error("U407", "a malformed pattern")
    .because(
        "fleet's patterns are those of Go's `path.Match`: `*`, `?`, `[a-z]`, and a backslash that \
         takes their meaning away. A malformed one matches nothing, without a word, and so holds no \
         unit off. There is no `{a,b}`, and no comma between patterns.",
    )
    .example(
        "[Service]\nExecStart=/bin/true\n[X-Fleet]\nConflicts=app@[.service\n",
        "[Service]\nExecStart=/bin/true\n[X-Fleet]\nConflicts=app@*.service\n",
    );

static PEER: Rule = Rule::error("U408", "several units in one MachineOf")
    .because(
        "Without quotes fleet takes the whole value for one unit's name, and waits for a unit that \
         there is not. Write each name in a line of its own.",
    )
    .example(
        "[Service]\nExecStart=/bin/true\n[X-Fleet]\nMachineOf=a.service b.service\n",
        "[Service]\nExecStart=/bin/true\n[X-Fleet]\nMachineOf=a.service\nMachineOf=b.service\n",
    );

static NO_SUFFIX: Rule = Rule::error("U411", "a pattern or peer that no unit's name matches")
    .because(
        "fleet compares the whole name with its type. `Conflicts=app@1` never matches \
         `app@1.service`, and holds nothing off; `MachineOf=app` waits for ever.",
    )
    .example(
        "[Service]\nExecStart=/bin/true\n[X-Fleet]\nConflicts=app@1\n",
        "[Service]\nExecStart=/bin/true\n[X-Fleet]\nConflicts=app@1.service\n",
    );

static CONTINUED: Rule = Rule::error("U412", "an option of fleet's that is continued")
    .because(
        "fleet keeps the backslash and the end of the line in the value, so that it is no name, no \
         pair and no pattern. Write each value in a directive of its own.",
    )
    .example(
        "[Service]\nExecStart=/bin/true\n[X-Fleet]\nConflicts=a@*.service \\\n  b@*.service\n",
        "[Service]\nExecStart=/bin/true\n[X-Fleet]\nConflicts=a@*.service\nConflicts=b@*.service\n",
    );

/// Tells whether a rule is one of these.
#[must_use]
pub fn is_rule(rule: &Rule) -> bool {
    RULES.contains(&rule) || combinations::RULES.contains(&rule)
}

/// One option by its present name, and its place.
#[derive(Debug, Clone)]
pub struct FleetOption<'a> {
    /// The present name.
    pub name: &'static str,
    /// The value.
    pub value: &'a str,
    /// The place of the value.
    pub range: Range<usize>,
}

/// Returns an option by its present name, if fleet knows it.
#[must_use]
pub fn option<'a>(name: &str, value: &'a str, range: Range<usize>) -> Option<FleetOption<'a>> {
    let modern = OPTIONS.iter().find(|option| **option == name);
    let legacy = LEGACY.iter().find(|(old, _)| *old == name);
    let name = modern.copied().or(legacy.map(|(_, new)| *new))?;
    Some(FleetOption { name, value, range })
}

/// Says of a name what fleet makes of it.
pub fn check_name(name: &str, range: Range<usize>, found: &mut Findings) {
    if let Some((old, new)) = LEGACY.iter().find(|(old, _)| *old == name) {
        found.push(
            Finding::new(
                &LEGACY_NAME,
                range.clone(),
                format!("`{old}` is an old name"),
            )
            .help(format!("write `{new}`"))
            .fix(range, *new),
        );
    } else if !OPTIONS.contains(&name) {
        found.push(
            Finding::new(
                &UNKNOWN_OPTION,
                range,
                format!("fleet has no option `{name}`"),
            )
            .label("it would be ignored, and the unit would run anywhere")
            .maybe_help(did_you_mean(name, OPTIONS)),
        );
    }
}

/// Checks the values of all options, and that they can stand together.
pub fn check(options: &[FleetOption<'_>], found: &mut Findings) {
    for option in options {
        check_value(option, found);
    }
    combinations::check(options, found);
}

fn check_value(option: &FleetOption<'_>, found: &mut Findings) {
    let FleetOption { name, value, range } = option;
    let mut push = |rule, message: String, help: &str| {
        found.push(Finding::new(rule, range.clone(), message).help(help));
    };
    // An empty one of these does what it looks like: the last value of `Global` counts.
    if value.is_empty() && *name == "Global" {
        return;
    }
    if value.is_empty() {
        let message = format!("`{name}` is empty, and fleet has no reset");
        push(&NO_RESET, message, "leave it out");
        return;
    }
    if value.contains('\n') {
        let message = format!("fleet would keep the backslash and the end of line in `{name}`");
        push(&CONTINUED, message, "write one value a line");
        return;
    }
    let expanded = SPECIFIERS
        .iter()
        .fold((*value).to_owned(), |v, s| v.replace(s, "x"));
    if expanded.contains('%') {
        let message =
            format!("fleet replaces only `%n`, `%N`, `%p` and `%i`, so `{value}` stays as it is");
        push(&SPECIFIER, message, "write out what it stands for");
    }
    match *name {
        "MachineMetadata" => {
            let items = split_quoted(value);
            if let Some(item) = items.iter().find(|item| !is_pair(item)) {
                let message =
                    format!("fleet would ignore `{item}`, and the unit would run anywhere");
                push(&METADATA, message, "write one `key=value` a line");
            } else if let Some(item) = items.iter().find(|item| !is_usual(item)) {
                let message = format!("fleet would look for a machine with just `{item}`");
                push(
                    &METADATA,
                    message,
                    "write one `key=value` a line, without blanks and quotes",
                );
            }
        }
        "Global" if !is_flag(value) => {
            let message = format!("fleet takes `{value}` for false");
            push(&GLOBAL, message, "write `true` or `false`");
        }
        "Conflicts" | "Replaces" => check_patterns(option, found),
        "MachineOf" if value.contains(char::is_whitespace) && !value.starts_with('"') => {
            let message = format!("fleet would look for one unit named `{value}`");
            push(&PEER, message, "write one name a line");
        }
        "MachineOf" => {
            for peer in split_quoted(value) {
                check_suffix(option, &peer, found);
            }
        }
        _ => {}
    }
}

fn check_patterns(option: &FleetOption<'_>, found: &mut Findings) {
    let items = split_quoted(option.value);
    for pattern in items.iter().flat_map(|item| item.split_whitespace()) {
        if glob::is_valid(pattern) && !pattern.contains(['{', ',']) {
            check_suffix(option, pattern, found);
        } else {
            found.push(
                Finding::new(
                    &PATTERN,
                    option.range.clone(),
                    format!("`{pattern}` is no pattern, so it would match nothing"),
                )
                .help("`*`, `?`, `[a-z]`; a `\\` before one of them takes its meaning away"),
            );
        }
    }
}

/// A name that ends neither in a type nor in what could match one matches no unit.
fn check_suffix(option: &FleetOption<'_>, pattern: &str, found: &mut Findings) {
    let end = pattern.rsplit('.').next().unwrap_or_default();
    let is_open = end.contains(['*', '?', '[', ']', '\\']) || pattern.ends_with("%n");
    if is_open || (pattern.contains('.') && TYPES.contains(&end)) {
        return;
    }
    let help = match pattern.split_once(',') {
        Some(_) => "separate patterns by blanks, or write one a line".to_owned(),
        None => format!("write `{pattern}.service`"),
    };
    let message = format!("no unit is called `{pattern}`, without a type");
    found.push(Finding::new(&NO_SUFFIX, option.range.clone(), message).help(help));
}

/// The types of units that fleet's API takes.
const TYPES: [&str; 12] = [
    "automount",
    "busname",
    "device",
    "mount",
    "path",
    "scope",
    "service",
    "slice",
    "socket",
    "swap",
    "target",
    "timer",
];

fn is_flag(value: &str) -> bool {
    const WORDS: [&str; 10] = [
        "true", "yes", "1", "on", "t", "false", "no", "0", "off", "f",
    ];
    let word = value.trim_matches('"').to_ascii_lowercase();
    WORDS.contains(&word.as_str())
}

/// Tells whether fleet takes a text for a pair, rather than dropping it.
fn is_pair(item: &str) -> bool {
    item.split_once('=')
        .is_some_and(|(key, value)| !key.is_empty() && !value.is_empty() && !value.contains('='))
}

/// Tells whether a machine may well have such a pair.
fn is_usual(item: &str) -> bool {
    !item.contains(['"', ',']) && !item.contains(char::is_whitespace)
}
