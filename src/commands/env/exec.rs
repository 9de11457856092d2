//! `unitgen env exec`.

use std::ffi::OsString;

use clap::Parser;

use crate::commands::Invocation;
use crate::commands::env::asked::{Asked, Question};
use crate::commands::env::{meant, refused};
use crate::config::export::{Refusal, Text};
use crate::env::answer::Given;
use crate::env::client::Client;
use crate::env::hand::{
    Environment, Handed, STEERS, STEERS_CLIENT, client_behind, to_client, to_other,
};
use crate::env::limit;
use crate::error::{CommandError, Status};
use crate::exec::{self, MemoryFile};
use crate::settings;

/// What unitgen logs in with, which is none of the command's business.
const LOGIN: [&str; 2] = ["ETCDCTL_PASSWORD", "ETCDCTL_USER"];

/// Runs a command with an app's variables in its environment, in this one's place.
///
/// The app's own variables go before those of `--key`, and both before what is in the environment
/// already, but for `ETCDCTL_USER` and `ETCDCTL_PASSWORD`, which stay here. The command has the same process id, so that signals are its own, and ends as it ends.
///
/// Where the command is docker or podman and the verb `run` or `create`, the container gets the variables,
/// too: `-e NAME` is put behind the verb for each. No value ever stands on a command line. What would
/// steer the client itself (`DOCKER_HOST`, `PATH`, `HOME`, `LD_PRELOAD`, proxies and their like) never gets into
/// its environment: the container gets it by an `--env-file` in memory.
///
/// Any other command is refused such names from the app's folder. A unit's author who wants one says so:
/// `--key TZ=/environment/APP/TZ`.
#[derive(Debug, Parser)]
pub struct Args {
    /// The command and its words
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
    // Behind the others, which would stand below its heading.
    #[command(flatten)]
    asked: Asked,
}

/// Runs the command. It does not return where all goes well.
///
/// # Errors
/// Says what is missing in etcd, that it is out of reach, what can't be handed on, or why the command
/// can't be executed.
pub fn run(args: &Args, invocation: &mut Invocation) -> Result<Status, CommandError> {
    let words = &args.command;
    let Some(command) = words.first() else {
        return Err(CommandError::trouble("no command is named"));
    };
    let question = args.asked.question(invocation)?;
    let client = client(words)?;
    let behind = client_behind(words);
    if client.is_none() && Client::of(command).is_some() {
        invocation.output.warning(&format!(
            "only with `run` and `create` does `{}` hand variables to a container",
            command.display()
        ));
    } else if let (None, Some(word)) = (client, behind) {
        invocation.output.warning(&format!(
            "`{}` stands behind `{}`: its container gets no variables; put `unitgen env exec --` right \
             before it",
            word.display(),
            command.display()
        ));
    }
    // By the search path that is there: the configuration does not say what is run.
    let program = exec::find(command, invocation.settings.search_path.as_deref())?;
    let answered = args.asked.answered(&question, invocation)?;
    let handed = handed(client, &question, words, &answered.given)?;
    for warning in &handed.warnings {
        invocation.output.warning(warning);
    }
    let file = handed.file.as_ref().map(Text::as_bytes);
    let file = file.map(MemoryFile::new).transpose()?;
    let path = file.as_ref().map(MemoryFile::path);
    let words = handed.words(words, path.as_deref());
    check_room(&words, &handed.environment)?;
    args.asked
        .keep(&question, answered.fresh.as_ref(), invocation);
    Err(exec::exec(&program, &words, &handed.environment))
}

/// Returns the client that creates a container, and the word behind its verb.
fn client(words: &[OsString]) -> Result<Option<(Client, usize)>, CommandError> {
    let Some(client) = words.first().and_then(Client::of) else {
        return Ok(None);
    };
    let behind_verb = client.behind_verb(words).map_err(|option| {
        let message =
            format!("the client's option `{option}` is not known, nor whether it has a value");
        CommandError::trouble(message)
            .help("write it with its value as one word: `--option=value`, or leave it out")
    })?;
    Ok(behind_verb.map(|at| (client, at)))
}

fn handed(
    client: Option<(Client, usize)>,
    question: &Question,
    words: &[OsString],
    given: &Given,
) -> Result<Handed, CommandError> {
    let mut environment = settings::environment();
    environment.retain(|(name, _)| !LOGIN.iter().any(|own| name == own));
    if let Some((client, behind_verb)) = client {
        let handed = to_client(client, behind_verb, words, given, environment);
        return handed.map_err(|refusals| {
            let error = refused("the container can't get what is configured", &refusals);
            error.help("set other values, or leave these variables out of the configuration")
        });
    }
    let request = &question.request;
    to_other(words, request, given, environment).map_err(|refusals| {
        let error = refused("the command can't get what is configured", &refusals);
        let mut steering = refusals
            .iter()
            .filter(|refusal| [STEERS, STEERS_CLIENT].contains(&refusal.reason));
        let Some(Refusal { name, .. }) = steering.next() else {
            return error.help("set shorter values");
        };
        error.help(meant(request, name))
    })
}

/// Refuses more than the kernel takes.
fn check_room(words: &[OsString], environment: &Environment) -> Result<(), CommandError> {
    let (total, room) = (limit::total(words, environment), exec::room());
    if total <= room {
        return Ok(());
    }
    let longest = limit::longest(environment);
    let longest: Vec<String> = longest.iter().map(|name| format!("`{name}`")).collect();
    let message = format!(
        "the environment and the command have {total} bytes together, and the kernel takes {room}"
    );
    Err(CommandError::trouble(message)
        .because(format!("the longest variables are {}", longest.join(", ")))
        .help("set shorter values, or raise the limit of the stack: `LimitSTACK=`"))
}
