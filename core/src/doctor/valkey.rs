//! Valkey: whether it answers and takes writes, how it is set up, and whether the bus gets through.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisResult, cmd, pipe};
use tokio::time::{Instant, timeout};

use super::{Examination, Finding, with_causes};
use crate::bus::{Bus, Event};
use crate::metrics::Metrics;
use crate::module::Context;
use crate::valkey::Valkey;

/// How long Valkey may take for each step; more patient than the server is, to tell slow from dead.
const STEP: Duration = Duration::from_secs(2);

/// Whether Valkey answers and takes writes. On a connection of its own: the client's circuit would
/// hide the reason.
pub(super) fn answers(cx: &Context) -> Examination {
    let valkey = cx.valkey.clone();
    Examination::new("valkey", "whether VALKEY_URL answers", move || {
        let valkey = valkey.clone();
        async move {
            match valkey {
                Some(valkey) => look(&valkey).await,
                None => Finding::ok("not configured: one process alone, mirror and bus in memory"),
            }
        }
    })
}

async fn look(valkey: &Valkey) -> Finding {
    let place = valkey.client().get_connection_info().addr().to_string();
    match greet(valkey.client(), &valkey.key("doctor:trial")).await {
        Ok(server) => server.judge(&place, valkey.timeout()),
        Err(error) => Finding::problem(
            format!("{place} does not answer: {}", with_causes(&error)),
            "see that Valkey runs, takes writes, and that VALKEY_URL has the right host, port, user \
             and password; until then Postgres answers, slower, and events reach no other process",
        ),
    }
}

async fn greet(client: &Client, key: &str) -> RedisResult<Server> {
    let patient = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(STEP))
        .set_response_timeout(Some(STEP));
    let mut connection = client
        .get_multiplexed_async_connection_with_config(&patient)
        .await?;
    let asked = Instant::now();
    write(&mut connection, key).await?;
    let round_trip = asked.elapsed();
    let info: String = cmd("INFO").query_async(&mut connection).await?;
    Ok(Server::read(&info, round_trip))
}

/// Tries a write, which a replica, a full server and one that cannot save refuse. Nothing stays.
async fn write(connection: &mut MultiplexedConnection, key: &str) -> RedisResult<()> {
    let mut trial = pipe();
    trial
        .cmd("SET")
        .arg(key)
        .arg(1)
        .arg("PX")
        .arg(1000)
        .ignore();
    trial.cmd("DEL").arg(key).ignore();
    trial.query_async(connection).await
}

/// What a Valkey that answers says of itself.
struct Server {
    version: String,
    eviction: String,
    has_saved: bool,
    round_trip: Duration,
}

impl Server {
    /// Reads the answer to INFO.
    fn read(info: &str, round_trip: Duration) -> Self {
        let field = |name: &str| {
            let mut fields = info.lines().filter_map(|line| line.split_once(':'));
            let found = fields.find(|(field, _)| *field == name);
            found.map(|(_, value)| value.trim().to_owned())
        };
        let version = match (field("valkey_version"), field("redis_version")) {
            (Some(version), _) => format!("Valkey {version}"),
            (None, Some(version)) => format!("Redis {version}"),
            (None, None) => "a server of unknown version".to_owned(),
        };
        Self {
            version,
            eviction: field("maxmemory_policy").unwrap_or_else(|| "noeviction".to_owned()),
            has_saved: field("rdb_last_bgsave_status").is_none_or(|status| status == "ok"),
            round_trip,
        }
    }

