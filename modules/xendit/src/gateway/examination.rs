//! What the doctor looks at: whether Xendit is there and takes the key, by a read that changes nothing.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::doctor::{Examination, Finding, with_causes};
use uuid::Uuid;

use super::client::Client;
use super::failure::GatewayError;
use super::{Gateway, Invoice};

/// The examination.
pub(crate) fn examination(client: Arc<Client>, webhook_url: String) -> Examination {
    Examination::new(
        "xendit",
        "whether Xendit is there and knows us",
        move || {
            let (client, webhook_url) = (client.clone(), webhook_url.clone());
            async move {
                let nothing = client.find(Uuid::nil(), Uuid::nil()).await;
                found(&client, nothing, &webhook_url)
            }
        },
    )
    .within(Duration::from_secs(25))
}

fn found(
    client: &Client,
    outcome: Result<Vec<Invoice>, GatewayError>,
    webhook_url: &str,
) -> Finding {
    let place = client.place();
    match outcome {
        Ok(_) => Finding::ok(format!(
            "{place} answers and takes the key; by hand: set {webhook_url} in Xendit's dashboard for \
             invoices and refunds, and send a test from there"
        )),
        Err(
            error @ GatewayError::Refused {
                status: 401 | 403, ..
            },
        ) => Finding::problem(
            format!("{place}: {}", with_causes(&error)),
            "check XENDIT_SECRET_KEY, its permissions, and whether Xendit allows this machine's address",
        ),
        Err(GatewayError::Busy { .. }) => Finding::ok(format!("{place} answers, and is busy")),
        Err(error) => Finding::problem(
            format!("{place}: {}", with_causes(&error)),
            "nobody can pay meanwhile: check XENDIT_BASE_URL, and whether this machine may reach it",
        ),
    }
}
