//! What a configuration is compared with or taken from: another app, an earlier change, a file, another
//! etcd of version 3 or of version 2.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value as Json;

use crate::commands::Invocation;
use crate::commands::config::scene::Scene;
use crate::commands::connection::{tunnel, wrong};
use crate::commands::etcd::endpoints;
use crate::config::import::{self, Format, Mistake};
use crate::config::variable::{Name, Variables};
use crate::configuration::folder::Folder;
use crate::configuration::history::variables;
use crate::configuration::{OddReason, read};
use crate::error::{CommandError, Status};
use crate::files::private;
use crate::http::address::Address;
use crate::http::{Client, Limits, Method, Request};
use crate::name::AppName;
use crate::secrecy::masked;
use crate::store::{Store, Tls};
use crate::visible::line;

/// What a path of etcd's API of version 2 begins with.
const VERSION_2: &str = "/v2/keys";

/// What a configuration is compared with or taken from, as it is typed.
#[derive(Debug, Args)]
pub(super) struct SourceArgs {
    /// An app; `@NUMBER`, an earlier change; a file, which has a `.` or a `/` in its name, or `-`, the
    /// standard input; `http://host:port`, another etcd, or `http://host:port/v2/keys/environment/APP`,
    /// one of version 2
    #[arg(value_name = "APP|@NUMBER|FILE|URL")]
    pub(super) source: String,
    /// What wrote the file: dotenv, docker, json, heroku, dokku, dokku-alt or etcd2 [default: by its name,
    /// where that ends with .env or .json]
    #[arg(long = "from-format", visible_alias = "as", value_name = "FORMAT")]
    pub(super) file_format: Option<Format>,
    /// Reach the other etcd by ssh through this host
    #[arg(long, value_name = "[USER@]HOST[:PORT]")]
    from_tunnel: Option<String>,
}

/// What a source has.
pub(super) struct Found {
    pub(super) variables: Variables,
    /// Whether none was left out for its value.
    pub(super) is_whole: bool,
}

/// What is meant.
enum Source {
    Folder(Folder),
    Change(u64),
    File(PathBuf, Format),
    Etcd3 { endpoints: String, folder: Folder },
    Etcd2 { address: Address, path: String },
}

impl SourceArgs {
    /// Returns the source as a user reads it. An address may hold a password.
    pub(super) fn shown(&self) -> String {
        line(&masked(&self.source))
    }

    /// Tells whether it is the standard input.
    pub(super) fn is_input(&self) -> bool {
        self.source == "-"
    }

    /// Reads it.
    ///
    /// # Errors
    /// Says what is wrong with it, all mistakes at once, or why it can't be read.
    pub(super) fn read(
        &self,
        scene: &Scene,
        invocation: &mut Invocation,
    ) -> Result<Found, CommandError> {
        let found = match self.meant(scene)? {
            Source::Folder(folder) => {
                return self.stored(&scene.store, &folder, invocation);
            }
            Source::Change(number) => {
                let found = variables(&scene.store, &scene.folder, number)?;
                found.ok_or_else(|| {
                    let message = format!("there is no change {number} of `{}`", scene.name);
                    let help = format!("`unitgen config {} history` shows them", scene.flags);
                    CommandError::trouble(message).help(help)
                })
            }
            Source::File(path, format) => {
                let bytes = private::read(&path)?;
                self.imported(format, &bytes, invocation)
            }
            Source::Etcd3 {
                endpoints: text,
                folder,
            } => {
                let mut access = scene.etcd.access(&invocation.settings)?;
                access.endpoints = endpoints(&text, false)?;
                // Another cluster's passwords are not this one's.
                access.login = None;
                if !access.endpoints.iter().any(|endpoint| endpoint.is_secure) {
                    access.tls = Tls::default();
                }
                access.tunnel = match &self.from_tunnel {
                    Some(host) => tunnel(Some(host), None, &invocation.settings)?,
                    None => None,
                };
                return self.stored(&Store::new(access)?, &folder, invocation);
            }
            Source::Etcd2 { address, path } => {
                let bytes = self.answer(address, &path, invocation)?;
                self.imported(Format::Etcd2, &bytes, invocation)
            }
        };
        found.map(|variables| Found {
            variables,
            is_whole: true,
        })
    }

    fn meant(&self, scene: &Scene) -> Result<Source, CommandError> {
        let text = self.source.as_str();
        if let Some((name, _)) = text.split_once('=')
            && Name::new(name).is_ok()
        {
            let message = format!("`{name}=…` is no source");
            return Err(CommandError::trouble(message).help(
                "`unitgen config set` sets variables; a file's name with `=` begins with `./`",
            ));
        }
        if self.file_format.is_some() && (text.starts_with('@') || text.contains("://")) {
            let message = format!("{} is no file, and has no format", self.shown());
            return Err(CommandError::trouble(message).help("leave `--from-format` away"));
        }
        if let Some(number) = text.strip_prefix('@') {
            let number = number.parse().map_err(|_| {
                CommandError::trouble(format!("`{text}` is no change"))
                    .help("write its number: `@3`")
            })?;
            return Ok(Source::Change(number));
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            return self.address(scheme, rest, scene);
        }
        if let (Ok(app), None) = (AppName::new(text), self.file_format) {
            return Ok(Source::Folder(Folder::of_app(&app)));
        }
        let format = match self.file_format {
            Some(format) => format,
            None if ends_with(text, ".env") => Format::Dotenv,
            None if ends_with(text, ".json") => Format::Json,
            None => {
                let names = Format::ALL.map(Format::word).join(", ");
                let message = format!("it is not said what wrote `{}`", self.shown());
                let help = format!("say it with `--from-format`: {names}");
                return Err(CommandError::trouble(message).help(help));
            }
        };
        Ok(Source::File(PathBuf::from(text), format))
    }

