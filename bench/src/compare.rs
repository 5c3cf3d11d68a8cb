//! A measurement: every round goes over all sides before the next begins, each time beginning with
//! another one, so that whatever else the machine does meets all of them.

use anyhow::{Context as _, Error};

use crate::results::{Results, SideResults};
use crate::scenarios::{Scenario, World};
use crate::side::Side;

/// What is to be measured.
pub(crate) struct Measurement<'a> {
    pub(crate) scenario: Scenario,
    pub(crate) label: String,
    pub(crate) title: String,
    pub(crate) world: &'a World,
    pub(crate) sides: &'a [Side],
}

/// Measures.
pub(crate) async fn compare(measurement: Measurement<'_>) -> Result<Results, Error> {
    let Measurement {
        scenario,
        world,
        sides,
        ..
    } = measurement;
    let mut results = Results {
        label: measurement.label,
        title: measurement.title,
        scenario: scenario.name(),
        unit: scenario.unit().to_owned(),
        command: command(),
        at: jiff::Timestamp::now().strftime("%FT%TZ").to_string(),
        sides: sides
            .iter()
            .map(|side| SideResults {
                name: side.name.clone(),
                rounds: Vec::new(),
            })
            .collect(),
    };
    let turns = if scenario.is_cumulative() {
        1
    } else {
        world.rounds
    };
    for turn in 0..turns {
        for place in 0..sides.len() {
            let number = (turn + place) % sides.len();
            let side = &sides[number];
            let rounds = scenario.rounds(world, side).await;
            let rounds = rounds.with_context(|| format!("{}, round {}", side.name, turn + 1))?;
            results.sides[number].rounds.extend(rounds);
        }
    }
    Ok(results)
}

/// How this was called, without what differs from run to run.
fn command() -> String {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut words = vec!["halobestie-bench".to_owned()];
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--side" | "--fixture" | "--secret-file" | "--json" | "--title" | "--label" => {
                arguments.next();
            }
            _ => words.push(argument),
        }
    }
    words.join(" ")
}
