//! The JSON Schema of manifests, made of the types that read them.
//!
//! Knows nothing of where it is written.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::manifest::settings::Settings;
use crate::manifest::{AppOnly, Root};

/// Returns the schema as JSON text.
#[must_use]
pub fn text() -> String {
    format!("{:#}\n", value())
}

/// Returns the schema.
#[must_use]
pub fn value() -> Value {
    let settings = SchemaSettings::draft2020_12();
    let mut generator = settings.into_generator();
    generator.subschema_for::<Settings>();
    generator.subschema_for::<AppOnly>();
    let mut schema = generator.into_root_schema_for::<Root>().to_value();
    if let Some(schema) = schema.as_object_mut() {
        schema.insert(
            "title".to_owned(),
            json!("services.yaml, unitgen's manifest"),
        );
        extend_apps(schema);
        close(schema);
    }
    schema
}

/// An app says what a process says, and a little more.
fn extend_apps(schema: &mut Map<String, Value>) {
    let Some(definitions) = schema.get_mut("$defs").and_then(Value::as_object_mut) else {
        return;
    };
    let shared = definitions
        .get("Settings")
        .and_then(|s| s.get("properties"))
        .cloned();
    let properties = definitions
        .get_mut("App")
        .and_then(|app| app.get_mut("properties"));
    if let (Some(Value::Object(shared)), Some(Value::Object(own))) = (shared, properties) {
        own.extend(shared);
    }
}

/// Forbids unknown keys, but for extension keys that begin with `x-`.
fn close(schema: &mut Map<String, Value>) {
    if schema.contains_key("properties") {
        schema.insert("additionalProperties".to_owned(), json!(false));
        schema.insert("patternProperties".to_owned(), json!({"^x-": {}}));
    }
    for value in schema.values_mut() {
        close_within(value);
    }
}

fn close_within(value: &mut Value) {
    match value {
        Value::Object(map) => close(map),
        Value::Array(items) => items.iter_mut().for_each(close_within),
        _ => {}
    }
}
