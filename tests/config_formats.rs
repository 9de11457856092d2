//! What each format of an app's configuration says: every text with all that is read out of it.

use unitgen::config::import::{Format, Mistake, read};
use unitgen::diagnostic::Severity;

/// Reads a text, and writes what came out: `NAME=value` in Rust's escapes, then the mistakes.
fn seen(format: Format, text: &str) -> String {
    let mistakes = |mistakes: Vec<Mistake>| {
        let lines = mistakes.into_iter().map(|mistake| {
            let severity = match mistake.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            let (line, column, reason) = (mistake.line, mistake.column, mistake.reason);
            format!("{line}:{column} {severity}: {reason}\n")
        });
        lines.collect::<String>()
    };
    match read(format, text.as_bytes()) {
        Err(all) => mistakes(all),
        Ok(imported) => {
            let variables = imported
                .variables
                .iter()
                .map(|(name, value)| format!("{name}={}\n", value.as_bytes().escape_ascii()));
            variables.collect::<String>() + &mistakes(imported.warnings)
        }
    }
}

/// Reads one text after the other; each stands with all that is expected of it.
#[track_caller]
pub(crate) fn cases(format: Format, cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(seen(format, text), *expected, "{text}");
    }
}

#[test]
fn dotenv_has_what_its_readers_have_in_common() {
    cases(
        Format::Dotenv,
        &[
            ("", ""),
            ("\n# comment\n  # another\n\n", ""),
            ("\u{feff}A=1\r\nB=2\r\n", "A=1\nB=2\n"),
            ("A=1", "A=1\n"),
            ("export A=1\nexport\tB = 2\n  C =3  \n", "A=1\nB=2\nC=3\n"),
            ("export=1\nexportA=2", "export=1\nexportA=2\n"),
            ("A=\nB=\"\"\nC=''\nD= \n", "A=\nB=\nC=\nD=\n"),
            ("A=a b  # c\nB= # c\nC=a=b\n", "A=a b\nB=\nC=a=b\n"),
            ("A='a # b' # c\nB=\"a # b\"#c\n", "A=a # b\nB=a # b\n"),
            (
                "A=C:\\new\nB=it's\nC=a\"b\"\n",
                "A=C:\\\\new\nB=it\\'s\nC=a\\\"b\\\"\n",
            ),
            ("A='\\n\"$B ${B}\\'\n", "A=\\\\n\\\"$B ${B}\\\\\n"),
            ("A='a\r\nb\n'\nB=\"\r\nc\"\n", "A=a\\nb\\n\nB=\\nc\n"),
            (
                "A=\"\\n\\r\\t\\\"\\\\\\$\\!\\`\"\n",
                "A=\\n\\r\\t\\\"\\\\$!`\n",
            ),
            ("A=\"a\\\nb\\\r\nc\"\n", "A=abc\n"),
            ("A=ä\nB=\"ä\"\n", "A=\\xc3\\xa4\nB=\\xc3\\xa4\n"),
        ],
    );
}

#[test]
fn dotenv_warns_where_its_readers_differ() {
    cases(
        Format::Dotenv,
        &[
            (
                "A=x$B\nB=\"${A}\"\nC=$(id)\nD=\"\\$A\"\nE='$A'\nF=$1 $$ $\n",
                "A=x$B\nB=${A}\nC=$(id)\nD=$A\nE=$A\nF=$1 $$ $\n\
                 1:4 warning: `A` refers to something with `$`, which is taken as it stands\n\
                 2:4 warning: `B` refers to something with `$`, which is taken as it stands\n\
                 3:3 warning: `C` refers to something with `$`, which is taken as it stands\n",
            ),
            (
                "A=a#b\nB=#\nC=`a`\nD=\"\\x\\y\"\n",
                "A=a#b\nB=#\nC=`a`\nD=\\\\x\\\\y\n\
                 1:4 warning: `A` has a `#` that some readers take for a comment; it needs quotes\n\
                 2:3 warning: `B` has a `#` that some readers take for a comment; it needs quotes\n\
                 3:3 warning: `C` begins with a backtick, which is taken as it stands\n\
                 4:4 warning: `D` has a backslash that begins no known escape; it is kept\n",
            ),
            (
                "A=1\nA=2\nA=3\n",
                "A=3\n\
                 2:1 warning: `A` is set again; the last one counts\n\
                 3:1 warning: `A` is set again; the last one counts\n",
            ),
        ],
    );
}

