//! Accounts that are closed while something is kept for them.

use halobestie_core::app::Role;
use halobestie_core::pg::Query as _;
use halobestie_testkit::{TestApp, eventually};

use crate::world::{World, gpx, send};

const WAITING: &str = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

async fn waiting_for_locks(app: &TestApp, many: i64) {
    eventually("they wait", || async {
        let waiting: i64 = app.database.row(WAITING, &[]).await.get(0);
        waiting == many
    })
    .await;
}

async fn left(app: &TestApp) -> i64 {
    const SQL: &str = "SELECT (SELECT count(*) FROM routes) + (SELECT count(*) FROM tours)";
    app.database.row(SQL, &[]).await.get(0)
}

#[tokio::test]
async fn nothing_is_kept_for_an_account_that_is_closed_in_the_same_moment() {
    let world = World::of(Role::Api, &[]).await;
    let walker = world.walker().await;
    // Holds up all three, in the order in which they come.
    let mut client = world.app.database.db().client().await.unwrap();
    let tx = client.begin().await.unwrap();
    const LOCK: &str =
        "SELECT pg_advisory_xact_lock(hashtextextended(module || ':' || $1::uuid, 0))
        FROM unnest(ARRAY['routes', 'tours']) AS module";
    tx.rows(LOCK, &[&walker.user_id]).await.unwrap();
    let close = world.app.delete("/api/auth/me");
    let closing = close.bearer(&walker.access_token).send();
    let writing = async {
        waiting_for_locks(&world.app, 1).await;
        let begin = world.app.post("/api/tours").bearer(&walker.access_token);
        let file = gpx("Late", 10);
        // The closing takes the lock of routes first: what waits for that of tours would overtake it.
        let sent = send(&world.app, &walker, &file);
        let begun = async {
            waiting_for_locks(&world.app, 2).await;
            begin.send().await
        };
        tokio::join!(sent, begun)
    };
    let letting_go = async {
        waiting_for_locks(&world.app, 3).await;
        tx.commit().await.unwrap();
    };
    let (closed, (sent, _), ()) = tokio::join!(closing, writing, letting_go);
    closed.expect(204);
    sent.problem("unauthenticated", 401);
    assert_eq!(left(&world.app).await, 0);
}

#[tokio::test]
async fn whatever_comes_first_a_closed_account_leaves_nothing() {
    let world = World::of(Role::Api, &[]).await;
    for _ in 0..8 {
        let walker = world.walker().await;
        let close = world.app.delete("/api/auth/me");
        let begin = || {
            let call = world.app.post("/api/tours").bearer(&walker.access_token);
            call.send()
        };
        let file = gpx("Late", 10);
        let (closed, ..) = tokio::join!(
            close.bearer(&walker.access_token).send(),
            begin(),
            send(&world.app, &walker, &file),
            begin(),
        );
        closed.expect(204);
    }
    assert_eq!(left(&world.app).await, 0);
}
