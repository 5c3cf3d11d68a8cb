//! What drafts are called, by their owner and by the world.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A name that cannot be one.
#[derive(Debug, thiserror::Error)]
#[error("not a name")]
pub(crate) struct NotAName;

/// What its owner calls a draft: 1 to 64 letters, digits, `.`, `_` and `-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key(String);

impl Key {
    /// As text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Key {
    type Err = NotAName;
    fn from_str(text: &str) -> Result<Self, NotAName> {
        let is_letter = |it: u8| it.is_ascii_alphanumeric() || b"._-".contains(&it);
        let is_key = (1..=64).contains(&text.len()) && text.bytes().all(is_letter);
        is_key.then(|| Self(text.to_owned())).ok_or(NotAName)
    }
}

/// What the world calls a published draft: 3 to 64 lower-case letters, digits and `-` between them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(as = drafts::Slug, value_type = String, example = "garden-rules")]
pub(crate) struct Slug(String);

impl Slug {
    /// As text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Slug {
    type Err = NotAName;
    fn from_str(text: &str) -> Result<Self, NotAName> {
        let is_letter = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-';
        let is_slug = (3..=64).contains(&text.len())
            && text.bytes().all(is_letter)
            && !text.starts_with('-')
            && !text.ends_with('-');
        is_slug.then(|| Self(text.to_owned())).ok_or(NotAName)
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_short_and_plain() {
        for fine in ["a", "rule-1.json_2", &"x".repeat(64)] {
            assert!(fine.parse::<Key>().is_ok(), "{fine}");
        }
        for wrong in ["", "a b", "a/b", "é", &"x".repeat(65)] {
            assert!(wrong.parse::<Key>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_slug_reads_well_in_an_address() {
        for fine in ["abc", "garden-rules-2"] {
            assert!(fine.parse::<Slug>().is_ok(), "{fine}");
        }
        for wrong in ["", "ab", "-abc", "abc-", "Abc", "a_b", "a.b"] {
            assert!(wrong.parse::<Slug>().is_err(), "{wrong}");
        }
    }
}
