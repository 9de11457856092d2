//! How variables are handed to a program that takes this one's place: by its environment, and to a
//! container by the options of the client that creates it.
//!
//! In: variables, the program's words, and the environment that there is. Out: its words, its
//! environment, and what goes by a file in memory. No value gets into a word.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::config::export::{self, Format, Refusal, Text};
use crate::config::steering::{Reader, reader};
use crate::config::variable::{Name, Value, Variables};
use crate::env::answer::Given;
use crate::env::client::{Client, named};
use crate::env::limit;
use crate::env::request::Request;

/// An environment, in its order.
pub type Environment = Vec<(OsString, OsString)>;

/// Why a variable is refused that any program is steered by.
pub const STEERS: &str = "it would steer the program itself, its loader or a shell";

/// Why a variable is refused that a client's helpers are steered by.
pub const STEERS_CLIENT: &str = "it would steer the client's own helpers";

/// What a program is to have.
pub struct Handed {
    /// Its environment. It is full of secrets.
    pub environment: Environment,
    /// The variables that go by a file, as docker reads it.
    pub file: Option<Text>,
    /// What was meant otherwise, and is so.
    pub warnings: Vec<String>,
    /// The options that name variables, and the word before which they are to stand.
    options: Option<(usize, Vec<OsString>)>,
}

impl Handed {
    /// Returns the program's words; `file` is the path at which it finds the file.
    #[must_use]
    pub fn words(&self, words: &[OsString], file: Option<&str>) -> Vec<OsString> {
        let mut all = words.to_vec();
        if let Some((at, options)) = &self.options {
            let file = file.map(|path| [OsString::from("--env-file"), path.into()]);
            let added = file.into_iter().flatten().chain(options.iter().cloned());
            all.splice(*at..*at, added);
        }
        all
    }
}

/// Hands variables to a client whose verb ends before a word. What would steer the client goes by a file.
///
/// # Errors
/// Returns all variables that can't be handed on.
pub fn to_client(
    client: Client,
    behind_verb: usize,
    words: &[OsString],
    given: &Given,
    environment: Environment,
) -> Result<Handed, Vec<Refusal>> {
    let all = given.all();
    let steers = |name: &Name| reader(name.as_str()).is_some();
    let pairs = |wanted: bool| {
        let pairs = all.iter().filter(move |(name, _)| steers(name) == wanted);
        pairs.map(|(name, value)| (name.clone(), value.clone()))
    };
    let by_file: Variables = pairs(true).collect();
    let by_name: Variables = pairs(false).collect();
    let mut refusals = long(&by_name);
    if client == Client::Podman {
        refusals.extend(torn_by_podman(&by_file));
    }
    let file = match export::write(Format::Docker, &by_file) {
        Ok(text) => Some(text).filter(|_| !by_file.is_empty()),
        Err(refused) => {
            let known = |refusal: &Refusal| refusals.iter().any(|r| r.name == refusal.name);
            let new: Vec<Refusal> = refused.into_iter().filter(|r| !known(r)).collect();
            refusals.extend(new);
            None
        }
    };
    if !refusals.is_empty() {
        refusals.sort_by(|a, b| a.name.cmp(&b.name));
        return Err(refusals);
    }
    let overridden = named(words.get(behind_verb..).unwrap_or_default());
    let mut overridden: Vec<&str> = overridden
        .filter(|name| by_file.iter().any(|(own, _)| own.as_str() == *name))
        .collect();
    overridden.sort_unstable();
    overridden.dedup();
    let has_file = |word: &OsString| {
        let word = word.to_string_lossy();
        word == "--env-file" || word.starts_with("--env-file=")
    };
    let beaten = !by_file.is_empty()
        && words
            .get(behind_verb..)
            .unwrap_or_default()
            .iter()
            .any(has_file);
    let beaten = beaten.then(|| {
        let names: Vec<String> = by_file
            .iter()
            .map(|(name, _)| format!("`{name}`"))
            .collect();
        format!(
            "{} would steer the client and goes to the container by a file: what the command's own \
             `--env-file` says of it goes before the configuration",
            names.join(", ")
        )
    });
    let warnings = overridden.iter().map(|name| {
        format!(
            "`-e {name}` on the command line goes before the configuration's `{name}`, which would steer \
             the client and goes to the container by a file"
        )
    });
    let options = by_name
        .iter()
        .flat_map(|(name, _)| ["-e".into(), name.as_str().into()]);
    Ok(Handed {
        warnings: warnings.chain(beaten).collect(),
        file,
        options: Some((behind_verb, options.collect())),
        environment: merged(environment, &by_name),
    })
}

/// Hands variables to any other program. What would steer it is refused, but where the unit's author
/// named a key for it.
///
/// # Errors
/// Returns all variables that can't be handed on.
pub fn to_other(
    words: &[OsString],
    request: &Request,
    given: &Given,
    environment: Environment,
) -> Result<Handed, Vec<Refusal>> {
    let all = given.all();
    let mut refusals = long(&all);
    // A client with another verb, or behind another program.
    let is_client = client_behind(words).is_some();
    refusals.extend(steering(request, given, is_client));
    refusals.sort_by(|a, b| a.name.cmp(&b.name));
    refusals.dedup_by(|a, b| a.name == b.name);
    if !refusals.is_empty() {
        return Err(refusals);
    }
    Ok(Handed {
        environment: merged(environment, &all),
        file: None,
        warnings: Vec::new(),
        options: None,
    })
}

