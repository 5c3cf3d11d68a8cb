//! What a draft says: JSON, kept and handed out as it came.

use std::sync::Arc;

use halobestie_core::http::Request;
use halobestie_core::http::request::parse_json;
use halobestie_core::problem::{Problem, codes};
use serde::de::IgnoredAny;
use uuid::Uuid;

/// The largest draft.
pub(crate) const BYTES_MAX: usize = 256 * 1024;
/// Pictures that one draft may name; more are not kept for it.
const PICTURES_MAX: usize = 20;
/// What stands before the id of an upload in its address.
const UPLOADS: &str = "/api/uploads/";

/// A draft's JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Content(Arc<str>);

impl Content {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// `unsupported_media_type`, `body_too_large`, `malformed_json`
    pub(crate) async fn of(req: &mut Request) -> Result<Self, Problem> {
        let body = req.json_bytes().await?;
        parse_json::<IgnoredAny>(&body)?;
        let text = std::str::from_utf8(&body)
            .map_err(|error| Problem::new(&codes::MALFORMED_JSON).because(error))?;
        Ok(Self(text.into()))
    }

    /// As text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The uploads that it names by their addresses, each once.
    pub(crate) fn pictures(&self) -> Vec<Uuid> {
        let mut pictures = Vec::new();
        for (at, _) in self.0.match_indices(UPLOADS) {
            let id = self.0[at + UPLOADS.len()..].get(..uuid::fmt::Hyphenated::LENGTH);
            match id.map(Uuid::try_parse) {
                Some(Ok(id)) if !pictures.contains(&id) => pictures.push(id),
                _ => {}
            }
            if pictures.len() == PICTURES_MAX {
                break;
            }
        }
        pictures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_found_by_their_addresses() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let text = format!(
            r#"{{"a": "{UPLOADS}{one}", "b": ["https://x.test{UPLOADS}{other}?x", "{UPLOADS}{one}"],
                "c": "{UPLOADS}nonsense", "d": "{UPLOADS}"}}"#
        );
        assert_eq!(Content(text.into()).pictures(), [one, other]);
        let many: String = (0..30)
            .map(|it| format!("{UPLOADS}{} ", Uuid::from_u128(it)))
            .collect();
        assert_eq!(Content(many.into()).pictures().len(), PICTURES_MAX);
    }
}
