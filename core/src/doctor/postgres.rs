//! Postgres: whether it answers, has room for our pools and agrees with us about the time.

use std::net::IpAddr;
use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::time::Instant;

use super::{Examination, Finding, with_causes};
use crate::config::{AppEnv, Config};
use crate::module::Context;
use crate::pg::{Db, DbError, Query};
use crate::timestamp::Timestamp;

/// Clocks further apart than this are worth a warning, in milliseconds.
const SKEW_WARNING_MS: i64 = 1000;
/// Clocks further apart than this make timers and heartbeats wrong, in milliseconds.
const SKEW_PROBLEM_MS: i64 = 5000;

/// Whether Postgres answers and takes writes.
pub(super) fn answers(config: &Config, cx: &Context) -> Examination {
    let (db, env, place) = (cx.db.clone(), config.env, place(config));
    Examination::new("postgres", "whether DATABASE_URL answers", move || {
        let (db, place) = (db.clone(), place.clone());
        async move {
            match greet(&db).await {
                Ok(server) => server.judge(env, &place),
                Err(error) => unreachable(&place, &error),
            }
        }
    })
}

/// Where Postgres is, without the user and the password.
fn place(config: &Config) -> String {
    let url = config.database.url.as_ref().map(|url| url.expose_secret());
    let parsed = url.and_then(|url| url.parse::<tokio_postgres::Config>().ok());
    let Some(parsed) = parsed else {
        return "DATABASE_URL".to_owned();
    };
    let host = match parsed.get_hosts().first() {
        Some(tokio_postgres::config::Host::Tcp(host)) => host.clone(),
        Some(tokio_postgres::config::Host::Unix(path)) => path.display().to_string(),
        None => "localhost".to_owned(),
    };
    let port = parsed.get_ports().first().unwrap_or(&5432);
    format!("{host}:{port}/{}", parsed.get_dbname().unwrap_or_default())
}

/// What a Postgres that answers says of itself.
struct Server {
    version: String,
    has_tls: bool,
    is_standby: bool,
    /// Its address; none for a socket of this machine.
    address: Option<IpAddr>,
    round_trip: Duration,
}

async fn greet(db: &Db) -> Result<Server, DbError> {
    const SQL: &str = "SELECT current_setting('server_version'), pg_is_in_recovery(),
        coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false),
        host(inet_server_addr())";
    let client = db.client().await?;
    client.rows("SELECT 1", &[]).await?;
    // The second time, because the first one prepares.
    let asked = Instant::now();
    client.rows("SELECT 1", &[]).await?;
    let round_trip = asked.elapsed();
    let row = client.row(SQL, &[]).await?;
    let address: Option<String> = row.get(3);
    Ok(Server {
        version: row.get(0),
        is_standby: row.get(1),
        has_tls: row.get(2),
        address: address.and_then(|address| address.parse().ok()),
        round_trip,
    })
}

impl Server {
    fn judge(&self, env: AppEnv, place: &str) -> Finding {
        let tls = if self.has_tls { "TLS" } else { "no TLS" };
        let text = format!(
            "{} at {place} answers in {:.1} ms, {tls}",
            self.version,
            self.round_trip.as_secs_f64() * 1000.0
        );
        if self.is_standby {
            return Finding::problem(
                format!("{text}, and is a standby that takes no writes"),
                "point DATABASE_URL at the primary",
            );
        }
        if env.is_deployed() && !self.has_tls && self.address.is_some_and(is_far) {
            return Finding::warning(
                text,
                "it is in another network and can be read on the way: add sslmode=require to \
                 DATABASE_URL, and DATABASE_CA where its certificate is of a private authority",
            );
        }
        Finding::ok(text)
    }
}

/// Whether an address is outside of this machine and of private networks.
fn is_far(address: IpAddr) -> bool {
    let is_near = match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    };
    !is_near && !address.is_loopback()
}

fn unreachable(place: &str, error: &DbError) -> Finding {
    Finding::problem(
        format!("{place} does not answer: {}", with_causes(error)),
        "see that Postgres runs and that DATABASE_URL has the right host, port, user, password, \
         database and sslmode",
    )
}

