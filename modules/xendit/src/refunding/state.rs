//! What a refund is, what of a payment can go back, and what a refund's end makes of the payment.
//!
//! Pure. The invariant: what went back, is on its way and is asked for is never more than what came.

use halobestie_core::ports::PaymentStatus;

use crate::gateway::GatewayError;
use crate::payment_state::PaymentEvent;
use crate::store::refunds::RefundRow;

/// Why money goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefundReason {
    /// What was paid for can no longer be delivered.
    TooLate,
    /// It was paid already.
    SecondPayment,
    /// An admin wants it.
    Requested,
}

impl RefundReason {
    const ALL: [Self; 3] = [Self::TooLate, Self::SecondPayment, Self::Requested];

    /// The name in Postgres and on the wire.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::TooLate => "too_late",
            Self::SecondPayment => "second_payment",
            Self::Requested => "requested",
        }
    }

    /// Reads a name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }

    /// Xendit's word for it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::TooLate => "CANCELLATION",
            Self::SecondPayment => "DUPLICATE",
            Self::Requested => "REQUESTED_BY_CUSTOMER",
        }
    }
}

/// Where a refund is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefundState {
    /// Xendit has yet to be asked, as far as we know.
    Wanted,
    /// Xendit has it.
    Pending,
    /// The money went back.
    Succeeded,
    /// It did not, and will not by this refund.
    Failed,
}

impl RefundState {
    const ALL: [Self; 4] = [Self::Wanted, Self::Pending, Self::Succeeded, Self::Failed];

    /// The name in Postgres and on the wire.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Wanted => "wanted",
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }

    /// Reads a name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }

    /// Whether its end is still to come.
    pub(crate) const fn is_open(self) -> bool {
        matches!(self, Self::Wanted | Self::Pending)
    }
}

/// A payment's money, in whole rupiah.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// All that came.
    pub(crate) received: i64,
    /// What went back.
    pub(crate) returned: i64,
    /// What is on its way back.
    pub(crate) open: i64,
}

impl Standing {
    /// By the payment's refunds.
    pub(crate) fn of(received: i64, refunds: &[RefundRow]) -> Self {
        let sum = |is_counted: fn(RefundState) -> bool| {
            let counted = refunds.iter().filter(|it| is_counted(it.status));
            counted.map(|it| it.amount).sum()
        };
        Self {
            received,
            returned: sum(|it| it == RefundState::Succeeded),
            open: sum(RefundState::is_open),
        }
    }

    /// What can still be asked back.
    pub(crate) const fn refundable(self) -> i64 {
        self.received - self.returned - self.open
    }

    /// What the end of a refund is to its payment; `held`: what is left of money that is for nothing
    /// we sold. Nothing while another one is on its way.
    pub(crate) const fn after_success(self, held: i64) -> Option<PaymentEvent> {
        if self.returned >= self.received {
            return Some(PaymentEvent::RefundedInFull);
        }
        if self.open > 0 {
            return None;
        }
        Some(match held > 0 {
            true => PaymentEvent::Doubted,
            false => PaymentEvent::RefundedInPart,
        })
    }
}

/// Whether a payment of this status may have money of which some can go back.
pub(crate) const fn may_go_back(status: PaymentStatus) -> bool {
    matches!(
        status,
        PaymentStatus::Paid | PaymentStatus::RefundPending | PaymentStatus::NeedsReview
    )
}

/// What a refusal to refund means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It may be taken another time.
    Later,
    /// Another refund of the same payment has to end first.
    Queue,
    /// It will never be taken.
    Never,
}

/// Reads a failed call: nothing where it is unclear what has happened.
pub(crate) fn refusal(error: &GatewayError) -> Option<Refusal> {
    let GatewayError::Refused { status, code, .. } = error else {
        return None;
    };
    Some(match (status, code.as_str()) {
        (_, "REFUND_IN_PROGRESS") => Refusal::Queue,
        // Our balance there may be filled up, a key put right, a payment settled.
        (401, _)
        | (_, "INSUFFICIENT_BALANCE" | "TEMPORARILY_UNAVAILABLE" | "CHANNEL_UNAVAILABLE")
        | (_, "INELIGIBLE_TRANSACTION_STATUS" | "UNAUTHORIZED_SENDER_IP") => Refusal::Later,
        _ => Refusal::Never,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, code: &str) -> Option<Refusal> {
        refusal(&GatewayError::Refused {
            status,
            code: code.to_owned(),
            said: String::new(),
        })
    }

    #[test]
    fn a_refusal_that_may_pass_is_told_from_one_that_stays() {
        for code in ["INSUFFICIENT_BALANCE", "TEMPORARILY_UNAVAILABLE"] {
            assert_eq!(refused(400, code), Some(Refusal::Later), "{code}");
        }
        assert_eq!(refused(400, "REFUND_IN_PROGRESS"), Some(Refusal::Queue));
        for code in [
            "REFUND_NOT_SUPPORTED",
            "REFUND_AMOUNT_EXCEEDED",
            "SOMETHING_NEW",
            "",
        ] {
            assert_eq!(refused(403, code), Some(Refusal::Never), "{code}");
        }
        let lost = GatewayError::Unclear {
            said: String::new(),
            cause: None,
        };
        assert_eq!(refusal(&lost), None);
    }

    #[test]
    fn the_end_of_a_refund_makes_of_its_payment_what_its_money_says() {
        let standing = |returned, open| Standing {
            received: 100,
            returned,
            open,
        };
        assert_eq!(standing(40, 60).refundable(), 0);
        assert_eq!(
            standing(100, 0).after_success(0),
            Some(PaymentEvent::RefundedInFull)
        );
        assert_eq!(standing(40, 60).after_success(60), None);
        assert_eq!(
            standing(40, 0).after_success(60),
            Some(PaymentEvent::Doubted)
        );
        assert_eq!(
            standing(40, 0).after_success(0),
            Some(PaymentEvent::RefundedInPart)
        );
    }
}