/// Programs that run the one behind their own words.
const WRAPPERS: [&str; 15] = [
    "chroot",
    "chrt",
    "env",
    "flock",
    "ionice",
    "nice",
    "nohup",
    "runuser",
    "setpriv",
    "setsid",
    "stdbuf",
    "sudo",
    "systemd-cat",
    "time",
    "timeout",
];

/// Returns the client that a command is, or that it runs behind another program.
#[must_use]
pub fn client_behind(words: &[OsString]) -> Option<&OsString> {
    let (first, rest) = words.split_first()?;
    if Client::of(first).is_some() {
        return Some(first);
    }
    let name = first.to_str()?.rsplit('/').next()?;
    let mut rest = rest.iter().filter(|_| WRAPPERS.contains(&name));
    rest.find(|word| Client::of(word).is_some())
}

/// Returns the app's variables that would steer a program, or a client, and that the unit's author did not
/// name a key for.
#[must_use]
pub fn steering(request: &Request, given: &Given, is_client: bool) -> Vec<Refusal> {
    let steers = |name: &Name| match reader(name.as_str()) {
        Some(Reader::Any) => !request.is_meant(name),
        Some(Reader::Client) => is_client && !request.is_meant(name),
        None => false,
    };
    let steering = given.config.iter().filter(|(name, _)| steers(name));
    let refusal = |(name, _): (&Name, &Value)| Refusal {
        name: name.clone(),
        reason: match reader(name.as_str()) {
            Some(Reader::Client) => STEERS_CLIENT,
            _ => STEERS,
        },
    };
    steering.map(refusal).collect()
}

/// Returns the variables that no environment can hold.
fn long(variables: &Variables) -> Vec<Refusal> {
    let long = variables
        .iter()
        .filter(|(name, value)| limit::is_too_long(name, value));
    let refusal = |(name, _): (&Name, &Value)| Refusal {
        name: name.clone(),
        reason: "name and value have more than the 128 KiB that the kernel allows",
    };
    long.map(refusal).collect()
}

/// Returns the variables that some versions of podman (4.6, 4.7) read otherwise than docker: they know
/// quotes and comments, end lines at carriage returns, and take an empty value for the client's own.
fn torn_by_podman(variables: &Variables) -> Vec<Refusal> {
    let is_torn = |value: &Value| {
        let bytes = value.as_bytes();
        let blank = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_whitespace);
        let special = |byte: &u8| matches!(byte, b'"' | b'\'' | b'`' | b'#' | b'\r');
        blank(bytes.first()) || blank(bytes.last()) || bytes.iter().any(special)
    };
    let torn = variables.iter().filter(|(_, value)| is_torn(value));
    let refusal = |(name, _): (&Name, &Value)| Refusal {
        name: name.clone(),
        reason: "it goes by a file, from which versions of podman read an empty value, quotes, `#`, \
                 carriage returns and outer white space otherwise",
    };
    torn.map(refusal).collect()
}

/// Lays variables over an environment.
fn merged(environment: Environment, variables: &Variables) -> Environment {
    let mut merged = environment;
    merged.retain(|(name, _)| {
        let own = |variable: &Name| OsStr::new(variable.as_str()) == name.as_os_str();
        !variables.iter().any(|(variable, _)| own(variable))
    });
    merged.extend(variables.iter().map(|(name, value)| {
        let value = OsStr::from_bytes(value.as_bytes());
        (OsString::from(name.as_str()), value.to_owned())
    }));
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| (Name::new(*name).unwrap(), Value::new(*value).unwrap()))
            .collect()
    }

    #[test]
    fn a_client_keeps_its_own_and_the_container_gets_all() {
        let given = Given {
            config: variables(&[("B", "secret"), ("PATH", "/evil")]),
            named: variables(&[("A", "s"), ("B", "no"), ("DOCKER_HOST", "tcp://a")]),
        };
        let words: Vec<OsString> = ["docker", "run", "-e", "PATH", "image"]
            .map(Into::into)
            .into();
        let own = vec![("PATH".into(), "/bin".into()), ("A".into(), "old".into())];
        let handed = to_client(Client::Docker, 2, &words, &given, own).unwrap_or_else(|_| panic!());
        let all = handed.words(&words, Some("/file"));
        let all: Vec<&str> = all.iter().map(|word| word.to_str().unwrap()).collect();
        let expected = "docker run --env-file /file -e A -e B -e PATH image";
        assert_eq!(all.join(" "), expected);
        let pairs = [("PATH", "/bin"), ("A", "s"), ("B", "secret")];
        assert_eq!(handed.environment, pairs.map(|(n, v)| (n.into(), v.into())));
        let file = handed.file.unwrap();
        assert_eq!(file.as_bytes(), b"DOCKER_HOST=tcp://a\nPATH=/evil\n");
        assert_eq!(handed.warnings.len(), 1);
    }

    #[test]
    fn another_program_is_not_steered_but_by_the_unit() {
        let given = Given {
            config: variables(&[("LANG", "C"), ("TZ", "UTC"), ("AWS_REGION", "a")]),
            named: variables(&[("PATH", "/bin")]),
        };
        let mut request = Request {
            folder: Some("/environment/hub".to_owned()),
            ..Request::default()
        };
        let meant = Name::new("TZ").unwrap();
        request.keys.insert(meant, "/environment/hub/TZ".to_owned());
        let refused = to_other(&[], &request, &given, Vec::new()).err().unwrap();
        let names: Vec<&str> = refused.iter().map(|r| r.name.as_str()).collect();
        assert_eq!(names, ["LANG"]);
    }
}
