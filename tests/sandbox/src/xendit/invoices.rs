//! The invoice calls: create, get, find, expire.

use std::time::Duration;

use halobestie_core::timestamp::Timestamp;
use http::StatusCode;
use serde_json::{Value, json};

use super::api::{Api, Outcome};
use super::bodies::{CREATE_INVOICE, error, error_saying, invalid, invalid_field};
use super::book::{Book, USUAL_DURATION, Unable};
use super::invoice::Invoice;
use crate::upstream::{Answer, Call};

/// Whole rupiah at most.
const AMOUNT_MAX: i64 = 1_000_000_000_000;
const EXTERNAL_ID_CHARS_MAX: usize = 255;
const METADATA_KEYS_MAX: usize = 50;
const METADATA_KEY_CHARS_MAX: usize = 40;
const METADATA_VALUE_CHARS_MAX: usize = 500;
/// A page of a list, where its reader does not say, and at most.
const PAGE: usize = 10;
const PAGE_MAX: usize = 100;

impl Api {
    pub(super) fn create_invoice(&self, call: &Call) -> Outcome {
        let request = self.json(call, CREATE_INVOICE)?;
        let amount = whole_rupiah(&request["amount"])?;
        check(&request)?;
        let duration = request["invoice_duration"].as_u64();
        let duration = duration.map_or(USUAL_DURATION, Duration::from_secs);
        let id = self.hex24();
        let invoice = self.with_book(|book, now| {
            let invoice = Invoice {
                invoice_url: format!("{}/pay/{id}", self.pages),
                id,
                external_id: text(&request, "external_id").to_owned(),
                amount,
                status: "PENDING".to_owned(),
                created: now,
                updated: now,
                expires: now + duration,
                payments: Vec::new(),
                request,
            };
            book.invoices.push(invoice.clone());
            invoice
        });
        Ok(Answer::json(StatusCode::OK, &invoice.body()))
    }

    pub(super) fn get_invoice(&self, call: &Call) -> Outcome {
        let id = call.segments().get(2).copied().unwrap_or_default();
        let found = self.with_book(|book, _| book.invoices.get(id).map(Invoice::body));
        let body = found.ok_or_else(|| error("INVOICE_NOT_FOUND_ERROR"))?;
        Ok(Answer::json(StatusCode::OK, &body))
    }

    pub(super) fn list_invoices(&self, call: &Call) -> Outcome {
        let wanted = Wanted::read(&call.query_pairs())?;
        let items = self.with_book(|book, _| wanted.find(book));
        Ok(Answer::json(StatusCode::OK, &Value::Array(items)))
    }

    /// `POST /invoices/{id}/expire!`
    pub(super) fn expire_invoice(&self, call: &Call) -> Outcome {
        if !call.body.is_empty() {
            return Err(invalid(&json!(["this call takes no body"])));
        }
        let id = call.segments().get(1).copied().unwrap_or_default();
        self.with_book(|book, now| {
            book.expire(id, now).map_err(|unable| match unable {
                Unable::Unknown => error("INVOICE_NOT_FOUND_ERROR"),
                _ => {
                    let message = format!("Failed to find and update PENDING invoice with id {id}");
                    let mut answer = error_saying("INVOICE_NOT_FOUND_ERROR", &message);
                    answer.status = StatusCode::BAD_REQUEST;
                    answer
                }
            })?;
            let body = book.invoices.get(id).map(Invoice::body);
            Ok(Answer::json(StatusCode::OK, &body.unwrap_or_default()))
        })
    }
}

/// A positive amount; its fraction is cut off, as the vendor does with rupiah.
pub(super) fn whole_rupiah(amount: &Value) -> Result<i64, Answer> {
    #[expect(clippy::cast_possible_truncation, reason = "that is what is wanted")]
    let cut = |it: f64| it.trunc() as i64;
    let whole = amount.as_i64().or_else(|| amount.as_f64().map(cut));
    match whole {
        Some(whole) if (1..=AMOUNT_MAX).contains(&whole) => Ok(whole),
        _ => Err(invalid_field("amount", "must be a positive amount")),
    }
}

/// What a table of types does not say.
fn check(request: &Value) -> Result<(), Answer> {
    let external_id = text(request, "external_id").chars().count();
    if !(1..=EXTERNAL_ID_CHARS_MAX).contains(&external_id) {
        return Err(invalid_field(
            "external_id",
            "must have 1 to 255 characters",
        ));
    }
    if request["invoice_duration"]
        .as_i64()
        .is_some_and(|it| it < 1)
    {
        return Err(invalid_field("invoice_duration", "must be greater than 0"));
    }
    if request.get("currency").is_some_and(|it| it != "IDR") {
        return Err(invalid_field(
            "currency",
            "is not activated on this account",
        ));
    }
    if request.get("payer_email").is_some() && !text(request, "payer_email").contains('@') {
        return Err(invalid_field("payer_email", "must be a valid email"));
    }
    for field in ["success_redirect_url", "failure_redirect_url"] {
        let url = text(request, field);
        if request.get(field).is_some() && !is_web_url(url) {
            return Err(invalid_field(field, "must be a valid url"));
        }
    }
    check_metadata(&request["metadata"])
}

