//! Whatever a value holds, the unit is refused with a diagnostic, or systemd reads back exactly what
//! was meant.
//!
//! What is meant is stated here by hand, in the order of docker's arguments; what the unit says is
//! read as systemd reads it.

use std::process::Command;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use unitgen::unit::UnitFile;
use unitgen::unit::name::{UnitName, check_fleet_name};

use crate::reading::{Read, render, text};
use crate::traps::{fits, fits_variable, hostile, list, name, nearly_yaml, owned, quoted};

/// Compose's words whose text goes to docker as it is, in the order of docker's options.
const TEXTS: [(&str, &str); 5] = [
    ("network_mode", "--network"),
    ("hostname", "--hostname"),
    ("user", "--user"),
    ("pid", "--pid"),
    ("ipc", "--ipc"),
];

/// What the unit of one container is to say.
#[derive(Debug)]
struct Container {
    command: Vec<String>,
    variables: Vec<String>,
    label: (String, String),
    texts: Vec<String>,
    further: Vec<String>,
    steering: String,
}

impl Container {
    fn manifest(&self) -> String {
        let mut lines = vec![
            "image: hub:1".to_owned(),
            "process: web".to_owned(),
            "config: false".to_owned(),
            format!("command: {}", list(&self.command)),
            format!("docker_args: {}", list(&self.options())),
            format!(
                "labels: {{l-{}: {}}}",
                self.label.0.len(),
                quoted(&self.label.1)
            ),
        ];
        let texts = TEXTS.iter().zip(&self.texts);
        lines.extend(texts.map(|((key, _), value)| format!("{key}: {}", quoted(value))));
        lines.push("environment:".to_owned());
        let variables = self.variables.iter().enumerate();
        lines.extend(variables.map(|(number, value)| format!("  V{number}: {}", quoted(value))));
        lines.push(format!("  DOCKER_HOST: {}", quoted(&self.steering)));
        format!("apps:\n  hub:\n    {}\n", lines.join("\n    "))
    }

    /// Further options: each has to begin as one.
    fn options(&self) -> Vec<String> {
        self.further
            .iter()
            .map(|word| format!("--x={word}"))
            .collect()
    }

    fn fits(&self) -> bool {
        let words = self.command.iter().chain(&self.texts).chain(&self.further);
        let others = [&self.label.1, &self.steering];
        self.variables.iter().all(|value| fits_variable(value))
            && words.chain(others).all(|word| fits(word))
    }

    fn arguments(&self) -> Vec<String> {
        let mut words = owned(&["/usr/bin/docker", "run", "--rm", "--name", "hub-web-1"]);
        let pair = |at: usize| [TEXTS[at].1.to_owned(), self.texts[at].clone()];
        words.extend((0..2).flat_map(pair));
        for number in 0..self.variables.len() {
            words.extend(["-e".to_owned(), format!("V{number}")]);
        }
        // By value, lest it steer docker's client.
        words.extend(["-e".to_owned(), format!("DOCKER_HOST={}", self.steering)]);
        let (name, value) = &self.label;
        words.extend(["--label".to_owned(), format!("l-{}={value}", name.len())]);
        words.extend((2..5).flat_map(pair));
        words.extend(self.options());
        words.push("hub:1".to_owned());
        words.extend(self.command.iter().cloned());
        words
    }

    fn environment(&self) -> Vec<String> {
        let mut words = owned(&["APPLICATION=hub", "CONTAINER=hub-web-1", "IMAGE=hub:1"]);
        let variables = self.variables.iter().enumerate();
        words.extend(variables.map(|(number, value)| format!("V{number}={value}")));
        words
    }
}

fn containers() -> impl Strategy<Value = Container> {
    let parts = (
        vec(hostile(), 0..5),
        vec(hostile(), 0..4),
        (hostile(), hostile()),
        vec(hostile(), TEXTS.len()),
        vec(hostile(), 0..3),
        hostile(),
    );
    parts.prop_map(
        |(command, variables, label, texts, further, steering)| Container {
            command,
            variables,
            label,
            texts,
            further,
            steering,
        },
    )
}

