//! The letter with the link: text and HTML, Indonesian and English.
//!
//! Its words are ASCII, so that it travels as it is written: no encoding breaks the link in two for
//! readers that do not decode. It names nobody, since whoever asked for it may have typed any address.

use std::time::{Duration, UNIX_EPOCH};

use halobestie_core::Timestamp;
use halobestie_core::http::html::escape;
use halobestie_core::language::Language;
use lettre::Message;
use lettre::message::header::ContentTransferEncoding;
use lettre::message::{Body, Mailbox, MultiPart, SinglePart, header};
use uuid::Uuid;

use crate::address::Email;
use crate::handlers::open;
use crate::smtp::{Smtp, domain_of};
use crate::token::Token;

/// RFC 5322 §2.1.1.
const LINE_BYTES_MAX: usize = 998;

/// The words of one language; `{product}` stands for the server's name.
struct Words {
    subject: &'static str,
    hello: &'static str,
    open: &'static str,
    button: &'static str,
    life: &'static str,
    not_you: &'static str,
}

const INDONESIAN: Words = Words {
    subject: "Tautan masuk {product}",
    hello: "Halo,",
    open: "Buka tautan ini untuk masuk ke {product}:",
    button: "Masuk ke {product}",
    life: "Tautan ini berlaku 15 menit dan hanya bisa dipakai satu kali.",
    not_you: "Bukan kamu yang meminta? Abaikan saja email ini, dan jangan teruskan tautannya kepada \
              siapa pun.",
};

const ENGLISH: Words = Words {
    subject: "Your {product} sign-in link",
    hello: "Hello,",
    open: "Open this link to sign in to {product}:",
    button: "Sign in to {product}",
    life: "The link works for 15 minutes, and once.",
    not_you: "Was it not you who asked? Then ignore this email, and pass the link on to nobody.",
};

const fn words_in(language: Language) -> &'static Words {
    match language {
        Language::Indonesian => &INDONESIAN,
        Language::English => &ENGLISH,
    }
}

/// What a letter is made of.
pub(crate) struct Contents<'a> {
    pub(crate) id: Uuid,
    pub(crate) to: &'a Email,
    pub(crate) token: &'a Token,
    pub(crate) language: Language,
    pub(crate) now: Timestamp,
}

impl Smtp {
    /// Writes the letter.
    ///
    /// # Errors
    /// When its parts make no letter, which is a bug of ours.
    pub(crate) fn letter(&self, contents: &Contents<'_>) -> Result<Message, lettre::error::Error> {
        let token = contents.token.encode();
        let link = format!("{}{}?token={token}", self.public_base_url, open::PATH);
        let (language, words) = (contents.language, words_in(contents.language));
        let domain = domain_of(&self.public_base_url).unwrap_or("localhost");
        let unix_ms = u64::try_from(contents.now.unix_ms()).unwrap_or(0);
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, contents.to.address().clone()))
            .subject(named(words.subject, self.product))
            .date(UNIX_EPOCH + Duration::from_millis(unix_ms))
            .message_id(Some(format!("<{}@{domain}>", contents.id)))
            .multipart(
                MultiPart::alternative()
                    .singlepart(part(
                        header::ContentType::TEXT_PLAIN,
                        named(&text(words, &link), self.product),
                    ))
                    .singlepart(part(
                        header::ContentType::TEXT_HTML,
                        named(&html(language, &link), &escape(self.product)),
                    )),
            )
    }
}

fn named(words: &str, product: &str) -> String {
    words.replace("{product}", product)
}

/// A part, as it is unless a base URL beyond ASCII makes it need an encoding. (lettre by itself encodes
/// whatever has lines of more than 76 letters, which our link is.)
fn part(content_type: header::ContentType, text: String) -> SinglePart {
    let fits = text.is_ascii() && text.lines().all(|line| line.len() <= LINE_BYTES_MAX);
    let body = match fits {
        true => Body::dangerous_pre_encoded(
            text.replace('\n', "\r\n").into_bytes(),
            ContentTransferEncoding::SevenBit,
        ),
        false => Body::new(text),
    };
    SinglePart::builder().header(content_type).body(body)
}

fn text(words: &Words, link: &str) -> String {
    let Words {
        hello,
        open,
        life,
        not_you,
        ..
    } = words;
    format!("{hello}\n\n{open}\n\n{link}\n\n{life}\n\n{not_you}\n")
}

fn html(language: Language, link: &str) -> String {
    let Words {
        subject,
        hello,
        open,
        button,
        life,
        not_you,
    } = words_in(language);
    let (tag, link) = (language.tag(), escape(link));
    format!(
        "<!doctype html>\n<html lang=\"{tag}\">\n<head><meta charset=\"utf-8\">\n\
         <title>{subject}</title></head>\n\
         <body style=\"font-family:sans-serif;line-height:1.5;color:#222\">\n\
         <p>{hello}</p>\n<p>{open}</p>\n\
         <p><a href=\"{link}\" style=\"display:inline-block;padding:12px 24px;border-radius:8px;\
         background:#8a2450;color:#fff;text-decoration:none\">{button}</a></p>\n\
         <p style=\"word-break:break-all;font-size:small\"><a href=\"{link}\">{link}</a></p>\n\
         <p>{life}</p>\n<p>{not_you}</p>\n</body>\n</html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_ascii_and_no_markup() {
        for words in [&INDONESIAN, &ENGLISH] {
            let all = text(words, "https://halobestie.test");
            assert!(all.is_ascii() && words.subject.is_ascii() && words.button.is_ascii());
            assert!(!all.contains(['<', '&', '\r']));
        }
    }
}
