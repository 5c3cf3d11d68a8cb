//! Names and bytes on the wire: channels with the key prefix, and payloads behind the sender's id, by
//! which a process knows its own events when they come back.

use bytes::Bytes;
use redis::Msg;

use crate::entropy::Entropy;
use crate::valkey::Valkey;

const ORIGIN_BYTES: usize = 16;

/// What makes events of topics into messages of channels, and back.
pub(super) struct Wire {
    origin: [u8; ORIGIN_BYTES],
    topics: String,
    losses: String,
}

/// A message from another process.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Incoming<'a> {
    /// An event of a topic.
    Event(&'a str, Bytes),
    /// The sender could not send everything.
    Loss,
}

impl Wire {
    /// The wire of one bus, with an id of its own.
    pub(super) fn new(valkey: &Valkey) -> Self {
        Self {
            origin: Entropy::system().bytes(),
            topics: valkey.key("bus:"),
            losses: valkey.key("bus-losses"),
        }
    }

    /// The channel of a topic.
    pub(super) fn channel(&self, topic: &str) -> String {
        format!("{}{topic}", self.topics)
    }

    /// The channel on which a process says that it could not send everything.
    pub(super) fn losses(&self) -> &str {
        &self.losses
    }

    /// A payload with our id before it.
    pub(super) fn seal(&self, payload: &[u8]) -> Vec<u8> {
        [&self.origin[..], payload].concat()
    }

    /// Reads a message; nothing if it is our own, or not a message of a bus.
    pub(super) fn open<'a>(&self, message: &'a Msg) -> Option<Incoming<'a>> {
        self.read(message.get_channel_name(), message.get_payload_bytes())
    }

    fn read<'a>(&self, channel: &'a str, body: &[u8]) -> Option<Incoming<'a>> {
        let (origin, payload) = body.split_at_checked(ORIGIN_BYTES)?;
        if origin == self.origin {
            return None;
        }
        if channel == self.losses {
            return Some(Incoming::Loss);
        }
        let topic = channel.strip_prefix(self.topics.as_str())?;
        Some(Incoming::Event(topic, Bytes::copy_from_slice(payload)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(id: u8) -> Wire {
        let (topics, losses) = ("p:bus:".to_owned(), "p:bus-losses".to_owned());
        Wire {
            origin: [id; ORIGIN_BYTES],
            topics,
            losses,
        }
    }

    #[test]
    fn what_one_seals_another_reads_and_it_does_not() {
        let body = wire(1).seal(b"hello");
        let event = Incoming::Event("user:7", Bytes::from_static(b"hello"));
        assert_eq!(wire(2).read(&wire(1).channel("user:7"), &body), Some(event));
        assert_eq!(wire(1).read(&wire(1).channel("user:7"), &body), None);
        assert_eq!(
            wire(2).read(wire(1).losses(), &wire(1).seal(b"")),
            Some(Incoming::Loss)
        );
    }

    #[test]
    fn what_no_bus_has_sent_is_ignored() {
        assert_eq!(wire(2).read("p:bus:user:7", b"short"), None);
        assert_eq!(wire(2).read("elsewhere", &wire(1).seal(b"hello")), None);
    }
}
