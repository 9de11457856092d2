//! Shows a report: as text with excerpts, or as JSON.
//!
//! In: a finished report and the texts that it points into. Out: text. Knows nothing of where it is
//! written.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::{Value, json};

use crate::diagnostic::{Diagnostic, Report, Severity};
use crate::span::{Sources, Span};
use crate::visible::is_unseen;

/// How text is laid out.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// With colours.
    pub colored: bool,
    /// The columns of the terminal.
    pub width: usize,
}

/// Renders all diagnostics, each with its excerpt, and a last line that counts.
#[must_use]
pub fn text(report: &Report, sources: &Sources, style: Style) -> String {
    let renderer = if style.colored {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let renderer = renderer.term_width(style.width);
    let mut text = String::new();
    for diagnostic in report.diagnostics() {
        text.push_str(&renderer.render(&[group(diagnostic, report, sources)]));
        text.push_str("\n\n");
    }
    if !report.is_empty() {
        text.push_str(&summary(report));
        text.push('\n');
    }
    text
}

/// Counts errors and warnings in words.
#[must_use]
pub fn summary(report: &Report) -> String {
    let count = |severity, word: &str| match report.count(severity) {
        0 => None,
        1 => Some(format!("1 {word}")),
        number => Some(format!("{number} {word}s")),
    };
    let parts: Vec<String> = [
        count(Severity::Error, "error"),
        count(Severity::Warning, "warning"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if parts.is_empty() {
        "nothing found".to_owned()
    } else {
        parts.join(", ")
    }
}

fn group<'a>(diagnostic: &'a Diagnostic, report: &Report, sources: &'a Sources) -> Group<'a> {
    let Diagnostic {
        span,
        severity,
        code,
        message,
        label,
        related,
        help,
        fix: _,
    } = diagnostic;
    let level = match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut title = level.primary_title(message.as_str());
    if let Some(code) = code {
        title = title.id(*code);
    }
    let mut group = match span {
        Some(span) => title.element(snippet(
            *span,
            label,
            AnnotationKind::Primary,
            report,
            sources,
        )),
        None => Group::with_title(title),
    };
    for (span, text) in related {
        group = group.element(snippet(
            *span,
            text,
            AnnotationKind::Context,
            report,
            sources,
        ));
    }
    if let Some(help) = help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    group
}

/// The greatest number of lines that an excerpt marks; a block of YAML is shown by its beginning.
const EXCERPT_LINES: usize = 3;

/// The greatest number of bytes on either side of a marked place that an excerpt shows.
const EXCERPT_BYTES: usize = 500;

fn snippet<'a>(
    span: Span,
    label: &'a str,
    kind: AnnotationKind,
    report: &Report,
    sources: &'a Sources,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let source = sources.get(span.source);
    let text = source.text.as_str();
    let start = floor(text, (span.start as usize).min(text.len()));
    let mut end = floor(text, (span.end as usize).clamp(start, text.len()));
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_start = line_start.max(floor(text, start.saturating_sub(EXCERPT_BYTES)));
    let mut excerpt_end = line_start;
    for line in text[line_start..].split_inclusive('\n').take(EXCERPT_LINES) {
        excerpt_end += line.len();
        if excerpt_end >= end {
            break;
        }
    }
    excerpt_end = excerpt_end.min(floor(text, (end + EXCERPT_BYTES).min(text.len())));
    end = end.min(excerpt_end).max(start);
    let excerpt = text[line_start..excerpt_end].trim_end_matches(['\n', '\r']);
    let range = (start - line_start).min(excerpt.len())..(end - line_start).min(excerpt.len());
    let annotation = kind.span(range);
    let annotation = if label.is_empty() {
        annotation
    } else {
        annotation.label(label)
    };
    Snippet::source(report.masked(excerpt))
        .line_start(sources.place(span).line)
        .path(source.name.as_str())
        .annotation(annotation)
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Returns all diagnostics as JSON values.
#[must_use]
pub fn json(report: &Report, sources: &Sources) -> Vec<Value> {
    let place = |span: Span| {
        let place = sources.place(span);
        json!({"file": place.file, "line": place.line, "column": place.column})
    };
    let diagnostics = report.diagnostics().iter();
    diagnostics
        .map(|diagnostic| {
            let Diagnostic {
                span,
                severity,
                code,
                message,
                label,
                related,
                help,
                fix,
            } = diagnostic;
            let related: Vec<Value> = related
                .iter()
                .map(|(span, text)| json!({"place": place(*span), "text": text}))
                .collect();
            let fix: Vec<Value> = fix
                .iter()
                .map(|(span, text)| {
                    let end = Span {
                        start: span.end,
                        ..*span
                    };
                    json!({"from": place(*span), "to": place(end), "text": text})
                })
                .collect();
            json!({
                "code": code,
                "severity": match severity {
                    Severity::Error => "error",
                    Severity::Warning => "warning",
                },
                "message": message,
                "place": span.map(place),
                "label": label,
                "related": related,
                "help": help,
                "fix": fix,
            })
        })
        .collect()
}

/// Returns all diagnostics as annotations of a GitHub workflow, one line each.
#[must_use]
pub fn github(report: &Report, sources: &Sources) -> String {
    let mut text = String::new();
    for diagnostic in report.diagnostics() {
        let word = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let place = diagnostic.span.map(|span| {
            let place = sources.place(span);
            let file = property(place.file);
            format!(" file={file},line={},col={}", place.line, place.column)
        });
        let title = diagnostic.code.map(|code| {
            let mark = if place.is_some() { "," } else { " " };
            format!("{mark}title={code}")
        });
        let label = [&diagnostic.label]
            .into_iter()
            .filter(|label| !label.is_empty());
        let parts: Vec<&str> = std::iter::once(&diagnostic.message)
            .chain(label)
            .chain(&diagnostic.help)
            .map(String::as_str)
            .collect();
        let message = data(&parts.join("\n"));
        text.push_str(&format!(
            "::{word}{}{}::{message}\n",
            place.unwrap_or_default(),
            title.unwrap_or_default()
        ));
    }
    text
}

/// Escapes the message of a workflow command; characters that steer a terminal become visible.
pub(crate) fn data(text: &str) -> String {
    let is_odd = |c: char| is_unseen(c) && !matches!(c, '\r' | '\n');
    let text = text.replace(is_odd, "\u{fffd}");
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes a property of a workflow command, such as its title.
pub(crate) fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> (Sources, Report) {
        let mut sources = Sources::default();
        let source = sources.add("a,b.yaml", "apps:\n  hub:\n    imgae: x\n");
        let span = Span {
            source,
            start: 17,
            end: 22,
        };
        let mut report = Report::default();
        report.push(Diagnostic::error(span, "unknown key `imgae`").help("did you mean `image`?"));
        (sources, report)
    }

    #[test]
    fn text_has_the_excerpt() {
        let (sources, report) = example();
        let style = Style {
            colored: false,
            width: 100,
        };
        let expected = "\
error: unknown key `imgae`
 --> a,b.yaml:3:5
  |
3 |     imgae: x
  |     ^^^^^
  |
  = help: did you mean `image`?

1 error
";
        assert_eq!(text(&report, &sources, style), expected);
    }

    #[test]
    fn github_has_one_line_each() {
        let (sources, report) = example();
        assert_eq!(
            github(&report, &sources),
            "::error file=a%2Cb.yaml,line=3,col=5::unknown key `imgae`%0Adid you mean `image`?\n"
        );
    }

    #[test]
    fn json_has_the_place() {
        let (sources, report) = example();
        let expected = json!([{
            "code": null,
            "severity": "error",
            "message": "unknown key `imgae`",
            "place": {"file": "a,b.yaml", "line": 3, "column": 5},
            "label": "",
            "related": [],
            "help": "did you mean `image`?",
            "fix": [],
        }]);
        assert_eq!(Value::from(json(&report, &sources)), expected);
    }
}
