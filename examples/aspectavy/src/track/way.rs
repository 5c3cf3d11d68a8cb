//! Who has a track's work done; for the figures.

/// A job of the worker's, or somebody who could not wait for it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    Job,
    Inline,
}

impl Way {
    /// As analytics have it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::Inline => "inline",
        }
    }
}