fn container_arrives(container: &Container) -> TestCaseResult {
    let manifest = container.manifest();
    let units = render(&manifest);
    prop_assert_eq!(units.is_some(), container.fits(), "{}", manifest);
    if let Some(units) = units {
        let read = Read::new(&units[0].0, &units[0].1);
        prop_assert_eq!(read.all("ExecStart"), [container.arguments()]);
        prop_assert_eq!(read.environment, container.environment());
    }
    Ok(())
}

fn paths_arrive(source: &str, target: &str, options: &str) -> TestCaseResult {
    let short = format!("/{source}:/{target}:{options}");
    let path = format!("/{source}");
    let manifest = format!(
        "\
apps:
  hub:
    image: hub:1
    config: false
    env_file: {0}
    working_dir: {0}
    volumes: [{1}, {{type: bind, source: {0}, target: /x}}]
    devices: [{0}]
",
        quoted(&path),
        quoted(&short),
    );
    let Some(units) = render(&manifest) else {
        return Ok(());
    };
    // docker reads the option as a line of CSV.
    let field = format!("source={path}");
    let field = if field.contains([',', '"']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field
    };
    let mount = format!("type=bind,{field},target=/x");
    let mut wanted = owned(&["/usr/bin/docker", "run", "--rm", "--name", "hub-worker-1"]);
    wanted.extend(owned(&[
        "--env-file",
        &path,
        "-v",
        &short,
        "--mount",
        &mount,
    ]));
    wanted.extend(owned(&["--device", &path, "--workdir", &path, "hub:1"]));
    let read = Read::new(&units[0].0, &units[0].1);
    prop_assert_eq!(read.all("ExecStart"), [wanted]);
    Ok(())
}

/// Names in the order app, process, version, slot, image, variable, unit.
fn names_are_kept(names: &[String; 7], has_unit: bool) -> TestCaseResult {
    let [app, process, version, slot, image, variable, unit] = names;
    let mut manifest = format!(
        "\
apps:
  {}:
    image: {}
    config: false
    processes:
      {}:
        versions: [{}]
        instances: [{}]
        environment: {{{}: x}}
",
        quoted(app),
        quoted(image),
        quoted(process),
        quoted(version),
        quoted(slot),
        quoted(variable),
    );
    if has_unit {
        manifest.push_str(&format!("        unit: {}\n", quoted(&format!("{unit}@"))));
    }
    let Some(units) = render(&manifest) else {
        return Ok(());
    };
    let (name, content) = &units[0];
    let stem = if has_unit {
        unit.clone()
    } else {
        format!("{app}-{process}")
    };
    prop_assert_eq!(name, &format!("{stem}@.service"));
    prop_assert!(check_fleet_name(name).is_ok());
    let instance = format!("{version}-{slot}");
    let instance_unit = name.replace('@', &format!("@{instance}"));
    prop_assert!(UnitName::new(&instance_unit).is_ok());
    prop_assert_eq!(
        instance.rsplit_once('-'),
        Some((version.as_str(), slot.as_str()))
    );
    let read = Read::new(name, content);
    let says =
        |word: String| read.environment.contains(&word) || read.all("ExecStart")[0].contains(&word);
    for word in [
        format!("APPLICATION={app}"),
        format!("IMAGE={image}"),
        format!("{variable}=x"),
    ] {
        let is_said = says(word);
        prop_assert!(is_said);
    }
    Ok(())
}

fn programs_arrive(arguments: &[String], shell: &str) -> TestCaseResult {
    let mut program = owned(&["/usr/bin/env"]);
    program.extend(arguments.iter().cloned());
    let manifest = format!(
        "\
apps:
  hub:
    exec: {0}
    Service: {{ExecStartPre: [{{argv: {0}, ignore_failure: true}}, {{shell: {1}}}]}}
",
        list(&program),
        quoted(shell),
    );
    let units = render(&manifest);
    let good = fits(shell) && arguments.iter().all(|word| fits(word));
    prop_assert_eq!(units.is_some(), good, "{}", manifest);
    if let Some(units) = units {
        let read = Read::new(&units[0].0, &units[0].1);
        let script = owned(&["/bin/sh", "-c", shell]);
        prop_assert_eq!(read.all("ExecStart"), [program.as_slice()]);
        prop_assert_eq!(read.all("ExecStartPre"), [program, script]);
    }
    Ok(())
}

