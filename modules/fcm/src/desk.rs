//! What has to be known at the moment of sending: the device's token and whether it may be used, its
//! person's language, what waits for them, whether the offer still stands.
//!
//! Many pushes ask at once and are answered together, by a few statements for all of them. There is no
//! task: whoever comes first asks for all who wait, and the next group gathers meanwhile.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use halobestie_core::Timestamp;
use halobestie_core::clock::Clock;
use halobestie_core::language::Language;
use halobestie_core::pg::{Db, DbError};
use halobestie_core::ports::{
    ChatNews, Directory, Late, News, Person, Side, SignInSessions, Unread,
};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::store::{self, Device};
use crate::words::Mail;

/// What is asked for at once; a call of a port takes four times as many.
const GROUP_MAX: usize = 250;

/// Whom to send to, and what is known of them.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    pub(crate) device: Device,
    pub(crate) language: Language,
    pub(crate) mail: Option<Mail>,
    /// When all this was so.
    pub(crate) read_at: Timestamp,
}

/// What became of a question.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    /// Send it there.
    Address(Box<Address>),
    /// The device is signed out, or somebody else's.
    NoDevice,
    /// It is no news any more.
    NoNews,
}

/// Why there is no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    /// Postgres, for everybody who asked together.
    #[error("cannot read where a push goes")]
    Db(#[source] Arc<DbError>),
    /// Whoever asked for all was stopped.
    #[error("who asked for all was stopped")]
    Stopped,
}

struct Question {
    device_id: Uuid,
    news: News,
    answer: oneshot::Sender<Result<Found, Unanswered>>,
}

/// Answers the questions.
pub(crate) struct Desk {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) directory: Arc<dyn Directory>,
    pub(crate) sign_in_sessions: Arc<dyn SignInSessions>,
    pub(crate) chat_news: Late<dyn ChatNews>,
    pub(crate) show_text: bool,
    pub(crate) queue: Queue,
}

/// Who waits, and whose turn it is to ask.
#[derive(Default)]
pub(crate) struct Queue {
    /// As many as there are slots for jobs, at most.
    waiting: Mutex<Vec<Question>>,
    turn: tokio::sync::Mutex<()>,
}

impl Desk {
    /// Where a push goes.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub(crate) async fn ask(&self, device_id: Uuid, news: &News) -> Result<Found, Unanswered> {
        let (answer, mut answered) = oneshot::channel();
        let news = news.clone();
        self.waiting(|waiting| {
            waiting.push(Question {
                device_id,
                news,
                answer,
            });
        });
        loop {
            let _turn = tokio::select! {
                biased;
                answer = &mut answered => return answer.unwrap_or(Err(Unanswered::Stopped)),
                turn = self.queue.turn.lock() => turn,
            };
            let group = self.waiting(|waiting| {
                let count = waiting.len().min(GROUP_MAX);
                waiting.drain(..count).collect::<Vec<_>>()
            });
            self.answer(group).await;
        }
    }

    fn waiting<T>(&self, work: impl FnOnce(&mut Vec<Question>) -> T) -> T {
        let waiting = self.queue.waiting.lock();
        work(&mut waiting.unwrap_or_else(PoisonError::into_inner))
    }

    async fn answer(&self, mut group: Vec<Question>) {
        group.retain(|it| !it.answer.is_closed());
        if group.is_empty() {
            return;
        }
        let known = self.look_up(&group).await.map_err(Arc::new);
        for Question {
            device_id,
            news,
            answer,
        } in group
        {
            let found = match &known {
                Ok(known) => Ok(known.find(device_id, &news)),
                Err(error) => Err(Unanswered::Db(error.clone())),
            };
            // Whoever was stopped meanwhile does not want to know.
            let _ = answer.send(found);
        }
    }

    async fn look_up(&self, group: &[Question]) -> Result<Known, DbError> {
        let read_at = self.clock.now();
        let ids = distinct(group.iter().map(|it| it.device_id));
        let devices = store::find(&self.db, &ids).await?;
        let session_ids = distinct(devices.iter().map(|it| it.session_id));
        let living = self.sign_in_sessions.living(&session_ids).await?;
        let devices: HashMap<Uuid, Device> = devices
            .into_iter()
            .filter(|it| living.contains(&it.session_id))
            .map(|it| (it.id, it))
            .collect();
        let unread = self.unread(group, &devices).await?;
        let open = self.open_requests(group).await?;
        let readers = devices.values().map(|it| it.user_id);
        let senders = unread.values().map(|it| it.sender_id);
        let people = self
            .directory
            .people(&distinct(readers.chain(senders)))
            .await?;
        Ok(Known {
            devices,
            people,
            unread,
            open,
            show_text: self.show_text,
            has_chat: self.chat_news.get().is_some(),
            read_at,
        })
    }

    async fn unread(
        &self,
        group: &[Question],
        devices: &HashMap<Uuid, Device>,
    ) -> Result<HashMap<Side, Unread>, DbError> {
        let sides = group.iter().filter_map(|it| match it.news {
            News::MessageNew { session_id, .. } => {
                let user_id = devices.get(&it.device_id)?.user_id;
                Some(Side {
                    session_id,
                    user_id,
                })
            }
            _ => None,
        });
        let sides = distinct(sides);
        match self.chat_news.get() {
            Some(chat_news) if !sides.is_empty() => {
                let unread = chat_news.unread(&sides).await?;
                Ok(unread.into_iter().map(|it| (it.side, it)).collect())
            }
            _ => Ok(HashMap::new()),
        }
    }

    async fn open_requests(&self, group: &[Question]) -> Result<HashSet<Uuid>, DbError> {
        let ids = distinct(group.iter().filter_map(|it| match it.news {
            News::OfferNew { request_id, .. } => Some(request_id),
            _ => None,
        }));
        match self.chat_news.get() {
            Some(chat_news) if !ids.is_empty() => chat_news.open_requests(&ids).await,
            _ => Ok(HashSet::new()),
        }
    }
}

fn distinct<T: std::hash::Hash + Eq>(all: impl Iterator<Item = T>) -> Vec<T> {
    all.collect::<HashSet<_>>().into_iter().collect()
}

/// What was read for a group.
struct Known {
    devices: HashMap<Uuid, Device>,
    people: HashMap<Uuid, Person>,
    unread: HashMap<Side, Unread>,
    open: HashSet<Uuid>,
    show_text: bool,
    has_chat: bool,
    read_at: Timestamp,
}

impl Known {
    fn find(&self, device_id: Uuid, news: &News) -> Found {
        let Some(device) = self.devices.get(&device_id) else {
            return Found::NoDevice;
        };
        let mail = match news {
            News::MessageNew { session_id, .. } => {
                let side = Side {
                    session_id: *session_id,
                    user_id: device.user_id,
                };
                match self.unread.get(&side) {
                    Some(unread) => Some(self.mail(unread)),
                    None => return Found::NoNews,
                }
            }
            News::OfferNew { request_id, .. }
                if self.has_chat && !self.open.contains(request_id) =>
            {
                return Found::NoNews;
            }
            _ => None,
        };
        let person = self.people.get(&device.user_id);
        let language = person.map_or("", |it| &it.language);
        Found::Address(Box::new(Address {
            device: device.clone(),
            language: Language::of_account(language),
            mail,
            read_at: self.read_at,
        }))
    }

    fn mail(&self, unread: &Unread) -> Mail {
        let sender = self.people.get(&unread.sender_id);
        Mail {
            count: unread.count,
            sender: sender.map(|it| it.display_name.clone()),
            text: unread.text.clone().filter(|_| self.show_text),
        }
    }
}
