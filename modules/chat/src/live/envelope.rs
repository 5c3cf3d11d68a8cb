//! An event on its way to one person's sockets: a small binary head, then the JSON as it goes out.
//!
//! The head holds what a socket needs for deciding whether it has the event already, so that the JSON
//! is written once, by whoever caused the event, and never read again on the server.

use bytes::{BufMut, Bytes, BytesMut};
use serde::Serialize;
use uuid::Uuid;

const HEAD_BYTES: usize = 1 + 16 + 8;

/// What an event is about, as far as positions go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A message: a session and its `seq`.
    Message,
    /// A session that goes on has changed: the session and its `version`.
    Session,
    /// A session is over: the session and its `version`.
    SessionOver,
    /// An offer is open: the request.
    Offer,
    /// An offer is gone: the request.
    OfferGone,
    /// A request is open: the request, and to how many it was offered.
    Request,
    /// A request is over: the request.
    RequestOver,
    /// Anything that nobody misses: typing, read marks, warnings.
    Passing,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Message,
        Self::Session,
        Self::SessionOver,
        Self::Offer,
        Self::OfferGone,
        Self::Request,
        Self::RequestOver,
        Self::Passing,
    ];

    fn byte(self) -> u8 {
        // Numbers on the wire between releases: append only.
        match self {
            Self::Message => 1,
            Self::Session => 2,
            Self::SessionOver => 3,
            Self::Offer => 4,
            Self::OfferGone => 5,
            Self::Request => 6,
            Self::RequestOver => 7,
            Self::Passing => 8,
        }
    }
}

/// What a socket decides by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// What it is about.
    pub(crate) kind: Kind,
    /// The session or request.
    pub(crate) id: Uuid,
    /// The `seq` or `version`; 0 where there is none.
    pub(crate) number: i64,
}

/// An event with its head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    /// What a socket decides by.
    pub(crate) head: Head,
    /// The JSON text.
    pub(crate) json: Bytes,
}

impl Envelope {
    /// Puts an event into an envelope. `None` when it cannot be written as JSON, a bug of ours that
    /// costs an event, which catch-up would then not find either; so it is logged.
    pub(crate) fn seal(head: Head, event: &impl Serialize) -> Option<Self> {
        match serde_json::to_vec(event) {
            Ok(json) => Some(Self {
                head,
                json: json.into(),
            }),
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "cannot write an event"
                );
                None
            }
        }
    }

    /// The bytes for the bus.
    pub(crate) fn to_bytes(&self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(HEAD_BYTES + self.json.len());
        bytes.put_u8(self.head.kind.byte());
        bytes.put_slice(self.head.id.as_bytes());
        bytes.put_i64(self.head.number);
        bytes.put_slice(&self.json);
        bytes.freeze()
    }

    /// Reads the bytes of the bus, without copying the JSON. `None` for what another release may have
    /// sent: catch-up finds what matters of it.
    pub(crate) fn from_bytes(bytes: &Bytes) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let kind = Kind::ALL.into_iter().find(|known| known.byte() == *kind)?;
        let id = Uuid::from_slice(rest.get(..16)?).ok()?;
        let number = i64::from_be_bytes(rest.get(16..24)?.try_into().ok()?);
        Some(Self {
            head: Head { kind, id, number },
            json: bytes.slice(HEAD_BYTES..),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_is_read_back() {
        for kind in Kind::ALL {
            let head = Head {
                kind,
                id: Uuid::from_u128(7),
                number: -3,
            };
            let envelope = Envelope::seal(head, &"{}").unwrap();
            assert_eq!(Envelope::from_bytes(&envelope.to_bytes()), Some(envelope));
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_on_the_bus_breaks_a_socket(bytes in proptest::collection::vec(0u8.., 0..64)) {
            let _ = Envelope::from_bytes(&bytes.into());
        }
    }
}
