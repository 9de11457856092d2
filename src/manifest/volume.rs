//! Volumes and devices in Compose's forms.
//!
//! In: text or a map. Out: what is mounted where, as docker's `-v`, `--mount` and `--device` take
//! it. Knows nothing of what exists on a machine.

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::manifest::forms::{Bytes, ContainerPath, check_text, from_text};

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Volume {
    /// The short form, as docker's `-v` takes it.
    Short(String),
    /// The long form, as docker's `--mount` takes it.
    Mount(String),
}

impl Volume {
    /// Checks `[source:]target[:options]`.
    ///
    /// # Errors
    /// Says which part is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        check_text(text)?;
        let parts: Vec<&str> = text.split(':').collect();
        let (source, target) = match parts.as_slice() {
            [target] => (None, *target),
            [source, target] | [source, target, _] => (Some(*source), *target),
            _ => return Err(format!("expected `source:target:options`, found `{text}`")),
        };
        check_target(target)?;
        match source {
            Some(source) if source.starts_with('.') || source.starts_with('~') => Err(format!(
                "`{source}` is relative to a folder that no machine of the cluster knows: write an \
                 absolute path"
            )),
            Some("") => Err("there is nothing before the `:`".to_owned()),
            _ => Ok(Self::Short(text.to_owned())),
        }
    }
}

fn check_target(target: &str) -> Result<(), String> {
    ContainerPath::parse(target).map(drop)
}

/// Compose's long form.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct LongVolume {
    /// `volume`, `bind` or `tmpfs`.
    #[serde(rename = "type")]
    kind: String,
    /// A path of the machine, or a volume's name.
    source: Option<String>,
    /// An absolute path in the container.
    target: String,
    /// Nothing may be written.
    read_only: Option<bool>,
    /// Options of `type: bind`.
    bind: Option<Bind>,
    /// Options of `type: volume`.
    volume: Option<Named>,
    /// Options of `type: tmpfs`.
    tmpfs: Option<Memory>,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Bind {
    /// How mounts within are shared, as in mount(8).
    propagation: Option<String>,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Named {
    /// The image's files are not copied into a new volume.
    nocopy: Option<bool>,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Memory {
    /// The greatest size.
    size: Option<Bytes>,
    /// The permissions, in octal digits.
    #[schemars(with = "Option<crate::manifest::forms::Text>")]
    mode: Option<String>,
}

impl LongVolume {
    fn mount(self) -> Result<Volume, String> {
        check_target(&self.target)?;
        if !matches!(self.kind.as_str(), "bind" | "volume" | "tmpfs") {
            let kind = self.kind.escape_debug();
            return Err(format!(
                "expected `bind`, `volume` or `tmpfs`, found `{kind}`"
            ));
        }
        match (self.kind.as_str(), &self.source) {
            ("bind", None) => return Err("a bind needs a `source`".to_owned()),
            ("tmpfs", Some(_)) => return Err("a tmpfs has no `source`".to_owned()),
            ("bind", Some(source)) if !source.starts_with('/') => {
                return Err(format!(
                    "a bind's `source` is an absolute path, found `{source}`"
                ));
            }
            _ => {}
        }
        for (block, kind) in [
            (self.bind.is_some(), "bind"),
            (self.volume.is_some(), "volume"),
            (self.tmpfs.is_some(), "tmpfs"),
        ] {
            if block && self.kind != kind {
                return Err(format!("`{kind}:` goes with `type: {kind}` only"));
            }
        }
        let mut fields = vec![format!("type={}", self.kind)];
        fields.extend(self.source.map(|source| format!("source={source}")));
        fields.push(format!("target={}", self.target));
        if self.read_only == Some(true) {
            fields.push("readonly".to_owned());
        }
        let propagation = self.bind.and_then(|bind| bind.propagation);
        fields.extend(propagation.map(|word| format!("bind-propagation={word}")));
        if self.volume.and_then(|volume| volume.nocopy) == Some(true) {
            fields.push("volume-nocopy".to_owned());
        }
        if let Some(tmpfs) = self.tmpfs {
            fields.extend(tmpfs.size.map(|size| format!("tmpfs-size={}", size.0)));
            fields.extend(tmpfs.mode.map(|mode| format!("tmpfs-mode={mode}")));
        }
        // docker reads the option as one line of CSV.
        let fields: Vec<String> = fields.into_iter().map(|field| csv(&field)).collect();
        let text = fields.join(",");
        check_text(&text)?;
        Ok(Volume::Mount(text))
    }
}

fn csv(field: &str) -> String {
    if field.contains([',', '"']) {
        return format!("\"{}\"", field.replace('"', "\"\""));
    }
    field.to_owned()
}

impl<'de> Deserialize<'de> for Volume {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct VolumeVisitor;

        impl<'de> Visitor<'de> for VolumeVisitor {
            type Value = Volume;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a volume such as `/srv/data:/data:ro`, or a map with `type`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Volume, E> {
                Volume::parse(text).map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Volume, A::Error> {
                let long = LongVolume::deserialize(de::value::MapAccessDeserializer::new(map))?;
                long.mount().map_err(de::Error::custom)
            }
        }

        deserializer.deserialize_any(VolumeVisitor)
    }
}

impl schemars::JsonSchema for Volume {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Volume".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let long = generator.subschema_for::<LongVolume>();
        schemars::json_schema!({
            "description": "a mount: `/srv/data:/data:ro`, `name:/data`, or Compose's long form",
            "anyOf": [{"type": "string"}, long]
        })
    }
}

/// A device of the machine: `/dev/ttyUSB0:/dev/ttyUSB0:rwm`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device(pub String);

impl Device {
    /// Checks `source[:target[:permissions]]` and keeps the text.
    ///
    /// # Errors
    /// Says which part is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        check_text(text)?;
        let mut parts = text.split(':');
        let source = parts.next().unwrap_or_default();
        if !source.starts_with('/') {
            let source = source.escape_debug();
            return Err(format!(
                "expected a device such as `/dev/fuse`, found `{source}`"
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

from_text!(Device, "a device of the machine: `/dev/ttyUSB0:/dev/ttyUSB0:rwm`",
    "type": "string", "pattern": "^/");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms() {
        for text in ["/data", "/srv/data:/data", "name:/data:ro,z"] {
            assert_eq!(Volume::parse(text).unwrap(), Volume::Short(text.to_owned()));
        }
        let refused = [
            (
                "data",
                "expected an absolute path in the container, found `data`",
            ),
            (
                "/a:b",
                "expected an absolute path in the container, found `b`",
            ),
            (":/data", "there is nothing before the `:`"),
            (
                "/a:/b:ro:x",
                "expected `source:target:options`, found `/a:/b:ro:x`",
            ),
            (
                "./a:/b",
                "`./a` is relative to a folder that no machine of the cluster knows: write an absolute path",
            ),
        ];
        for (text, expected) in refused {
            assert_eq!(Volume::parse(text).unwrap_err(), expected);
        }
    }

    #[test]
    fn long_forms_become_one_line_of_csv() {
        let long = LongVolume {
            kind: "bind".to_owned(),
            source: Some("/srv/a,b".to_owned()),
            target: "/data".to_owned(),
            read_only: Some(true),
            bind: Some(Bind {
                propagation: Some("rslave".to_owned()),
            }),
            volume: None,
            tmpfs: None,
        };
        let expected =
            "type=bind,\"source=/srv/a,b\",target=/data,readonly,bind-propagation=rslave";
        assert_eq!(long.mount().unwrap(), Volume::Mount(expected.to_owned()));
    }
}
