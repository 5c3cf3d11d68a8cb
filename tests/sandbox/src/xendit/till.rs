//! What customers, time and Xendit's own people do: pay, let expire, end refunds; and the webhooks
//! that come of it. The buttons of the pages and the methods for tests are the same.

use super::Xendit;
use super::book::Unable;
use super::channel::Channel;
use super::invoice::{Invoice, Payment};
use super::refund::Refund;
use super::webhook::{Forged, Outcome, Webhook};

/// A failed refund's reason, where nobody says another.
const USUAL_FAILURE: &str = "REFUND_FAILED";

impl Xendit {
    /// All invoices, oldest first.
    pub fn invoices(&self) -> Vec<Invoice> {
        self.api()
            .with_book(|book, _| book.invoices.iter().cloned().collect())
    }

    /// An invoice by Xendit's id.
    pub fn invoice(&self, id: &str) -> Option<Invoice> {
        self.api()
            .with_book(|book, _| book.invoices.get(id).cloned())
    }

    /// The invoices that carry this id of the caller's, oldest first.
    pub fn invoices_of(&self, external_id: &str) -> Vec<Invoice> {
        let mut invoices = self.invoices();
        invoices.retain(|it| it.external_id == external_id);
        invoices
    }

    /// All refunds, oldest first.
    pub fn refunds(&self) -> Vec<Refund> {
        self.api()
            .with_book(|book, _| book.refunds.iter().cloned().collect())
    }

    /// A customer pays the whole amount by e-wallet. An invoice that is expired or paid takes it too, as
    /// in reality.
    ///
    /// # Panics
    /// When there is no such invoice; so do all of these methods that do not return a `Result`.
    #[track_caller]
    pub fn pay(&self, id: &str) -> Payment {
        self.pay_by(id, Channel::Dana)
    }

    /// A customer pays the whole amount this way. Virtual accounts and counters cannot be refunded.
    #[track_caller]
    pub fn pay_by(&self, id: &str, channel: Channel) -> Payment {
        must(self.try_pay(id, channel, None))
    }

    /// A customer pays another amount, and the invoice counts as paid: events say both amounts.
    #[track_caller]
    pub fn pay_wrong_amount(&self, id: &str, amount: i64) -> Payment {
        must(self.try_pay(id, Channel::Dana, Some(amount)))
    }

    /// A customer pays twice: two payments, two events.
    #[track_caller]
    pub fn pay_twice(&self, id: &str) -> [Payment; 2] {
        [self.pay(id), self.pay(id)]
    }

    /// A customer pays when the invoice has expired: it expires now if it had not.
    #[track_caller]
    pub fn pay_late(&self, id: &str) -> Payment {
        // It may have expired, or been paid, by itself.
        let _ = self.try_expire(id);
        self.pay(id)
    }

    /// A customer pays a part; the invoice stays pending, and an event tells of the part.
    #[track_caller]
    pub fn partial(&self, id: &str, amount: i64) -> Payment {
        must(self.try_partial(id, amount))
    }

    /// The invoice expires now, as if its time were over.
    #[track_caller]
    pub fn expire(&self, id: &str) {
        must(self.try_expire(id));
    }

    /// Gives an invoice any status, and tells nobody.
    #[track_caller]
    pub fn set_status(&self, id: &str, status: &str) {
        let set = self.api().with_book(|book, now| {
            let invoice = book.invoices.get_mut(id).ok_or(Unable::Unknown)?;
            (invoice.status, invoice.updated) = (status.to_owned(), now);
            Ok(())
        });
        must(set);
    }

    /// A refund reaches its channel.
    #[track_caller]
    pub fn succeed_refund(&self, id: &str) {
        must(self.try_end_refund(id, None));
    }

    /// A refund fails with this code: `ACCOUNT_NOT_FOUND`, `INSUFFICIENT_BALANCE`, `REFUND_FAILED` …
    #[track_caller]
    pub fn fail_refund(&self, id: &str, failure_code: &str) {
        must(self.try_end_refund(id, Some(failure_code)));
    }

    /// Whether events of refunds come as an envelope within an envelope, as in some of the vendor's
    /// samples.
    pub fn nest_refund_events(&self, nested: bool) {
        self.api().with_book(|book, _| book.nested = nested);
    }

