//! Phone numbers: whatever people type, as E.164, or refused.

use std::fmt;

use phonenumber::country::Id;
use phonenumber::metadata::DATABASE;
use phonenumber::{Mode, Type};

/// E.164 allows 15 digits; a few more leave room for a trunk prefix.
const DIGITS_MAX: usize = 18;

/// Codes of no country (Inmarsat, personal numbers, Iridium and Globalstar, networks of ships and
/// planes, disaster relief, premium), and Indonesia's own satellite network.
const COSTLY: [&str; 8] = [
    "+870", "+878", "+881", "+882", "+883", "+888", "+979", "+62868",
];

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
    /// usual spaces and dashes. `None` where it is no number that can get a message (not allocated, a
    /// landline), or one whose owner is paid for each: premium and shared-cost numbers, satellite phones,
    /// numbers of no country.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let dialled = dialled(text)?;
        let number = phonenumber::parse(Some(Id::ID), dialled).ok()?;
        let kind = number.number_type(&DATABASE);
        if !matches!(kind, Type::Mobile | Type::FixedLineOrMobile) {
            return None;
        }
        let e164 = number.format().mode(Mode::E164).to_string();
        (!is_costly(&e164)).then_some(Self(e164))
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

/// Whether a number counts as mobile in its plan and is still not a phone of somebody who pays what
/// others pay. These are where pumped messages go.
fn is_costly(e164: &str) -> bool {
    COSTLY.iter().any(|prefix| e164.starts_with(prefix))
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
        if digits.len() > DIGITS_MAX {
            return None;
        }
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

    /// Each is the same number, in E.164 at the left.
    const SAME: &[(&str, &[&str])] = &[
        (
            "+6281234567890",
            &[
                "081234567890",
                "6281234567890",
                "+6281234567890",
                "+62 812-3456-7890",
                "+62 (0)812 3456 7890",
                "+62081234567890",
                "0812 3456 7890",
                "0812.3456.7890",
                "(0812) 3456-7890",
                "  081234567890\n",
                "81234567890",
            ],
        ),
        // The shortest and the longest of Indonesia.
        ("+62811123456", &["0811123456", "62811123456"]),
        ("+6289912345678", &["089912345678"]),
        // Every operator's block.
        ("+6285612345678", &["085612345678"]),
        ("+6287812345678", &["087812345678"]),
        ("+6283112345678", &["083112345678"]),
        ("+6288112345678", &["088112345678"]),
        ("+6289512345678", &["089512345678"]),
        // Other countries with their code.
        ("+6591234567", &["+6591234567", "+65 9123 4567"]),
        ("+60123456789", &["+60 12-345 6789"]),
        ("+12025550123", &["+1 202 555 0123", "+1 (202) 555-0123"]),
        ("+447911123456", &["+44 7911 123456", "+44 (0)7911 123456"]),
        ("+818012345678", &["+81 80-1234-5678"]),
        ("+966501234567", &["+966 50 123 4567"]),
    ];

    #[test]
    fn local_and_international_forms_are_one_number() {
        for (number, forms) in SAME {
            for form in *forms {
                assert_eq!(parsed(form).as_deref(), Some(*number), "{form}");
            }
        }
    }

    const REFUSED: &[(&str, &[&str])] = &[
        (
            "no number",
            &[
                "",
                "+",
                "0",
                "62",
                "+62",
                "12345",
                "telepon",
                "+-",
                "()",
                "++6281234567890",
            ],
        ),
        (
            "too short or too long",
            &[
                "08123",
                "+6281",
                "081212",
                "0812345678901234",
                "081234567890123456789",
                "+999123456789",
            ],
        ),
        (
            "something else beside it",
            &[
                "0812abc45678",
                "tel:+6281234567890",
                "081234567890;ext=5",
                "081234567890 x5",
                "081234567890,081234567891",
                ".;phone-context=",
                "081234567890\0",
                "0812\n3456\t7890",
                "*123#",
            ],
        ),
        (
            "digits of other scripts",
            &[
                "０８１２３４５６７８９０",
                "٠٨١٢٣٤٥٦٧٨٩٠",
                "०८१२३४५६७८९०",
                "+62𝟖1234567890",
                "081234567890\u{200b}",
            ],
        ),
        (
            "a landline",
            &["0215551234", "+62215551234", "+6565551234", "+442079460000"],
        ),
        ("toll free", &["08001234567", "+18005550123"]),
        (
            "premium",
            &[
                "08091234567",
                "+6219001234567",
                "+19005550123",
                "+449012345678",
            ],
        ),
        ("shared cost", &["+448431234567", "+4918012345678"]),
        ("a personal number", &["+447012345678"]),
        (
            "voice over the internet",
            &["+81501234 5678", "+443001234567", "+445612345678"],
        ),
        ("a pager", &["+447640123456"]),
        (
            "a satellite",
            &[
                "+870301234567",
                "+881612345678",
                "+88213123456",
                "086812345678",
                "+6286812345678",
            ],
        ),
        (
            "of no country",
            &[
                "+878101234567890",
                "+883510012345",
                "+888123456789",
                "+979123456789",
                "+80012345678",
            ],
        ),
        (
            "not allocated",
            &[
                "+6281",
                "+62800",
                "+210123456789",
                "+12005550123",
                "+11115550123",
                "+4479",
            ],
        ),
    ];

    #[test]
    fn what_cannot_get_a_message_or_costs_more_than_one_is_refused() {
        for (reason, texts) in REFUSED {
            for text in *texts {
                assert_eq!(parsed(text), None, "{reason}: {text:?}");
            }
        }
    }

    #[test]
    fn absurd_lengths_are_refused_before_anything_looks_at_them() {
        for part in ["0", "6281234567890", " ", "-", "+", "٣", "a"] {
            let absurd = part.repeat(60_000 / part.len());
            assert_eq!(parsed(&absurd), None, "{part:?}");
        }
    }

    #[test]
    fn a_number_read_again_is_itself() {
        for (number, _) in SAME {
            assert_eq!(parsed(number).as_deref(), Some(*number));
        }
    }

    #[test]
    fn debug_shows_no_number() {
        let phone = Phone::parse("081234567890").unwrap();
        assert!(!format!("{phone:?}").contains("812"));
    }
}
