//! Who there is: the people and sessions that scenarios act as. A file of JSON, so that the same ids can
//! be put into several servers' databases and every side is asked for the same.
//!
//! Ids are made of a kind and a number, as the baseline's are. Tokens are not in the file: the generator
//! signs them with the secret that the servers were started with.

use std::path::Path;

use anyhow::{Context as _, Error, bail, ensure};
use serde::{Deserialize, Serialize};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

/// Messages of each session that is over.
const PAST_MESSAGES: i64 = 20;
/// Rows that one statement writes.
const BATCH: usize = 5000;

/// Everybody.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Fixture {
    /// Mitras, online and with free seats.
    pub(crate) mitras: Vec<Uuid>,
    /// Active sessions.
    pub(crate) sessions: Vec<Session>,
    /// Customers without a session. The baseline knows none and needs none.
    #[serde(default)]
    pub(crate) customers: Vec<Uuid>,
}

/// A session and its two sides.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) id: Uuid,
    pub(crate) customer_id: Uuid,
    pub(crate) mitra_id: Uuid,
}

/// How many of each.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Counts {
    /// Mitras, all online.
    #[arg(long, default_value_t = 1000)]
    pub(crate) mitras: usize,
    /// Active sessions, each of a customer of its own.
    #[arg(long, default_value_t = 200)]
    pub(crate) sessions: usize,
    /// Customers without a session.
    #[arg(long, default_value_t = 1000)]
    pub(crate) customers: usize,
}

#[derive(Clone, Copy)]
enum Kind {
    Customer = 1,
    Mitra = 2,
    Session = 3,
    IdleCustomer = 4,
}

impl Fixture {
    /// These many, by their numbers alone.
    pub(crate) fn new(counts: Counts) -> Self {
        let ids = |kind, count: usize| (0..count).map(move |number| id(kind, number));
        let session = |number| Session {
            id: id(Kind::Session, number),
            customer_id: id(Kind::Customer, number),
            mitra_id: id(Kind::Mitra, number % counts.mitras.max(1)),
        };
        Self {
            mitras: ids(Kind::Mitra, counts.mitras).collect(),
            sessions: (0..counts.sessions).map(session).collect(),
            customers: ids(Kind::IdleCustomer, counts.customers).collect(),
        }
    }

    /// Reads a fixture file.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let text =
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("cannot parse {}", path.display()))
    }

    /// Fills a migrated database, before its servers start: they seed their mirror from it. Whatever was
    /// in there of people, mitras and chats is deleted, so the database must say by its name that it is
    /// there for this, or a test's.
    pub(crate) async fn fill(&self, database: &str) -> Result<(), Error> {
        let client = connect(database).await?;
        let name: String = client
            .query_one("SELECT current_database()", &[])
            .await?
            .get(0);
        ensure!(
            name.contains("bench") || name.starts_with("test_"),
            "{name} has no `bench` in its name, so it is not emptied"
        );
        client.batch_execute(EMPTY).await.context("emptying")?;
        for mitras in self.mitras.chunks(BATCH) {
            insert_users(&client, mitras, "mitra").await?;
            client.execute(MITRAS, &[&mitras]).await.context("mitras")?;
        }
        for sessions in self.sessions.chunks(BATCH) {
            insert_sessions(&client, sessions).await?;
        }
        for customers in self.customers.chunks(BATCH) {
            insert_users(&client, customers, "customer").await?;
        }
        live_a_while(&client).await?;
        // What autovacuum would find out in its own time, in the middle of a round.
        client
            .batch_execute("VACUUM ANALYZE")
            .await
            .context("VACUUM")?;
        Ok(())
    }

    /// The first `count` sessions.
    pub(crate) fn some_sessions(&self, count: usize) -> Result<&[Session], Error> {
        some(&self.sessions, count, "sessions")
    }

    /// The first `count` mitras.
    pub(crate) fn some_mitras(&self, count: usize) -> Result<&[Uuid], Error> {
        some(&self.mitras, count, "mitras")
    }
}

fn some<'a, T>(all: &'a [T], count: usize, what: &str) -> Result<&'a [T], Error> {
    let there = all.len();
    all.get(..count)
        .with_context(|| format!("the fixture has {there} {what}, {count} are needed"))
}

const EMPTY: &str = "TRUNCATE chat_messages, chat_events, chat_offers, chat_requests, chat_extensions,
    chat_time, chat_ratings, chat_reports, chat_blocks, chat_sessions, mitras, auth_sessions, auth_otps,
    users";

const USERS: &str = "INSERT INTO users (id, role, display_name, created_at)
    SELECT id, $2, 'Number ' || right(id::text, 6), now() FROM unnest($1::uuid[]) AS id";

// Seats for as many sessions as a fixture gives to one mitra.
const MITRAS: &str = "INSERT INTO mitras (mitra_id, is_online, max_sessions, online_since,
        last_heartbeat_at, updated_at)
    SELECT id, true, 1000, now(), now(), now() FROM unnest($1::uuid[]) AS id";

