//! One request for a code: granted by Postgres, carried, settled.
//!
//! The grant is committed before the carrier is called. So a crash, a lost answer or a caller who
//! hangs up leaves it counted: what may have been sent was paid for. Only what surely was not sent is
//! given back. The invariant: no number of requests, replicas or failures sends more messages than
//! the limits let through.

use std::sync::Arc;

use halobestie_core::Timestamp;
use halobestie_core::http::exchange::RequestId;
use halobestie_core::pg::{DbError, Query};
use halobestie_core::ports::{CodeCarrier, CodeMessage, NotCarried, Role};
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Semaphore, SemaphorePermit};
use tracing::{error, info, warn};
use uuid::Uuid;

use crate::carrier::Way;
use crate::error::AuthError;
use crate::keys::Purpose;
use crate::limits::{HOUR, Limited, Limits, Recent};
use crate::meters::Outcome;
use crate::otp;
use crate::phone::Phone;
use crate::refusals::Asker;
use crate::state::State;
use crate::store::{otp_days, otps, otps::NewOtp};

/// Requests of this process that may hold a connection to Postgres at once: requests of one phone or
/// network line up there, and a flood of them must not take the pool from everybody else.
const INSIDE_MAX: usize = 4;
/// And that may wait for it.
const WAITING_MAX: usize = 64;

/// A request for a code.
pub(crate) struct Wanted<'a> {
    pub(crate) phone: &'a Phone,
    pub(crate) role: Role,
    /// Where it comes from.
    pub(crate) network: IpNet,
    pub(crate) request_id: Option<&'a RequestId>,
}

/// A code that is on its way.
pub(crate) struct Issued {
    pub(crate) otp_id: Uuid,
    pub(crate) expires_at: Timestamp,
}

/// The door to the part that needs Postgres.
pub(crate) struct Door {
    inside: Semaphore,
    places: Semaphore,
}

impl Default for Door {
    fn default() -> Self {
        Self {
            inside: Semaphore::new(INSIDE_MAX),
            places: Semaphore::new(INSIDE_MAX + WAITING_MAX),
        }
    }
}

impl Door {
    async fn enter(&self) -> Result<[SemaphorePermit<'_>; 2], AuthError> {
        let place = self.places.try_acquire().map_err(|_| AuthError::OtpBusy)?;
        // Fails only where the semaphore is closed, which ours never is.
        let inside = self
            .inside
            .acquire()
            .await
            .map_err(|_| AuthError::OtpBusy)?;
        Ok([place, inside])
    }
}

impl State {
    /// Makes a code and has it brought to its phone.
    ///
    /// # Errors
    /// When a limit is met, or the code cannot be brought.
    pub(crate) async fn issue_code(&self, wanted: Wanted<'_>) -> Result<Issued, AuthError> {
        let now = self.clock.now();
        let way = self.ways.to(wanted.phone);
        let code = match &way {
            Way::Fixed(code) => Some((*code).clone()),
            Way::Carried(_) => Some(otp::new_code(&self.entropy)),
            Way::Nowhere => None,
        };
        let otp = self.new_otp(&wanted, &way, code.as_ref(), now);
        self.grant(&otp, now).await?;
        info!(otp.id = %otp.id, role = otp.role.as_str(), channel = otp.channel, "one-time code made");
        match (&way, &code) {
            (Way::Carried(carrier), Some(code)) => {
                let message = CodeMessage {
                    phone: otp.phone,
                    code,
                    request_id: wanted.request_id,
                };
                self.carry(carrier, message, &otp).await?;
            }
            _ => self.meters.count(Outcome::Bypass),
        }
        Ok(Issued {
            otp_id: otp.id,
            expires_at: otp.expires_at,
        })
    }

