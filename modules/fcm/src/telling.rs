//! From what happened to the devices that hear of it: the job `tell-devices`.
//!
//! A row for each device is written in the transaction that ends the job, so a crash between them makes
//! neither two of a push nor none.

use std::collections::HashMap;
use std::sync::Arc;

use halobestie_core::Timestamp;
use halobestie_core::clock::Clock;
use halobestie_core::jobs::{Attempt, Failure, Handler, Jobs, NewJob};
use halobestie_core::pg::{Db, DbError};
use halobestie_core::ports::{Arrival, ChatNews, Late, News, Notice, Side};
use uuid::Uuid;

use crate::jobs::{SendPush, TellDevices};
use crate::meters::Meters;
use crate::store;
use crate::worth;

/// Finds the devices.
pub(crate) struct Teller {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) jobs: Jobs,
    pub(crate) chat_news: Late<dyn ChatNews>,
    pub(crate) meters: Arc<Meters>,
}

impl Teller {
    /// Who does the job.
    pub(crate) fn handler(self: Arc<Self>) -> Handler {
        Handler::new(move |attempt: Attempt<TellDevices>| {
            let teller = self.clone();
            async move { teller.tell(attempt).await }
        })
    }

    async fn tell(&self, attempt: Attempt<TellDevices>) -> Result<(), Failure> {
        let (at, now) = (attempt.payload.at, self.clock.now());
        let worthwhile = attempt.payload.notices.iter();
        let worthwhile = worthwhile.filter(|it| now < worth::ends(&it.news, at));
        let notices = self.still_news(worthwhile.cloned().collect()).await?;
        let user_ids: Vec<Uuid> = notices.iter().map(|it| it.user_id).collect();
        let devices = match user_ids.is_empty() {
            true => Vec::new(),
            false => store::ids_of_users(&self.db, &user_ids).await?,
        };
        if devices.is_empty() {
            return Ok(());
        }
        let pushes = pushes(at, &notices, &devices);
        let jobs = pushes.iter().cloned().map(job);
        let mut client = self.db.client().await?;
        let tx = client.begin().await?;
        let enqueued = self.jobs.enqueue_all(&tx, jobs).await?;
        attempt.done_in(&tx).await?;
        tx.commit().await?;
        drop(client);
        enqueued.run().await;
        pushes
            .iter()
            .for_each(|it| self.meters.count_queued(&it.news));
        Ok(())
    }

    /// Leaves out messages that were acknowledged; of those of a session the last one tells of all.
    async fn still_news(&self, notices: Vec<Notice>) -> Result<Vec<Notice>, DbError> {
        let mut last: HashMap<Side, i64> = HashMap::new();
        let mut rest = Vec::with_capacity(notices.len());
        for notice in notices {
            let News::MessageNew { session_id, seq } = notice.news else {
                rest.push(notice);
                continue;
            };
            let user_id = notice.user_id;
            let side = Side {
                session_id,
                user_id,
            };
            let known = last.entry(side).or_insert(seq);
            *known = seq.max(*known);
        }
        let arrivals: Vec<Arrival> = last
            .into_iter()
            .map(|(side, seq)| Arrival { side, seq })
            .collect();
        // Without anybody who knows of messages, there is nothing to say of them.
        if let Some(chat_news) = self.chat_news.get()
            && !arrivals.is_empty()
        {
            let unheard = chat_news.unacknowledged(&arrivals).await?;
            rest.extend(unheard.into_iter().map(notice));
        }
        Ok(rest)
    }
}

fn notice(arrival: Arrival) -> Notice {
    let Arrival { side, seq } = arrival;
    Notice {
        user_id: side.user_id,
        news: News::MessageNew {
            session_id: side.session_id,
            seq,
        },
    }
}

/// A push for each device of each notice's person.
fn pushes(at: Timestamp, notices: &[Notice], devices: &[(Uuid, Uuid)]) -> Vec<SendPush> {
    let mut by_user: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for (user_id, device_id) in devices {
        by_user.entry(*user_id).or_default().push(*device_id);
    }
    let mut pushes = Vec::new();
    for notice in notices {
        for device_id in by_user.get(&notice.user_id).into_iter().flatten() {
            pushes.push(SendPush {
                device_id: *device_id,
                at,
                news: notice.news.clone(),
            });
        }
    }
    pushes
}

/// A push of messages that still waits tells of later ones too: it reads what is unread when it is sent.
/// One that is being sent has read it seconds after the later one was written.
fn job(push: SendPush) -> NewJob<SendPush> {
    let ends = worth::ends(&push.news, push.at);
    let key = match &push.news {
        News::MessageNew { session_id, .. } => Some(format!("{}:{session_id}", push.device_id)),
        _ => None,
    };
    let job = NewJob::of(push).deadline(ends);
    match key {
        Some(key) => job.key(key),
        None => job,
    }
}