#[test]
fn dotenv_tells_all_mistakes() {
    cases(
        Format::Dotenv,
        &[
            (
                "hunter2\nexport A\nB: 1\nC-D=1\n=1\nE=\"x\"y\nF='x\n1G=1\nH=1\n",
                "1:1 error: this is not `NAME=value`\n\
                 2:8 error: this is not `NAME=value`\n\
                 3:1 error: this is not `NAME=value`\n\
                 4:2 error: a variable's name has A-Z, a-z, 0-9 and `_`, and does not begin with a digit\n\
                 5:1 error: a variable's name has A-Z, a-z, 0-9 and `_`, and does not begin with a digit\n\
                 6:6 error: `E`: there is more text behind the closing quote\n\
                 7:3 error: `F`: this quote is not closed\n\
                 8:1 error: a variable's name has A-Z, a-z, 0-9 and `_`, and does not begin with a digit\n",
            ),
            (
                "A=\"x\\\"\nB=1\0\nC=1\rD=2\n",
                "1:3 error: `A`: this quote is not closed\n\
                 2:1 error: `B`: a value can't have a NUL byte, which no environment can hold\n\
                 3:4 error: `C` has a carriage return that ends no line; it needs quotes\n",
            ),
            (
                "ä=1\nA='ä' ö'\n",
                "1:1 error: a variable's name has A-Z, a-z, 0-9 and `_`, and does not begin with a digit\n\
                 2:7 error: `A`: there is more text behind the closing quote\n",
            ),
        ],
    );
}

#[test]
fn docker_takes_values_as_they_stand() {
    cases(
        Format::Docker,
        &[
            ("", ""),
            (
                "\u{feff}A=1\n# c\n  # c\n\n  B= 'x' # y \nC=\nD=a=b\\n\r\n\u{a0}E=\"$A\"",
                "A=1\nB= \\'x\\' # y \nC=\nD=a=b\\\\n\nE=\\\"$A\\\"\n",
            ),
            (
                "A=1\nA=2\n",
                "A=2\n2:1 warning: `A` is set again; the last one counts\n",
            ),
            (
                "A\nexport B=1\n=x\n C-D=1\n",
                "1:1 error: a name without `=` takes its value from docker's own environment, which is not \
                 known here\n\
                 2:7 error: a variable's name has A-Z, a-z, 0-9 and `_`, and does not begin with a digit\n\
                 3:1 error: a variable's name has A-Z, a-z, 0-9 and `_`, and does not begin with a digit\n\
                 4:3 error: a variable's name has A-Z, a-z, 0-9 and `_`, and does not begin with a digit\n",
            ),
        ],
    );
    let mistakes = read(Format::Docker, b"A=1\nB=\xe4\n").unwrap_err();
    let shown = mistakes[0].to_string();
    assert_eq!(
        shown,
        "line 2, column 3: this is not UTF-8, which docker refuses"
    );
}

#[test]
fn json_is_an_object_of_strings() {
    cases(
        Format::Json,
        &[
            ("{}", ""),
            (
                "\u{feff}{\n  \"A\": \"a\\n\\\"\\u00e4\\ud83d\\ude00\",\n  \"B\": \"\"\n}\n",
                "A=a\\n\\\"\\xc3\\xa4\\xf0\\x9f\\x98\\x80\nB=\n",
            ),
            (
                "{\"A\": 1.50,\n\"B\": true, \"C\": -12345678901234567890e1000}",
                "A=1.50\nB=true\nC=-12345678901234567890e1000\n\
                 1:7 warning: `A` is not a string; it is taken as it is spelled\n\
                 2:6 warning: `B` is not a string; it is taken as it is spelled\n\
                 2:17 warning: `C` is not a string; it is taken as it is spelled\n",
            ),
            (
                "{\"A\": \"1\",\n \"A\": \"2\"}",
                "A=2\n2:2 warning: `A` is set again; the last one counts\n",
            ),
            (
                "{\"A\": null,\n\"B\": [\"x\"], \"C\": {\"x\": 1},\n\"x y\": \"\", \"D\": \"\\u0000\"}",
                "1:7 error: `A` is null, not a string\n\
                 2:6 error: `B` is an array or an object, not a string\n\
                 2:18 error: `C` is an array or an object, not a string\n\
                 3:3 error: a variable's name has A-Z, a-z, 0-9 and `_`, and does not begin with a digit\n\
                 3:12 error: `D`: a value can't have a NUL byte, which no environment can hold\n",
            ),
            ("[\"A\"]", "1:1 error: this is not an object\n"),
            (
                "{\"A\": \"x\"} y",
                "1:12 error: this is not JSON: trailing characters\n",
            ),
            (
                "{\"A\": \"x\",}",
                "1:11 error: this is not JSON: trailing comma\n",
            ),
            ("{\"A\": \"x", "1:9 error: the JSON ends too early\n"),
        ],
    );
}

