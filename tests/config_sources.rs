//! `unitgen config`: import, export and diff, with files, apps, other etcds and an etcd of version 2.

use crate::config_store::{config, history, restart, set, values};
use crate::etcd::{Etcd, free_port, shared};
use crate::test::Test;

#[test]
fn a_file_is_looked_at_then_imported_then_mirrored() {
    set("mirrored", &["KEPT=1", "OLD=2", "SAME=3"]);
    let text = "export OLD=new\nSAME=3\n# a comment\nNEW='two words'\n";
    let import = |flags: &str| {
        config("mirrored", &format!("import prod.env {flags}")).file("prod.env", text)
    };
    import("--dry-run")
        .stdout("+ NEW\n~ OLD\nmirrored: would be 1 added, 1 changed, 2 equal\n")
        .run();
    import("--dry-run --prune")
        .stdout("- KEPT\n+ NEW\n~ OLD\nmirrored: would be 1 added, 1 changed, 1 removed, 1 equal\n")
        .run();
    assert_eq!(values("mirrored"), "KEPT=1\nOLD=2\nSAME=3\n");
    import("")
        .stdout("+ NEW\n~ OLD\nmirrored: 1 added, 1 changed, 2 equal; change 2\n")
        .stderr(restart("mirrored", "2 variables"))
        .run();
    import("--prune")
        .stdout("- KEPT\nmirrored: 1 removed, 3 equal; change 3\n")
        .stderr(restart("mirrored", "1 variable"))
        .run();
    // Again and again.
    import("--prune")
        .stdout("mirrored: nothing to change\n")
        .run();
    import("--prune --dry-run")
        .stdout("mirrored: nothing would change\n")
        .run();
    assert_eq!(values("mirrored"), "NEW=two words\nOLD=new\nSAME=3\n");
    assert_eq!(
        history("mirrored")[0],
        "3  ann@desk  import prod.env  -KEPT"
    );
}

#[test]
fn each_tool_s_own_text_is_imported() {
    let case = |format: &str, text: &str| {
        let app = format!("tool-{format}");
        let output = config(&app, &format!("import - --from-format {format}"))
            .stdin(text)
            .output();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{format}: {said}");
        assert_eq!(values(&app), "A=1\nB=two words\n", "{format}");
    };
    case("dotenv", "A=1\nB=\"two words\"\n");
    case("docker", "A=1\nB=two words\n");
    case("json", "{\"A\": \"1\", \"B\": \"two words\"}");
    case("heroku", "A=1\nB='two words'\n");
    case("dokku", "export A='1'\nexport B='two words'\n");
    case("dokku-alt", "export A='1'\nexport B='two words'\n");
    case(
        "etcd2",
        r#"{"action": "get", "node": {"key": "/environment/hub", "dir": true, "nodes": [
            {"key": "/environment/hub/A", "value": "1", "modifiedIndex": 4, "createdIndex": 4},
            {"key": "/environment/hub/B", "value": "two words", "modifiedIndex": 5, "createdIndex": 5}
        ], "modifiedIndex": 4, "createdIndex": 4}}"#,
    );
}

#[test]
fn all_mistakes_of_a_file_are_said_without_its_values() {
    let import = config("wrong", "import wrong.env").file("wrong.env", "A='hunter2\nB-C=hunter3\n");
    let output = import.output();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!said.contains("hunter"), "{said}");
    assert_eq!(
        said,
        "error: wrong.env: line 1, column 3: `A`: this quote is not closed\n\
         error: wrong.env: line 2, column 2: a variable's name has A-Z, a-z, 0-9 and `_`, and does not \
         begin with a digit\n\
         error: wrong.env can't be read as dotenv\n"
    );
    assert_eq!(output.status.code(), Some(2));
    config("wrong", "import settings.txt")
        .file("settings.txt", "A=1\n")
        .stderr(
            "error: it is not said what wrote `settings.txt`\n\n\
             help: say it with `--from-format`: dotenv, docker, json, heroku, dokku, dokku-alt, etcd2\n",
        )
        .status(2)
        .run();
    assert_eq!(shared().keys("/environment/wrong/"), Vec::<String>::new());
}

