//! The books: double entry, a movement for everything that happens to money.
//!
//! Pure but for the hooks at the end, which write in the transaction of the thing itself. The
//! invariants: the entries of a movement sum to zero, a receipt, a refund or a session is booked once
//! for what it is, and nothing booked is ever changed.
//!
//! A sale counts as earned when it is delivered, which is when it is paid: a session lasts minutes, so
//! nothing is deferred. Money that came and is for nothing we sold is held: it is its customer's. A
//! refund gives back what is held first, then what the customer was credited, and only then what was
//! earned, so that nobody gets the same rupiah twice.

use std::cmp::min;

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Tx};
use halobestie_core::ports::{PaymentStatus, Undelivered};
use uuid::Uuid;

use crate::state::State;
use crate::store::ledger::{self as store, NewMovement};
use crate::store::payments::PaymentRow;

/// Where money stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Account {
    /// What Xendit has of ours.
    Xendit,
    /// What was paid out of our own pocket, to be settled with it.
    Bank,
    /// What was sold.
    Sales,
    /// What customers have paid for nothing that they got.
    Held,
    /// What customers are owed for time that was not delivered.
    Credits,
    /// What was sold and given back.
    Refunds,
    /// What Xendit took.
    Fees,
}

impl Account {
    /// Every account.
    #[cfg(test)]
    const ALL: [Self; 7] = [
        Self::Xendit,
        Self::Bank,
        Self::Sales,
        Self::Held,
        Self::Credits,
        Self::Refunds,
        Self::Fees,
    ];

    /// The name in Postgres and for people.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Xendit => "xendit",
            Self::Bank => "bank",
            Self::Sales => "sales",
            Self::Held => "held",
            Self::Credits => "credits",
            Self::Refunds => "refunds",
            Self::Fees => "fees",
        }
    }
}

/// A line of a movement: whole rupiah, debits positive, credits negative, never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) account: Account,
    pub(crate) amount: i64,
}

/// Something that happens to money. Amounts are whole rupiah, more than 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Movement {
    /// A price was paid, and what it is for is delivered.
    Sold { amount: i64 },
    /// Money came that is for nothing we sold, or not yet.
    Held { amount: i64 },
    /// Xendit took its share.
    Fee { amount: i64 },
    /// Time was not delivered.
    Credited { amount: i64 },
    /// Money went back, of what there was to give back.
    Returned { amount: i64, owed: Owed, way: Way },
}

/// What a customer is owed before money goes back, in whole rupiah, at least 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Owed {
    /// Of the payment: money that is held.
    pub(crate) held: i64,
    /// Of its session: time that was not delivered.
    pub(crate) credited: i64,
}

/// Who gives money back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Xendit, by the way that it came.
    Xendit,
    /// A person, by a transfer of their own.
    ByHand,
}

impl Way {
    /// The name in Postgres and on the wire.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Xendit => "xendit",
            Self::ByHand => "by_hand",
        }
    }

    /// Reads a name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut all = [Self::Xendit, Self::ByHand].into_iter();
        all.find(|way| way.as_str() == text)
    }

    const fn account(self) -> Account {
        match self {
            Self::Xendit => Account::Xendit,
            Self::ByHand => Account::Bank,
        }
    }
}

impl Movement {
    /// What kind of thing it is about: a receipt, a refund, a session.
    pub(crate) const fn kind(self) -> &'static str {
        match self {
            Self::Sold { .. } | Self::Held { .. } => "charge",
            Self::Fee { .. } => "fee",
            Self::Credited { .. } => "credit",
            Self::Returned { .. } => "refund",
        }
    }

    /// Its entries: they sum to zero, each account occurs once, and none is empty.
    pub(crate) fn entries(self) -> Vec<Entry> {
        match self {
            Self::Sold { amount } => pair(Account::Xendit, Account::Sales, amount),
            Self::Held { amount } => pair(Account::Xendit, Account::Held, amount),
            Self::Fee { amount } => pair(Account::Fees, Account::Xendit, amount),
            Self::Credited { amount } => pair(Account::Sales, Account::Credits, amount),
            Self::Returned { amount, owed, way } => returned(amount, owed, way),
        }
    }
}

fn pair(debit: Account, credit: Account, amount: i64) -> Vec<Entry> {
    entries([(debit, amount), (credit, -amount)])
}

fn returned(amount: i64, owed: Owed, way: Way) -> Vec<Entry> {
    let held = min(amount, owed.held.max(0));
    let credited = min(amount - held, owed.credited.max(0));
    entries([
        (Account::Held, held),
        (Account::Credits, credited),
        (Account::Refunds, amount - held - credited),
        (way.account(), -amount),
    ])
}

fn entries<const N: usize>(lines: [(Account, i64); N]) -> Vec<Entry> {
    let lines = lines.into_iter().filter(|(_, amount)| *amount != 0);
    lines
        .map(|(account, amount)| Entry { account, amount })
        .collect()
}

