//! The environment: variables as text, read by the kind that their row declares.
//!
//! `NAME_FILE` names a file that holds the value of `NAME`. An empty value is the same as none.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use super::origin::{Layer, Origin};
use super::problems::Problems;
use super::schema::Row;
use super::{AppEnv, files, value};

/// Which environment this is.
pub(super) const APP_ENV: &str = "APP_ENV";
/// Changes the public port and nothing else; platforms set it.
pub(super) const PORT: &str = "PORT";
/// The folder with the configuration files.
pub(super) const CONFIG_DIR: &str = "CONFIG_DIR";

/// The environment variables of a process.
pub(super) struct Environment<'a>(pub(super) &'a BTreeMap<String, String>);

/// A variable that is set.
pub(super) struct Found {
    pub(super) text: String,
    /// The variable that was really read: itself, its `_FILE`, or a fallback.
    pub(super) origin: Origin,
}

impl Environment<'_> {
    /// A variable as it stands, unless it is empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|text| !text.is_empty())
    }

    /// A variable, or the file that `NAME_FILE` names.
    pub(super) fn find(&self, name: &str) -> Result<Option<Found>, String> {
        let file = file_variable(name);
        match (self.get(name), self.get(&file)) {
            (Some(_), Some(_)) => Err(format!(
                "{name} (environment): {file} is set too: set one of them"
            )),
            // What was not UTF-8 has become this character, and is not the value any more.
            (Some(text), None) if text.contains(char::REPLACEMENT_CHARACTER) => {
                Err(format!("{name} (environment): expected UTF-8"))
            }
            (Some(text), None) => Ok(Some(Found::new(text.to_owned(), name))),
            (None, Some(path)) => match files::read(Path::new(path)) {
                Ok(text) => Ok(Found::in_file(&text, &file)),
                // The path is not repeated: somebody may have put the secret itself there.
                Err(error) => Err(format!(
                    "{name} (environment ({file})): expected the path of a readable file: {error}"
                )),
            },
            (None, None) => Ok(None),
        }
    }

    /// What the environment says about a key.
    pub(super) fn layer(&self, row: &Row, problems: &mut Problems) -> Option<Layer> {
        let found = match self.find_with_fallbacks(row) {
            Ok(found) => found?,
            Err(line) => {
                problems.about(row, line);
                return None;
            }
        };
        let value = value::parse(row.kind, &found.text);
        if value.is_none() {
            let got = if row.kind.is_secret() {
                String::new()
            } else {
                format!(", got {:?}", found.text)
            };
            let line = format!("{}: expected {}{got}", found.origin.place(row), row.accepts);
            problems.about(row, line);
        }
        Some(Layer::single(found.origin, row, value?))
    }

    fn find_with_fallbacks(&self, row: &Row) -> Result<Option<Found>, String> {
        if let Some(found) = self.find(&row.variable)? {
            return Ok(Some(found));
        }
        let set = row
            .fallbacks
            .iter()
            .find_map(|name| Some((name, self.get(name)?)));
        Ok(set.map(|(name, text)| Found::new(text.to_owned(), name)))
    }

    /// `APP_ENV`. Where it is wrong, the rest is checked as for development.
    pub(super) fn app_env(&self, problems: &mut Problems) -> (AppEnv, Origin) {
        let found = self.find(APP_ENV).unwrap_or_else(|line| {
            problems.add(line);
            None
        });
        let Some(found) = found else {
            return (AppEnv::default(), Origin::BuiltIn);
        };
        let env = found.text.parse().unwrap_or_else(|error| {
            problems.add(format!(
                "{APP_ENV} (environment): {error}, got {:?}",
                found.text
            ));
            AppEnv::default()
        });
        (env, found.origin)
    }

    /// `PORT`: the public address with another port.
    pub(super) fn port(
        &self,
        row: &Row,
        public_addr: &str,
        problems: &mut Problems,
    ) -> Option<Layer> {
        let found = match self.find(PORT) {
            Ok(found) => found?,
            Err(line) => {
                problems.add(line);
                return None;
            }
        };
        let Ok(port) = found.text.parse::<u16>() else {
            problems.add(format!(
                "{PORT} (environment): expected 0 to 65535, got {:?}",
                found.text
            ));
            return None;
        };
        // An address that does not parse is reported with its own key.
        let mut address: SocketAddr = public_addr.parse().ok()?;
        address.set_port(port);
        Some(Layer::single(found.origin, row, address.to_string().into()))
    }
}

impl Found {
    fn new(text: String, variable: &str) -> Self {
        Self {
            text,
            origin: Origin::Variable(variable.to_owned()),
        }
    }

    /// A file's text without the line ends at its end, which editors put there.
    fn in_file(text: &str, variable: &str) -> Option<Self> {
        let text = text.trim_end_matches(['\r', '\n']);
        (!text.is_empty()).then(|| Self::new(text.to_owned(), variable))
    }
}

/// The variable that names the file with a variable's value.
pub(super) fn file_variable(name: &str) -> String {
    format!("{name}_FILE")
}
