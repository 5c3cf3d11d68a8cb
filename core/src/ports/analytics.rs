//! Counting what people do, without knowing who they are.
//!
//! An event is made of what the code says and of numbers: names and texts are literals, so nothing that
//! a person has typed can get into one by mistake. Numbers are counts, sizes and lengths, never ids.

/// A value of an event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AnalyticsValue {
    /// A word of ours.
    Text(&'static str),
    /// How many, how long, how large.
    Number(f64),
    /// Whether.
    Flag(bool),
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct AnalyticsEvent {
    /// What, in snake_case: `file_kept`.
    pub name: &'static str,
    /// More about it, each name once.
    pub props: Vec<(&'static str, AnalyticsValue)>,
}

impl AnalyticsEvent {
    /// An event with nothing more to say.
    pub const fn new(name: &'static str) -> Self {
        let props = Vec::new();
        Self { name, props }
    }

    /// Adds a word.
    #[must_use]
    pub fn text(self, name: &'static str, value: &'static str) -> Self {
        self.with(name, AnalyticsValue::Text(value))
    }

    /// Adds a number. One that is none (`NaN`, infinity) is left out.
    #[must_use]
    pub fn number(self, name: &'static str, value: f64) -> Self {
        match value.is_finite() {
            true => self.with(name, AnalyticsValue::Number(value)),
            false => self,
        }
    }

    /// Adds a yes or no.
    #[must_use]
    pub fn flag(self, name: &'static str, value: bool) -> Self {
        self.with(name, AnalyticsValue::Flag(value))
    }

    fn with(mut self, name: &'static str, value: AnalyticsValue) -> Self {
        self.props.push((name, value));
        self
    }
}

/// Counts what happens.
pub trait Analytics: Send + Sync {
    /// Tells of an event. Returns at once and never fails: it is sent some time, or lost.
    fn tell(&self, event: AnalyticsEvent);
}
