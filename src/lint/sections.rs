//! Lines that do not belong anywhere: outside of sections, without a key, in sections that nobody
//! knows.

use crate::directive;
use crate::lint::finding::{Finding, Findings};
use crate::lint::lines::ends_in_blank_backslash;
use crate::lint::rule::Rule;
use crate::lint::subject::{Subject, line_range};
use crate::suggestion::nearest;
use crate::target;
use crate::unit::systemd::complaint::Complaint;
use crate::unit::{Content, Item};

pub(in crate::lint) static RULES: [&Rule; 6] = [
    &NO_EQUALS,
    &OUTSIDE,
    &HEADER,
    &UNKNOWN_SECTION,
    &NOT_FLEETS,
    &EMPTY,
];

static NO_EQUALS: Rule = Rule::error("U102", "a line that is no assignment")
    .because(
        "systemd drops a line that has no `=`, or nothing before it, with a warning in the journal. \
         fleet refuses the whole file for a line without `=`, even in a section that it does not \
         know. Mostly such a line was meant to continue the one before: end that one in a \
         backslash, with nothing behind it.",
    )
    .example(
        "[Service]\nExecStart=/bin/echo one\n    two\n",
        "[Service]\nExecStart=/bin/echo one \\\n    two\n",
    );

static OUTSIDE: Rule = Rule::error("U103", "a line before the first section")
    .because(
        "systemd drops what stands before the first header. fleet skips it character by character, \
         and takes the first `[` for the beginning of a header. Put the line below its header, or \
         make it a comment.",
    )
    .example(
        "Description=a shop\n[Unit]\n[Service]\nExecStart=/bin/true\n",
        "[Unit]\nDescription=a shop\n[Service]\nExecStart=/bin/true\n",
    );

static HEADER: Rule = Rule::error("U104", "a section header that does not end in `]`")
    .because(
        "systemd refuses the whole file for a line that begins with `[` and does not end in `]`, or \
         has quotes, backslashes or control characters between the two. For fleet a header runs to \
         the next `]`, over lines if need be, and anything behind it is an error. A comment behind \
         a header has to go into a line of its own.",
    )
    .example(
        "[Service] # the web server\nExecStart=/bin/true\n",
        "# the web server\n[Service]\nExecStart=/bin/true\n",
    );

static UNKNOWN_SECTION: Rule = Rule::warning("U114", "a section that systemd does not know")
    .because(
        "systemd drops all of an unknown section with one warning. Names are case-sensitive, have no \
         blanks around them, and belong to the unit's type: a `[Timer]` in a service is not read \
         either. A section of your own has to begin with `X-`.",
    )
    .example(
        "[service]\nExecStart=/bin/true\n",
        "[Service]\nExecStart=/bin/true\n",
    );

static NOT_FLEETS: Rule = Rule::error("U115", "a section that only looks like fleet's")
    .because(
        "fleet reads `[X-Fleet]`, in exactly these letters. Any other section, such as `[X-fleet]`, \
         is kept and ignored without a word, so the unit runs on any machine.",
    )
    .example(
        "[Service]\nExecStart=/bin/true\n[X-fleet]\nGlobal=true\n",
        "[Service]\nExecStart=/bin/true\n[X-Fleet]\nGlobal=true\n",
    );

static EMPTY: Rule = Rule::error("U116", "a file without a directive")
    .because(
        "fleet refuses a unit without options. For systemd an empty file masks the unit: it can't \
         be started at all.",
    )
    .example("[Service]\n", "[Service]\nExecStart=/bin/true\n");

/// Finds lines and sections that are not read.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Findings) {
    let mut is_outside = true;
    let mut before: Option<&Item<'_>> = None;
    for &(start, item) in &subject.items {
        match &item.content {
            Content::Section(name) => {
                is_outside = false;
                check_header(subject, start, item, name, found);
            }
            Content::Malformed(text) if text.starts_with(b"[") => {
                let range = line_range(start, item);
                found.push(
                    Finding::new(&HEADER, range, "a header has to end in `]`")
                        .label("systemd refuses the whole file")
                        .help("put what stands behind the `]` into a line of its own"),
                );
                is_outside = false;
            }
            Content::Malformed(_) | Content::Assignment { .. } if is_outside => {
                outside(start, item, found);
            }
            Content::Malformed(text) => no_assignment(text, start, item, before, found),
            Content::Blank | Content::Comment | Content::Assignment { .. } => {}
        }
        before = Some(item);
    }
    if !found.has_errors() && subject.directives.is_empty() {
        found.push(Finding::new(
            &EMPTY,
            0..0,
            "there is no directive in this file",
        ));
    }
}

fn outside(start: usize, item: &Item<'_>, found: &mut Findings) {
    let range = line_range(start, item);
    let message = "this line stands before any section";
    found.push(Finding::new(&OUTSIDE, range, message).label("it is not read"));
}

fn no_assignment(
    text: &[u8],
    start: usize,
    item: &Item<'_>,
    before: Option<&Item<'_>>,
    found: &mut Findings,
) {
    let message = if text.starts_with(b"=") {
        "there is no key before the `=`"
    } else {
        "this line has no `=`"
    };
    let is_broken = before.is_some_and(|before| ends_in_blank_backslash(before.source));
    found.push(
        Finding::new(&NO_EQUALS, line_range(start, item), message)
            .label("systemd drops it, fleet refuses the file")
            .help(if is_broken {
                "the line before does not continue: blanks stand behind its backslash"
            } else {
                "to continue the line before, end that one in a backslash"
            }),
    );
}

/// A header that fleet or systemd reads otherwise than it looks.
fn check_header(
    subject: &Subject<'_>,
    start: usize,
    item: &Item<'_>,
    name: &[u8],
    found: &mut Findings,
) {
    let name = String::from_utf8_lossy(name);
    let name = name.as_ref();
    if name == target::SECTION {
        return;
    }
    let range = || line_range(start, item);
    let is_odd = |c: char| matches!(c, '"' | '\'' | '\\' | ']') || c.is_ascii_control();
    if name.contains(is_odd) {
        let message = format!("`[{name}]` is no header");
        let label = "quotes, backslashes and brackets can't stand in a section's name";
        found.push(Finding::new(&HEADER, range(), message).label(label));
        return;
    }
    let letters = name.trim().to_lowercase().replace(['-', '_', ' '], "");
    if ["xfleet", "fleet", "xfleets", "xflet", "xfeet"].contains(&letters.as_str()) {
        let message = format!("fleet does not read `[{name}]`");
        found.push(
            Finding::new(&NOT_FLEETS, range(), message)
                .label("so the unit runs on any machine")
                .help("write `[X-Fleet]`, if the unit is to run where it says"),
        );
        return;
    }
    let line = item.last_line;
    let warnings = &subject.reading.warnings;
    let is_unknown = warnings
        .iter()
        .any(|warning| warning.line == line && warning.complaint == Complaint::Section);
    if is_unknown {
        let kind = subject.unit.kind_of_unit();
        let message = format!("systemd knows no section `[{name}]` in a {kind}");
        let known = directive::sections().filter(|known| *known != target::SECTION);
        let help = match nearest(name.trim(), known) {
            Some(near) if near == name => format!("it belongs into a {}", near.to_lowercase()),
            Some(near) => format!("did you mean `[{near}]`?"),
            None => "a section that only people read has to begin with `X-`".to_owned(),
        };
        found.push(
            Finding::new(&UNKNOWN_SECTION, range(), message)
                .label("all of it is dropped")
                .help(help),
        );
    }
}
