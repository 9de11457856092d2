//! Whose a unit of the registry is.
//!
//! In: a unit's text. Out: the app and process that unitgen's mark names, or the app that the unit
//! itself says it is of. Knows nothing of what should run.

use crate::state::Mark;
use crate::target;
use crate::unit::fleet::FleetUnit;
use crate::unit::words::{split_assignment, split_assignments};

/// Returns unitgen's mark.
#[must_use]
pub fn mark(unit: &FleetUnit) -> Option<Mark> {
    let value = |name: &str| {
        let mut options = unit.options.iter();
        options
            .find(|option| &*option.section == target::MARK && option.name == name)
            .map(|option| option.value.clone())
    };
    Some(Mark {
        app: value("App")?,
        process: value("Process").unwrap_or_default(),
    })
}

/// Returns the value of the variable `APPLICATION`, by which units say whose they are.
#[must_use]
pub fn application(unit: &FleetUnit) -> Option<String> {
    let options = unit.options.iter();
    let values = options
        .filter(|option| &*option.section == "Service" && option.name == "Environment")
        .map(|option| split_assignments(&option.value));
    let mut found = values
        .flat_map(|assignments| assignments.words)
        .filter_map(|word| {
            let (name, value) = split_assignment(&word)?;
            (name == "APPLICATION").then(|| value.to_owned())
        });
    // The last one holds, as systemd reads it.
    found.next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(text: &str) -> FleetUnit {
        FleetUnit::parse(text).unwrap()
    }

    #[test]
    fn the_mark_is_read() {
        let marked = unit("[Service]\nApp=x\n\n[X-Unitgen]\nApp=hub\nProcess=http\n");
        let mark = mark(&marked).unwrap();
        assert_eq!((mark.app.as_str(), mark.process.as_str()), ("hub", "http"));
        assert_eq!(super::mark(&unit("[Service]\nApp=x\n")), None);
    }

    #[test]
    fn the_application_is_read_as_systemd_reads_it() {
        #[track_caller]
        fn case(lines: &str, expected: Option<&str>) {
            let unit = unit(&format!("[Service]\n{lines}\n"));
            assert_eq!(application(&unit).as_deref(), expected, "{lines}");
        }
        case("Environment=APPLICATION=hub", Some("hub"));
        case(
            "Environment=A=1 \"APPLICATION=two words\"",
            Some("two words"),
        );
        case(
            "Environment=APPLICATION=a\nEnvironment=APPLICATION=b",
            Some("b"),
        );
        case("Environment=MY_APPLICATION=a", None);
        case("ExecStart=/bin/true APPLICATION=a", None);
    }
}
