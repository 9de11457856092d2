//! What dokku and dokku-alt say of an app's configuration: every text with all that is read out of it.

use unitgen::config::import::Format;

use crate::config_formats::cases;

#[test]
fn dokku_quotes_for_a_shell() {
    cases(
        Format::Dokku,
        &[
            (
                "export A='prod'\nexport B='it'\\''s\na $B \\n \"'\nexport C=''\n",
                "A=prod\nB=it\\'s\\na $B \\\\n \\\"\nC=\n",
            ),
            ("A='prod' B='a b'\\''' C='1'", "A=prod\nB=a b\\'\nC=1\n"),
            ("export A='x'\r\nexport B='y'\r\n", "A=x\nB=y\n"),
            (
                "export A=$B\nexport B=\"`id`\"\nexport A='x'",
                "A=x\nB=`id`\n\
                 1:10 warning: `A` refers to something with `$`, which is taken as it stands\n\
                 2:11 warning: `B` refers to something with `$`, which is taken as it stands\n\
                 3:8 warning: `A` is set again; the last one counts\n",
            ),
            (
                "export A='x' y\nexport B-C='x'\nexport D='it's'\n",
                "1:14 error: this is not `NAME=value`; is a blank in a value that has no quotes?\n\
                 2:9 error: a variable's name has A-Z, a-z, 0-9 and `_`, and does not begin with a digit\n\
                 3:15 error: `D`: this quote is not closed\n",
            ),
        ],
    );
}

#[test]
fn dokku_alt_has_a_file() {
    cases(
        Format::DokkuAlt,
        &[
            ("\n", ""),
            (
                "export A=a b?c\nexport B=it's \\n $X\r\nexport C=\n",
                "A=a b?c\nB=it\\'s \\\\n $X\nC=\n",
            ),
            (
                "export A=\"x y\"\nexport B='x'\nexport C=\"x\" y\nexport D=\"$X\"\n",
                "A=x y\nB=x\nC=\\\"x\\\" y\nD=$X\n\
                 1:10 warning: `A` stands in quotes, which are taken off; dokku-alt since 0.3.9 hands them \
                 to the container\n\
                 2:10 warning: `B` stands in quotes, which are taken off; dokku-alt since 0.3.9 hands them \
                 to the container\n\
                 4:10 warning: `D` stands in quotes, which are taken off; dokku-alt since 0.3.9 hands them \
                 to the container\n\
                 4:11 warning: `D` refers to something with `$`, which is taken as it stands\n",
            ),
            (
                "export A=a b\nhunter2\nB=1\nexport 1=2\n",
                "2:1 error: this is not `export NAME=value`: dokku-alt drops it\n\
                 3:1 error: this is not `export NAME=value`: dokku-alt drops it\n\
                 4:8 error: a variable's name has A-Z, a-z, 0-9 and `_`, and does not begin with a digit\n",
            ),
        ],
    );
}

#[test]
fn dokku_alt_has_an_output_for_shells() {
    cases(
        Format::DokkuAlt,
        &[
            ("export A=a\nexport B=''\n", "A=a\nB=\n"),
            (
                "export A=a\\ b\\?\\\\\nexport B=$'x\\ty\\303\\244\\''\n",
                "A=a b?\\\\\nB=x\\ty\\xc3\\xa4\\'\n\
                 1:1 warning: backslashes are read as those of `config --shell`; in an `ENV` file they \
                 would be a part of the value\n",
            ),
            ("A=\"a b\" B=\"it's\" C=d\n", "A=a b\nB=it\\'s\nC=d\n"),
            (
                "A=a b B=\"c\n",
                "1:5 error: this is not `NAME=value`; is a blank in a value that has no quotes?\n",
            ),
        ],
    );
}

#[test]
fn dokku_alt_has_a_table() {
    cases(
        Format::DokkuAlt,
        &[
            (
                "=== app config vars ===\nA:     a b\nLONG:  http://h:1/?x=1\r\nE:\n",
                "A=a b\nE=\nLONG=http://h:1/?x=1\n",
            ),
            (
                "=== app config vars ===\nA:  a  b\n",
                "A=a  b\n2:5 warning: `A` has several blanks in a row: a table has them for a `|` too\n",
            ),
            (
                "=== app config vars ===\nhunter2\nA:b\nA=b:  c\n",
                "2:1 error: this is not `NAME:  value`\n\
                 3:2 error: `A`: there is no blank behind the colon\n\
                 4:2 error: a variable's name has A-Z, a-z, 0-9 and `_`, and does not begin with a digit\n",
            ),
        ],
    );
}