    fn address(&self, scheme: &str, rest: &str, scene: &Scene) -> Result<Source, CommandError> {
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let path = path.split('?').next().unwrap_or_default();
        let path = path.trim_end_matches('/');
        if scheme == "unix" || self.source.contains(',') || path.is_empty() {
            return Ok(Source::Etcd3 {
                endpoints: self.source.clone(),
                folder: scene.folder.clone(),
            });
        }
        let Some(inner) = path.strip_prefix(VERSION_2) else {
            let folder = Folder::at(path).map_err(CommandError::trouble)?;
            return Ok(Source::Etcd3 {
                endpoints: format!("{scheme}://{authority}"),
                folder,
            });
        };
        let address = Address::parse(&format!("{scheme}://{authority}")).map_err(|error| {
            let is_secure = scheme == "https";
            let error = wrong(error);
            if is_secure {
                error.help(
                    "fetch it with curl, and import the answer: `curl … | unitgen config import \
                     --from-format etcd2 -`",
                )
            } else {
                error
            }
        })?;
        let path = match inner {
            "" => scene.folder.to_string(),
            inner => inner.to_owned(),
        };
        Ok(Source::Etcd2 { address, path })
    }

    /// Reads a folder, which must not be empty: that it was mistyped is more likely.
    fn stored(
        &self,
        store: &Store,
        folder: &Folder,
        invocation: &mut Invocation,
    ) -> Result<Found, CommandError> {
        let found = read(store, folder).map_err(|error| {
            // The help is about this app's own etcd.
            CommandError {
                help: None,
                ..error.under(format!("can't read {}", self.shown()))
            }
        })?;
        for odd in &found.odd {
            let warning = format!("{}: in `{folder}`, {odd}: it is left out", self.shown());
            invocation.output.warning(&warning);
        }
        if found.is_empty() {
            return Err(self.absent(folder));
        }
        let mut odd = found.odd.iter();
        let is_whole = !odd.any(|odd| matches!(odd.reason, OddReason::Value(_)));
        Ok(Found {
            variables: found.variables,
            is_whole,
        })
    }

    fn absent(&self, folder: impl std::fmt::Display) -> CommandError {
        let message = format!("{}: there is nothing below `{folder}/`", self.shown());
        let mut error = CommandError::trouble(message);
        error.status = Status::Found;
        error
    }

    /// Asks an etcd of version 2 for a directory.
    fn answer(
        &self,
        address: Address,
        path: &str,
        invocation: &Invocation,
    ) -> Result<Vec<u8>, CommandError> {
        let tunnel = match &self.from_tunnel {
            Some(host) => tunnel(Some(host), None, &invocation.settings)?,
            None => None,
        };
        let mut client = Client::new(address, tunnel, Limits::default());
        let request = format!("{VERSION_2}{}?recursive=true&quorum=true", encoded(path));
        let response = client.send(Request {
            method: Method::Get,
            path: &request,
            body: None,
        });
        let what = format!("can't read {}", self.shown());
        let response =
            response.map_err(|failure| CommandError::remote(what.clone()).because(failure))?;
        if response.status == 200 {
            return Ok(response.body);
        }
        let answer: Json = serde_json::from_slice(&response.body).unwrap_or_default();
        // Key not found.
        if answer["errorCode"] == 100 {
            return Err(self.absent(path));
        }
        let said = answer["message"].as_str().unwrap_or("no word of etcd's");
        let cause = format!("status {}: {}", response.status, line(said));
        let error = CommandError::remote(what).because(cause);
        Err(if response.status == 404 {
            error.help("etcd serves version 2 only where it was started with `--enable-v2`")
        } else {
            error
        })
    }

    fn imported(
        &self,
        format: Format,
        bytes: &[u8],
        invocation: &mut Invocation,
    ) -> Result<Variables, CommandError> {
        let shown = self.shown();
        let told = |mistake: &Mistake| format!("{shown}: {mistake}");
        match import::read(format, bytes) {
            Ok(imported) => {
                for warning in &imported.warnings {
                    invocation.output.warning(&told(warning));
                }
                Ok(imported.variables)
            }
            Err(mistakes) => Err(mistaken(&shown, format, &mistakes, invocation)),
        }
    }
}

/// Says all that is wrong in a text, and returns the error of it.
pub(super) fn mistaken(
    shown: &str,
    format: Format,
    mistakes: &[Mistake],
    invocation: &mut Invocation,
) -> CommandError {
    for mistake in mistakes {
        let word = match mistake.severity {
            crate::diagnostic::Severity::Error => "error",
            crate::diagnostic::Severity::Warning => "warning",
        };
        let mistake = line(&mistake.to_string());
        invocation
            .output
            .message(&format!("{word}: {shown}: {mistake}\n"));
    }
    CommandError::trouble(format!("{shown} can't be read as {format}"))
}

fn ends_with(path: &str, ending: &str) -> bool {
    let name = Path::new(path).file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.ends_with(ending))
}

/// Writes a path as a URL has it.
fn encoded(path: &str) -> String {
    let one = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    path.bytes().map(one).collect()
}
