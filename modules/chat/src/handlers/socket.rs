//! `GET /api/ws`

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::http::ws::{SocketOptions, upgrade};
use halobestie_core::http::{Reply, Request};
use http::header;

use crate::live::connection;
use crate::state::State;

/// The largest frame that a client may send.
const FRAME_BYTES_MAX: usize = 64 * 1024;
/// A reader that takes longer than this for one write is too slow: 4429.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// The WebSocket
///
/// Subprotocol `halobestie.v1`, JSON text frames, for customers and mitras. Signs in by
/// `Authorization: Bearer`, or by a first frame `{"type":"auth","access_token"}` within 5 s; a token that
/// is not valid closes the socket with 4401 either way. One socket carries all of a user's sessions and
/// offers. `hello` comes first, a mitra's open offers after it. Messages of sessions that went on before
/// are held back for half a second for the client's `resume`, so that what was missed comes before what
/// is new.
///
/// `session.updated` says in `reason` what has happened: `pending_payment`, `started`, `extended`,
/// `rerouting`, `taken` (a mitra whose session another one has taken hears it too, for the last time), or
/// why it ended.
///
/// A frame that is not JSON text, larger than 64 KiB or of an unknown type closes the socket with 4400;
/// wrong fields of a known type are answered by `error`.
#[utoipa::path(
    get, path = "/api/ws", tag = "chat", security((), ("bearer" = [])),
    responses(
        (status = 101, description = "Speaks halobestie.v1 from here on"),
        (status = 426, description = "`upgrade_required`: not a WebSocket handshake"),
    ),
)]
pub(crate) async fn open(state: Arc<State>, req: Request) -> Reply {
    let token = req
        .header(header::AUTHORIZATION.as_str())
        .and_then(bearer)
        .map(str::to_owned);
    let options = SocketOptions {
        message_bytes_max: FRAME_BYTES_MAX,
        write_timeout: WRITE_TIMEOUT,
    };
    let lifecycle = state.lifecycle.clone();
    upgrade(req, &lifecycle, options, move |socket| {
        connection::run(state, socket, token)
    })
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
