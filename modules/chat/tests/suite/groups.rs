//! Messages that are written together: each is answered for itself, whatever its neighbours are.

use futures_util::future::join_all;
use halobestie_auth::testing::customer;
use halobestie_core::pg::{Client, Db, Query, Tx};
use halobestie_testkit::{TestApp, TestResponse, eventually};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{Talk, seqs, start, talk};

/// What a server sends by itself meanwhile.
const BACKGROUND_STATEMENTS: u64 = 20;

/// Holds sessions' rows, so that whatever is sent to them gathers behind the first messages.
async fn hold<'a>(client: &'a mut Client, talks: &[&Talk]) -> Tx<'a> {
    const SQL: &str = "SELECT 1 FROM chat_sessions WHERE id = ANY($1) ORDER BY id FOR UPDATE";
    let ids: Vec<Uuid> = talks.iter().map(|talk| talk.id.parse().unwrap()).collect();
    let tx = client.begin().await.unwrap();
    assert_eq!(tx.rows(SQL, &[&ids]).await.unwrap().len(), ids.len());
    tx
}

async fn client(app: &TestApp) -> Client {
    let db: &Db = app.database.db();
    db.client().await.unwrap()
}

/// How many messages wait for their commit.
fn waiting(app: &TestApp) -> usize {
    let page = app.context().metrics.render();
    let line = page
        .lines()
        .find_map(|line| line.strip_prefix("halobestie_chat_waiting_messages "));
    line.and_then(|count| count.parse().ok()).unwrap()
}

/// Lets these go once all of them wait behind the row that is held.
async fn together(
    app: &TestApp,
    held: Tx<'_>,
    sends: Vec<impl Future<Output = TestResponse>>,
) -> Vec<TestResponse> {
    let count = sends.len();
    let release = async {
        eventually("all wait", || async { waiting(app) == count }).await;
        held.commit().await.unwrap();
    };
    tokio::join!(join_all(sends), release).0
}

#[tokio::test]
async fn what_waits_for_the_same_commit_shares_a_statement() {
    const COUNT: usize = 100;
    let app = start().await;
    let talk = talk(&app).await;
    let mut client = client(&app).await;
    let held = hold(&mut client, &[&talk]).await;
    let before = app.statement_count();
    let marks: Vec<String> = (0..COUNT).map(|mark| mark.to_string()).collect();
    let sends = marks
        .iter()
        .map(|mark| talk.send(&app, &talk.customer, mark));
    let answers = together(&app, held, sends.collect()).await;
    let sent = app.statement_count() - before;
    assert!(sent <= BACKGROUND_STATEMENTS, "{sent} statements");
    assert!(answers.iter().all(|answer| answer.status == 201));
    let expected: Vec<i64> = (1..=COUNT as i64).collect();
    assert_eq!(seqs(&talk.history(&app).await), expected);
}

#[tokio::test]
async fn each_message_of_a_group_has_its_own_answer() {
    let app = start().await;
    let (talk, stranger) = (talk(&app).await, customer(&app).await);
    let over = crate::world::talk(&app).await;
    over.send(&app, &over.customer, "in time").await.expect(201);
    over.end(&app, &over.mitra).await.expect(200);

    let mut client = client(&app).await;
    let held = hold(&mut client, &[&talk, &over]).await;
    let sends: Vec<std::pin::Pin<Box<dyn Future<Output = TestResponse>>>> = vec![
        Box::pin(talk.send(&app, &talk.customer, "first")),
        Box::pin(talk.send(&app, &talk.mitra, "twice")),
        Box::pin(talk.send(&app, &talk.mitra, "twice")),
        Box::pin(talk.send(&app, &stranger, "foreign")),
        Box::pin(over.send(&app, &over.customer, "in time")),
        Box::pin(over.send(&app, &over.customer, "too late")),
    ];
    let answers = together(&app, held, sends).await;
    answers[0].clone().expect(201);
    let mut twice = [answers[1].status.as_u16(), answers[2].status.as_u16()];
    twice.sort_unstable();
    assert_eq!(twice, [200, 201]);
    assert_eq!(answers[1].json(), answers[2].json());
    answers[3].problem("not_found", 404);
    assert_eq!(answers[4].clone().expect(200).json()["seq"], 1);
    answers[5].problem("session_not_active", 409);
    assert_eq!(seqs(&talk.history(&app).await), [1, 2]);
}

#[tokio::test]
async fn a_message_that_postgres_refuses_fails_alone() {
    const COUNT: usize = 40;
    let app = start().await;
    let talk = talk(&app).await;
    app.database
        .execute(
            "ALTER TABLE chat_messages ADD CHECK (client_message_id NOT LIKE 'poison%')",
            &[],
        )
        .await;
    let mut client = client(&app).await;
    let held = hold(&mut client, &[&talk]).await;
    let marks: Vec<String> = (0..COUNT)
        .map(|mark| {
            if mark % 20 == 7 {
                format!("poison {mark}")
            } else {
                mark.to_string()
            }
        })
        .collect();
    let sends = marks
        .iter()
        .map(|mark| talk.send(&app, &talk.customer, mark));
    let answers = together(&app, held, sends.collect()).await;
    for (mark, answer) in marks.iter().zip(&answers) {
        if mark.starts_with("poison") {
            answer.problem("internal", 500);
        } else {
            answer.clone().expect(201);
        }
    }
    let expected: Vec<i64> = (1..=COUNT as i64 - 2).collect();
    assert_eq!(seqs(&talk.history(&app).await), expected);
}

#[tokio::test]
async fn the_same_message_on_two_servers_at_once_is_one() {
    let app = start().await;
    let replica = app.replica().await;
    let talk = talk(&app).await;
    for round in 0..5 {
        let mark = round.to_string();
        let mut client = client(&app).await;
        let held = hold(&mut client, &[&talk]).await;
        let both = async {
            tokio::join!(
                talk.send(&app, &talk.customer, &mark),
                talk.send(&replica, &talk.customer, &mark),
            )
        };
        let release = async {
            eventually("both wait", || async {
                waiting(&app) + waiting(&replica) == 2 && blocked(&app).await == 2
            })
            .await;
            held.commit().await.unwrap();
        };
        let ((one, other), ()) = tokio::join!(both, release);
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 201]);
        assert_eq!(one.json(), other.json());
    }
    assert_eq!(seqs(&talk.history(&app).await), [1, 2, 3, 4, 5]);
}

/// How many statements on this database wait for a lock.
async fn blocked(app: &TestApp) -> i64 {
    const SQL: &str = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    app.database.row(SQL, &[]).await.get(0)
}

/// A frame's error while the queue is full or Postgres refuses is the message's alone.
#[tokio::test]
async fn a_refused_message_on_a_socket_names_its_frame() {
    let app = start().await;
    let talk = talk(&app).await;
    app.database
        .execute(
            "ALTER TABLE chat_messages ADD CHECK (client_message_id <> 'poison')",
            &[],
        )
        .await;
    let mut socket = crate::world::socket(&app, &talk.customer).await;
    socket.send(&talk.frame("poison")).await;
    let error: Value = socket.expect("error").await;
    assert_eq!(
        (&error["id"], &error["code"]),
        (&json!("poison"), &json!("internal"))
    );
    socket.send(&talk.frame("fine")).await;
    assert_eq!(socket.expect("ack").await["message"]["seq"], 1);
}
