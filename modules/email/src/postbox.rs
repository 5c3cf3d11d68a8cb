//! Letters that wait to be sent, in the memory of the process that was asked for them.
//!
//! A letter is sent after the request was answered, so that the answer does not tell by its time whether
//! there is an account, nor waits for a mail server. What waits is bounded, tried a few times and lost
//! with a crash: whoever misses the letter asks for another. (Its token is nowhere in plain text but
//! here, which is why the letters are not rows of an outbox.) On a stop, what waits is tried once more.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use halobestie_core::clock::Clock;
use halobestie_core::doctor::with_causes;
use halobestie_core::entropy::Entropy;
use halobestie_core::language::Language;
use halobestie_core::ports::SignIn;
use halobestie_core::{Context, Timestamp};
use prometheus::IntCounterVec;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};
use uuid::Uuid;

use crate::address::Email;
use crate::error::EmailError;
use crate::letter::Contents;
use crate::smtp::{NotTaken, Smtp};
use crate::token::Token;

/// Letters that may wait.
const WAITING_MAX: usize = 256;
/// Letters that are sent at once.
const AT_ONCE: usize = 4;
/// Between two tries of a letter; there is one try more than there are pauses.
const PAUSES: [Duration; 3] = [
    Duration::from_secs(2),
    Duration::from_secs(10),
    Duration::from_secs(60),
];

/// A letter that is to be written and sent.
pub(crate) struct Letter {
    pub(crate) email: Email,
    pub(crate) token: Token,
    /// Where the account does not say.
    pub(crate) language: Language,
    pub(crate) expires_at: Timestamp,
}

/// Where letters are posted.
pub(crate) struct Postbox(mpsc::Sender<Letter>);

/// A place in the postbox.
pub(crate) struct Place(mpsc::OwnedPermit<Letter>);

/// Posted letters.
pub(crate) type Letters = mpsc::Receiver<Letter>;

/// Both ends.
pub(crate) fn postbox() -> (Postbox, Letters) {
    let (sender, letters) = mpsc::channel(WAITING_MAX);
    (Postbox(sender), letters)
}

impl Postbox {
    /// Keeps a place free; dropping it gives it back.
    ///
    /// # Errors
    /// When the postbox is full, or the process about to end.
    pub(crate) fn reserve(&self) -> Result<Place, EmailError> {
        let permit = self.0.clone().try_reserve_owned();
        permit.map(Place).map_err(|_| EmailError::PostboxFull)
    }
}

impl Place {
    /// Posts a letter. Never waits.
    pub(crate) fn post(self, letter: Letter) {
        self.0.send(letter);
    }
}

/// Writes and sends what is posted.
pub(crate) struct Postman {
    smtp: Arc<Smtp>,
    sign_in: Arc<dyn SignIn>,
    clock: Clock,
    entropy: Entropy,
    letters: IntCounterVec,
}

impl Postman {
    /// A postman of this server.
    pub(crate) fn new(smtp: Arc<Smtp>, sign_in: Arc<dyn SignIn>, cx: &Context) -> Self {
        Self {
            smtp,
            sign_in,
            clock: cx.clock.clone(),
            entropy: cx.entropy.clone(),
            letters: cx.metrics.counters(
                "halobestie_email_letters_total",
                "Letters with a sign-in link, by what became of them.",
                &["outcome"],
            ),
        }
    }

    /// Delivers until `soft` turns, and then what was posted before.
    pub(crate) async fn deliver_all(&self, letters: Letters, soft: CancellationToken) {
        let next = |mut letters: Letters| async {
            let letter = tokio::select! {
                biased;
                () = soft.cancelled(), if !letters.is_closed() => {
                    letters.close();
                    letters.recv().await
                }
                letter = letters.recv() => letter,
            };
            letter.map(|letter| (letter, letters))
        };
        stream::unfold(letters, next)
            .for_each_concurrent(AT_ONCE, |letter| self.deliver(letter, &soft))
            .await;
    }

    async fn deliver(&self, letter: Letter, soft: &CancellationToken) {
        let id = self.entropy.uuid(&self.clock);
        let mut pauses = PAUSES.into_iter();
        let outcome = loop {
            if self.clock.now() >= letter.expires_at {
                break "expired";
            }
            let Err(error) = self.attempt(&letter, id).await else {
                break "sent";
            };
            let chain = with_causes(&error);
            warn!(letter.id = %id, error = chain, "a letter was not sent");
            if !error.may_pass() {
                break "refused";
            }
            match pauses.next() {
                Some(pause) if !soft.is_cancelled() => {
                    soft.run_until_cancelled(self.clock.sleep(pause)).await;
                }
                _ => break "failed",
            }
        };
        self.letters.with_label_values(&[outcome]).inc();
        debug!(letter.id = %id, outcome, "letter done");
    }

    async fn attempt(&self, letter: &Letter, id: Uuid) -> Result<(), NotTaken> {
        let contents = Contents {
            id,
            to: &letter.email,
            token: &letter.token,
            language: self.language(letter).await,
            now: self.clock.now(),
        };
        let message = self.smtp.letter(&contents).map_err(NotTaken::NoLetter)?;
        self.smtp.send(message, id).await
    }

    /// The account's, or what the browser asked for where there is none or Postgres does not say.
    async fn language(&self, letter: &Letter) -> Language {
        match self.sign_in.language_of(letter.email.as_str()).await {
            Ok(Some(language)) => Language::of_account(&language),
            Ok(None) | Err(_) => letter.language,
        }
    }
}
