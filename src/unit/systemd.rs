//! Unit-file text as systemd 252 reads it.
//!
//! In: a parsed file, the unit's name, what is known of the host. Out: whether
//! the unit loads, the commands, environment and single values it ends up
//! with, and a warning for everything systemd complains about, by line.
//!
//! It must not know other units, drop-ins, what is installed, or what happens
//! when a unit is started.

use std::collections::BTreeMap;

use crate::directive::{Form, form, known};
use crate::unit::name::UnitName;
use crate::unit::specifier::Host;
use crate::unit::systemd::complaint::{Complaint, Rejection, RejectionReason, Warning};
use crate::unit::systemd::environment::Environment;
use crate::unit::systemd::exec::ExecCommand;
use crate::unit::systemd::value::{Outcome, Place};
use crate::unit::unescape::is_noncharacter;
use crate::unit::{Assignment, Content, Item, UnitFile};

mod calendar;
pub mod complaint;
pub mod environment;
pub mod exec;
mod limit;
mod names;
mod other;
mod path;
mod paths;
mod refusal;
pub(crate) mod scalar;
mod value;

/// Tells what becomes of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is loaded, perhaps with warnings.
    Loaded,
    /// It is loaded but can never be started.
    BadSetting,
    /// The file cannot be read at all.
    Error,
    /// The file is empty, which masks the unit.
    Masked,
}

/// Holds what systemd makes of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Whether it can be loaded.
    pub verdict: Verdict,
    /// Why the whole file is refused, if it is.
    pub rejection: Option<Rejection>,
    /// Everything systemd complains about, in its order.
    pub warnings: Vec<Warning>,
    /// The commands of each `Exec…=` directive that has any.
    pub commands: BTreeMap<&'static str, Vec<ExecCommand>>,
    /// The assignments of `Environment=`, each name once.
    pub environment: Vec<String>,
    /// The files of `EnvironmentFile=`, `-` included.
    pub environment_files: Vec<String>,
    /// The accepted single values by section and name, the last one of each;
    /// specifiers are expanded where systemd does.
    pub values: BTreeMap<(&'static str, &'static str), String>,
}

/// Returns the directives as they reach systemd's value parsers, those of
/// unknown sections included.
///
/// # Errors
///
/// Returns why systemd refuses the whole file.
pub fn entries<'a>(file: &'a UnitFile<'_>) -> Result<Vec<Assignment<'a>>, Rejection> {
    for item in file.items() {
        check_item(item)?;
    }
    let known = file.assignments().filter(|one| one.section.is_some());
    Ok(known.collect())
}

/// Reads a file as systemd does when it loads the unit.
#[must_use]
pub fn read(file: &UnitFile<'_>, unit: &UnitName, host: &Host) -> Reading {
    read_until(file, unit, host, true)
}

/// Reads a file as systemd would if it went on behind a line for which it refuses the unit: to tell
/// of all such lines at once.
#[must_use]
pub fn read_on(file: &UnitFile<'_>, unit: &UnitName, host: &Host) -> Reading {
    read_until(file, unit, host, false)
}

fn read_until(file: &UnitFile<'_>, unit: &UnitName, host: &Host, stops: bool) -> Reading {
    let mut loader = Loader {
        unit,
        host,
        section: Section::None,
        environment: Environment::default(),
        counts: BTreeMap::new(),
        reading: Reading {
            verdict: Verdict::Loaded,
            rejection: None,
            warnings: Vec::new(),
            commands: BTreeMap::new(),
            environment: Vec::new(),
            environment_files: Vec::new(),
            values: BTreeMap::new(),
        },
    };
    loader.reading.verdict = if file.items().is_empty() {
        Verdict::Masked
    } else {
        loader.load(file, stops)
    };
    loader.reading.environment = loader.environment.into_assignments();
    loader.reading
}