/// The share of what was paid that was not delivered, rounded up: the part of a rupiah is the
/// customer's.
pub(crate) fn share(paid: i64, bought: i64, undelivered: i64) -> i64 {
    if paid <= 0 || bought <= 0 || undelivered <= 0 {
        return 0;
    }
    let undelivered = min(undelivered, bought);
    let (paid, bought) = (i128::from(paid), i128::from(bought));
    let share = (paid * i128::from(undelivered) + bought - 1) / bought;
    // No more than what was paid, which is one.
    i64::try_from(share).unwrap_or(i64::MAX)
}

/// For a person: `Rp 25.000`.
pub(crate) fn rupiah(amount: i64) -> String {
    let digits = amount.to_string();
    let mut text = String::from("Rp ");
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('.');
        }
        text.push(digit);
    }
    text
}

/// Books in `tx` that money came in: a receipt of this payment, in whole rupiah. `payment` is the row as
/// this receipt has left it: the first money of one that is paid by it is its price, all other is held.
pub(crate) async fn charged(
    state: &State,
    tx: &Tx<'_>,
    payment: &PaymentRow,
    receipt_id: Uuid,
    amount: i64,
    now: Timestamp,
) -> Result<(), DbError> {
    let is_price = payment.status == PaymentStatus::Paid && payment.paid_amount == amount;
    let movement = match is_price {
        true => Movement::Sold { amount },
        false => Movement::Held { amount },
    };
    book(
        state,
        tx,
        movement,
        About::payment(payment, receipt_id),
        now,
    )
    .await
}

/// Books in `tx` what Xendit has kept of a receipt, in whole rupiah; nothing where it is booked already.
pub(crate) async fn fee_taken(
    state: &State,
    tx: &Tx<'_>,
    payment: &PaymentRow,
    receipt_id: Uuid,
    amount: i64,
    now: Timestamp,
) -> Result<(), DbError> {
    let about = About::payment(payment, receipt_id);
    book(state, tx, Movement::Fee { amount }, about, now).await
}

/// Books in `tx` what a customer gets credited for time that was not delivered: its share of what was
/// earned by the session and does not go back already. A session is credited once; where nothing was
/// paid, nothing is booked.
pub(crate) async fn credited(
    state: &State,
    tx: &Tx<'_>,
    undelivered: &Undelivered,
    now: Timestamp,
) -> Result<(), DbError> {
    store::lock_session(tx, undelivered.session_id).await?;
    let earned = store::earned_by_session(tx, undelivered.session_id).await?;
    let (bought, rest) = (undelivered.bought_seconds, undelivered.undelivered_seconds);
    let amount = share(earned, bought, rest);
    if amount == 0 {
        return Ok(());
    }
    let about = About {
        source_id: undelivered.session_id,
        payment_id: None,
        session_id: undelivered.session_id,
        customer_id: undelivered.customer_id,
    };
    book(state, tx, Movement::Credited { amount }, about, now).await
}

/// Books in `tx` that money went back. The session's payments must be locked by
/// [`store::lock_session`], so that two refunds do not give back the same.
pub(crate) async fn returned_to_customer(
    state: &State,
    tx: &Tx<'_>,
    payment: &PaymentRow,
    (refund_id, amount, way): (Uuid, i64, Way),
    now: Timestamp,
) -> Result<(), DbError> {
    let owed = store::owed(tx, payment.id, payment.session_id).await?;
    let movement = Movement::Returned { amount, owed, way };
    book(state, tx, movement, About::payment(payment, refund_id), now).await
}

/// What a movement is about.
struct About {
    source_id: Uuid,
    payment_id: Option<Uuid>,
    session_id: Uuid,
    customer_id: Uuid,
}

impl About {
    fn payment(payment: &PaymentRow, source_id: Uuid) -> Self {
        Self {
            source_id,
            payment_id: Some(payment.id),
            session_id: payment.session_id,
            customer_id: payment.customer_id,
        }
    }
}

