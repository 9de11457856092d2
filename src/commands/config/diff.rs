//! `unitgen config diff`.

use clap::Parser;
use serde_json::json;

use crate::commands::Invocation;
use crate::commands::config::scene::{Format, Scene};
use crate::commands::config::source::SourceArgs;
use crate::error::{CommandError, Status};
use crate::tell::config::Comparison;
use crate::tell::json::escaped;

/// Compares with an app, an earlier change, a file or another etcd: names only.
///
/// `+` is what the other one has alone, `-` what this one has alone, `~` what has another value there. Ends
/// with 1 where they differ.
#[derive(Debug, Parser)]
pub struct Args {
    #[command(flatten)]
    source: SourceArgs,
    /// Show the values that differ, too
    #[arg(long)]
    show_values: bool,
    /// How the result is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs the command.
pub(super) fn run(
    args: &Args,
    scene: &Scene,
    invocation: &mut Invocation,
) -> Result<Status, CommandError> {
    let here = scene.read_known(invocation)?.variables;
    let there = args.source.read(scene, invocation)?.variables;
    let comparison = Comparison::of(&here, &there);
    let text = if args.format == Format::Json {
        let words = ["only_there", "differing", "only_here", "equal"];
        let mut value = comparison.json(words, args.show_values);
        value["format_version"] = json!(1);
        value["folder"] = json!(scene.folder.to_string());
        value["source"] = json!(args.source.shown());
        escaped(&format!("{value:#}\n"))
    } else {
        let source = args.source.shown();
        let theirs = format!("only in {source}");
        let own = format!("only in {}", scene.name);
        let summary = comparison.summary([&theirs, "different", &own, "equal"]);
        let summary = if summary.is_empty() {
            "both are empty"
        } else {
            &summary
        };
        comparison.lines(args.show_values) + summary + "\n"
    };
    invocation.output.result(&text);
    let differs = !comparison.differing.is_empty();
    Ok(if differs { Status::Found } else { Status::Done })
}
