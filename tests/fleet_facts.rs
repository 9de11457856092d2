//! What fleet answers, request by request as recorded. Against a live cluster as well.

use serde_json::{Value, json};

use crate::fleet_site::{Reply, Site, exchange};

fn options(list: &[(&str, &str, &str)]) -> Value {
    list.iter()
        .map(|(section, name, value)| json!({"section": section, "name": name, "value": value}))
        .collect()
}

fn app(seconds: u32) -> Value {
    let command = format!("/bin/sleep {seconds}");
    options(&[
        ("Unit", "Description", "App HTTP %i"),
        ("Service", "ExecStart", &command),
        ("X-Fleet", "Conflicts", "app-http@*.service"),
    ])
}

/// The same as fleet shows it: keys in order, nothing empty.
const APP: &str = r#""options":[{"name":"Description","section":"Unit","value":"App HTTP %i"},{"name":"ExecStart","section":"Service","value":"/bin/sleep SECONDS"},{"name":"Conflicts","section":"X-Fleet","value":"app-http@*.service"}]}"#;

fn message(code: u16, message: &str) -> String {
    json!({"error": {"code": code, "message": message}}).to_string()
}

#[track_caller]
fn is(reply: Option<Reply>, status: u16, body: &str) {
    let reply = reply.expect("an answer");
    assert_eq!((reply.status, reply.body.as_str()), (status, body));
}

#[test]
fn units_come_change_and_go() {
    let site = Site::new("crud");
    let name = site.name("app-http@.service");
    let path = format!("/fleet/v1/units/{name}");
    let put = |body: Value| site.put("app-http@.service", &body.to_string());
    let shown = |seconds: &str| {
        let start = r#"{"currentState":"inactive","desiredState":"inactive","name":"#;
        format!("{start}\"{name}\",{}", APP.replace("SECONDS", seconds))
    };
    is(
        site.ask("GET", &path),
        404,
        &message(404, "unit does not exist"),
    );
    is(
        put(json!({"desiredState": "inactive", "options": app(1000)})),
        201,
        "",
    );
    is(site.ask("GET", &path), 200, &shown("1000"));
    is(
        put(json!({"desiredState": "inactive", "options": app(1000)})),
        204,
        "",
    );
    let must = message(409, "must provide DesiredState to update existing unit");
    is(put(json!({"options": app(1000)})), 409, &must);
    is(put(json!({"options": app(2000)})), 201, "");
    is(site.ask("GET", &path), 200, &shown("2000"));
    is(
        put(json!({"desiredState": "launched"})),
        400,
        &message(400, &format!("cannot activate template \"{name}\"")),
    );
    is(
        put(json!({"name": "other@.service", "options": app(2000)})),
        400,
        &message(
            400,
            &format!(
                "name in URL \"{name}\" differs from unit name in request body \"other@.service\""
            ),
        ),
    );
    is(site.ask("DELETE", &path), 204, "");
    is(
        site.ask("DELETE", &path),
        404,
        &message(404, "unit does not exist"),
    );
    is(
        site.ask("GET", &path),
        404,
        &message(404, "unit does not exist"),
    );
}

