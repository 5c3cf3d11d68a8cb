//! What the doctor looks at beside Xendit itself: whether its webhooks reach us, and what waits for a
//! person.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::Timestamp;
use halobestie_core::doctor::{Details, Examination, Finding, with_causes};

use crate::state::State;
use crate::store::care::{self, Waiting};

const HOUR: Duration = Duration::from_secs(3600);
/// Payments that are counted at most.
const REVIEWS_MAX: i64 = 1_000;

/// All of them. `webhook_url`: where Xendit is to send them.
pub(crate) fn examinations(state: Arc<State>, webhook_url: String) -> Vec<Examination> {
    vec![webhooks(state.clone(), webhook_url), reviews(state)]
}

fn webhooks(state: Arc<State>, webhook_url: String) -> Examination {
    const LOOKS_AT: &str = "whether Xendit's webhooks reach us";
    Examination::new("xendit-webhooks", LOOKS_AT, move || {
        let (state, webhook_url) = (state.clone(), webhook_url.clone());
        async move {
            match care::paid_and_told(&state.db, state.now() - HOUR).await {
                Ok((paid, told)) => judge_webhooks(paid, told, &webhook_url),
                Err(error) => Finding::problem(with_causes(&error), "see what ails Postgres"),
            }
        }
    })
}

fn judge_webhooks(paid: i64, told: i64, webhook_url: &str) -> Finding {
    let text = format!("in the last hour {paid} payments were paid and {told} webhooks came");
    if paid > 0 && told == 0 {
        let paid = match paid {
            1 => "an invoice was".to_owned(),
            many => format!("{many} invoices were"),
        };
        let text = format!("no webhook in the last hour though {paid} paid");
        let advice = format!(
            "customers wait for the next comparison with Xendit. In its dashboard, set {webhook_url} for \
             paid and expired invoices and for refunds, and send a test from there; from outside, see \
             that `curl -i -X POST {webhook_url}` is answered 401"
        );
        return Finding::warning(text, advice);
    }
    Finding::ok(text)
}

fn reviews(state: Arc<State>) -> Examination {
    const LOOKS_AT: &str = "payments that wait for a person";
    Examination::new("payment-reviews", LOOKS_AT, move || {
        let state = state.clone();
        async move {
            match care::for_review(&state.db, REVIEWS_MAX).await {
                Ok(waiting) => judge_reviews(&waiting),
                Err(error) => Finding::problem(with_causes(&error), "see what ails Postgres"),
            }
        }
    })
}

fn judge_reviews(waiting: &[Waiting]) -> Finding {
    if waiting.is_empty() {
        return Finding::ok("no payment waits for a person");
    }
    let line = |(id, reason, since): &(uuid::Uuid, String, Timestamp)| {
        format!("{id} since {since}: {reason}")
    };
    let details: Details = waiting.iter().map(line).collect();
    let text = match waiting.len() {
        1 => "1 payment waits for a person".to_owned(),
        many => format!("{many} payments wait for a person"),
    };
    let advice = "give the money back by POST /api/admin/payments/{id}/refund; with \"by_hand\": true where \
                  you have transferred it yourself";
    Finding::warning(text, advice).with_details(details)
}

#[cfg(test)]
mod tests {
    use halobestie_core::doctor::Grade;

    use super::*;

    #[test]
    fn silence_is_a_warning_only_while_somebody_pays() {
        let grade = |paid, told| judge_webhooks(paid, told, "https://x.test/hook").grade;
        assert_eq!(grade(0, 0), Grade::Ok);
        assert_eq!(grade(3, 1), Grade::Ok);
        assert_eq!(grade(3, 0), Grade::Warning);
        let finding = judge_webhooks(3, 0, "https://x.test/hook");
        let expected = "no webhook in the last hour though 3 invoices were paid";
        assert_eq!(finding.text, expected);
        assert!(
            finding
                .advice
                .is_some_and(|it| it.contains("https://x.test/hook"))
        );
    }

    #[test]
    fn a_payment_for_review_is_named_with_its_reason() {
        assert_eq!(judge_reviews(&[]).grade, Grade::Ok);
        let at = Timestamp::from_unix_ms(0);
        let finding = judge_reviews(&[(uuid::Uuid::nil(), "too much".to_owned(), at)]);
        assert_eq!(finding.grade, Grade::Warning);
        assert!(finding.details.shown[0].ends_with(": too much"));
    }
}
