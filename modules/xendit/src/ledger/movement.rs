//! Movements of money: which accounts each thing that happens debits and credits. Pure.
//!
//! The invariant: the entries of a movement sum to zero, and no account occurs twice.

use std::cmp::min;

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

#[cfg(test)]
mod tests;
