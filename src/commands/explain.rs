//! `unitgen explain`.

use clap::Parser;

use crate::commands::Invocation;
use crate::diagnostic::Severity;
use crate::error::{CommandError, Status};
use crate::lint;
use crate::lint::rule::Rule;
use crate::suggestion::did_you_mean;

/// Explains a finding by its code; without one lists all codes.
///
/// Says what is found, why it matters and what to do, with an example of each.
#[derive(Debug, Parser)]
pub struct Args {
    /// The finding's code, such as U306
    #[arg(value_name = "CODE", value_parser = rule)]
    rules: Vec<&'static Rule>,
}

/// Runs the command.
///
/// # Errors
/// Never fails.
pub fn run(args: &Args, invocation: &mut Invocation) -> Result<Status, CommandError> {
    let text = if args.rules.is_empty() {
        let lines = lint::rules().map(|rule| {
            format!(
                "{}  {:<7}  {}\n",
                rule.code,
                word(rule.severity),
                rule.title
            )
        });
        lines.collect()
    } else {
        let texts: Vec<String> = args.rules.iter().map(|rule| explanation(rule)).collect();
        texts.join("\n")
    };
    invocation.output.result(&text);
    Ok(Status::Done)
}

/// Reads a code as an argument.
///
/// # Errors
/// Says that there is none, and which may be meant.
pub fn rule(code: &str) -> Result<&'static Rule, String> {
    lint::rule(code).ok_or_else(|| {
        let code = code.to_uppercase();
        let near = did_you_mean(&code, lint::rules().map(|rule| rule.code));
        let near = near.map_or(String::new(), |near| format!("; {near}"));
        format!("there is no such code{near}")
    })
}

fn explanation(rule: &Rule) -> String {
    let mut text = format!(
        "{} ({}): {}\n\n",
        rule.code,
        word(rule.severity),
        rule.title
    );
    text.push_str(&wrapped(rule.reason));
    if !rule.bad.is_empty() {
        text.push_str(&format!("\nFound in:\n\n{}", indented(rule.bad)));
        text.push_str(&format!("\nInstead:\n\n{}", indented(rule.good)));
    }
    text
}

/// What cannot be seen on a terminal is written as an escape.
fn indented(unit: &str) -> String {
    let line = |line: &str| {
        let shown: String = line
            .chars()
            .map(|c| match c {
                '\u{feff}' | '\u{a0}' | '\u{fffe}' | '\r' | '\0' => c.escape_default().to_string(),
                _ => c.to_string(),
            })
            .collect();
        format!("    {shown}\n")
    };
    unit.split_terminator('\n').map(line).collect()
}

/// Wraps a paragraph to the width of a page.
fn wrapped(text: &str) -> String {
    const WIDTH: usize = 90;
    let mut lines = String::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if line.chars().count() + word.chars().count() >= WIDTH {
            lines.push_str(line.trim_end());
            lines.push('\n');
            line.clear();
        }
        line.push_str(word);
        line.push(' ');
    }
    lines.push_str(line.trim_end());
    lines.push('\n');
    lines
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}
