//! How lines are read: continuations, comments, ends of lines, lengths.
//!
//! Here fleet and systemd differ most. fleet keeps what it understands and writes that out again for
//! systemd to read, so a line that the two read differently is not what runs.

use crate::directive;
use crate::lint::finding::{Finding, Findings};
use crate::lint::rule::Rule;
use crate::lint::subject::{Subject, line_range};
use crate::unit::systemd::complaint::RejectionReason;
use crate::unit::{Content, Item};

pub(in crate::lint) static RULES: [&Rule; 8] = [
    &SWALLOWING_COMMENT,
    &COMMENT_WITHIN,
    &SEMICOLON_WITHIN,
    &SWALLOWED_LINE,
    &EVEN_BACKSLASHES,
    &BLANK_BEHIND_BACKSLASH,
    &OPEN_END,
    &LONG_LINE,
];

static SWALLOWING_COMMENT: Rule = Rule::error("U105", "a comment that ends in a backslash")
    .because(
        "For systemd a comment ends with its line. For fleet (and for systemd up to 239) a \
         backslash at its end continues the comment, so that the next line is lost: often a command \
         below one that was commented out. Take the backslash away.",
    )
    .example(
        "[Service]\n# the port \\\nEnvironment=PORT=80\nExecStart=/bin/true\n",
        "[Service]\n# the port\nEnvironment=PORT=80\nExecStart=/bin/true\n",
    );

static COMMENT_WITHIN: Rule = Rule::error("U106", "a comment within a continued line")
    .because(
        "systemd (since 240) leaves out a comment between the parts of a continued line. fleet ends \
         the value at it, or takes it into the value, and then mostly refuses the line after it. \
         Put the comment above the directive.",
    )
    .example(
        "[Service]\nExecStart=/bin/serve \\\n  # the port\n  --port 80\n",
        "[Service]\n# the port\nExecStart=/bin/serve \\\n  --port 80\n",
    );

static SEMICOLON_WITHIN: Rule = Rule::error("U107", "a continued line that begins with `;`")
    .because(
        "A line that begins with `;` is a comment, also within a continued line: systemd leaves it \
         out without a word. In a shell's text that is a command lost. fleet reads such a line \
         differently again. End the line before in `;` instead.",
    )
    .example(
        "[Service]\nExecStart=/bin/sh -c \"/bin/one \\\n  ; exec /bin/two\"\n",
        "[Service]\nExecStart=/bin/sh -c \"/bin/one; \\\n  exec /bin/two\"\n",
    );

static SWALLOWED_LINE: Rule = Rule::error(
    "U108",
    "a directive or header that a continued line swallows",
)
.because(
    "A line that ends in a backslash goes on in the next one, whatever that says: a \
             directive or a header there becomes part of the value. Take the backslash away.",
)
.example(
    "[Service]\nExecStart=/bin/serve --port 80 \\\nUser=web\n",
    "[Service]\nExecStart=/bin/serve --port 80\nUser=web\n",
);

static EVEN_BACKSLASHES: Rule = Rule::error("U109", "a line that ends in two backslashes")
    .because(
        "For systemd two backslashes at the end of a line stand for one that continues nothing. \
         fleet looks at the last one only, continues, and so loses the next directive or header. \
         Quote the last word, or leave the line behind it empty.",
    )
    .example(
        "[Service]\nEnvironment=SHARE=\\\\\\\\\nUser=root\nExecStart=/bin/true\n",
        "[Service]\nEnvironment=\"SHARE=\\\\\\\\\"\nUser=root\nExecStart=/bin/true\n",
    );

static BLANK_BEHIND_BACKSLASH: Rule = Rule::error("U110", "blanks behind the backslash at a line's end")
    .because(
        "A backslash continues a line only if nothing stands behind it. systemd reads the next line \
         as a line of its own and mostly drops it. fleet does so, too, but then strips the blanks \
         when it writes the unit out again, so that the next line is swallowed on the machine. Take \
         the blanks away.",
    )
    .example(
        "[Service]\nExecStart=/bin/serve \\ \nUser=root\n",
        "[Service]\nExecStart=/bin/serve\nUser=root\n",
    );

