//! `unitgen env export`, `json`, `null` and `file`: what they write, and whose it is.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use crate::env_scene::Scene;
use crate::test::Folder;

fn scene() -> Scene {
    Scene::new("formats")
        .set("A", "it's $HOME\n\"`z`\\")
        .set("B", "")
}

#[test]
fn a_shell_reads_what_is_exported() {
    let text = "export A='it'\\''s $HOME\n\"`z`\\'\nexport B=''\n";
    let folder = scene().test("export").stdout(text).run();
    folder.write("script", format!("{text}printf '%s|' \"$A\" \"$B\"\n"));
    let output = Command::new("sh").arg(folder.path("script")).output();
    let output = String::from_utf8(output.unwrap().stdout).unwrap();
    assert_eq!(output, "it's $HOME\n\"`z`\\||");
}

#[test]
fn json_and_null_have_all() {
    scene()
        .test("json")
        .stdout("{\n  \"A\": \"it's $HOME\\n\\\"`z`\\\\\",\n  \"B\": \"\"\n}\n")
        .run();
    scene()
        .test("null")
        .stdout("A=it's $HOME\n\"`z`\\\0B=\0")
        .run();
    let scene = || Scene::new("bytes").set("A", b"\xff\x01").set("B", b"\xfe");
    let output = scene().test("null").output();
    assert_eq!(output.stdout, b"A=\xff\x01\0B=\xfe\0");
    scene()
        .test("json")
        .stderr(
            "error: the format `json` can't hold the configuration\n  caused by: `A`, `B`: the value is \
             not UTF-8\n\nhelp: set other values, or choose another way to hand them on: `unitgen env \
             exec` and `unitgen env null` hold any bytes\n",
        )
        .status(2)
        .run();
}

#[test]
fn a_file_has_its_format_its_owner_and_its_mode() {
    let scene = || Scene::new("file").set("A", "a b").set("B", "$c");
    for (format, text) in [
        ("docker", "A=a b\nB=$c\n"),
        ("dotenv", "A=\"a b\"\nB='$c'\n"),
        ("json", "{\n  \"A\": \"a b\",\n  \"B\": \"$c\"\n}\n"),
        ("shell", "export A='a b'\nexport B='$c'\n"),
        ("systemd", "A=\"a b\"\nB=\"\\$c\"\n"),
    ] {
        let folder = scene()
            .test(&format!("file --output out --format {format}"))
            .title(format)
            .expect_file("out", text)
            .run();
        assert_eq!(mode(&folder, "out"), 0o600);
    }
    let scene = scene();
    // What is there is replaced, and its mode is not kept.
    scene.program("out", "old", 0o666);
    let folder = scene
        .test("file -o out --mode 640 --format docker")
        .expect_file("out", "A=a b\nB=$c\n")
        .run();
    assert_eq!(mode(&folder, "out"), 0o640);
    assert_eq!(folder.names(""), ["bin", "out"]);
}

fn mode(folder: &Folder, path: &str) -> u32 {
    fs::metadata(folder.path(path)).unwrap().mode() & 0o7777
}

#[test]
fn a_file_is_given_away_where_that_is_allowed() {
    let own = fs::metadata("/proc/self").unwrap().uid();
    let wanted = if own == 0 { (2, 1) } else { (own, own) };
    let folder = Scene::new("owner")
        .set("A", "b")
        .test(&format!("file -o out --owner {}", wanted.0))
        .expect_file("out", "A=b\n")
        .run();
    assert_eq!(fs::metadata(folder.path("out")).unwrap().uid(), wanted.0);
    if own == 0 {
        let folder = Scene::new("owner")
            .test("file -o out --owner bin:daemon --mode 0440")
            .expect_file("out", "A=b\n")
            .run();
        let metadata = fs::metadata(folder.path("out")).unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), wanted);
        assert_eq!(mode(&folder, "out"), 0o440);
    }
    Scene::new("owner")
        .test("file -o out --owner nobody-of-that-name")
        .stderr(
            "error: there is no user `nobody-of-that-name` in `/etc/passwd`\n\nhelp: names of other \
             sources are not known here: give the number\n",
        )
        .status(2)
        .expect_no_file("out")
        .run();
    Scene::new("owner")
        .test("file -o out --owner :no-group")
        .stderr(
            "error: there is no group `no-group` in `/etc/group`\n\nhelp: names of other sources are \
             not known here: give the number\n",
        )
        .status(2)
        .expect_no_file("out")
        .run();
}

