//! Revocations: at once on every replica, and forgotten by none.

use halobestie_auth::testing::{self, SignedIn};
use halobestie_testkit::{TcpProxy, TestApp, eventually};

use crate::server::{ENTRIES, me, seconds, start};

async fn log_out(app: &TestApp, person: &SignedIn) {
    app.post("/api/auth/logout")
        .bearer(&person.access_token)
        .send()
        .await
        .expect(204);
}

fn session_of(app: &TestApp, person: &SignedIn) -> uuid::Uuid {
    let authenticator = app.context().ports.authenticator.get().unwrap();
    let principal = authenticator.authenticate(&person.access_token).unwrap();
    principal.session_id
}

async fn refuses(app: &TestApp, person: &SignedIn) -> bool {
    me(app, &person.access_token).await.status == 401
}

#[tokio::test]
async fn a_logout_takes_effect_here_at_once() {
    let app = start().await;
    let person = testing::customer(&app).await;
    log_out(&app, &person).await;
    me(&app, &person.access_token)
        .await
        .problem("unauthenticated", 401);
    crate::server::refresh(&app, &person.refresh_token)
        .await
        .problem("refresh_invalid", 401);
    let again = app
        .post("/api/auth/logout")
        .bearer(&person.access_token)
        .send()
        .await;
    again.problem("unauthenticated", 401);
}

#[tokio::test]
async fn a_logout_takes_effect_on_another_replica_through_the_bus() {
    let app = start().await;
    let other = app.replica().await;
    let (person, stays) = (testing::customer(&app).await, testing::customer(&app).await);
    assert!(!refuses(&other, &person).await);
    // The clock stands still, so no periodic reading helps.
    log_out(&app, &person).await;
    eventually("the other replica refuses", || refuses(&other, &person)).await;
    assert!(!refuses(&other, &stays).await);
}

#[tokio::test]
async fn whoever_holds_a_socket_is_told() {
    let app = start().await;
    let other = app.replica().await;
    let person = testing::customer(&app).await;
    let authenticator = |app: &TestApp| app.context().ports.authenticator.get().unwrap().clone();
    let session_id = authenticator(&app)
        .authenticate(&person.access_token)
        .unwrap()
        .session_id;
    let mut told = authenticator(&app).revocations();
    let mut told_there = authenticator(&other).revocations();
    log_out(&app, &person).await;
    for told in [&mut told, &mut told_there] {
        let heard = tokio::time::timeout(halobestie_testkit::PATIENCE, told.recv()).await;
        assert_eq!(heard.expect("somebody tells"), Ok(session_id));
    }
    assert!(authenticator(&app).is_revoked(session_id));
}

#[tokio::test]
async fn a_restart_forgets_nothing() {
    let app = start().await;
    let person = testing::customer(&app).await;
    log_out(&app, &person).await;
    let app = app.restart().await;
    me(&app, &person.access_token)
        .await
        .problem("unauthenticated", 401);
}

#[tokio::test]
async fn without_the_bus_postgres_tells_within_half_a_minute() {
    let plan = TestApp::with(ENTRIES).no_valkey();
    let app = plan.start().await;
    // Two processes with a bus of their own each: nothing goes between them but Postgres.
    let other = app.replica().await;
    let person = testing::customer(&app).await;
    log_out(&app, &person).await;
    assert!(!refuses(&other, &person).await);
    app.clock.advance(seconds(30));
    eventually("the other replica has read Postgres", || {
        refuses(&other, &person)
    })
    .await;
}

#[tokio::test]
async fn what_was_missed_while_the_bus_was_cut_is_read_when_it_is_back() {
    let proxy = TcpProxy::to_valkey().await;
    let app = start().await;
    let other = app.another().valkey_at(&proxy.valkey_url()).start().await;
    let person = testing::customer(&app).await;
    let bus = &other.context().bus;
    eventually("the bus is there", || async { bus.is_connected() }).await;
    proxy.cut();
    eventually("the bus is gone", || async { !bus.is_connected() }).await;
    log_out(&app, &person).await;
    assert!(!refuses(&other, &person).await);
    proxy.mend();
    eventually("what was missed is read", || refuses(&other, &person)).await;
}

#[tokio::test]
async fn what_was_missed_is_read_as_soon_as_postgres_answers_too() {
    let (valkey, postgres) = (TcpProxy::to_valkey().await, TcpProxy::to_postgres().await);
    let app = start().await;
    let other = app
        .another()
        .valkey_at(&valkey.valkey_url())
        .postgres_through(&postgres)
        .start()
        .await;
    let person = testing::customer(&app).await;
    let session_id = session_of(&app, &person);
    let authenticator = other.context().ports.authenticator.get().unwrap();
    let bus = &other.context().bus;
    eventually("the bus is there", || async { bus.is_connected() }).await;
    valkey.cut();
    postgres.cut();
    eventually("the bus is gone", || async { !bus.is_connected() }).await;
    log_out(&app, &person).await;
    valkey.mend();
    eventually("the bus is back", || async { bus.is_connected() }).await;
    assert!(!authenticator.is_revoked(session_id));
    postgres.mend();
    // Twenty seconds at most, which is before the reading that comes in any case.
    let mut left = 20;
    eventually("what was missed is read", || {
        if left > 0 {
            left -= 1;
            app.clock.advance(seconds(1));
        }
        std::future::ready(authenticator.is_revoked(session_id))
    })
    .await;
}

#[tokio::test]
async fn the_set_is_emptied_only_of_what_has_expired() {
    let app = start().await;
    let person = testing::customer(&app).await;
    let authenticator = app.context().ports.authenticator.get().unwrap();
    let session_id = authenticator
        .authenticate(&person.access_token)
        .unwrap()
        .session_id;
    log_out(&app, &person).await;
    app.clock.advance(seconds(899));
    me(&app, &person.access_token)
        .await
        .problem("unauthenticated", 401);
    assert!(authenticator.is_revoked(session_id));
    app.clock.advance(seconds(120));
    eventually("nothing needs it any more", || async {
        !authenticator.is_revoked(session_id)
    })
    .await;
    me(&app, &person.access_token)
        .await
        .problem("token_expired", 401);
}
