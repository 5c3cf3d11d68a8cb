//! The check of the books: whether they balance, and say the same as payments, refunds and sessions.
//!
//! Reads alone. The server may run meanwhile, and money may move between two statements: so whatever
//! differs is looked at a second time, and only what still differs is told.

use std::collections::HashMap;

use async_trait::async_trait;
use halobestie_core::pg::{Db, DbError};
use halobestie_core::ports::{Books, BooksReport, Late, SoldTime, TimeOfSession};
use uuid::Uuid;

use crate::ledger::{rupiah, share};
use crate::store::books::{self as store, Mismatch, Money, SessionMoney};

/// Differences that are told; all are counted.
const TOLD_MAX: usize = 1_000;
/// Sessions that are compared at once.
const PAGE: u16 = 500;

/// Checks the books.
pub(crate) struct Auditor {
    pub(crate) db: Db,
    pub(crate) sold_time: Late<dyn SoldTime>,
}

#[async_trait]
impl Books for Auditor {
    async fn check(&self) -> Result<BooksReport, DbError> {
        let first = self.look().await?;
        if first.differences.is_empty() {
            return Ok(first);
        }
        let seen = first.differences;
        let mut report = self.look().await?;
        report.differences.retain(|it| seen.contains(it));
        report.differences_in_all = count(report.differences.len());
        report.differences.truncate(TOLD_MAX);
        Ok(report)
    }
}

impl Auditor {
    /// One look at everything.
    async fn look(&self) -> Result<BooksReport, DbError> {
        let counts = store::counts(&self.db).await?;
        let mut report = BooksReport {
            movements: counts.movements.unsigned_abs(),
            payments: counts.payments.unsigned_abs(),
            refunds: counts.refunds.unsigned_abs(),
            balances: store::balances(&self.db).await?,
            ..BooksReport::default()
        };
        self.compare_books(&mut report.differences).await?;
        report.sessions = self.compare_sessions(&mut report.differences).await?;
        report.differences_in_all = count(report.differences.len());
        Ok(report)
    }

    async fn compare_books(&self, differences: &mut Vec<String>) -> Result<(), DbError> {
        for (id, kind, sum) in store::unbalanced(&self.db).await? {
            let by = rupiah(sum);
            differences.push(format!(
                "the {kind} {id} does not balance: its entries sum to {by}"
            ));
        }
        let receipts = store::receipts(&self.db).await?;
        differences.extend(receipts.iter().map(|it| mismatch("receipt", it)));
        let refunds = store::refunds(&self.db).await?;
        differences.extend(refunds.iter().map(|it| mismatch("refund", it)));
        for (receipt, brought, fee) in store::fees(&self.db).await? {
            let fee = rupiah(fee.unwrap_or_default());
            differences.push(match brought {
                Some(brought) => {
                    let brought = rupiah(brought);
                    format!(
                        "the fee {fee} of receipt {receipt} is more than the {brought} it brought"
                    )
                }
                None => {
                    format!("a fee of {fee} is booked for receipt {receipt}, which does not exist")
                }
            });
        }
        for (account, session, balance) in store::overdrawn(&self.db).await? {
            let balance = rupiah(balance);
            differences.push(format!(
                "session {session} has {balance} on {account}: more went back than was owed"
            ));
        }
        for payment in store::doubtful(&self.db).await? {
            differences.extend(doubts(&payment));
        }
        for session in store::stray_credits(&self.db).await? {
            differences.push(format!(
                "session {session} was credited, and nobody was to pay for it"
            ));
        }
        Ok(())
    }

