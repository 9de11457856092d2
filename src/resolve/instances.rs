//! Which instances of a process run: versions times slots.
//!
//! In: a process's `instances` and `versions`. Out: instance units by name. Knows nothing of other
//! processes.

use std::collections::{BTreeSet, HashMap};

use crate::diagnostic::{Diagnostic, Report};
use crate::manifest::instances::{INSTANCES_MAXIMUM, Instances, Versions};
use crate::model::Instance;
use crate::name::{Slot, UnitName, Version};
use crate::span::{Span, Spanned};
use crate::yaml::field::Field;

/// What a process says of its instances.
pub struct Counts<'a> {
    /// Its unit.
    pub unit: &'a UnitName,
    /// `instances`.
    pub instances: &'a Field<Instances>,
    /// `versions`.
    pub versions: &'a Field<Versions>,
    /// It runs on every machine, under the slot `global`.
    pub global: Option<Span>,
    /// The counts of versions come from an app with several processes.
    pub inherits_counts: bool,
    /// Where the process's name stands.
    pub span: Span,
    /// The places of the defaults' values, which a plain unit need not heed.
    pub defaults: &'a BTreeSet<Span>,
}

/// The slot of an instance that runs on every machine.
const GLOBAL: &str = "global";

impl Counts<'_> {
    /// Returns the instances that run.
    pub fn resolve(&self, report: &mut Report) -> Vec<Instance> {
        if !self.unit.is_template() {
            return self.plain(report);
        }
        if let (Some(global), Some(span)) = (self.global, self.instances.span()) {
            report.push(
                Diagnostic::error(
                    span,
                    "a global unit has one instance, which runs on every machine",
                )
                .related(global, "global here")
                .help("leave `instances` out"),
            );
        }
        let mut found = Vec::new();
        let Some(versions) = self.versions.get() else {
            self.of_version(None, self.instances.get(), &mut found, report);
            return found;
        };
        for (version, own) in &versions.0 {
            if own.is_some() && self.inherits_counts {
                let message = "counts by version are for an app with one process";
                report.push(
                    Diagnostic::error(version.span, message)
                        .help("list the versions here, and give the counts at each process"),
                );
            }
            if let Some(earlier) = versions
                .0
                .iter()
                .take_while(|(other, _)| other.span != version.span)
                .find(|(other, _)| other.value == version.value)
            {
                report.push(
                    Diagnostic::error(
                        version.span,
                        format!("version `{}` stands here twice", version.value),
                    )
                    .related(earlier.0.span, "first here"),
                );
                continue;
            }
            let instances = own.as_ref().or(self.instances.get());
            self.of_version(Some(version), instances, &mut found, report);
        }
        found
    }

    /// A plain unit is its own only instance.
    fn plain(&self, report: &mut Report) -> Vec<Instance> {
        for (span, key) in [
            (self.instances.span(), "instances"),
            (self.versions.span(), "versions"),
        ] {
            if let Some(span) = span.filter(|span| !self.defaults.contains(span)) {
                let unit = self.unit;
                report.push(
                    Diagnostic::error(span, format!("`{unit}` is a plain unit and has no `{key}`"))
                        .help(format!(
                            "name the unit `{}@` to have instances",
                            unit.stem()
                        )),
                );
            }
        }
        vec![Instance {
            unit: self.unit.clone(),
            version: None,
            slot: None,
            span: self.span,
            version_span: None,
        }]
    }

    fn of_version(
        &self,
        version: Option<&Spanned<Version>>,
        instances: Option<&Instances>,
        found: &mut Vec<Instance>,
        report: &mut Report,
    ) {
        let default_span = version.map_or(self.span, |version| version.span);
        let slots = self.slots(instances, report);
        if found.len() + slots.len() > INSTANCES_MAXIMUM as usize {
            let span = self.instances.span().unwrap_or(default_span);
            let message =
                format!("there can be at most {INSTANCES_MAXIMUM} instances of a process");
            report.push(Diagnostic::error(span, message));
            return;
        }
        for (slot, span) in slots {
            let name = match version {
                Some(version) => format!("{}-{slot}", version.value),
                None => slot.as_str().to_owned(),
            };
            let span = span.or(self.instances.span()).unwrap_or(default_span);
            match self.unit.instantiate(&name) {
                Ok(unit) => found.push(Instance {
                    unit,
                    version: version.map(|version| version.value.clone()),
                    slot: Some(slot),
                    span,
                    version_span: version.map(|version| version.span),
                }),
                Err(error) => report.push(Diagnostic::error(span, error.to_string())),
            }
        }
    }

    fn slots(
        &self,
        instances: Option<&Instances>,
        report: &mut Report,
    ) -> Vec<(Slot, Option<Span>)> {
        if self.global.is_some() {
            return Slot::new(GLOBAL)
                .map(|slot| (slot, None))
                .into_iter()
                .collect();
        }
        match instances {
            None => numbered(1),
            Some(Instances::Count(count)) => numbered(*count),
            Some(Instances::Slots(slots)) => {
                let mut places: HashMap<&Slot, Span> = HashMap::new();
                let mut found = Vec::with_capacity(slots.len());
                for slot in slots {
                    if let Some(earlier) = places.insert(&slot.value, slot.span) {
                        report.push(
                            Diagnostic::error(
                                slot.span,
                                format!("slot `{}` stands here twice", slot.value),
                            )
                            .related(earlier, "first here"),
                        );
                        continue;
                    }
                    found.push((slot.value.clone(), Some(slot.span)));
                }
                found
            }
        }
    }
}

fn numbered(count: u32) -> Vec<(Slot, Option<Span>)> {
    let slots = (1..=count).filter_map(|number| Slot::new(number.to_string()).ok());
    slots.map(|slot| (slot, None)).collect()
}