static OPEN_END: Rule = Rule::warning("U111", "a file that ends in a continued line")
    .because(
        "The last line ends in a backslash. systemd takes what there is. fleet stores a text that \
         never equals the file, so that each submit sends it again. Take the backslash away.",
    )
    .example(
        "[Service]\nExecStart=/bin/true \\\n",
        "[Service]\nExecStart=/bin/true\n",
    );

static LONG_LINE: Rule = Rule::error("U112", "a line over the limit").because(
    "fleet refuses a line of 2048 bytes or more, but only if its reader happens to have that \
         much of it in its buffer: the same line passes at one place of a file and fails at \
         another. systemd up to 239 cuts lines after 2047 bytes. systemd since 240 takes 1 MiB. \
         Wrap the line between two words: a blank, a backslash, and the rest in the next line. \
         A list may be given in several directives instead.",
);

/// fleet refuses a longer physical line at some places of a file, and old systemd cuts it.
const LINE_LIMIT: usize = 2_047;

/// Finds lines that are not read as they look.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Findings) {
    for (index, &(start, item)) in subject.items.iter().enumerate() {
        match &item.content {
            Content::Comment => check_comment(subject, index, found),
            Content::Blank => {}
            _ => check_continuation(subject, index, found),
        }
        check_length(start, item, found);
    }
    let refused = subject.reading.rejection;
    let refused = refused.filter(|refused| refused.reason == RejectionReason::LineTooLong);
    if let Some(refused) = refused
        && !found.list.iter().any(|finding| finding.rule == &LONG_LINE)
    {
        let range = subject.line(refused.line);
        found.push(
            Finding::new(&LONG_LINE, range, "this line has more than 1 MiB")
                .label("systemd refuses the whole file"),
        );
    }
}

fn check_comment(subject: &Subject<'_>, index: usize, found: &mut Findings) {
    let (start, item) = subject.items[index];
    let text = item.source;
    let line = text.strip_suffix(b"\n").unwrap_or(text);
    let line = line.strip_suffix(b" ").unwrap_or(line);
    let Some(next) = subject.items.get(index + 1) else {
        return;
    };
    if line.ends_with(b"\\") && !matches!(next.1.content, Content::Comment | Content::Blank) {
        let kept = line.iter().rposition(|byte| !b"\\ \t".contains(byte));
        let end = start + kept.map_or(0, |kept| kept + 1);
        let backslash = start + line.len() - 1;
        found.push(
            Finding::new(
                &SWALLOWING_COMMENT,
                backslash..backslash + 1,
                "fleet takes the next line for a part of this comment",
            )
            .label("the comment should end before this")
            .related(line_range(next.0, next.1), "fleet never sees this line")
            .fix(end..start + line.len(), ""),
        );
    }
}

