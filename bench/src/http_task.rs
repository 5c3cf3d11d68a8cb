//! A connection that asks and is answered, again and again.

use std::net::SocketAddr;

use anyhow::{Context as _, Error};
use futures_util::future::try_join_all;

use crate::http_client::{Answer, HttpClient};
use crate::load::{Pace, Place, Task};
use crate::recorder::Recorder;

/// What is asked on one connection.
pub(crate) trait Asking {
    /// The next request.
    fn ask(&mut self) -> &[u8];

    /// Takes the answer; why it is not the one that was hoped for.
    fn hear(&mut self, answer: &Answer<'_>) -> Result<(), String>;
}

/// The same request for ever, answered by the same status.
pub(crate) struct Same {
    pub(crate) request: Vec<u8>,
    pub(crate) status: u16,
}

impl Asking for Same {
    fn ask(&mut self) -> &[u8] {
        &self.request
    }

    fn hear(&mut self, answer: &Answer<'_>) -> Result<(), String> {
        expect_status(answer, self.status)
    }
}

/// An answer of another status is a failure by the name of its status.
pub(crate) fn expect_status(answer: &Answer<'_>, status: u16) -> Result<(), String> {
    if answer.status == status {
        Ok(())
    } else {
        Err(format!("status {}", answer.status))
    }
}

/// A connection and what is asked on it.
pub(crate) struct HttpTask<A> {
    address: SocketAddr,
    client: HttpClient,
    asking: A,
}

impl<A: Asking> HttpTask<A> {
    /// Connects once for each of these.
    pub(crate) async fn all(
        address: SocketAddr,
        askings: impl IntoIterator<Item = A>,
    ) -> Result<Vec<Self>, Error> {
        let tasks = askings.into_iter().map(|asking| async move {
            let client = HttpClient::connect(address).await;
            anyhow::Ok(Self {
                address,
                client: client.with_context(|| format!("cannot connect to {address}"))?,
                asking,
            })
        });
        try_join_all(tasks).await
    }
}

impl<A: Asking> Task for HttpTask<A> {
    async fn work(&mut self, place: Place, pace: &Pace, recorder: &Recorder) -> Result<(), Error> {
        let mut ticks = pace.ticks(place)?;
        while let Some(intended) = ticks.next(recorder).await? {
            let heard = match self.client.exchange(self.asking.ask()).await {
                Ok(answer) => self.asking.hear(&answer),
                Err(error) => {
                    // What comes after a broken answer would be taken for the next one.
                    self.client = HttpClient::connect(self.address).await?;
                    Err(error.to_string())
                }
            };
            match heard {
                Ok(()) => recorder.done(intended),
                Err(why) => recorder.failed(why),
            }
        }
        Ok(())
    }
}
