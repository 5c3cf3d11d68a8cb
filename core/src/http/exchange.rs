//! What is known of a request beside the request itself: its id, the route it matched, who called.
//!
//! The outermost layer makes it and every other one finds it in the request's extensions, so that the
//! log line and the metrics can name the route and the caller even of a request that panicked or ran
//! into its deadline, where no response of the handler is left to ask.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use http::{Extensions, HeaderValue};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::http::traffic::RouteStats;

/// The name that a request has in logs, answers and upstream calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    const CHARS_MAX: usize = 128;

    /// Takes a caller's id when it is sane: it will stand in logs and in answers.
    pub fn of_caller(value: &HeaderValue) -> Option<Self> {
        let bytes = value.as_bytes();
        let is_sane = (1..=Self::CHARS_MAX).contains(&bytes.len())
            && bytes
                .iter()
                .all(|it| it.is_ascii_alphanumeric() || b"._-".contains(it));
        is_sane.then(|| Self(value.clone()))
    }

    /// The id as a header, to be answered and sent on.
    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

/// For what no request has caused: the id of whatever else did.
impl From<Uuid> for RequestId {
    fn from(id: Uuid) -> Self {
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        let text: &str = id.hyphenated().encode_lower(&mut text);
        // A UUID's characters are all fit for a header, so the fallback is never taken.
        Self(HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("unknown")))
    }
}

/// As text: jobs take it along to the calls that they make.
impl Serialize for RequestId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for RequestId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let id = HeaderValue::from_str(&text).ok();
        let id = id.as_ref().and_then(Self::of_caller);
        id.ok_or_else(|| de::Error::custom("not a request's id"))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// Makes request ids: UUIDv7 from a counter with a random start. They must be unique, not secret, and
/// a system call for each would be felt on the hot path.
#[derive(Debug)]
pub struct RequestIds {
    clock: Clock,
    salt: [u8; 4],
    count: AtomicU64,
}

impl RequestIds {
    /// A maker with a random start.
    pub fn new(clock: Clock, entropy: &Entropy) -> Self {
        let count = AtomicU64::new(u64::from_le_bytes(entropy.bytes()));
        Self {
            clock,
            salt: entropy.bytes(),
            count,
        }
    }

    /// A new id.
    pub fn make(&self) -> RequestId {
        let mut tail = [0; 10];
        tail[..4].copy_from_slice(&self.salt);
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        tail[4..].copy_from_slice(&count.to_be_bytes()[2..]);
        let ms = u64::try_from(self.clock.now().unix_ms()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(ms, &tail)
            .into_uuid()
            .into()
    }
}

/// One request and its answer.
#[derive(Debug)]
pub struct Exchange {
    id: RequestId,
    route: OnceLock<Arc<RouteStats>>,
    caller: OnceLock<Uuid>,
}

impl Exchange {
    /// A request of this name, of which nothing else is known yet.
    pub fn new(id: RequestId) -> Arc<Self> {
        Arc::new(Self {
            id,
            route: OnceLock::new(),
            caller: OnceLock::new(),
        })
    }

    /// The exchange that a request belongs to, once the outermost layer has seen it.
    pub fn of(extensions: &Extensions) -> Option<&Arc<Self>> {
        extensions.get()
    }

    /// The request's name.
    pub fn id(&self) -> &RequestId {
        &self.id
    }

    /// The route, once the router has found it.
    pub fn route(&self) -> Option<&RouteStats> {
        self.route.get().map(Arc::as_ref)
    }

    /// The person who calls, once the guard has let them in.
    pub fn caller(&self) -> Option<Uuid> {
        self.caller.get().copied()
    }

    /// Says which route answers; the router's work.
    pub(crate) fn set_route(&self, route: &Arc<RouteStats>) {
        // A request is routed once; a second route would be a bug that only blurs a label.
        let _ = self.route.set(route.clone());
    }

    /// Says who calls; the guard's work.
    pub fn set_caller(&self, caller: Uuid) {
        let _ = self.caller.set(caller);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_caller(text: &'static str) -> Option<RequestId> {
        RequestId::of_caller(&HeaderValue::from_static(text))
    }

    #[test]
    fn takes_sane_ids_of_callers_only() {
        assert_eq!(of_caller("req-1.A_9").unwrap().as_str(), "req-1.A_9");
        for insane in ["", "two words", "a/b", "\"quoted\"", "a;b"] {
            assert_eq!(of_caller(insane), None, "{insane:?}");
        }
        let long = HeaderValue::from_str(&"x".repeat(129)).unwrap();
        assert_eq!(RequestId::of_caller(&long), None);
        let longest = HeaderValue::from_str(&"x".repeat(128)).unwrap();
        assert!(RequestId::of_caller(&longest).is_some());
    }

    #[test]
    fn survives_json_and_only_as_it_was_taken() {
        let id = of_caller("req-1.A_9").unwrap();
        let text = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<RequestId>(&text).unwrap(), id);
        for insane in ["\"two words\"", "\"\"", "\"a\\nb\"", "7"] {
            assert!(
                serde_json::from_str::<RequestId>(insane).is_err(),
                "{insane}"
            );
        }
        let made: RequestId = Uuid::nil().into();
        assert_eq!(made.as_str(), Uuid::nil().to_string());
    }

    #[test]
    fn makes_distinct_uuids() {
        let ids = RequestIds::new(Clock::system(), &Entropy::system());
        let (first, second) = (ids.make(), ids.make());
        assert_ne!(first, second);
        assert_eq!(
            Uuid::parse_str(first.as_str()).unwrap().get_version_num(),
            7
        );
    }
}
