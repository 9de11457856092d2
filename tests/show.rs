//! `unitgen show`, end to end.

use crate::test::Test;

/// A unit of which there is much to say.
const SHOP: &str = r#"[Unit]
Description=%p of %H
After=docker.service

[Service]
EnvironmentFile=-/etc/%p.env
Environment="GREETING=two words" SLOT=%i
Restart=maybe
Restart=always
ExecStartPre=-/usr/bin/docker rm -f shop
ExecStartPre=/bin/sh -c 'echo "it\'s $$HOME"' "" \x1b[0m
ExecStart=@/usr/bin/docker docker run --name shop --env GREETING --env SLOT --publish 5000:5000 --volume "/a b":/b registry/shop
ExecStop=-:!!/usr/bin/docker stop $X ; +/bin/true
Retsart=no

[X-Fleet]
MachineMetadata=region=us
MachineMetadata=region=eu
MachineMetadata=disk=ssd
MachineOf=db@%i.service
Conflicts=shop@*.service
Foo=bar
"#;

const SHOP_SHOWN: &str = r#"shop@7.service, from `units/shop@.service`

systemd 252 loads it, with 2 warnings
  line 8: Failed to parse Restart= value, ignoring: maybe
  line 14: Unknown key 'Retsart' in section [Service], ignoring.

ExecStartPre (may fail)
  /usr/bin/docker rm -f shop
ExecStartPre
  /bin/sh -c "echo \"it's $$HOME\"" "" "\x1b[0m"
ExecStart (runs /usr/bin/docker)
  docker run --name shop --env GREETING --env SLOT --publish 5000:5000 --volume "/a b:/b"
    registry/shop
ExecStop (may fail; `$` stays as it is; changes its user itself, on kernels without ambient capabilities)
  /usr/bin/docker stop $X
ExecStop (with all privileges)
  /bin/true

Environment
  "GREETING=two words"
  SLOT=7
EnvironmentFile
  -/etc/shop.env
Single settings
  [Unit] Description=shop of %H
  [Service] Restart=always
Left to the machine
  %H, the host name

fleet 1.0 takes it
  hash ed71ad0873f2fe467e880e6d869fb2ce918f0024
  runs on one machine, where `disk` is `ssd`, where `region` is `eu` or `us`, where `db@7.service` runs
  never beside `shop@*.service`
  ignores the unknown option `Foo`
  stored as it stands
"#;

#[test]
fn a_unit_is_shown_word_by_word() {
    Test::new()
        .file("units/shop@.service", SHOP)
        .args("show units/shop@.service --instance 7")
        .stdout(SHOP_SHOWN)
        .run();
}

/// Shows a text from the standard input.
#[track_caller]
fn case(name: &str, text: impl AsRef<[u8]>, expected: &str) {
    Test::new()
        .stdin(text)
        .args(&format!("show - --name {name}"))
        .stdout(expected)
        .run();
}

#[test]
fn a_unit_that_would_not_load_is_shown() {
    case(
        "a.service",
        "[Service]\nExecStart=/bin/a\nExecStart=/bin/b\n",
        "\
a.service, from `-`

systemd 252 refuses it (bad-setting)
  a.service: Service has more than one ExecStart= setting, which is only allowed for Type=oneshot services. Refusing.

ExecStart
  /bin/a
  /bin/b

fleet 1.0 takes it
  hash 343bcaa421f5311c60fccb70dc9d9b6b014ddbd2
  runs on any one machine
  stored as it stands
",
    );
    case(
        "a.service",
        "[Service]\nExecStart=/bin/a\nExecStop=/bin/b \"\n[Unit]\nAfter=b.service\n",
        r#"a.service, from `-`

systemd 252 refuses it (bad-setting)
  line 3: Unbalanced quoting, ignoring: "/bin/b ""

ExecStart
  /bin/a

fleet 1.0 takes it
  hash 034d95c811478fe0f8b6ff7b9acccd96cb4713fe
  runs on any one machine
  stored rewritten, and systemd reads the same
"#,
    );
}

#[test]
fn a_file_that_can_not_be_read_at_all_is_shown() {
    case(
        "a.service",
        "[Unit\n[Service]\nExecStart=/bin/a\n",
        "\
a.service, from `-`

systemd 252 can't read it (error)
  line 1: Invalid section header '[Unit'

fleet 1.0 takes it
  hash 499c98b6535dd9e24f2cf634489b700657df84b2
  runs on any one machine
  stored as it stands
",
    );
    case(
        "a.service",
        format!(
            "[Service]\nFoo=1\nExecStart=/bin/a\n#{}\n",
            "-".repeat(1 << 20)
        ),
        "\
a.service, from `-`

systemd 252 can't read it (error)
  line 2: Unknown key 'Foo' in section [Service], ignoring.
  line 4: Line too long

fleet 1.0 refuses it
  line too long (max 2048 bytes)
",
    );
    case(
        "a.service",
        b"[Service]\nEnvironment=A=1\nExecStart=/bin/a caf\xe9\n",
        "\
a.service, from `-`

systemd 252 can't read it (error)
  line 3: String is not UTF-8 clean, ignoring assignment: ExecStart=/bin/a caf\u{fffd}

fleet 1.0 takes it
  hash fec73c751110b50a408c8830fe40815df0b31e36
  runs on any one machine
  stored rewritten, and systemd reads that, but not the file
",
    );
    case(
        "a.service",
        "",
        "\
a.service, from `-`

systemd 252 takes the empty file for a mask (masked)

fleet 1.0 refuses it
  unit does not exist and options field empty
",
    );
}

#[test]
fn what_fleet_refuses_is_said_in_its_words() {
    case(
        "a.service",
        "[Service]\nExecStart=/bin/a\nword\n",
        "\
a.service, from `-`

systemd 252 loads it, with 1 warning
  line 3: Missing '=', ignoring line.

ExecStart
  /bin/a

fleet 1.0 refuses it
  unexpected newline encountered while parsing option name
",
    );
    case(
        "a@.mount",
        "[Mount]\nWhat=/dev/a\nWhere=/a\n[X-Fleet]\nGlobal=true\nMachineOf=b.service\n",
        r#"a@i.mount, from `-`

systemd 252 loads it

Single settings
  [Mount] What=/dev/a
  [Mount] Where=/a

fleet 1.0 refuses it
  invalid unit type for template: "mount"
  Global cannot be used with Peers
"#,
    );
}

#[test]
fn what_fleet_stores_may_mean_something_else() {
    case(
        "a.service",
        "[Service]\n# a \\\nUser=b\nExecStart=/bin/a c \\ \nExecStop=/bin/d\n",
        r#"a.service, from `-`

systemd 252 loads it, with 1 warning
  line 4: Ignoring unknown escape sequences: "\"

ExecStart
  /bin/a c "\\"
ExecStop
  /bin/d

Single settings
  [Service] User=b

fleet 1.0 takes it
  hash 17c5b175bb155631aff0c1bc6ee19219439bc927
  runs on any one machine
  stored rewritten, and systemd reads something else:
    - [Service] User=b
    - [Service] ExecStart=/bin/a c \
    - [Service] ExecStop=/bin/d
    + [Service] ExecStart=/bin/a c  ExecStop=/bin/d
"#,
    );
    case(
        "a.service",
        "[Service]\nExecStart=/bin/a \\\\\n[X-Fleet]\nConflicts=a* \\\n b*\n",
        r#"a.service, from `-`

systemd 252 loads it

ExecStart
  /bin/a "\\"

fleet 1.0 takes it
  hash 47e2de0069da2f587548f34ac9c0a4fefa10fdc5
  runs on any one machine
  it does not see in [X-Fleet] what stands there:
    - [X-Fleet] Conflicts=a*   b*
  stored as it stands
"#,
    );
    case(
        "a.service",
        "[Service]\nExecStart=/bin/a\n[X-Fleet]\nConflicts=a* \\\n b*\n",
        r"a.service, from `-`

systemd 252 loads it

ExecStart
  /bin/a

fleet 1.0 takes it
  hash af1fa48b771f74fb966e7b5688635aeb13e8b3dc
  runs on any one machine
  never beside `a*`
  never beside `\`
  never beside `b*`
  it does not see in [X-Fleet] what stands there:
    - [X-Fleet] Conflicts=a*   b*
    + [X-Fleet] Conflicts=a* \\n b*
  stored rewritten, and systemd reads the same
",
    );
    case(
        "a.service",
        "[X-'a']\nb=c\n[Service]\nExecStart=/bin/a\n",
        "\
a.service, from `-`

systemd 252 can't read it (error)
  line 1: Bad characters in section header '[X-'a']'

fleet 1.0 takes it
  hash 3f7023c4d7cdde07ddcc141d90c1743394d458b9
  runs on any one machine
  stored rewritten, and systemd can't read that: line 1: Bad characters in section header
",
    );
}
