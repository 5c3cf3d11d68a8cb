//! A button that asks first: it opens a dialog that says what will happen, and the dialog's form does it.
//!
//! `<dialog>` gives focus, Escape and the screen reader's name for free. Where a browser does not know
//! `command`, `cc.js` opens it.

use askama::Template;

/// A field that the dialog asks for.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The form's name of it.
    pub(crate) name: &'static str,
    /// What it is called.
    pub(crate) label: &'static str,
    /// `text`, `number` or `password`.
    pub(crate) kind: &'static str,
    /// What it holds already.
    pub(crate) value: String,
    /// Whether it must be filled in.
    pub(crate) is_required: bool,
}

/// A button with its dialog. `{{ confirm }}` in a template.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/confirm.html")]
pub(crate) struct Confirm {
    /// Of this dialog alone on its page.
    pub(crate) id: String,
    /// What the button says: `Deactivate`.
    pub(crate) button: &'static str,
    /// What the dialog asks: `Deactivate Ayu?`.
    pub(crate) question: String,
    /// What will happen, in a sentence or two.
    pub(crate) consequence: String,
    /// Where the form goes.
    pub(crate) action: String,
    /// Hidden fields.
    pub(crate) hidden: Vec<(&'static str, String)>,
    /// What it asks for.
    pub(crate) asked: Vec<Asked>,
    /// Whether it takes something away.
    pub(crate) is_danger: bool,
}

impl askama::filters::HtmlSafe for Confirm {}
