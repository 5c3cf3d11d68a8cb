//! The access token that all sends share; how one is got is `grant`'s.
//!
//! It is refreshed a minute before its end by one task at a time, while the others go on with the old
//! one. A refresh that failed is not repeated by everybody who comes right after it.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use halobestie_core::Timestamp;
use halobestie_core::clock::Clock;
use secrecy::ExposeSecret;
use tokio::sync::Mutex;
use tracing::{debug, warn};

use crate::grant::{Given, Grants, NotGiven};
use crate::meters::Meters;

/// After a refresh that failed, the next one.
const PAUSE: Duration = Duration::from_secs(2);

/// A token as it is used. Comparing two tells whether one is still the newest.
#[derive(Clone)]
pub(crate) struct Access(Arc<Given>);

impl Access {
    /// For `Authorization: Bearer`.
    pub(crate) fn token(&self) -> &str {
        self.0.token.expose_secret()
    }
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAccess {
    /// None was to be got.
    #[error(transparent)]
    NotGiven(#[from] NotGiven),
    /// Somebody has just failed.
    #[error("no access token: a refresh has just failed")]
    JustFailed,
}

/// Keeps the token.
pub(crate) struct Tokens {
    grants: Grants,
    clock: Clock,
    meters: Arc<Meters>,
    newest: RwLock<Option<Access>>,
    /// Held by who refreshes; when a refresh may be tried again.
    refreshing: Mutex<Option<Timestamp>>,
}

impl Tokens {
    /// No token yet.
    pub(crate) fn new(grants: Grants, clock: Clock, meters: Arc<Meters>) -> Self {
        Self {
            grants,
            clock,
            meters,
            newest: RwLock::default(),
            refreshing: Mutex::default(),
        }
    }

    /// A token that is good now.
    ///
    /// # Errors
    /// When there is none and Google gives none.
    pub(crate) async fn get(&self) -> Result<Access, NoAccess> {
        let now = self.clock.now();
        let good = self.newest().filter(|it| now < it.0.ends_at);
        match good {
            Some(access) if now < access.0.refresh_at => Ok(access),
            Some(access) => match self.refreshing.try_lock() {
                Ok(mut retry_at) => {
                    let refreshed = self.refresh(&mut retry_at, Some(&access)).await;
                    Ok(refreshed.unwrap_or(access))
                }
                Err(_) => Ok(access),
            },
            None => {
                let mut retry_at = self.refreshing.lock().await;
                self.refresh(&mut retry_at, None).await
            }
        }
    }

    /// A token in place of one that FCM does not take.
    ///
    /// # Errors
    /// When Google gives none.
    pub(crate) async fn replace(&self, refused: &Access) -> Result<Access, NoAccess> {
        let mut retry_at = self.refreshing.lock().await;
        self.refresh(&mut retry_at, Some(refused)).await
    }

    /// Gets a new one, unless somebody else has in the meantime.
    async fn refresh(
        &self,
        retry_at: &mut Option<Timestamp>,
        old: Option<&Access>,
    ) -> Result<Access, NoAccess> {
        let now = self.clock.now();
        if let Some(newest) = self.newest()
            && now < newest.0.ends_at
            && old.is_none_or(|old| !Arc::ptr_eq(&old.0, &newest.0))
        {
            return Ok(newest);
        }
        if retry_at.is_some_and(|at| now < at) {
            return Err(NoAccess::JustFailed);
        }
        let given = self.grants.exchange().await;
        self.meters.count_refresh(given.is_ok());
        match given {
            Ok(given) => {
                debug!("a new access token of Google");
                *retry_at = None;
                let access = Access(Arc::new(given));
                *self.newest.write().unwrap_or_else(PoisonError::into_inner) = Some(access.clone());
                Ok(access)
            }
            Err(error) => {
                *retry_at = Some(self.clock.now() + PAUSE);
                let error_ref = &error as &dyn std::error::Error;
                warn!(error = error_ref, "cannot get an access token of Google");
                Err(error.into())
            }
        }
    }

    /// Gets a token though there may be one, and keeps it not.
    ///
    /// # Errors
    /// When Google gives none.
    pub(crate) async fn try_exchange(&self) -> Result<(), NotGiven> {
        self.grants.exchange().await.map(drop)
    }

    fn newest(&self) -> Option<Access> {
        let newest = self.newest.read().unwrap_or_else(PoisonError::into_inner);
        newest.clone()
    }
}
