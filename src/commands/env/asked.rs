//! What the ways share: which variables are asked for, and who gives them: etcd, or a file that keeps
//! what it said.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::commands::Invocation;
use crate::commands::etcd::EtcdConnection;
use crate::config::variable::Name;
use crate::env::answer::{Answer, Given, judge};
use crate::env::cache;
use crate::env::request::Request;
use crate::error::CommandError;
use crate::files::private;
use crate::manifest::forms::{Span, StorePath};
use crate::moment::{moment, span};
use crate::name::AppName;
use crate::store::Store;

/// Which variables are asked for.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Asked {
    /// The app [default: `APPLICATION`]
    #[arg(short, long, value_name = "APP")]
    app: Option<String>,
    /// Where the app's variables are in etcd [default: /environment/APP]
    #[arg(long, value_name = "PATH", conflicts_with = "no_config")]
    folder: Option<String>,
    /// Ask for no folder, only for single keys
    #[arg(long)]
    no_config: bool,
    /// A variable that must be there; may be given several times, or with several names separated by
    /// commas
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    require: Vec<String>,
    /// A variable whose value stands at another key; one of that name in the app's folder goes before it.
    /// May be given several times
    #[arg(long, value_name = "NAME=/KEY")]
    key: Vec<String>,
    /// Keep what etcd says in this file, and use it while etcd is out of reach
    #[arg(long, value_name = "FILE")]
    cache: Option<PathBuf>,
    /// How old what the file keeps may be: `90m`, `24h`, `7d`
    #[arg(long, value_name = "TIME", requires = "cache")]
    max_age: Option<String>,
    #[command(flatten)]
    etcd: EtcdConnection,
}

/// What was answered.
pub(super) struct Answered {
    /// The variables.
    pub(super) given: Given,
    /// All that etcd said, where it was etcd and no file.
    pub(super) fresh: Option<Answer>,
}

/// What is asked for, understood.
pub(super) struct Question {
    /// What is asked of etcd.
    pub(super) request: Request,
    required: Vec<Name>,
    /// In seconds.
    age_maximum: Option<u64>,
}

impl Asked {
    /// Returns what is asked for.
    ///
    /// # Errors
    /// Says what is wrong with an option.
    pub(super) fn question(&self, invocation: &Invocation) -> Result<Question, CommandError> {
        let folder = match (&self.folder, self.no_config) {
            (_, true) => None,
            (Some(folder), _) => {
                let folder = folder.strip_suffix('/').unwrap_or(folder);
                Some(path("--folder", folder)?)
            }
            (None, false) => Some(self.usual_folder(invocation)?),
        };
        let mut keys = BTreeMap::new();
        for given in &self.key {
            let Some((name, key)) = given.split_once('=') else {
                let message = format!("`{given}` names no variable and its key");
                return Err(CommandError::trouble(message).help("write `--key NAME=/path/of/key`"));
            };
            if keys.insert(variable(name)?, path("--key", key)?).is_some() {
                let message = format!("`{name}` is given two keys");
                return Err(CommandError::trouble(message));
            }
        }
        let required = self.require.iter().map(|name| variable(name));
        let age_maximum = self.max_age.as_deref().map(|text| {
            let span = Span::parse(text).map_err(|reason| {
                CommandError::trouble(format!("--max-age: {reason}"))
                    .help("write a time such as `90m`, `24h` or `7d`")
            });
            span.map(|span| span.0.as_secs())
        });
        Ok(Question {
            required: required.collect::<Result<_, _>>()?,
            request: Request { folder, keys },
            age_maximum: age_maximum.transpose()?,
        })
    }

    fn usual_folder(&self, invocation: &Invocation) -> Result<String, CommandError> {
        let app = self.app.as_ref();
        let Some(app) = app.or(invocation.settings.application.as_ref()) else {
            let error = CommandError::trouble("no app is named");
            return Err(error.help(
                "name it with `-a APP` or APPLICATION, or ask for no folder: `--no-config`",
            ));
        };
        let name =
            AppName::new(app.as_str()).map_err(|error| CommandError::trouble(error.to_string()))?;
        Ok(Request::folder_of(name.as_str()))
    }

