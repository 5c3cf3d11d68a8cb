//! A day, compressed: of ten connections six poll the beacon, three send heartbeats and one writes
//! messages, open loop, more in the evening than at night.

use anyhow::Error;

use super::send_http::Writer;
use super::{World, beacon, heartbeat};
use crate::http_client::{Answer, request};
use crate::http_task::{Asking, HttpTask, Same};
use crate::load::{Load, Pace, Place, Task};
use crate::recorder::Recorder;
use crate::results::Round;
use crate::schedule::Shape;
use crate::side::Side;
use crate::token::Role;

/// A second of this, where nothing else is asked for.
const RATE: f64 = 500.0;

pub(super) async fn round(world: &World, side: &Side) -> Result<Round, Error> {
    let askings: Vec<Part> = (0..world.load.connections)
        .map(|number| part(world, number))
        .collect::<Result<_, _>>()?;
    let kinds: Vec<&'static str> = askings.iter().map(Part::kind).collect();
    let tasks = HttpTask::all(side.first()?, askings).await?;
    let mut tasks: Vec<Mixed> = tasks
        .into_iter()
        .zip(kinds)
        .map(|(task, kind)| Mixed { task, kind })
        .collect();
    let load = Load {
        rate: world.load.rate.or(Some(RATE)),
        shape: Shape::Day,
        ..world.load.clone()
    };
    load.measure(side, &mut tasks).await
}

fn part(world: &World, number: usize) -> Result<Part, Error> {
    Ok(match number % 10 {
        0..6 => Part::Beacon(Same {
            request: request("GET", beacon::PATH, None, ""),
            status: 200,
        }),
        6..9 => {
            let mitra = world.fixture.some_mitras(number + 1)?[number];
            let token = world.mint.token(mitra, Role::Mitra);
            Part::Heartbeat(Same {
                request: request("POST", heartbeat::PATH, Some(&token), ""),
                status: 200,
            })
        }
        _ => {
            let session = &world.fixture.some_sessions(number + 1)?[number];
            Part::Message(Writer::new(world, session))
        }
    })
}

/// What one connection does.
enum Part {
    Beacon(Same),
    Heartbeat(Same),
    Message(Writer),
}

impl Part {
    fn kind(&self) -> &'static str {
        match self {
            Self::Beacon(_) => "beacon",
            Self::Heartbeat(_) => "heartbeat",
            Self::Message(_) => "message",
        }
    }
}

impl Asking for Part {
    fn ask(&mut self) -> &[u8] {
        match self {
            Self::Beacon(same) | Self::Heartbeat(same) => same.ask(),
            Self::Message(writer) => writer.ask(),
        }
    }

    fn hear(&mut self, answer: &Answer<'_>) -> Result<(), String> {
        match self {
            Self::Beacon(same) | Self::Heartbeat(same) => same.hear(answer),
            Self::Message(writer) => writer.hear(answer),
        }
    }
}

/// A connection whose times are kept apart by what it does.
struct Mixed {
    task: HttpTask<Part>,
    kind: &'static str,
}

impl Task for Mixed {
    async fn work(&mut self, place: Place, pace: &Pace, recorder: &Recorder) -> Result<(), Error> {
        let recorder = recorder.of(self.kind);
        self.task.work(place, pace, &recorder).await
    }
}