/// systemd's own text stands as it is, or is refused.
fn own_text_stands(own: &str) -> TestCaseResult {
    let manifest = format!(
        "\
apps:
  hub:
    exec: /bin/true
    Unit: {{Description: {0}}}
    Service: {{SyslogIdentifier: {0}, X-Note: {0}}}
    X-Fleet: {{MachineOf: {0}}}
",
        quoted(own),
    );
    let Some(units) = render(&manifest) else {
        return Ok(());
    };
    let (name, content) = &units[0];
    Read::new(name, content);
    let directives = UnitFile::parse(content).directives();
    let values = directives.iter().filter(|directive| {
        ["Description", "SyslogIdentifier", "X-Note", "MachineOf"]
            .contains(&directive.name.as_str())
    });
    let values: Vec<&str> = values.map(|directive| directive.value.as_str()).collect();
    // A lone empty text takes the directive away.
    let wanted = if own.is_empty() { vec![] } else { vec![own; 4] };
    prop_assert_eq!(values, wanted);
    Ok(())
}

fn shell_reads_the_same(command: &[String], hostname: &str) -> TestCaseResult {
    let manifest = format!(
        "\
apps:
  hub:
    image: hub:1
    template: docker-shell
    config: false
    hostname: {}
    command: {}
",
        quoted(hostname),
        list(command),
    );
    let units = render(&manifest);
    let good = fits(hostname) && command.iter().all(|word| fits(word));
    prop_assert_eq!(units.is_some(), good, "{}", manifest);
    let Some(units) = units else {
        return Ok(());
    };
    let read = Read::new(&units[0].0, &units[0].1);
    let start = read.all("ExecStart")[0];
    prop_assert_eq!(&start[..2], ["/bin/sh", "-c"]);
    // A real shell runs the script, with a program that prints its arguments in docker's place.
    let script = start[2].strip_prefix("exec /usr/bin/docker ").unwrap();
    let variables = read.environment.iter();
    let output = Command::new("/bin/sh")
        .args(["-c", &format!("printf '%s\\0' {script}")])
        .env_clear()
        .envs(variables.map(|word| word.split_once('=').unwrap()))
        .output()
        .unwrap();
    let mut wanted = owned(&["run", "--rm", "--name", "hub-worker-1"]);
    wanted.extend(owned(&["--hostname", hostname, "hub:1"]));
    wanted.extend(command.iter().cloned());
    let wanted: String = wanted.iter().map(|word| format!("{word}\0")).collect();
    prop_assert_eq!(text(&output.stdout), wanted);
    Ok(())
}

proptest! {
    // The smallest failing case is in the message; nothing is left behind.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_container_is_refused_or_read_as_meant(container in containers()) {
        container_arrives(&container)?;
    }

    #[test]
    fn paths_are_refused_or_read_as_meant(source in hostile(), target in hostile(), options in hostile()) {
        paths_arrive(&source, &target, &options)?;
    }

    #[test]
    fn names_are_refused_or_kept(names in prop::array::uniform7(name()), has_unit in any::<bool>()) {
        names_are_kept(&names, has_unit)?;
    }

    #[test]
    fn programs_are_refused_or_read_as_meant(arguments in vec(hostile(), 0..5), shell in hostile()) {
        programs_arrive(&arguments, &shell)?;
    }

    #[test]
    fn texts_of_systemd_are_refused_or_stand(own in hostile()) {
        own_text_stands(&own)?;
    }

    #[test]
    fn a_shell_reads_what_was_meant(command in vec(hostile(), 0..4), hostname in hostile()) {
        shell_reads_the_same(&command, &hostname)?;
    }

    #[test]
    fn no_text_makes_the_program_stumble(manifest in nearly_yaml()) {
        for (_, content) in render(&manifest).unwrap_or_default() {
            prop_assert!(content.ends_with('\n'));
        }
    }
}
