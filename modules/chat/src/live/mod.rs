//! Live delivery: sockets, what they have been told, and how they learn what they missed.
//!
//! An event travels as an [`envelope`] on the bus, by the topic of each person it is for. Every socket
//! keeps its [`positions`]: how far it has been told of each session, offer and request. What comes
//! twice is dropped, a gap is filled from Postgres at once, and [`catch_up`] compares all positions of
//! the process with Postgres, so that even a lost last event is found. Postgres is the truth; the bus
//! only makes it quick.

pub(crate) mod catch_up;
pub(crate) mod configuration;
pub(crate) mod connection;
pub(crate) mod envelope;
pub(crate) mod events;
pub(crate) mod frames;
pub(crate) mod healing;
pub(crate) mod hub;
pub(crate) mod inbound;
pub(crate) mod outbound;
pub(crate) mod positions;
pub(crate) mod proof;
pub(crate) mod resume;
pub(crate) mod revocations;
pub(crate) mod sign_in;
pub(crate) mod visiting;
pub(crate) mod welcomes;