#[test]
fn an_empty_source_takes_nothing_away_unless_it_is_meant() {
    set("guarded", &["A=1"]);
    let import = |flags: &str| {
        config("guarded", &format!("import none.env --prune {flags}")).file("none.env", "\n")
    };
    import("")
        .stderr(
            "error: none.env is empty, and all variables would go\n\n\
             help: `--yes` says that this is meant\n",
        )
        .status(5)
        .run();
    assert_eq!(values("guarded"), "A=1\n");
    import("--yes")
        .stdout("- A\nguarded: 1 removed; change 2\n")
        .stderr(restart("guarded", "1 variable"))
        .run();
}

#[test]
fn apps_changes_and_other_etcds_are_sources_too() {
    set("source", &["A=1", "B=2"]);
    set("target", &["A=0", "C=3"]);
    config("target", "diff source")
        .stdout("~ A\n+ B\n- C\n1 only in source, 1 different, 1 only in target\n")
        .status(1)
        .run();
    config("target", "diff source --show-values")
        .stdout("- A=0\n+ A=1\n+ B=2\n- C=3\n1 only in source, 1 different, 1 only in target\n")
        .status(1)
        .run();
    config("target", "diff source --format json")
        .stdout(
            "\
{
  \"differing\": [
    \"A\"
  ],
  \"equal\": 0,
  \"folder\": \"/environment/target\",
  \"format_version\": 1,
  \"only_here\": [
    \"C\"
  ],
  \"only_there\": [
    \"B\"
  ],
  \"source\": \"source\"
}
",
        )
        .status(1)
        .run();
    config("target", "import source --prune")
        .stdout("~ A\n+ B\n- C\ntarget: 1 added, 1 changed, 1 removed; change 2\n")
        .stderr(restart("target", "3 variables"))
        .run();
    config("target", "diff source").stdout("2 equal\n").run();
    config("target", "diff @1")
        .stdout("~ A\n- B\n+ C\n1 only in @1, 1 different, 1 only in target\n")
        .status(1)
        .run();
    let other = Etcd::start();
    other.set("/environment/target/A", "far");
    other.set("/else/A", "elsewhere");
    config("target", &format!("diff {}", other.endpoint))
        .stdout("~ A\n- B\n1 different, 1 only in target\n")
        .status(1)
        .run();
    config("target", &format!("import {}/else", other.endpoint))
        .stdout("~ A\ntarget: 1 changed, 1 equal; change 3\n")
        .stderr(restart("target", "1 variable"))
        .run();
    assert_eq!(values("target"), "A=elsewhere\nB=2\n");
    config("target", "import nobody")
        .stderr("error: nobody: there is nothing below `/environment/nobody/`\n")
        .status(1)
        .run();
    let nobody = format!("http://127.0.0.1:{}", free_port());
    config("target", &format!("import {nobody}"))
        .stderr(format!(
            "error: can't read {nobody}\n  caused by: can't reach etcd at `{nobody}`\n  caused by: \
             connection refused\n"
        ))
        .status(3)
        .run();
}

