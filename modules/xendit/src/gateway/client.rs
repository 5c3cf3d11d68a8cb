//! Xendit's Invoice API (v2) and its refunds, over HTTP.
//!
//! One call is one request: nothing is sent a second time here, since only the caller knows whether that
//! is safe. Of a body nothing gets into an error but Xendit's own code and message, cut and cleaned.

use std::time::Duration;

use async_trait::async_trait;
use halobestie_core::outbound;
use halobestie_core::outbound::reqwest::{self, Method, RequestBuilder, Response, StatusCode, Url};
use halobestie_core::{BoxError, Context, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::budget::Budget;
use super::failure::GatewayError;
use super::wire::{CreateInvoice, CreateRefund, ErrorBody, InvoiceBody, RefundBody};
use super::{Gateway, Invoice, NewInvoice, NewRefund, PAGE, Refund};
use crate::config::XenditConfig;
use crate::meters::Meters;

/// A page of a hundred invoices takes a few hundred kilobytes.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;
const X_REQUEST_ID: &str = "x-request-id";
const RESET: &str = "rate-limit-reset";

/// Xendit.
pub(crate) struct Client {
    http: reqwest::Client,
    base_url: Url,
    secret_key: SecretString,
    budget: Budget,
    meters: Meters,
}

/// A complete answer.
struct Answer {
    status: StatusCode,
    /// `Rate-Limit-Reset`: seconds, maybe with a fraction.
    reset: Option<Duration>,
    body: Vec<u8>,
}

impl Client {
    /// A client; touches nothing outside.
    ///
    /// # Errors
    /// Without its key, which the configuration's own check has refused.
    pub(crate) fn new(
        config: &XenditConfig,
        meters: Meters,
        cx: &Context,
    ) -> Result<Self, BoxError> {
        let secret_key = config.secret_key.clone();
        Ok(Self {
            http: outbound::client(config.deadlines())?,
            base_url: Url::parse(&format!("{}/", config.base_url.trim_end_matches('/')))?,
            secret_key: secret_key.ok_or("XENDIT_SECRET_KEY is not set")?,
            budget: Budget::new(cx.clock.clone()),
            meters,
        })
    }

    /// Where Xendit is, for people.
    pub(super) fn place(&self) -> &str {
        self.base_url.as_str().trim_end_matches('/')
    }

    fn request(&self, method: Method, path: &[&str], request_id: Uuid) -> RequestBuilder {
        self.request_with(method, path, &[], request_id)
    }

    fn request_with(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        request_id: Uuid,
    ) -> RequestBuilder {
        let mut url = self.base_url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.http
            .request(method, url)
            .basic_auth(self.secret_key.expose_secret(), Some(""))
            .header(reqwest::header::ACCEPT, "application/json")
            .header(X_REQUEST_ID, request_id.to_string())
    }

    /// Sends, and reads the answer; what is no success is an error.
    async fn call<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        request: RequestBuilder,
    ) -> Result<T, GatewayError> {
        let outcome = self.answered(operation, request).await;
        self.meters.count_call(operation, &outcome);
        let body = outcome?;
        serde_json::from_slice(&body).map_err(|error| GatewayError::Unclear {
            said: "an answer that cannot be read".to_owned(),
            // Its position and type, nothing of what it is.
            cause: Some(
                format!("{:?} error at column {}", error.classify(), error.column()).into(),
            ),
        })
    }

    async fn answered(
        &self,
        operation: &'static str,
        request: RequestBuilder,
    ) -> Result<Vec<u8>, GatewayError> {
        let _place = self.budget.enter().await?;
        let _timer = self.meters.time_call(operation);
        let response = request.send().await.map_err(lost)?;
        let answer = read(response).await?;
        if answer.status.is_success() {
            return Ok(answer.body);
        }
        Err(self.failure(&answer))
    }

    fn failure(&self, answer: &Answer) -> GatewayError {
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            let after = self.budget.close(answer.reset);
            return GatewayError::Busy { after };
        }
        let said: ErrorBody = serde_json::from_slice(&answer.body).unwrap_or_default();
        let code = clean(&said.error_code.unwrap_or_default());
        let status = answer.status.as_u16();
        let message = clean(&said.message.unwrap_or_default());
        let said = format!("status {status} {code} {message}")
            .trim_end()
            .to_owned();
        let is_no = answer.status.is_client_error() && answer.status != StatusCode::REQUEST_TIMEOUT;
        if is_no {
            GatewayError::Refused { status, code, said }
        } else {
            GatewayError::Unclear { said, cause: None }
        }
    }
}

/// A text of theirs for a log of ours: short, on one line, without long numbers.
fn clean(text: &str) -> String {
    const CHARS_MAX: usize = 200;
    let is_kept = |it: &char| !it.is_control();
    text.chars().filter(is_kept).take(CHARS_MAX).collect()
}