/// Checks what can spoil a whole file.
fn check_item(item: &Item<'_>) -> Result<(), Rejection> {
    let reject = |reason| {
        Err(Rejection {
            line: item.last_line,
            reason,
        })
    };
    if !item.within_limits {
        return reject(RejectionReason::LineTooLong);
    }
    let is_valid = match &item.content {
        Content::Blank | Content::Comment => true,
        Content::Section(text) | Content::Malformed(text) => is_text(text),
        Content::Assignment { name, value } => is_text(name) && is_text(value),
    };
    if !is_valid {
        return reject(RejectionReason::NotText);
    }
    match &item.content {
        Content::Malformed(text) if text.starts_with(b"[") => {
            reject(RejectionReason::UnclosedHeader)
        }
        Content::Section(name) if !path::is_safe(name) => reject(RejectionReason::HeaderCharacter),
        _ => Ok(()),
    }
}

/// Tells whether systemd takes the bytes for text.
pub(in crate::unit) fn is_text(bytes: &[u8]) -> bool {
    bytes.is_ascii()
        || std::str::from_utf8(bytes).is_ok_and(|text| !text.chars().any(is_noncharacter))
}

/// Returns bytes as they are shown in a message.
fn shown(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// Where the lines that follow belong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section<'a> {
    /// There was no header yet.
    None,
    /// A section of no interest.
    Ignored,
    /// A section the unit's type has.
    Known(&'a str),
}

struct Loader<'a> {
    unit: &'a UnitName,
    host: &'a Host,
    section: Section<'a>,
    environment: Environment,
    /// How many members the lists have of which only that matters.
    counts: BTreeMap<Form, usize>,
    reading: Reading,
}

impl<'a> Loader<'a> {
    fn load(&mut self, file: &'a UnitFile<'_>, stops: bool) -> Verdict {
        let mut verdict = Verdict::Loaded;
        for item in file.items() {
            if let Err(rejection) = check_item(item) {
                if let Some(text) = rejection.reason.complaint(item) {
                    self.warn(Complaint::File, rejection.line, text);
                }
                self.reading.rejection = Some(rejection);
                return Verdict::Error;
            }
            verdict = match self.take(item) {
                Outcome::Fatal => Verdict::BadSetting,
                Outcome::Unreadable => Verdict::Error,
                Outcome::Accepted(_) | Outcome::Dropped => continue,
            };
            if let Some(last) = self.reading.warnings.last_mut() {
                last.is_fatal = true;
            }
            if stops {
                return verdict;
            }
        }
        if verdict != Verdict::Loaded {
            // What the unit lacks then only follows.
            return verdict;
        }
        match refusal::refusal(self.unit, &self.reading, &self.counts) {
            None => Verdict::Loaded,
            Some(reason) => {
                let text = format!("{}: {reason} Refusing.", self.unit);
                self.warn(Complaint::Unit, 0, text);
                Verdict::BadSetting
            }
        }
    }

    fn warn(&mut self, complaint: Complaint, line: usize, text: String) {
        self.reading.warnings.push(Warning {
            complaint,
            is_fatal: matches!(complaint, Complaint::File | Complaint::Unit),
            line,
            text,
        });
    }

    fn take(&mut self, item: &'a Item<'_>) -> Outcome {
        let line = item.last_line;
        match (&item.content, self.section) {
            (Content::Section(name), _) => self.enter(name, line),
            (Content::Blank | Content::Comment, _) | (_, Section::Ignored) => {}
            (_, Section::None) => {
                let text = "Assignment outside of section. Ignoring.";
                self.warn(Complaint::Outside, line, text.to_owned());
            }
            (Content::Malformed(text), Section::Known(_)) => {
                let text = if text.starts_with(b"=") {
                    "Missing key name before '=', ignoring line."
                } else {
                    "Missing '=', ignoring line."
                };
                self.warn(Complaint::NoAssignment, line, text.to_owned());
            }
            (Content::Assignment { name, value }, Section::Known(section)) => {
                return self.assign(section, &shown(name), value, line);
            }
        }
        Outcome::Dropped
    }