    /// Returns the variables that a question is about.
    ///
    /// # Errors
    /// Says what is missing, or why there is no answer. Of several errors all but the last are shown.
    pub(super) fn answered(
        &self,
        question: &Question,
        invocation: &mut Invocation,
    ) -> Result<Answered, CommandError> {
        let request = &question.request;
        let mut outage = None;
        let mut is_fresh = !request.is_empty();
        let read = if is_fresh {
            let store = self.etcd.store(&invocation.settings)?;
            read(&store, request)
        } else {
            Ok(Answer::default())
        };
        let answer = match (read, &self.cache) {
            (Ok(answer), _) => answer,
            (Err(error), Some(file)) if error.may_pass => {
                is_fresh = false;
                let answer = kept(question, file, &error, invocation);
                let Some(answer) = answer else {
                    return Err(error);
                };
                outage = Some(error);
                answer
            }
            (Err(error), _) => return Err(error),
        };
        let judgement = judge(request, &question.required, &answer);
        for note in &judgement.notes {
            let note = crate::visible::line(note);
            invocation.output.message(&format!("note: {note}\n"));
        }
        for warning in &judgement.warnings {
            invocation.output.warning(&crate::visible::line(warning));
        }
        let mut errors = judgement.errors;
        // What the file does not have etcd may have by now: it is still that etcd is out of reach.
        if let (Some(outage), Some(file), false) = (outage, &self.cache, errors.is_empty()) {
            for error in errors {
                let file = file.display();
                invocation
                    .output
                    .warning(&format!("by `{file}`, {}", error.message));
            }
            return Err(outage);
        }
        if let Some(last) = errors.pop() {
            for error in errors {
                invocation.output.message(&error.text());
            }
            return Err(last);
        }
        Ok(Answered {
            given: judgement.given,
            fresh: is_fresh.then_some(answer),
        })
    }

    /// Keeps etcd's answer in the file that is named for it, once it is known to start something: an
    /// earlier answer may, where this one does not. That it can't be kept stops nothing.
    pub(super) fn keep(
        &self,
        question: &Question,
        fresh: Option<&Answer>,
        invocation: &mut Invocation,
    ) {
        let (Some(answer), Some(file)) = (fresh, &self.cache) else {
            return;
        };
        let request = &question.request;
        let shown = file.display();
        if private::read_own(file).is_ok_and(|text| cache::is_another_s(request, &text)) {
            let message = format!(
                "`{shown}` held the answer to another request, which is replaced; each process needs a file \
                 of its own"
            );
            invocation.output.warning(&message);
        }
        let text = cache::text(request, answer, invocation.settings.now);
        if let Err(error) = private::write(file, &text) {
            let causes = [vec![error.message.clone()], error.causes()]
                .concat()
                .join(": ");
            invocation
                .output
                .warning(&format!("what etcd said is not kept: {causes}"));
        }
    }
}

/// Reads what a request asks for.
///
/// # Errors
/// Says what etcd answered, or that it did not.
fn read(store: &Store, request: &Request) -> Result<Answer, CommandError> {
    let mut answer = Answer::default();
    if let Some(prefix) = request.prefix() {
        for entry in store.read(&prefix)?.entries {
            let rest = entry.key.strip_prefix(&prefix);
            let rest = rest.unwrap_or(&entry.key).to_owned();
            answer.entries.insert(rest, entry.value);
        }
    }
    for key in request.keys.values() {
        if let Some(entry) = store.get(key)? {
            answer.values.insert(key.clone(), entry.value);
        }
    }
    if let (true, Some(prefix)) = (answer.entries.is_empty(), request.history()) {
        answer.has_history = !store.keys(&prefix)?.is_empty();
    }
    Ok(answer)
}

/// Returns what a file keeps, in the place of an answer that did not come.
fn kept(
    question: &Question,
    file: &Path,
    error: &CommandError,
    invocation: &mut Invocation,
) -> Option<Answer> {
    let shown = file.display();
    let kept = private::read_own(file).and_then(|text| cache::parse(&question.request, &text));
    let now = invocation.settings.now;
    let reason = match kept {
        Err(reason) => reason,
        Ok(kept) => {
            let time = moment(kept.time);
            let age = now.checked_sub(kept.time);
            let refusal = match (age, question.age_maximum) {
                (Some(age), Some(maximum)) if age > maximum => {
                    let (age, maximum) = (span(age), span(maximum));
                    Some(format!(
                        "it is of {time}, {age} ago, and `--max-age` is {maximum}"
                    ))
                }
                (None, Some(_)) => Some(format!(
                    "it is of {time}, which is yet to come by the clock here"
                )),
                _ => None,
            };
            let Some(refusal) = refusal else {
                let ago = age.map_or_else(
                    || "yet to come by the clock here".to_owned(),
                    |age| format!("{} ago", span(age)),
                );
                invocation.output.warning(&format!(
                    "etcd is out of reach: what it said at {time} ({ago}) is used, from `{shown}`"
                ));
                let mut causes = vec![error.message.clone()];
                causes.extend(error.causes());
                for cause in causes {
                    let cause = crate::visible::line(&cause);
                    invocation
                        .output
                        .message(&format!("  caused by: {cause}\n"));
                }
                return Some(kept.answer);
            };
            refusal
        }
    };
    let warning = format!("`{shown}` can't be used in etcd's place: {reason}");
    invocation.output.warning(&warning);
    None
}

fn variable(name: &str) -> Result<Name, CommandError> {
    Name::new(name).map_err(|error| CommandError::trouble(error.to_string()))
}

fn path(option: &str, text: &str) -> Result<String, CommandError> {
    let path = StorePath::parse(text);
    path.map(|path| path.0)
        .map_err(|reason| CommandError::trouble(format!("{option}: {reason}")))
}
