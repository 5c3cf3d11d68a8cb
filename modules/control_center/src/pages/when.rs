//! An instant on a page: how long ago, the exact time on hover, in the viewer's zone.
//!
//! The server writes UTC, which stays where there is no script; `cc.js` puts the viewer's own in its place.

use std::fmt;

use halobestie_core::Timestamp;

/// An instant as markup, or a dash. `{{ when::at(it) }}` in a template, of whatever may hold one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct When(Option<Timestamp>);

impl fmt::Display for When {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(at) = self.0 else {
            return out.write_str("–");
        };
        // RFC 3339 has no letter that markup minds.
        write!(
            out,
            r#"<time datetime="{at}" data-when title="{at}">{at}</time>"#
        )
    }
}

impl askama::filters::HtmlSafe for When {}

/// Something that may hold an instant: templates hand over references to whatever they have.
pub(crate) trait Instant {
    /// The instant.
    fn instant(&self) -> Option<Timestamp>;
}

impl Instant for Timestamp {
    fn instant(&self) -> Option<Timestamp> {
        Some(*self)
    }
}

impl<T: Instant> Instant for Option<T> {
    fn instant(&self) -> Option<Timestamp> {
        self.as_ref().and_then(Instant::instant)
    }
}

impl<T: Instant> Instant for &T {
    fn instant(&self) -> Option<Timestamp> {
        (**self).instant()
    }
}

/// For templates.
pub(crate) fn at(it: impl Instant) -> When {
    When(it.instant())
}
