//! Why we close a socket: what `docs/errors.md` lists.

/// A reason to close a socket.
#[derive(Debug, PartialEq, Eq)]
pub struct CloseCode {
    /// The code on the wire (RFC 6455 §7.4).
    pub code: u16,
    /// The reason text on the wire.
    pub name: &'static str,
    /// What happened.
    pub meaning: &'static str,
    /// What a client should do.
    pub client: &'static str,
}

/// The other side said good-bye; answered in kind.
pub static NORMAL: CloseCode = CloseCode {
    code: 1000,
    name: "normal",
    meaning: "The client closed the socket.",
    client: "Nothing.",
};
/// The process is going away.
pub static DRAINING: CloseCode = CloseCode {
    code: 1012,
    name: "draining",
    meaning: "The server is going away for a deploy or a restart.",
    client: "Reconnect after the time that server.draining named, then resume.",
};
/// A frame that is not one of ours.
pub static BAD_FRAME: CloseCode = CloseCode {
    code: 4400,
    name: "bad_frame",
    meaning: "A frame was not JSON text, of an unknown type, or too large.",
    client: "Fix the client; do not reconnect in a loop.",
};
/// No token in time, a bad one, or an expired one.
pub static NOT_SIGNED_IN: CloseCode = CloseCode {
    code: 4401,
    name: "not_signed_in",
    meaning: "No access token came in time, or it was not valid, or it has expired.",
    client: "Refresh the token, then reconnect and resume.",
};
/// The session was revoked, or the account deactivated.
pub static REVOKED: CloseCode = CloseCode {
    code: 4403,
    name: "revoked",
    meaning: "The sign-in session was revoked or the account deactivated.",
    client: "Sign in again; do not reconnect with the old token.",
};
/// Too much sent, or too little read.
pub static FLOODING: CloseCode = CloseCode {
    code: 4429,
    name: "flooding",
    meaning: "The client sent too much for too long, or read too slowly.",
    client: "Slow down; reconnect with back-off, then resume.",
};

/// Every close code, for the catalogue.
pub static ALL: &[&CloseCode] = &[
    &NORMAL,
    &DRAINING,
    &BAD_FRAME,
    &NOT_SIGNED_IN,
    &REVOKED,
    &FLOODING,
];
