//! Refreshing many times at once, on two replicas.

use std::collections::BTreeSet;
use std::sync::Arc;

use halobestie_auth::testing;
use halobestie_testkit::{TestApp, TestResponse};
use tokio::task::JoinSet;

use crate::server::{refresh, start, text};

async fn all_at_once(apps: &[Arc<TestApp>], token: &str, times: usize) -> Vec<TestResponse> {
    let mut showing = JoinSet::new();
    for app in apps.iter().cycle().take(times) {
        let (app, token) = (app.clone(), token.to_owned());
        showing.spawn(async move { refresh(&app, &token).await });
    }
    showing.join_all().await
}

fn successors(answers: &[TestResponse]) -> BTreeSet<String> {
    let refreshed = answers.iter().filter(|answer| answer.status == 200);
    refreshed
        .map(|answer| text(&answer.json(), "refresh_token"))
        .collect()
}

#[tokio::test]
async fn two_tabs_end_with_one_living_token() {
    let app = Arc::new(start().await);
    let apps = [app.clone(), Arc::new(app.replica().await)];
    let mut token = testing::customer(&app).await.refresh_token;
    for _ in 0..10 {
        let answers = all_at_once(&apps, &token, 2).await;
        assert!(
            answers.iter().all(|answer| answer.status == 200),
            "{answers:?}"
        );
        let next = successors(&answers);
        assert_eq!(next.len(), 1);
        token = next.into_iter().next().unwrap();
    }
}

#[tokio::test]
async fn twenty_at_once_give_one_successor_twice_and_then_theft() {
    let app = Arc::new(start().await);
    let apps = [app.clone(), Arc::new(app.replica().await)];
    let person = testing::customer(&app).await;
    let answers = all_at_once(&apps, &person.refresh_token, 20).await;
    let count = |code: &str| {
        answers
            .iter()
            .filter(|it| it.json()["code"] == code)
            .count()
    };
    assert_eq!(answers.iter().filter(|it| it.status == 200).count(), 2);
    assert_eq!(successors(&answers).len(), 1);
    assert_eq!(count("refresh_reused"), 1);
    assert_eq!(count("refresh_invalid"), 17);
    // The third use was theft: nothing of the session is left.
    for token in successors(&answers) {
        refresh(&app, &token).await.problem("refresh_invalid", 401);
    }
    let living = "SELECT count(*) FROM auth_sessions WHERE revoked_at IS NULL";
    assert_eq!(app.database.row(living, &[]).await.get::<_, i64>(0), 0);
}

#[tokio::test]
async fn sessions_refreshed_at_once_do_not_meet() {
    let app = Arc::new(start().await);
    let mut refreshing = JoinSet::new();
    for _ in 0..10 {
        let app = app.clone();
        refreshing.spawn(async move {
            let mut token = testing::customer(&app).await.refresh_token;
            for _ in 0..5 {
                let tokens = refresh(&app, &token).await.expect(200).json();
                token = text(&tokens, "refresh_token");
            }
        });
    }
    refreshing.join_all().await;
}

#[tokio::test]
async fn of_many_who_refresh_together_each_gets_the_own_answer() {
    let app = Arc::new(start().await);
    let mut people = Vec::new();
    for number in 0..30 {
        let person = testing::customer(&app).await;
        // Every third comes with a token that was replaced twice, in the midst of the others.
        let is_thief = number % 3 == 0;
        let mut token = person.refresh_token.clone();
        for _ in 0..if is_thief { 2 } else { 0 } {
            token = text(
                &refresh(&app, &token).await.expect(200).json(),
                "refresh_token",
            );
        }
        people.push((person, is_thief));
    }
    let mut refreshing = JoinSet::new();
    for (person, is_thief) in people {
        let app = app.clone();
        refreshing.spawn(async move {
            let answer = refresh(&app, &person.refresh_token).await;
            if is_thief {
                answer.problem("refresh_reused", 401);
            } else {
                let tokens = answer.expect(200).json();
                assert_eq!(text(&tokens["user"], "id"), person.user_id.to_string());
            }
        });
    }
    refreshing.join_all().await;
}