    fn judge(&self, place: &str, deadline: Duration) -> Finding {
        let text = format!(
            "{} at {place} takes a write in {:.1} ms",
            self.version,
            self.round_trip.as_secs_f64() * 1000.0
        );
        if self.eviction != "noeviction" {
            let text = format!(
                "{text}, but evicts keys when it is full ({})",
                self.eviction
            );
            return Finding::warning(
                text,
                "set maxmemory-policy noeviction: a mirror that loses single keys shows wrong numbers \
                 until its next reseed",
            );
        }
        if !self.has_saved {
            return Finding::warning(
                format!("{text}, but its last save to disk failed"),
                "free its disk, or switch saving off: nothing in it needs to be kept, and a Valkey \
                 that cannot save refuses writes by default",
            );
        }
        if self.round_trip > deadline {
            return Finding::warning(
                format!(
                    "{text}, longer than VALKEY_TIMEOUT_MS ({})",
                    deadline.as_millis()
                ),
                "the server will take it for dead most of the time: bring it nearer, or raise \
                 VALKEY_TIMEOUT_MS",
            );
        }
        Finding::ok(text)
    }
}

/// Whether an event of this process reaches another.
pub(super) fn bus(cx: &Context) -> Examination {
    let cx = cx.clone();
    Examination::new("bus", "an event's way through Valkey", move || {
        let cx = cx.clone();
        async move {
            match &cx.valkey {
                Some(valkey) => send_through(&cx, valkey).await,
                None => Finding::ok("in this process's memory: reaches no other process"),
            }
        }
    })
}

async fn send_through(cx: &Context, valkey: &Valkey) -> Finding {
    let lost = |what: &str| {
        Finding::problem(
            what,
            "see that the user of VALKEY_URL may use PUBLISH and SUBSCRIBE on every channel \
             (ACL: &*); until then other processes learn of events seconds later, from Postgres",
        )
    };
    if !valkey.first_connect(STEP).await {
        return lost("the client does not connect");
    }
    // Another bus, as another process has: our own would hand the event over without Valkey.
    let there = Bus::over_valkey(valkey, &Metrics::default(), &cx.lifecycle);
    let topic = format!("doctor:{}", cx.entropy.uuid(&cx.clock));
    let mut arrivals = there.subscribe(&topic);
    if !arrivals.ready(STEP).await {
        return lost("a subscription is not confirmed");
    }
    let sent = Instant::now();
    cx.bus.publish(&topic, "are you there");
    let arrival = async { while !matches!(arrivals.next().await, Event::Message(_)) {} };
    match timeout(STEP, arrival).await {
        Ok(()) => Finding::ok(format!(
            "an event arrives after {:.1} ms",
            sent.elapsed().as_secs_f64() * 1000.0
        )),
        Err(_) => lost("an event was sent and did not arrive"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Grade;

    const INFO: &str = "# Server\r\nredis_version:7.2.4\r\nvalkey_version:8.0.1\r\n# Memory\r\n\
                        maxmemory_policy:noeviction\r\nrdb_last_bgsave_status:ok\r\n";

    fn judged(info: &str, round_trip_ms: u64) -> Finding {
        let server = Server::read(info, Duration::from_millis(round_trip_ms));
        server.judge("there", Duration::from_millis(500))
    }

    #[test]
    fn a_well_kept_server_is_fine_and_named_for_what_it_is() {
        let finding = judged(INFO, 1);
        assert_eq!(finding.grade, Grade::Ok);
        assert!(
            finding.text.starts_with("Valkey 8.0.1 at there"),
            "{finding:?}"
        );
        let redis = INFO.replace("valkey_version:8.0.1\r\n", "");
        assert!(judged(&redis, 1).text.starts_with("Redis 7.2.4"));
    }

    #[test]
    fn eviction_failed_saves_and_slowness_are_warnings() {
        let evicting = INFO.replace("noeviction", "allkeys-lru");
        let finding = judged(&evicting, 1);
        assert_eq!(finding.grade, Grade::Warning);
        assert!(
            finding
                .advice
                .unwrap()
                .contains("maxmemory-policy noeviction")
        );
        let unsaved = INFO.replace("status:ok", "status:err");
        assert_eq!(judged(&unsaved, 1).grade, Grade::Warning);
        assert_eq!(judged(INFO, 501).grade, Grade::Warning);
    }
}
