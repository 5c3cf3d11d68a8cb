//! `chat-retention`: what people wrote goes when it is old, the records stay.

use std::time::Duration;

use halobestie_auth::testing::customer;
use halobestie_core::Timestamp;
use halobestie_testkit::TestApp;
use serde_json::json;

use crate::reroutes::{becomes, reroute};
use crate::world::{Talk, accept, ask, online_mitra, plan, text};

const SWEEP: &str = "chat-retention";
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A session that is over, with a topic, three messages, a rating and a report.
async fn conversation(app: &TestApp) -> Talk {
    let (me, mitra) = (customer(app).await, online_mitra(app).await);
    let wish = json!({"package_id": "15m", "topic": "a secret"});
    let open = ask(app, &me, wish).await.expect(201).json();
    let session = accept(app, &mitra, &open).await.expect(200).json();
    let talk = Talk {
        customer: me,
        mitra,
        id: text(&session, "id"),
    };
    for mark in ["one", "two", "three"] {
        talk.send(app, &talk.customer, mark).await.expect(201);
    }
    talk.report(app, &talk.mitra, json!({"reason": "spam"}))
        .await
        .expect(201);
    let rating = app
        .post(&talk.path("/rating"))
        .bearer(&talk.customer.access_token);
    rating
        .json(&json!({"stars": 3, "comment": "a secret"}))
        .send()
        .await
        .expect(201);
    talk.end(app, &talk.customer).await.expect(200);
    talk
}

/// Lets everything have happened so long ago.
async fn age(app: &TestApp, by: Duration) {
    let seconds = by.as_secs_f64();
    for sql in [
        "UPDATE chat_sessions SET ended_at = ended_at - make_interval(secs => $1)",
        "UPDATE chat_requests SET closed_at = closed_at - make_interval(secs => $1)",
    ] {
        app.database.execute(sql, &[&seconds]).await;
    }
}

async fn count(app: &TestApp, sql: &'static str) -> i64 {
    app.database.row(sql, &[]).await.get(0)
}

const MESSAGES: &str = "SELECT count(*) FROM chat_messages";
const TOPICS: &str = "SELECT (SELECT count(*) FROM chat_sessions WHERE topic IS NOT NULL)
    + (SELECT count(*) FROM chat_requests WHERE topic IS NOT NULL)
    + (SELECT count(*) FROM chat_ratings WHERE comment IS NOT NULL)";

#[tokio::test]
async fn old_text_goes_and_the_records_stay() {
    let app = plan().start().await;
    let talk = conversation(&app).await;
    age(&app, DAY * 365).await;
    app.run_sweep(SWEEP).await;
    assert_eq!(
        count(&app, MESSAGES).await,
        3,
        "a year to the moment is not over"
    );
    app.clock.advance(Duration::from_secs(1));
    app.run_sweep(SWEEP).await;
    assert_eq!(count(&app, MESSAGES).await, 0);
    assert_eq!(count(&app, TOPICS).await, 0);
    let session = talk.show(&app, &talk.customer).await;
    assert_eq!(session["status"], "ended");
    assert_eq!(session["topic"], serde_json::Value::Null);
    assert_eq!(session["last_seq"], 3);
    assert!(talk.history(&app).await.is_empty());
    let stars = "SELECT count(*) FROM chat_ratings WHERE stars = 3";
    assert_eq!(count(&app, stars).await, 1);
    let evidence = "SELECT jsonb_array_length(evidence)::bigint FROM chat_reports";
    assert_eq!(count(&app, evidence).await, 3, "a report keeps its copy");
    assert_eq!(
        app.run_sweep(SWEEP).await.changed,
        0,
        "nothing is erased twice"
    );
}

#[tokio::test]
async fn why_a_mitra_gave_a_session_away_goes_with_it() {
    const NOTES: &str = "SELECT count(*) FROM chat_events WHERE note IS NOT NULL";
    let app = plan().start().await;
    let talk = crate::world::talk(&app).await;
    reroute(&app, &talk, &talk.mitra).await.expect(202);
    talk.end(&app, &talk.customer).await.expect(200);
    becomes(&app, &talk, "ended").await;
    assert_eq!(count(&app, NOTES).await, 1);
    age(&app, DAY * 366).await;
    app.run_sweep(SWEEP).await;
    assert_eq!(count(&app, NOTES).await, 0);
}

#[tokio::test]
async fn what_is_young_or_goes_on_stays() {
    let app = plan().env("CHAT_RETENTION_DAYS", "30").start().await;
    conversation(&app).await;
    let goes_on = crate::world::talk(&app).await;
    goes_on
        .send(&app, &goes_on.customer, "here")
        .await
        .expect(201);
    age(&app, DAY * 29).await;
    app.run_sweep(SWEEP).await;
    assert_eq!(count(&app, MESSAGES).await, 4);
    age(&app, DAY * 2).await;
    app.run_sweep(SWEEP).await;
    assert_eq!(count(&app, MESSAGES).await, 1);
}

#[tokio::test]
async fn zero_days_keep_everything() {
    let app = plan().env("CHAT_RETENTION_DAYS", "0").start().await;
    conversation(&app).await;
    age(&app, DAY * 10_000).await;
    app.run_sweep(SWEEP).await;
    assert_eq!(count(&app, MESSAGES).await, 3);
    assert_eq!(count(&app, TOPICS).await, 3);
}

#[tokio::test]
async fn long_conversations_go_batch_by_batch() {
    let app = plan().start().await;
    let talk = conversation(&app).await;
    const SQL: &str =
        "INSERT INTO chat_messages (session_id, seq, id, client_message_id, sender_id,
            sender_role, kind, body, sent_at)
        SELECT $1, seq, gen_random_uuid(), 'm' || seq, $2, 'customer', 'text', 'x', $3
        FROM generate_series(4, 12000) AS seq";
    let id: uuid::Uuid = talk.id.parse().unwrap();
    let sent_at: Timestamp = app.clock.now();
    app.database
        .execute(SQL, &[&id, &talk.customer.user_id, &sent_at])
        .await;
    age(&app, DAY * 366).await;
    assert_eq!(
        app.run_sweep(SWEEP).await.changed,
        12_000 + 1,
        "and a request"
    );
    assert_eq!(count(&app, MESSAGES).await, 0);
    assert_eq!(count(&app, TOPICS).await, 0);
}
