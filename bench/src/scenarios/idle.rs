//! Idle sockets: people who are there and say nothing. They come in batches, and each batch is a round:
//! by how much the server grows with it, and how much processor time all that are there take then.
//!
//! A server that has just started has not grown into its working size; a first batch, larger than any
//! connection pool and not counted, lets it.

use std::time::Duration;

use anyhow::{Context as _, Error};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::World;
use crate::peers::line::{Line, Person};
use crate::process::{Meter, resident_bytes};
use crate::results::Round;
use crate::side::Side;
use crate::token::Role;

/// Handshakes at once.
const AT_ONCE: usize = 64;
/// The batch that does not count.
const FIRST: usize = 200;
/// How long a server is left alone before its memory is looked at: longer than a client has for its
/// `resume`.
const SETTLE: Duration = Duration::from_secs(2);

pub(super) async fn rounds(world: &World, side: &Side) -> Result<Vec<Round>, Error> {
    let mut crowd = Crowd::new(world, side);
    crowd.grow(FIRST.min(world.load.connections)).await?;
    sleep(SETTLE).await;
    let each = (world.load.connections / world.rounds.max(1)).max(1);
    let mut rounds = Vec::with_capacity(world.rounds);
    for _ in 0..world.rounds {
        rounds.push(crowd.round(each).await?);
    }
    Ok(rounds)
}

struct Crowd<'a> {
    world: &'a World,
    side: &'a Side,
    count: usize,
    held: JoinSet<()>,
}

impl<'a> Crowd<'a> {
    fn new(world: &'a World, side: &'a Side) -> Self {
        Self {
            world,
            side,
            count: 0,
            held: JoinSet::new(),
        }
    }

    async fn round(&mut self, size: usize) -> Result<Round, Error> {
        let before = self.resident()?;
        self.grow(size).await?;
        sleep(SETTLE).await;
        let grown = self.resident()?.saturating_sub(before);
        let meter = Meter::start(self.side);
        sleep(self.world.load.length).await;
        let used = meter.stop();
        let mut lost = 0;
        while self.held.try_join_next().is_some() {
            lost += 1;
        }
        let mut round = Round {
            seconds: used.seconds,
            operations: size as u64,
            server_cpu_seconds: used.server_cpu_seconds,
            store_cpu_seconds: used.store_cpu_seconds,
            generator_cpu_seconds: used.generator_cpu_seconds,
            ..Round::default()
        };
        let cpu_ms = used.server_cpu_seconds.unwrap_or_default() * 1000.0 / used.seconds;
        round.figures.extend([
            ("bytes_each".into(), grown as f64 / size as f64),
            (
                "cpu_ms_per_1000".into(),
                cpu_ms * 1000.0 / self.count as f64,
            ),
            ("sockets".into(), self.count as f64),
            ("lost".into(), f64::from(lost)),
        ]);
        Ok(round)
    }

    fn resident(&self) -> Result<u64, Error> {
        let bytes = resident_bytes(&self.side.pids).filter(|_| !self.side.pids.is_empty());
        bytes.with_context(|| format!("the side {} needs the pid of its server", self.side.name))
    }

    async fn grow(&mut self, by: usize) -> Result<(), Error> {
        let (world, side) = (self.world, self.side);
        let people = world.fixture.customers.iter().skip(self.count).take(by);
        anyhow::ensure!(people.len() == by, "the fixture has too few customers");
        self.count += by;
        let address = side.last()?;
        let mut opening = stream::iter(people)
            .map(|id| {
                let person = Person {
                    id: *id,
                    role: Role::Customer,
                    session_id: None,
                };
                Line::open(side.speaks, address, &world.mint, person, 0)
            })
            .buffer_unordered(AT_ONCE);
        while let Some(line) = opening.try_next().await? {
            self.held.spawn(hold(line));
        }
        Ok(())
    }
}

/// Answers pings until the socket ends.
async fn hold(mut line: Line) {
    while line.next().await.is_ok() {}
}
