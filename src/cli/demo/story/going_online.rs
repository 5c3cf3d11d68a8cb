//! Act two: the mitras go online, and everybody can see that somebody is there.

use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, sleep};

use super::{Cast, end_open_sessions};
use crate::cli::demo::fields::{is, number};
use crate::cli::demo::narrator::Narrator;
use crate::cli::demo::person::Person;
use crate::cli::demo::trouble::wrong;

/// The beacon answers from a snapshot that lives 10 s.
const BEACON_PATIENCE: Duration = Duration::from_secs(12);
const BEACON_POLL: Duration = Duration::from_millis(250);

/// Both mitras go online and are seen.
pub(crate) async fn mitras_come_online(cast: &Cast, narrator: &mut Narrator) -> Result<()> {
    let mitras = [&cast.mitra, &cast.colleague];
    narrator.act("Going online")?;
    let leftovers = async {
        let [mitra, colleague] = mitras;
        Ok(end_open_sessions(mitra).await? + end_open_sessions(colleague).await?)
    };
    let leftovers = narrator
        .step("the mitras have nothing open from before", leftovers)
        .await?;
    if leftovers > 0 {
        narrator.note(&format!(
            "{leftovers} left over from an earlier run, now ended"
        ))?;
    }
    for (mitra, who) in mitras.into_iter().zip(["the mitra", "the second mitra"]) {
        narrator
            .step(&format!("{who} goes online"), goes_online(mitra))
            .await?;
        narrator
            .step(&format!("{who} sends a heartbeat"), beats(mitra))
            .await?;
    }
    let beacon = beacon_lights_up(&cast.customer);
    let available = narrator
        .step("the beacon says that somebody is available", beacon)
        .await?;
    if available > 2 {
        let others = "any of them may take the request first";
        narrator.note(&format!("{available} mitras are available: {others}"))?;
    }
    Ok(())
}

async fn goes_online(mitra: &Person) -> Result<()> {
    let status = mitra.post("/api/mitra/status/online", 200).await?;
    is(&status, "/online", true)?;
    is(&status, "/active", true)?;
    let (in_use, max) = (
        number(&status, "/capacity/in_use")?,
        number(&status, "/capacity/max")?,
    );
    if in_use >= max {
        let came = format!("{in_use} of {max} sessions in use");
        let advice = "wait for them to end, or name another mitra with --mitra-phone";
        return Err(wrong("a mitra with room for a session", came, advice));
    }
    Ok(())
}

/// A sign of life of the mitra.
pub(crate) async fn beats(mitra: &Person) -> Result<()> {
    let beat = mitra.post("/api/mitra/status/heartbeat", 200).await?;
    is(&beat, "/online", true)
}

async fn beacon_lights_up(customer: &Person) -> Result<i64> {
    let deadline = Instant::now() + BEACON_PATIENCE;
    loop {
        let beacon = customer.get("/api/customer/availability").await?;
        if beacon["available"] == true {
            return number(&beacon, "/available_mitras");
        }
        if Instant::now() >= deadline {
            let expected = format!("available within {} s", BEACON_PATIENCE.as_secs());
            let came = format!("still not (source {})", beacon["source"]);
            let advice = "see whether both servers share one Postgres and one Valkey";
            return Err(wrong(expected, came, advice));
        }
        sleep(BEACON_POLL).await;
    }
}