/// Looks at the physical lines of one logical line.
fn check_continuation(subject: &Subject<'_>, index: usize, found: &mut Findings) {
    let (start, item) = subject.items[index];
    if !item.source.contains(&b'\\') {
        return;
    }
    let lines: Vec<(usize, &[u8])> = item.physical_lines().collect();
    for (number, &(at, line)) in lines.iter().enumerate() {
        let at = start + at;
        let text = line.trim_ascii_start();
        let here = at + line.len() - text.len()..at + line.trim_ascii_end().len();
        let backslashes = line.iter().rev().take_while(|byte| **byte == b'\\').count();
        let is_last = number + 1 == lines.len();
        if number > 0 && text.starts_with(b"#") {
            found.push(
                Finding::new(&COMMENT_WITHIN, here, "a comment within a continued line")
                    .label("systemd leaves it out, fleet does not")
                    .help("put it above the directive")
                    .fix(start..start, with_end(line))
                    .fix(at..next_line(subject.text, at + line.len()), ""),
            );
        } else if number > 0 && text.starts_with(b";") {
            found.push(
                Finding::new(
                    &SEMICOLON_WITHIN,
                    here,
                    "a continued line that begins with `;` is a comment",
                )
                .label("this is left out")
                .help("put the `;` at the end of the line before"),
            );
        } else if number > 0 && is_directive(line) {
            let shown = String::from_utf8_lossy(text);
            let message = format!("`{}` is a part of the line before", shown.trim_end());
            let mut finding =
                Finding::new(&SWALLOWED_LINE, here, message).label("this is no line of its own");
            // Comments may stand between.
            let mut before = lines[..number].iter().rev();
            let before = before.find(|(_, line)| line.ends_with(b"\\"));
            if let Some((at, line)) = before {
                let end = start + at + line.len();
                finding = finding.related(end - 1..end, "this backslash takes it in");
            }
            found.push(finding);
        } else if backslashes > 0 && backslashes % 2 == 0 {
            check_even(
                subject,
                index,
                at + line.len() - backslashes,
                backslashes,
                found,
            );
        } else if is_last && ends_in_blank_backslash(line) {
            let end = line.trim_ascii_end().len();
            found.push(
                Finding::new(
                    &BLANK_BEHIND_BACKSLASH,
                    at + end - 1..at + line.len(),
                    "blanks stand behind the backslash",
                )
                .label("so the line does not continue, but fleet's copy of it does")
                .help("take the blanks away to continue the line, or the backslash to end it"),
            );
        } else if is_last && backslashes % 2 == 1 {
            let end = at + line.len();
            let kept = line[..line.len() - 1].trim_ascii_end().len();
            found.push(
                Finding::new(&OPEN_END, end - 1..end, "the file ends in a continued line")
                    .label("nothing follows")
                    .fix(at + kept..end, ""),
            );
        }
    }
}

fn check_even(subject: &Subject<'_>, index: usize, at: usize, count: usize, found: &mut Findings) {
    let next = subject.items.get(index + 1);
    // An empty line keeps fleet from taking anything in.
    let Some(next) = next.filter(|(_, next)| next.content != Content::Blank) else {
        return;
    };
    found.push(
        Finding::new(
            &EVEN_BACKSLASHES,
            at..at + count,
            "fleet takes the next line for a part of this one",
        )
        .label("an even number of backslashes continues nothing, but for fleet")
        .related(line_range(next.0, next.1), "fleet never sees this line")
        .fix(next.0..next.0, "\n"),
    );
}

fn check_length(start: usize, item: &Item<'_>, found: &mut Findings) {
    if item.source.len() <= LINE_LIMIT {
        return;
    }
    for (at, line) in item.physical_lines() {
        if line.len() > LINE_LIMIT {
            let at = start + at;
            let message = format!("this line has {} bytes", line.len());
            found.push(
                Finding::new(&LONG_LINE, at..at + line.len(), message)
                    .label("fleet takes 2047 at most, if not always")
                    .help("wrap it between two words with a backslash"),
            );
        }
    }
}

/// Tells whether a line begins as a directive that is known, or as a header.
fn is_directive(line: &[u8]) -> bool {
    let line = String::from_utf8_lossy(line);
    let text = line.trim();
    if text.starts_with('[') && text.ends_with(']') {
        let name = &text[1..text.len() - 1];
        return name.starts_with("X-") || directive::sections().any(|section| section == name);
    }
    // An option of a command may look alike, if it is written below it.
    let is_indented = line.starts_with([' ', '\t']);
    match text.split_once('=') {
        Some((key, _)) if !is_indented => {
            let mut sections = directive::sections();
            sections.any(|section| directive::form(section, key.trim_end()).is_some())
        }
        _ => false,
    }
}

/// Tells whether a line ends in a backslash with blanks behind it.
pub(in crate::lint) fn ends_in_blank_backslash(source: &[u8]) -> bool {
    let source = source.strip_suffix(b"\n").unwrap_or(source);
    let line = source
        .rsplit(|byte| *byte == b'\n')
        .next()
        .unwrap_or(source);
    let text = line.trim_ascii_end();
    text.len() < line.len() && text.ends_with(b"\\") && !line.ends_with(b"\r")
}

fn with_end(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let text = text.trim().trim_end_matches(['\\', ' ', '\t']);
    format!("{text}\n")
}

/// Returns where the line after the one that ends here begins.
fn next_line(text: &str, end: usize) -> usize {
    text[end..].find('\n').map_or(text.len(), |at| end + at + 1)
}
