//! Versions of apps: numbers between dots, compared number by number.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// How many numbers a version may have; the stores' own limit is 3 or 4.
const NUMBERS_MAX: usize = 4;

/// A version such as `2.10.1`. What an app appends after `-` or `+` (a build, a pre-release) does not
/// count.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    text: String,
    numbers: [u32; NUMBERS_MAX],
}

/// It is not one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotAVersion;

impl FromStr for Version {
    type Err = NotAVersion;

    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let core = text.split(['-', '+']).next().unwrap_or_default();
        let mut numbers = [0; NUMBERS_MAX];
        for (index, part) in core.split('.').enumerate() {
            let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            let slot = numbers.get_mut(index).filter(|_| is_number);
            *slot.ok_or(NotAVersion)? = part.parse().map_err(|_| NotAVersion)?;
        }
        Ok(Self {
            text: text.to_owned(),
            numbers,
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().expect(text)
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        assert!(version("2.10.0") > version("2.9.9"));
        assert!(version("1.0") < version("1.0.0.1"));
        assert_eq!(version("1.2"), version("1.2.0"));
        assert_eq!(version("1.2.3+45"), version("1.2.3-beta.1"));
    }

    #[test]
    fn what_is_not_a_version_is_refused() {
        for text in [
            "",
            ".",
            "1.",
            "v1",
            "1..2",
            "1.2.3.4.5",
            "1.-2",
            "1.٢",
            "99999999999",
            " 1",
        ] {
            assert!(text.parse::<Version>().is_err(), "{text:?}");
        }
    }
}
