//! Email addresses: what people type, in the form that is kept and compared, or refused.

use std::fmt;
use std::str::FromStr;

use lettre::Address;

/// RFC 5321 §4.5.3.1.3, without the angle brackets.
const BYTES_MAX: usize = 254;

/// An address that mail can be sent to, in lower case. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Email(Address);

impl Email {
    /// Reads an address. Only ASCII is taken: few servers carry anything else, and letters that look
    /// alike would make two accounts of one person. An address on a bare IP is nobody's.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() > BYTES_MAX || !text.is_ascii() {
            return None;
        }
        let address = Address::from_str(&text.to_ascii_lowercase()).ok()?;
        let domain = address.domain();
        let is_name = domain.contains('.') && !domain.starts_with('[') && !domain.ends_with('.');
        // What needs quotes is legal and in use by nobody but those who try something.
        let is_plain = !address.user().contains(['"', '\\', ' ']);
        (is_name && is_plain).then_some(Self(address))
    }

    /// The address as text.
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_ref()
    }

    /// The address for an envelope.
    pub(crate) fn address(&self) -> &Address {
        &self.0
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Email([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_in_lower_case() {
        let email = Email::parse("  Sari.Dewi+chat@Example.CO.ID ").unwrap();
        assert_eq!(email.as_str(), "sari.dewi+chat@example.co.id");
        assert!(!format!("{email:?}").contains("sari"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let too_long = format!("{}@example.com", "x".repeat(250));
        let wrong = [
            "",
            "sari",
            "@example.com",
            "sari@",
            "sari@localhost",
            "sari@example.",
            "sari@[127.0.0.1]",
            "sari@exa mple.com",
            "sari@example.com, budi@example.com",
            "<sari@example.com>",
            "Sari <sari@example.com>",
            "sari@example.com\r\nBcc: everybody@example.com",
            "\"sari\"@example.com",
            "\"sari \"@example.com",
            "sarı@example.com",
            "sari@exämple.com",
            "sari\0@example.com",
            &too_long,
        ];
        for text in wrong {
            assert_eq!(Email::parse(text), None, "{text:?}");
        }
    }
}
