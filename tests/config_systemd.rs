//! What systemd itself reads of an export for its `EnvironmentFile=`: a manager of its own, in namespaces of
//! its own.
//!
//! That wants root, `unshare` and a systemd that is installed. Where one is lacking nothing is tested.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use unitgen::config::export::{Format, write};
use unitgen::config::variable::{Name, Value, Variables};

const SYSTEMD: &str = "/usr/lib/systemd/systemd";

/// Becomes the first process of its namespace, which starts one unit.
const BOOT: &str = "\
mount -t tmpfs tmpfs /run && mkdir /run/units && cp \"$0\"/units/* /run/units/ &&
SYSTEMD_UNIT_PATH=/run/units SYSTEMD_LOG_TARGET=null container=docker \\
exec /usr/lib/systemd/systemd --system --unit=read.service";

/// Tells whether namespaces can be made.
fn can_boot() -> bool {
    let unshare = Command::new("unshare")
        .args(["-fpmC", "--mount-proc", "--kill-child", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    Path::new(SYSTEMD).exists() && unshare.is_ok_and(|status| status.success())
}

/// Returns variables with what is awkward: each byte at each end and within, and what quotes are about.
fn awkward() -> Variables {
    let mut values: Vec<Vec<u8>> = Vec::new();
    for byte in 1..=255 {
        values.push(vec![byte]);
        values.push(vec![b'a', byte, b'b']);
        values.push(vec![byte, b' ', byte]);
    }
    for text in [
        "",
        "two words",
        " outer blanks ",
        "it's",
        "\"quoted\"",
        "'\"`$HOME ${HOME} $(id) \\$",
        "a\nb\n",
        "\\",
        "a\\",
        "\\\\n\\t",
        "# no comment",
        "; no comment",
        "a=b=c",
        "%h %% %n",
        "äöü 漢字 😀",
        "x\\\ny",
    ] {
        values.push(text.as_bytes().to_vec());
    }
    let named = (0..).zip(values).map(|(number, value)| {
        let name = Name::new(format!("V_{number:04}")).unwrap();
        (name, Value::new(value).unwrap())
    });
    // What the format can't hold is refused, which other tests are about.
    let held = |(name, value): &(Name, Value)| {
        let one = [(name.clone(), value.clone())].into_iter().collect();
        write(Format::Systemd, &one).is_ok()
    };
    named.filter(held).collect()
}

#[test]
fn systemd_reads_what_is_exported_for_it() {
    if !can_boot() {
        return;
    }
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = folder.path().display();
    let variables = awkward();
    let text = write(Format::Systemd, &variables).unwrap();
    fs::write(folder.path().join("file.env"), text.as_bytes()).unwrap();
    let units = folder.path().join("units");
    fs::create_dir(&units).unwrap();
    let unit = format!(
        "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nEnvironmentFile={path}/file.env\n\
         ExecStart=/bin/sh -c 'env -0 >{path}/torn && mv {path}/torn {path}/read'\n"
    );
    fs::write(units.join("read.service"), unit).unwrap();
    let mut manager = Command::new("unshare")
        .args(["-fpmC", "--mount-proc", "--kill-child", "sh", "-c", BOOT])
        .arg(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    let read = loop {
        if let Ok(read) = fs::read(folder.path().join("read")) {
            break read;
        }
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "systemd does not start the unit"
        );
        std::thread::sleep(Duration::from_millis(50));
    };
    manager.kill().unwrap();
    manager.wait().unwrap();
    let read = read
        .split(|byte| *byte == 0)
        .filter(|entry| entry.starts_with(b"V_"));
    let read: BTreeMap<&[u8], &[u8]> = read.map(|entry| (&entry[..6], &entry[7..])).collect();
    let exported: BTreeMap<&[u8], &[u8]> = variables
        .iter()
        .map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()))
        .collect();
    assert!(exported.len() > 300, "{}", exported.len());
    assert_eq!(read, exported);
}
