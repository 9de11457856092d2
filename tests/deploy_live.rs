//! A deploy, a cut-over, a restart and a rollback end to end, on the live cluster where there is one.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::deploy_run::{hasten_site, same};
use crate::etcd::shared;
use crate::fleet_site::Site;
use crate::test::{Folder, PROGRAM};

/// Runs a command that is to do all of it, and returns the steps that it did.
fn done(site: &Site, folder: &Folder, arguments: &str) -> Vec<String> {
    let output = Command::new(PROGRAM)
        .args(arguments.split_whitespace())
        .args(["--format", "json"])
        .current_dir(folder.path(""))
        .env_clear()
        .env("HOME", "/nonexistent")
        .env("FLEETCTL_ENDPOINT", site.endpoint())
        .env("ETCDCTL_ENDPOINTS", &shared().endpoint)
        .env("UNITGEN_AUTHOR", "ann")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{arguments}\n{stdout}\n{stderr}");
    let events = stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let ended =
        events.filter(|event: &Value| event["event"] == "instance" && event["outcome"] != "began");
    ended
        .map(|event| {
            let word = |key: &str| event[key].as_str().unwrap().to_owned();
            let name = word("instance").replace(&site.name(""), "");
            [word("outcome"), word("action"), name].join(" ")
        })
        .collect()
}

#[test]
fn an_app_lives_from_its_first_deploy_to_its_last() {
    let site = Site::new("deploy");
    hasten_site(&site);
    let name = site.name("app");
    let ready = u32::from(site.server().is_none());
    let folder = Folder::new();
    let manifest = |command: u32, versions: &str| {
        let text = format!(
            "apps:\n  {name}: {{exec: [/bin/sh, -c, exec sleep 100{command}, $VERSION], versions: [{versions}], instances: 2, deploy: {{ready_secs: {ready}, timeout: 2m}}}}\n"
        );
        folder.write("services.yaml", text);
    };
    let deploy = |arguments: &str| done(&site, &folder, arguments);
    manifest(1, "v1");
    same(
        &deploy("deploy"),
        &[
            "done start app-worker@v1-1.service",
            "done start app-worker@v1-2.service",
        ],
    );
    manifest(2, "v1");
    same(
        &deploy("deploy"),
        &[
            "done replace app-worker@v1-1.service",
            "done replace app-worker@v1-2.service",
        ],
    );
    manifest(2, "v2");
    same(
        &deploy("deploy"),
        &[
            "done start app-worker@v2-1.service",
            "done stop app-worker@v1-2.service",
            "done destroy app-worker@v1-2.service",
            "done start app-worker@v2-2.service",
            "done stop app-worker@v1-1.service",
            "done destroy app-worker@v1-1.service",
        ],
    );
    same(
        &deploy(&format!("restart {name}")),
        &[
            "done restart app-worker@v2-1.service",
            "done restart app-worker@v2-2.service",
        ],
    );
    same(
        &deploy(&format!("rollback {name}")),
        &[
            "done start app-worker@v1-1.service",
            "done stop app-worker@v2-2.service",
            "done destroy app-worker@v2-2.service",
            "done start app-worker@v1-2.service",
            "done stop app-worker@v2-1.service",
            "done destroy app-worker@v2-1.service",
        ],
    );
}
