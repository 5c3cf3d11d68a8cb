//! Messages over WebSockets: each socket sends into a session of its own and waits for acknowledgements,
//! which a server gives once the message is durable.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::Error;
use futures_util::future::try_join_all;
use tokio::time::timeout;

use super::World;
use crate::load::{Pace, Place, Task, Ticks};
use crate::peers::api::is;
use crate::peers::line::{Line, Person};
use crate::peers::pgbench;
use crate::recorder::Recorder;
use crate::results::Round;
use crate::side::{Side, Speaks};
use crate::texts;

/// A socket that hears nothing for longer has been given up.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn round(world: &World, side: &Side) -> Result<Round, Error> {
    if side.speaks == Speaks::Pgbench {
        return pgbench::round(side, &world.load).await;
    }
    let address = side.first()?;
    let sessions = world.fixture.some_sessions(world.load.connections)?;
    let senders = sessions.iter().map(|session| async {
        let person = Person::customer_of(session);
        let run = world.run_id();
        let line = Line::open(side.speaks, address, &world.mint, person, run).await?;
        anyhow::Ok(Sender {
            line,
            count: 0,
            unanswered: HashMap::new(),
        })
    });
    let mut senders = try_join_all(senders).await?;
    world.load.measure(side, &mut senders).await
}

struct Sender {
    line: Line,
    count: u64,
    unanswered: HashMap<u64, Instant>,
}

impl Task for Sender {
    async fn work(&mut self, place: Place, pace: &Pace, recorder: &Recorder) -> Result<(), Error> {
        let mut ticks = pace.ticks(place)?;
        let mut is_over = false;
        while !is_over || !self.unanswered.is_empty() {
            let step = self.step(&mut ticks, &mut is_over, recorder);
            if let Ok(done) = timeout(PATIENCE, step).await {
                done?;
            } else {
                let missing = self.unanswered.drain().count();
                (0..missing).for_each(|_| recorder.failed("no answer"));
                return Ok(());
            }
        }
        Ok(())
    }
}

impl Sender {
    /// Sends the next message or takes the next frame, whichever comes first.
    async fn step(
        &mut self,
        ticks: &mut Ticks,
        is_over: &mut bool,
        recorder: &Recorder,
    ) -> Result<(), Error> {
        let may_send = !*is_over && (ticks.are_open() || self.unanswered.is_empty());
        tokio::select! {
            tick = ticks.next(recorder), if may_send => match tick? {
                Some(intended) => {
                    self.count += 1;
                    self.unanswered.insert(self.count, intended);
                    self.line.publish(self.count).await?;
                }
                None => *is_over = true,
            },
            frame = self.line.next() => self.hear(&frame?, recorder),
        }
        Ok(())
    }

    fn hear(&mut self, frame: &str, recorder: &Recorder) {
        if is(frame, "error") {
            // It says which by its id, not by its text; the answers of a socket come in order.
            let oldest = self.unanswered.keys().min().copied();
            oldest.and_then(|it| self.unanswered.remove(&it));
            recorder.failed("refused");
        } else if is(frame, "ack") {
            let number = texts::number_in(frame);
            match number.and_then(|it| self.unanswered.remove(&it)) {
                Some(intended) => recorder.done(intended),
                None => recorder.failed("an ack of nothing"),
            }
        }
    }
}
