//! The fields of a form, each with what is wrong with it beside it.
//!
//! A form that is refused is shown again, as it was filled in: [`Wrongs`] says what is wrong, and
//! [`Field::judged`] puts it where it belongs.

use askama::Template;
use halobestie_core::Problem;
use http::StatusCode;

use crate::error::{EMAIL_TAKEN, PHONE_TAKEN};

/// What is wrong with a form.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wrongs {
    /// About all of it.
    pub(crate) whole: Option<String>,
    /// About a field of this name.
    pub(crate) fields: Vec<(String, String)>,
}

impl Wrongs {
    /// What a problem says about a form.
    pub(crate) fn of(problem: &Problem) -> Self {
        let at = |field: &str| Self {
            whole: None,
            fields: vec![(field.to_owned(), problem.detail_text().to_owned())],
        };
        if problem.code() == &PHONE_TAKEN {
            return at("phone");
        }
        if problem.code() == &EMAIL_TAKEN {
            return at("email");
        }
        let errors = problem.field_errors().iter();
        let fields: Vec<_> = errors
            .map(|it| (it.field.clone(), it.message.clone()))
            .collect();
        let whole = fields.is_empty().then(|| problem.detail_text().to_owned());
        Self { whole, fields }
    }

    /// What is wrong with a field.
    pub(crate) fn of_field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(field, _)| field == name);
        found.map(|(_, message)| message.as_str())
    }

    /// What is wrong with no field that there is: it is said above the form, so that nothing is lost.
    pub(crate) fn besides(&self, fields: &[Field]) -> Option<String> {
        let mut all: Vec<String> = self.whole.iter().cloned().collect();
        let rest = self.fields.iter();
        let rest = rest.filter(|(name, _)| fields.iter().all(|it| &it.name != name));
        all.extend(rest.map(|(name, message)| format!("{name}: {message}")));
        (!all.is_empty()).then(|| all.join(" "))
    }
}

/// How a refused form is shown again: its status, and what is wrong.
///
/// # Errors
/// The problem itself, where no other filling-in would mend it.
pub(crate) fn refused(problem: Problem) -> Result<(StatusCode, Wrongs), Problem> {
    match problem.status() {
        status @ (StatusCode::UNPROCESSABLE_ENTITY | StatusCode::CONFLICT) => {
            Ok((status, Wrongs::of(&problem)))
        }
        _ => Err(problem),
    }
}

/// What a field takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An `<input>` of this type: `text`, `tel`, `email`, `password`.
    Line(&'static str),
    /// A whole number, not below and not above these.
    Number(Option<i64>, Option<i64>),
    /// One of these, each with its name.
    Choice(Vec<(String, String)>),
    /// Yes or no.
    Check,
    /// Many lines.
    Lines,
}

/// A field. `{{ field }}` in a template.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/field.html")]
pub(crate) struct Field {
    /// The form's name of it.
    pub(crate) name: String,
    label: String,
    kind: Kind,
    value: String,
    hint: Option<String>,
    wrong: Option<String>,
    is_required: bool,
    is_fixed: bool,
    most_chars: Option<u64>,
    autocomplete: &'static str,
    /// Whether the label is for those alone who do not see the column's head.
    is_cell: bool,
}

impl askama::filters::HtmlSafe for Field {}

impl Field {
    /// A field that takes this.
    pub(crate) fn new(name: impl Into<String>, label: impl Into<String>, kind: Kind) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            kind,
            value: String::new(),
            hint: None,
            wrong: None,
            is_required: false,
            is_fixed: false,
            most_chars: None,
            autocomplete: "off",
            is_cell: false,
        }
    }

    /// What it holds.
    #[must_use]
    pub(crate) fn holding(mut self, value: impl Into<String>) -> Self {
        self.value = value.into();
        self
    }

    /// A few words about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// It must be filled in.
    #[must_use]
    pub(crate) fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    /// Whether it is shown and cannot be changed.
    #[must_use]
    pub(crate) fn fixed(mut self, is_fixed: bool) -> Self {
        self.is_fixed = is_fixed;
        self
    }

    /// No longer than this, where there is a limit.
    #[must_use]
    pub(crate) fn at_most(mut self, chars: Option<u64>) -> Self {
        self.most_chars = chars;
        self
    }

    /// What the browser may fill in.
    #[must_use]
    pub(crate) fn autocomplete(mut self, token: &'static str) -> Self {
        self.autocomplete = token;
        self
    }

    /// In a table, whose head names it.
    #[must_use]
    pub(crate) fn cell(mut self) -> Self {
        self.is_cell = true;
        self
    }

    /// With what is wrong with it.
    #[must_use]
    pub(crate) fn judged(mut self, wrongs: &Wrongs) -> Self {
        self.wrong = wrongs.of_field(&self.name).map(ToOwned::to_owned);
        self
    }

    /// What it is called.
    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    /// The id of its element: a name may hold characters that an id should not.
    fn id(&self) -> String {
        let plain = |it: char| if it.is_ascii_alphanumeric() { it } else { '-' };
        format!("f-{}", self.name.chars().map(plain).collect::<String>())
    }

    /// The ids of what is said about it.
    fn told_by(&self) -> String {
        let (id, mut ids) = (self.id(), Vec::new());
        if self.wrong.is_some() {
            ids.push(format!("{id}-wrong"));
        }
        if self.hint.is_some() && !self.is_cell {
            ids.push(format!("{id}-hint"));
        }
        ids.join(" ")
    }

    fn choices(&self) -> &[(String, String)] {
        match &self.kind {
            Kind::Choice(choices) => choices,
            _ => &[],
        }
    }

    fn input(&self) -> &'static str {
        match self.kind {
            Kind::Line(kind) => kind,
            Kind::Number(..) => "number",
            _ => "text",
        }
    }

    fn bounds(&self) -> (Option<i64>, Option<i64>) {
        match self.kind {
            Kind::Number(least, most) => (least, most),
            _ => (None, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_stands_beside_its_field_and_nothing_is_lost() {
        let problem = Problem::invalid("value[1].minutes", "must be 1 to 1440");
        let wrongs = Wrongs::of(&problem);
        let field = Field::new("value[1].minutes", "Minutes", Kind::Number(Some(1), None));
        let shown = field.clone().judged(&wrongs).to_string();
        assert!(shown.contains("aria-invalid"), "{shown}");
        assert!(shown.contains("must be 1 to 1440"), "{shown}");
        assert!(shown.contains(r#"id="f-value-1--minutes""#), "{shown}");
        assert_eq!(wrongs.besides(&[field]), None);
        let elsewhere = wrongs.besides(&[]).unwrap();
        assert_eq!(elsewhere, "value[1].minutes: must be 1 to 1440");
    }
}
