//! Reads what Xendit's webhooks said, and settles it: once each, whatever crashes when.
//!
//! An event may come before our own row is there to be seen: what is unknown is looked for again for an
//! hour, and then left as a dead letter, for somebody to see.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::jobs::{Attempt, Backoff, Failure, Handler, Job, Policy};
use halobestie_core::pg::Tx;
use serde::{Deserialize, Serialize};
use tracing::error;
use uuid::Uuid;

use crate::asking::{self, RACES_MAX};
use crate::event::{Event, InvoiceEvent, RefundEvent};
use crate::refunding::{self, Told};
use crate::settling::{self, News, Settled};
use crate::state::State;
use crate::store::events::{self, Unsettled};

/// Reads a webhook that is stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct ReadWebhook {
    /// Ours, not Xendit's.
    pub(crate) id: Uuid,
}

impl Job for ReadWebhook {
    const KIND: &'static str = "read-webhook";
    const POLICY: Policy = Policy {
        attempts_max: 20,
        backoff: Backoff {
            first: Duration::from_secs(1),
            factor: 2.0,
            max: Duration::from_secs(600),
            jitter: 0.2,
        },
        timeout: Duration::from_secs(60),
        // Each has a transaction open, and requests want connections too.
        concurrency: 4,
        ..Policy::DEFAULT
    };
}

/// How long what is unknown may become known.
const UNKNOWN_MAX: Duration = Duration::from_secs(3600);
/// Looked for again after a fraction of its age, within these.
const LOOK_FIRST: Duration = Duration::from_secs(1);
const LOOK_MAX: Duration = Duration::from_secs(300);

/// Who reads webhooks.
pub(crate) fn reading(state: Arc<State>) -> Handler {
    Handler::new(move |attempt: Attempt<ReadWebhook>| {
        let state = state.clone();
        async move { read(&state, attempt).await }
    })
}

async fn read(state: &State, attempt: Attempt<ReadWebhook>) -> Result<(), Failure> {
    let id = attempt.payload.id;
    let Some(webhook) = events::find_unsettled(&state.db, id).await? else {
        return Ok(());
    };
    let step = match Event::read(&webhook.body).map_err(Failure::give_up)? {
        Event::Invoice(event) => invoice(state, &attempt, event).await?,
        Event::Refund(event) => refund(state, &attempt, &event).await?,
        Event::Other { .. } => Step::End("ignored"),
    };
    match step {
        Step::Settled => Ok(()),
        Step::End(outcome) => end(state, &attempt, outcome).await,
        Step::Unknown => unknown(state, &attempt, &webhook).await,
    }
}

/// How far an event was brought.
enum Step {
    /// To its end, in the transaction that settled it.
    Settled,
    /// To this end, which is to be written down.
    End(&'static str),
    /// Nowhere: what it is about is not known here.
    Unknown,
}

async fn invoice(
    state: &State,
    attempt: &Attempt<ReadWebhook>,
    event: InvoiceEvent,
) -> Result<Step, Failure> {
    let Some(news) = News::of_event(event) else {
        return Ok(Step::Unknown);
    };
    for _ in 0..RACES_MAX {
        if let Some(step) = settle(state, attempt, &news).await? {
            return Ok(step);
        }
    }
    Err("the payment was changed at the same time, again and again".into())
}

/// Settles once. None: somebody else changed the payment meanwhile, so it is to be settled again.
async fn settle(
    state: &State,
    attempt: &Attempt<ReadWebhook>,
    news: &News,
) -> Result<Option<Step>, Failure> {
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    let step = match settling::settle(state, &tx, news).await? {
        Settled::Changed(row, after) => {
            commit(state, tx, attempt, "applied").await?;
            drop(client);
            settling::finish(state, &row, after).await;
            Step::Settled
        }
        Settled::Nothing => {
            commit(state, tx, attempt, "repeated").await?;
            Step::Settled
        }
        Settled::Unknown => Step::Unknown,
        Settled::Raced => return Ok(None),
        Settled::Ask => {
            drop(tx);
            drop(client);
            let asked = asking::ask(state, news.payment_id, attempt.id).await;
            asked.map_err(asking::AskError::into_failure)?;
            Step::End("asked")
        }
    };
    Ok(Some(step))
}

async fn refund(
    state: &State,
    attempt: &Attempt<ReadWebhook>,
    event: &RefundEvent,
) -> Result<Step, Failure> {
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    let (told, after) = refunding::told(state, &tx, event, state.now()).await?;
    if told == Told::Unknown {
        return Ok(Step::Unknown);
    }
    commit(state, tx, attempt, "applied").await?;
    drop(client);
    after.run().await;
    Ok(Step::Settled)
}

/// Ends the job, the webhook and what it changed together.
async fn commit(
    state: &State,
    tx: Tx<'_>,
    attempt: &Attempt<ReadWebhook>,
    outcome: &str,
) -> Result<(), Failure> {
    events::settle(&tx, attempt.payload.id, outcome, state.now()).await?;
    attempt.done_in(&tx).await?;
    tx.commit().await?;
    state.meters.events.with_label_values(&[outcome]).inc();
    Ok(())
}

async fn end(state: &State, attempt: &Attempt<ReadWebhook>, outcome: &str) -> Result<(), Failure> {
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    commit(state, tx, attempt, outcome).await
}

async fn unknown(
    state: &State,
    attempt: &Attempt<ReadWebhook>,
    webhook: &Unsettled,
) -> Result<(), Failure> {
    let (now, cause) = (state.now(), "no payment of ours");
    let age = now.since(webhook.received_at);
    if age < UNKNOWN_MAX {
        return Err(Failure::not_yet(age.clamp(LOOK_FIRST, LOOK_MAX), cause));
    }
    events::settle(&state.db, attempt.payload.id, "unknown", now).await?;
    state.meters.events.with_label_values(&["unknown"]).inc();
    error!(webhook.id = %attempt.payload.id, "an event of xendit is about nothing that is known here");
    Err(Failure::give_up(cause))
}