    fn enter(&mut self, name: &'a [u8], line: usize) {
        let name = std::str::from_utf8(name).unwrap_or_default();
        self.section = if is_section(name, self.unit.kind_of_unit()) {
            Section::Known(name)
        } else {
            if !name.starts_with("X-") {
                let text = format!("Unknown section '{name}'. Ignoring.");
                self.warn(Complaint::Section, line, text);
            }
            Section::Ignored
        };
    }

    fn assign(&mut self, section: &str, name: &str, value: &[u8], line: usize) -> Outcome {
        let Some((form, (section, name))) = form(section, name).zip(known(section, name)) else {
            if !name.starts_with("X-") {
                let text = format!("Unknown key '{name}' in section [{section}], ignoring.");
                self.warn(Complaint::Key, line, text);
            }
            return Outcome::Dropped;
        };
        let mut place = Place {
            unit: self.unit,
            host: self.host,
            name,
            line,
            warnings: &mut self.reading.warnings,
        };
        match form {
            Form::Exec => {
                let commands = self.reading.commands.entry(name).or_default();
                let outcome = exec::assign(value, &mut place, commands);
                if commands.is_empty() {
                    self.reading.commands.remove(name);
                }
                outcome
            }
            Form::Environment => {
                self.environment.assign(value, &mut place);
                Outcome::Dropped
            }
            Form::EnvironmentFile => {
                environment::assign_file(value, &mut place, &mut self.reading.environment_files);
                Outcome::Dropped
            }
            _ => {
                let outcome = value::check(form, value, &mut place);
                self.keep(form, (section, name), value.is_empty(), &outcome);
                outcome
            }
        }
    }

    fn keep(
        &mut self,
        form: Form,
        key: (&'static str, &'static str),
        empty: bool,
        outcome: &Outcome,
    ) {
        let Outcome::Accepted(value) = outcome else {
            return;
        };
        // Timers and calendars are one list.
        let form = if form == Form::Calendar {
            Form::Timer
        } else {
            form
        };
        let count = self.counts.entry(form).or_default();
        *count = if empty { 0 } else { *count + 1 };
        self.reading.values.insert(key, shown(value).into_owned());
    }
}

