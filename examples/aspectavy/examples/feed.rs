//! The tests' feed as a program, for trying the service: it gives out forecasts of three regions, another
//! one every minute. `start` runs it beside the server.

#[path = "../tests/feed/mod.rs"]
#[expect(dead_code, reason = "nobody turns the knobs here")]
mod feed;

use std::io::Write;
use std::time::Duration;

use halobestie_core::clock::Clock;

const REGIONS: [&str; 3] = ["tyrol-north", "tyrol-south", "silvretta"];

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = "127.0.0.1:3950".parse().map_err(std::io::Error::other)?;
    let feed = feed::Feed::start_at(address, &REGIONS, Clock::system()).await?;
    // Whoever started it reads these two lines.
    let mut out = std::io::stdout();
    writeln!(out, "FORECAST_FEED_URL={}", feed.url())?;
    writeln!(out, "FORECAST_REGIONS={}", REGIONS.join(","))?;
    out.flush()?;
    for level in (1..=5).cycle() {
        tokio::time::sleep(Duration::from_secs(60)).await;
        feed.publish(REGIONS[0], level);
    }
    Ok(())
}
