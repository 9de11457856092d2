//! Carries out what was planned, app by app: its release is begun, its unit files are stored, its instances
//! are brought to what they should be, what is left over is destroyed, and the release ends.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::{SystemTime, Time};
use crate::cluster::fleet::Fleet;
use crate::commands::Invocation;
use crate::commands::connection::Connection;
use crate::commands::rollout::Format;
use crate::commands::rollout::register::Register;
use crate::commands::rollout::teller::Teller;
use crate::deploy::{Report, Rollout, Rules, Stop};
use crate::error::{CommandError, Status};
use crate::interruption::Interruption;
use crate::journal::{self, Entry};
use crate::lock::Lock;
use crate::plan::file::FilePlace;
use crate::rollout::{Plan, ProcessPlan};
use crate::state::RegistryName;
use crate::submit::{self, Task, Way, submit};
use crate::tell::deploy as words;
use crate::tell::deploy::events::{self, Beginning, Stage};

/// For how long a request is sent again that may succeed later.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is to be done.
pub(in crate::commands) struct Course<'a> {
    /// The cluster, as a user reads it.
    pub(in crate::commands) cluster: String,
    /// What it is called: `deploy`.
    pub(in crate::commands) action: String,
    pub(in crate::commands) format: Format,
    /// The apps, in their order.
    pub(in crate::commands) apps: Vec<AppCourse>,
    /// Where the manifest asks for units.
    pub(in crate::commands) places: BTreeMap<RegistryName, FilePlace>,
    pub(in crate::commands) connection: &'a Connection,
    pub(in crate::commands) register: Option<&'a Register>,
    pub(in crate::commands) lock: Option<&'a Lock>,
}

/// What is to be done about an app.
#[derive(Debug, Default)]
pub(in crate::commands) struct AppCourse {
    pub(in crate::commands) app: String,
    /// Unit files to be stored.
    pub(in crate::commands) files: Vec<Task>,
    /// Steps of its instances.
    pub(in crate::commands) processes: Vec<ProcessPlan>,
    /// Unit files to be destroyed in the end.
    pub(in crate::commands) leftovers: Vec<Task>,
    /// The release that this is, where it is one.
    pub(in crate::commands) entry: Option<Entry>,
}

/// What was done.
#[derive(Default)]
struct Doings {
    has_changed: bool,
    /// Why it did not come to a good end, so far.
    status: Option<Status>,
    stop: Option<Stop>,
    summary: String,
    reports: Vec<Report>,
}

