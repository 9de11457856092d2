//! What a client of docker gets by `unitgen env exec`, and what it never gets; `unitgen env docker`.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use serde_json::Value;

use crate::env_scene::{Scene, real_docker, variable, words};
use crate::test::Folder;

#[test]
fn names_stand_on_the_command_line_and_values_in_the_environment() {
    let folder = Scene::new("names")
        .set("SECRET", "hunter2")
        .set("DATABASE_URL", "a b\nc")
        .key("/names/url", "redis")
        .test("exec --key REDIS_URL=/names/url --key SECRET=/names/url -- docker -H x container run --rm image echo")
        .environment("SECRET", "old")
        .environment("OTHER", "kept")
        .run();
    assert_eq!(
        words(&folder),
        "-H x container run -e DATABASE_URL -e REDIS_URL -e SECRET --rm image echo"
    );
    assert_eq!(variable(&folder, "SECRET").unwrap(), "hunter2");
    assert_eq!(variable(&folder, "REDIS_URL").unwrap(), "redis");
    assert_eq!(variable(&folder, "OTHER").unwrap(), "kept");
    assert!(folder.read("environment").contains("DATABASE_URL=a b\nc\n"));
}

#[test]
fn the_app_does_not_steer_the_client() {
    for client in ["docker", "podman"] {
        let folder = Scene::new("steer")
            .set("A", "b")
            .set("DOCKER_HOST", "tcp://evil:1")
            .set("PATH", "/evil")
            .set("LD_PRELOAD", "/evil.so")
            .set("https_proxy", "http://evil")
            .key("/steer/home", "/from key")
            .test(&format!(
                "exec --key HOME=/steer/home -- {client} create image"
            ))
            .title(client)
            .run();
        let words = words(&folder);
        let behind = words
            .strip_prefix("create --env-file /proc/self/fd/")
            .unwrap();
        assert_eq!(behind.split_once(' ').unwrap().1, "-e A image");
        assert_eq!(
            folder.read("file"),
            "DOCKER_HOST=tcp://evil:1\nHOME=/from key\nLD_PRELOAD=/evil.so\nPATH=/evil\n\
             https_proxy=http://evil\n"
        );
        assert_eq!(variable(&folder, "HOME").unwrap(), "/nonexistent");
        assert!(
            variable(&folder, "PATH")
                .unwrap()
                .ends_with("/usr/bin:/bin")
        );
        for name in ["DOCKER_HOST", "LD_PRELOAD", "https_proxy"] {
            assert_eq!(variable(&folder, name), None, "{name}");
        }
    }
}

#[test]
fn what_a_file_cant_hold_is_refused_by_name() {
    let refused = |client: &str, reasons: &str| {
        Scene::new("torn")
            .set("A", "a\nb")
            .set("HOME", "a\nb")
            .set("LANG", "'C'")
            .set("TZ", b"\xff")
            .test(&format!("exec -- {client} run image"))
            .title(client)
            .stderr(format!(
                "\
error: the container can't get what is configured
  caused by: {reasons}

help: set other values, or leave these variables out of the configuration
"
            ))
            .status(2)
            .expect_no_file("words")
            .run();
    };
    refused(
        "docker",
        "`HOME`: the value has a line feed, which a line can't hold; `TZ`: the value is not UTF-8",
    );
    refused(
        "podman",
        "`HOME`: the value has a line feed, which a line can't hold; `LANG`: it goes by a file, from \
         which versions of podman read an empty value, quotes, `#`, carriage returns and outer white \
         space otherwise; `TZ`: the value is not UTF-8",
    );
}

#[test]
fn an_option_on_the_command_line_that_wins_is_told() {
    let folder = Scene::new("wins")
        .set("TZ", "UTC")
        .test("exec -- docker run -e TZ image")
        .environment("TZ", "CET")
        .stderr(
            "warning: `-e TZ` on the command line goes before the configuration's `TZ`, which would \
             steer the client and goes to the container by a file\n",
        )
        .run();
    assert_eq!(variable(&folder, "TZ").unwrap(), "CET");
    assert_eq!(folder.read("file"), "TZ=UTC\n");
}

#[test]
fn an_unknown_option_before_the_verb_is_no_guess() {
    Scene::new("unknown")
        .set("A", "b")
        .test("exec -- docker --shiny run image")
        .stderr(
            "\
error: the client's option `--shiny` is not known, nor whether it has a value

help: write it with its value as one word: `--option=value`, or leave it out
",
        )
        .status(2)
        .expect_no_file("words")
        .run();
}

#[test]
fn another_verb_is_another_program() {
    let folder = Scene::new("verb")
        .set("A", "b")
        .test("exec -- docker start -a container")
        .stderr(
            "warning: only with `run` and `create` does `docker` hand variables to a container\n",
        )
        .run();
    assert_eq!(words(&folder), "start -a container");
    assert_eq!(variable(&folder, "A").unwrap(), "b");
}

