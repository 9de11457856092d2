//! How the bytes of a file are read: UTF-8, ends of lines, blanks that are none.

use crate::lint::finding::{Finding, Findings};
use crate::lint::rule::Rule;
use crate::lint::subject::Subject;
use crate::unit::Content;
use crate::unit::systemd::complaint::RejectionReason;

pub(in crate::lint) static RULES: [&Rule; 5] =
    [&NOT_TEXT, &RETURN, &NUL, &BYTE_ORDER_MARK, &WIDE_BLANK];

static NOT_TEXT: Rule = Rule::error("U101", "a line that is not UTF-8 text")
    .because(
        "systemd refuses the whole file for one byte that is not UTF-8 (or is a noncharacter such \
         as U+FFFE). fleet takes it, but sends it to its registry as U+FFFD, so that what it stores \
         never equals the file. Save the file as UTF-8, or write the byte as an escape such as \
         `\\xe4` within a quoted word. Comments may hold any bytes.",
    )
    .example(
        "[Service]\nEnvironment=NAME=caf\u{fffe}\nExecStart=/bin/true\n",
        "[Service]\nEnvironment=NAME=café\nExecStart=/bin/true\n",
    );

static RETURN: Rule = Rule::warning("U117", "a carriage return")
    .because(
        "systemd ends a line at CR, LF or both. fleet ends it at LF only: it strips a CR from plain \
         values, but a continued line that ends in CR LF does not continue for it, and a CR alone \
         ends nothing. Save the file with LF.",
    )
    .example(
        "[Service]\r\nExecStart=/bin/true\r\n",
        "[Service]\nExecStart=/bin/true\n",
    );

static NUL: Rule = Rule::error("U118", "a NUL byte")
    .because("systemd ends a line at NUL, fleet takes it for a character. Take it out.")
    .example(
        "[Service]\nExecStart=/bin/true\0\n",
        "[Service]\nExecStart=/bin/true\n",
    );

static BYTE_ORDER_MARK: Rule = Rule::warning("U119", "a byte order mark")
    .because(
        "systemd and fleet skip a byte order mark at the beginning of a file; most other tools that \
         read unit files do not. Save the file as UTF-8 without it.",
    )
    .example(
        "\u{feff}[Service]\nExecStart=/bin/true\n",
        "[Service]\nExecStart=/bin/true\n",
    );

static WIDE_BLANK: Rule = Rule::error("U120", "a blank that only fleet takes for one")
    .because(
        "For systemd only space and tab are blanks. fleet also strips no-break spaces and other \
         blanks of Unicode from both ends of keys and values. Mostly such a blank came with the \
         clipboard; put a plain space in its place.",
    )
    .example(
        "[Service]\nExecStart=/bin/echo a\u{a0}\n",
        "[Service]\nExecStart=/bin/echo a\n",
    );

/// Finds bytes that are not read as they look.
pub(in crate::lint) fn check(subject: &Subject<'_>, is_lossy: bool, found: &mut Findings) {
    let text = subject.text;
    // Nearly all files are of these bytes only; without an early end many are compared at once.
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~' | b'\n' | b'\t');
    if text.bytes().fold(true, |all, byte| all & is_plain(byte)) {
        return;
    }
    check_text(subject, is_lossy, found);
    check_returns(text, found);
    for (at, _) in text.match_indices('\0') {
        let message = "a NUL byte ends a line for systemd, and not for fleet";
        found.push(Finding::new(&NUL, at..at + 1, message));
    }
    if text.starts_with('\u{feff}') {
        found.push(
            Finding::new(
                &BYTE_ORDER_MARK,
                0..3,
                "the file begins with a byte order mark",
            )
            .fix(0..3, ""),
        );
    }
    for directive in &subject.directives {
        for (part, range) in [
            (directive.name, directive.key_range()),
            (directive.value, directive.value_range()),
        ] {
            if part.trim() != part {
                let message = format!("fleet strips a blank from `{}`", part.escape_debug());
                found.push(
                    Finding::new(&WIDE_BLANK, range, message)
                        .label("systemd keeps it")
                        .help("put a space in its place, or nothing"),
                );
            }
        }
    }
}

fn check_text(subject: &Subject<'_>, is_lossy: bool, found: &mut Findings) {
    if is_lossy {
        for &(start, item) in &subject.items {
            let source = String::from_utf8_lossy(item.source);
            let is_comment = item.content == Content::Comment;
            if let Some(at) = source
                .find(char::REPLACEMENT_CHARACTER)
                .filter(|_| !is_comment)
            {
                let range = start + at..start + at + 3;
                found.push(
                    Finding::new(&NOT_TEXT, range, "this is not UTF-8")
                        .label("systemd refuses the whole file")
                        .help("save the file as UTF-8"),
                );
            }
        }
    }
    if let Some(rejection) = subject.reading.rejection
        && rejection.reason == RejectionReason::NotText
    {
        let message = "systemd takes no noncharacters, such as U+FFFE";
        let range = subject.line(rejection.line);
        found.push(Finding::new(&NOT_TEXT, range, message).label("it refuses the whole file"));
    }
}

/// One finding for all of them: where there is one, there mostly is one in each line.
fn check_returns(text: &str, found: &mut Findings) {
    let bytes = text.as_bytes();
    let is_pair = |at: usize| bytes.get(at + 1) == Some(&b'\n');
    let returns: Vec<usize> = text.match_indices('\r').map(|(at, _)| at).collect();
    let Some(&first) = returns.first() else {
        return;
    };
    let alone = returns.iter().find(|&&at| !is_pair(at));
    let continued = returns.iter().find(|&&at| at > 0 && bytes[at - 1] == b'\\');
    let mut finding = match (alone, continued) {
        (Some(&at), _) => {
            let message = "a carriage return ends a line for systemd, and not for fleet";
            Finding::new(&RETURN, at..at + 1, message).fatal()
        }
        (None, Some(&at)) => {
            let message = "this line does not continue for fleet: it ends in CR LF";
            Finding::new(&RETURN, at..at + 1, message).fatal()
        }
        (None, None) => {
            let message = "the lines of this file end in CR LF";
            Finding::new(&RETURN, first..first + 1, message)
        }
    };
    finding = finding.help("save it with LF");
    for at in returns {
        let text = if is_pair(at) { "" } else { "\n" };
        finding = finding.fix(at..at + 1, text);
    }
    found.push(finding);
}
