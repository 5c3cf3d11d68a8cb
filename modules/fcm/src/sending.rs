//! One push to one device: the job `send-push`.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::clock::Clock;
use halobestie_core::jobs::{Attempt, Failure, Handler};
use halobestie_core::pg::Db;
use tracing::info;

use crate::alarm::Alarm;
use crate::desk::{Address, Desk, Found};
use crate::gateway::{Gateway, Unsent};
use crate::jobs::SendPush;
use crate::message::Push;
use crate::meters::{Deleted, Dropped, Meters};
use crate::store;
use crate::wire::{Answer, Meaning};
use crate::words::words;
use crate::worth;

/// When to look again where somebody has to mend something first.
const MENDING: Duration = Duration::from_secs(60);

/// Sends pushes.
pub(crate) struct Sender {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) desk: Desk,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) alarm: Arc<Alarm>,
    pub(crate) meters: Arc<Meters>,
}

impl Sender {
    /// Who does the job.
    pub(crate) fn handler(self: Arc<Self>) -> Handler {
        Handler::new(move |attempt: Attempt<SendPush>| {
            let sender = self.clone();
            async move { sender.send(&attempt.payload).await }
        })
    }

    async fn send(&self, push: &SendPush) -> Result<(), Failure> {
        let address = match self.desk.ask(push.device_id, &push.news).await? {
            Found::Address(address) => address,
            Found::NoDevice => {
                self.meters.count_dropped(Dropped::NoDevice);
                return Ok(());
            }
            Found::NoNews => {
                self.meters.count_dropped(Dropped::NoNews);
                return Ok(());
            }
        };
        let now = self.clock.now();
        let words = words(&push.news, address.mail.as_ref(), address.language, now);
        let message = Push {
            token: &address.device.token,
            platform: address.device.platform,
            news: &push.news,
            at: push.at,
            words: words.as_ref(),
            mail: address.mail.as_ref(),
        };
        match self.gateway.send(&message.body(now)).await {
            Ok(()) => {
                let due = worth::due(&push.news, push.at);
                let after = self.clock.now().since(due);
                self.meters.count_sent(&push.news, after);
                Ok(())
            }
            Err(Unsent::Held(wait)) => Err(Failure::not_yet(wait, Unsent::Held(wait))),
            Err(Unsent::Refused(answer)) => self.refused(&address, answer).await,
            Err(unsent) => Err(unsent.into()),
        }
    }

    /// What follows of an answer that is not a yes.
    async fn refused(&self, address: &Address, answer: Answer) -> Result<(), Failure> {
        match answer.meaning {
            Meaning::DeadToken => {
                let (device, read_at) = (&address.device, address.read_at);
                let deleted = store::delete_dead(&self.db, device, read_at).await?;
                self.meters.count_deleted(Deleted::Dead, deleted);
                info!(device.id = %device.id, user.id = %device.user_id, "a device token is dead");
                Ok(())
            }
            Meaning::Busy(Some(wait)) => Err(Failure::retry_after(wait, Unsent::Refused(answer))),
            Meaning::Misconfigured | Meaning::AccessRefused => {
                self.alarm.raise(answer.code, &answer.words);
                Err(Failure::retry_after(MENDING, Unsent::Refused(answer)))
            }
            // The token stays: it is our project that is another one, perhaps for a moment.
            Meaning::Foreign => {
                self.alarm.raise(answer.code, &answer.words);
                Ok(())
            }
            Meaning::BadMessage => {
                self.alarm.raise(answer.code, &answer.words);
                Err(Failure::give_up(Unsent::Refused(answer)))
            }
            Meaning::Sent | Meaning::Busy(None) => Err(Unsent::Refused(answer).into()),
        }
    }
}