    /// Compares with sessions, where somebody tells of them; returns how many.
    async fn compare_sessions(&self, differences: &mut Vec<String>) -> Result<u64, DbError> {
        let Some(sold_time) = self.sold_time.get() else {
            return Ok(0);
        };
        let (mut after, mut compared) = (Uuid::nil(), 0);
        loop {
            let page = store::sessions(&self.db, after, i64::from(PAGE)).await?;
            let Some(last) = page.last() else {
                return Ok(compared);
            };
            after = last.session_id;
            let ids: Vec<Uuid> = page.iter().map(|it| it.session_id).collect();
            let times = sold_time.of_sessions(&ids).await?;
            let times: HashMap<Uuid, TimeOfSession> =
                times.into_iter().map(|it| (it.session_id, it)).collect();
            for money in &page {
                differences.extend(compare(money, times.get(&money.session_id)));
            }
            compared += count(page.len());
        }
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn mismatch(what: &str, (id, amount, booked): &Mismatch) -> String {
    match (amount.map(rupiah), booked.map(rupiah)) {
        (Some(amount), None) => format!("{what} {id} of {amount} is not booked"),
        (None, Some(booked)) => {
            format!("{booked} are booked for {what} {id}, which does not exist or has not gone")
        }
        (Some(amount), Some(booked)) if amount == booked => {
            format!("{what} {id} of {amount} is booked for another payment")
        }
        (amount, booked) => {
            let text = |it: Option<String>| it.unwrap_or_else(|| "nothing".to_owned());
            format!(
                "{what} {id} is of {}, and {} are booked",
                text(amount),
                text(booked)
            )
        }
    }
}

/// Why a payment does not say the same as its money.
fn doubts(money: &Money) -> Vec<String> {
    let Money {
        payment_id,
        status,
        amount,
        paid_amount,
        received,
        returned,
        open,
        sold,
    } = money;
    let said = |text: String| format!("payment {payment_id} ({status}): {text}");
    let mut doubts = Vec::new();
    if received != paid_amount {
        let (paid, receipts) = (rupiah(*paid_amount), rupiah(*received));
        doubts.push(said(format!(
            "says that {paid} came, and its receipts {receipts}"
        )));
    }
    if returned + open > *received {
        let (back, came) = (rupiah(returned + open), rupiah(*received));
        doubts.push(said(format!(
            "{back} went back or will, of {came} that came"
        )));
    }
    if *sold != 0 && sold != amount {
        let (sold, price) = (rupiah(*sold), rupiah(*amount));
        doubts.push(said(format!(
            "{sold} are booked as sold, and its price is {price}"
        )));
    }
    if doubts.is_empty() {
        let (came, back, way) = (rupiah(*received), rupiah(*returned), rupiah(*open));
        let sold = rupiah(*sold);
        doubts.push(said(format!(
            "its status does not fit its money: {came} came, {sold} of it for the sale; {back} went \
             back, {way} are on their way"
        )));
    }
    doubts
}

/// What differs between a session's money and its time.
fn compare(money: &SessionMoney, time: Option<&TimeOfSession>) -> Vec<String> {
    let session = money.session_id;
    let delivered = time.map(|it| it.delivered.as_slice()).unwrap_or_default();
    let mut differences = Vec::new();
    for subject in money.sold.iter().filter(|it| !delivered.contains(it)) {
        differences.push(format!(
            "session {session}: {subject} is booked as sold, and was never delivered"
        ));
    }
    let unpaid = |it: &&Uuid| money.charged.contains(it) && !money.sold.contains(it);
    for subject in delivered.iter().filter(unpaid) {
        differences.push(format!(
            "session {session}: {subject} was delivered, and nobody has paid for it"
        ));
    }
    differences.extend(compare_credit(money, time));
    differences
}

fn compare_credit(money: &SessionMoney, time: Option<&TimeOfSession>) -> Option<String> {
    let session = money.session_id;
    let (bought, returned) = time.map_or((0, 0), |it| (it.bought_ms, it.returned_ms));
    let due = share(money.sold_amount, seconds(bought), seconds(returned));
    let (told, owed) = (rupiah(money.credited.unwrap_or_default()), rupiah(due));
    match money.credited {
        Some(_) if returned == 0 => Some(format!(
            "session {session}: {told} were credited, and all of its time was delivered"
        )),
        // What was asked back is not credited as well: then the share is of less.
        Some(credited) if credited > due || (credited != due && !money.was_refunded) => {
            Some(format!(
                "session {session}: {told} were credited for time that was not delivered, and \
                 that was worth {owed}"
            ))
        }
        None if due > 0 && !money.was_refunded => Some(format!(
            "session {session}: time worth {owed} was not delivered, and nothing was credited"
        )),
        _ => None,
    }
}

/// As the session's end has told it.
fn seconds(ms: i64) -> i64 {
    ms.max(0).unsigned_abs().div_ceil(1_000).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(credited: Option<i64>, was_refunded: bool) -> SessionMoney {
        SessionMoney {
            session_id: Uuid::nil(),
            charged: vec![Uuid::from_u128(1), Uuid::from_u128(2)],
            sold: vec![Uuid::from_u128(1)],
            sold_amount: 30_000,
            credited,
            was_refunded,
        }
    }

    fn time(returned_ms: i64, delivered: &[u128]) -> TimeOfSession {
        TimeOfSession {
            session_id: Uuid::nil(),
            delivered: delivered.iter().map(|it| Uuid::from_u128(*it)).collect(),
            bought_ms: 900_000,
            returned_ms,
        }
    }

    #[test]
    fn what_was_sold_was_delivered_and_the_other_way_round() {
        assert_eq!(compare(&money(None, false), Some(&time(0, &[1]))), [""; 0]);
        let nothing = compare(&money(None, false), None);
        assert!(nothing[0].ends_with("is booked as sold, and was never delivered"));
        let both = compare(&money(None, false), Some(&time(0, &[1, 2])));
        assert!(both[0].ends_with("was delivered, and nobody has paid for it"));
        // Of what was never charged nothing is known: it was sold while nothing had to be paid.
        assert_eq!(
            compare(&money(None, false), Some(&time(0, &[1, 3]))),
            [""; 0]
        );
    }

    #[test]
    fn time_that_came_back_was_credited_by_its_share() {
        let half = time(450_000, &[1]);
        let credit = |credited, was_refunded| {
            compare_credit(&money(credited, was_refunded), Some(&half)).is_none()
        };
        assert!(credit(Some(15_000), false));
        assert!(!credit(Some(14_999), false) && credit(Some(14_999), true));
        assert!(!credit(Some(15_001), false) && !credit(Some(15_001), true));
        assert!(!credit(None, false) && credit(None, true));
        let all = time(0, &[1]);
        assert!(compare_credit(&money(Some(1), false), Some(&all)).is_some());
    }
}
