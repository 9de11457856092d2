//! The options of `docker run`, `create` and `exec`, up to the image.
//!
//! In: the words behind the verb. Out: what a rule asks for. A word that could be an option, the value
//! of an unknown one or the image ends the reading: what comes behind it is not known. Knows no rule.

use crate::lint::container::Part;

/// What the options say.
#[derive(Debug, Default)]
pub(in crate::lint) struct Options {
    /// `--name`.
    pub(in crate::lint) name: Option<Value>,
    /// The part with `-d`.
    pub(in crate::lint) detach: Option<usize>,
    /// The part with `-i`.
    pub(in crate::lint) interactive: Option<usize>,
    /// The part with `-t`.
    pub(in crate::lint) tty: Option<usize>,
    /// The part with `--rm`.
    pub(in crate::lint) remove: Option<usize>,
    /// The part with podman's `--replace`.
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
    /// The part that it stands in.
    pub(in crate::lint) part: usize,
    /// Where it begins in the part's text.
    pub(in crate::lint) offset: usize,
}

/// The options of one letter that take a value.
const VALUED_LETTERS: &str = "acehlmpuvw";

/// Those that take none.
const LETTERS: &str = "diPqt";

/// The long options that take no value, podman's included.
const FLAGS: [&str; 24] = [
    "detach",
    "disable-content-trust",
    "env-host",
    "help",
    "http-proxy",
    "init",
    "interactive",
    "no-healthcheck",
    "no-hostname",
    "no-hosts",
    "oom-kill-disable",
    "passwd",
    "privileged",
    "publish-all",
    "quiet",
    "read-only",
    "read-only-tmpfs",
    "replace",
    "rm",
    "rmi",
    "sig-proxy",
    "tls-verify",
    "tty",
    "use-api-socket",
];

/// The long options that take a value.
const VALUED: &str = " add-host annotation arch attach authfile blkio-weight blkio-weight-device \
    cap-add cap-drop cgroup-parent cgroupns cgroups cidfile conmon-pidfile cpu-count cpu-percent \
    cpu-period cpu-quota cpu-rt-period cpu-rt-runtime cpu-shares cpus cpuset cpuset-cpus cpuset-mems \
    detach-keys device device-cgroup-rule device-read-bps device-read-iops device-write-bps \
    device-write-iops dns dns-opt dns-option dns-search domainname entrypoint env env-file expose \
    gpus group-add health-cmd health-interval health-retries health-start-interval \
    health-start-period health-timeout hostname io-maxbandwidth io-maxiops ip ip6 ipc isolation \
    kernel-memory label label-file link link-local-ip log-driver log-opt lxc-conf mac-address memory \
    memory-reservation memory-swap memory-swappiness mount name net net-alias network network-alias \
    oom-score-adj os pid pids-limit platform pod publish pull restart runtime sdnotify secret \
    security-opt shm-size stop-signal stop-timeout storage-opt sysctl systemd tmpfs tz ulimit umask \
    user userns uts volume volume-driver volumes-from workdir ";

impl Options {
    /// Reads the options that begin at a part.
    pub(in crate::lint) fn read(parts: &[Part<'_>], first: usize) -> Self {
        let mut options = Self::default();
        let mut at = first;
        while let Some(part) = parts.get(at) {
            let text = part.text.as_ref();
            let taken = if text == "--" {
                options.image = Some(at + 1).filter(|image| *image < parts.len());
                None
            } else if let Some(long) = text.strip_prefix("--") {
                options.long(long, at)
            } else if text.len() > 1 && text.starts_with('-') {
                options.letters(text, at)
            } else {
                if at + 1 < parts.len() && may_be_options(part) {
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

    /// Takes a long option and returns the number of its parts, unless it is unknown.
    fn long(&mut self, long: &str, part: usize) -> Option<usize> {
        let Some((name, value)) = long.split_once('=') else {
            if FLAGS.contains(&long) {
                self.flag(long, part, true);
                return Some(1);
            }
            let offset = 0;
            self.value(
                long,
                Value {
                    part: part + 1,
                    offset,
                },
            );
            return is_valued(long).then_some(2);
        };
        if FLAGS.contains(&name) {
            self.flag(name, part, is_true(value));
        } else {
            let offset = "--=".len() + name.len();
            self.value(name, Value { part, offset });
        }
        Some(1)
    }

    /// Takes options of one letter and returns the number of their parts, unless one is unknown.
    fn letters(&mut self, text: &str, part: usize) -> Option<usize> {
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
                            part: part + 1,
                            offset: 0,
                        }
                    } else {
                        Value { part, offset }
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
            self.flag(name, part, value.is_none_or(is_true));
            if value.is_some() {
                break;
            }
        }
        Some(1)
    }

    fn flag(&mut self, name: &str, part: usize, is_on: bool) {
        let place = match name {
            "detach" => &mut self.detach,
            "interactive" => &mut self.interactive,
            "replace" => &mut self.replace,
            "rm" => &mut self.remove,
            "tty" => &mut self.tty,
            _ => return,
        };
        *place = is_on.then_some(part);
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

fn is_valued(name: &str) -> bool {
    // Each stands between blanks.
    VALUED
        .match_indices(name)
        .any(|(at, _)| VALUED[..at].ends_with(' ') && VALUED[at + name.len()..].starts_with(' '))
}

/// Reads a boolean as Go does.
fn is_true(value: &str) -> bool {
    matches!(value, "1" | "t" | "T" | "true" | "True" | "TRUE")
}

/// Tells whether a word may stand for several, options among them.
fn may_be_options(part: &Part<'_>) -> bool {
    if part
        .script
        .is_some_and(|word| word.raw.starts_with(['"', '\'']))
    {
        return false;
    }
    let text = part.text.as_ref();
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

    fn parts(line: &str) -> Vec<Part<'_>> {
        let words = line.split(' ').enumerate();
        words.map(|(word, text)| Part::plain(word, text)).collect()
    }

    /// Writes what was found: the name, the image and the flags.
    #[track_caller]
    fn case(line: &str, expected: &str) {
        let parts = parts(line);
        let options = Options::read(&parts, 0);
        let text = |part: usize| parts[part].text.to_string();
        let value = |value: Value| parts[value.part].text[value.offset..].to_owned();
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

    #[test]
    fn every_long_option_is_read() {
        assert!(FLAGS.is_sorted());
        assert!(is_valued("env") && is_valued("workdir") && is_valued("add-host"));
        assert!(!is_valued("rm") && !is_valued("en") && !is_valued(""));
    }
}
