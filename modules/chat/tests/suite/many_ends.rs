//! Ten thousand sessions that end within a minute, two workers, and a crash of both in the middle.

use std::time::Duration;

use halobestie_core::Timestamp;
use halobestie_testkit::{TestApp, eventually};

use crate::world::start;

const SESSIONS: i64 = 10_000;
/// How far the clock goes at once: an end is late by less than this, or the workers sleep.
const STEP: Duration = Duration::from_millis(500);
/// How late an end may be.
const PROMISED_MS: i64 = 1000;
/// How long nobody runs.
const OUTAGE: Duration = Duration::from_secs(3);

#[tokio::test]
async fn each_of_ten_thousand_sessions_ends_once_and_in_time_across_a_crash_of_all_workers() {
    let app = start().await;
    let replica = app.replica().await;
    write_sessions(&app).await;
    let begin = app.clock.now();
    let halfway = begin + Duration::from_secs(30);
    while app.clock.now() < halfway {
        app.clock.advance(STEP);
        all_due_have_ended(&app).await;
    }

    // Both die while they end the next ones; in the time that nobody runs, more become due.
    app.clock.advance(STEP);
    let plan = app.another();
    let (database, clock) = (app.database.clone(), app.clock.clone());
    let crashed_at = clock.now();
    drop((app, replica));
    clock.advance(OUTAGE);
    let app = plan.start().await;
    let back_at = app.clock.now();
    all_due_have_ended(&app).await;
    let replica = app.replica().await;
    while app.clock.now() < begin + Duration::from_secs(61) {
        app.clock.advance(STEP);
        all_due_have_ended(&app).await;
    }
    drop(replica);

    let ends = database.rows(ENDS, &[]).await;
    assert_eq!(
        ends.len() as u64,
        SESSIONS.unsigned_abs(),
        "each has one end"
    );
    for end in &ends {
        let (due, at): (Timestamp, Timestamp) = (end.get("expires_at"), end.get("at"));
        assert_eq!(end.get::<_, Timestamp>("ended_at"), due);
        assert_eq!(end.get::<_, i64>("consumed"), end.get::<_, i64>("bought"));
        let in_outage = due > crashed_at - STEP && due <= back_at;
        let late = at.unix_ms() - due.unix_ms();
        assert!(late >= 0, "{due} ended at {at}");
        assert!(late <= PROMISED_MS || in_outage, "{due} ended at {at}");
        assert!(at <= back_at || !in_outage, "{due} ended at {at}");
    }
}

/// One row an end; a session that ended twice would have two, as would one that consumed its time twice.
const ENDS: &str = "SELECT s.expires_at, s.ended_at, e.at, c.ms AS consumed, b.ms AS bought
    FROM chat_sessions s
    JOIN chat_events e ON e.session_id = s.id AND e.event = 'session_expired'
    JOIN chat_time c ON c.session_id = s.id AND c.kind = 'consumed'
    JOIN chat_time b ON b.session_id = s.id AND b.kind = 'bought'
    WHERE s.status = 'ended' AND s.end_reason = 'expired'";

/// Sessions of a quarter of an hour that are near their ends, spread over the minute that begins in a second:
/// no session is so short that it ends before a worker can have seen it.
async fn write_sessions(app: &TestApp) {
    let sql = "WITH made AS (
            INSERT INTO chat_sessions (id, request_id, customer_id, mitra_id, status, package,
                created_at, started_at, clock_since, held_since, expires_at, warned_seconds)
            SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),
                md5((n % 2000)::text)::uuid, 'active',
                '{\"id\": \"15m\", \"name\": \"15\", \"minutes\": 15, \"amount\": 25000}', start,
                start, start, start, start + interval '15 minutes', 60
            FROM generate_series(1, $2::bigint) AS n, LATERAL (
                SELECT date_trunc('milliseconds', $1::timestamptz - interval '899 seconds'
                    + random() * interval '1 minute') + n * interval '0' AS start) AS at
            RETURNING id, started_at
        )
        INSERT INTO chat_time (session_id, kind, ms, subject_id, at)
        SELECT id, 'bought', 900000, id, started_at FROM made";
    let now = app.clock.now();
    let written = app.database.execute(sql, &[&now, &SESSIONS]).await;
    assert_eq!(written, SESSIONS.unsigned_abs());
}

async fn all_due_have_ended(app: &TestApp) {
    let sql = "SELECT count(*) FROM chat_sessions WHERE status = 'active' AND expires_at <= $1";
    eventually("all that is due has ended", || async {
        let left: i64 = app.database.row(sql, &[&app.clock.now()]).await.get(0);
        left == 0
    })
    .await;
}