/// Tells whether units of the type have the section.
#[must_use]
pub fn is_section(name: &str, kind: &str) -> bool {
    let own = match kind {
        "service" => "Service",
        "socket" => "Socket",
        "timer" => "Timer",
        "path" => "Path",
        "mount" => "Mount",
        "automount" => "Automount",
        "swap" => "Swap",
        "slice" => "Slice",
        "scope" => "Scope",
        "target" => "Target",
        "device" => "Device",
        _ => "",
    };
    name == "Unit" || name == "Install" || (name == own && !own.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(unit: &str, text: &str) -> Reading {
        read(
            &UnitFile::parse(text),
            &UnitName::new(unit).unwrap(),
            &Host::unknown(),
        )
    }

    /// Asserts the verdict and the lines with warnings.
    #[track_caller]
    fn case(text: &str, verdict: Verdict, lines: &[usize]) {
        let reading = reading("t.service", text);
        let found: Vec<_> = reading
            .warnings
            .iter()
            .map(|warning| warning.line)
            .collect();
        assert_eq!(
            (reading.verdict, found.as_slice()),
            (verdict, lines),
            "{text}\n{:?}",
            reading.warnings
        );
    }

    const START: &str = "[Service]\nExecStart=/bin/true\n";

    #[test]
    fn sections_are_known_ignored_or_warned_about() {
        case(
            &format!("{START}[X-Any]\nno equals\n=b\n"),
            Verdict::Loaded,
            &[],
        );
        case(
            &format!("{START}[Fleet]\nno equals\n"),
            Verdict::Loaded,
            &[3],
        );
        case(&format!("{START}[]\na=b\n"), Verdict::Loaded, &[3]);
        case(
            &format!("[ Unit ]\nDescription=a\n{START}"),
            Verdict::Loaded,
            &[1],
        );
        case(&format!("[Timer]\n{START}"), Verdict::Loaded, &[1]);
        case(
            &format!("{START}[Install]\nWantedBy=a.target\nFoo=b\n"),
            Verdict::Loaded,
            &[5],
        );
    }

    #[test]
    fn some_lines_spoil_the_file() {
        case(&format!("{START}[Unit\n"), Verdict::Error, &[3]);
        case(&format!("{START}[Unit] # a\n"), Verdict::Error, &[3]);
        case(&format!("{START}[X-'a']\n"), Verdict::Error, &[3]);
        case(&format!("{START}# \u{fffe}\n"), Verdict::Loaded, &[]);
        case(&format!("{START}[X-A]\na=\u{fffe}\n"), Verdict::Error, &[4]);
        let long = "a".repeat(1024 * 1024);
        case(&format!("{START}#{long}\n"), Verdict::Error, &[]);
        let file = UnitFile::parse(b"[A]\nb=\xff\n");
        let rejection = entries(&file).unwrap_err();
        assert_eq!(
            (rejection.line, rejection.reason),
            (2, RejectionReason::NotText)
        );
    }

    #[test]
    fn lines_that_say_nothing_are_warned_about() {
        case(&format!("a=b\nc\n{START}"), Verdict::Loaded, &[1, 2]);
        case(
            &format!("{START}word\n=x\nX-Note=1\nexecstart=/a\n"),
            Verdict::Loaded,
            &[3, 4, 6],
        );
        case(
            &format!("{START}Descr\\\niption=x\n"),
            Verdict::Loaded,
            &[4],
        );
        case("", Verdict::Masked, &[]);
    }

    #[test]
    fn entries_are_those_of_every_section() {
        let file = UnitFile::parse("a=b\n[X-A]\nc=d\nword\n[B]\ne=f \\\n g\n");
        let entries = entries(&file).unwrap();
        let lines: Vec<_> = entries
            .iter()
            .map(|one| {
                let [section, name, value] = [one.section.unwrap(), one.name, one.value].map(shown);
                format!("{} {section} {name}={value}", one.last_line)
            })
            .collect();
        assert_eq!(lines, ["3 X-A c=d", "7 B e=f   g"]);
    }

    #[test]
    fn a_fatal_setting_ends_the_reading() {
        let text = "[Service]\nFoo=1\nExecStart=relative/path\nBar=1\n";
        case(text, Verdict::BadSetting, &[2, 3]);
        case(
            "[Service]\nUser=a:b\nExecStart=/a\n",
            Verdict::BadSetting,
            &[2],
        );
        case(
            "[Service]\nDynamicUser=maybe\nExecStart=/a\n",
            Verdict::BadSetting,
            &[2],
        );
        case(
            "[Service]\nWorkingDirectory=a\nExecStart=/a\n",
            Verdict::BadSetting,
            &[2],
        );
        case(
            "[Service]\nWorkingDirectory=-a\nExecStart=/a\n",
            Verdict::Loaded,
            &[2],
        );
        case(
            "[Service]\nPIDFile=../a\nExecStart=/a\n",
            Verdict::Error,
            &[2],
        );
    }

    #[test]
    fn services_need_the_right_number_of_commands() {
        let bad = Verdict::BadSetting;
        case("[Service]\n", bad, &[0]);
        case("[Service]\nExecStart=/a\nExecStart=/b\n", bad, &[0]);
        case("[Service]\nExecStart=/a ; /b\n", bad, &[0]);
        case(
            "[Service]\nType=oneshot\nExecStart=/a\nExecStart=/b\n",
            Verdict::Loaded,
            &[],
        );
        case(
            "[Service]\nExecStart=/a\nExecStart=\nExecStart=/b\n",
            Verdict::Loaded,
            &[],
        );
        case("[Service]\nExecStop=/a\n", bad, &[0]);
        case(
            "[Service]\nExecStop=/a\nRemainAfterExit=yes\n",
            Verdict::Loaded,
            &[],
        );
        case(
            "[Service]\nType=simple\nExecStop=/a\nRemainAfterExit=yes\n",
            bad,
            &[0],
        );
        case(
            "[Unit]\nSuccessAction=reboot\n[Service]\n",
            Verdict::Loaded,
            &[],
        );
    }

    #[test]
    fn some_settings_exclude_each_other() {
        let service = |lines: &str| format!("{START}{lines}\n");
        let bad = Verdict::BadSetting;
        case(&service("Type=oneshot\nRestart=always"), bad, &[0]);
        case(&service("Type=oneshot\nRestart=on-success"), bad, &[0]);
        case(
            &service("Type=oneshot\nRestart=on-failure"),
            Verdict::Loaded,
            &[],
        );
        case(
            &service("Type=oneshot\nRestartForceExitStatus=1"),
            bad,
            &[0],
        );
        case(&service("Type=oneshot\nExitType=cgroup"), bad, &[0]);
        case(&service("Type=dbus"), bad, &[0]);
        case(&service("Type=dbus\nBusName=a.b"), Verdict::Loaded, &[]);
        case(&service("PAMName=a\nKillMode=process"), bad, &[0]);
    }

    #[test]
    fn other_units_need_their_lists() {
        let verdict = |unit, text| reading(unit, text).verdict;
        assert_eq!(
            verdict("a.timer", "[Timer]\nOnBootSec=1\n"),
            Verdict::Loaded
        );
        assert_eq!(
            verdict("a.timer", "[Timer]\nOnClockChange=yes\n"),
            Verdict::Loaded
        );
        assert_eq!(
            verdict("a.timer", "[Timer]\nOnCalendar=daily\nOnBootSec=\n"),
            Verdict::BadSetting
        );
        assert_eq!(
            verdict("a.path", "[Path]\nPathExists=/a\n"),
            Verdict::Loaded
        );
        assert_eq!(
            verdict("a.path", "[Path]\nPathExists=a\n"),
            Verdict::BadSetting
        );
        assert_eq!(
            verdict("a.socket", "[Socket]\nListenStream=80\n"),
            Verdict::Loaded
        );
        assert_eq!(
            verdict("a.socket", "[Socket]\nAccept=yes\n"),
            Verdict::BadSetting
        );
        assert_eq!(
            verdict("a.target", "[Unit]\nDescription=a\n"),
            Verdict::Loaded
        );
    }

    #[test]
    fn the_last_single_value_wins() {
        let reading = reading(
            "a@7.service",
            &format!(
                "[Unit]\nDescription=a\nDescription=b %i %%\n{START}Restart=always\nRestart=maybe\n"
            ),
        );
        let value = |section, name| reading.values[&(section, name)].clone();
        assert_eq!(value("Unit", "Description"), "b 7 %");
        assert_eq!(value("Service", "Restart"), "always");
    }

    #[test]
    fn size_costs_no_more_than_its_share() {
        let many = format!(
            "[Service]\nExecStart=/a\n{}",
            "Environment=A=1 B=2 C=3\nFoo=1\nAfter=b.service\n".repeat(30_000)
        );
        let result = reading("t.service", &many);
        assert_eq!(result.environment.len(), 3);
        let mut names = String::new();
        for index in 0..30_000 {
            names.extend([" V", &index.to_string(), "=1"]);
        }
        let wide = format!(
            "[Service]\nExecStart=/a{}\nEnvironment={names}\n",
            " \\d".repeat(100_000)
        );
        assert_eq!(reading("t.service", &wide).environment.len(), 30_000);
    }
}