    /// What the event about this invoice as it is would say: to be changed and sent by
    /// [`Xendit::forge`].
    #[track_caller]
    pub fn event(&self, id: &str) -> serde_json::Value {
        let invoice = must(self.invoice(id).ok_or(Unable::Unknown));
        invoice.event(invoice.payments.last())
    }

    /// Pays; `amount`: what the invoice asks for, if none.
    pub(crate) fn try_pay(
        &self,
        id: &str,
        channel: Channel,
        amount: Option<i64>,
    ) -> Result<Payment, Unable> {
        let till = self.api().till();
        self.api().with_book(|book, _| {
            let invoice = book.invoices.get(id).ok_or(Unable::Unknown)?;
            let payment = till.payment(amount.unwrap_or(invoice.amount), channel);
            book.receive(id, payment.clone())?;
            Ok(payment)
        })
    }

    pub(crate) fn try_partial(&self, id: &str, amount: i64) -> Result<Payment, Unable> {
        let payment = self.api().till().payment(amount, Channel::Bca);
        let taken = payment.clone();
        self.api()
            .with_book(|book, _| book.receive_part(id, taken))?;
        Ok(payment)
    }

    pub(crate) fn try_expire(&self, id: &str) -> Result<(), Unable> {
        self.api().with_book(|book, now| book.expire(id, now))
    }

    /// `failure`: why it fails; an empty one is the usual one.
    pub(crate) fn try_end_refund(&self, id: &str, failure: Option<&str>) -> Result<(), Unable> {
        let failure = failure.map(|it| if it.is_empty() { USUAL_FAILURE } else { it });
        self.api()
            .with_book(|book, now| book.end_refund(id, failure, now))
    }

    /// Where webhooks go from now on.
    pub fn set_webhook_url(&self, url: &str) {
        self.set_webhook_urls(&[url]);
    }

    /// Where webhooks go from now on, in turns.
    pub fn set_webhook_urls(&self, urls: &[&str]) {
        let urls = urls.iter().map(|it| (*it).to_owned()).collect();
        self.courier().configure(|it| it.urls = urls);
    }

    /// Changes how webhooks are delivered.
    pub fn configure_delivery(&self, change: impl FnOnce(&mut super::Delivery)) {
        self.courier().configure(change);
    }

    /// All webhooks with their attempts, oldest first.
    pub fn webhooks(&self) -> Vec<Webhook> {
        self.courier().webhooks()
    }

    /// The webhooks about an invoice or refund.
    pub fn webhooks_about(&self, id: &str) -> Vec<Webhook> {
        let mut webhooks = self.webhooks();
        webhooks.retain(|it| it.about == id);
        webhooks
    }

    /// Keeps back every webhook from now on, those that wait for their next attempt included.
    pub fn hold_webhooks(&self) {
        self.courier().hold();
    }

    /// Sends what was held, oldest first, each when the one before was answered; and from now on all
    /// by itself.
    pub async fn release_webhooks(&self) {
        for id in self.courier().release() {
            self.courier().deliver(&id).await;
        }
    }

    /// The same, newest first.
    pub async fn release_webhooks_backwards(&self) {
        for id in self.courier().release().iter().rev() {
            self.courier().deliver(id).await;
        }
    }

    /// Drops what is held: nobody will hear of it. Returns how many.
    pub fn lose_held_webhooks(&self) -> usize {
        self.courier().lose_held()
    }

    /// Sends a webhook once more, as the dashboard's button does: the same id, the same body.
    /// None: it is forgotten.
    pub async fn resend(&self, webhook_id: &str) -> Option<Outcome> {
        self.courier().deliver(webhook_id).await
    }

    /// Posts anything to the webhook's URL: a wrong token, no id, another type, no JSON.
    pub async fn forge(&self, forged: Forged) -> Outcome {
        self.courier().forge(forged).await
    }
}

#[track_caller]
fn must<T>(outcome: Result<T, Unable>) -> T {
    outcome.unwrap_or_else(|unable| panic!("the sandbox's Xendit cannot: {unable}"))
}
