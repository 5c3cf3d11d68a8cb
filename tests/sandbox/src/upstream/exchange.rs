//! One call through the knobs: read, recorded, struck or answered.
//!
//! The work of an upstream is done before anything waits, so a caller that gives up too early has
//! caused it all the same: the case that clients get wrong.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::call::Call;
use super::service::Front;
use super::{Answer, Upstream};
use crate::knobs::Fault;

/// The largest body that is read: many times what any of them has a use for.
const BODY_BYTES_MAX: usize = 64 * 1024;

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// How a call ends.
enum End {
    Answer(Answer),
    /// The connection breaks instead.
    Cut,
}

/// Answers one call. Where the answer is to be lost, `wire` breaks the connection and this never ends.
pub(super) async fn exchange<U: Upstream>(
    front: Arc<Front<U>>,
    request: Request<Incoming>,
    wire: CancellationToken,
) -> Result<Response<Body>, Infallible> {
    let Some(call) = read(request).await else {
        let answer = Answer::new(StatusCode::PAYLOAD_TOO_LARGE, "text/plain", "too large");
        return Ok(response(answer, Duration::ZERO));
    };
    let operation = front.upstream.operation(&call);
    let number = front.record(&call, operation);
    let fate = front.knobs.draw(operation);
    let extra = match fate.fault {
        Some(Fault::Slow { ms }) => Duration::from_millis(ms),
        _ => Duration::ZERO,
    };
    let end = decide(&front.upstream, operation, &call, fate.fault).await;
    sleep(fate.delay + extra).await;
    match end {
        End::Answer(answer) => {
            front.answered(number, answer.status);
            Ok(response(answer, fate.slow_body))
        }
        End::Cut => {
            wire.cancel();
            pending().await
        }
    }
}

async fn decide<U: Upstream>(
    upstream: &U,
    operation: &'static str,
    call: &Call,
    fault: Option<Fault>,
) -> End {
    match fault {
        None | Some(Fault::Slow { .. }) => End::Answer(upstream.answer(operation, call).await),
        Some(Fault::Lost) => {
            upstream.answer(operation, call).await;
            End::Cut
        }
        Some(Fault::Cut) => End::Cut,
        Some(Fault::Error {
            code,
            retry_after_seconds,
        }) => {
            let wait = retry_after_seconds.and_then(|it| Duration::try_from_secs_f64(it).ok());
            End::Answer(upstream.failure(&code, wait))
        }
        Some(Fault::Raw {
            status,
            content_type,
            body,
        }) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            End::Answer(Answer::new(status, &content_type, body))
        }
    }
}

/// The whole call; none when its body is too large or breaks off.
async fn read(request: Request<Incoming>) -> Option<Call> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await.ok()?;
    Some(Call {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        version: head.version,
        body: body.to_bytes(),
    })
}

fn response(answer: Answer, slow_body: Duration) -> Response<Body> {
    let body = if slow_body.is_zero() {
        Full::new(answer.body).boxed_unsync()
    } else {
        trickle(answer.body, slow_body)
    };
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}

/// Half of the body at once, the other half after a while.
fn trickle(body: Bytes, over: Duration) -> Body {
    let mut first = body;
    let second = first.split_off(first.len() / 2);
    let halves = [(first, Duration::ZERO), (second, over)];
    let frames = stream::unfold(halves.into_iter(), |mut rest| async move {
        let (half, wait) = rest.next()?;
        sleep(wait).await;
        Some((Ok::<_, Infallible>(Frame::data(half)), rest))
    });
    StreamBody::new(frames).boxed_unsync()
}
