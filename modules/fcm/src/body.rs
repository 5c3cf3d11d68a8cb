//! Answers of Google: read up to a limit, and quoted in a few words.

use halobestie_core::outbound::reqwest;

/// An answer of Google is a few hundred bytes.
const BYTES_MAX: usize = 64 * 1024;
const CHARS_MAX: usize = 300;

/// The body; what is longer than an answer of Google is cut off, and will not be understood.
///
/// # Errors
/// When it does not come to its end.
pub(crate) async fn read(response: &mut reqwest::Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = BYTES_MAX - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            break;
        }
    }
    Ok(body)
}

/// A text for the log: short, on one line.
pub(crate) fn short(text: &str) -> String {
    let clean = text
        .chars()
        .map(|it| if it.is_control() { ' ' } else { it });
    clean.take(CHARS_MAX).collect()
}
