//! The options of `docker run`, `create` and `exec`, up to the image.
//!
//! In: the words behind the verb. Out: what a rule asks for. A word that could be an option, the value
//! of an unknown one or the image ends the reading: what comes behind it is not known. Knows no rule.

use crate::lint::container::table::takes_value;
use crate::lint::container::words::Words;

/// What the options say.
#[derive(Debug, Default)]
pub(in crate::lint) struct Options {
    /// `--name`.
    pub(in crate::lint) name: Option<Value>,
    /// The word with `-d`.
    pub(in crate::lint) detach: Option<usize>,
    /// The word with `-i`.
    pub(in crate::lint) interactive: Option<usize>,
    /// The word with `-t`.
    pub(in crate::lint) tty: Option<usize>,
    /// The word with `--rm`.
    pub(in crate::lint) remove: Option<usize>,
    /// The word with podman's `--replace`.
    pub(in crate::lint) replace: Option<usize>,
    /// `--restart`.
    pub(in crate::lint) restart: Option<Value>,
    /// `--stop-timeout`.
    pub(in crate::lint) stop_timeout: Option<Value>,
    /// `--cidfile`.
    pub(in crate::lint) id_file: Option<Value>,
    /// `-e` and `--label`, which hold any text.
    pub(in crate::lint) texts: Vec<Value>,
    /// The image, or for `exec` the container.
    pub(in crate::lint) image: Option<usize>,
    /// A variable or substitution in the place of options.
    pub(in crate::lint) stray: Option<usize>,
}

/// The value of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lint) struct Value {
    /// The word that it stands in.
    pub(in crate::lint) word: usize,
    /// Where it begins in the word's text.
    pub(in crate::lint) offset: usize,
}

/// The options of one letter that take a value.
const VALUED_LETTERS: &str = "acehlmpuvw";

/// Those that take none.
const LETTERS: &str = "diPqt";

impl Options {
    /// Reads the options that begin at a word.
    pub(in crate::lint) fn read(words: &Words<'_>, first: usize) -> Self {
        let mut options = Self::default();
        let mut at = first;
        while at < words.len() {
            let text = words.text(at);
            let taken = if text == "--" {
                options.image = Some(at + 1).filter(|image| *image < words.len());
                None
            } else if let Some(long) = text.strip_prefix("--") {
                options.long(long, at)
            } else if text.len() > 1 && text.starts_with('-') {
                options.letters(text, at)
            } else {
                if at + 1 < words.len() && may_be_options(words, at) {
                    options.stray = Some(at);
                } else {
                    options.image = Some(at);
                }
                None
            };
            match taken {
                Some(taken) => at += taken,
                None => break,
            }
        }
        options
    }

    /// Tells whether all options are known: what is not among them is not there.
    pub(in crate::lint) fn is_whole(&self) -> bool {
        self.image.is_some()
    }

    /// Takes a long option and returns the number of its words, unless it is unknown.
    fn long(&mut self, long: &str, word: usize) -> Option<usize> {
        let (name, value) = match long.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (long, None),
        };
        let offset = 0;
        match (takes_value(name), value) {
            (Some(false), value) => self.flag(name, word, value.is_none_or(is_true)),
            // What is behind the `=` of an unknown one belongs to it.
            (_, Some(_)) => {
                let offset = "--=".len() + name.len();
                self.value(name, Value { word, offset });
            }
            (Some(true), None) => {
                let word = word + 1;
                self.value(name, Value { word, offset });
                return Some(2);
            }
            (None, None) => return None,
        }
        Some(1)
    }

    /// Takes options of one letter and returns the number of their words, unless one is unknown.
    fn letters(&mut self, text: &str, word: usize) -> Option<usize> {
        for (at, letter) in text.char_indices().skip(1) {
            let rest = &text[at + letter.len_utf8()..];
            if VALUED_LETTERS.contains(letter) {
                let offset = text.len() - rest.strip_prefix('=').unwrap_or(rest).len();
                let name = match letter {
                    'e' => "env",
                    'l' => "label",
                    _ => "",
                };
                let is_next = rest.is_empty();
                self.value(
                    name,
                    if is_next {
                        Value {
                            word: word + 1,
                            offset: 0,
                        }
                    } else {
                        Value { word, offset }
                    },
                );
                return Some(1 + usize::from(is_next));
            }
            if !LETTERS.contains(letter) {
                return None;
            }
            let name = match letter {
                'd' => "detach",
                'i' => "interactive",
                't' => "tty",
                _ => "",
            };
            let value = rest.strip_prefix('=');
            self.flag(name, word, value.is_none_or(is_true));
            if value.is_some() {
                break;
            }
        }
        Some(1)
    }

    fn flag(&mut self, name: &str, word: usize, is_on: bool) {
        let place = match name {
            "detach" => &mut self.detach,
            "interactive" => &mut self.interactive,
            "replace" => &mut self.replace,
            "rm" => &mut self.remove,
            "tty" => &mut self.tty,
            _ => return,
        };
        *place = is_on.then_some(word);
    }

    fn value(&mut self, name: &str, value: Value) {
        let place = match name {
            "cidfile" => &mut self.id_file,
            "name" => &mut self.name,
            "restart" => &mut self.restart,
            "stop-timeout" => &mut self.stop_timeout,
            "env" | "label" => return self.texts.push(value),
            _ => return,
        };
        *place = Some(value);
    }
}

