//! A diff as Markdown, for a comment on a merge request of GitHub or GitLab.
//!
//! In: a diff, the manifest's texts, what was compared with, and how many bytes there may be. Out: text
//! of no more than so many bytes. What does not fit is left out in whole parts, and a last line counts
//! them. Nothing that a unit or a manifest says is read as Markdown or HTML, or calls anyone: it stands
//! in code only, where neither site looks for names and numbers. Knows nothing of where it is written.

use crate::diff::directives::{Row, Section};
use crate::diff::instances::InstanceDiff;
use crate::diff::{Change, Diff, Foreign, UnitDiff, Unplaced};
use crate::span::Sources;
use crate::state::Coverage;
use crate::tell::fold::{Group, groups, listed};
use crate::tell::pieces::lines;
use crate::tell::summary::summary;
use crate::tell::text::effect;
use crate::tell::{count, instance, place};
use crate::visible::is_unseen;

/// The least number of bytes that can be asked for: more than the heading and the last line take,
/// whatever numbers stand in them.
pub const MINIMUM: u32 = 1_000;

/// How many bytes there are where nobody says. GitHub takes 65,536 characters, and whoever posts a
/// comment may want to write a word of his own.
pub const DEFAULT: u32 = 60_000;

/// How many units of a group or instances of a unit are named.
const NAMED: usize = 20;

/// How many places of the manifest are named for one change.
const PLACES: usize = 3;

/// The heading names what was compared with if that takes no more bytes than this.
const AGAINST_MAXIMUM: usize = 200;

/// Writes a diff in no more than `maximum` bytes, or in `MINIMUM` where that is more.
#[must_use]
pub fn diff(diff: &Diff, sources: &Sources, against: &str, maximum: usize) -> String {
    let mut heading = format!("### unitgen diff: {}\n", summary(diff));
    let against = format!("\nCompared with {}.\n", code(against));
    if against.len() <= AGAINST_MAXIMUM {
        heading.push_str(&against);
    }
    let mut parts = Vec::new();
    parts.extend(table(diff, sources));
    for group in groups(&diff.units) {
        parts.push(change(&group, diff.coverage, sources));
    }
    parts.extend(unplaced(&diff.unplaced, sources));
    parts.extend(foreign(&diff.foreign));
    fitted(heading, &parts, maximum.max(MINIMUM as usize))
}

/// Puts as many parts below the heading as there is room for, each whole or not at all.
fn fitted(mut text: String, parts: &[String], maximum: usize) -> String {
    let length = |part: &String| "\n".len() + part.len();
    let whole: usize = parts.iter().map(length).sum();
    let rest = |number: usize| {
        format!(
            "\n{number} of {} left out, as more than {maximum} bytes would be too long: `unitgen diff` shows all.\n",
            count(parts.len(), "part")
        )
    };
    let is_all = text.len() + whole <= maximum;
    // No number that is told is longer than that of all parts.
    let reserve = if is_all { 0 } else { rest(parts.len()).len() };
    let mut left_out = 0;
    for part in parts {
        if text.len() + length(part) + reserve > maximum {
            left_out += 1;
            continue;
        }
        text.push('\n');
        text.push_str(part);
    }
    if left_out > 0 {
        text.push_str(&rest(left_out));
    }
    text
}

fn table(diff: &Diff, sources: &Sources) -> Option<String> {
    if diff.units.is_empty() {
        return None;
    }
    let mut text = "| change | unit | place | effect |\n|---|---|---|---|\n".to_owned();
    for unit in &diff.units {
        let place = unit.span.map(|span| code(&place(span, sources)));
        text.push_str(&format!(
            "| {} | {} | {} | {} |\n",
            word(unit.change),
            code(unit.name.as_str()),
            place.unwrap_or_default(),
            effect(&[unit], diff.coverage).unwrap_or_default()
        ));
    }
    Some(text)
}

fn word(change: Change) -> &'static str {
    match change {
        // Only its instances differ.
        Change::Equal => "instances",
        change => change.word(),
    }
}

