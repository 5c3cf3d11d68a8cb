//! What was sent, as cards: the newest first, so many of each.

use halobestie_core::http::html::escape;
use http::StatusCode;

use super::Site;
use super::html::{button, cards, clock_time, page, rupiah, sorry};
use crate::fazpass::Message;
use crate::google::Push;
use crate::upstream::{Answer, RecordedCall};
use crate::xendit::{Invoice, Refund, State, Webhook};

/// Of each kind on the first page, and on its own.
const FEW: usize = 5;
const MANY: usize = 100;

impl Site {
    pub(super) fn home(&self) -> Answer {
        let sections = [
            (
                "Codes",
                cards(self.newest(self.fazpass.messages(), FEW).map(code)),
            ),
            (
                "Invoices",
                cards(self.newest(self.xendit.invoices(), FEW).map(invoice)),
            ),
            (
                "Refunds",
                cards(self.newest(self.xendit.refunds(), FEW).map(refund)),
            ),
            (
                "Webhooks",
                cards(self.newest(self.xendit.webhooks(), FEW).map(webhook)),
            ),
            (
                "Pushes",
                cards(self.newest(self.google.pushes(), FEW).map(push)),
            ),
        ];
        let mut body =
            "<p>What the server sent to the world, and the world's side of it.</p>".to_owned();
        for (title, list) in sections {
            body += &format!("<h2>{title}</h2>{list}");
        }
        page("Sandbox", &body, true)
    }

    pub(super) fn codes(&self) -> Answer {
        let list = cards(self.newest(self.fazpass.messages(), MANY).map(code));
        page("Codes", &list, true)
    }

    pub(super) fn invoices(&self) -> Answer {
        let list = cards(self.newest(self.xendit.invoices(), MANY).map(invoice));
        page("Invoices", &list, true)
    }

    pub(super) fn refunds(&self) -> Answer {
        let list = cards(self.newest(self.xendit.refunds(), MANY).map(refund));
        page("Refunds", &list, true)
    }

    pub(super) fn webhooks(&self) -> Answer {
        let actions = [
            ("hold", "Hold all back"),
            ("release", "Release"),
            ("release_backwards", "Release backwards"),
            ("lose", "Lose what is held"),
        ];
        let buttons: String = actions
            .iter()
            .map(|(action, label)| button("/webhooks", action, label))
            .collect();
        let list = cards(self.newest(self.xendit.webhooks(), MANY).map(webhook));
        page("Webhooks", &format!("{buttons}{list}"), true)
    }

    pub(super) fn pushes(&self) -> Answer {
        let list = cards(self.newest(self.google.pushes(), MANY).map(push));
        page("Pushes", &list, true)
    }

    pub(super) fn device(&self, token: &str) -> Answer {
        let pushes = self.google.pushes_to(token);
        if pushes.is_empty() {
            return sorry(StatusCode::NOT_FOUND, "Nothing was sent to this device.");
        }
        let list = cards(self.newest(pushes, MANY).map(push_in_full));
        let about = format!("<p><code>{}</code></p>{list}", escape(token));
        page("Device", &about, true)
    }

    pub(super) fn calls(&self) -> Answer {
        let services = [
            ("Fazpass", self.fazpass.calls()),
            ("Xendit", self.xendit.calls()),
            ("Google", self.google.calls()),
        ];
        let mut body = String::new();
        for (title, calls) in services {
            let list = cards(self.newest(calls, MANY).map(call));
            body += &format!("<h2>{title}</h2>{list}");
        }
        page("Calls", &body, true)
    }

    #[expect(clippy::unused_self, reason = "reads like the question that it is")]
    fn newest<T>(&self, items: Vec<T>, count: usize) -> impl Iterator<Item = T> + use<T> {
        items.into_iter().rev().take(count)
    }
}

fn code(message: Message) -> String {
    format!(
        "<span class=\"code\">{}</span><br>{} <span class=\"tag\">{}</span> {}",
        escape(&message.code),
        escape(&message.to),
        message.channel.as_str(),
        clock_time(message.at)
    )
}

fn invoice(invoice: Invoice) -> String {
    format!(
        "<a href=\"/pay/{id}\">{}</a> {} {}<br><small>{} · {id}</small>",
        rupiah(invoice.amount),
        tag(&invoice.status),
        clock_time(invoice.created),
        escape(&invoice.external_id),
        id = escape(&invoice.id),
    )
}

fn refund(refund: Refund) -> String {
    let path = format!("/refunds/{}", refund.id);
    let buttons = if refund.is_pending() {
        let succeed = button(&path, "succeed", "Let it succeed");
        succeed + &button(&path, "fail", "Let it fail")
    } else {
        String::new()
    };
    format!(
        "{} {} {}<br><small>{} · {} · {}</small>{buttons}",
        rupiah(refund.amount),
        tag(&refund.status),
        clock_time(refund.created),
        escape(&refund.reason),
        escape(&refund.id),
        escape(&refund.invoice_id),
    )
}

fn webhook(webhook: Webhook) -> String {
    let state = match webhook.state {
        State::Held => "held back",
        State::Waiting => "waiting",
        State::Delivered => "delivered",
        State::GivenUp => "given up",
    };
    let attempts: Vec<_> = webhook
        .attempts
        .iter()
        .map(|it| format!("{} {}", clock_time(it.at), escape(&it.outcome.to_string())))
        .collect();
    format!(
        "{} {} {}<br><small>about {}</small><br>{}{}",
        escape(&webhook.what),
        tag(state),
        clock_time(webhook.at),
        escape(&webhook.about),
        attempts.join("<br>"),
        button(&format!("/webhooks/{}", webhook.id), "resend", "Send again"),
    )
}

fn push(push: Push) -> String {
    let title = push.title().or(push.data("type")).unwrap_or("data only");
    let short: String = push.target.chars().take(24).collect();
    format!(
        "<b>{}</b> {}<br>{}<br><small><a href=\"/devices/{}\">{}…</a></small> {}{}{}",
        escape(title),
        clock_time(push.at),
        escape(push.body().unwrap_or_default()),
        escape(&push.target),
        escape(&short),
        labelled("priority", push.priority()),
        labelled("ttl", push.ttl()),
        labelled("collapse", push.collapse_key()),
    )
}

fn push_in_full(it: Push) -> String {
    let message = format!("{:#}", it.message);
    format!("{}<pre>{}</pre>", push(it), escape(&message))
}

fn call(call: RecordedCall) -> String {
    let status = call
        .status
        .map_or("no answer".to_owned(), |it| it.to_string());
    format!(
        "{} {} {} <br><code>{} {}</code><br><code>{}</code>",
        escape(call.operation),
        tag(&status),
        clock_time(call.at),
        escape(&call.method),
        escape(&call.path),
        escape(&call.body),
    )
}

fn labelled(label: &str, value: Option<&str>) -> String {
    value.map_or(String::new(), |it| tag(&format!("{label} {it}")) + " ")
}

fn tag(text: &str) -> String {
    format!("<span class=\"tag\">{}</span>", escape(text))
}
