//! Xendit's Invoice API (v2) and its refunds: which call is made for what.

use async_trait::async_trait;
use halobestie_core::http::exchange::RequestId;
use halobestie_core::outbound::reqwest::Method;
use uuid::Uuid;

use super::client::{Client, with_json};
use super::failure::GatewayError;
use super::wire::{CreateInvoice, CreateRefund, InvoiceBody, RefundBody};
use super::{Gateway, Invoice, NewInvoice, NewRefund, PAGE, PaidWithin, Refund};

#[async_trait]
impl Gateway for Client {
    async fn create(
        &self,
        request_id: &RequestId,
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

    async fn get(&self, request_id: &RequestId, id: &str) -> Result<Option<Invoice>, GatewayError> {
        let request = self.request(Method::GET, &["v2", "invoices", id], request_id);
        let body = found(self.call::<InvoiceBody>("invoices.get", request).await)?;
        Ok(body.map(Invoice::from))
    }

    async fn find(
        &self,
        request_id: &RequestId,
        payment_id: Uuid,
    ) -> Result<Vec<Invoice>, GatewayError> {
        let external_id = payment_id.to_string();
        let query = [("external_id", external_id.as_str())];
        let request = self.request_with(Method::GET, &["v2", "invoices"], &query, request_id);
        let mut found = invoices(self.call("invoices.find", request).await?);
        // Whoever does not know the filter gives everything.
        found.retain(|it| it.external_id == external_id);
        Ok(found)
    }

    async fn expire(&self, request_id: &RequestId, id: &str) -> Result<Invoice, GatewayError> {
        let request = self.request(Method::POST, &["invoices", id, "expire!"], request_id);
        let body: InvoiceBody = self.call("invoices.expire", request).await?;
        Ok(body.into())
    }

    async fn paid(
        &self,
        request_id: &RequestId,
        within: PaidWithin,
        after: Option<&str>,
    ) -> Result<Vec<Invoice>, GatewayError> {
        let (from, until) = (within.from.to_string(), within.until.to_string());
        let limit = PAGE.to_string();
        let mut query = vec![
            ("statuses", "PAID"),
            ("statuses", "SETTLED"),
            ("paid_after", from.as_str()),
            ("paid_before", until.as_str()),
            ("limit", limit.as_str()),
        ];
        query.extend(after.map(|id| ("last_invoice", id)));
        let request = self.request_with(Method::GET, &["v2", "invoices"], &query, request_id);
        Ok(invoices(self.call("invoices.paid", request).await?))
    }

    async fn refund(
        &self,
        request_id: &RequestId,
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

    async fn get_refund(
        &self,
        request_id: &RequestId,
        id: &str,
    ) -> Result<Option<Refund>, GatewayError> {
        let request = self.request(Method::GET, &["refunds", id], request_id);
        let body = found(self.call::<RefundBody>("refunds.get", request).await)?;
        Ok(body.map(Refund::from))
    }
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
