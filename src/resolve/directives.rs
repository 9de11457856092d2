//! Directives that a process gives by their own names.
//!
//! In: the sections of a process's settings. Out: overlays in systemd's own text. Knows nothing of
//! what they are laid over.

use crate::diagnostic::{Diagnostic, Report};
use crate::directive::is_command;
use crate::layers::SECTIONS;
use crate::manifest::section::{DirectiveItem, DirectiveValue, Section};
use crate::model::Overlay;
use crate::resolve::process::Scope;
use crate::span::Spanned;
use crate::unit::quote::{quote_argument, quote_command};
use crate::yaml::field::Field;

impl Scope<'_> {
    pub(super) fn section(&self, name: &str) -> &Field<Section> {
        let settings = self.settings;
        match name {
            "Unit" => &settings.unit_section,
            "Service" => &settings.service_section,
            "Socket" => &settings.socket_section,
            "Timer" => &settings.timer_section,
            "Path" => &settings.path_section,
            "Install" => &settings.install_section,
            _ => &settings.fleet_section,
        }
    }

    pub(super) fn overlays(&self, report: &mut Report) -> Vec<Overlay> {
        let mut overlays = Vec::new();
        for section in SECTIONS {
            for (name, value) in self.section(section).each() {
                let Some(value) = value.get() else {
                    continue;
                };
                overlays.push(Overlay {
                    section,
                    name: Spanned {
                        span: name.span,
                        value: name.value.0.clone(),
                    },
                    values: match value {
                        DirectiveValue::Remove => None,
                        DirectiveValue::Set(items) => {
                            let items = items.0.iter();
                            Some(
                                items
                                    .filter_map(|i| item(section, &name.value.0, i, report))
                                    .collect(),
                            )
                        }
                    },
                });
            }
        }
        overlays
    }
}

/// Returns a directive's value in systemd's own text.
fn item(
    section: &str,
    name: &str,
    item: &Spanned<DirectiveItem>,
    report: &mut Report,
) -> Option<Spanned<String>> {
    let value = match &item.value {
        DirectiveItem::Text(text) => text.clone(),
        DirectiveItem::Arguments { .. } if !is_command(section, name) => {
            report.push(Diagnostic::error(
                item.span,
                format!("`{name}` takes text; `argv` and `shell` are for `Exec` lines"),
            ));
            return None;
        }
        DirectiveItem::Arguments {
            argv,
            ignore_failure,
        } => match quote(argv) {
            Ok(text) if *ignore_failure => format!("-{text}"),
            Ok(text) => text,
            Err(reason) => {
                report.push(Diagnostic::error(item.span, reason));
                return None;
            }
        },
    };
    Some(Spanned {
        span: item.span,
        value,
    })
}

fn quote(argv: &[String]) -> Result<String, String> {
    let mut words = Vec::with_capacity(argv.len());
    for (at, word) in argv.iter().enumerate() {
        let quoted = if at == 0 {
            quote_command(word)
        } else {
            quote_argument(word)
        };
        words.push(quoted.map_err(|error| error.to_string())?);
    }
    Ok(words.join(" "))
}
