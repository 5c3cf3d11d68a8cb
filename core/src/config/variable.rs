//! Rows that tie an environment variable to a key of a section.

/// How a variable's text is read, and what an error says is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// Any text, never shown.
    Secret,
    /// A whole number, zero or more.
    Integer,
    /// `true` or `false`.
    Bool,
    /// Comma-separated texts; empty means none.
    List,
    /// Comma-separated texts, never shown.
    SecretList,
}

impl Kind {
    /// Whether its values must never be shown.
    pub const fn is_secret(self) -> bool {
        matches!(self, Self::Secret | Self::SecretList)
    }

    /// What is accepted, in words.
    pub const fn accepts(self) -> &'static str {
        match self {
            Self::Text | Self::Secret => "a text",
            Self::Integer => "a whole number, zero or more",
            Self::Bool => "true or false",
            Self::List | Self::SecretList => "a list of texts",
        }
    }
}

/// An environment variable and the key that it sets.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// The variable: `PAIRING_TIMEOUT_SECONDS`. `<name>_FILE` is taken too.
    pub name: &'static str,
    /// The key in its section: `pairing_timeout_seconds`.
    pub key: &'static str,
    /// How its text is read.
    pub kind: Kind,
    /// A line of help, for people who deploy.
    pub help: &'static str,
    /// What is accepted, where that is narrower than its kind: `json or pretty`.
    pub accepts: Option<&'static str>,
    /// Variables of platforms that are taken, in order, where `name` is unset.
    pub fallbacks: &'static [&'static str],
}

impl Variable {
    /// A variable without fallbacks.
    pub const fn new(
        name: &'static str,
        key: &'static str,
        kind: Kind,
        help: &'static str,
    ) -> Self {
        Self {
            name,
            key,
            kind,
            help,
            accepts: None,
            fallbacks: &[],
        }
    }

    /// Says what is accepted, for values that are narrower than their kind.
    #[must_use]
    pub const fn accepts(mut self, accepts: &'static str) -> Self {
        self.accepts = Some(accepts);
        self
    }

    /// Adds variables that are taken where this one is unset.
    #[must_use]
    pub const fn or(mut self, fallbacks: &'static [&'static str]) -> Self {
        self.fallbacks = fallbacks;
        self
    }
}
