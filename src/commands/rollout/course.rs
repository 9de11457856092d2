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
use crate::deploy::{Outcome, Report, Rollout, Rules, Stop};
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
    /// Whether something was changed already.
    pub(in crate::commands) has_begun: bool,
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
    /// How it ends, where not all is well.
    status: Option<Status>,
    /// Whether nothing more is done.
    is_over: bool,
    /// Whether anything failed of the app at hand.
    has_failed: bool,
    stop: Option<Stop>,
    summary: String,
    outcomes: Vec<Outcome>,
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
        let file = |task: &Task| {
            let place = self.places.get(&task.step.unit);
            match self.format {
                Format::Json => crate::tell::submit::events::step(task, None, place),
                Format::Text => words::planned_file(task, place, colored),
            }
        };
        for app in &self.apps {
            text.extend(app.files.iter().map(file));
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
            text.extend(app.leftovers.iter().map(file));
        }
        text.push_str(&match self.format {
            Format::Json => events::end(0, &[].iter(), None),
            Format::Text => words::counted(&plan, self.files()),
        });
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
        if self.format == Format::Json {
            teller.say(&self.beginning(&self.plan(), false));
        }
        let connect = || Ok(Way::Api(vec![self.connection.fleet(&settings)?]));
        let mut rollout = Rollout::new(fleet, rules);
        let mut doings = Doings {
            has_changed: self.has_begun,
            ..Doings::default()
        };
        for app in &self.apps {
            if doings.is_over {
                doings.not_begun(app);
            } else {
                let end = self.app(
                    app,
                    &mut rollout,
                    &connect,
                    interruption,
                    &mut teller,
                    &mut doings,
                );
                if let Err(error) = end {
                    teller.tell(&error.text());
                    doings.ends(error.status);
                }
            }
        }
        Ok(self.finish(&doings, &mut teller, time.now()))
    }

    /// Does what is to be done about one app.
    ///
    /// # Errors
    /// Says why its release can't be begun, or fleet not be reached.
    fn app<'b>(
        &'b self,
        app: &'b AppCourse,
        rollout: &mut Rollout<'_>,
        connect: &impl Fn() -> Result<Way<'b>, CommandError>,
        interruption: &Interruption,
        teller: &mut Teller<'b>,
        doings: &mut Doings,
    ) -> Result<(), CommandError> {
        self.lock.map_or(Ok(()), Lock::check)?;
        let number = match (self.register, &app.entry) {
            (Some(register), Some(entry)) => {
                let (store, entry) = (&register.store, entry.clone());
                let number = journal::begin(store, &app.app, entry, interruption)?;
                teller.release(&app.app, number, journal::Outcome::Begun);
                Some(number)
            }
            _ => None,
        };
        let end = self.steps(app, rollout, connect, interruption, teller, doings);
        let (Some(register), Some(number)) = (self.register, number) else {
            return end;
        };
        let outcome = if end.is_ok() && !doings.has_failed {
            journal::Outcome::Complete
        } else {
            journal::Outcome::Failed
        };
        let name = &app.app;
        match journal::finish(&register.store, name, number, outcome) {
            Ok(()) => {
                teller.release(name, number, outcome);
                let word = match outcome {
                    journal::Outcome::Complete => "",
                    _ => ", which did not come to its end",
                };
                doings
                    .summary
                    .push_str(&format!("{name}: release {number}{word}\n"));
            }
            Err(error) => {
                teller.tell(&error.text());
                doings.status = Some(Status::Partial);
                let line = format!("{name}: release {number}, whose end is not recorded\n");
                doings.summary.push_str(&line);
            }
        }
        end
    }

    /// Stores an app's unit files, brings its instances to what they should be, and destroys what is left
    /// over.
    fn steps<'b>(
        &'b self,
        app: &'b AppCourse,
        rollout: &mut Rollout<'_>,
        connect: &impl Fn() -> Result<Way<'b>, CommandError>,
        interruption: &Interruption,
        teller: &mut Teller<'b>,
        doings: &mut Doings,
    ) -> Result<(), CommandError> {
        doings.has_failed = false;
        self.store(&app.files, connect, interruption, teller, doings)?;
        for process in &app.processes {
            if doings.is_over {
                doings.not_tried(process);
                continue;
            }
            teller.process(process);
            let report = rollout.process(process, teller);
            teller.clear();
            doings.take(process, report);
        }
        if doings.has_failed {
            return Ok(());
        }
        self.store(&app.leftovers, connect, interruption, teller, doings)
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
        self.lock.map_or(Ok(()), Lock::check)?;
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
            doings.ends(status);
            doings.stop = report.is_interrupted.then_some(Stop::Interrupted);
        }
        Ok(())
    }

    fn finish(&self, doings: &Doings, teller: &mut Teller<'_>, took: Duration) -> Status {
        let status = doings.status.unwrap_or(Status::Done);
        if self.format == Format::Json {
            let outcomes = doings.outcomes.iter();
            teller.say(&events::end(status.code(), &outcomes, doings.stop.as_ref()));
        } else {
            let mut text = doings.summary.clone();
            let action = &self.action;
            let took = words::time(took);
            let is_idle = self.apps.iter().all(AppCourse::is_empty);
            text.push_str(&if status == Status::Done && is_idle {
                "nothing to do: all is as it should be\n".to_owned()
            } else if status == Status::Done {
                format!("{action}: done in {took}\n")
            } else if doings.is_over || doings.stop.is_some() {
                format!("{action}: not done, after {took}; another run goes on from here\n")
            } else {
                format!("{action}: not all of it done, in {took}\n")
            });
            teller.say(&text);
        }
        match &doings.stop {
            Some(stop) => teller.tell(&words::stopped(stop)),
            None if status == Status::Done => {}
            None => teller.tell("error: not all is as it should be\n"),
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
        self.has_changed |= report.has_changed;
        self.summary
            .push_str(&words::summary(process, &report.outcomes));
        let is_good = report.is_good();
        let status = match &report.stop {
            Some(Stop::Barred(error)) => error.status,
            Some(Stop::Interrupted) => Status::Trouble,
            Some(Stop::Failures) | None => words::status(&report.outcomes),
        };
        if report.stop.is_some() {
            self.ends(status);
        } else if !is_good {
            // Some may fail.
            self.has_failed = true;
            self.status = Some(self.ending(status));
        }
        self.outcomes.extend(report.outcomes);
        self.stop = report.stop;
    }

    /// Says that nothing more is done, and for what reason.
    fn ends(&mut self, status: Status) {
        self.is_over = true;
        self.has_failed = true;
        self.status = Some(self.ending(status));
    }

    /// Says that nothing was done about an app, where there was anything to do.
    fn not_begun(&mut self, app: &AppCourse) {
        if !app.is_empty() {
            self.summary.push_str(&format!("{}: not begun\n", app.app));
        }
        let steps = app.processes.iter().flat_map(|process| &process.steps);
        self.outcomes.extend(steps.map(|_| Outcome::NotTried));
    }

    /// Says that nothing was done about a process.
    fn not_tried(&mut self, process: &ProcessPlan) {
        let outcomes: Vec<Outcome> = process.steps.iter().map(|_| Outcome::NotTried).collect();
        self.summary.push_str(&words::summary(process, &outcomes));
        self.outcomes.extend(outcomes);
    }

    /// Returns how a run ends that could not do all for this reason.
    fn ending(&self, status: Status) -> Status {
        if self.has_changed || self.status.is_some() {
            Status::Partial
        } else {
            status
        }
    }
}