impl Course<'_> {
    fn plan(&self) -> Plan {
        let processes = self.apps.iter().flat_map(|app| &app.processes);
        Plan {
            processes: processes.cloned().collect(),
        }
    }

    /// Counts the unit files that are to be changed.
    fn files(&self) -> usize {
        let apps = self.apps.iter();
        apps.map(|app| app.files.len() + app.leftovers.len()).sum()
    }

    /// Says what would be done.
    pub(in crate::commands) fn rehearse(&self, invocation: &mut Invocation) {
        let plan = self.plan();
        let colored = invocation.output.colored_results;
        let mut text = String::new();
        if self.format == Format::Json {
            text.push_str(&self.beginning(&plan, true));
        }
        for app in &self.apps {
            for task in app.files.iter().chain(&app.leftovers) {
                let place = self.places.get(&task.step.unit);
                text.push_str(&match self.format {
                    Format::Json => crate::tell::submit::events::step(task, None, place),
                    Format::Text => words::planned_file(task, place, colored),
                });
            }
            for process in &app.processes {
                if self.format == Format::Text {
                    text.push_str(&words::head(process, colored));
                }
                for (at, step) in process.steps.iter().enumerate() {
                    let place = self.places.get(&step.instance);
                    text.push_str(&match self.format {
                        Format::Json => events::instance(process, at, step, &Stage::Planned),
                        Format::Text => words::planned(step, place, colored),
                    });
                }
            }
        }
        if self.format == Format::Text {
            text.push_str(&words::counted(&plan, self.files()));
        }
        invocation.output.result(&text);
    }

    fn beginning(&self, plan: &Plan, is_dry: bool) -> String {
        events::begin(&Beginning {
            cluster: &self.cluster,
            action: &self.action,
            is_dry,
            has_etcd: self.register.is_some(),
            plan,
        })
    }

    /// Does it.
    ///
    /// # Errors
    /// Says what is wrong with a flag.
    pub(in crate::commands) fn carry_out(
        &self,
        fleet: &mut Fleet,
        interruption: &Interruption,
        invocation: &mut Invocation,
    ) -> Result<Status, CommandError> {
        let time = SystemTime::begin();
        let may_go_on = || self.lock.map_or(Ok(()), Lock::check);
        let rules = Rules {
            time: &time,
            interruption,
            may_go_on: &may_go_on,
            patience: PATIENCE,
            tunnel: self.connection.way(&invocation.settings)?,
        };
        let settings = invocation.settings.clone();
        let has_terminal = settings.has_terminal;
        let mut teller = Teller::new(
            self.format,
            has_terminal,
            &self.places,
            &mut invocation.output,
        );
        let plan = self.plan();
        if self.format == Format::Json {
            teller.say(&self.beginning(&plan, false));
        }
        let mut rollout = Rollout::new(fleet, rules);
        let mut doings = Doings::default();
        for app in &self.apps {
            if doings.status.is_some() || doings.stop.is_some() {
                doings.not_begun(app);
                continue;
            }
            let connect = || Ok(Way::Api(vec![self.connection.fleet(&settings)?]));
            self.app(
                app,
                &mut rollout,
                connect,
                interruption,
                &mut teller,
                &mut doings,
            )?;
        }
        Ok(self.finish(&doings, &mut teller, interruption, time.now()))
    }

    /// Does what is to be done about one app.
    fn app<'b>(
        &'b self,
        app: &'b AppCourse,
        rollout: &mut Rollout<'_>,
        connect: impl Fn() -> Result<Way<'b>, CommandError>,
        interruption: &Interruption,
        teller: &mut Teller<'b>,
        doings: &mut Doings,
    ) -> Result<(), CommandError> {
        let number = match (self.register, &app.entry) {
            (Some(register), Some(entry)) => {
                match journal::begin(&register.store, &app.app, entry.clone(), interruption) {
                    Ok(number) => {
                        teller.release(&app.app, number, journal::Outcome::Begun);
                        Some(number)
                    }
                    Err(error) => {
                        teller.output.message(&error.text());
                        doings.status = Some(doings.ending(error.status));
                        return Ok(());
                    }
                }
            }
            _ => None,
        };
        self.store(&app.files, &connect, interruption, teller, doings)?;
        for process in &app.processes {
            if doings.status.is_some() {
                break;
            }
            teller.process(process);
            let report = rollout.process(process, teller);
            doings.take(process, report);
        }
        if doings.status.is_none() {
            self.store(&app.leftovers, &connect, interruption, teller, doings)?;
        }
        let (Some(register), Some(number)) = (self.register, number) else {
            return Ok(());
        };
        let outcome = match doings.status {
            None => journal::Outcome::Complete,
            Some(_) => journal::Outcome::Failed,
        };
        match journal::finish(&register.store, &app.app, number, outcome) {
            Ok(()) => {
                teller.release(&app.app, number, outcome);
                let app = &app.app;
                let word = match outcome {
                    journal::Outcome::Complete => "",
                    _ => ", which did not come to its end",
                };
                doings
                    .summary
                    .push_str(&format!("{app}: release {number}{word}\n"));
            }
            Err(error) => {
                teller.output.message(&error.text());
                doings.status = Some(Status::Partial);
            }
        }
        Ok(())
    }

    /// Stores unit files, or destroys them.
    fn store<'b>(
        &self,
        files: &'b [Task],
        connect: &impl Fn() -> Result<Way<'b>, CommandError>,
        interruption: &Interruption,
        teller: &mut Teller<'b>,
        doings: &mut Doings,
    ) -> Result<(), CommandError> {
        if files.is_empty() {
            return Ok(());
        }
        if let Some(lock) = self.lock
            && let Err(error) = lock.check()
        {
            doings.status = Some(doings.ending(Status::Refused));
            doings.stop = Some(Stop::Barred(error));
            return Ok(());
        }
        teller.store(files);
        let rules = submit::Rules {
            patience: PATIENCE,
            interruption: interruption.clone(),
        };
        let report = submit(files, connect()?, &rules, teller);
        let done = report.count(|outcome| matches!(outcome, submit::Outcome::Done));
        let status = report.status();
        doings.has_changed |= done > 0 || status == Status::Partial;
        if status != Status::Done {
            doings.status = Some(doings.ending(status));
        }
        if report.is_interrupted {
            doings.stop = Some(Stop::Interrupted);
        }
        Ok(())
    }

    fn finish(
        &self,
        doings: &Doings,
        teller: &mut Teller<'_>,
        interruption: &Interruption,
        took: Duration,
    ) -> Status {
        let is_early = doings.status.is_some() || doings.stop.is_some();
        let status = match doings.status {
            Some(status) => status,
            // Whoever wanted an end after the last step got all the same.
            None if doings.stop.is_some() && interruption.is_asked() => {
                doings.ending(Status::Trouble)
            }
            None => Status::Done,
        };
        if self.format == Format::Json {
            let outcomes = doings.reports.iter().flat_map(|report| &report.outcomes);
            teller.say(&events::end(status.code(), &outcomes, doings.stop.as_ref()));
        } else {
            let mut text = doings.summary.clone();
            let action = &self.action;
            let took = words::time(took);
            text.push_str(
                &if status == Status::Done && self.apps.iter().all(AppCourse::is_empty) {
                    "nothing to do: all is as it should be\n".to_owned()
                } else if status == Status::Done {
                    format!("{action}: done in {took}\n")
                } else {
                    format!("{action}: not done, after {took}; another run goes on from here\n")
                },
            );
            teller.say(&text);
        }
        if let Some(stop) = &doings.stop {
            teller.output.message(&words::stopped(stop));
        } else if is_early {
            teller.output.message("error: not all is as it should be\n");
        }
        status
    }
}

impl AppCourse {
    /// Tells whether nothing is to be done about it.
    pub(in crate::commands) fn is_empty(&self) -> bool {
        self.files.is_empty() && self.processes.is_empty() && self.leftovers.is_empty()
    }
}

impl Doings {
    fn take(&mut self, process: &ProcessPlan, report: Report) {
        self.has_changed |= report.has_changed();
        self.summary
            .push_str(&words::summary(process, &report.outcomes));
        if !report.is_good() {
            let status = match &report.stop {
                Some(Stop::Barred(error)) => error.status,
                Some(Stop::Interrupted) => Status::Trouble,
                Some(Stop::Failures) | None => Status::Partial,
            };
            self.status = Some(self.ending(status));
        }
        self.reports.push(Report {
            outcomes: report.outcomes,
            stop: None,
        });
        self.stop = report.stop;
    }

    /// Says that nothing was done about an app, where there was anything to do.
    fn not_begun(&mut self, app: &AppCourse) {
        if !app.is_empty() {
            self.summary.push_str(&format!("{}: not begun\n", app.app));
        }
    }

    /// Returns how a run ends that could not do all for this reason.
    fn ending(&self, status: Status) -> Status {
        if self.has_changed {
            Status::Partial
        } else {
            status
        }
    }
}
