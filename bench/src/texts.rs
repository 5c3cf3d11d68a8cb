//! What messages say. Each bears a number between tildes, so that whoever receives it on whatever
//! protocol finds out which it was without reading JSON.

/// A sentence of an ordinary length.
const SENTENCE: &str = "Halo kak, saya sudah di sini. Mau cerita apa hari ini?";

/// The body of a message, for HTTP.
pub(crate) fn message(run: u64, number: u64) -> String {
    let body = body(number);
    format!(r#"{{"client_message_id":"{run:x}-{number:x}","kind":"text","body":"{body}"}}"#)
}

/// A frame that sends a message.
pub(crate) fn frame(session_id: uuid::Uuid, run: u64, number: u64) -> String {
    let body = body(number);
    format!(
        r#"{{"type":"message.send","id":{number},"session_id":"{session_id}","client_message_id":"{run:x}-{number:x}","kind":"text","body":"{body}"}}"#
    )
}

/// What is said.
pub(crate) fn body(number: u64) -> String {
    format!("~{number}~ {SENTENCE}")
}

/// The number of the message that a frame is about.
pub(crate) fn number_in(frame: &str) -> Option<u64> {
    let (_, after) = frame.split_once('~')?;
    let (number, _) = after.split_once('~')?;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_again() {
        let id = uuid::Uuid::from_u128(1);
        assert_eq!(number_in(&frame(id, 5, 77)), Some(77));
        assert_eq!(number_in(&message(5, 1)), Some(1));
        assert_eq!(number_in(r#"{"type":"hello"}"#), None);
        assert_eq!(number_in("~ und ~"), None);
    }

    #[test]
    fn what_is_sent_is_json() {
        let id = uuid::Uuid::from_u128(1);
        for text in [message(u64::MAX, u64::MAX), frame(id, 0, 0)] {
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(value["kind"], "text");
        }
    }
}
