//! Where fleet runs a unit, and what the unit needs there.

use crate::lint::Unit;
use crate::lint::finding::{Finding, Findings};
use crate::lint::fleet::{self, FleetOption};
use crate::lint::rule::Rule;
use crate::lint::subject::{Directive, Subject, loaded_name};
use crate::target;
use crate::unit::fleet::FleetUnit;
use crate::unit::fleet::constraints::Constraints;
use crate::unit::name::UnitName;

pub(in crate::lint) static RULES: [&Rule; 3] = [&INSTALL, &LONELY_TRIGGER, &LONELY_SIDEKICK];

static INSTALL: Rule = Rule::warning("U421", "an [Install] section under fleet")
    .because(
        "fleet starts and stops units itself. Where there is an `[Install]` section its agent \
         enables the unit on the machine as well, so that systemd may start it outside of fleet's \
         control, at boot or along with another unit; and if enabling fails, the unit is not loaded \
         at all. Leave the section out.",
    )
    .example(
        "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n",
        "[Service]\nExecStart=/bin/true\n",
    );

static LONELY_TRIGGER: Rule = Rule::warning(
    "U422",
    "a timer, socket or path without its service's machine",
)
.because(
    "fleet schedules each unit by itself. The unit that this one starts is looked for on the \
         same machine, where fleet may not have put it. Write `MachineOf=` with that unit's name.",
);

static LONELY_SIDEKICK: Rule = Rule::warning("U423", "a unit bound to one that may run elsewhere")
    .because(
        "`BindsTo=` and its like reach units of the same machine only, and fleet schedules each \
         unit by itself: on another machine the unit that this one is bound to does not exist, and \
         the start fails. Write `MachineOf=` with the same name.",
    )
    .example(
        "[Unit]\nBindsTo=app@%i.service\n[Service]\nExecStart=/bin/true\n",
        "[Unit]\nBindsTo=app@%i.service\n[Service]\nExecStart=/bin/true\n[X-Fleet]\nMachineOf=app@%i.service\n",
    );

/// Checks fleet's own section, and what other sections mean under fleet.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Findings) {
    let mut options: Vec<FleetOption<'_>> = Vec::new();
    let mut install = None;
    for directive in &subject.directives {
        match directive.section {
            target::SECTION => {
                fleet::check_name(directive.name, directive.key_range(), found);
                let value = fleets_value(directive);
                options.extend(fleet::option(
                    directive.name,
                    value,
                    directive.value_range(),
                ));
            }
            "Install" => install = install.or(Some(directive)),
            _ => {}
        }
    }
    fleet::check(&options, found);
    if let Some(first) = install {
        let message = "fleet would enable this unit on the machine";
        found.push(
            Finding::new(&INSTALL, first.key_range(), message)
                .label("systemd may then start it on its own")
                .help("leave the section out"),
        );
    }
    let is_placed = options
        .iter()
        .any(|option| matches!(option.name, "MachineOf" | "Global" | "MachineID"));
    if is_placed {
        return;
    }
    let kind = subject.unit.kind_of_unit();
    if matches!(kind, "timer" | "socket" | "path") && !found.has_errors() {
        let message = format!("nothing keeps this {kind} and the unit that it starts together");
        found.push(Finding::new(&LONELY_TRIGGER, 0..0, message).help(
            "write `MachineOf=` with its name into `[X-Fleet]`, unless it names this one so",
        ));
    }
    for name in ["BindsTo", "Requires", "Requisite"] {
        for directive in subject.all("Unit", name) {
            lonely(directive, found);
        }
    }
}

/// Only a unit of the same instance is certain to be one of fleet's.
fn lonely(directive: &Directive<'_>, found: &mut Findings) {
    let mut words = directive.value.split_whitespace();
    if let Some(word) = words.find(|word| word.contains("@%i.")) {
        let at = directive.value.find(word).unwrap_or_default();
        let message = format!("nothing keeps this unit on the machine of `{word}`");
        found.push(
            Finding::new(
                &LONELY_SIDEKICK,
                directive.range(at..at + word.len()),
                message,
            )
            .help(format!(
                "write `MachineOf={word}` into `[X-Fleet]`, unless that unit names this one so"
            )),
        );
    }
}

/// What fleet takes for the value: with the end of line where one is continued.
fn fleets_value<'a>(directive: &Directive<'a>) -> &'a str {
    let source = directive.item.source.trim_ascii_end();
    if source.contains(&b'\n') {
        "\n"
    } else {
        directive.value
    }
}

/// Returns the units that a unit is to run beside, each by the name of its template where it has one.
/// Whoever looks at several files knows by it that two are kept together from the other side.
#[must_use]
pub fn peers(unit: &Unit<'_>) -> Vec<String> {
    let Some(name) = loaded_name(unit.name).filter(|_| unit.text.contains("MachineOf")) else {
        return Vec::new();
    };
    let Ok(kept) = FleetUnit::parse(unit.text) else {
        return Vec::new();
    };
    let peers = Constraints::read(&kept, name.as_str()).peers;
    peers.into_iter().map(|peer| template(&peer)).collect()
}

/// Tells whether a finding is that nothing keeps two units together.
#[must_use]
pub fn is_of_company(rule: &Rule) -> bool {
    [&LONELY_TRIGGER, &LONELY_SIDEKICK].contains(&rule)
}

/// Returns the name of the template that a name is an instance of, or the name itself.
#[must_use]
pub fn template(name: &str) -> String {
    let found = UnitName::new(name).ok().and_then(|name| name.template());
    found.unwrap_or_else(|| name.to_owned())
}
