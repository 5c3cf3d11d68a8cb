//! Where a password comes from: a prompt that shows nothing, a line of standard input, or chance.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use anyhow::{Context as _, anyhow, bail};
use halobestie_core::entropy::Entropy;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::{ExposeSecret, SecretString};

/// Letters and digits that nobody takes for one another; 32 of them, so five bits each.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// A hundred bits, in groups that can be read out.
const GROUPS: usize = 4;
const GROUP: usize = 5;
/// More than any password has; a file that was given by mistake is not read to its end.
const LINE_BYTES_MAX: u64 = 1024;

/// A password.
pub(super) struct Chosen {
    /// It.
    pub(super) password: SecretString,
    /// Whether nobody has seen it yet.
    pub(super) is_generated: bool,
}

/// Asks, reads or makes one.
///
/// # Errors
/// When there is none, or two that differ.
pub(super) async fn choose(generate: bool, entropy: &Entropy) -> anyhow::Result<Chosen> {
    let password = match generate {
        true => made(entropy),
        // On a thread of its own: a prompt blocks for as long as somebody thinks.
        false => tokio::task::spawn_blocking(given).await??,
    };
    Ok(Chosen {
        password,
        is_generated: generate,
    })
}

fn made(entropy: &Entropy) -> SecretString {
    let bytes: [u8; GROUPS * GROUP] = entropy.bytes();
    let letters: Vec<char> = bytes
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]))
        .collect();
    let groups: Vec<String> = letters
        .chunks(GROUP)
        .map(|it| it.iter().collect())
        .collect();
    groups.join("-").into()
}

fn given() -> anyhow::Result<SecretString> {
    if !io::stdin().is_terminal() {
        return piped(io::stdin().lock());
    }
    let password = asked("password: ")?;
    if asked("once more: ")?.expose_secret() != password.expose_secret() {
        bail!("the two are not the same");
    }
    Ok(password)
}

/// The first line of standard input.
fn piped(input: impl BufRead) -> anyhow::Result<SecretString> {
    let mut line = String::new();
    input
        .take(LINE_BYTES_MAX)
        .read_line(&mut line)
        .context("cannot read the password from standard input")?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        bail!("standard input holds no password: give one there, or --generate");
    }
    Ok(password.into())
}

/// What is typed, without showing it.
fn asked(question: &str) -> anyhow::Result<SecretString> {
    let _quiet = Quiet::new().context("cannot switch off the terminal's echo")?;
    let mut terminal = io::stderr();
    write!(terminal, "{question}")?;
    terminal.flush()?;
    let typed = typed(io::stdin().lock());
    writeln!(terminal)?;
    typed
}

/// Reads keys up to Enter. Ctrl-C is a key here, because a signal would end us with the echo off.
fn typed(input: impl Read) -> anyhow::Result<SecretString> {
    let mut line = Vec::new();
    for byte in input.bytes() {
        match byte? {
            b'\r' | b'\n' => {
                let text = String::from_utf8(line).context("the password is not UTF-8")?;
                return Ok(text.into());
            }
            // Ctrl-C and Ctrl-D.
            3 | 4 => bail!("interrupted"),
            // Backspace: one letter, of however many bytes.
            8 | 127 => while line.pop().is_some_and(|byte| byte & 0xC0 == 0x80) {},
            // Ctrl-U: all of it.
            21 => line.clear(),
            byte => line.push(byte),
        }
    }
    Err(anyhow!("the terminal was closed"))
}

/// A terminal that shows no keys until this is dropped.
struct Quiet(Termios);

impl Quiet {
    fn new() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut quiet = before.clone();
        quiet
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(io::stdin(), OptionalActions::Flush, &quiet)?;
        Ok(Self(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // A terminal that went away needs no echo.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(password: anyhow::Result<SecretString>) -> Option<String> {
        password.ok().map(|it| it.expose_secret().to_owned())
    }

    #[test]
    fn a_made_password_has_a_hundred_bits_and_no_twins() {
        let password = made(&Entropy::system());
        let password = password.expose_secret();
        assert_eq!(password.len(), 23);
        assert!(password.split('-').all(|group| group.len() == 5));
        assert!(!password.contains(['0', 'o', '1', 'l']));
        assert_ne!(made(&Entropy::system()).expose_secret(), password);
    }

    #[test]
    fn the_first_line_of_standard_input_is_the_password() {
        assert_eq!(
            text(piped(&b"a fine one \r\nmore"[..])).as_deref(),
            Some("a fine one ")
        );
        assert_eq!(
            text(piped(&b"a fine one"[..])).as_deref(),
            Some("a fine one")
        );
        assert_eq!(text(piped(&b"\n"[..])), None);
        assert_eq!(text(piped(&b""[..])), None);
    }

    #[test]
    fn keys_are_edited_as_people_expect() {
        assert_eq!(text(typed(&b"abc\r"[..])).as_deref(), Some("abc"));
        assert_eq!(
            text(typed("ab\u{e9}\u{7f}c\n".as_bytes())).as_deref(),
            Some("abc")
        );
        assert_eq!(
            text(typed(&b"\x7f\x7fx\x15abc\n"[..])).as_deref(),
            Some("abc")
        );
        assert_eq!(text(typed(&b"abc\x03"[..])), None);
        assert_eq!(text(typed(&b"abc"[..])), None);
    }
}
