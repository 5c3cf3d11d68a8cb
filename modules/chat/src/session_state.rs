//! The state machine of a session: which event, caused by whom, leads from where to where.
//!
//! Pure: no time, no database. Every transition in the project is a row of [`step`], and the statements
//! in `store` change a status only along one. Nothing ever leaves `ended`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionStatus {
    /// Taken, not paid yet: the clock stands.
    PendingPayment,
    /// Both sides can write, the clock runs.
    Active,
    /// Looking for another mitra: the clock stands.
    Rerouting,
    /// Over, for good.
    Ended,
}

impl SessionStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [
        Self::PendingPayment,
        Self::Active,
        Self::Rerouting,
        Self::Ended,
    ];

    /// The name on the wire and in Postgres.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PendingPayment => "pending_payment",
            Self::Active => "active",
            Self::Rerouting => "rerouting",
            Self::Ended => "ended",
        }
    }

    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The customer ended it.
    CustomerEnded,
    /// The mitra ended it.
    MitraEnded,
    /// Its time was over.
    Expired,
    /// It was not paid in time.
    PaymentExpired,
    /// No other mitra took it.
    RerouteFailed,
    /// The control center ended it.
    AdminEnded,
}

impl EndReason {
    pub(crate) const ALL: [Self; 6] = [
        Self::CustomerEnded,
        Self::MitraEnded,
        Self::Expired,
        Self::PaymentExpired,
        Self::RerouteFailed,
        Self::AdminEnded,
    ];

    /// The name on the wire and in Postgres.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CustomerEnded => "customer_ended",
            Self::MitraEnded => "mitra_ended",
            Self::Expired => "expired",
            Self::PaymentExpired => "payment_expired",
            Self::RerouteFailed => "reroute_failed",
            Self::AdminEnded => "admin_ended",
        }
    }

    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// Who causes an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The session's customer.
    Customer,
    /// The session's mitra.
    Mitra,
    /// Somebody in the control center.
    Admin,
    /// A timer or a webhook.
    System,
}

impl Actor {
    /// Every actor.
    pub const ALL: [Self; 4] = [Self::Customer, Self::Mitra, Self::Admin, Self::System];

    /// The name in Postgres.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Mitra => "mitra",
            Self::Admin => "admin",
            Self::System => "system",
        }
    }
}

/// What can happen to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionEvent {
    /// Its payment arrived.
    Paid,
    /// Its payment did not arrive in time.
    PaymentExpired,
    /// Somebody ends it.
    End,
    /// Its time is over.
    Expire,
    /// It looks for another mitra.
    Reroute,
    /// Another mitra takes it.
    Taken,
    /// Nobody took it.
    RerouteFailed,
    /// More time was bought for it.
    Extend,
}

impl SessionEvent {
    /// Every event.
    pub const ALL: [Self; 8] = [
        Self::Paid,
        Self::PaymentExpired,
        Self::End,
        Self::Expire,
        Self::Reroute,
        Self::Taken,
        Self::RerouteFailed,
        Self::Extend,
    ];

    /// The name in Postgres.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Paid => "session_paid",
            Self::PaymentExpired => "session_payment_expired",
            Self::End => "session_ended",
            Self::Expire => "session_expired",
            Self::Reroute => "session_rerouted",
            Self::Taken => "session_taken",
            Self::RerouteFailed => "session_reroute_failed",
            Self::Extend => "session_extended",
        }
    }

    fn may_be_caused_by(self, actor: Actor) -> bool {
        match self {
            Self::Paid | Self::PaymentExpired | Self::Expire | Self::RerouteFailed => {
                actor == Actor::System
            }
            Self::End => actor != Actor::System,
            Self::Reroute => actor != Actor::Customer,
            Self::Taken => actor == Actor::Mitra,
            // By the customer where nothing is to be paid, by the payment otherwise.
            Self::Extend => matches!(actor, Actor::Customer | Actor::System),
        }
    }
}

/// Where an event leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// To a status in which the session goes on; an extension leads to where it is.
    To(SessionStatus),
    /// To the end, for this reason.
    End(EndReason),
    /// Nowhere: what the event asks for has happened already.
    Stay,
}

/// Why an event leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not this actor's to cause.
    #[error("the actor may not cause this event")]
    Actor,
    /// Not in this status.
    #[error("the event cannot happen in this status")]
    Status,
}

/// The state machine.
///
/// # Errors
/// Why nothing changes.
pub fn step(status: SessionStatus, event: SessionEvent, actor: Actor) -> Result<Step, Refused> {
    use SessionStatus as S;
    if !event.may_be_caused_by(actor) {
        return Err(Refused::Actor);
    }
    match (status, event) {
        (S::PendingPayment, SessionEvent::Paid) => Ok(Step::To(S::Active)),
        (S::PendingPayment, SessionEvent::PaymentExpired) => {
            Ok(Step::End(EndReason::PaymentExpired))
        }
        (S::Active, SessionEvent::Expire) => Ok(Step::End(EndReason::Expired)),
        (S::Active, SessionEvent::Reroute) => Ok(Step::To(S::Rerouting)),
        (S::Rerouting, SessionEvent::Reroute) => Ok(Step::Stay),
        (S::Active | S::Rerouting, SessionEvent::Extend) => Ok(Step::To(status)),
        (S::Rerouting, SessionEvent::Taken) => Ok(Step::To(S::Active)),
        (S::Rerouting, SessionEvent::RerouteFailed) => Ok(Step::End(EndReason::RerouteFailed)),
        (S::Ended, SessionEvent::End) => Ok(Step::Stay),
        // The mitra that gave a session away has no more say in it.
        (S::Rerouting, SessionEvent::End) if actor == Actor::Mitra => Err(Refused::Actor),
        (_, SessionEvent::End) => ended_by(actor).map(Step::End),
        _ => Err(Refused::Status),
    }
}

