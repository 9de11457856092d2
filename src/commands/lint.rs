//! `unitgen lint`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Parser;
use serde_json::json;

use crate::commands::Invocation;
use crate::commands::check::FindingFormat;
use crate::commands::explain::rule;
use crate::diagnostic::Report;
use crate::diff::unified::unified;
use crate::directive::{NEWEST_VERSION, OLDEST_VERSION};
use crate::error::{CommandError, Status};
use crate::files;
use crate::files::edit;
use crate::lint::finding::Findings;
use crate::lint::fix::{Fixed, fix};
use crate::lint::rule::Rule;
use crate::lint::{self as linting, Options, SYSTEMD_VERSION, Unit, scheduling};
use crate::output::Output;
use crate::parallel::in_parts;
use crate::report::{self, Style};
use crate::span::{Sources, Span, narrow};
use crate::unit::name::UnitName;

/// Finds what is wrong with unit files, whoever wrote them.
///
/// Reads each file as systemd and as fleet do, and reports what the two read differently, what they
/// drop in silence, and what docker does not survive. Ends with 0 where nothing is found, with 1 where
/// something is. `unitgen explain CODE` says more of each finding.
#[derive(Debug, Parser)]
pub struct Args {
    /// Unit files, or folders with unit files; `-` is the standard input
    #[arg(required = true, value_name = "FILE")]
    paths: Vec<PathBuf>,
    /// The unit's name, where the file's name does not tell it
    #[arg(long)]
    name: Option<String>,
    /// The version of systemd on the machines
    #[arg(long, value_name = "VERSION", default_value_t = SYSTEMD_VERSION,
        value_parser = clap::value_parser!(u16).range(i64::from(OLDEST_VERSION)..=i64::from(NEWEST_VERSION)))]
    systemd: u16,
    /// Leave out the findings of a rule; several are separated by commas
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = rule)]
    allow: Vec<&'static Rule>,
    /// Mend what can be mended without a change of what systemd makes of the file
    #[arg(long)]
    fix: bool,
    /// With `--fix`, show what would be mended and change nothing
    #[arg(long, requires = "fix")]
    dry_run: bool,
    /// How findings are written
    #[arg(long, value_enum, default_value_t)]
    format: FindingFormat,
}

/// One file and what was found in it.
struct Looked {
    path: PathBuf,
    text: String,
    found: Findings,
    fixed: Option<Fixed>,
    /// Why the mended text could not be written.
    failure: Option<CommandError>,
}

/// Runs the command.
///
/// # Errors
/// Says which file can't be read or written.
pub fn run(args: &Args, invocation: &mut Invocation) -> Result<Status, CommandError> {
    let paths = paths(args)?;
    let mut looked = Vec::new();
    let mut failure = None;
    let mut unread = 0;
    let mut peers = BTreeSet::new();
    let parts = in_parts(&paths, |part| {
        let mut peers = Vec::new();
        let looked = part.iter().map(|path| look(path, args, &mut peers));
        // What is not kept is nearly all of it.
        let is_kept = |looked: &Result<Looked, CommandError>| {
            looked.as_ref().map_or(true, Looked::is_worth_telling)
        };
        (looked.filter(is_kept).collect::<Vec<_>>(), peers)
    });
    let mut results = Vec::new();
    for (part, others) in parts {
        results.extend(part);
        peers.extend(others);
    }
    for result in results {
        match result {
            Ok(mut one) => {
                if let Some(error) = one.failure.take() {
                    invocation.output.message(&error.text());
                    failure = failure.or(Some(error.status));
                }
                one.keep_company(&peers);
                if one.is_worth_telling() {
                    looked.push(one);
                }
            }
            Err(error) => {
                invocation.output.message(&error.text());
                failure = failure.or(Some(error.status));
                unread += 1;
            }
        }
    }
    let reported = reported(&looked, args);
    let text = text(
        args,
        &looked,
        &reported,
        paths.len() - unread,
        &invocation.output,
    );
    invocation.output.result(&text);
    if args.dry_run && args.format == FindingFormat::Text {
        let left = findings(reported.0.diagnostics().len());
        let message = format!("{left} before mending; `unitgen lint` shows them\n");
        invocation.output.message(&message);
    }
    Ok(match failure {
        Some(status) => status,
        None if reported.0.is_empty() => Status::Done,
        None => Status::Found,
    })
}

fn paths(args: &Args) -> Result<Vec<PathBuf>, CommandError> {
    let is_stdin = |path: &PathBuf| path == Path::new("-");
    if args.name.is_some() && args.paths.len() > 1 {
        return Err(CommandError::trouble("`--name` is for a single file"));
    }
    if args.paths.iter().any(is_stdin) {
        if args.name.is_none() {
            return Err(CommandError::trouble("the standard input has no name")
                .help("name the unit with `--name app@.service`"));
        }
        if args.fix && !args.dry_run {
            return Err(CommandError::trouble("the standard input can't be mended")
                .help("`--dry-run` shows what would be"));
        }
    }
    // By its ending: what else is wrong with a name is a finding.
    let is_unit = |name: &str| {
        let suffix = name.rsplit_once('.').map(|(_, suffix)| suffix);
        suffix.is_some_and(|suffix| UnitName::new(&format!("a.{suffix}")).is_ok())
    };
    let mut found = Vec::new();
    for path in &args.paths {
        if is_stdin(path) {
            found.push(path.clone());
        } else {
            let files = edit::unit_files(path, &is_unit)?;
            if files.is_empty() {
                let message = format!("there are no unit files below `{}`", path.display());
                return Err(CommandError::trouble(message));
            }
            found.extend(files);
        }
    }
    Ok(found)
}

