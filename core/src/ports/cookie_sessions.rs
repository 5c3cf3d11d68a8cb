//! Browsers that are signed in by a cookie.

use async_trait::async_trait;
use http::header::HeaderValue;
use http::request::Parts;

use super::Principal;
use crate::problem::Problem;

/// What a request's cookie says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CookieSays {
    /// There is none of ours.
    Nothing,
    /// Who calls.
    Signed(Principal),
    /// Who called when it was made; whether they still may must be asked.
    Due(Principal),
    /// It is none that is good any more.
    Refused,
    /// There are two, of different sessions: a neighbour on our domain may have set one.
    Contested,
}

/// Says whom a browser's cookie speaks for.
///
/// The cookie is one more way to carry a sign-in session: whatever ends the session ends it too.
#[async_trait]
pub trait CookieSessions: Send + Sync {
    /// Whether this server gives such cookies. Where it does not, it takes none either.
    fn are_on(&self) -> bool;

    /// Reads a request's cookie. No I/O: it is on every request's path.
    fn read(&self, head: &Parts) -> CookieSays;

    /// Whether pages of this origin may send what changes something.
    fn trusts(&self, origin: &str) -> bool;

    /// Asks whether a session goes on and makes it last: the caller, and the new cookie. `None` when it
    /// is over.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn renew(
        &self,
        principal: &Principal,
    ) -> Result<Option<(Principal, HeaderValue)>, Problem>;

    /// Whether the session is known to be over, so that the browser can forget its cookie.
    fn is_over(&self, principal: &Principal) -> bool;

    /// What makes a browser forget its cookie.
    fn forgotten(&self) -> HeaderValue;
}