/// Writes what units have in common whose texts change alike.
fn change(group: &Group<'_>, coverage: Coverage, sources: &Sources) -> String {
    let unit = group.first();
    let name = match group.units.as_slice() {
        [only] => html(only.name.as_str()),
        units => format!("the same change in {}", count(units.len(), "unit")),
    };
    let effect = effect(&group.units, coverage).map(|effect| format!(": {effect}"));
    let effect = effect.unwrap_or_default();
    let mut body = String::new();
    if group.units.len() > 1 {
        let names = group.units.iter().map(|unit| code(unit.name.as_str()));
        body.push_str(&format!("In {}.\n\n", first(names, NAMED)));
    }
    match unit.change {
        Change::Unwanted => {
            let rest = if unit.has_app {
                "to which the manifest gives no such unit"
            } else {
                "which the manifest does not have"
            };
            body.push_str(&format!("Of app {}, {rest}.\n\n", code(&unit.owner.app)));
        }
        Change::Reordered => body
            .push_str("The same directives in another order, which to fleet is another unit.\n\n"),
        Change::New | Change::Changed | Change::Equal => {}
    }
    let mut spans: Vec<_> = group.units.iter().flat_map(|unit| unit.causes()).collect();
    spans.sort();
    spans.dedup();
    if !spans.is_empty() {
        let places = spans.iter().map(|span| code(&place(*span, sources)));
        body.push_str(&format!("From {}.\n\n", first(places, PLACES)));
    }
    let block = block(unit);
    if !block.is_empty() {
        body.push_str(&fenced(&block));
        body.push('\n');
    }
    folded(
        &format!("<b>{}</b> {name}{effect}", word(unit.change)),
        &body,
    )
}

/// Writes what one can unfold. Behind an empty line what stands within is Markdown again.
fn folded(summary: &str, body: &str) -> String {
    format!("<details><summary>{summary}</summary>\n\n{body}</details>\n")
}

/// Names the first few of many.
fn first(names: impl ExactSizeIterator<Item = String>, most: usize) -> String {
    let more = names.len().saturating_sub(most);
    let names: Vec<String> = names.take(most).collect();
    let names = names.join(", ");
    if more == 0 {
        return names;
    }
    format!("{names} and {more} more")
}

/// Returns the lines of a unit's directives and instances, marked as a patch marks them.
fn block(unit: &UnitDiff) -> String {
    let mut text = String::new();
    for Section { name, rows } in &unit.sections {
        let mut rows = rows.iter().filter(|row| row.differs()).peekable();
        if rows.peek().is_some() {
            text.push_str(&format!("@@ [{}] @@\n", visible(name)));
        }
        for line in rows.flat_map(|row: &Row| lines(row)) {
            let (mark, note) = match line.mark {
                '~' => ('!', ""),
                '>' => ('!', " (at another place)"),
                mark => (mark, ""),
            };
            text.push_str(&format!("{mark} {}{note}\n", visible(&line.text())));
        }
    }
    let instances: Vec<&InstanceDiff> = listed(unit).collect();
    if !instances.is_empty() {
        text.push_str("@@ instances @@\n");
    }
    for one in instances.iter().take(NAMED) {
        let mark = match instance::mark(one) {
            '~' => '!',
            mark => mark,
        };
        let (name, words) = (one.name.as_str(), instance::words(one));
        text.push_str(&format!("{mark} {}  {}\n", visible(name), visible(&words)));
    }
    if instances.len() > NAMED {
        text.push_str(&format!("  and {} more\n", instances.len() - NAMED));
    }
    text
}

fn unplaced(unplaced: &[Unplaced], sources: &Sources) -> Option<String> {
    let mut body = String::new();
    for Unplaced { name, span, reason } in unplaced {
        let (name, place) = (code(name.as_str()), code(&place(*span, sources)));
        body.push_str(&format!("- {name} from {place}: {}\n", code(reason)));
    }
    let number = count(unplaced.len(), "instance");
    let summary = format!("<b>unplaced</b> {number} that no machine can take");
    (!unplaced.is_empty()).then(|| folded(&summary, &format!("{body}\n")))
}

fn foreign(foreign: &[Foreign]) -> Option<String> {
    let mut body = String::new();
    for Foreign { name, app } in foreign {
        let (name, app) = (code(name.as_str()), code(app));
        body.push_str(&format!("- {name} of app {app}\n"));
    }
    let number = count(foreign.len(), "unit");
    let summary = format!("<b>foreign</b> {number} without unitgen's mark: left alone");
    (!foreign.is_empty()).then(|| folded(&summary, &format!("{body}\n")))
}

/// Makes characters visible that steer a terminal, end a line, or turn the direction of reading.
fn visible(text: &str) -> String {
    text.replace(is_unseen, "\u{fffd}")
}

/// Writes a text as code in a line or in a cell of a table.
fn code(text: &str) -> String {
    // Of a table's cell not all sites agree on how a bar or a backslash in code is escaped.
    if text.is_empty() || text.contains(['`', '|', '\\']) || text.trim() != text {
        // A mail address would be made a link of: nothing is one that does not stand in one piece.
        return html(text).replace("&#64;", "<!-- -->&#64;");
    }
    format!("`{}`", visible(text))
}

