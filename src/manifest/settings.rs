//! All that an app or a process can say.
//!
//! In: a map. Out: `Settings`, a field for each key. A container key is Compose's, a systemd
//! directive is systemd's, a fleet option is fleet's; unitgen's own words are only those that none
//! of them has. Knows nothing of how settings work together.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use crate::manifest::command::{Arguments, Program};
use crate::manifest::environment::{EnvironmentFile, VariableValue};
use crate::manifest::forms::{
    Address, Bytes, ContainerPath, OptionName, Processors, Span, StorePath, Text,
};
use crate::manifest::health::Health;
use crate::manifest::image::ImageName;
use crate::manifest::instances::{Instances, Versions};
use crate::manifest::port::{Exposed, Port, Published};
use crate::manifest::resources::{Hosts, Limit, Logging, PullPolicy, Signal};
use crate::manifest::section::Section;
use crate::manifest::volume::{Device, Volume};
use crate::name::{TemplateName, UnitName, VariableName};
use crate::yaml::field::{Entries, EntriesOrList, Field, Items, OneOrMany};
use crate::yaml::reader::Refusal;

/// What an app or a process says.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Settings {
    /// There are mistakes among them: what seems to be missing may be what was meant.
    #[serde(skip)]
    #[schemars(skip)]
    pub is_faulty: bool,

    // unitgen's own words
    /// How many instances run, or their slots: `3` gives the slots 1, 2 and 3, `[8001, 8002]` gives
    /// those, `0` keeps the unit and runs nothing. 1 by default.
    pub instances: Field<Instances>,
    /// The image tags that run, side by side: one, several, or a map that gives each its own
    /// instances. Without versions the image stands as it is written.
    pub versions: Field<Versions>,
    /// What may not run on the same machine: `self`, `app` (all processes of that app),
    /// `app/process`, or fleet's own pattern of unit names.
    pub conflicts: Field<OneOrMany<Text>>,
    /// The template: `docker` with an image, `plain` with `exec`, `task` with a schedule by default.
    pub template: Field<TemplateName>,
    /// The unit's name, where `app-process@` is not to be it. Without an `@` it is a plain unit.
    pub unit: Field<UnitName>,
    /// Where the app's variables are in etcd, `/environment/<app>` by default; `false` asks for none.
    pub config: Field<Config>,
    /// Variables without which the app must not start: they stand in the app's config.
    pub required: Field<OneOrMany<VariableName>>,
    /// Variables that the app's config may have beside the required ones. Where this is said,
    /// `check --config` finds others.
    pub config_keys: Field<OneOrMany<VariableName>>,
    /// Announces each running instance in etcd, by a unit of its own.
    pub announce: Field<Announce>,
    /// Runs the process by the clock instead of for ever: one or several of systemd's calendar
    /// events, such as `"*-*-* 03:00:00"`, which YAML wants in quotes.
    pub schedule: Field<OneOrMany<Text>>,
    /// The bounds within which instances are replaced: `min_alive`, `max_growth`, `ready_secs`,
    /// `timeout`, `max_failures`, and `health`, an address that each must answer at.
    pub deploy: Field<Deploy>,
    /// The unit's whole text; goes with `template: verbatim` only.
    pub text: Field<String>,
    /// What runs without a container, in place of `image`: arguments, or systemd's own text.
    pub exec: Field<Program>,

    // Compose's words
    /// The image. With `versions` it has no tag.
    pub image: Field<ImageName>,
    /// The container's command: text, or a list of arguments.
    pub command: Field<Arguments>,
    /// What runs in place of the image's entry point.
    pub entrypoint: Field<Arguments>,
    /// One published port; `slot` publishes the number that is the instance's slot.
    pub port: Field<Port>,
    /// Published ports.
    pub ports: Field<Items<Published>>,
    /// Ports that containers reach each other on.
    pub expose: Field<Items<Exposed>>,
    /// Mounts.
    pub volumes: Field<Items<Volume>>,
    /// Containers whose mounts this one has too.
    pub volumes_from: Field<Items<Text>>,
    /// Fixed variables that are not secret, and `{etcd: KEY}` for values from elsewhere in etcd. An
    /// app's own variables are its `config`.
    #[schemars(with = "EntriesOrList<VariableName, VariableValue>")]
    pub environment: Field<Entries<VariableName, VariableValue>>,
    /// Files of variables on the machine.
    pub env_file: Field<OneOrMany<EnvironmentFile>>,
    /// The container's network.
    pub network_mode: Field<Text>,
    /// The container's host name.
    pub hostname: Field<Text>,
    /// Gives the container all the machine's rights.
    pub privileged: Field<bool>,
    /// The user, or `user:group`.
    pub user: Field<Text>,
    /// The working directory in the container.
    pub working_dir: Field<ContainerPath>,
    /// Containers that this one knows by name.
    pub links: Field<Items<Text>>,
    /// Name servers.
    pub dns: Field<OneOrMany<Address>>,
    /// Capabilities that are added.
    pub cap_add: Field<Items<Text>>,
    /// Capabilities that are taken away.
    pub cap_drop: Field<Items<Text>>,
    /// Devices of the machine.
    pub devices: Field<Items<Device>>,
    /// Limits of resources.
    pub ulimits: Field<Entries<OptionName, Limit>>,
    /// The container's labels.
    #[schemars(with = "EntriesOrList<OptionName, Text>")]
    pub labels: Field<Entries<OptionName, Text>>,
    /// Where the container's output goes.
    pub logging: Field<Logging>,
    /// The container's root file system can't be written.
    pub read_only: Field<bool>,
    /// Whose processes the container sees.
    pub pid: Field<Text>,
    /// Whose shared memory the container sees.
    pub ipc: Field<Text>,
    /// Runs a small init as the container's first process.
    pub init: Field<bool>,
    /// The signal that stops the container.
    pub stop_signal: Field<Signal>,
    /// How long the container may take to stop, 10 s by default.
    pub stop_grace_period: Field<Span>,
    /// The size of /dev/shm.
    pub shm_size: Field<Bytes>,
    /// Mounts in memory.
    pub tmpfs: Field<OneOrMany<Text>>,
    /// Lines of the container's /etc/hosts.
    pub extra_hosts: Field<Hosts>,
    /// The greatest amount of memory.
    pub mem_limit: Field<Bytes>,
    /// The greatest number of processors.
    pub cpus: Field<Processors>,
    /// When the image is pulled before a start: `always` for an image without a tag or with
    /// `latest`, else `missing`, by default.
    pub pull_policy: Field<PullPolicy>,
    /// Further options of `docker run`, one argument each.
    pub docker_args: Field<Items<Text>>,

    // sections by their own names
    /// Directives of the section `Unit`.
    #[serde(rename = "Unit")]
    pub unit_section: Field<Section>,
    /// Directives of the section `Service`.
    #[serde(rename = "Service")]
    pub service_section: Field<Section>,
    /// Directives of the section `Socket`, which make a socket unit beside the service.
    #[serde(rename = "Socket")]
    pub socket_section: Field<Section>,
    /// Directives of the section `Timer`, which make a timer unit beside the service.
    #[serde(rename = "Timer")]
    pub timer_section: Field<Section>,
    /// Directives of the section `Path`, which make a path unit beside the service.
    #[serde(rename = "Path")]
    pub path_section: Field<Section>,
    /// Directives of the section `Install`.
    #[serde(rename = "Install")]
    pub install_section: Field<Section>,
    /// fleet's options.
    #[serde(rename = "X-Fleet")]
    pub fleet_section: Field<Section>,
}