#[test]
fn creation_is_checked() {
    let site = Site::new("create");
    let new = |body: &str| site.put("new.service", body);
    let empty = message(409, "unit does not exist and options field empty");
    is(new(r#"{"desiredState":"launched"}"#), 409, &empty);
    let eof = message(400, "unable to decode body: unexpected EOF");
    is(new(r#"{"desiredState":"launched","options":["#), 400, &eof);
    let body = json!({"options": app(1000)}).to_string();
    let path = format!("/fleet/v1/units/{}", site.name("new.service"));
    let typed = |content_type| exchange(site.endpoint(), "PUT", &path, content_type, &body);
    let refused = "only acceptable Content-Type is application/json";
    is(typed(Some("text/plain")), 415, &message(415, refused));
    let none = message(415, "expected 1 Content-Type, got 0");
    is(typed(None), 415, &none);
    is(typed(Some("application/json; charset=utf-8")), 201, "");
    let running = json!({"desiredState": "running", "options": app(1000)}).to_string();
    is(site.put("new2.service", &running), 500, &message(500, ""));
    let path = format!("/fleet/v1/units/{}", site.name("new2.service"));
    is(
        site.ask("GET", &path),
        404,
        &message(404, "unit does not exist"),
    );
    // An instance does not come of its template: only fleetctl copies that.
    let template = json!({"desiredState": "inactive", "options": app(1000)}).to_string();
    is(site.put("t@.service", &template), 201, "");
    is(
        site.put("t@1.service", r#"{"desiredState":"launched"}"#),
        409,
        &empty,
    );
}

#[test]
fn combinations_are_checked_at_creation_only() {
    let site = Site::new("combine");
    let unit = |lines: &[(&str, &str)]| {
        let mut list = vec![("Service", "ExecStart", "/bin/true")];
        list.extend(lines.iter().map(|(name, value)| ("X-Fleet", *name, *value)));
        json!({"options": options(&list)}).to_string()
    };
    let no = |one: &str, other: &str| Some(format!("{one} cannot be used with {other}"));
    let peer = |what: &str| {
        Some(format!(
            "unresolvable requirements: peer \"abc.service\" matches {what} \"a*\""
        ))
    };
    let of = ("MachineOf", "abc.service");
    let id = ("MachineID", "x");
    let global = ("Global", "true");
    let replaces = ("Replaces", "a*");
    let cases = [
        (vec![("Conflicts", "a*")], None),
        (vec![of, ("Conflicts", "a*")], peer("conflict")),
        (vec![of, replaces], peer("replace")),
        (vec![id, of], no("MachineID", "Peers")),
        (vec![id, ("Conflicts", "b*")], no("MachineID", "Conflicts")),
        (vec![id, global], no("MachineID", "Global")),
        (vec![id, replaces], no("MachineID", "Replaces")),
        (vec![global, of], no("Global", "Peers")),
        (vec![global, ("Conflicts", "a*")], None),
        (vec![global, replaces], no("Global", "Replaces")),
        (
            vec![("Conflicts", "a*"), replaces],
            no("Conflicts", "Replaces"),
        ),
        (vec![id, ("MachineMetadata", "a=b")], None),
        (vec![global, ("MachineMetadata", "a=b")], None),
        (vec![("Bogus", "1")], None),
        (vec![("Conflicts", "a[")], None),
        (
            vec![
                ("X-Conflicts", "a*"),
                ("X-ConditionMachineOf", "abc.service"),
            ],
            peer("conflict"),
        ),
    ];
    for (number, (lines, refusal)) in cases.iter().enumerate() {
        let reply = site.put(&format!("v{number}.service"), &unit(lines));
        match refusal {
            None => is(reply, 201, ""),
            Some(text) => is(reply, 400, &message(400, text)),
        }
    }
    is(site.put("v0.service", &unit(&[id, global])), 201, "");
}

#[test]
fn names_are_checked() {
    let site = Site::new("names");
    let body = json!({"options": options(&[("Service", "ExecStart", "/bin/true")])}).to_string();
    for name in [
        "a.target",
        "a.slice",
        "a.mount",
        "a.timer",
        "x@1.target",
        "a@b@c.service",
        "a..service",
        "a%5Cx2db.service",
        "a:b.service",
        "a%40.service",
        "A_Z-9.service",
    ] {
        is(site.put(name, &body), 201, "");
    }
    for (name, text) in [
        ("a.conf", "invalid unit type: \"conf\""),
        ("nodot", "unit name must contain \".\""),
        ("x@.mount", "invalid unit type for template: \"mount\""),
        ("a%2Bb.service", "invalid character '+' in unit name"),
        ("a%20b.service", "invalid character ' ' in unit name"),
        ("caf%C3%A9.service", "invalid character 'é' in unit name"),
    ] {
        is(site.put(name, &body), 400, &message(400, text));
    }
    is(site.put("a%2Fb.service", &body), 404, &message(404, ""));
    let filler = 256 - site.name(".service").len();
    is(
        site.put(&format!("{}.service", "n".repeat(filler)), &body),
        201,
        "",
    );
    let long = message(400, "unit name exceeds maximum length (256)");
    is(
        site.put(&format!("{}.service", "n".repeat(filler + 1)), &body),
        400,
        &long,
    );
}

#[test]
fn texts_come_back_as_fleet_reads_them() {
    let site = Site::new("texts");
    let case = |name: &str, list: &[(&str, &str, &str)], shown: &str, again: u16| {
        let body = json!({"desiredState": "inactive", "options": options(list)}).to_string();
        is(site.put(name, &body), 201, "");
        let path = format!("/fleet/v1/units/{}", site.name(name));
        let start = r#"{"currentState":"inactive","desiredState":"inactive","name":"#;
        let whole = format!("{start}\"{}\",\"options\":[{shown}]}}", site.name(name));
        is(site.ask("GET", &path), 200, &whole);
        is(site.put(name, &body), again, "");
    };
    case(
        "escaped.service",
        &[("Service", "ExecStart", "/bin/sh -c \"a && b > c\"")],
        r#"{"name":"ExecStart","section":"Service","value":"/bin/sh -c \"a \u0026\u0026 b \u003e c\""}"#,
        204,
    );
    case(
        "empty.service",
        &[("Service", "ExecStart", "")],
        r#"{"name":"ExecStart","section":"Service"}"#,
        204,
    );
    case(
        "nosection.service",
        &[("", "A", "b")],
        r#"{"name":"A","value":"b"}"#,
        204,
    );
    // These are compared as given and stored as read: never equal.
    case(
        "newline.service",
        &[(
            "Service",
            "ExecStart",
            "/bin/true\nExecStop=/bin/false\n[Install]\nWantedBy=x",
        )],
        r#"{"name":"ExecStart","section":"Service","value":"/bin/true"},{"name":"ExecStop","section":"Service","value":"/bin/false"},{"name":"WantedBy","section":"Install","value":"x"}"#,
        201,
    );
    case(
        "blanks.service",
        &[("Service", "ExecStart", "  /bin/true  ")],
        r#"{"name":"ExecStart","section":"Service","value":"/bin/true"}"#,
        201,
    );
    let long = "x".repeat(3_000);
    let body = json!({"options": options(&[("Service", "ExecStart", &long)])}).to_string();
    let refused = message(400, "line too long (max 2048 bytes)");
    is(site.put("long.service", &body), 400, &refused);
}

#[test]
fn order_counts_within_sections() {
    let site = Site::new("order");
    let [unit, after, start, user] = [
        ("Unit", "Description", "d"),
        ("Unit", "After", "x.service"),
        ("Service", "ExecStart", "/bin/true"),
        ("Service", "User", "root"),
    ];
    let put = |list: &[_]| {
        let body = json!({"desiredState": "inactive", "options": options(list)});
        site.put("h.service", &body.to_string())
    };
    is(put(&[unit, start, after, user]), 201, "");
    is(put(&[unit, start, after, user]), 204, "");
    is(put(&[unit, after, start, user]), 204, "");
    is(put(&[after, unit, start, user]), 201, "");
    is(put(&[start, user, unit, after]), 201, "");
}

#[test]
fn other_methods_and_paths() {
    let site = Site::new("paths");
    let only = "only GET supported against this resource";
    let item = "only GET, PUT and DELETE supported against this resource";
    let machines = "only GET and PATCH supported against this resource";
    for (method, path, status, text) in [
        ("POST", "/fleet/v1/units", 405, only),
        ("POST", "/fleet/v1/state", 405, only),
        ("PATCH", "/fleet/v1/units/a.service", 405, item),
        ("PUT", "/fleet/v1/machines", 405, machines),
        ("GET", "/fleet/v1/units/", 404, ""),
        ("GET", "/fleet/v1/units/a/b", 404, ""),
        ("GET", "/fleet/v1", 405, ""),
        ("GET", "/fleet/v1/", 404, ""),
        ("GET", "/", 405, ""),
        ("GET", "/else", 404, ""),
    ] {
        is(site.ask(method, path), status, &message(status, text));
    }
    let head = site.ask("HEAD", "/fleet/v1/units").unwrap();
    assert_eq!((head.status, head.body.as_str()), (405, ""));
    assert!(
        head.headers.contains("\r\nContent-Length: 75"),
        "{}",
        head.headers
    );
    let units = site.ask("GET", "/v1-alpha/units").unwrap();
    assert_eq!(units.status, 200);
    assert!(
        units.headers.contains("\r\nServer: fleetd/"),
        "{}",
        units.headers
    );
}

#[test]
fn states_of_nothing() {
    let site = Site::new("states");
    is(
        site.ask("GET", "/fleet/v1/state?unitName=nope.service"),
        200,
        "{}",
    );
    // The handler stumbles over what is not there.
    assert_eq!(site.ask("GET", "/fleet/v1/state/nope.service"), None);
}

#[test]
fn tokens_are_checked() {
    let site = Site::new("tokens");
    for (token, text) in [
        ("garbage", "illegal base64 data at input byte 4"),
        ("", "EOF"),
        (
            "ZAACAA==&nextPageToken=ZAACAA==",
            "too many values for page token",
        ),
        ("ZAAAAA==", "token page must be greater than zero"),
        ("AwACAA==", "token limit must be 100"),
    ] {
        for list in ["units", "state", "machines"] {
            let path = format!("/fleet/v1/{list}?nextPageToken={token}");
            is(site.ask("GET", &path), 400, &message(400, text));
        }
    }
    let far = site.ask("GET", "/fleet/v1/units?nextPageToken=ZAD__w==");
    is(far, 200, "{}");
}