fn is_web_url(url: &str) -> bool {
    let web = url.starts_with("https://") || url.starts_with("http://");
    web && url.parse::<http::Uri>().is_ok_and(|it| it.host().is_some())
}

pub(super) fn check_metadata(metadata: &Value) -> Result<(), Answer> {
    let Some(metadata) = metadata.as_object() else {
        return Ok(());
    };
    let fits = |(key, value): (&String, &Value)| {
        key.chars().count() <= METADATA_KEY_CHARS_MAX
            && value.as_str().map_or(0, |it| it.chars().count()) <= METADATA_VALUE_CHARS_MAX
    };
    if metadata.len() <= METADATA_KEYS_MAX && metadata.iter().all(fits) {
        return Ok(());
    }
    let message = "must have at most 50 keys of 40 characters with values of 500";
    Err(invalid_field("metadata", message))
}

/// What a list is asked for.
#[derive(Default)]
struct Wanted {
    external_id: Option<String>,
    statuses: Vec<String>,
    limit: Option<usize>,
    last_invoice: Option<String>,
    /// Bounds of an instant, each with whether it is the upper one.
    bounds: Vec<(Stamp, Bound, Timestamp)>,
}

#[derive(Clone, Copy)]
enum Stamp {
    Created,
    Paid,
    Expired,
}

#[derive(Clone, Copy)]
enum Bound {
    After,
    Before,
}

impl Wanted {
    fn read(query: &[(String, String)]) -> Result<Self, Answer> {
        let mut wanted = Self::default();
        for (name, value) in query {
            wanted.take(name, value)?;
        }
        Ok(wanted)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), Answer> {
        match name {
            "external_id" => self.external_id = Some(value.to_owned()),
            "statuses" | "statuses[]" => self.statuses.push(value.to_owned()),
            "last_invoice" => self.last_invoice = Some(value.to_owned()),
            "limit" => self.limit = Some(limit(value)?),
            // Nothing here has any of them, so they are of no effect.
            "client_types" | "payment_channels" | "on_demand_link" | "recurring_payment_id" => {}
            _ => {
                let (stamp, bound) = bound(name)?;
                let at = Timestamp::parse(value);
                let at = at.ok_or_else(|| invalid_field(name, "must be a valid ISO date"))?;
                self.bounds.push((stamp, bound, at));
            }
        }
        Ok(())
    }

    /// Newest first, from where the last page ended.
    fn find(&self, book: &Book) -> Vec<Value> {
        let newest = book.invoices.iter().rev();
        let rest =
            newest.skip_while(|it| self.last_invoice.as_ref().is_some_and(|id| it.id != *id));
        rest.skip(usize::from(self.last_invoice.is_some()))
            .filter(|it| self.wants(it))
            .take(self.limit.unwrap_or(PAGE))
            .map(Invoice::body)
            .collect()
    }

    fn wants(&self, invoice: &Invoice) -> bool {
        self.external_id
            .as_ref()
            .is_none_or(|it| *it == invoice.external_id)
            && (self.statuses.is_empty() || self.statuses.contains(&invoice.status))
            && self.bounds.iter().all(|(stamp, bound, at)| {
                let of_it = match stamp {
                    Stamp::Created => Some(invoice.created),
                    Stamp::Paid => invoice.payments.last().map(|it| it.at),
                    Stamp::Expired => (invoice.status == "EXPIRED").then_some(invoice.expires),
                };
                of_it.is_some_and(|it| match bound {
                    Bound::After => it >= *at,
                    Bound::Before => it <= *at,
                })
            })
    }
}

fn limit(value: &str) -> Result<usize, Answer> {
    let limit = value.parse().ok().filter(|it| (1..=PAGE_MAX).contains(it));
    limit.ok_or_else(|| invalid_field("limit", "must be a number between 1 and 100"))
}

fn bound(name: &str) -> Result<(Stamp, Bound), Answer> {
    Ok(match name {
        "created_after" => (Stamp::Created, Bound::After),
        "created_before" => (Stamp::Created, Bound::Before),
        "paid_after" => (Stamp::Paid, Bound::After),
        "paid_before" => (Stamp::Paid, Bound::Before),
        "expired_after" => (Stamp::Expired, Bound::After),
        "expired_before" => (Stamp::Expired, Bound::Before),
        _ => return Err(invalid_field(name, "is not allowed")),
    })
}

/// A field that the shape has already found to be text.
fn text<'a>(body: &'a Value, field: &str) -> &'a str {
    body[field].as_str().unwrap_or_default()
}
