//! Lives of sessions on two real servers, held against the published rule. The pure rotation is held
//! against the same rule ten thousand times.

use halobestie_auth::testing;
use halobestie_testkit::{TestApp, TestResponse};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestRunner};

use crate::schedule::{Rule, Said, Step, anything, rightful, theft};
use crate::server::{refresh, start, text};

const SCHEDULES: usize = 60;

/// Schedules that are the same in every run.
fn schedules<T>(strategy: &impl Strategy<Value = Vec<T>>) -> Vec<Vec<T>>
where
    T: std::fmt::Debug,
{
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    let mut draw = || strategy.new_tree(&mut runner).unwrap().current();
    (0..SCHEDULES).map(|_| draw()).collect()
}

/// Plays a schedule in a session of its own, each step on the next replica; what was said.
async fn play(apps: &[TestApp], schedule: &[Step]) -> Vec<(usize, Said)> {
    let mut tokens = vec![testing::customer(&apps[0]).await.refresh_token];
    let mut said = Vec::new();
    for (turn, step) in schedule.iter().enumerate() {
        match *step {
            Step::Show(back) => {
                let Some(index) = tokens.len().checked_sub(back + 1) else {
                    continue;
                };
                let answer = refresh(&apps[turn % apps.len()], &tokens[index]).await;
                said.push((back, understood(&answer, &mut tokens)));
            }
            Step::Wait(duration) => apps[0].clock.advance(duration),
            // Secrets are rotated where servers are started.
            Step::NewSecret => {}
        }
    }
    said
}

fn understood(answer: &TestResponse, tokens: &mut Vec<String>) -> Said {
    let body = answer.json();
    match (answer.status.as_u16(), body["code"].as_str()) {
        (200, _) => {
            let token = text(&body, "refresh_token");
            if tokens.last() == Some(&token) {
                return Said::Again;
            }
            assert!(!tokens.contains(&token), "a token of the past came back");
            tokens.push(token);
            Said::Next
        }
        (401, Some("refresh_reused")) => Said::Reused,
        (401, Some("refresh_invalid")) => Said::Invalid,
        _ => panic!("{answer}"),
    }
}

async fn two_replicas() -> [TestApp; 2] {
    let app = start().await;
    let other = app.replica().await;
    [app, other]
}

#[tokio::test]
async fn two_servers_keep_the_rule_whatever_is_shown() {
    let apps = two_replicas().await;
    let mut living = 0;
    for schedule in schedules(&anything()) {
        let mut rule = Rule::default();
        let mut said = play(&apps, &schedule).await.into_iter();
        let mut count = 1;
        for step in &schedule {
            match *step {
                Step::Show(back) if back < count => {
                    let expected = rule.show(back);
                    count += usize::from(expected == Said::Next);
                    assert_eq!(said.next(), Some((back, expected)), "{schedule:?}");
                }
                Step::Wait(duration) => rule.wait(duration),
                Step::Show(_) | Step::NewSecret => {}
            }
        }
        living += u64::from(!rule.is_revoked());
    }
    assert_eq!(count_living(&apps[0]).await, living);
}

async fn count_living(app: &TestApp) -> u64 {
    let sql = "SELECT count(*) FROM auth_sessions WHERE revoked_at IS NULL";
    app.database
        .row(sql, &[])
        .await
        .get::<_, i64>(0)
        .cast_unsigned()
}

#[tokio::test]
async fn two_servers_never_sign_out_who_keeps_to_the_rule() {
    let apps = two_replicas().await;
    for schedule in schedules(&rightful()) {
        let said = play(&apps, &schedule).await;
        let is_fine = |(_, said): &(usize, Said)| matches!(said, Said::Next | Said::Again);
        assert!(said.iter().all(is_fine), "{schedule:?}: {said:?}");
    }
}

#[tokio::test]
async fn two_servers_catch_theft_when_the_second_of_the_two_comes() {
    let apps = two_replicas().await;
    for moves in schedules(&theft()) {
        let mut tokens = vec![testing::customer(&apps[0]).await.refresh_token];
        let mut held = [tokens[0].clone(), tokens[0].clone()];
        let mut has_come = [false, false];
        for (is_owner, pause) in moves {
            let who = usize::from(is_owner);
            has_come[who] = true;
            // The owner and the thief meet different replicas.
            let said = understood(&refresh(&apps[who], &held[who]).await, &mut tokens);
            let both = has_come == [true, true];
            assert_eq!(said == Said::Next, !both, "{said:?}");
            held[who].clone_from(tokens.last().unwrap());
            apps[0].clock.advance(pause);
        }
    }
}
