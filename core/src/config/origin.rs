//! Where a value came from, and how figment carries that along.

use std::path::{Path, PathBuf};

use figment::value::{Dict, Map};
use figment::{Metadata, Profile, Provider, Source};

use super::schema::Row;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The defaults that are compiled in.
    BuiltIn,
    /// A file on disk.
    File(PathBuf),
    /// The environment; the variable that was really read: `PORT`, `DATABASE_URL_FILE`.
    Variable(String),
}

impl Origin {
    /// As `config show` prints it, for a value that is set by `variable`.
    pub(super) fn shown(&self, variable: &str) -> String {
        match self {
            Self::BuiltIn => "built in".into(),
            Self::File(path) => path.display().to_string(),
            Self::Variable(name) if name == variable => "environment".into(),
            Self::Variable(name) => format!("environment ({name})"),
        }
    }

    /// How a problem begins: the variable, and where its value came from.
    pub(super) fn place(&self, row: &Row) -> String {
        let variable = &row.variable;
        match self {
            Self::BuiltIn => format!("{variable} (built in)"),
            Self::File(path) => format!("{variable} ({row} in {})", path.display()),
            Self::Variable(_) => format!("{variable} ({})", self.shown(variable)),
        }
    }

    fn of(metadata: &Metadata) -> Self {
        match &metadata.source {
            Some(Source::File(path)) => Self::File(path.clone()),
            Some(Source::Custom(name)) => Self::Variable(name.clone()),
            _ => Self::BuiltIn,
        }
    }

    fn metadata(&self) -> Metadata {
        match self {
            Self::BuiltIn => Metadata::named("built in"),
            Self::File(path) => Metadata::from("file", Path::new(path)),
            Self::Variable(name) => Metadata::from("environment", name.clone()),
        }
    }
}

impl From<Option<&Metadata>> for Origin {
    fn from(metadata: Option<&Metadata>) -> Self {
        metadata.map_or(Self::BuiltIn, Self::of)
    }
}

/// Values of one origin, to be laid over what is below.
pub(super) struct Layer {
    pub(super) origin: Origin,
    /// A table for each section.
    pub(super) sections: Dict,
}

impl Layer {
    /// A layer with a single value.
    pub(super) fn single(origin: Origin, row: &Row, value: figment::value::Value) -> Self {
        let section = Dict::from([(row.key.to_owned(), value)]);
        Self {
            origin,
            sections: Dict::from([(row.section.to_owned(), section.into())]),
        }
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        self.origin.metadata()
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.sections.clone()))
    }
}
