//! Two devices, and one draft.

use std::sync::Arc;

use halobestie_auth::testing::fresh_phone;
use halobestie_auth::testing::sign_in;
use halobestie_core::ports::Role;
use http::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::world::{etag, seconds, start, start_with};

#[tokio::test]
async fn a_lost_update_is_refused_and_both_versions_are_kept() {
    let world = start().await;
    let phone = fresh_phone();
    let laptop = sign_in(&world.app, Role::Customer, &phone).await;
    world.app.clock.advance(seconds(31));
    let tablet = sign_in(&world.app, Role::Customer, &phone).await;
    let seen = world.saved(&laptop, "rule", &json!("first"), None).await;
    let theirs = world
        .saved(&tablet, "rule", &json!("by tablet"), Some(&seen))
        .await;
    let refused = world
        .save(&laptop, "rule", &json!("by laptop"), Some(&seen))
        .await;
    let problem = refused.problem("draft_changed", 412);
    assert_eq!(problem["etag"], theirs.as_str());

    let read = world.read(&laptop, "/api/drafts/rule").await.expect(200);
    assert_eq!(read.json(), "by tablet");
    let id = problem["conflict_id"].as_str().unwrap();
    let path = format!("/api/drafts/rule/conflicts/{id}");
    assert_eq!(
        world.read(&tablet, &path).await.expect(200).json(),
        "by laptop"
    );
    let list = world
        .read(&tablet, "/api/drafts/rule/conflicts")
        .await
        .expect(200)
        .json();
    assert_eq!(list["items"][0]["id"], id);
    let drafts = world.read(&tablet, "/api/drafts").await.expect(200).json();
    assert_eq!(drafts["items"][0]["conflicts"], 1);

    // Having seen it, the laptop decides.
    let merged = world
        .save(&laptop, "rule", &json!("by both"), Some(&theirs))
        .await;
    merged.expect(200);
    world
        .by(&laptop, Method::DELETE, &path)
        .send()
        .await
        .expect(204);
    world.read(&laptop, &path).await.problem("not_found", 404);
}

#[tokio::test]
async fn nothing_is_written_blindly_over_what_is_there() {
    let world = start().await;
    let me = world.person().await;
    world.saved(&me, "rule", &json!("mine"), None).await;
    let blind = world.save(&me, "rule", &json!("other"), None).await;
    blind.problem("precondition_required", 428);
    let call = world
        .by(&me, Method::PUT, "/api/drafts/rule")
        .json(&json!("other"));
    let call = call.header("if-none-match", "*");
    call.send().await.problem("draft_changed", 412);
    for wrong in ["\"nonsense\"", "W/\"1\"", "nonsense"] {
        let answer = world.save(&me, "rule", &json!("other"), Some(wrong)).await;
        answer.problem("draft_changed", 412);
    }
    let any = world.save(&me, "rule", &json!("whatever"), Some("*")).await;
    any.expect(200);
}

#[tokio::test]
async fn a_lost_answer_can_be_asked_for_again() {
    let world = start().await;
    let me = world.person().await;
    let first = world.saved(&me, "rule", &json!(1), None).await;
    assert_eq!(world.saved(&me, "rule", &json!(1), None).await, first);
    let second = world.saved(&me, "rule", &json!(2), Some(&first)).await;
    // The same again, with the tag of before.
    let again = world
        .save(&me, "rule", &json!(2), Some(&first))
        .await
        .expect(200);
    assert_eq!(etag(&again), second);
    // A refusal whose answer was lost keeps one version, not two.
    for _ in 0..2 {
        let refused = world.save(&me, "rule", &json!(3), Some(&first)).await;
        refused.problem("draft_changed", 412);
    }
    assert_eq!(world.count("SELECT count(*) FROM draft_conflicts").await, 1);
}