#[test]
fn heroku_quotes_in_its_own_way() {
    cases(
        Format::Heroku,
        &[
            ("", ""),
            (
                "A=\nB=abc\nC='ab$c'\nD=\"a'bc\"\nE=\"a\\nb\\nc\"\nF='foo\\nb:ar\\bz'\n",
                "A=\nB=abc\nC=ab$c\nD=a\\'bc\nE=a\\nb\\nc\nF=foo\\\\nb:ar\\\\bz\n",
            ),
            (
                "A=\"it's \\\"\\\\\\$\\`\\!\\\\n\"\nB='va'\"'\"'lue'\nC='a\tb\rc'\n",
                "A=it\\'s \\\"\\\\$`!\\\\n\nB=va\\'lue\nC=a\\tb\\rc\n",
            ),
            (
                "A='a\\\\b'\n",
                "A=a\\\\\\\\b\n1:1 warning: `A` has nothing but doubled backslashes, which older versions \
                 of heroku's CLI wrote for single ones; they are taken as they stand (`heroku config \
                 --json` is exact)\n",
            ),
            (
                "A=a b\nB=a;b\nC='a\nD\n=== app Config Vars\n",
                "1:5 error: there is more text behind a value\n\
                 2:4 error: `B`: a shell would take this for its own: it needs quotes\n\
                 3:3 error: `C`: this quote is not closed\n\
                 4:1 error: this is not `NAME=value`; is a blank in a value that has no quotes?\n\
                 5:1 error: a variable's name has A-Z, a-z, 0-9 and `_`, and does not begin with a digit\n\
                 5:5 error: there is more text behind a value\n",
            ),
        ],
    );
}

#[test]
fn etcd_answers_with_a_directory() {
    let node = |nodes: &str| {
        format!(
            "{{\"action\":\"get\",\"node\":{{\"key\":\"/environment/app\",\"dir\":true,\"nodes\":[{nodes}],\
             \"modifiedIndex\":4,\"createdIndex\":4}}}}\n"
        )
    };
    let one = |name: &str, rest: &str| format!("\n{{\"key\":\"/environment/app{name}\",{rest}}}");
    let read = |nodes: &str, expected: &str| {
        assert_eq!(seen(Format::Etcd2, &node(nodes)), expected);
    };
    read("", "");
    let both =
        one("/A", "\"value\":\"a\\nb\",\"modifiedIndex\":9") + "," + &one("/B", "\"value\":\"\"");
    read(&both, "A=a\\nb\nB=\n");
    let ttl = one("/A", "\"value\":\"x\",\"ttl\":9");
    read(
        &ttl,
        "A=x\n2:8 warning: `A` expires in etcd, which is not kept\n",
    );
    let wrong = [
        one("/A", "\"dir\":true,\"nodes\":[]"),
        one("/B", "\"x\":1"),
        one("2/C", "\"value\":\"\""),
        one("/D/E", "\"value\":\"\""),
        "\n{}".to_owned(),
    ];
    read(
        &wrong.join(","),
        "2:8 error: this is a directory within the directory\n\
         3:1 error: `B` has no `value` that is a string\n\
         4:1 error: this node's key is not below its directory's\n\
         5:27 error: a variable's name has A-Z, a-z, 0-9 and `_`, and does not begin with a digit\n\
         6:1 error: this node has no `key`\n",
    );
    cases(
        Format::Etcd2,
        &[
            (
                "{\"node\":{\"dir\":true,\"nodes\":[{\"key\":\"/A\",\"value\":\"x\"}]}}",
                "A=x\n",
            ),
            ("{\"node\":{\"key\":\"/a\",\"dir\":true}}", ""),
            (
                "{\"errorCode\":100,\"message\":\"Key not found\",\"cause\":\"/a\",\"index\":4}",
                "1:1 error: this is an error of etcd's\n",
            ),
            (
                "[]",
                "1:1 error: this is not etcd's answer: it has no `node`\n",
            ),
            (
                "{\"node\":{\"key\":\"/a\",\"value\":\"x\"}}",
                "1:9 error: this is not a directory's answer\n",
            ),
            (
                "{\"node\":{\"dir\":true,\"nodes\":1}}",
                "1:9 error: `nodes` is not an array\n",
            ),
        ],
    );
}

#[test]
fn all_values_of_a_text_have_a_limit_together() {
    let half = "x".repeat(750_000);
    assert_eq!(
        seen(Format::Docker, &format!("A={half}\nB={half}\n")),
        "1:1 error: all names and values together have 1500002 bytes, and at most 1468006 can be stored \
         at once\n"
    );
    let long = "x".repeat(1024 * 1024 + 1);
    assert_eq!(
        seen(Format::Docker, &format!("A=1\nB={long}\n")),
        "2:1 error: `B`: a value has at most 1 MiB\n"
    );
}
