//! `unitgen diff`.

use std::path::{Path, PathBuf};

use clap::{Parser, ValueEnum};

use crate::commands::against::Against;
use crate::commands::connection::Connection;
use crate::commands::set::Overrides;
use crate::commands::{Invocation, Loaded};
use crate::diff::Diff;
use crate::error::{CommandError, Status};
use crate::files::private;
use crate::plan::file::PlanFile;
use crate::plan::{Action, plan};
use crate::tell::text::{self, Layout};
use crate::tell::{count, github, json, markdown};

/// Shows what would change in the cluster, and why.
///
/// A unit is equal where fleet's own hash of it is equal. Instances are compared too: those that are
/// missing, that nobody wants, that have an older text than their unit, that fleet was told something
/// else of, or that failed. Ends with 1 where anything differs.
#[derive(Debug, Parser)]
pub struct Args {
    /// Only these apps
    #[arg(value_name = "APP")]
    apps: Vec<String>,
    /// What to compare with: the cluster (`fleet`), a folder of unit files (`dir:FOLDER`), what the
    /// manifest of a revision gives (`git:REVISION`; `git:REVISION...` from where this branch left it),
    /// or a file that `unitgen snapshot` wrote (`snapshot:FILE`)
    #[arg(long, value_name = "SOURCE", default_value = "fleet")]
    against: Against,
    /// Show so many directives around each that differs
    #[arg(short = 'U', long = "unified", value_name = "N", default_value_t = 0)]
    context: usize,
    /// Only count, a line for each unit
    #[arg(long, conflicts_with = "name_only")]
    stat: bool,
    /// Only name the units and instances that differ, one a line
    #[arg(long)]
    name_only: bool,
    /// How the result is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Write at most so many bytes of Markdown, 1000 or more; what does not fit is left out in whole
    /// parts, and counted [default: 60000, as GitHub takes 65,536 characters]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(i64::from(markdown::MINIMUM)..))]
    max_bytes: Option<u32>,
    /// Save the plan that makes the unit files equal, for the hashes that were seen. It holds the
    /// units' texts, so that only its owner can read it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    overrides: Overrides,
    #[command(flatten)]
    connection: Connection,
}

/// How a diff is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON value with a `format_version`
    Json,
    /// For a comment on a merge request
    Markdown,
    /// Annotations of a GitHub workflow
    Github,
}

impl Args {
    /// Refuses what does not go together, before anything is read.
    fn check(&self) -> Result<(), CommandError> {
        let of_text = [
            ("--stat", self.stat),
            ("--name-only", self.name_only),
            ("--unified", self.context > 0),
        ];
        if self.format != Format::Text
            && let Some((option, _)) = of_text.iter().find(|(_, is_there)| *is_there)
        {
            let message = format!("`{option}` is for `--format text` only");
            return Err(CommandError::trouble(message));
        }
        if self.format != Format::Markdown && self.max_bytes.is_some() {
            let message = "`--max-bytes` is for `--format markdown` only";
            return Err(CommandError::trouble(message));
        }
        let Some(out) = &self.out else {
            return Ok(());
        };
        if out == Path::new("-") {
            let message = "`--out` wants a file: the diff goes to stdout";
            return Err(CommandError::trouble(message));
        }
        match &self.against {
            Against::Fleet | Against::Snapshot(_) => Ok(()),
            Against::Folder(_) | Against::Revision(_) => {
                let source = &self.against;
                let message = format!("`--out` saves a plan for a cluster, and `{source}` is none");
                Err(CommandError::trouble(message)
                    .help("compare with `fleet` or with a `snapshot:FILE` of one"))
            }
        }
    }
}

/// Runs the command.
///
/// # Errors
/// Says what can't be read, which app there is not, or why the cluster does not answer.
pub fn run(args: &Args, invocation: &mut Invocation) -> Result<Status, CommandError> {
    args.check()?;
    let listing = match args.against {
        Against::Fleet => invocation.begin_listing(&args.connection, &args.apps)?,
        Against::Folder(_) | Against::Revision(_) | Against::Snapshot(_) => None,
    };
    let mut loaded = invocation.load_over(&args.overrides)?;
    invocation.show_errors(&loaded);
    if loaded.report.has_errors() {
        return Ok(Status::Trouble);
    }
    let selected = loaded.select_also_gone(&args.apps)?;
    let apps = selected.as_deref();
    let mut cluster = args.against.to_string();
    let (observed, diff) = match &args.against {
        Against::Fleet => {
            let compared =
                invocation.compare_with_fleet(&args.connection, listing, &loaded, apps)?;
            // A plan is for that cluster and no other.
            cluster = compared.fleet.server().replace('`', "");
            (compared.observed, compared.diff)
        }
        Against::Folder(path) => {
            let observed = invocation.observe_folder(path)?;
            let diff = loaded.compare(&observed, apps);
            (observed, diff)
        }
        Against::Snapshot(path) => {
            let observed = invocation.observe_snapshot(path)?;
            let mut diff = loaded.compare(&observed, apps);
            if diff.seeks_machines() {
                diff.set_unplaced(loaded.unplaced(&observed, apps, &diff));
            }
            (observed, diff)
        }
        Against::Revision(revision) => {
            let observed = invocation.observe_revision(revision)?;
            let diff = loaded.compare(&observed, apps);
            (observed, diff)
        }
    };
    loaded.check_apps(apps, &diff)?;
    let layout = Layout {
        colored: invocation.output.colored_results,
        context: args.context,
    };
    if let Some(path) = &args.out {
        save(path, &cluster, &diff, &loaded, invocation)?;
    }
    let against = args.against.to_string();
    let text = match args.format {
        Format::Text if args.stat => text::stat(&diff),
        Format::Text if args.name_only => text::names(&diff),
        Format::Text => text::diff(&diff, &loaded.sources, layout),
        Format::Json => json::diff(&diff, &loaded.sources, &against),
        Format::Markdown => {
            let maximum = args.max_bytes.unwrap_or(markdown::DEFAULT) as usize;
            markdown::diff(&diff, &loaded.sources, &against, maximum)
        }
        Format::Github => github::diff(&diff, &loaded.sources),
    };
    invocation.output.result(&text);
    let status = if diff.is_empty() {
        Status::Done
    } else {
        Status::Found
    };
    std::mem::forget((loaded, observed));
    Ok(status)
}

/// Saves the plan, and says what is in it: the diff does not tell which units are held back.
fn save(
    path: &Path,
    cluster: &str,
    diff: &Diff,
    loaded: &Loaded,
    invocation: &mut Invocation,
) -> Result<(), CommandError> {
    let file = PlanFile {
        against: cluster.to_owned(),
        plan: plan(diff, &loaded.desired),
        places: loaded.places(diff),
    };
    private::write(path, &file.text())?;
    let held = match file.plan.held.len() {
        0 => String::new(),
        number => format!(
            "; held back, as fleet was told to load or run: {}",
            count(number, "unit")
        ),
    };
    let steps = count(file.plan.steps.len(), "step");
    let destroys = file.plan.steps.iter();
    let destroys = destroys
        .filter(|step| matches!(step.action, Action::Destroy { .. }))
        .count();
    let destroys = match destroys {
        0 => String::new(),
        number => format!(", {number} of which destroy"),
    };
    let message = format!(
        "saved the plan `{}`: {steps}{destroys}{held}\n",
        path.display()
    );
    invocation.output.message(&message);
    Ok(())
}
