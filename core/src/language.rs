//! Which of our two languages somebody is written to in, by whatever module writes.

/// A language that the product speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Indonesian, where nothing else is known.
    Indonesian,
    /// English.
    English,
}

impl Language {
    /// As accounts keep it.
    pub fn of_account(text: &str) -> Self {
        match text {
            "en" => Self::English,
            _ => Self::Indonesian,
        }
    }

    /// The first of ours in the order of `Accept-Language`'s weights (RFC 9110 §12.5.4).
    pub fn accepted(header: &str) -> Self {
        let mut best = (0.0, Self::Indonesian);
        for range in header.split(',') {
            let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
            let weight = weight
                .trim()
                .strip_prefix("q=")
                .and_then(|it| it.parse().ok());
            let weight: f32 = weight.unwrap_or(0.0);
            if let Some(language) = Self::of_tag(tag)
                && weight > best.0
            {
                best = (weight, language);
            }
        }
        best.1
    }

    fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split('-').next().unwrap_or_default();
        match primary.to_ascii_lowercase().as_str() {
            // `in` is what Java, and so Android, calls Indonesian.
            "id" | "in" => Some(Self::Indonesian),
            "en" => Some(Self::English),
            _ => None,
        }
    }

    /// For `<html lang>`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Indonesian => "id",
            Self::English => "en",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_read_by_its_weights() {
        use Language::{English, Indonesian};
        for (header, expected) in [
            ("", Indonesian),
            ("en", English),
            ("en-US,en;q=0.9,id;q=0.8", English),
            ("id-ID, en;q=0.9", Indonesian),
            ("in-ID,en;q=0.5", Indonesian),
            ("en;q=0.4, id;q=0.5", Indonesian),
            ("fr, EN-gb;q=0.1", English),
            ("en;q=0", Indonesian),
            ("fr", Indonesian),
            ("en;q=nonsense", Indonesian),
            ("en;q=NaN", Indonesian),
            (";;;,,,=", Indonesian),
        ] {
            assert_eq!(Language::accepted(header), expected, "{header}");
        }
    }
}