fn look(path: &Path, args: &Args, peers: &mut Vec<String>) -> Result<Looked, CommandError> {
    let bytes = files::read_bytes(path)?;
    let (text, is_lossy) = match String::from_utf8(bytes) {
        Ok(text) => (text, false),
        Err(error) => (String::from_utf8_lossy(error.as_bytes()).into_owned(), true),
    };
    let file_name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = args.name.as_deref().unwrap_or(&file_name);
    let unit = Unit {
        name,
        text: &text,
        is_lossy,
    };
    let options = Options {
        systemd: args.systemd,
    };
    let is_wanted = |rule: &'static Rule| !args.allow.contains(&rule);
    peers.extend(scheduling::peers(&unit));
    let mut found = linting::lint(&unit, &options);
    let mut fixed = None;
    if args.fix && !found.list.is_empty() {
        fixed = fix(&unit, &options, |finding| is_wanted(finding.rule));
    }
    let mut failure = None;
    if let Some(mended) = fixed.as_ref().filter(|_| !args.dry_run) {
        match edit::rewrite(path, &text, &mended.text) {
            Ok(()) => {
                let text = mended.text.as_str();
                found = linting::lint(&Unit { text, ..unit }, &options);
            }
            Err(error) => {
                // Then the findings are still those of the text that is there.
                failure = Some(error);
                fixed = None;
            }
        }
    }
    found.list.retain(|finding| is_wanted(finding.rule));
    Ok(Looked {
        path: path.to_owned(),
        text,
        found,
        fixed,
        failure,
    })
}

impl Looked {
    /// Drops that nothing keeps the unit beside another where another file keeps that one beside it.
    fn keep_company(&mut self, peers: &BTreeSet<String>) {
        let name = self.path.file_name().unwrap_or_default();
        if peers.contains(&scheduling::template(&name.to_string_lossy())) {
            let findings = &mut self.found.list;
            findings.retain(|finding| !scheduling::is_of_company(finding.rule));
        }
    }

    fn is_worth_telling(&self) -> bool {
        !self.found.list.is_empty() || self.fixed.is_some()
    }
}

/// Turns the findings of all files into one report.
fn reported(looked: &[Looked], args: &Args) -> (Report, Sources) {
    let mut report = Report::default();
    let mut sources = Sources::default();
    for one in looked {
        let text = match &one.fixed {
            Some(fixed) if !args.dry_run => &fixed.text,
            _ => &one.text,
        };
        let source = sources.add(one.path.display().to_string(), text);
        report.extend(one.found.clone().report(|range| Span {
            source,
            start: narrow(range.start),
            end: narrow(range.end),
        }));
    }
    report.finish();
    (report, sources)
}

fn text(
    args: &Args,
    looked: &[Looked],
    (report, sources): &(Report, Sources),
    count: usize,
    output: &Output,
) -> String {
    match args.format {
        FindingFormat::Json => {
            let mended = looked.iter().filter_map(|one| {
                let fixed = one.fixed.as_ref()?;
                let file = one.path.display().to_string();
                Some(json!({"file": file, "count": fixed.count, "written": !args.dry_run}))
            });
            let value = json!({
                "format_version": 1,
                "files": count,
                "findings": report::json(report, sources),
                "mended": mended.collect::<Vec<_>>(),
            });
            format!("{value:#}\n")
        }
        FindingFormat::Github => report::github(report, sources),
        FindingFormat::Text if args.dry_run => {
            let diffs = looked.iter().filter_map(|one| difference(one, report));
            diffs.collect()
        }
        FindingFormat::Text => {
            let style = Style {
                colored: output.colored_results,
                width: output.width,
            };
            report::text(report, sources, style) + &closing(looked, report, count)
        }
    }
}

/// Says what a reader may do next.
fn closing(looked: &[Looked], report: &Report, count: usize) -> String {
    let mut text = if report.is_empty() && count == 0 {
        String::new()
    } else if report.is_empty() {
        let noun = if count == 1 { "file" } else { "files" };
        format!("nothing found in {count} {noun}\n")
    } else {
        "`unitgen explain CODE` says more of each\n".to_owned()
    };
    let mended = looked.iter().filter_map(|one| one.fixed.as_ref());
    let mended: usize = mended.map(|fixed| fixed.count).sum();
    let mendable = report.diagnostics().iter();
    let mendable = mendable.filter(|one| !one.fix.is_empty()).count();
    if mended > 0 {
        text.push_str(&format!("{} mended\n", findings(mended)));
    } else if mendable > 0 {
        text.push_str(&format!("`--fix` mends {}\n", findings(mendable)));
    }
    text
}

fn findings(count: usize) -> String {
    let noun = if count == 1 { "finding" } else { "findings" };
    format!("{count} {noun}")
}

/// Shows what would be mended, without secrets.
fn difference(one: &Looked, report: &Report) -> Option<String> {
    let fixed = one.fixed.as_ref()?;
    let name = one.path.display().to_string();
    let (before, after) = (report.masked(&one.text), report.masked(&fixed.text));
    Some(unified((&name, &before), (&name, &after)))
}
