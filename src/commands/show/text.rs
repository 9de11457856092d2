//! What `show` tells people.
//!
//! In: what both programs make of a text. Out: plain text in sections, which does nothing to a
//! terminal. Knows nothing of where the text is from.

use crate::commands::show::word::{shown_text, shown_word};
use crate::reading::{Changes, Readings, Rewrite, Stored};
use crate::unit::Directive;
use crate::unit::fleet::constraints::Constraints;
use crate::unit::systemd::complaint::{Rejection, RejectionReason};
use crate::unit::systemd::exec::ExecCommand;
use crate::unit::systemd::{Reading, Verdict};
use crate::unit::words::{Prefix, Privileges};

/// The columns that the words of a command may take.
const WIDTH: usize = 100;

/// The keys of commands in the order in which they run.
const ORDER: [&str; 7] = [
    "ExecCondition",
    "ExecStartPre",
    "ExecStart",
    "ExecStartPost",
    "ExecReload",
    "ExecStop",
    "ExecStopPost",
];

/// What stands under one heading.
struct Section {
    heading: String,
    lines: Vec<String>,
}

/// Returns all that is worth knowing of a unit.
pub(super) fn text(readings: &Readings, file: &str) -> String {
    let Readings { name, systemd, .. } = readings;
    let environment = systemd.environment.iter();
    let environment = environment.map(|one| shown_word(one.as_bytes()));
    let files = systemd.environment_files.iter();
    let files = files.map(|file| shown_word(file.as_bytes()));
    let mut settings: Vec<_> = readings.settings().collect();
    settings.sort_by_key(|(section, ..)| *section != "Unit");
    let settings = settings.iter();
    let settings =
        settings.map(|(section, name, value)| shown_text(&format!("[{section}] {name}={value}")));
    let title = Section {
        heading: if file == name.as_str() {
            file.to_owned()
        } else {
            format!("{name}, from `{}`", shown_text(file))
        },
        lines: Vec::new(),
    };
    let verdict = verdict(readings);
    let listed = [
        ("Environment", environment.collect()),
        ("EnvironmentFile", files.collect()),
        ("Single settings", settings.collect()),
        ("Left to the machine", left_open(readings)),
    ];
    let listed = listed.into_iter().map(|(heading, lines)| Section {
        heading: heading.to_owned(),
        lines,
    });
    let groups = [
        vec![title],
        vec![verdict],
        commands(systemd),
        listed.filter(|section| !section.lines.is_empty()).collect(),
        vec![fleet(readings)],
    ];
    let groups = groups.iter().filter(|group| !group.is_empty());
    let groups = groups.map(|group| group.iter().map(Section::text).collect::<String>());
    groups.collect::<Vec<String>>().join("\n")
}

impl Section {
    fn text(&self) -> String {
        let Self { heading, lines } = self;
        let lines: String = lines.iter().map(|line| format!("  {line}\n")).collect();
        format!("{heading}\n{lines}")
    }
}

fn verdict(readings: &Readings) -> Section {
    let systemd = &readings.systemd;
    let warnings = systemd.warnings.iter();
    let mut lines: Vec<String> = warnings
        .map(|warning| match warning.line {
            0 => shown_text(&warning.text),
            line => format!("line {line}: {}", shown_text(&warning.text)),
        })
        .collect();
    // Of any other reason there is a warning.
    let is_silent = |rejection: &&Rejection| rejection.reason == RejectionReason::LineTooLong;
    let rejection = systemd.rejection.as_ref().filter(is_silent);
    lines.extend(
        rejection.map(|rejection| format!("line {}: {}", rejection.line, rejection.reason)),
    );
    let heading = match (systemd.verdict, lines.len()) {
        (Verdict::Loaded, 0) => "systemd 252 loads it".to_owned(),
        (Verdict::Loaded, 1) => "systemd 252 loads it, with 1 warning".to_owned(),
        (Verdict::Loaded, count) => format!("systemd 252 loads it, with {count} warnings"),
        (Verdict::BadSetting, _) => "systemd 252 refuses it (bad-setting)".to_owned(),
        (Verdict::Error, _) => "systemd 252 can't read it (error)".to_owned(),
        (Verdict::Masked, _) => "systemd 252 takes the empty file for a mask (masked)".to_owned(),
    };
    Section { heading, lines }
}

/// Returns the commands in the order in which they run, those that run alike under one heading.
fn commands(systemd: &Reading) -> Vec<Section> {
    let mut keys: Vec<&str> = systemd.commands.keys().copied().collect();
    keys.sort_by_key(|key| ORDER.iter().position(|known| *known == *key));
    let mut sections: Vec<Section> = Vec::new();
    for key in keys {
        for command in &systemd.commands[key] {
            let heading = match remarks(command) {
                remarks if remarks.is_empty() => key.to_owned(),
                remarks => format!("{key} ({})", remarks.join("; ")),
            };
            let lines = wrapped(command);
            match sections.last_mut() {
                Some(last) if last.heading == heading => last.lines.extend(lines),
                _ => sections.push(Section { heading, lines }),
            }
        }
    }
    sections
}

/// Returns what the words of a command do not say.
fn remarks(command: &ExecCommand) -> Vec<String> {
    let ExecCommand {
        prefix,
        path,
        argv: _,
    } = command;
    let Prefix {
        ignore_failure,
        own_name,
        no_variables,
        privileges,
    } = *prefix;
    let mut remarks = Vec::new();
    if own_name {
        remarks.push(format!("runs {}", shown_word(path)));
    }
    if ignore_failure {
        remarks.push("may fail".to_owned());
    }
    if no_variables {
        remarks.push("`$` stays as it is".to_owned());
    }
    match privileges {
        Privileges::Restricted => {}
        Privileges::Full => remarks.push("with all privileges".to_owned()),
        Privileges::OwnUser => remarks.push("changes its user itself".to_owned()),
        Privileges::OwnUserIfNeeded => remarks
            .push("changes its user itself, on kernels without ambient capabilities".to_owned()),
    }
    remarks
}

