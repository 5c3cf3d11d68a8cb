//! The page behind an invoice's link: what a customer may do, and what customers do wrong.

use std::fmt::Write;

use halobestie_core::http::html::escape;
use http::StatusCode;

use super::Site;
use super::html::{clock_time, page, rupiah, sorry};
use crate::upstream::Answer;
use crate::xendit::{Channel, Invoice};

/// The buttons beside the one that pays: action and label.
const WAYS: &[(&str, &str)] = &[
    ("pay_twice", "Pay twice"),
    ("pay_wrong_amount", "Pay the wrong amount"),
    ("partial", "Pay half"),
    ("pay_late", "Let it expire, then pay"),
    ("expire", "Let it expire"),
];

impl Site {
    pub(super) fn pay_page(&self, id: &str) -> Answer {
        match self.xendit.invoice(id) {
            Some(invoice) => page("Invoice", &body(&invoice), false),
            None => sorry(StatusCode::NOT_FOUND, "There is no such invoice."),
        }
    }
}

fn body(invoice: &Invoice) -> String {
    let mut body = format!(
        "<div class=\"card\"><span class=\"amount\">{}</span><br>\
         <span class=\"tag\">{}</span><p>{}</p><small>{} · until {}</small></div>",
        rupiah(invoice.amount),
        escape(&invoice.status),
        escape(invoice.request["description"].as_str().unwrap_or_default()),
        escape(&invoice.external_id),
        clock_time(invoice.expires),
    );
    for payment in &invoice.payments {
        let _ = write!(
            body,
            "<p>Paid {} by {} {}</p>",
            rupiah(payment.amount),
            payment.channel.title(),
            clock_time(payment.at)
        );
    }
    body += &buttons();
    body + &ways_back(invoice)
}

fn buttons() -> String {
    let channels: String = Channel::ALL
        .iter()
        .map(|it| format!("<option value=\"{}\">{}</option>", it.name(), it.title()))
        .collect();
    let ways: String = WAYS
        .iter()
        .map(|(action, label)| {
            format!("<button name=\"action\" value=\"{action}\">{label}</button>")
        })
        .collect();
    format!(
        "<form method=\"post\"><select name=\"channel\" aria-label=\"Way to pay\">{channels}</select>\
         <button class=\"main\" name=\"action\" value=\"pay\">Pay</button></form>\
         <form method=\"post\">{ways}</form>"
    )
}

/// Links to where the merchant wants customers sent. Following one proves nothing, as in reality.
fn ways_back(invoice: &Invoice) -> String {
    let fields = [
        ("success_redirect_url", "Back to the merchant: paid"),
        ("failure_redirect_url", "Back to the merchant: failed"),
    ];
    let mut links = String::new();
    for (field, label) in fields {
        if let Some(url) = invoice.request[field].as_str() {
            let _ = write!(links, "<p><a href=\"{}\">{label}</a></p>", escape(url));
        }
    }
    links
}
