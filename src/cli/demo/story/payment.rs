//! What is to be paid is paid in the sandbox; where nothing is, nothing happens here.

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::cli::demo::PATIENCE;
use crate::cli::demo::fields::{number, says, text};
use crate::cli::demo::narrator::Narrator;
use crate::cli::demo::person::Person;
use crate::cli::demo::sandbox::Sandbox;
use crate::cli::demo::trouble::{SERVER_AT_FAULT, wrong};

const POLL: Duration = Duration::from_millis(250);

/// Whether a session or an extension waits for its payment.
pub(crate) fn is_due(from: &Value) -> bool {
    says(from, "/status", "pending_payment")
}

/// The customer pays; the webhook that follows is the server's to wait for.
pub(crate) async fn the_customer_pays(
    customer: &Person,
    payment: &Value,
    sandbox: Option<&Sandbox>,
    narrator: &mut Narrator,
) -> Result<()> {
    let amount = number(payment, "/amount")?;
    narrator.note(&format!("Rp{amount} are to be paid first"))?;
    let paying = async {
        let Some(sandbox) = sandbox else {
            let advice = "name the sandbox with --sandbox, or start the server with \
                XENDIT_ENABLED=false";
            let expected = "a sandbox where the demo can pay";
            return Err(wrong(expected, "none that is known", advice));
        };
        let invoice_url = invoice_url_of(customer, payment).await?;
        sandbox.pay(&invoice_url).await
    };
    narrator
        .step("the customer pays, in the sandbox", paying)
        .await
}

/// Waits until the payment has its invoice.
async fn invoice_url_of(customer: &Person, payment: &Value) -> Result<String> {
    let path = format!("/api/customer/payments/{}", text(payment, "/id")?);
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let payment = customer.get(path.as_str()).await?;
        if let Some(invoice_url) = payment["invoice_url"].as_str() {
            return Ok(invoice_url.to_owned());
        }
        sleep(POLL).await;
    }
    Err(wrong(
        format!("an invoice within {} s", PATIENCE.as_secs()),
        "a payment without one",
        SERVER_AT_FAULT,
    ))
}