/// Whether Postgres has room for the pools of more than one process.
pub(super) fn room(config: &Config, cx: &Context) -> Examination {
    const SQL: &str = "SELECT current_setting('max_connections')::bigint
            - current_setting('superuser_reserved_connections')::bigint
            - coalesce(current_setting('reserved_connections', true)::bigint, 0),
        (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')";
    let (db, pool) = (cx.db.clone(), config.database.pool_size);
    let pool = i64::try_from(pool).unwrap_or(i64::MAX);
    Examination::new(
        "connections",
        "DATABASE_POOL_SIZE against Postgres's max_connections",
        move || {
            let db = db.clone();
            async move {
                match db.row(SQL, &[]).await {
                    Ok(row) => judge_room(pool, row.get(0), row.get(1)),
                    Err(error) => failed(&error),
                }
            }
        },
    )
}

fn judge_room(pool: i64, room: i64, in_use: i64) -> Finding {
    let processes = room / pool.max(1);
    let text = format!("room for {processes} pools of {pool} in {room}; {in_use} are in use now");
    match processes {
        0 | 1 => Finding::warning(
            text,
            "a deploy runs the new process beside the old one, and a worker may be a third: lower \
             DATABASE_POOL_SIZE or raise max_connections",
        ),
        _ => Finding::ok(text),
    }
}

/// Whether this machine and Postgres agree about the time.
pub(super) fn clocks(cx: &Context) -> Examination {
    let cx = cx.clone();
    Examination::new(
        "clock",
        "this machine's clock against Postgres's",
        move || {
            let cx = cx.clone();
            async move {
                match skew_ms(&cx).await {
                    Ok(skew) => judge_skew(skew),
                    Err(error) => failed(&error),
                }
            }
        },
    )
}

/// How far Postgres's clock is ahead of ours, in milliseconds.
async fn skew_ms(cx: &Context) -> Result<i64, DbError> {
    const SQL: &str = "SELECT clock_timestamp()";
    let client = cx.db.client().await?;
    // The first time prepares; the second one is a round trip, in the middle of which it was asked.
    client.row(SQL, &[]).await?;
    let asked = cx.clock.now();
    let theirs: Timestamp = client.row(SQL, &[]).await?.get(0);
    let answered = cx.clock.now();
    Ok(theirs.unix_ms() - (asked.unix_ms() + answered.unix_ms()) / 2)
}

fn judge_skew(skew_ms: i64) -> Finding {
    let direction = if skew_ms < 0 { "behind" } else { "ahead of" };
    let seconds = Duration::from_millis(skew_ms.unsigned_abs()).as_secs_f64();
    let text = format!("Postgres is {seconds:.3} s {direction} this machine");
    let advice = "let both follow NTP (chrony, systemd-timesyncd): timers, heartbeats and tokens are \
                  judged by each process's own clock";
    if skew_ms.abs() > SKEW_PROBLEM_MS {
        Finding::problem(text, advice)
    } else if skew_ms.abs() > SKEW_WARNING_MS {
        Finding::warning(text, advice)
    } else {
        Finding::ok(text)
    }
}

/// Postgres answered before and does not now.
pub(super) fn failed(error: &DbError) -> Finding {
    Finding::problem(
        with_causes(error),
        "Postgres answered a moment ago: ask again, and look into its log",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Grade;

    #[test]
    fn clocks_may_differ_by_a_second_and_must_not_by_five() {
        let grade = |skew| judge_skew(skew).grade;
        assert_eq!(grade(0), Grade::Ok);
        assert_eq!(grade(1000), Grade::Ok);
        assert_eq!(grade(-1001), Grade::Warning);
        assert_eq!(grade(5000), Grade::Warning);
        assert_eq!(grade(-5001), Grade::Problem);
        assert!(judge_skew(-1500).text.contains("1.500 s behind"));
    }

    #[test]
    fn a_second_process_must_fit() {
        assert_eq!(judge_room(50, 97, 0).grade, Grade::Warning);
        assert_eq!(judge_room(200, 97, 0).grade, Grade::Warning);
        assert_eq!(judge_room(16, 97, 3).grade, Grade::Ok);
    }

    #[test]
    fn far_is_what_others_can_read() {
        for near in ["127.0.0.1", "10.0.0.7", "172.17.0.2", "::1", "fd00::1"] {
            assert!(!is_far(near.parse().unwrap()), "{near}");
        }
        for far in ["203.0.113.9", "2001:db8::1"] {
            assert!(is_far(far.parse().unwrap()), "{far}");
        }
    }

    #[test]
    fn a_standby_is_a_problem_and_a_far_server_without_tls_a_warning() {
        let server = |is_standby, has_tls| Server {
            version: "17".into(),
            has_tls,
            is_standby,
            address: "203.0.113.9".parse().ok(),
            round_trip: Duration::from_millis(1),
        };
        let grade = |server: Server, env| server.judge(env, "there").grade;
        assert_eq!(grade(server(true, true), AppEnv::Test), Grade::Problem);
        assert_eq!(
            grade(server(false, false), AppEnv::Production),
            Grade::Warning
        );
        assert_eq!(grade(server(false, true), AppEnv::Production), Grade::Ok);
        assert_eq!(grade(server(false, false), AppEnv::Development), Grade::Ok);
    }
}
