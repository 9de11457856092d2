//! The stand-in's `list-unit-files`.

use serde_json::Value;

use crate::fleetctl::Call;
use crate::fleetctl::commands::unit_of;
use crate::fleetctl::flags::Flags;
use crate::fleetctl::server::Server;

/// The columns that it can show.
const KEYS: [&str; 8] = [
    "desc", "dstate", "global", "hash", "state", "target", "tmachine", "unit",
];

/// The columns that it shows where nothing is said.
const DEFAULT: &str = "unit,hash,dstate,state,target";

/// Go's tabs.
const TAB: usize = 8;

pub(super) fn list(call: &mut Call, flags: &Flags, server: &Server) -> i32 {
    let keys = flags.value("fields").unwrap_or_else(|| DEFAULT.to_owned());
    let keys: Vec<&str> = keys.split(',').collect();
    if let Some(stray) = keys.iter().find(|key| !KEYS.contains(key)) {
        call.complain(&format!("Invalid key in output format: {stray:?}"));
        return 1;
    }
    if keys.contains(&"tmachine") {
        call.complain("WARNING: The \"tmachine\" field is deprecated. Use \"target\" instead");
    }
    let read = |kind| server.all(kind);
    let (units, machines) = match (read("units"), read("machines")) {
        (Ok(units), Ok(machines)) => (units, machines),
        (Err(error), _) | (_, Err(error)) => {
            call.complain(&format!(
                "Error retrieving list of units from repository: {error}"
            ));
            return 1;
        }
    };
    let mut rows: Vec<Vec<String>> = Vec::new();
    if !flags.has("no-legend") {
        rows.push(keys.iter().map(|key| key.to_uppercase()).collect());
    }
    for unit in &units {
        let field = |key: &&str| field(key, unit, &machines, flags.has("full"));
        rows.push(keys.iter().map(field).collect());
    }
    for row in &rows {
        call.say(&line(row, &rows));
    }
    0
}

fn field(key: &str, unit: &Value, machines: &[Value], full: bool) -> String {
    let word = |key: &str| {
        let word = unit[key].as_str().filter(|word| !word.is_empty());
        word.unwrap_or("-").to_owned()
    };
    let (options, hash) = unit_of(unit);
    let option = |section: &str, name: &str| {
        let mut found = options.iter().filter(|(a, b, _)| a == section && b == name);
        found.next().map(|(_, _, value)| value.clone())
    };
    let is_global = option("X-Fleet", "Global").is_some_and(|value| value == "true");
    match key {
        "unit" => word("name"),
        "hash" if full => hash,
        "hash" => hash[..7].to_owned(),
        "dstate" => word("desiredState"),
        "state" => word("currentState"),
        "global" => is_global.to_string(),
        "desc" => option("Unit", "Description").unwrap_or_else(|| "-".to_owned()),
        _ if is_global => "global".to_owned(),
        _ => {
            let id = word("machineID");
            let machine = machines.iter().find(|machine| machine["id"] == id.as_str());
            let Some(machine) = machine else {
                return "-".to_owned();
            };
            let ip = machine["primaryIP"].as_str().unwrap_or_default();
            let shown = if full { id } else { format!("{}...", &id[..8]) };
            format!("{shown}/{ip}")
        }
    }
}

/// Returns a row whose columns are as wide as Go makes them.
fn line(row: &[String], rows: &[Vec<String>]) -> String {
    let mut line = String::new();
    for (index, cell) in row.iter().enumerate() {
        line.push_str(cell);
        if index + 1 < row.len() {
            let widest = rows.iter().map(|row| row[index].len()).max().unwrap_or(0);
            let width = (widest + 1).next_multiple_of(TAB);
            line.push_str(&"\t".repeat((width - cell.len()).div_ceil(TAB)));
        }
    }
    line
}
