//! Sockets over time: pings, slow readers, and sessions that change under them.

use std::net::SocketAddr;

use halobestie_auth::testing::SignedIn;
use halobestie_testkit::{TestApp, eventually};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::world::{Talk, online_mitra, plan, receive, socket, start, talk};

/// What a server sends by itself meanwhile.
const BACKGROUND_STATEMENTS: u64 = 20;
/// A protocol-level ping without payload.
const PING: [u8; 2] = [0x89, 0];

/// Opens a socket by hand: a client that answers nothing unless it is told to.
async fn by_hand(address: SocketAddr, user: &SignedIn) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let handshake = format!(
        "GET /api/ws HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: halobestie.v1\r\nAuthorization: Bearer {}\r\n\r\n",
        user.access_token
    );
    stream.write_all(handshake.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn a_socket_that_answers_no_ping_is_dead() {
    let app = plan()
        .env("CHAT_PING_SECONDS", "1")
        .env("CHAT_SOCKET_PATIENCE_SECONDS", "1")
        .start()
        .await;
    let talk = talk(&app).await;
    let mut silent = by_hand(app.public_address(), &talk.customer).await;
    let mut alive = socket(&app, &talk.mitra).await;
    let mut heard = Vec::new();
    let until_its_end = async {
        // Gone without a good-bye: nobody would hear it.
        let _ = silent.read_to_end(&mut heard).await;
    };
    let until_many_pings = async {
        // Reading answers them.
        assert_eq!(
            alive.next_json(std::time::Duration::from_secs(4)).await,
            None
        );
    };
    tokio::join!(until_its_end, until_many_pings);
    assert!(heard.windows(2).any(|bytes| bytes == PING), "it was asked");
    assert!(heard.ends_with(&PING), "it was told nothing after that");
    alive.so_far().await;
}

/// How often the server closed a socket by this code.
fn closed(app: &TestApp, code: u16) -> String {
    let page = app.context().metrics.render();
    let name = format!("halobestie_chat_closed_total{{code=\"{code}\"}} ");
    let mut lines = page.lines();
    let count = lines.find_map(|line| line.strip_prefix(&name));
    count.unwrap_or("0").to_owned()
}

/// Writes messages that are far more than the kernel keeps for a connection, as another replica does
/// whose events the bus has lost.
async fn write_much(app: &TestApp, talk: &Talk, count: i64) {
    const SQL: &str = "WITH counted AS (
            UPDATE chat_sessions SET last_seq = $2 WHERE id = $1 RETURNING id, mitra_id
        )
        INSERT INTO chat_messages (session_id, seq, id, client_message_id, sender_id, sender_role, kind,
            body, sent_at)
        SELECT id, seq, gen_random_uuid(), seq, mitra_id, 'mitra', 'text', repeat('x', 200000), $3
        FROM counted, generate_series(1, $2::bigint) AS seq";
    let id: Uuid = talk.id.parse().unwrap();
    let now = app.clock.now();
    let written = app.database.execute(SQL, &[&id, &count, &now]).await;
    assert_eq!(written, count.unsigned_abs());
}

#[tokio::test]
async fn a_reader_that_stalls_is_closed_with_4429_and_has_had_no_gap() {
    const MUCH: i64 = 100;
    let app = plan()
        .env("CHAT_SOCKET_PATIENCE_SECONDS", "2")
        .start()
        .await;
    let talk = talk(&app).await;
    let mut stalled = socket(&app, &talk.customer).await;
    write_much(&app, &talk, MUCH).await;
    let last = MUCH + 1;
    talk.send(&app, &talk.mitra, "the last").await.expect(201);

    eventually("the server gives up", || async {
        closed(&app, 4429) == "1"
    })
    .await;
    let (frames, code) = stalled.ending().await;
    assert_eq!(code, 4429);
    let news = frames.iter().filter(|it| it["type"] == "message.new");
    let had: Vec<i64> = news
        .map(|it| it["message"]["seq"].as_i64().unwrap())
        .collect();
    let all: Vec<i64> = (1..=last).collect();
    assert_eq!(had, all[..had.len()]);
    assert!(had.len() < all.len(), "it was all taken");

    // Nothing is lost: it comes back and resumes.
    let mut back = socket(&app, &talk.customer).await;
    let place = json!({"session_id": talk.id, "after_seq": had.len()});
    back.send(&json!({"type": "resume", "sessions": [place]}))
        .await;
    let rest = receive(&mut back, all.len() - had.len()).await;
    assert_eq!(rest, all[had.len()..]);
}