/// Answers a client like a daemon that creates any container, and sends what it is to create.
fn serve(mut stream: UnixStream, created: &Sender<Value>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut request = String::new();
        if reader.read_line(&mut request)? == 0 {
            return Ok(());
        }
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let line = line.trim().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(text) = line.strip_prefix("content-length:") {
                length = text.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let (status, answer) = if request.contains("/containers/create") {
            created.send(serde_json::from_slice(&body)?).unwrap();
            ("201 Created", "{\"Id\":\"0123456789ab\",\"Warnings\":[]}")
        } else if request.contains("/_ping") {
            ("200 OK", "")
        } else {
            ("200 OK", "{}")
        };
        write!(
            stream,
            "HTTP/1.1 {status}\r\nApi-Version: 1.41\r\nOstype: linux\r\nContent-Type: \
             application/json\r\nContent-Length: {}\r\n\r\n{answer}",
            answer.len()
        )?;
    }
}

/// Starts such a daemon at a socket.
fn daemon(socket: &str) -> Receiver<Value> {
    let listener = UnixListener::bind(socket).unwrap();
    let (created, receiver) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let created = created.clone();
            std::thread::spawn(move || serve(stream.unwrap(), &created));
        }
    });
    receiver
}

#[test]
fn docker_itself_hands_all_to_its_daemon() {
    let Some(docker) = real_docker() else {
        return;
    };
    let sockets = Folder::new();
    let socket = sockets.path("socket").display().to_string();
    let created = daemon(&socket);
    Scene::new("real")
        .set("A", "two\nlines")
        .set("DATABASE_URL", "postgres://u:p@h/d?x=\"1\" '2' $3 \\ #4")
        .set("DOCKER_API_VERSION", "1.99")
        .set("DOCKER_CONFIG", "/evil")
        .set("DOCKER_CONTENT_TRUST", "1")
        .set("DOCKER_DEFAULT_PLATFORM", "evil/evil")
        .set("DOCKER_HOST", "tcp://127.0.0.1:1")
        .set("HOME", "  /evil#\"quoted\" ")
        .set("HTTP_PROXY", "http://evil")
        .set("LD_PRELOAD", "")
        .set("PATH", "/evil")
        .test(&format!(
            "exec -- {docker} -H unix://{socket} create --name c image"
        ))
        .stdout("0123456789ab\n")
        .run();
    let body = created.recv_timeout(Duration::from_secs(30)).unwrap();
    let environment = body["Env"].as_array().unwrap().iter();
    let mut environment: Vec<&str> = environment.map(|one| one.as_str().unwrap()).collect();
    environment.sort_unstable();
    let expected = [
        "A=two\nlines",
        "DATABASE_URL=postgres://u:p@h/d?x=\"1\" '2' $3 \\ #4",
        "DOCKER_API_VERSION=1.99",
        "DOCKER_CONFIG=/evil",
        "DOCKER_CONTENT_TRUST=1",
        "DOCKER_DEFAULT_PLATFORM=evil/evil",
        "DOCKER_HOST=tcp://127.0.0.1:1",
        "HOME=  /evil#\"quoted\" ",
        "HTTP_PROXY=http://evil",
        "LD_PRELOAD=",
        "PATH=/evil",
    ];
    assert_eq!(environment, expected);
}

#[test]
fn a_shell_takes_the_options_as_they_are() {
    let scene = Scene::new("options")
        .set("A", "")
        .set("B", "x=y;$HOME`z`'q'\"~#{a,b}|&<>()!")
        .set("C", "ä€𝄞");
    let line = "-e A= -e B=x=y;$HOME`z`'q'\"~#{a,b}|&<>()! -e C=ä€𝄞\n";
    let folder = scene.test("docker").stdout(line).run();
    folder.write("options", line);
    for shell in ["sh", "bash"] {
        let output = Command::new(shell)
            .args(["-c", "printf '%s\\0' $(cat options)"])
            .current_dir(folder.path(""))
            .output();
        let Ok(output) = output else { continue };
        let expected = line.trim_end().replace(' ', "\0") + "\0";
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            expected,
            "{shell}"
        );
    }
}

#[test]
fn what_a_shell_would_tear_is_refused_by_name() {
    let scene = || {
        Scene::new("tears")
            .set("BLANK", "a b")
            .set("FINE", "a")
            .set("LINE", "a\n")
            .set("STAR", "a*")
            .set("BACKSLASH", "a\\b")
            .set("MARK", "?")
    };
    scene()
        .test("docker")
        .stdout("--unitgen-env-docker-failed\n")
        .stderr(
            "\
error: a shell would not hand on what is configured
  caused by: `BACKSLASH`: the value has a backslash, which some shells take away; `BLANK`, `LINE`: the \
value has white space, at which a shell splits it; `MARK`, `STAR`: the value has a `*`, `?` or `[`, which \
a shell takes for names of files

help: use `unitgen env exec -- docker run …`, which hands on any value
",
        )
        .status(2)
        .run();
    scene()
        .test("docker --names")
        .stdout("-e BACKSLASH -e BLANK -e FINE -e LINE -e MARK -e STAR\n")
        .run();
}