/// Writes a text as code in HTML. All that Markdown or HTML could take for a mark is a character
/// reference; names and numbers that a site would link stay what they are in code.
fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in visible(text).chars() {
        let is_plain = !c.is_ascii() || c.is_ascii_alphanumeric() || " -.,:/()=+%".contains(c);
        if is_plain {
            escaped.push(c);
        } else {
            escaped.push_str(&format!("&#{};", u32::from(c)));
        }
    }
    // Of plain characters only a link's beginning is a mark.
    let escaped = escaped.replace("://", "&#58;//");
    format!("<code>{}</code>", escaped.replace("www.", "www&#46;"))
}

/// Writes lines as a block of code whose fence none of them can close.
fn fenced(lines: &str) -> String {
    let runs = lines.split(|c| c != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or(0).max(2) + 1);
    format!("{fence}diff\n{lines}{fence}\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn code_has_no_marks() {
        #[track_caller]
        fn case(text: &str, expected: &str) {
            assert_eq!(code(text), expected);
        }
        case("web-http@1.service", "`web-http@1.service`");
        case("</code>#1", "`</code>#1`");
        case("a\nb\u{1b}\u{202e}é", "`a\u{fffd}b\u{fffd}\u{fffd}é`");
        case(
            "a`b|c\\|d@e",
            "<code>a&#96;b&#124;c&#92;&#124;d<!-- -->&#64;e</code>",
        );
        case(
            "`</code><img src=x>",
            "<code>&#96;&#60;/code&#62;&#60;img src=x&#62;</code>",
        );
        case(
            "`&amp; #1 ![](x)",
            "<code>&#96;&#38;amp&#59; &#35;1 &#33;&#91;&#93;(x)</code>",
        );
        case(
            "|https://www.a.b",
            "<code>&#124;https&#58;//www&#46;a.b</code>",
        );
        case("", "<code></code>");
        assert_eq!(html("web@1.service"), "<code>web&#64;1.service</code>");
    }

    #[test]
    fn no_line_closes_the_fence() {
        assert_eq!(fenced("+ a\n"), "```diff\n+ a\n```\n");
        assert_eq!(fenced("+ `a`\n"), "```diff\n+ `a`\n```\n");
        assert_eq!(fenced("  ````\n"), "`````diff\n  ````\n`````\n");
    }

    #[test]
    fn what_does_not_fit_is_left_out_whole() {
        let parts = ["a\n".to_owned(), "b".repeat(991), "c\n".to_owned()];
        let text = |maximum| fitted("#\n".to_owned(), &parts, maximum);
        assert_eq!(text(1_000), format!("#\n\na\n\n{}\nc\n", parts[1]));
        assert_eq!(
            text(999),
            "#\n\na\n\nc\n\n1 of 3 parts left out, as more than 999 bytes would be too long: `unitgen diff` shows all.\n"
        );
    }

    #[test]
    fn the_least_has_room_for_every_heading() {
        let word = " 18446744073709551615 instances can't be placed;";
        let heading = word.len() * 14 + AGAINST_MAXIMUM;
        let parts = vec!["a".repeat(2_000)];
        let text = fitted("#".repeat(heading), &parts, MINIMUM as usize);
        assert!(text.len() <= MINIMUM as usize, "{}", text.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn never_longer_than_asked(
            heading in "[a-zé]{0,800}",
            parts in prop::collection::vec("[a-zé]{0,700}", 0..30),
            maximum in 1_800_usize..9_000,
        ) {
            let text = fitted(heading.clone(), &parts, maximum);
            prop_assert!(text.len() <= maximum);
            prop_assert!(text.starts_with(&heading));
            let whole = heading.len() + parts.iter().map(|part| part.len() + 1).sum::<usize>();
            prop_assert_eq!(whole <= maximum, !text.contains("left out"));
        }

        #[test]
        fn html_is_code(text in "\\PC{0,40}|[`<>&|@#\\\\\\[\\]*_~:!\n\r\t a-b]{0,40}") {
            let html = html(&text);
            let inner = html.strip_prefix("<code>").unwrap().strip_suffix("</code>").unwrap();
            let is_mark = |c: char| "<>`|@\\[]*_~!\"'\n\r".contains(c);
            prop_assert!(!inner.contains(is_mark) && !inner.contains("://"));
            // What is left of the other marks is part of a character reference.
            for rest in inner.split('&').skip(1) {
                let number = rest.strip_prefix('#').and_then(|rest| rest.split_once(';'));
                prop_assert!(number.unwrap().0.parse::<u32>().is_ok());
            }
        }
    }
}
