//! What a migration makes of data that was there before it.

use halobestie_chat::Chat;
use halobestie_core::Entry;
use halobestie_core::migrate::{self, MigrationSet};
use halobestie_core::pg::Query;
use halobestie_testkit::TestDb;

#[tokio::test]
async fn sessions_of_before_get_their_books() {
    let database = TestDb::empty().await;
    let migrations = (Entry::of::<Chat>().migrations)();
    let up_to = |count: usize| MigrationSet {
        module: "chat",
        migrations: &migrations[..count],
    };
    migrate::run(database.db(), &[migrate::CORE, up_to(1)])
        .await
        .unwrap();
    // One that runs; one that ran out, one that its mitra ended after 5 minutes, one that its customer did.
    let sql = "INSERT INTO chat_sessions (id, request_id, customer_id, mitra_id, status, package,
            created_at, started_at, expires_at, ended_at, end_reason)
        SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), status,
            '{\"id\": \"15m\"}', start, start, start + interval '15 minutes', start + ran, reason
        FROM (VALUES ('active', NULL, NULL), ('ended', interval '15 minutes', 'expired'),
            ('ended', interval '5 minutes', 'mitra_ended'),
            ('ended', interval '5 minutes', 'customer_ended')) AS old (status, ran, reason),
            (VALUES (timestamptz '2026-01-15T08:00:00.123Z')) AS at (start)";
    assert_eq!(database.db().execute(sql, &[]).await.unwrap(), 4);
    migrate::run(database.db(), &[migrate::CORE, up_to(2)])
        .await
        .unwrap();
    let sql = "SELECT coalesce(end_reason, status), array_agg(kind || ' ' || ms ORDER BY t.id),
            bool_and(clock_since IS NOT DISTINCT FROM CASE status WHEN 'active' THEN started_at END)
        FROM chat_sessions s JOIN chat_time t ON t.session_id = s.id GROUP BY 1 ORDER BY 1";
    let rows = database.rows(sql, &[]).await;
    let books: Vec<(String, Vec<String>, bool)> = rows
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect();
    let expected = [
        ("active", vec!["bought 900000"]),
        ("customer_ended", vec!["bought 900000", "consumed 900000"]),
        ("expired", vec!["bought 900000", "consumed 900000"]),
        (
            "mitra_ended",
            vec!["bought 900000", "consumed 300000", "returned 600000"],
        ),
    ];
    let expected: Vec<(String, Vec<String>, bool)> = expected
        .into_iter()
        .map(|(of, rows)| {
            let rows = rows.into_iter().map(str::to_owned).collect();
            (of.to_owned(), rows, true)
        })
        .collect();
    assert_eq!(books, expected);
}
