//! The state machine of a payment: which event leads from where to where.
//!
//! Pure: no time, no database. Every change of a payment's status in the project is a row of [`step`].
//! The invariants: nothing that was paid ever counts as unpaid again, and events have the same end in
//! whatever order they come.

use halobestie_core::ports::PaymentStatus;

/// What can happen to a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum PaymentEvent {
    /// Its invoice exists.
    InvoiceMade,
    /// Its invoice will never exist.
    InvoiceRefused,
    /// Money came, and what was paid for is delivered.
    Paid,
    /// Its invoice can no longer be paid.
    Expired,
    /// What it is for is no longer wanted.
    Withdrawn,
    /// Money came that is not simply its price, or cannot go where it should: for somebody to look at.
    Doubted,
    /// Money is to go back.
    RefundAsked,
    /// All that came has gone back.
    RefundedInFull,
    /// Some of what came has gone back, and nothing else is on its way.
    RefundedInPart,
    /// Money could not go back.
    RefundFailed,
}

#[cfg(test)]
impl PaymentEvent {
    /// Every event.
    pub(crate) const ALL: [Self; 10] = [
        Self::InvoiceMade,
        Self::InvoiceRefused,
        Self::Paid,
        Self::Expired,
        Self::Withdrawn,
        Self::Doubted,
        Self::RefundAsked,
        Self::RefundedInFull,
        Self::RefundedInPart,
        Self::RefundFailed,
    ];
}

/// Where an event leads; where it is already when nothing changes. None: it cannot happen here.
pub(crate) const fn step(status: PaymentStatus, event: PaymentEvent) -> Option<PaymentStatus> {
    use PaymentEvent as E;
    use PaymentStatus as S;
    let next = match (status, event) {
        (S::Creating, E::InvoiceMade) => S::Pending,
        (S::Creating, E::InvoiceRefused) => S::Failed,
        (S::Creating | S::Pending, E::Expired | E::Withdrawn) => S::Expired,
        // Money may come for what was given up, and before we know of the invoice.
        (S::Creating | S::Pending | S::Expired | S::Failed, E::Paid) => S::Paid,
        (_, E::Doubted) => S::NeedsReview,
        (_, E::RefundAsked) => S::RefundPending,
        (S::RefundPending | S::NeedsReview, E::RefundedInFull) => S::Refunded,
        (S::RefundPending, E::RefundedInPart) => S::Paid,
        (S::RefundPending, E::RefundFailed) => S::NeedsReview,
        // What has happened already, or no longer matters.
        (S::Pending | S::Expired | S::Failed, E::InvoiceMade) => status,
        (S::Expired | S::Failed, E::InvoiceRefused | E::Expired | E::Withdrawn) => status,
        (
            S::Paid | S::RefundPending | S::Refunded | S::NeedsReview,
            E::InvoiceMade | E::Paid | E::Expired | E::Withdrawn,
        ) => status,
        (S::Refunded, E::RefundedInFull) => status,
        (S::NeedsReview, E::RefundedInPart | E::RefundFailed) => status,
        _ => return None,
    };
    Some(next)
}

#[cfg(test)]
mod tests {
    use PaymentEvent as E;
    use PaymentStatus as S;

    use super::*;

    /// Every transition there is, by status in the order of [`PaymentEvent::ALL`]; `None` is refused.
    const TABLE: [(S, [Option<S>; 10]); 8] = {
        const PENDING: Option<S> = Some(S::Pending);
        const PAID: Option<S> = Some(S::Paid);
        const EXPIRED: Option<S> = Some(S::Expired);
        const FAILED: Option<S> = Some(S::Failed);
        const BACK: Option<S> = Some(S::RefundPending);
        const DONE: Option<S> = Some(S::Refunded);
        const LOOK: Option<S> = Some(S::NeedsReview);
        const NO: Option<S> = None;
        #[rustfmt::skip]
        let table = [
            //                 made     refused  paid  expired  withdrawn doubt asked full  part  failed
            (S::Creating,      [PENDING, FAILED, PAID, EXPIRED, EXPIRED, LOOK, BACK, NO,   NO,   NO]),
            (S::Pending,       [PENDING, NO,     PAID, EXPIRED, EXPIRED, LOOK, BACK, NO,   NO,   NO]),
            (S::Paid,          [PAID,    NO,     PAID, PAID,    PAID,    LOOK, BACK, NO,   NO,   NO]),
            (S::Expired,       [EXPIRED, EXPIRED, PAID, EXPIRED, EXPIRED, LOOK, BACK, NO,  NO,   NO]),
            (S::Failed,        [FAILED,  FAILED, PAID, FAILED,  FAILED,  LOOK, BACK, NO,   NO,   NO]),
            (S::RefundPending, [BACK,    NO,     BACK, BACK,    BACK,    LOOK, BACK, DONE, PAID, LOOK]),
            (S::Refunded,      [DONE,    NO,     DONE, DONE,    DONE,    LOOK, BACK, DONE, NO,   NO]),
            (S::NeedsReview,   [LOOK,    NO,     LOOK, LOOK,    LOOK,    LOOK, BACK, DONE, LOOK, LOOK]),
        ];
        table
    };

    #[test]
    fn every_combination_is_in_the_table_or_refused() {
        assert_eq!(TABLE.map(|row| row.0), S::ALL);
        for (status, row) in TABLE {
            for (event, expected) in E::ALL.into_iter().zip(row) {
                assert_eq!(step(status, event), expected, "{status:?} {event:?}");
            }
        }
    }

    fn is_unpaid(status: S) -> bool {
        matches!(status, S::Creating | S::Pending | S::Expired | S::Failed)
    }

    proptest::proptest! {
        /// Whatever happens in whatever order: who has paid never counts as one who has not.
        #[test]
        fn what_was_paid_stays_paid(history in proptest::collection::vec(0..E::ALL.len(), 0..60)) {
            let (mut status, mut was_paid) = (S::Creating, false);
            for event in history {
                let Some(next) = step(status, E::ALL[event]) else { continue };
                was_paid |= matches!(E::ALL[event], E::Paid | E::Doubted | E::RefundAsked);
                proptest::prop_assert_eq!(is_unpaid(next), !was_paid);
                status = next;
            }
        }

        /// The news of an invoice have the same end in whatever order and however often they come.
        #[test]
        fn the_order_of_news_does_not_matter(history in proptest::collection::vec(0..3usize, 0..20)) {
            let news = [E::InvoiceMade, E::Paid, E::Expired];
            let end = history.iter().fold(S::Creating, |status, it| {
                step(status, news[*it]).unwrap_or(status)
            });
            let expected = match history.iter().max_by_key(|it| [0, 2, 1][**it]) {
                None => S::Creating,
                Some(0) => S::Pending,
                Some(1) => S::Paid,
                Some(_) => S::Expired,
            };
            proptest::prop_assert_eq!(end, expected);
        }
    }
}