/// Nothing was sent if no connection was made. Anything else leaves it open.
fn lost(error: reqwest::Error) -> GatewayError {
    // Without its URL: ids are told apart from the message.
    let is_unsent = error.is_connect() || error.is_builder();
    let cause: BoxError = error.without_url().into();
    if is_unsent {
        return GatewayError::Unsent(cause);
    }
    GatewayError::Unclear {
        said: "no complete answer".to_owned(),
        cause: Some(cause),
    }
}

async fn read(mut response: Response) -> Result<Answer, GatewayError> {
    let reset = response.headers().get(RESET);
    let reset = reset.and_then(|it| it.to_str().ok()?.trim().parse::<f64>().ok());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(lost)? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(GatewayError::Unclear {
                said: "an answer without end".to_owned(),
                cause: None,
            });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer {
        status: response.status(),
        reset: reset.and_then(|it| Duration::try_from_secs_f64(it).ok()),
        body,
    })
}

/// A body as JSON. reqwest's own way needs a feature that nothing else here does.
fn with_json<B: Serialize>(
    request: RequestBuilder,
    body: &B,
) -> Result<RequestBuilder, GatewayError> {
    let body = serde_json::to_vec(body).map_err(|error| GatewayError::Unsent(error.into()))?;
    Ok(request
        .header(reqwest::header::CONTENT_TYPE, "application/json")
        .body(body))
}

/// What is not there is none, and no failure.
fn found<T>(outcome: Result<T, GatewayError>) -> Result<Option<T>, GatewayError> {
    match outcome {
        Ok(it) => Ok(Some(it)),
        Err(GatewayError::Refused { status: 404, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn invoices(bodies: Vec<InvoiceBody>) -> Vec<Invoice> {
    bodies.into_iter().map(Invoice::from).collect()
}

#[async_trait]
impl Gateway for Client {
    async fn create(
        &self,
        request_id: Uuid,
        invoice: &NewInvoice<'_>,
    ) -> Result<Invoice, GatewayError> {
        let body = CreateInvoice {
            external_id: invoice.payment_id.to_string(),
            amount: invoice.amount,
            currency: "IDR",
            description: invoice.description,
            invoice_duration: invoice.duration_seconds,
            success_redirect_url: invoice.success_url,
            failure_redirect_url: invoice.failure_url,
        };
        let request = self.request(Method::POST, &["v2", "invoices"], request_id);
        let made: InvoiceBody = self
            .call("invoices.create", with_json(request, &body)?)
            .await?;
        Ok(made.into())
    }

    async fn get(&self, request_id: Uuid, id: &str) -> Result<Option<Invoice>, GatewayError> {
        let request = self.request(Method::GET, &["v2", "invoices", id], request_id);
        let body = found(self.call::<InvoiceBody>("invoices.get", request).await)?;
        Ok(body.map(Invoice::from))
    }

    async fn find(&self, request_id: Uuid, payment_id: Uuid) -> Result<Vec<Invoice>, GatewayError> {
        let external_id = payment_id.to_string();
        let query = [("external_id", external_id.as_str())];
        let request = self.request_with(Method::GET, &["v2", "invoices"], &query, request_id);
        let mut found = invoices(self.call("invoices.find", request).await?);
        // Whoever does not know the filter gives everything.
        found.retain(|it| it.external_id == external_id);
        Ok(found)
    }

    async fn expire(&self, request_id: Uuid, id: &str) -> Result<Invoice, GatewayError> {
        let request = self.request(Method::POST, &["invoices", id, "expire!"], request_id);
        let body: InvoiceBody = self.call("invoices.expire", request).await?;
        Ok(body.into())
    }

    async fn paid_since(
        &self,
        request_id: Uuid,
        since: Timestamp,
        after: Option<&str>,
    ) -> Result<Vec<Invoice>, GatewayError> {
        let (since, limit) = (since.to_string(), PAGE.to_string());
        let mut query = vec![
            ("statuses", "PAID"),
            ("statuses", "SETTLED"),
            ("paid_after", since.as_str()),
            ("limit", limit.as_str()),
        ];
        query.extend(after.map(|id| ("last_invoice", id)));
        let request = self.request_with(Method::GET, &["v2", "invoices"], &query, request_id);
        Ok(invoices(self.call("invoices.paid", request).await?))
    }

    async fn refund(
        &self,
        request_id: Uuid,
        refund: &NewRefund<'_>,
    ) -> Result<Refund, GatewayError> {
        let body = CreateRefund {
            invoice_id: refund.invoice_id,
            amount: refund.amount,
            currency: "IDR",
            reason: refund.reason,
            reference_id: refund.refund_id.to_string(),
        };
        let request = self
            .request(Method::POST, &["refunds"], request_id)
            .header("idempotency-key", refund.refund_id.to_string());
        let made: RefundBody = self
            .call("refunds.create", with_json(request, &body)?)
            .await?;
        Ok(made.into())
    }

    async fn get_refund(&self, request_id: Uuid, id: &str) -> Result<Option<Refund>, GatewayError> {
        let request = self.request(Method::GET, &["refunds", id], request_id);
        let body = found(self.call::<RefundBody>("refunds.get", request).await)?;
        Ok(body.map(Refund::from))
    }
}
