//! Whatever happens in whatever order, the books balance and nobody gets the same rupiah twice.

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
