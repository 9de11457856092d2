//! The canonical text of a unit.
//!
//! In: lines, or a text that is taken as it is. Out: the bytes that fleet stores. Knows nothing of
//! where the lines come from.

use crate::diagnostic::{Diagnostic, Report};
use crate::directive::is_command;
use crate::line::Line;
use crate::name::UnitType;
use crate::render::{LINE_LIMIT, words};
use crate::span::{Span, Spanned};
use crate::target;
use crate::unit::fleet::FleetUnit;
use crate::unit::quote::join_wrapped;

/// Groups the lines by section, in the canonical order, keeping their order within each.
pub(super) fn sort(lines: &mut [Line], unit_type: UnitType, place: Span, report: &mut Report) {
    let own = unit_type.section();
    let rank = |section: &str| match section {
        "Unit" => 0,
        _ if section == own => 1,
        "Install" => 2,
        target::SECTION => 4,
        target::MARK => 5,
        _ => 3,
    };
    for line in lines.iter() {
        if rank(&line.section) == 3 && !line.section.starts_with("X-") {
            let span = line.origin.span().unwrap_or(place);
            let message = format!("a {} has no section `{}`", unit_type.suffix(), line.section);
            report.push(Diagnostic::error(span, message));
        }
    }
    lines.sort_by(|a, b| {
        let key = |line: &Line| rank(&line.section);
        key(a).cmp(&key(b)).then_with(|| match key(a) {
            3 => a.section.cmp(&b.section),
            _ => std::cmp::Ordering::Equal,
        })
    });
}

/// Writes the canonical text.
pub(super) fn write(lines: &[Line], place: Span, report: &mut Report) -> String {
    let mut text = String::new();
    let mut section = None;
    for line in lines {
        if section != Some(line.section.as_str()) {
            if section.is_some() {
                text.push('\n');
            }
            text.push('[');
            text.push_str(&line.section);
            text.push_str("]\n");
            section = Some(line.section.as_str());
        }
        text.push_str(&line.name);
        text.push('=');
        if line.name.len() + 1 + line.value.len() < LINE_LIMIT {
            text.push_str(&line.value);
        } else {
            match wrap(line) {
                Ok(wrapped) => text.push_str(&wrapped),
                Err(reason) => {
                    let span = line.origin.span().unwrap_or(place);
                    let message =
                        format!("`{}` is too long for a line of a unit: {reason}", line.name);
                    report.push(
                        Diagnostic::error(span, message)
                            .help("fleet refuses lines of 2048 bytes, and old systemd cuts them"),
                    );
                }
            }
        }
        text.push('\n');
    }
    text
}

/// Wraps an `Exec` line between words; nothing else is wrapped.
fn wrap(line: &Line) -> Result<String, String> {
    if !is_command(&line.section, &line.name) {
        return Err(format!(
            "{} bytes, and only `Exec` lines are wrapped",
            line.value.len()
        ));
    }
    let words = if let Some(words) = &line.words {
        words.clone()
    } else {
        let pieces = [words::Piece::Text(&line.value)];
        words::compile(&pieces, words::Grammar::Exec)?.words
    };
    join_wrapped(&line.name, &words, LINE_LIMIT - 1).map_err(|error| error.to_string())
}

/// Takes a unit's text as it is: what fleet would keep of it.
pub(super) fn verbatim(text: &Spanned<String>, report: &mut Report) -> Option<String> {
    match FleetUnit::parse(&text.value) {
        Ok(unit) if unit.options.is_empty() => {
            report.push(Diagnostic::error(text.span, "this text has no directive"));
            None
        }
        Ok(unit) => {
            let canonical = unit.canonical();
            match FleetUnit::parse(&canonical) {
                Ok(again) if again == unit => Some(canonical),
                _ => {
                    report.push(
                        Diagnostic::error(
                            text.span,
                            "fleet would not give this text back as it took it",
                        )
                        .help("a `\\` at a line's end, or in a comment, swallows the next line"),
                    );
                    None
                }
            }
        }
        Err(error) => {
            report.push(Diagnostic::error(
                text.span,
                format!("fleet can't read this text: {error}"),
            ));
            None
        }
    }
}
