//! What can be found out about Fazpass without sending anybody a message.
//!
//! It is asked about a code that was never made. The answer is a no, and it tells whether Fazpass is
//! there and takes the merchant key. The gateway key, and whether messages arrive, can only be found
//! out by sending one.

use std::sync::Arc;

use halobestie_core::doctor::{Examination, Finding, with_causes};
use halobestie_core::outbound::reqwest::StatusCode;

use crate::carrier::{CallFailed, Carrier};
use crate::wire::{Answer, Verify};

const OF_NOBODY: Verify<'_> = Verify {
    otp_id: "00000000-0000-0000-0000-000000000000",
    otp: "000000",
};

/// The examination.
pub(crate) fn examination(carrier: Arc<Carrier>) -> Examination {
    Examination::new(
        "fazpass",
        "whether Fazpass is there and knows us",
        move || {
            let carrier = carrier.clone();
            async move { found(&carrier, carrier.call("/verify", &OF_NOBODY, None).await) }
        },
    )
    .within(std::time::Duration::from_secs(20))
}

fn found(carrier: &Carrier, outcome: Result<Answer, CallFailed>) -> Finding {
    let place = carrier.base_url();
    let answer = match outcome {
        Ok(answer) => answer,
        Err(error) => {
            return Finding::problem(
                format!("{place}: {}", with_causes(&error)),
                "nobody can sign in by phone meanwhile: check FAZPASS_BASE_URL, and whether this machine \
                 may reach it; Fazpass may have to allow its address",
            );
        }
    };
    match answer.status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Finding::problem(
            format!("{place} refuses us: {}", answer.in_words()),
            "check FAZPASS_MERCHANT_KEY, and whether Fazpass allows this machine's address",
        ),
        status if status.is_server_error() || status.is_redirection() => Finding::problem(
            format!("{place} answers {}", answer.in_words()),
            "check FAZPASS_BASE_URL; if it is right, Fazpass has trouble of its own",
        ),
        _ => Finding::ok(format!(
            "{place} answers and takes the merchant key; the gateway key is first tried by a message"
        )),
    }
}
