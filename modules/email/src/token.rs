//! The token in a link: 256 random bits, of which only a hash is kept.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use halobestie_core::entropy::Entropy;
use sha2::{Digest, Sha256};

/// A token's bytes. Never logged, never stored.
pub(crate) struct Token([u8; 32]);

impl Token {
    /// A new one.
    pub(crate) fn new(entropy: &Entropy) -> Self {
        Self(entropy.bytes())
    }

    /// Reads what came out of a link.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.trim()).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// For a link.
    pub(crate) fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// What is kept. Not keyed: nobody guesses 256 random bits.
    pub(crate) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_its_link() {
        let token = Token::new(&Entropy::seeded(1));
        let text = token.encode();
        assert_eq!(text.len(), 43);
        assert_eq!(Token::parse(&text).unwrap().hash(), token.hash());
        assert_ne!(Token::new(&Entropy::seeded(2)).hash(), token.hash());
    }

    #[test]
    fn what_is_no_token_is_not_read() {
        let text = Token::new(&Entropy::seeded(1)).encode();
        for wrong in [
            "",
            "x",
            &text[1..],
            &format!("{text}A"),
            &text.replace(&text[..1], "+"),
        ] {
            assert!(Token::parse(wrong).is_none(), "{wrong}");
        }
    }
}