#[test]
fn a_place_that_cant_be_written_is_told() {
    Scene::new("place")
        .set("A", "b")
        .test("file -o bin")
        .stderr("error: `bin` is a folder\n")
        .status(2)
        .run();
    Scene::new("place")
        .test("file -o nowhere/out")
        .stderr(
            "error: can't write `nowhere/out`\n  caused by: No such file or directory (os error 2)\n",
        )
        .status(2)
        .run();
}

#[test]
fn what_a_format_cant_hold_leaves_the_file_as_it_is() {
    let scene = Scene::new("kept").set("A", "a\nb").set("B", "c\nd");
    scene.program("out", "old", 0o600);
    scene
        .test("file -o out")
        .stderr(
            "error: the format `docker` can't hold the configuration\n  caused by: `A`, `B`: the value \
             has a line feed, which a line can't hold\n\nhelp: set other values, or choose another way \
             to hand them on: `unitgen env exec` and `unitgen env null` hold any bytes\n",
        )
        .status(2)
        .expect_file("out", "old")
        .run();
}

#[test]
fn what_would_steer_a_reader_is_refused_where_it_is_read_as_an_environment() {
    let refused = |arguments: &str, printed: &str| {
        let test = Scene::new("steered")
            .set("LD_PRELOAD", "/evil.so")
            .test(arguments);
        let output = test.output();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.stdout, printed.as_bytes());
        assert_eq!(output.status.code(), Some(2), "{arguments}");
        said
    };
    let help = "leave it out of the configuration; where the unit's author means it, the unit says so: \
                `--key LD_PRELOAD=/environment/steered/LD_PRELOAD`";
    for (arguments, printed) in [
        ("export", "exit 2\n"),
        ("file -o out --format systemd", ""),
        ("file -o out --format shell", ""),
    ] {
        assert_eq!(
            refused(arguments, printed),
            format!(
                "error: what reads this would be steered\n  caused by: `LD_PRELOAD`: it would steer the \
                 program itself, its loader or a shell\n\nhelp: {help}\n"
            )
        );
    }
    assert_eq!(
        refused("docker --names", "--unitgen-env-docker-failed\n"),
        "error: docker would take its own values\n  caused by: `LD_PRELOAD`: docker itself may have a \
         variable of that name\n\nhelp: use `unitgen env exec -- docker run …`, which hands on any \
         variable\n"
    );
    // A container's own is its own.
    Scene::new("steered")
        .test("file -o out --format docker")
        .expect_file("out", "LD_PRELOAD=/evil.so\n")
        .run();
}

#[test]
fn a_device_is_not_replaced() {
    Scene::new("device")
        .set("A", "b")
        .test("file -o /dev/null")
        .stderr(
            "error: `/dev/null` is no regular file\n\nhelp: name a file of its own, which is written whole \
             and then put there\n",
        )
        .status(2)
        .run();
}

#[test]
fn a_shell_goes_no_further_where_the_configuration_is_refused() {
    let folder = Scene::new("torn-off")
        .set("A", "b")
        .test("json")
        .into_folder();
    let unitgen = crate::test::PROGRAM;
    let run = |script: &str| {
        let output = Command::new("sh")
            .args(["-c", script])
            .env_clear()
            .env(
                "PATH",
                format!("{}:/usr/bin:/bin", folder.path("bin").display()),
            )
            .env("RECORD", folder.path(""))
            .env("APPLICATION", "torn-off")
            .env("ETCDCTL_ENDPOINTS", &crate::etcd::shared().endpoint)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let export = |options: &str| {
        run(&format!(
            "eval \"$({unitgen} env export {options})\"; echo \"started with $A\""
        ))
    };
    assert_eq!(export(""), "started with b\n");
    assert_eq!(export("--require B"), "");
    assert_eq!(export("--no-such-option"), "");
    // docker knows no such option.
    run(&format!(
        "docker run $({unitgen} env docker --require B) image"
    ));
    assert_eq!(
        crate::env_scene::words(&folder),
        "run --unitgen-env-docker-failed image"
    );
}
