//! A storm: every socket breaks at once, messages are sent meanwhile, and all come back at once and
//! resume. An operation is a socket that has been told everything it missed, timed from the beginning of
//! the storm. Whoever is turned away tries again, as an app does.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Error, bail, ensure};
use futures_util::future::{join_all, try_join_all};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::World;
use super::send_http::Writer;
use crate::http_client::HttpClient;
use crate::http_task::Asking;
use crate::load::round as round_of;
use crate::metrics;
use crate::peers::api::is;
use crate::peers::line::{Line, Person};
use crate::process::Meter;
use crate::recorder::Recorder;
use crate::results::Round;
use crate::side::Side;
use crate::texts;

/// How many come at once before the storm.
const AT_ONCE: usize = 128;
/// Connections that the messages of the meantime are sent on.
const WRITERS: usize = 16;
/// How long a server may take to notice that its sockets are gone.
const SETTLE: Duration = Duration::from_secs(2);
/// Whoever is not back by then is lost.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two tries.
const TRY_AGAIN: Duration = Duration::from_millis(200);
/// Counted by the server.
const STATEMENTS: &str = "halobestie_db_statements_total";

pub(super) async fn round(world: &World, side: &Side) -> Result<Round, Error> {
    let sessions = world.fixture.some_sessions(world.load.connections / 2)?;
    let people = sessions
        .iter()
        .flat_map(|it| [Person::customer_of(it), Person::mitra_of(it)]);
    let mut sleepers: Vec<Sleeper> = stream::iter(people)
        .map(|person| Sleeper::settle(world, side, person))
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    sleepers.iter_mut().for_each(Sleeper::drop_out);
    sleep(SETTLE).await;
    write_to_all(world, side).await?;
    let before = metrics::sum(side, STATEMENTS).await?;
    let (recorder, meter) = (Recorder::new(), Meter::start(side));
    let start = Instant::now();
    let returns = sleepers
        .iter_mut()
        .map(|sleeper| sleeper.come_back(world, side, start, &recorder));
    let lost: u64 = join_all(returns).await.into_iter().sum();
    let mut round = round_of(meter.stop(), recorder.take());
    let turned_away: u64 = sleepers.iter().map(|it| it.turned_away).sum();
    round.figures.extend([
        ("lost".into(), lost as f64),
        ("turned_away".into(), turned_away as f64),
    ]);
    if let (Some(before), Some(after)) = (before, metrics::sum(side, STATEMENTS).await?) {
        let each = (after - before) / sleepers.len() as f64;
        round.figures.insert("statements_each".into(), each);
    }
    Ok(round)
}

/// One message into every session.
async fn write_to_all(world: &World, side: &Side) -> Result<(), Error> {
    let sessions = world.fixture.some_sessions(world.load.connections / 2)?;
    let share = sessions.len().div_ceil(WRITERS).max(1);
    let writing = sessions.chunks(share).map(|sessions| async move {
        for session in sessions {
            let mut client = HttpClient::connect(side.first()?).await?;
            let mut writer = Writer::new(world, session);
            let answer = client.exchange(writer.ask()).await?;
            ensure!(answer.status == 201, "a message got {}", answer.status);
        }
        anyhow::Ok(())
    });
    try_join_all(writing).await.map(drop)
}

/// Somebody with a socket in a session.
struct Sleeper {
    person: Person,
    line: Option<Line>,
    last_seq: u64,
    turned_away: u64,
}

impl Sleeper {
    /// Comes, and takes note of where the session is.
    async fn settle(world: &World, side: &Side, person: Person) -> Result<Self, Error> {
        let mut sleeper = Self {
            person,
            line: None,
            // What there is of before is not asked for.
            last_seq: u64::from(u32::MAX),
            turned_away: 0,
        };
        timeout(PATIENCE, sleeper.insist(world, side))
            .await
            .context("somebody does not get in")?;
        Ok(sleeper)
    }

    fn drop_out(&mut self) {
        self.turned_away = 0;
        if let Some(line) = self.line.take() {
            line.break_off();
        }
    }

    /// Comes back with all others; how many messages are missing then.
    async fn come_back(
        &mut self,
        world: &World,
        side: &Side,
        start: Instant,
        recorder: &Recorder,
    ) -> u64 {
        let Ok(got) = timeout(PATIENCE, self.insist(world, side)).await else {
            recorder.failed("not back in time");
            return 1;
        };
        recorder.done(start);
        1_u64.saturating_sub(got)
    }

    /// Tries until it is back; how many messages came.
    async fn insist(&mut self, world: &World, side: &Side) -> u64 {
        loop {
            match self.resume(world, side).await {
                Ok(got) => return got,
                Err(_turned_away) => {
                    self.turned_away += 1;
                    sleep(TRY_AGAIN).await;
                }
            }
        }
    }

    /// Opens the socket and resumes; how many messages came.
    async fn resume(&mut self, world: &World, side: &Side) -> Result<u64, Error> {
        let session_id = self.person.session_id.context("a session")?;
        let mut line = Line::open(side.speaks, side.last()?, &world.mint, self.person, 0).await?;
        let place = json!({"session_id": session_id, "after_seq": self.last_seq});
        line.say(json!({"type": "resume", "sessions": [place]}).to_string())
            .await?;
        let mut got = 0;
        loop {
            let frame = line.next().await?;
            if is(&frame, "message.new") && texts::number_in(&frame).is_some() {
                got += 1;
            } else if is(&frame, "resumed") {
                self.last_seq = last_seq(&frame)?;
                self.line = Some(line);
                return Ok(got);
            } else if is(&frame, "error") {
                bail!("resume was refused: {frame}");
            }
        }
    }
}

fn last_seq(frame: &str) -> Result<u64, Error> {
    let frame: Value = serde_json::from_str(frame)?;
    let last_seq = frame["sessions"][0]["last_seq"].as_u64();
    last_seq.with_context(|| format!("no position in {frame}"))
}
