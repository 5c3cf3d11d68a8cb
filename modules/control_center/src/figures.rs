//! The dashboard's figures: counted at most once a second in a process, however many look.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::clock::Clock;
use halobestie_core::pg::DbError;
use halobestie_core::ports::{Availability, Late, PaymentsOversight, SessionsOversight};
use halobestie_core::{Context, Timestamp};
use serde::Serialize;
use tokio::sync::Mutex;
use utoipa::ToSchema;

/// How old figures may be.
const FRESH: Duration = Duration::from_secs(1);
/// From UTC to the time of Jakarta, whose day is the service's. It has no summer time.
const JAKARTA_AHEAD_MS: i64 = 7 * 3600 * 1000;
const DAY_MS: i64 = 24 * 3600 * 1000;

/// What was paid today.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct PaidToday {
    /// How many payments.
    pub(crate) count: i64,
    /// Whole rupiah.
    pub(crate) amount: i64,
}

/// What goes on at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = control_center::Dashboard)]
pub(crate) struct DashboardFigures {
    /// Mitras that are online, by their own switch.
    pub(crate) online_mitras: i64,
    /// Mitras that are reachable and below their capacity.
    pub(crate) available_mitras: i64,
    /// Sessions whose clock runs.
    pub(crate) active_sessions: i64,
    /// Sessions that wait for their payment.
    pub(crate) pending_payment_sessions: i64,
    /// Requests that look for a mitra.
    pub(crate) searching_requests: i64,
    /// Messages of the last minute.
    pub(crate) messages_last_minute: i64,
    /// What was paid since midnight in Jakarta.
    pub(crate) paid_today: PaidToday,
}

/// Counts them.
pub(crate) struct Figures {
    clock: Clock,
    availability: Late<dyn Availability>,
    sessions: Late<dyn SessionsOversight>,
    payments: Late<dyn PaymentsOversight>,
    last: Mutex<Option<(Timestamp, Arc<DashboardFigures>)>>,
}

impl Figures {
    /// Of this server.
    pub(crate) fn new(cx: &Context) -> Self {
        Self {
            clock: cx.clock.clone(),
            availability: cx.ports.availability.clone(),
            sessions: cx.ports.sessions_oversight.clone(),
            payments: cx.ports.payments_oversight.clone(),
            last: Mutex::new(None),
        }
    }

    /// The figures of now, or of a moment ago.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub(crate) async fn current(&self) -> Result<Arc<DashboardFigures>, DbError> {
        // Held while counting: others wait for this count instead of making their own.
        let mut last = self.last.lock().await;
        let now = self.clock.now();
        if let Some((at, figures)) = &*last
            && now.since(*at) < FRESH
            && *at <= now
        {
            return Ok(figures.clone());
        }
        let figures = Arc::new(self.count(now).await?);
        *last = Some((now, figures.clone()));
        Ok(figures)
    }

    /// Counts. What belongs to a module that is off is nothing.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub(crate) async fn count(&self, now: Timestamp) -> Result<DashboardFigures, DbError> {
        let mitras = async {
            match self.availability.get() {
                Some(port) => port.counts().await,
                None => Ok(halobestie_core::ports::MitraCounts::default()),
            }
        };
        let chat = async {
            match self.sessions.get() {
                Some(port) => port.counts().await,
                None => Ok(halobestie_core::ports::ChatCounts::default()),
            }
        };
        let paid = async {
            match self.payments.get() {
                Some(port) => port.paid(midnight(now), now + FRESH).await,
                None => Ok(halobestie_core::ports::Paid::default()),
            }
        };
        let (mitras, chat, paid) = tokio::try_join!(mitras, chat, paid)?;
        let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        Ok(DashboardFigures {
            online_mitras: count(mitras.online),
            available_mitras: count(mitras.available),
            active_sessions: chat.active_sessions,
            pending_payment_sessions: chat.pending_payment_sessions,
            searching_requests: chat.searching_requests,
            messages_last_minute: chat.messages_last_minute,
            paid_today: PaidToday {
                count: paid.count,
                amount: paid.amount,
            },
        })
    }
}

/// When the day of now began in Jakarta.
pub(crate) fn midnight(now: Timestamp) -> Timestamp {
    let there = now.unix_ms() + JAKARTA_AHEAD_MS;
    Timestamp::from_unix_ms(there.div_euclid(DAY_MS) * DAY_MS - JAKARTA_AHEAD_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_jakarta() {
        let at = |text| Timestamp::parse(text).unwrap();
        assert_eq!(
            midnight(at("2026-01-15T08:00:00Z")),
            at("2026-01-14T17:00:00Z")
        );
        assert_eq!(
            midnight(at("2026-01-15T16:59:59Z")),
            at("2026-01-14T17:00:00Z")
        );
        assert_eq!(
            midnight(at("2026-01-15T17:00:00Z")),
            at("2026-01-15T17:00:00Z")
        );
    }
}
