//! The sandbox that stands in for the outside world: codes are read and invoices are paid there.

use anyhow::Result;
use serde_json::json;

use super::address::Address;
use super::client::{Call, Server};
use super::fields::{items, text};
use super::trouble::{SERVER_AT_FAULT, wrong};

/// A running sandbox, by the control of its pages.
pub(crate) struct Sandbox(Server);

impl Sandbox {
    /// The sandbox whose pages are at an address; nothing is sent yet.
    pub(crate) fn at(address: &Address) -> Self {
        Self(Server::at(address))
    }

    /// The code that was sent last to a phone.
    pub(crate) async fn code_for(&self, phone: &str) -> Result<String> {
        let digits = phone.trim_start_matches('+');
        let call = Call::get(format!("/_sandbox/codes?to={digits}"));
        let codes = self.0.send(call, None).await?.expect(200)?;
        let Some(newest) = items(&codes)?.last() else {
            let advice = "see whether the server's FAZPASS_BASE_URL is this sandbox";
            let expected = format!("a code in the sandbox at {}", self.0.address());
            return Err(wrong(expected, "none for this phone", advice));
        };
        Ok(text(newest, "/code")?.to_owned())
    }

    /// Pays an invoice, named by the address where a person would pay it.
    pub(crate) async fn pay(&self, invoice_url: &str) -> Result<()> {
        let Some(id) = invoice_id(invoice_url) else {
            let came = "another address";
            return Err(wrong(
                "an invoice at the sandbox's /pay/",
                came,
                SERVER_AT_FAULT,
            ));
        };
        let call = Call::post(format!("/_sandbox/invoices/{id}")).body(json!({"action": "pay"}));
        self.0.send(call, None).await?.expect(200).map(drop)
    }
}

fn invoice_id(invoice_url: &str) -> Option<&str> {
    let (_, id) = invoice_url.rsplit_once("/pay/")?;
    let is_plain = id
        .bytes()
        .all(|it| it.is_ascii_alphanumeric() || it == b'-');
    (is_plain && !id.is_empty()).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invoice_is_named_by_the_end_of_its_address() {
        let id = invoice_id("http://127.0.0.1:3900/pay/68b6c3f4aa");
        assert_eq!(id, Some("68b6c3f4aa"));
        for refused in [
            "https://checkout.example/web/1",
            "http://127.0.0.1:3900/pay/",
            "http://127.0.0.1:3900/pay/a/../b",
        ] {
            assert_eq!(invoice_id(refused), None, "{refused}");
        }
    }
}