#[tokio::test]
async fn of_many_devices_at_once_on_two_replicas_one_wins_and_nothing_is_lost() {
    let world = start().await;
    let me = world.person().await;
    let seen = world.saved(&me, "rule", &json!("first"), None).await;
    let replica = world.app.replica().await;
    let apps = [Arc::new(world.app), Arc::new(replica)];
    let mut writing = JoinSet::new();
    for number in 0..6 {
        let (app, token, seen) = (
            apps[number % 2].clone(),
            me.access_token.clone(),
            seen.clone(),
        );
        writing.spawn(async move {
            let call = app
                .put("/api/drafts/rule")
                .bearer(&token)
                .header("if-match", &seen);
            let answer = call.json(&json!(number)).send().await;
            (number, answer)
        });
    }
    let answers = writing.join_all().await;
    let won: Vec<usize> = answers
        .iter()
        .filter(|it| it.1.status == 200)
        .map(|it| it.0)
        .collect();
    assert_eq!(won.len(), 1);
    let get = |path: String| apps[0].get(&path).bearer(&me.access_token).send();
    let read = get("/api/drafts/rule".to_owned()).await.expect(200);
    assert_eq!(read.json(), won[0]);
    for (number, answer) in answers.into_iter().filter(|it| it.1.status != 200) {
        let id = answer.problem("draft_changed", 412)["conflict_id"].clone();
        let path = format!("/api/drafts/rule/conflicts/{}", id.as_str().unwrap());
        assert_eq!(get(path).await.expect(200).json(), number);
    }
}

#[tokio::test]
async fn a_draft_that_was_deleted_meanwhile_is_not_made_again_and_what_was_sent_is_kept() {
    let world = start().await;
    let me = world.person().await;
    let seen = world.saved(&me, "rule", &json!(1), None).await;
    world
        .by(&me, Method::DELETE, "/api/drafts/rule")
        .send()
        .await
        .expect(204);
    let refused = world.save(&me, "rule", &json!(2), Some(&seen)).await;
    let problem = refused.problem("draft_changed", 412);
    assert_eq!(problem["etag"], Value::Null);
    let list = world
        .read(&me, "/api/drafts/rule/conflicts")
        .await
        .expect(200)
        .json();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
    // A tag of before never comes back.
    world.saved(&me, "rule", &json!(1), None).await;
    let stale = world.save(&me, "rule", &json!(3), Some(&seen)).await;
    stale.problem("draft_changed", 412);
    // Deleting the draft deletes what was kept beside it.
    world
        .by(&me, Method::DELETE, "/api/drafts/rule")
        .send()
        .await
        .expect(204);
    assert_eq!(world.count("SELECT count(*) FROM draft_conflicts").await, 0);
}

#[tokio::test]
async fn a_delete_is_refused_that_has_not_seen_the_latest() {
    let world = start().await;
    let me = world.person().await;
    let first = world.saved(&me, "rule", &json!(1), None).await;
    let second = world.saved(&me, "rule", &json!(2), Some(&first)).await;
    let delete = |seen: String| {
        let call = world.by(&me, Method::DELETE, "/api/drafts/rule");
        call.header("if-match", &seen).send()
    };
    delete(first).await.problem("draft_changed", 412);
    delete(second).await.expect(204);
}

#[tokio::test]
async fn the_latest_five_refused_versions_are_kept_of_as_many_drafts_as_one_may_have() {
    let world = start_with(&[("DRAFTS_PER_USER", "2")]).await;
    let me = world.person().await;
    world.saved(&me, "a", &json!("a"), None).await;
    for number in 0..8 {
        let refused = world.save(&me, "a", &json!(number), Some("\"x\"")).await;
        refused.problem("draft_changed", 412);
        world.app.clock.advance(seconds(1));
    }
    assert_eq!(world.count("SELECT count(*) FROM draft_conflicts").await, 5);
    let list = world
        .read(&me, "/api/drafts/a/conflicts")
        .await
        .expect(200)
        .json();
    let id = list["items"][0]["id"].as_str().unwrap();
    let path = format!("/api/drafts/a/conflicts/{id}");
    assert_eq!(world.read(&me, &path).await.expect(200).json(), 7);
    // Of drafts that never were: no way around the bound.
    world
        .save(&me, "b", &json!(0), Some("\"x\""))
        .await
        .problem("draft_changed", 412);
    world
        .save(&me, "c", &json!(0), Some("\"x\""))
        .await
        .problem("drafts_full", 409);
}
