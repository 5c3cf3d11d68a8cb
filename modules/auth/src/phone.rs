//! Phone numbers: whatever people type, as E.164, or refused.

use std::fmt;

use phonenumber::country::Id;
use phonenumber::metadata::DATABASE;
use phonenumber::{Mode, Type};

/// E.164 allows 15 digits; a few more leave room for a trunk prefix.
const DIGITS_MAX: usize = 18;

/// A mobile number in E.164: `+6281234567890`. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Phone(String);

/// Reads the numbering plans, which takes a moment and would otherwise hold up the first sign-in.
pub(crate) fn load_plans() {
    let _ = phonenumber::parse(Some(Id::ID), "0");
    let _ = Phone::parse("081200000000");
}

impl Phone {
    /// Reads a number as it is written in Indonesia (`0812…`, `62812…`) or anywhere (`+…`), with the
    /// usual spaces and dashes. `None` where it is no number that can get a message: not allocated,
    /// a premium number, a landline.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let dialled = dialled(text)?;
        let number = phonenumber::parse(Some(Id::ID), dialled).ok()?;
        let kind = number.number_type(&DATABASE);
        if !matches!(kind, Type::Mobile | Type::FixedLineOrMobile) {
            return None;
        }
        Some(Self(number.format().mode(Mode::E164).to_string()))
    }

    /// The number, E.164.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Phone([redacted])")
    }
}

/// The digits with a `+` where there was one, or where they begin with Indonesia's own code. Anything
/// but digits and the usual separators is refused here, so that the library sees nothing exotic.
fn dialled(text: &str) -> Option<String> {
    let text = text.trim();
    let (plus, rest) = match text.strip_prefix('+') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut digits = String::with_capacity(DIGITS_MAX + 1);
    for character in rest.chars() {
        match character {
            '0'..='9' => digits.push(character),
            ' ' | '-' | '.' | '(' | ')' => {}
            _ => return None,
        }
    }
    if digits.len() > DIGITS_MAX {
        return None;
    }
    if plus || digits.starts_with("62") {
        digits.insert(0, '+');
    }
    Some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<String> {
        Phone::parse(text).map(|phone| phone.0)
    }

    #[test]
    fn local_and_international_forms_are_one_number() {
        let forms = [
            "081234567890",
            "6281234567890",
            "+6281234567890",
            "+62 812-3456-7890",
            "0812 3456 7890",
        ];
        for form in forms {
            assert_eq!(parsed(form).as_deref(), Some("+6281234567890"), "{form}");
        }
    }

    #[test]
    fn numbers_of_other_countries_are_taken_with_their_code() {
        assert_eq!(parsed("+6591234567").as_deref(), Some("+6591234567"));
        assert_eq!(parsed("+1 202 555 0123").as_deref(), Some("+12025550123"));
    }

    #[test]
    fn what_cannot_get_a_message_is_refused() {
        let wrong = [
            "",
            "+",
            "0",
            "62",
            "+62",
            "12345",
            "telepon",
            "0812abc45678",
            "08123",
            "+6281",
            "08091234567", // premium
            "08001234567", // toll free
            "0215551234",  // landline
            "+999123456789",
            "081234567890123456789",
            "tel:+6281234567890",
            "０８１２３４５６７８９０",
            ".;phone-context=",
        ];
        for text in wrong {
            assert_eq!(parsed(text), None, "{text}");
        }
    }

    #[test]
    fn debug_shows_no_number() {
        let phone = Phone::parse("081234567890").unwrap();
        assert!(!format!("{phone:?}").contains("812"));
    }
}
