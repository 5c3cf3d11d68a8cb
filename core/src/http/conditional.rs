//! Conditional requests (RFC 9110 §13.1): which version of something a caller has, or means to change.
//!
//! Tags of ours have no comma in them, so lists are cut at commas. Whoever reads may be content with an
//! equivalent version (weak comparison), whoever writes may not (strong).

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH};

/// Whether the caller of a GET has this version already, by `If-None-Match`.
pub fn is_known(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let opaque = |tag: &[u8]| tag.strip_prefix(b"W/").unwrap_or(tag).to_vec();
    let current = opaque(etag.as_bytes());
    tags(headers, IF_NONE_MATCH).any(|tag| tag == b"*" || opaque(tag) == current)
}

/// What must hold for a change to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The caller has said nothing.
    None,
    /// There is nothing yet: `If-None-Match: *`.
    Absent,
    /// There is something: `If-Match: *`.
    Present,
    /// It is one of these versions; none, where the header says nothing that could be one.
    OneOf(Vec<String>),
}

impl Condition {
    /// What a change depends on, by `If-Match` and, without one, `If-None-Match: *`.
    pub fn of(headers: &HeaderMap) -> Self {
        if !headers.contains_key(IF_MATCH) {
            let is_absent = tags(headers, IF_NONE_MATCH).any(|tag| tag == b"*");
            return if is_absent { Self::Absent } else { Self::None };
        }
        if tags(headers, IF_MATCH).any(|tag| tag == b"*") {
            return Self::Present;
        }
        let named = tags(headers, IF_MATCH).filter(|tag| tag.starts_with(b"\""));
        let text = |tag: &[u8]| String::from_utf8_lossy(tag).into_owned();
        Self::OneOf(named.map(text).collect())
    }

    /// Whether it holds for what there is: its tag, or nothing.
    pub fn holds(&self, current: Option<&str>) -> bool {
        match self {
            Self::None => true,
            Self::Absent => current.is_none(),
            Self::Present => current.is_some(),
            Self::OneOf(tags) => current.is_some_and(|current| tags.iter().any(|it| it == current)),
        }
    }
}

fn tags(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &[u8]> {
    headers
        .get_all(name)
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn a_known_tag_is_found_in_any_form() {
        let etag = HeaderValue::from_static("W/\"3\"");
        let sent = |value| is_known(&headers(IF_NONE_MATCH, value), &etag);
        assert!(sent("W/\"3\""));
        assert!(sent("\"3\""), "the comparison is weak");
        assert!(sent("\"1\", W/\"3\""));
        assert!(sent("*"));
        assert!(!sent("W/\"4\""));
        assert!(!sent(""));
        assert!(!is_known(&HeaderMap::new(), &etag));
    }

    #[test]
    fn a_change_is_made_to_the_version_that_was_meant() {
        let current = Some("\"3\"");
        for (value, holds, holds_for_nothing) in [
            ("\"3\"", true, false),
            ("\"1\", \"3\"", true, false),
            ("*", true, false),
            ("\"4\"", false, false),
            // A weak tag is as good as another for reading, not for writing.
            ("W/\"3\"", false, false),
            ("3", false, false),
            ("", false, false),
        ] {
            let condition = Condition::of(&headers(IF_MATCH, value));
            assert_eq!(condition.holds(current), holds, "{value}");
            assert_eq!(condition.holds(None), holds_for_nothing, "{value}");
        }
    }

    #[test]
    fn something_new_can_be_asked_for() {
        let absent = Condition::of(&headers(IF_NONE_MATCH, "*"));
        assert_eq!(absent, Condition::Absent);
        assert!(absent.holds(None) && !absent.holds(Some("\"3\"")));
        let nothing = Condition::of(&HeaderMap::new());
        assert_eq!(nothing, Condition::None);
        assert!(nothing.holds(None) && nothing.holds(Some("\"3\"")));
    }
}
