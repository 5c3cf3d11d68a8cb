//! Accounts that are closed while something is written for them.

use halobestie_core::pg::Query as _;
use http::Method;
use serde_json::json;

use crate::world::{start, waiting_for_locks};

#[tokio::test]
async fn nothing_is_written_for_an_account_that_is_closed_in_the_same_moment() {
    let world = start().await;
    let me = world.person().await;
    world
        .saved(&me, "rule", &json!({"text": "old"}), None)
        .await;
    // Holds up both, in the order in which they come.
    let db = world.app.database.db();
    let mut client = db.client().await.unwrap();
    let tx = client.begin().await.unwrap();
    const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtextextended('drafts:' || $1::uuid, 0))";
    tx.rows(LOCK, &[&me.user_id]).await.unwrap();
    let closing = world.by(&me, Method::DELETE, "/api/auth/me").send();
    let writing = async {
        waiting_for_locks(&world.app, 1).await;
        let content = json!({"text": "new"});
        let publication = world.by(&me, Method::PUT, "/api/drafts/rule/publication");
        let publishing = publication.json(&json!({"slug": "rules"})).send();
        tokio::join!(world.save(&me, "other", &content, None), publishing)
    };
    let letting_go = async {
        waiting_for_locks(&world.app, 3).await;
        tx.commit().await.unwrap();
    };
    let (closed, (saved, published), ()) = tokio::join!(closing, writing, letting_go);
    closed.expect(204);
    saved.problem("unauthenticated", 401);
    published.problem("unauthenticated", 401);
    assert_eq!(world.count("SELECT count(*) FROM drafts").await, 0);
    assert_eq!(world.count("SELECT count(*) FROM publications").await, 0);
}

#[tokio::test]
async fn whatever_comes_first_a_closed_account_leaves_nothing() {
    let world = start().await;
    for _ in 0..8 {
        let me = world.person().await;
        let closing = world.by(&me, Method::DELETE, "/api/auth/me").send();
        let content = json!({"text": "new"});
        let writing = async {
            tokio::join!(
                world.save(&me, "one", &content, None),
                world.save(&me, "two", &content, None),
                world.save(&me, "three", &content, Some("\"stale\"")),
            )
        };
        let (closed, _) = tokio::join!(closing, writing);
        closed.expect(204);
    }
    assert_eq!(world.count("SELECT count(*) FROM drafts").await, 0);
    assert_eq!(world.count("SELECT count(*) FROM draft_conflicts").await, 0);
}