fn ended_by(actor: Actor) -> Result<EndReason, Refused> {
    match actor {
        Actor::Customer => Ok(EndReason::CustomerEnded),
        Actor::Mitra => Ok(EndReason::MitraEnded),
        Actor::Admin => Ok(EndReason::AdminEnded),
        Actor::System => Err(Refused::Actor),
    }
}

#[cfg(test)]
mod tests {
    use super::SessionEvent as E;
    use super::SessionStatus as S;
    use super::*;

    /// Every transition there is; whatever is not in the table is refused.
    const TABLE: &[(S, E, Actor, Step)] = &[
        (
            S::PendingPayment,
            E::Paid,
            Actor::System,
            Step::To(S::Active),
        ),
        (
            S::PendingPayment,
            E::PaymentExpired,
            Actor::System,
            Step::End(EndReason::PaymentExpired),
        ),
        (
            S::PendingPayment,
            E::End,
            Actor::Customer,
            Step::End(EndReason::CustomerEnded),
        ),
        (
            S::PendingPayment,
            E::End,
            Actor::Mitra,
            Step::End(EndReason::MitraEnded),
        ),
        (
            S::PendingPayment,
            E::End,
            Actor::Admin,
            Step::End(EndReason::AdminEnded),
        ),
        (
            S::Active,
            E::Expire,
            Actor::System,
            Step::End(EndReason::Expired),
        ),
        (S::Active, E::Reroute, Actor::Mitra, Step::To(S::Rerouting)),
        (S::Active, E::Reroute, Actor::Admin, Step::To(S::Rerouting)),
        (S::Active, E::Reroute, Actor::System, Step::To(S::Rerouting)),
        (
            S::Active,
            E::End,
            Actor::Customer,
            Step::End(EndReason::CustomerEnded),
        ),
        (
            S::Active,
            E::End,
            Actor::Mitra,
            Step::End(EndReason::MitraEnded),
        ),
        (
            S::Active,
            E::End,
            Actor::Admin,
            Step::End(EndReason::AdminEnded),
        ),
        (S::Rerouting, E::Taken, Actor::Mitra, Step::To(S::Active)),
        (
            S::Rerouting,
            E::RerouteFailed,
            Actor::System,
            Step::End(EndReason::RerouteFailed),
        ),
        (
            S::Rerouting,
            E::End,
            Actor::Customer,
            Step::End(EndReason::CustomerEnded),
        ),
        (
            S::Rerouting,
            E::End,
            Actor::Admin,
            Step::End(EndReason::AdminEnded),
        ),
        (S::Rerouting, E::Reroute, Actor::Mitra, Step::Stay),
        (S::Rerouting, E::Reroute, Actor::Admin, Step::Stay),
        (S::Rerouting, E::Reroute, Actor::System, Step::Stay),
        (S::Active, E::Extend, Actor::Customer, Step::To(S::Active)),
        (S::Active, E::Extend, Actor::System, Step::To(S::Active)),
        (
            S::Rerouting,
            E::Extend,
            Actor::Customer,
            Step::To(S::Rerouting),
        ),
        (
            S::Rerouting,
            E::Extend,
            Actor::System,
            Step::To(S::Rerouting),
        ),
        (S::Ended, E::End, Actor::Customer, Step::Stay),
        (S::Ended, E::End, Actor::Mitra, Step::Stay),
        (S::Ended, E::End, Actor::Admin, Step::Stay),
    ];

    #[test]
    fn every_combination_is_in_the_table_or_refused() {
        for status in S::ALL {
            for event in E::ALL {
                for actor in Actor::ALL {
                    let row = TABLE
                        .iter()
                        .find(|row| (row.0, row.1, row.2) == (status, event, actor));
                    let expected = row.map(|row| row.3);
                    let got = step(status, event, actor).ok();
                    assert_eq!(got, expected, "{status:?} {event:?} by {actor:?}");
                }
            }
        }
    }

    #[test]
    fn names_are_read_back() {
        for status in S::ALL {
            assert_eq!(S::parse(status.as_str()), Some(status));
        }
        for reason in EndReason::ALL {
            assert_eq!(EndReason::parse(reason.as_str()), Some(reason));
        }
    }

    proptest::proptest! {
        /// Whatever happens in whatever order: a session ends at most once, and stays ended.
        #[test]
        fn the_end_is_final(history in proptest::collection::vec((0..E::ALL.len(), 0..Actor::ALL.len()), 0..60)) {
            let mut status = S::PendingPayment;
            let mut ends = 0;
            for (event, actor) in history {
                match step(status, E::ALL[event], Actor::ALL[actor]) {
                    Ok(Step::To(next)) => {
                        proptest::prop_assert_ne!(status, S::Ended);
                        proptest::prop_assert_ne!(next, S::Ended);
                        status = next;
                    }
                    Ok(Step::End(_)) => {
                        ends += 1;
                        status = S::Ended;
                    }
                    Ok(Step::Stay) | Err(_) => {}
                }
            }
            proptest::prop_assert!(ends <= 1);
        }
    }
}