    fn new_otp<'a>(
        &self,
        wanted: &Wanted<'a>,
        way: &Way<'_>,
        code: Option<&SecretString>,
        now: Timestamp,
    ) -> NewOtp<'a> {
        let id = self.entropy.uuid(&self.clock);
        let contact = |text: &str| self.keys.hash(Purpose::Contact, &[text.as_bytes()]);
        NewOtp {
            id,
            phone: wanted.phone.as_str(),
            phone_hash: contact(wanted.phone.as_str()),
            network_hash: contact(&wanted.network.to_string()),
            role: wanted.role,
            channel: way.channel(),
            code_hash: match code {
                Some(code) => otp::code_hash(&self.keys, id, code.expose_secret()),
                // No code has this hash, and nothing that the client sees tells.
                None => self.entropy.bytes(),
            },
            created_at: now,
            expires_at: now + otp::LIFE,
        }
    }

    /// Counts the code, or says which limit is met.
    async fn grant(&self, otp: &NewOtp<'_>, now: Timestamp) -> Result<(), AuthError> {
        let _permits = self.otp_door.enter().await?;
        if let Some(limited) = self.refusals.known(otp.asker(), now).await {
            return Err(self.limited(limited, now));
        }
        let Some(limited) = count(self, otp, now).await? else {
            return Ok(());
        };
        self.refusals.remember(limited, otp.asker(), now).await;
        Err(self.limited(limited, now))
    }

    fn limited(&self, limited: Limited, now: Timestamp) -> AuthError {
        self.meters.count_limited(limited.by);
        AuthError::OtpRateLimited {
            by: limited.by,
            wait: limited.until.since(now),
        }
    }

    async fn carry(
        &self,
        carrier: &Arc<dyn CodeCarrier>,
        message: CodeMessage<'_>,
        otp: &NewOtp<'_>,
    ) -> Result<(), AuthError> {
        let Err(failure) = carrier.carry(message).await else {
            self.meters.count(Outcome::Sent);
            return Ok(());
        };
        let outcome = match &failure {
            NotCarried::Refused(_) => Outcome::Refused,
            NotCarried::Unavailable { .. } => Outcome::Unavailable,
            NotCarried::Unknown(_) => Outcome::Unknown,
        };
        self.meters.count(outcome);
        if let Err(error) = give_back(self, otp, outcome).await {
            let error = &error as &dyn std::error::Error;
            warn!(error, otp.id = %otp.id, "a code that was not sent stays counted");
        }
        Err(AuthError::of_carrier(failure, self.otp_limits.resend))
    }
}

/// Counts a code in Postgres; the limit that is met where it may not be had.
async fn count(
    state: &State,
    otp: &NewOtp<'_>,
    now: Timestamp,
) -> Result<Option<Limited>, DbError> {
    let limits = &state.otp_limits;
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    // Always in this order, so that nobody waits in a circle.
    otps::lock_phone(&tx, &otp.phone_hash).await?;
    otps::lock_network(&tx, &otp.network_hash).await?;
    let since = now - HOUR;
    let of_phone = otps::of_phone(&tx, &otp.phone_hash, since, limits.phone_hourly).await?;
    let of_network = otps::of_network(&tx, &otp.network_hash, since, limits.network_hourly).await?;
    let recent = Recent {
        of_phone: &of_phone,
        of_network: &of_network,
    };
    if let Some(limited) = limits.met(recent, now) {
        return Ok(Some(limited));
    }
    // Last, because everybody meets at this row.
    if !otp_days::spend(&tx, now, limits.daily_budget).await? {
        say_once(&tx, limits.daily_budget, now).await?;
        tx.commit().await?;
        return Ok(Some(Limits::spent(now)));
    }
    otps::insert(&tx, otp).await?;
    tx.commit().await?;
    Ok(None)
}

/// Says once a day, on one replica, that the budget is spent.
async fn say_once(tx: &impl Query, budget: i32, now: Timestamp) -> Result<(), DbError> {
    if otp_days::mark_exhausted(tx, now).await? {
        error!(
            otp.budget = budget,
            "the day's budget of one-time codes is spent: nobody gets one before midnight UTC; raise \
             OTP_DAILY_BUDGET if this is no flood"
        );
    }
    Ok(())
}

/// Gives back what was counted for a message that surely was not sent.
async fn give_back(state: &State, otp: &NewOtp<'_>, outcome: Outcome) -> Result<(), DbError> {
    if !matches!(outcome, Outcome::Refused | Outcome::Unavailable) {
        return Ok(());
    }
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    if matches!(outcome, Outcome::Refused) {
        otps::refuse(&tx, otp.id, state.clock.now()).await?;
    } else {
        // The carrier was asked for nothing, so it costs the network nothing either.
        otps::delete(&tx, otp.id).await?;
    }
    otp_days::give_back(&tx, otp.created_at).await?;
    tx.commit().await?;
    state.refusals.forget(otp.asker()).await;
    Ok(())
}

impl NewOtp<'_> {
    fn asker(&self) -> Asker<'_> {
        Asker {
            phone_hash: &self.phone_hash,
            network_hash: &self.network_hash,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn a_flood_is_turned_away_at_the_door_and_the_pool_is_left_to_others() {
        let door = Door::default();
        let mut inside: Vec<_> = (0..INSIDE_MAX).map(|_| enter(&door).unwrap()).collect();
        let mut waiting: Vec<_> = (0..WAITING_MAX).map(|_| Box::pin(door.enter())).collect();
        let lines_up = waiting.iter_mut().all(|it| it.now_or_never().is_none());
        assert!(lines_up, "four are inside");
        assert!(matches!(enter(&door), Some(Err(AuthError::OtpBusy))));
        inside.pop();
        assert!(waiting.remove(0).now_or_never().is_some());
    }

    fn enter(door: &Door) -> Option<Result<[SemaphorePermit<'_>; 2], AuthError>> {
        door.enter().now_or_never()
    }
}
