//! A plan as a shell script: what it makes a fleetctl do, by each shell that is there.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use unitgen::plan::script::script;
use unitgen::plan::{Action, Plan, Reason, Step, Text};
use unitgen::state::{RegistryName, UnitHash};
use unitgen::unit::fleet::hash;

use crate::delivery::put_unit;
use crate::fleet_server::{FleetServer, Kind};
use crate::fleetctl::{Fault, Fleetctl, Release};
use crate::test::Folder;

/// The shells that such a script may meet; those that are not here are left out, but `sh` is.
const SHELLS: [&str; 5] = [
    "sh -e",
    "dash -e",
    "bash -e",
    "busybox sh -e",
    "bash --posix -e",
];

pub(crate) const TEXT: &str = "[Service]\nExecStart=/bin/echo $(date)\n";

pub(crate) const OLD: &str = "[Service]\nExecStart=/bin/true\n";

/// Keeps the files that it is to submit, and gives them back.
const STUB: &str = "#!/bin/sh\n\
    case $1 in\n\
    submit) shift; [ \"$1\" != --replace ] || shift; for file; do cp \"$file\" kept/; done ;;\n\
    cat) cat \"kept/${2#./}\" 2>/dev/null || { \
    printf 'Unit %s not found\\n' \"${2#./}\" >&2; exit 1; } ;;\n\
    destroy) ;;\n\
    esac\n";

pub(crate) fn step(name: &str, action: Action) -> Step {
    Step {
        unit: RegistryName::seen(name),
        action,
        reason: Reason::New,
    }
}

pub(crate) fn store(name: &str, text: &str) -> Step {
    let hash = UnitHash::seen("");
    let text = text.to_owned();
    step(name, Action::Create(Text { text, hash }))
}

pub(crate) fn replace(name: &str, before: &str, text: &str) -> Step {
    let [before, after] = [before, text].map(|text| UnitHash::seen(hash(text)));
    let (text, hash) = (text.to_owned(), after);
    let text = Text { text, hash };
    step(name, Action::Replace { before, text })
}

pub(crate) fn destroy(name: &str, before: &str) -> Step {
    let before = UnitHash::seen(hash(before));
    step(name, Action::Destroy { before })
}

pub(crate) fn plan(steps: Vec<Step>) -> Plan {
    let held = Vec::new();
    Plan { steps, held }
}

pub(crate) fn shells() -> impl Iterator<Item = &'static str> {
    let is_there = |shell: &&str| {
        let mut words = shell.split(' ');
        let mut command = Command::new(words.next().unwrap());
        let status = command.args(words).args(["-c", "true"]).status();
        status.is_ok_and(|status| status.success())
    };
    SHELLS.into_iter().filter(is_there)
}

