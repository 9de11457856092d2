//! What fleet reads of a unit, and what it refuses or ignores.
//!
//! fleet itself checks a unit's options only when the unit is new, and ignores much in silence; here
//! all of it is said before.

use std::ops::Range;

use crate::glob;
use crate::lint::finding::{Finding, Findings};
use crate::lint::rule::Rule;
use crate::suggestion::did_you_mean;
use crate::target::{LEGACY, OPTIONS, SPECIFIERS};
use crate::unit::fleet::constraints::is_true;

pub(in crate::lint) static RULES: [&Rule; 12] = [
    &UNKNOWN_OPTION,
    &LEGACY_NAME,
    &NO_RESET,
    &SPECIFIER,
    &METADATA,
    &GLOBAL,
    &PATTERN,
    &PEER,
    &REFUSED,
    &SECOND_MACHINE,
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
        "Names that begin with `X-` come from fleet's first versions. The last one still reads them \
         and adds them to the present names; tools around it mostly do not.",
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

static METADATA: Rule = Rule::error("U405", "machine metadata that fleet ignores")
    .because(
        "fleet wants exactly one `key=value`, without blanks. Anything else it drops without a \
         word, and the unit runs on any machine: `a=b c=d`, `a=b,c=d`, `a=b=c`, `a=`. Write each \
         pair in a line of its own; for one key several lines mean any of the values, for several \
         keys all must match.",
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

static REFUSED: Rule = Rule::error("U409", "options that fleet refuses together")
    .because(
        "fleet refuses `MachineID` with any other option but `MachineMetadata`, `Global` with \
         `MachineOf` or `Replaces`, `Conflicts` with `Replaces`, and a `MachineOf` that its own \
         `Conflicts` or `Replaces` matches. It looks only when the unit is new: a unit that is \
         replaced slips through, and is never scheduled.",
    )
    .example(
        "[Service]\nExecStart=/bin/true\n[X-Fleet]\nGlobal=true\nMachineOf=a.service\n",
        "[Service]\nExecStart=/bin/true\n[X-Fleet]\nMachineOf=a.service\n",
    );

static SECOND_MACHINE: Rule = Rule::error("U410", "more than one MachineID")
    .because(
        "fleet takes the first `MachineID` and ignores the others. To let a unit run on any of \
         several machines give them a metadata in common.",
    )
    .example(
        "[Service]\nExecStart=/bin/true\n[X-Fleet]\nMachineID=e5f6\nMachineID=a1b2\n",
        "[Service]\nExecStart=/bin/true\n[X-Fleet]\nMachineID=e5f6\n",
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
    RULES.contains(&rule)
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
    check_combinations(options, found);
}

fn check_value(option: &FleetOption<'_>, found: &mut Findings) {
    let FleetOption { name, value, range } = option;
    let mut push = |rule, message: String, help: &str| {
        found.push(Finding::new(rule, range.clone(), message).help(help));
    };
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
        "MachineMetadata" if !quoted_items(value).iter().all(|item| is_pair(item)) => {
            let message = format!("fleet would ignore `{value}`, and the unit would run anywhere");
            push(
                &METADATA,
                message,
                "write one `key=value` a line, as a list",
            );
        }
        "Global" if !is_flag(value) => {
            let message = format!("fleet takes `{value}` for false");
            push(&GLOBAL, message, "write `true` or `false`");
        }
        "Conflicts" | "Replaces" => check_patterns(option, found),
        "MachineOf" if value.contains(char::is_whitespace) && !value.starts_with('"') => {
            let message = format!("fleet would look for one unit named `{value}`");
            push(&PEER, message, "write one name a line, as a list");
        }
        "MachineOf" => {
            for peer in quoted_items(value) {
                check_suffix(option, peer, found);
            }
        }
        _ => {}
    }
}

fn check_patterns(option: &FleetOption<'_>, found: &mut Findings) {
    for pattern in quoted_items(option.value)
        .into_iter()
        .flat_map(str::split_whitespace)
    {
        if glob::is_valid(pattern) {
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

/// The types of units that fleet runs.
const TYPES: [&str; 6] = ["service", "socket", "timer", "path", "device", "mount"];

fn is_flag(value: &str) -> bool {
    const WORDS: [&str; 10] = [
        "true", "yes", "1", "on", "t", "false", "no", "0", "off", "f",
    ];
    let word = value.trim_matches('"').to_ascii_lowercase();
    WORDS.contains(&word.as_str())
}

/// Splits a value as fleet does: only one that begins and ends with a quote has several items.
fn quoted_items(value: &str) -> Vec<&str> {
    match value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        Some(inner) => inner.split("\" \"").collect(),
        None => vec![value],
    }
}

fn is_pair(item: &str) -> bool {
    item.split_once('=').is_some_and(|(key, value)| {
        let whole = |text: &str| !text.is_empty() && text.trim() == text;
        whole(key) && whole(value) && !item.contains(['"', ',']) && !value.contains('=')
    })
}

/// Refuses what fleet refuses, which it does only for a unit that it does not have yet.
fn check_combinations(options: &[FleetOption<'_>], found: &mut Findings) {
    let find = |name: &str| options.iter().find(|option| option.name == name);
    let global = options
        .iter()
        .rfind(|option| option.name == "Global")
        .filter(|option| is_true(option.value.trim_matches('"')));
    let pairs = [
        (find("MachineID"), find("MachineOf")),
        (find("MachineID"), find("Conflicts")),
        (find("MachineID"), global),
        (find("MachineID"), find("Replaces")),
        (global, find("MachineOf")),
        (global, find("Replaces")),
        (find("Conflicts"), find("Replaces")),
    ];
    for (one, other) in pairs {
        if let (Some(one), Some(other)) = (one, other) {
            let message = format!("fleet refuses `{}` with `{}`", one.name, other.name);
            found.push(
                Finding::new(&REFUSED, other.range.clone(), message)
                    .label("this one")
                    .related(one.range.clone(), "with this one"),
            );
        }
    }
    let mut machines = options.iter().filter(|option| option.name == "MachineID");
    if let (Some(first), Some(second)) = (machines.next(), machines.next()) {
        let message = "fleet takes the first `MachineID` only";
        found.push(
            Finding::new(&SECOND_MACHINE, second.range.clone(), message)
                .related(first.range.clone(), "the first one"),
        );
    }
    for of in options.iter().filter(|option| option.name == "MachineOf") {
        for name in quoted_items(of.value) {
            check_peer(of, name, options, found);
        }
    }
}

fn check_peer(of: &FleetOption<'_>, name: &str, options: &[FleetOption<'_>], found: &mut Findings) {
    let against = options
        .iter()
        .filter(|option| matches!(option.name, "Conflicts" | "Replaces"));
    for option in against {
        let mut patterns = option.value.split_whitespace();
        if patterns.any(|pattern| glob::matches(pattern, name)) {
            let message = format!("the unit must run beside `{name}` and must not");
            found.push(
                Finding::new(&REFUSED, of.range.clone(), message)
                    .label("fleet refuses it")
                    .related(
                        option.range.clone(),
                        format!("`{}` holds it off", option.name),
                    ),
            );
        }
    }
}
