//! Checks of text that people typed.

use halobestie_core::Problem;

/// `validation_failed` on one field, told in the detail as well: a socket's error has no `errors`.
pub(crate) fn invalid(field: &str, message: impl Into<String>) -> Problem {
    let message = message.into();
    let detail = format!("{field}: {message}");
    Problem::invalid(field, message).detail(detail)
}

/// Refuses text that is blank, too long, or holds a NUL, which Postgres cannot keep.
///
/// # Errors
/// `validation_failed` naming the field.
pub(crate) fn check(field: &str, text: &str, chars_max: usize) -> Result<(), Problem> {
    if text.trim().is_empty() || text.chars().count() > chars_max {
        return Err(invalid(
            field,
            format!("must have 1 to {chars_max} characters"),
        ));
    }
    if text.contains('\0') {
        return Err(invalid(field, "must not hold a NUL character"));
    }
    Ok(())
}

/// Text that may be left out; blank counts as left out.
///
/// # Errors
/// As [`check`].
pub(crate) fn optional(
    field: &str,
    text: Option<String>,
    chars_max: usize,
) -> Result<Option<String>, Problem> {
    let text = text.filter(|text| !text.trim().is_empty());
    if let Some(text) = &text {
        check(field, text, chars_max)?;
    }
    Ok(text)
}