/// Reads a boolean as Go does.
fn is_true(value: &str) -> bool {
    matches!(value, "1" | "t" | "T" | "true" | "True" | "TRUE")
}

/// Tells whether a word may stand for several, options among them.
fn may_be_options(words: &Words<'_>, at: usize) -> bool {
    if words
        .script(at)
        .is_some_and(|word| word.raw.starts_with(['"', '\'']))
    {
        return false;
    }
    let text = words.text(at);
    if text.starts_with("$(") || text.starts_with('`') {
        return true;
    }
    let Some(name) = text.strip_prefix('$') else {
        return false;
    };
    let name = name.strip_prefix('{').unwrap_or(name);
    let name = name.strip_suffix('}').unwrap_or(name);
    let is_alone = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let name = name.to_ascii_uppercase();
    is_alone && !["IMAGE", "IMG"].iter().any(|image| name.contains(image))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::Options as Asked;
    use crate::lint::container::calls;
    use crate::lint::subject::Subject;
    use crate::unit::UnitFile;
    use crate::unit::name::UnitName;

    /// Writes what was found: the name, the image and the flags.
    #[track_caller]
    fn case(line: &str, expected: &str) {
        let line = format!("ExecStart=/usr/bin/docker run {line}");
        let text = format!("[Service]\n{line}\n");
        let file = UnitFile::parse(&text);
        let unit = UnitName::new("app.service").unwrap();
        let asked = Asked::default();
        let subject = Subject::new(&text, &file, &unit, &asked);
        let calls = calls(&subject);
        let call = &calls.list[0];
        let options = call.options.as_ref().unwrap();
        let text = |word: usize| call.text(word).to_owned();
        let value = |value: Value| call.value(value).to_owned();
        let mut shown: Vec<String> = Vec::new();
        shown.extend(options.name.map(|name| format!("name={}", value(name))));
        shown.extend(options.image.map(|image| format!("image={}", text(image))));
        shown.extend(options.stray.map(|stray| format!("stray={}", text(stray))));
        for (name, flag) in [
            ("detach", options.detach),
            ("interactive", options.interactive),
            ("tty", options.tty),
            ("rm", options.remove),
        ] {
            shown.extend(flag.map(|_| name.to_owned()));
        }
        shown.extend(
            options
                .texts
                .iter()
                .map(|text| format!("text={}", value(*text))),
        );
        assert_eq!(shown.join(" "), expected, "{line}");
    }

    #[test]
    fn options_end_at_the_image() {
        case("--name a --rm b --name c -d", "name=a image=b rm");
        case("--name=a -p 80:80 -v /a:/b b", "name=a image=b");
        case(
            "-e A=1 --env=B=2 --label c=3 -eD=4 b",
            "image=b text=A=1 text=B=2 text=c=3 text=D=4",
        );
        case("-dit b", "image=b detach interactive tty");
        case("-dp 80:80 b", "image=b detach");
        case("-itp80:80 b c", "image=b interactive tty");
        case("-d=false -t=true --rm=0 b", "image=b tty");
        case("--cpus 2 --memory=1g --net host --privileged b", "image=b");
        case("-- b", "image=b");
        case("--rm", "rm");
    }

    #[test]
    fn what_is_not_known_ends_the_reading() {
        case("--rm --unknown b -d", "rm");
        case("--rm --unknown=c -d b", "image=b detach rm");
        case("-rm b", "");
        case("--rm $OPTIONS b", "stray=$OPTIONS rm");
        case("--rm $(options) b", "stray=$(options) rm");
        case("--rm ${IMAGE} --name c", "image=${IMAGE} rm");
        case("$REGISTRY/app:1 -d", "image=$REGISTRY/app:1");
        case("--rm $APP", "image=$APP rm");
    }
}