#[test]
fn what_stands_in_an_etcd_of_version_2_is_imported() {
    let etcd = Etcd::with_version_2();
    let put = |path: &str, value: &str| {
        let body = format!("value={value}");
        let url = format!("{}/v2/keys{path}", etcd.endpoint);
        let length = body.len();
        let request = format!(
            "PUT /v2/keys{path} HTTP/1.1\r\nHost: etcd\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let authority = etcd.endpoint.strip_prefix("http://").unwrap();
        let mut stream = std::net::TcpStream::connect(authority).unwrap();
        std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 201"), "{url}: {answer}");
    };
    put("/environment/two/A", "1");
    put("/environment/two/B", "two+words");
    put("/environment/else%20where/A", "3");
    // The stores of the two versions are apart.
    config("two", &format!("import {}", etcd.endpoint))
        .stderr(format!(
            "error: {}: there is nothing below `/environment/two/`\n",
            etcd.endpoint
        ))
        .status(1)
        .run();
    let url = format!("{}/v2/keys/environment/two?recursive=true", etcd.endpoint);
    config("two", &format!("import {url}"))
        .stdout("+ A\n+ B\ntwo: 2 added; change 1\n")
        .stderr(restart("two", "2 variables"))
        .run();
    assert_eq!(values("two"), "A=1\nB=two words\n");
    put("/environment/two/C", "3");
    config("two", &format!("import {}/v2/keys --prune", etcd.endpoint))
        .stdout("+ C\ntwo: 1 added, 2 equal; change 2\n")
        .stderr(restart("two", "1 variable"))
        .run();
    config(
        "two",
        &format!("diff {}/v2/keys/environment/none", etcd.endpoint),
    )
    .stderr(format!(
        "error: {}/v2/keys/environment/none: there is nothing below `/environment/none/`\n",
        etcd.endpoint
    ))
    .status(1)
    .run();
    // An etcd that does not serve version 2 says nothing that helps.
    let shared = &shared().endpoint;
    config("two", &format!("import {shared}/v2/keys"))
        .stderr(format!(
            "error: can't read {shared}/v2/keys\n  caused by: status 404: no word of etcd's\n\n\
             help: etcd serves version 2 only where it was started with `--enable-v2`\n"
        ))
        .status(3)
        .run();
    config("two", "import https://etcd:2379/v2/keys")
        .stderr(
            "error: the endpoint `https://etcd:2379` asks for TLS, which unitgen doesn't speak\n\n\
             help: fetch it with curl, and import the answer: `curl … | unitgen config import \
             --from-format etcd2 -`\n",
        )
        .status(2)
        .run();
}

#[test]
fn an_export_is_what_its_reader_reads_or_is_refused() {
    set("exported", &["A=two words", "B=$HOME 'x' \"y\" \\.", "C="]);
    let output = config("exported", "export --format shell").output();
    let script = String::from_utf8(output.stdout).unwrap() + "printf '%s|' \"$A\" \"$B\" \"$C\"";
    let shell = std::process::Command::new("sh")
        .args(["-c", &script])
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8(shell.stdout).unwrap(),
        "two words|$HOME 'x' \"y\" \\.||"
    );
    config("exported", "export --format docker")
        .stdout("A=two words\nB=$HOME 'x' \"y\" \\.\nC=\n")
        .run();
    for format in ["docker", "dotenv", "json"] {
        let path = format!("exported.{format}");
        let folder = config("exported", &format!("export --format {format} -o {path}")).run();
        let mode = std::fs::metadata(folder.path(&path)).unwrap();
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&mode.permissions()) & 0o777,
            0o600
        );
        let text = folder.read(&path);
        config("exported", &format!("diff {path} --from-format {format}"))
            .file(&path, text)
            .stdout("3 equal\n")
            .run();
    }
    config("exported", "set D=@lines E=@bytes")
        .file("lines", "a\nb")
        .file("bytes", b"\xff")
        .stdout("+ D\n+ E\nexported: 2 added, 3 equal; change 2\n")
        .stderr(restart("exported", "2 variables"))
        .run();
    config("exported", "export --format docker")
        .stderr(
            "error: the format `docker` can't hold all of it\n  caused by: `D`: the value has a line \
             feed, which a line can't hold; `E`: the value is not UTF-8\n\nhelp: choose another format\n",
        )
        .status(2)
        .run();
}

#[test]
fn a_password_in_an_address_is_not_shown() {
    let output = Test::new()
        .args("config -a masked diff http://ann:hunter2@127.0.0.1:1/v2/keys")
        .environment("ETCDCTL_ENDPOINTS", &shared().endpoint)
        .output();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn a_format_is_said_of_a_file() {
    set("sourced", &["A=1"]);
    config("sourced", "import heroku --from-format heroku")
        .file("heroku", "A=2\nVERSION=v9\n")
        .stdout("~ A\nsourced: 1 changed; change 2\n")
        .stderr(
            "warning: `VERSION` is left out: the units themselves set it\n".to_owned()
                + &restart("sourced", "1 variable"),
        )
        .run();
    config("sourced", "diff @1 --from-format json")
        .stderr("error: @1 is no file, and has no format\n\nhelp: leave `--from-format` away\n")
        .status(2)
        .run();
}

#[test]
fn an_assignment_in_a_source_s_place_is_not_repeated() {
    for word in ["SESSION=ab/cdef", "URL=https://hooks/T0/hunter2"] {
        let name = word.split('=').next().unwrap();
        config("assigned", "import")
            .word(word)
            .stderr(format!(
                "error: `{name}=…` is no source\n\nhelp: `unitgen config set` sets variables; a file's name \
                 with `=` begins with `./`\n"
            ))
            .status(2)
            .run();
    }
}
