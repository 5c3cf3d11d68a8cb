//! The refund calls: create, get, list, cancel.

use halobestie_core::timestamp::Timestamp;
use http::StatusCode;
use serde_json::{Value, json};

use super::api::{Api, Outcome};
use super::bodies::{CREATE_REFUND, error, invalid, invalid_field};
use super::book::{Book, Replied, Unable};
use super::invoice::{Invoice, Payment};
use super::invoices::{check_metadata, whole_rupiah};
use super::refund::Refund;
use crate::upstream::{Answer, Call};

/// Why money may go back.
const REASONS: &[&str] = &[
    "FRAUDULENT",
    "DUPLICATE",
    "REQUESTED_BY_CUSTOMER",
    "CANCELLATION",
    "OTHERS",
];

/// The most that a list answers.
const PAGE: usize = 100;

impl Api {
    /// The same key with the same body gets the first answer again; with another body, a conflict.
    pub(super) fn create_refund(&self, call: &Call) -> Outcome {
        let request = self.json(call, CREATE_REFUND)?;
        let key = call.header("idempotency-key").map(str::to_owned);
        self.with_book(|book, now| {
            if let Some(replied) = key.as_deref().and_then(|key| book.replied.get(key)) {
                return if replied.request == request {
                    Ok(replied.answer.clone())
                } else {
                    Err(error("DUPLICATE_ERROR"))
                };
            }
            let refund = self.refund(book, &request, now)?;
            let refund = Refund {
                idempotency_key: key.clone(),
                ..refund
            };
            let answer = Answer::json(StatusCode::OK, &refund.body());
            book.refunds.push(refund);
            if let Some(key) = key {
                book.replied.push(Replied {
                    key,
                    request,
                    answer: answer.clone(),
                });
            }
            Ok(answer)
        })
    }

    fn refund(&self, book: &Book, request: &Value, now: Timestamp) -> Result<Refund, Answer> {
        let reason = request["reason"].as_str().unwrap_or_default();
        if !REASONS.contains(&reason) {
            return Err(invalid_field("reason", "must be one of the known reasons"));
        }
        if request.get("currency").is_some_and(|it| it != "IDR") {
            return Err(invalid_field("currency", "must be that of the payment"));
        }
        check_metadata(&request["metadata"])?;
        let (invoice, payment) = named(book, request)?;
        let payment_request_id = request["payment_request_id"].as_str();
        let left = book.refundable(invoice, payment_request_id);
        let amount = match request.get("amount") {
            Some(amount) => whole_rupiah(amount)?,
            None => left,
        };
        allowed(book, invoice, payment, amount, left)?;
        Ok(Refund {
            id: format!("rfd-{}", self.uuid()),
            invoice_id: invoice.id.clone(),
            payment_request_id: payment_request_id.map(str::to_owned),
            payment_id: payment.payment_id.clone(),
            amount,
            reason: reason.to_owned(),
            status: "PENDING".to_owned(),
            failure_code: None,
            channel: payment.channel,
            reference_id: request["reference_id"].as_str().map(str::to_owned),
            metadata: request["metadata"].clone(),
            idempotency_key: None,
            created: now,
            updated: now,
        })
    }

    pub(super) fn get_refund(&self, call: &Call) -> Outcome {
        let id = call.segments().get(1).copied().unwrap_or_default();
        let found = self.with_book(|book, _| book.refunds.get(id).map(Refund::body));
        let body = found.ok_or_else(|| error("DATA_NOT_FOUND"))?;
        Ok(Answer::json(StatusCode::OK, &body))
    }

    pub(super) fn list_refunds(&self, call: &Call) -> Outcome {
        let query = call.query_pairs();
        let filters = ["invoice_id", "payment_request_id"];
        if let Some((name, _)) = query.iter().find(|(it, _)| !filters.contains(&it.as_str())) {
            return Err(invalid_field(name, "is not allowed"));
        }
        let wants = |refund: &&Refund| {
            query.iter().all(|(name, value)| match name.as_str() {
                "invoice_id" => refund.invoice_id == *value,
                _ => refund.payment_request_id.as_ref() == Some(value),
            })
        };
        let data: Vec<Value> = self.with_book(|book, _| {
            let newest = book.refunds.iter().rev().filter(wants);
            newest.take(PAGE).map(Refund::body).collect()
        });
        let body = json!({ "data": data, "has_more": false });
        Ok(Answer::json(StatusCode::OK, &body))
    }

    pub(super) fn cancel_refund(&self, call: &Call) -> Outcome {
        if !call.body.is_empty() {
            return Err(invalid(&json!(["this call takes no body"])));
        }
        let id = call.segments().get(1).copied().unwrap_or_default();
        let cancelled = self.with_book(|book, now| book.cancel_refund(id, now));
        match cancelled {
            Ok(refund) => Ok(Answer::json(StatusCode::OK, &refund.body())),
            Err(Unable::Unknown) => Err(error("DATA_NOT_FOUND")),
            Err(_) => Err(error("INELIGIBLE_TRANSACTION_STATUS")),
        }
    }
}

/// The invoice and the payment that a request names by exactly one of two ids.
fn named<'a>(book: &'a Book, request: &Value) -> Result<(&'a Invoice, &'a Payment), Answer> {
    let by_invoice = request["invoice_id"].as_str();
    let by_payment = request["payment_request_id"].as_str();
    let found = match (by_invoice, by_payment) {
        (Some(id), None) => book.invoices.get(id),
        (None, Some(id)) => book
            .invoices
            .iter()
            .find(|it| it.payments.iter().any(|it| it.payment_request_id == id)),
        _ => {
            let message = "must be given, or \"invoice_id\", and not both";
            return Err(invalid_field("payment_request_id", message));
        }
    };
    let invoice = found.ok_or_else(|| error("DATA_NOT_FOUND"))?;
    let one = |it: &&Payment| by_payment.is_none_or(|id| it.payment_request_id == id);
    let payment = invoice.payments.iter().find(one);
    match payment {
        Some(payment) => Ok((invoice, payment)),
        None => Err(error("INELIGIBLE_TRANSACTION_STATUS")),
    }
}

fn allowed(
    book: &Book,
    invoice: &Invoice,
    payment: &Payment,
    amount: i64,
    left: i64,
) -> Result<(), Answer> {
    if !invoice.is_paid() {
        return Err(error("INELIGIBLE_TRANSACTION_STATUS"));
    }
    if !payment.channel.can_refund() {
        return Err(error("REFUND_NOT_SUPPORTED"));
    }
    let running = |it: &Refund| it.invoice_id == invoice.id && it.is_pending();
    if book.refunds.iter().any(running) {
        return Err(error("REFUND_IN_PROGRESS"));
    }
    if amount > left || left == 0 {
        return Err(error("REFUND_AMOUNT_EXCEEDED"));
    }
    Ok(())
}
