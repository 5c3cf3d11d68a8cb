//! `/events`: tells a page when to look again, as server-sent events.
//!
//! An event carries no data. The page's moving parts fetch themselves by requests of their own, which are
//! guarded as any other; so nothing is shown here that somebody may not see. Bounded three ways: how many
//! pages are told, for how long each, and for as long as its admin is signed in.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use halobestie_core::http::{Body, Reply, Request, Response};
use halobestie_core::problem::codes;
use halobestie_core::{Problem, Timestamp};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::act::Caller;
use crate::cookies;
use crate::state::State;

/// Pages that one process tells.
const PAGES_MAX: usize = 200;
/// Between two looks.
const TICK: Duration = Duration::from_secs(5);
/// Then a page connects again.
const LIFE: Duration = Duration::from_secs(15 * 60);

/// Places for pages that are told.
pub(crate) struct Audience(Arc<Semaphore>);

impl Default for Audience {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(PAGES_MAX)))
    }
}

/// A page that is told.
struct Listener {
    state: Arc<State>,
    token: String,
    until: Timestamp,
    next: Next,
    _place: OwnedSemaphorePermit,
}

/// What a page is told next.
enum Next {
    /// That it is connected, and how soon to connect again once it is not.
    Hello,
    /// To look again, once it is time.
    Tick,
    /// Nothing more.
    End,
}

/// The stream.
pub(crate) async fn events(state: Arc<State>, _: Caller, req: Request) -> Reply {
    let place = state.audience.0.clone().try_acquire_owned();
    let place = place.map_err(|_| Problem::new(&codes::OVERLOADED))?;
    let token = cookies::token(&req, &state.server.trusted_proxies);
    let listener = Listener {
        until: state.clock.now() + LIFE,
        token: token.unwrap_or_default(),
        next: Next::Hello,
        _place: place,
        state,
    };
    let pieces = stream::unfold(listener, |mut listener| async move {
        let text = listener.next().await?;
        let frame = Frame::data(Bytes::from_static(text.as_bytes()));
        Some((Ok::<_, Infallible>(frame), listener))
    });
    let mut response = Response::new(Body::stream(StreamBody::new(pieces)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

impl Listener {
    async fn next(&mut self) -> Option<&'static str> {
        match self.next {
            Next::Hello => {
                self.next = Next::Tick;
                Some("retry: 3000\nevent: hello\ndata:\n\n")
            }
            Next::Tick if self.waits().await && self.is_signed_in().await => {
                Some("event: tick\ndata:\n\n")
            }
            Next::Tick => {
                self.next = Next::End;
                Some("event: bye\ndata:\n\n")
            }
            Next::End => None,
        }
    }

    /// Waits for the next look; false when there is none, because the process stops or the page has been
    /// told for long enough.
    async fn waits(&self) -> bool {
        let (clock, lifecycle) = (&self.state.clock, &self.state.lifecycle);
        let slept = lifecycle.soft().run_until_cancelled(clock.sleep(TICK));
        slept.await.is_some() && clock.now() < self.until
    }

    async fn is_signed_in(&self) -> bool {
        // Told by itself as long as it is open, which is no use of the session.
        let admin = self.state.admin_sessions.living(&self.token).await;
        matches!(admin, Ok(Some(_)))
    }
}
