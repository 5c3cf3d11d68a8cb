//! Sessions: lists, ends, and whose they are.

use halobestie_auth::testing::customer;
use serde_json::{Value, json};

use crate::world::{online_mitra, start, talk, talk_of};

#[tokio::test]
async fn a_session_ends_once_whoever_ends_it_again() {
    let app = start().await;
    let talk = talk(&app).await;
    let first = talk.end(&app, &talk.mitra).await.expect(200).json();
    assert_eq!(first["end_reason"], "mitra_ended");
    let again = talk.end(&app, &talk.customer).await.expect(200).json();
    assert_eq!(
        (&again["end_reason"], &again["ended_at"]),
        (&first["end_reason"], &first["ended_at"])
    );
    talk.send(&app, &talk.customer, "late")
        .await
        .problem("session_not_active", 409);
}

#[tokio::test]
async fn sessions_are_listed_page_by_page_for_both_sides() {
    let app = start().await;
    let (me, mut mitra) = (customer(&app).await, online_mitra(&app).await);
    let mut mine = me.clone();
    let mut ids = Vec::new();
    for _ in 0..3 {
        let talk = talk_of(&app, mine, mitra).await;
        talk.end(&app, &talk.customer).await.expect(200);
        ids.push(talk.id.clone());
        (mine, mitra) = (talk.customer, talk.mitra);
        app.clock.advance(std::time::Duration::from_millis(5));
    }
    ids.reverse();
    for viewer in [&mine, &mitra] {
        let page = async |query: &str| {
            let path = format!("/api/chat/sessions{query}");
            app_get(&app, &path, &viewer.access_token).await
        };
        let first = page("?limit=2").await;
        let cursor = first["next_cursor"].as_str().unwrap();
        let rest = page(&format!("?limit=2&cursor={cursor}")).await;
        assert_eq!(rest["next_cursor"], Value::Null);
        let listed: Vec<_> = [&first, &rest]
            .into_iter()
            .flat_map(|page| page["items"].as_array().unwrap())
            .map(|session| session["id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(listed, ids);
        assert_eq!(page("?status=active").await["items"], json!([]));
        assert_eq!(
            page("?status=ended").await["items"]
                .as_array()
                .unwrap()
                .len(),
            3
        );
    }
}

async fn app_get(app: &halobestie_testkit::TestApp, path: &str, token: &str) -> Value {
    app.get(path).bearer(token).send().await.expect(200).json()
}

#[tokio::test]
async fn a_bad_page_is_refused() {
    let app = start().await;
    let me = customer(&app).await;
    for query in ["limit=0", "limit=101", "cursor=x", "status=dead"] {
        let path = format!("/api/chat/sessions?{query}");
        let refused = app.get(&path).bearer(&me.access_token).send().await;
        refused.problem("validation_failed", 422);
    }
}

#[tokio::test]
async fn other_peoples_sessions_do_not_exist() {
    let app = start().await;
    let (talk, stranger) = (talk(&app).await, customer(&app).await);
    let token = &stranger.access_token;
    for path in ["", "/messages"] {
        app.get(&talk.path(path))
            .bearer(token)
            .send()
            .await
            .problem("not_found", 404);
    }
    let text = json!({"client_message_id": "1", "kind": "text", "body": "hai"});
    for (path, body) in [
        ("/messages", text),
        ("/read", json!({"seq": 1})),
        ("/end", json!({})),
    ] {
        let call = app.post(&talk.path(path)).bearer(token).json(&body);
        call.send().await.problem("not_found", 404);
    }
    assert_eq!(
        app_get(&app, "/api/chat/sessions", token).await["items"],
        json!([])
    );
    let nowhere = app
        .get("/api/chat/sessions/not-an-id")
        .bearer(token)
        .send()
        .await;
    nowhere.problem("not_found", 404);
    assert_eq!(talk.show(&app, &talk.mitra).await["status"], "active");
}