/// Keys that are no settings, with what to do instead.
pub const REFUSALS: &[Refusal] = &[
    ("build", "an image is built before: name it with `image`"),
    (
        "container_name",
        "a container is named after its instance, so that two never meet",
    ),
    (
        "depends_on",
        "say `Unit: {Wants: …, After: …}`; another machine's units can't be awaited",
    ),
    (
        "restart",
        "a unit restarts always; `Service: {Restart: …}` says otherwise",
    ),
    ("replicas", "did you mean `instances`?"),
    ("scale", "did you mean `instances`?"),
    (
        "healthcheck",
        "docker's own checks go into the image, or into `docker_args`",
    ),
    ("network", "did you mean `network_mode`?"),
    (
        "networks",
        "a container has one network here: `network_mode`",
    ),
    ("env", "did you mean `environment`?"),
    ("secrets", "secrets stand in the app's `config` in etcd"),
    (
        "configs",
        "an app's variables stand in its `config` in etcd",
    ),
    ("tag", "did you mean `versions`?"),
    ("version", "did you mean `versions`?"),
    ("services", "did you mean `processes`?"),
    ("memory", "did you mean `mem_limit`?"),
    ("process", "only an app says `process`"),
    ("processes", "a process has no processes of its own"),
];

/// Where an app's variables are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Config {
    /// Nowhere: the units ask for none.
    None,
    /// In this folder of etcd.
    Folder(StorePath),
}