#[tokio::test]
async fn typing_sends_no_statement() {
    const FRAMES: usize = 300;
    let app = start().await;
    let talk = talk(&app).await;
    let (mut at_customer, mut at_mitra) = (
        socket(&app, &talk.customer).await,
        socket(&app, &talk.mitra).await,
    );
    let before = app.statement_count();
    for index in 0..FRAMES {
        let typing = index % 2 == 0;
        at_customer
            .send(&json!({"type": "typing", "session_id": talk.id, "typing": typing}))
            .await;
        let event = at_mitra.expect("typing").await;
        assert_eq!(
            event,
            json!({"type": "typing", "session_id": talk.id, "typing": typing,
                "user_id": talk.customer.user_id})
        );
    }
    let sent = app.statement_count() - before;
    assert!(
        sent <= BACKGROUND_STATEMENTS,
        "{sent} statements for {FRAMES} frames"
    );

    talk.end(&app, &talk.mitra).await.expect(200);
    at_customer.expect("session.updated").await;
    at_customer
        .send(&json!({"type": "typing", "session_id": talk.id, "typing": true}))
        .await;
    assert_eq!(at_customer.expect("error").await["code"], "not_found");
}

/// Hands a session to another mitra behind the server's back, as another replica does whose event the
/// bus has lost.
async fn hand_over(app: &TestApp, talk: &Talk, to: &SignedIn) {
    const SQL: &str = "UPDATE chat_sessions SET mitra_id = $2, version = version + 1 WHERE id = $1";
    let id: Uuid = talk.id.parse().unwrap();
    assert_eq!(app.database.execute(SQL, &[&id, &to.user_id]).await, 1);
}

#[tokio::test]
async fn whoever_types_after_a_change_is_seen_by_the_new_side() {
    let app = start().await;
    let (talk, next) = (talk(&app).await, online_mitra(&app).await);
    let mut at_customer = socket(&app, &talk.customer).await;
    let mut at_next = socket(&app, &next).await;
    hand_over(&app, &talk, &next).await;
    at_customer.expect("session.updated").await;
    at_customer
        .send(&json!({"type": "typing", "session_id": talk.id, "typing": true}))
        .await;
    assert_eq!(at_next.expect("typing").await["session_id"], talk.id);
}

#[tokio::test]
async fn a_mitra_that_has_handed_a_session_on_hears_no_more_of_it() {
    let app = start().await;
    let (talk, next) = (talk(&app).await, online_mitra(&app).await);
    talk.send(&app, &talk.customer, "1").await.expect(201);
    // Its messages are held back for a resume, and from where it came it would go on.
    let mut at_first = socket(&app, &talk.mitra).await;
    hand_over(&app, &talk, &next).await;
    talk.send(&app, &talk.customer, "2").await.expect(201);
    at_first
        .send(&json!({"type": "message.read", "session_id": talk.id, "seq": 2}))
        .await;
    let resume = json!({"type": "resume", "sessions": [{"session_id": talk.id, "after_seq": 0}]});
    at_first.send(&resume).await;
    let heard = at_first.so_far().await;
    assert!(
        heard.iter().any(|frame| frame["code"] == "not_found"),
        "{heard:?}"
    );
    assert!(
        heard.iter().all(|frame| frame["type"] != "message.new"),
        "{heard:?}"
    );
    talk.send(&app, &talk.mitra, "3")
        .await
        .problem("not_found", 404);
}
