//! The layers laid over each other, each value with its origin. Holds secrets: it has no `Debug`.

use figment::Figment;
use figment::value::{Dict, Value};

use super::origin::{Layer, Origin};
use super::schema::{ENABLED, Row};
use super::{Section, section, value};
use crate::problem::BoxError;

/// All values of a configuration.
#[derive(Clone, Default)]
pub(super) struct Values {
    merged: Figment,
    built_in: Figment,
}

impl Values {
    /// Lays a layer over what is there.
    pub(super) fn lay(&mut self, layer: Layer) {
        if layer.origin == Origin::BuiltIn {
            self.built_in = std::mem::take(&mut self.built_in).merge(&layer);
        }
        self.merged = std::mem::take(&mut self.merged).merge(layer);
    }

    /// The value of a key, unless it is "not set".
    pub(super) fn get(&self, row: &Row) -> Option<Value> {
        find(&self.merged, row)
    }

    /// What a key would be without files on disk and environment.
    pub(super) fn built_in(&self, row: &Row) -> Option<Value> {
        find(&self.built_in, row)
    }

    /// Where the value of a key came from.
    pub(super) fn origin(&self, row: &Row) -> Origin {
        self.merged.find_metadata(&row.to_string()).into()
    }

    /// How a problem with a key begins: the variable, and where its value came from.
    pub(super) fn place(&self, row: &Row) -> String {
        match self.get(row) {
            Some(_) => self.origin(row).place(row),
            None => format!("{} (not set)", row.variable),
        }
    }

    /// What a section's type is read from: its keys that are set, without core's `enabled`.
    pub(super) fn section(&self, name: &str) -> Dict {
        let mut section = self
            .merged
            .find_value(name)
            .ok()
            .and_then(Value::into_dict)
            .unwrap_or_default();
        section.retain(|key, value| key != ENABLED && !value::is_unset(value));
        section
    }

    /// A section as its type. The error does not quote what it is about: it may be a secret.
    pub(super) fn read<S: Section>(&self, name: &str) -> Result<S, BoxError> {
        section::read(&self.section(name)).map_err(|error| {
            format!("section [{name}] does not fit its type at {:?}", error.path).into()
        })
    }
}

fn find(figment: &Figment, row: &Row) -> Option<Value> {
    figment
        .find_value(&row.to_string())
        .ok()
        .filter(|value| !value::is_unset(value))
}