/// Runs a script as `| shell`, and returns its status and what it says.
pub(crate) fn run(script: &str, shell: &str, path: &str, folder: &Folder) -> (Option<i32>, String) {
    let mut words = shell.split(' ');
    let mut process = Command::new(words.next().unwrap())
        .args(words)
        .current_dir(folder.path(""))
        .env_clear()
        .env("PATH", path)
        .env("TMPDIR", folder.path("temporary"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that ends early does not read it all.
    let _ = process.stdin.take().unwrap().write_all(script.as_bytes());
    let output = process.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        folder.names("temporary").is_empty(),
        "something is left behind"
    );
    (output.status.code(), said)
}

pub(crate) fn desk() -> Folder {
    let folder = Folder::new();
    fs::create_dir(folder.path("temporary")).unwrap();
    folder
}

fn with_stub() -> (Folder, String) {
    let folder = desk();
    folder.write("bin/fleetctl", STUB);
    let program = folder.path("bin/fleetctl");
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!(
        "{}:{}",
        folder.path("bin").display(),
        std::env::var("PATH").unwrap()
    );
    (folder, path)
}

#[track_caller]
fn carries(units: &BTreeMap<String, String>) {
    let steps = units.iter().map(|(name, text)| store(name, text));
    let script = script(&plan(steps.collect()), &["fleetctl".to_owned()]);
    let (folder, path) = with_stub();
    for shell in shells() {
        let _ = fs::remove_dir_all(folder.path("kept"));
        fs::create_dir(folder.path("kept")).unwrap();
        let ended = run(&script, shell, &path, &folder);
        assert_eq!(ended, (Some(0), String::new()), "{shell}: {script}");
        let kept = folder.names("kept").into_iter();
        let kept: BTreeMap<_, _> = kept
            .map(|name| (name.clone(), folder.read(&format!("kept/{name}"))))
            .collect();
        assert_eq!(&kept, units, "{shell}: {script}");
    }
}

#[test]
fn hostile_texts_arrive_as_they_are() {
    let mut units = BTreeMap::new();
    let every: String = (1..0x180).filter_map(char::from_u32).collect();
    for (index, text) in [
        TEXT,
        "",
        "\n",
        "\n\n\n",
        "no line break at the end",
        "UNIT\nUNIT_1\n UNIT\nUNIT \nEOF\n",
        "UNIT",
        "U®\nUN®\nUNI® x\nUNIT®\nUNIT_®\n®UNIT\n",
        "$(touch pwned) `touch pwned` ${HOME} $HOME \\$HOME \\\n'\"\\\\\n",
        "a\r\nb\r\n",
        "\ttab\n\\t \\n \\c \\0 %s %d %%\n",
        "'; touch pwned; '\n",
        "-n\n-e\n",
        "#!/bin/sh\nexit 1\n}\n",
        "\u{80}\u{81}\u{88}\u{9b}\u{c1}\u{10ffff}\u{fffd}\u{2028}\n",
        &every,
        &format!("{every}\n"),
        &"long line ".repeat(10_000),
    ]
    .into_iter()
    .enumerate()
    {
        units.insert(format!("a\\x2db@{index}:2.service"), text.to_owned());
    }
    carries(&units);
    for name in [
        "-.service",
        "-n.service",
        "@.service",
        "a'b.service",
        "a b$(x)`.service",
        "ü\n.service",
    ] {
        carries(&BTreeMap::from([(name.to_owned(), TEXT.to_owned())]));
    }
    carries(
        &(0..205)
            .map(|n| (format!("a{n}@.service"), TEXT.to_owned()))
            .collect(),
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_arrives_as_it_is(
        units in prop::collection::btree_map(
            r"[A-Za-z0-9:_\\-][A-Za-z0-9:_.\\@-]{0,20}\.(service|timer)",
            prop_oneof![
                "(\\PC{0,30}\n){0,5}",
                "((UNIT|UNIT_1|EOF|\\$\\(x\\)|`|'|\"|\\\\|\r|\t|%s|!|\\}){0,3}\n?){0,6}",
            ],
            0..4,
        )
    ) {
        carries(&units);
    }
}

#[test]
fn what_is_cut_off_on_the_way_does_nothing() {
    let (folder, path) = with_stub();
    fs::create_dir(folder.path("kept")).unwrap();
    let whole = script(
        &plan(vec![store("a@.service", TEXT), destroy("b.service", OLD)]),
        &["fleetctl".to_owned()],
    );
    for length in (0..whole.len() - "main\n".len()).step_by(7) {
        run(&whole[..length], "sh -e", &path, &folder);
        assert!(folder.names("kept").is_empty(), "{}", &whole[..length]);
    }
}

#[test]
fn what_fleet_does_not_hold_is_named() {
    let server = FleetServer::start();
    let fleetctl = Fleetctl::new(Release::Current);
    let endpoint = format!("--endpoint={}", server.endpoint());
    let words = ["fleetctl".to_owned(), endpoint];
    let folder = desk();
    let path = fleetctl.path();
    let reset = || {
        server.world(|world| world.units.clear());
        put_unit(server.endpoint(), "a@.service", OLD, "inactive");
        put_unit(server.endpoint(), "d.service", OLD, "inactive");
        put_unit(server.endpoint(), "-e.service", OLD, "inactive");
    };
    let good = || {
        plan(vec![
            replace("a@.service", OLD, TEXT),
            store(r"b\x2d@.service", TEXT),
            destroy("d.service", OLD),
            destroy("-e.service", OLD),
        ])
    };
    for shell in shells() {
        reset();
        let ended = run(&script(&good(), &words), shell, &path, &folder);
        assert_eq!(ended, (Some(0), String::new()), "{shell}");
        let names = server.world(|world| world.units.keys().cloned().collect::<Vec<_>>());
        assert_eq!(names, ["a@.service", r"b\x2d@.service"]);
        assert_eq!(
            server.world(|world| world.units["a@.service"].raw.clone()),
            TEXT
        );
        reset();
        put_unit(server.endpoint(), "c.service", OLD, "launched");
        let mut held = good();
        held.steps.insert(2, replace("c.service", OLD, TEXT));
        let (status, said) = run(&script(&held, &words), shell, &path, &folder);
        assert_eq!(status, Some(1));
        let error = "error: fleet does not hold these as they should be (a unit that runs keeps its \
                     text, and fleet before 0.13 every unit): c.service\n";
        assert!(said.ends_with(error), "{said}");
        assert_eq!(
            server.world(|world| world.units.len()),
            5,
            "something was destroyed"
        );
    }
    for (fault, expected) in [
        (
            Fault::Lie,
            "error: fleet does not hold these as they should be (a unit that runs keeps its text, and fleet before \
                     0.13 every unit): \
             a@.service b\\x2d@.service\n",
        ),
        (
            Fault::Fail,
            "error: fleetctl ended with status 1, though all units are stored\n",
        ),
    ] {
        reset();
        fleetctl.order(fault);
        let (status, said) = run(&script(&good(), &words), "sh -e", &path, &folder);
        assert_eq!(
            (status, said.lines().last()),
            (Some(1), Some(expected.trim_end()))
        );
    }
    reset();
    fleetctl.order(Fault::Lie);
    let destroying = plan(vec![destroy("d.service", OLD), destroy("-e.service", OLD)]);
    let (status, said) = run(&script(&destroying, &words), "sh -e", &path, &folder);
    let error = "error: fleet still has these: d.service -e.service\n";
    assert_eq!((status, &*said), (Some(1), error));
}

#[test]
fn an_old_fleetctl_can_create() {
    let server = FleetServer::start_kind(Kind::Old);
    let fleetctl = Fleetctl::new(Release::Old);
    let endpoint = format!("--endpoint={}", server.endpoint());
    let words = ["fleetctl".to_owned(), endpoint];
    let folder = desk();
    put_unit(server.endpoint(), "d.service", OLD, "inactive");
    let creating = plan(vec![store("a@.service", TEXT), destroy("d.service", OLD)]);
    let text = script(&creating, &words);
    let ended = run(&text, "sh -e", &fleetctl.path(), &folder);
    assert_eq!(ended, (Some(0), String::new()));
    let names = server.world(|world| world.units.keys().cloned().collect::<Vec<_>>());
    assert_eq!(names, ["a@.service"]);
    let replacing = plan(vec![replace("a@.service", TEXT, OLD)]);
    let text = script(&replacing, &words);
    let (status, said) = run(&text, "sh -e", &fleetctl.path(), &folder);
    assert_eq!(status, Some(1));
    assert!(
        said.starts_with("flag provided but not defined: -replace\n"),
        "{said}"
    );
}

#[test]
fn without_fleetctl_nothing_is_begun() {
    let folder = desk();
    let script = script(
        &plan(vec![store("a@.service", TEXT)]),
        &["fleetctl-not-here".to_owned()],
    );
    let path = std::env::var("PATH").unwrap();
    for shell in shells() {
        let error = "error: there is no `fleetctl-not-here` here\n".to_owned();
        assert_eq!(
            run(&script, shell, &path, &folder),
            (Some(127), error),
            "{shell}"
        );
    }
}
