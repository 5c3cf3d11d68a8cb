//! `GET /api/ws`

use std::sync::Arc;

use halobestie_core::http::ws::{SocketOptions, upgrade};
use halobestie_core::http::{Reply, Request};
use http::header::SET_COOKIE;

use crate::live::connection;
use crate::live::visiting::visit;
use crate::state::State;

/// The largest frame that a client may send.
const FRAME_BYTES_MAX: usize = 64 * 1024;

/// The WebSocket
///
/// Subprotocol `halobestie.v1`, JSON text frames, for customers and mitras. Signs in by
/// `Authorization: Bearer`, or by a first frame `{"type":"auth","access_token"}` within 5 s; a token that
/// is not valid closes the socket with 4401 either way. Without that header the cookie of a browser
/// session signs in, from a page of this host or of `APP_ALLOWED_ORIGINS` alone; such a socket needs no
/// newer token and ends with its session. One socket carries all of a user's sessions and
/// offers. `hello` comes first, a mitra's open offers after it. Messages of sessions that went on before
/// are held back for the client's `resume`, for a second at most, so that what was missed comes before
/// what is new. A client whose `resume` may take longer drops what is beyond its next number until
/// `resumed` comes: `resume` brings it again.
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
        (status = 403, description = "`cross_site`: with a cookie, from a page of a strange origin"),
        (status = 426, description = "`upgrade_required`: not a WebSocket handshake"),
    ),
)]
pub(crate) async fn open(state: Arc<State>, req: Request) -> Reply {
    let (shown, cookie) = visit(&state, &req.head).await?;
    let options = SocketOptions {
        message_bytes_max: FRAME_BYTES_MAX,
        // A reader that takes longer for one write is too slow: 4429.
        write_timeout: state.socket_patience,
    };
    let lifecycle = state.lifecycle.clone();
    let mut response = upgrade(req, &lifecycle, options, move |socket| {
        connection::run(state, socket, shown)
    })?;
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}
