//! The comparison with Xendit: what waits here is asked for there, and what was paid there is looked for
//! here. So no webhook has to arrive for a payment to be settled.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use halobestie_core::BoxError;
use halobestie_core::Timestamp;
use halobestie_core::sweep::Swept;
use tracing::{error, warn};
use uuid::Uuid;

use crate::asking::{self, AskError};
use crate::gateway::{GatewayError, Invoice, InvoiceStatus, PAGE};
use crate::settling::News;
use crate::state::State;
use crate::store::{events, payments};

/// Payments that are looked at by one step.
const BATCH: usize = 48;
/// As many of them at a time as Xendit is called.
const SIDE_BY_SIDE: usize = 8;
/// A payment that is younger than this is still being settled by its own event.
const YOUNG: Duration = Duration::from_secs(60);
/// The comparison of what was paid overlaps with the one before by this: Xendit's lists may lag.
const OVERLAP: Duration = Duration::from_secs(600);
/// For so long another replica's comparison does for all.
const AUDIT_PAUSE: Duration = Duration::from_secs(30);
/// How far back the first one looks.
const FIRST: Duration = Duration::from_secs(24 * 3600);
/// Pages of paid invoices that one step reads.
const PAGES_MAX: usize = 20;

/// Asks Xendit about a batch of payments that are not settled.
///
/// # Errors
/// When Postgres does not answer, or Xendit answered for none of them.
pub(crate) async fn compare_waiting(state: &State) -> Result<Swept, BoxError> {
    let now = state.now();
    let limit = i64::try_from(BATCH)?;
    let rows = payments::take_unsettled(&state.db, now - YOUNG, limit, now).await?;
    let (taken, mut changed, mut failure) = (rows.len(), 0, None);
    let asked = stream::iter(rows).map(|row| async move {
        let version = row.version;
        let asked = asking::ask(state, row.id, row.id).await;
        asked.map(|now| now.is_some_and(|now| now.version != version))
    });
    let mut asked = asked.buffer_unordered(SIDE_BY_SIDE);
    while let Some(outcome) = asked.next().await {
        match outcome {
            Ok(is_changed) => changed += u64::from(is_changed),
            Err(AskError::Gateway(GatewayError::Busy { .. })) => return Ok(Swept::done(changed)),
            Err(error) => failure = Some(error),
        }
    }
    match failure {
        Some(error) => Err(error.into()),
        None => Ok(Swept {
            changed,
            more: taken == BATCH,
        }),
    }
}

/// Looks for everything that was paid at Xendit since the last time: settles what is known here, and
/// tells of what is not.
///
/// # Errors
/// When Xendit or Postgres does not answer.
pub(crate) async fn compare_paid(state: &State) -> Result<u64, AskError> {
    let now = state.now();
    let begun = events::begin_audit(&state.db, now - AUDIT_PAUSE, now - FIRST, now);
    let Some(until) = begun.await? else {
        return Ok(0);
    };
    let since = until - OVERLAP;
    let mut changed = 0;
    let mut last: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let page = state
            .gateway
            .paid_since(Uuid::nil(), since, last.as_deref());
        let page = page.await?;
        changed += compare_page(state, &page, now).await?;
        last = page.last().map(|it| it.id.clone());
        if page.len() < PAGE {
            events::end_audit(&state.db, now).await?;
            return Ok(changed);
        }
    }
    warn!("more was paid at xendit than is compared at once");
    Ok(changed)
}

async fn compare_page(state: &State, page: &[Invoice], now: Timestamp) -> Result<u64, AskError> {
    let paid = |it: &&Invoice| it.status == InvoiceStatus::Paid;
    // What has no id of our kind was made by somebody else with the same account.
    let ours: Vec<(Uuid, &Invoice)> = page
        .iter()
        .filter(paid)
        .filter_map(|it| Some((it.payment_id()?, it)))
        .collect();
    let ids: Vec<Uuid> = ours.iter().map(|(id, _)| *id).collect();
    let known = payments::known_of(&state.db, &ids).await?;
    let mut changed = 0;
    for (id, invoice) in ours {
        match known.iter().find(|known| known.id == id) {
            None => stray(state, invoice, now).await?,
            Some(known) if known.received > 0 => {}
            // A young one's event is on its way.
            Some(known) if invoice.paid_at.unwrap_or(known.created_at) + YOUNG > now => {}
            Some(_) => changed += settle(state, invoice).await?,
        }
    }
    Ok(changed)
}

async fn settle(state: &State, invoice: &Invoice) -> Result<u64, AskError> {
    let Some(news) = News::of_invoice(invoice) else {
        return Ok(0);
    };
    let is_changed = asking::settle(state, &news).await?;
    if is_changed {
        state
            .meters
            .found
            .with_label_values(&["paid_unheard"])
            .inc();
        warn!(payment.id = %news.payment_id, "paid at xendit, and no event told of it");
    }
    Ok(u64::from(is_changed))
}

async fn stray(state: &State, invoice: &Invoice, now: Timestamp) -> Result<(), AskError> {
    let amount = invoice.amount.rupiah();
    let names = (invoice.id.as_str(), invoice.external_id.as_str());
    if events::note_stray(&state.db, names.0, names.1, amount, now).await? {
        state.meters.strays.inc();
        error!(
            invoice.id = names.0,
            invoice.external_id = names.1,
            "paid at xendit and unknown here: somebody's money"
        );
    }
    Ok(())
}