async fn book(
    state: &State,
    tx: &Tx<'_>,
    movement: Movement,
    about: About,
    now: Timestamp,
) -> Result<(), DbError> {
    let new = NewMovement {
        id: state.entropy.uuid(&state.clock),
        kind: movement.kind(),
        source_id: about.source_id,
        payment_id: about.payment_id,
        session_id: about.session_id,
        customer_id: about.customer_id,
        entries: &movement.entries(),
    };
    store::insert(tx, &new, now).await
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn amounts() -> impl Strategy<Value = i64> {
        1i64..1_000_000_000_000
    }

    fn ways() -> impl Strategy<Value = Way> {
        prop_oneof![Just(Way::Xendit), Just(Way::ByHand)]
    }

    /// What happens, to be bounded by what there is.
    #[derive(Clone, Debug)]
    enum Happening {
        Sold(i64),
        Held(i64),
        Fee(i64),
        Credited { undelivered: i64 },
        Returned { amount: i64, way: Way },
    }

    fn happenings() -> impl Strategy<Value = Happening> {
        prop_oneof![
            amounts().prop_map(Happening::Sold),
            amounts().prop_map(Happening::Held),
            (1i64..10_000).prop_map(Happening::Fee),
            (1i64..3_600).prop_map(|undelivered| Happening::Credited { undelivered }),
            (amounts(), ways()).prop_map(|(amount, way)| Happening::Returned { amount, way }),
        ]
    }

    #[derive(Default)]
    struct Books(HashMap<Account, i64>);

    impl Books {
        fn of(&self, account: Account) -> i64 {
            self.0.get(&account).copied().unwrap_or_default()
        }

        /// What there is to give back: all that came, less what went.
        fn left(&self) -> i64 {
            self.of(Account::Xendit) + self.of(Account::Bank) + self.of(Account::Fees)
        }

        fn earned(&self) -> i64 {
            -self.of(Account::Sales) - self.of(Account::Refunds)
        }

        fn movement(&self, happening: &Happening) -> Option<Movement> {
            let owed = Owed {
                held: -self.of(Account::Held),
                credited: -self.of(Account::Credits),
            };
            Some(match *happening {
                Happening::Sold(amount) => Movement::Sold { amount },
                Happening::Held(amount) => Movement::Held { amount },
                Happening::Fee(amount) => Movement::Fee { amount },
                Happening::Credited { undelivered } => {
                    let amount = share(self.earned(), 3_600, undelivered);
                    (amount > 0).then_some(Movement::Credited { amount })?
                }
                Happening::Returned { amount, way } => {
                    let amount = amount.min(self.left());
                    (amount > 0).then_some(Movement::Returned { amount, owed, way })?
                }
            })
        }

        fn book(&mut self, movement: Movement) {
            for entry in movement.entries() {
                *self.0.entry(entry.account).or_default() += entry.amount;
            }
        }
    }

    proptest! {
        /// Whatever happens in whatever order: each movement balances, so the books do; what customers
        /// are owed is never negative, and no more goes back than came.
        #[test]
        fn random_histories_balance(history in proptest::collection::vec(happenings(), 0..60)) {
            let mut books = Books::default();
            for happening in &history {
                let Some(movement) = books.movement(happening) else { continue };
                let entries = movement.entries();
                prop_assert_eq!(entries.iter().map(|it| it.amount).sum::<i64>(), 0);
                prop_assert!(entries.len() >= 2 && entries.iter().all(|it| it.amount != 0));
                let mut accounts: Vec<Account> = entries.iter().map(|it| it.account).collect();
                accounts.sort_unstable();
                accounts.dedup();
                prop_assert_eq!(accounts.len(), entries.len());
                books.book(movement);
                prop_assert_eq!(Account::ALL.map(|it| books.of(it)).iter().sum::<i64>(), 0);
                prop_assert!(books.of(Account::Held) <= 0, "held {}", books.of(Account::Held));
                prop_assert!(books.of(Account::Credits) <= 0);
                prop_assert!(books.earned() >= 0, "earned {}", books.earned());
                prop_assert!(books.left() >= 0);
            }
        }

        #[test]
        fn a_share_is_of_what_was_paid(paid in 0i64..i64::MAX, bought in 1i64..i64::MAX, rest in 0i64..i64::MAX) {
            let share = share(paid, bought, rest);
            prop_assert!(share >= 0 && share <= paid);
            if rest >= bought {
                prop_assert_eq!(share, paid);
            }
            if rest > 0 && paid > 0 {
                prop_assert!(share > 0);
            }
        }
    }

    #[test]
    fn a_refund_takes_what_is_held_then_what_was_credited_then_what_was_earned() {
        let owed = Owed {
            held: 100,
            credited: 30,
        };
        let way = Way::ByHand;
        let of = |amount| Movement::Returned { amount, owed, way }.entries();
        let entry = |account, amount| Entry { account, amount };
        assert_eq!(
            of(150),
            [
                entry(Account::Held, 100),
                entry(Account::Credits, 30),
                entry(Account::Refunds, 20),
                entry(Account::Bank, -150),
            ]
        );
        assert_eq!(
            of(60),
            [entry(Account::Held, 60), entry(Account::Bank, -60)]
        );
    }

    #[test]
    fn rupiah_are_written_as_people_write_them() {
        let texts = [0, 999, 1_000, 25_000, 1_234_567].map(rupiah);
        assert_eq!(
            texts,
            ["Rp 0", "Rp 999", "Rp 1.000", "Rp 25.000", "Rp 1.234.567"]
        );
    }

    #[test]
    fn the_part_of_a_rupiah_is_the_customers() {
        assert_eq!(share(25_000, 1_800, 900), 12_500);
        assert_eq!(share(10_000, 3, 1), 3_334);
        assert_eq!(share(10_000, 60, 61), 10_000);
        assert_eq!(share(0, 60, 60), 0);
        assert_eq!(share(i64::MAX, i64::MAX, i64::MAX), i64::MAX);
    }
}