/// Returns the words of a command, as many to a line as fit, the lines after the first indented.
fn wrapped(command: &ExecCommand) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut column = 0;
    for word in command.argv.iter().map(|word| shown_word(word)) {
        let width = word.chars().count();
        match lines.last_mut() {
            Some(line) if column + 1 + width <= WIDTH => {
                line.extend([" ", &word]);
                column += 1 + width;
            }
            None => {
                column = width;
                lines.push(word);
            }
            Some(_) => {
                column = 2 + width;
                lines.push(format!("  {word}"));
            }
        }
    }
    lines
}

fn left_open(readings: &Readings) -> Vec<String> {
    let letters = readings.open_specifiers.iter();
    letters
        .map(|letter| format!("%{letter}, {}", answer(*letter)))
        .collect()
}

/// Says what a specifier stands for that only the machine can answer.
fn answer(letter: char) -> &'static str {
    match letter {
        'a' => "the architecture",
        'A' => "the version of the system's image",
        'b' => "the id of this boot",
        'B' => "the id of the system's build",
        'c' => "the unit's control group",
        'h' => "the home of systemd's own user, `/root` as a rule",
        'H' => "the host name",
        'l' => "the host name up to its first dot",
        'm' => "the machine's id",
        'M' => "the id of the system's image",
        'o' => "the system's id",
        'q' => "the host name for people",
        'r' => "the control group of the unit's slice",
        'R' => "the root of the control groups",
        's' => "the shell of systemd's own user",
        'v' => "the kernel's release",
        'w' => "the system's version",
        'W' => "the system's variant",
        'y' => "the unit's file",
        'Y' => "the folder of the unit's file",
        _ => "whatever it says",
    }
}

fn fleet(readings: &Readings) -> Section {
    let (refusal, stored) = match &readings.fleet {
        Err(error) => (Some(error.to_string()), None),
        Ok(stored) => (stored.refusal.clone(), Some(stored)),
    };
    let name_error = readings.name_error.as_ref().map(ToString::to_string);
    let refusals = [name_error, refusal].into_iter().flatten();
    let refusals: Vec<String> = refusals.map(|refusal| shown_text(&refusal)).collect();
    match stored {
        Some(stored) if refusals.is_empty() => Section {
            heading: "fleet 1.0 takes it".to_owned(),
            lines: stored_lines(stored),
        },
        _ => Section {
            heading: "fleet 1.0 refuses it".to_owned(),
            lines: refusals,
        },
    }
}

fn stored_lines(stored: &Stored) -> Vec<String> {
    let mut lines = vec![format!("hash {}", stored.hash)];
    lines.extend(schedule(&stored.constraints));
    if let Some(changes) = stored
        .constraint_changes
        .as_ref()
        .filter(|changes| !changes.is_empty())
    {
        lines.push("it does not see in [X-Fleet] what stands there:".to_owned());
        lines.extend(changed(changes));
    }
    match &stored.rewrite {
        _ if stored.is_as_given => lines.push("stored as it stands".to_owned()),
        Rewrite::Same => {
            lines.push("stored rewritten, and systemd reads the same".to_owned());
        }
        Rewrite::Changed(changes) => {
            lines.push("stored rewritten, and systemd reads something else:".to_owned());
            lines.extend(changed(changes));
        }
        Rewrite::Refused(rejection) => lines.push(format!(
            "stored rewritten, and systemd can't read that: line {}: {}",
            rejection.line, rejection.reason
        )),
        Rewrite::Readable => {
            lines.push("stored rewritten, and systemd reads that, but not the file".to_owned());
        }
    }
    lines
}

/// Says where the unit may run.
fn schedule(constraints: &Constraints) -> Vec<String> {
    let Constraints {
        conflicts,
        replaces,
        peers,
        metadata,
        machine_id,
        global,
        unknown,
    } = constraints;
    let quoted = |text: &String| format!("`{}`", shown_text(text));
    let mut places = Vec::new();
    places.extend(
        machine_id
            .iter()
            .map(|id| format!("whose id is {}", quoted(id))),
    );
    places.extend(metadata.iter().map(|(key, values)| {
        let values: Vec<String> = values.iter().map(quoted).collect();
        format!("where {} is {}", quoted(key), values.join(" or "))
    }));
    places.extend(
        peers
            .iter()
            .map(|peer| format!("where {} runs", quoted(peer))),
    );
    let machine = match (global, places.is_empty()) {
        (true, _) => "runs on every machine",
        (false, true) => "runs on any one machine",
        (false, false) => "runs on one machine",
    };
    places.insert(0, machine.to_owned());
    let mut lines = vec![places.join(", ")];
    let named = |what: &'static str| move |name: &String| format!("{what} `{}`", shown_text(name));
    lines.extend(conflicts.iter().map(named("never beside")));
    lines.extend(replaces.iter().map(named("replaces")));
    lines.extend(unknown.iter().map(named("ignores the unknown option")));
    lines
}

/// Returns the differences in the manner of a patch.
fn changed(changes: &Changes) -> impl Iterator<Item = String> {
    let Changes { lost, gained } = changes;
    let line = |sign: char| {
        move |one: &Directive| {
            let Directive {
                section,
                name,
                value,
                line: _,
            } = one;
            format!(
                "  {sign} {}",
                shown_text(&format!("[{section}] {name}={value}"))
            )
        }
    };
    lost.iter()
        .map(line('-'))
        .chain(gained.iter().map(line('+')))
}