impl Config {
    /// Reads a path or `false`.
    ///
    /// # Errors
    /// Says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        if matches!(text, "false" | "False" | "FALSE") {
            return Ok(Self::None);
        }
        StorePath::parse(text).map(Self::Folder)
    }
}

crate::manifest::forms::from_text!(Config, "a folder of etcd, or `false` for none",
    "anyOf": [{"type": "string", "pattern": "^(/[^/]+)+$"}, {"const": false}]);

/// How long an announcement may live without being renewed, in seconds. A third of the least is more than
/// etcd needs to choose another leader; a lease of its own has 2 s at least, unless it is told otherwise.
pub const ANNOUNCE_TTL: RangeInclusive<u64> = 5..=86_400;

/// How instances are announced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Announce {
    /// `announce: false`.
    pub off: bool,
    /// The host's name or address in the value.
    pub host: Option<String>,
    /// The port in the value.
    pub port: Option<u16>,
    /// How long an announcement lives without being renewed.
    pub ttl: Option<Span>,
}

/// The map form.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LongAnnounce {
    /// The host's name or address: systemd's own text, `%H` (the machine's name) by default. A
    /// variable of /etc/environment is `${NAME}`.
    host: Option<Text>,
    /// The port, where it is not the one published port.
    port: Option<u16>,
    /// How long an announcement lives without being renewed; 60 s by default.
    ttl: Option<Span>,
}

impl<'de> Deserialize<'de> for Announce {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnnounceVisitor;

        impl<'de> Visitor<'de> for AnnounceVisitor {
            type Value = Announce;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("`true`, or a map with `host`, `port` or `ttl`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Announce, E> {
                match text {
                    "true" | "True" | "TRUE" => Ok(Announce::default()),
                    "false" | "False" | "FALSE" => Ok(Announce {
                        off: true,
                        ..Announce::default()
                    }),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Announce, A::Error> {
                let long = LongAnnounce::deserialize(de::value::MapAccessDeserializer::new(map))?;
                if long.port == Some(0) {
                    return Err(de::Error::custom("a port is from 1 to 65535"));
                }
                let host = long.host.as_ref().map(|host| host.0.as_str());
                if host.is_some_and(|host| {
                    host.contains([' ', '\t', '"', '\'', ';', '\\']) || host.is_empty()
                }) {
                    return Err(de::Error::custom("`host` is one word without quotes"));
                }
                let ttl = long.ttl.map(Span::seconds);
                if ttl.is_some_and(|ttl| !ANNOUNCE_TTL.contains(&ttl)) {
                    return Err(de::Error::custom("`ttl` is from 5s to 1d"));
                }
                Ok(Announce {
                    off: false,
                    host: long.host.map(|Text(host)| host),
                    port: long.port,
                    ttl: long.ttl,
                })
            }
        }

        deserializer.deserialize_any(AnnounceVisitor)
    }
}

impl JsonSchema for Announce {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Announce".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let long = generator.subschema_for::<LongAnnounce>();
        schemars::json_schema!({
            "description": "announces each running instance under /announce/<app>/<process>/<instance>",
            "anyOf": [{"type": "boolean"}, long]
        })
    }
}

/// The bounds within which instances are replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Deploy {
    /// How many instances serve at any time.
    pub min_alive: Field<u32>,
    /// How many instances more than wanted may run for a while.
    pub max_growth: Field<u32>,
    /// For how long an instance must be up before the next one's turn.
    pub ready_secs: Field<u32>,
    /// How long one instance may take.
    pub timeout: Field<Span>,
    /// How many instances may fail before the rest is left as it is.
    pub max_failures: Field<u32>,
    /// What an instance must answer besides: an HTTP address in which `{machine}` stands for its machine's
    /// address, and `{port}` for the first port of the machine that it takes.
    pub health: Field<Health>,
}
