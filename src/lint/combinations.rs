//! Options of fleet's that do not go together.

use crate::glob;
use crate::lint::finding::{Finding, Findings};
use crate::lint::fleet::FleetOption;
use crate::lint::rule::Rule;
use crate::unit::fleet::constraints::{is_true, split_quoted};

pub(in crate::lint) static RULES: [&Rule; 2] = [&REFUSED, &SECOND_MACHINE];

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

/// More options than anybody writes are not compared with each other.
const OPTIONS_MAXIMUM: usize = 200;

/// Refuses what fleet refuses, which it does only for a unit that it does not have yet.
pub(in crate::lint) fn check(options: &[FleetOption<'_>], found: &mut Findings) {
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
    // Each is compared with each; a unit has a handful.
    if options.len() > OPTIONS_MAXIMUM {
        return;
    }
    for of in options.iter().filter(|option| option.name == "MachineOf") {
        for name in split_quoted(of.value) {
            check_peer(of, &name, options, found);
        }
    }
}

fn check_peer(of: &FleetOption<'_>, name: &str, options: &[FleetOption<'_>], found: &mut Findings) {
    let against = options
        .iter()
        .filter(|option| matches!(option.name, "Conflicts" | "Replaces"));
    for option in against {
        if found.is_full() {
            return;
        }
        let items = split_quoted(option.value);
        let mut patterns = items.iter().flat_map(|item| item.split_whitespace());
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
            return;
        }
    }
}