// Nobody has the tokens of these.
const DEVICES: &str = "INSERT INTO auth_sessions (id, user_id, role, created_at, last_used_at,
        refresh_hash, refresh_expires_at)
    SELECT gen_random_uuid(), id, role, now(), now(), sha256(id::text::bytea), now() + interval '30 days'
    FROM users";

// One for every session that is open, of the same two people.
const PAST_SESSIONS: &str = "WITH past AS (
        INSERT INTO chat_sessions (id, request_id, customer_id, mitra_id, status, package, created_at,
            started_at, expires_at, ended_at, end_reason, last_seq, is_answered)
        SELECT gen_random_uuid(), gen_random_uuid(), customer_id, mitra_id, 'ended', package,
            now() - interval '2 days', now() - interval '2 days', now() - interval '1 day',
            now() - interval '1 day', 'expired', $1::bigint, true
        FROM chat_sessions
        RETURNING id, customer_id, ended_at
    )
    INSERT INTO chat_messages (session_id, seq, id, client_message_id, sender_id, sender_role, kind, body,
        sent_at)
    SELECT id, seq, gen_random_uuid(), seq::text, customer_id, 'customer', 'text', 'Halo kak', ended_at
    FROM past CROSS JOIN generate_series(1, $1::bigint) AS seq";

// As if each had been answered: a mitra that leaves a first message unanswered would lose its session.
const SESSIONS: &str = "INSERT INTO chat_sessions (id, request_id, customer_id, mitra_id, status, package,
        created_at, started_at, clock_since, held_since, expires_at, is_answered)
    SELECT id, gen_random_uuid(), customer_id, mitra_id, 'active',
        '{\"id\": \"6h\", \"name\": \"6 hours\", \"minutes\": 360, \"amount\": 0, \"currency\": \"IDR\"}',
        now(), now(), now(), now(), now() + interval '6 hours', true
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS it (id, customer_id, mitra_id)";

async fn insert_users(client: &Client, ids: &[Uuid], role: &str) -> Result<(), Error> {
    let inserted = client.execute(USERS, &[&ids, &role]).await;
    inserted.map(drop).with_context(|| format!("{role}s"))
}

async fn insert_sessions(client: &Client, sessions: &[Session]) -> Result<(), Error> {
    let column = |pick: fn(&Session) -> Uuid| sessions.iter().map(pick).collect::<Vec<_>>();
    let (ids, customers) = (column(|it| it.id), column(|it| it.customer_id));
    insert_users(client, &customers, "customer").await?;
    let mitras = column(|it| it.mitra_id);
    let inserted = client.execute(SESSIONS, &[&ids, &customers, &mitras]).await;
    inserted.map(drop).context("sessions")
}

/// Lets everybody have been here before. Where a table is empty, Postgres plans to read it through, and
/// a server's prepared statements keep that plan while the table grows.
async fn live_a_while(client: &Client) -> Result<(), Error> {
    client.execute(DEVICES, &[]).await.context("devices")?;
    client
        .execute(PAST_SESSIONS, &[&PAST_MESSAGES])
        .await
        .context("past sessions")?;
    Ok(())
}

/// Connects to a Postgres of this machine.
pub(crate) async fn connect(url: &str) -> Result<Client, Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .context("cannot connect to the database")?;
    // Ends with its client; what breaks it breaks the client's next statement, which says so.
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(connection);
    tasks.detach_all();
    Ok(client)
}

fn id(kind: Kind, number: usize) -> Uuid {
    let high = 0x0000_0000_0000_7000_u64;
    let low = 0x8000_0000_0000_0000 | (kind as u64) << 48 | number as u64;
    Uuid::from_u64_pair(high, low)
}

/// Writes a fixture file and fills databases with it.
pub(crate) async fn make(counts: Counts, database: Option<&str>, file: &Path) -> Result<(), Error> {
    if counts.sessions > 0 && counts.mitras == 0 {
        bail!("sessions need mitras");
    }
    let fixture = Fixture::new(counts);
    if let Some(database) = database {
        fixture.fill(database).await?;
    }
    let text = serde_json::to_vec(&fixture).context("a fixture is JSON")?;
    std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_the_baseline() {
        // `id(kind, n)` of its ids.mjs.
        let baseline = "00000000-0000-7000-8003-0000000000ff";
        assert_eq!(id(Kind::Session, 255).to_string(), baseline);
    }

    #[test]
    fn everybody_is_somebody_else() {
        let counts = Counts {
            mitras: 3,
            sessions: 7,
            customers: 5,
        };
        let fixture = Fixture::new(counts);
        let customers = fixture.sessions.iter().map(|it| it.customer_id);
        let all = customers.chain(fixture.customers.iter().copied());
        let mut all: Vec<Uuid> = all.chain(fixture.mitras.iter().copied()).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 15);
        assert!(fixture.some_sessions(7).is_ok() && fixture.some_sessions(8).is_err());
        assert!(
            fixture
                .sessions
                .iter()
                .all(|it| fixture.mitras.contains(&it.mitra_id))
        );
    }
}
