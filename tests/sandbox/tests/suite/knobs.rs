//! The knobs, each on Fazpass; they are the same ones everywhere.

use std::time::{Duration, Instant};

use halobestie_sandbox::{Conditions, Fault, KnobError, Planned, Sandbox};
use serde_json::json;

use crate::client::{Answer, Http};

struct Caller {
    sandbox: Sandbox,
    http: Http,
}

impl Caller {
    async fn new() -> Self {
        let (sandbox, http) = (Sandbox::start().await, Http::new());
        Self { sandbox, http }
    }

    async fn send(&self) -> Option<Answer> {
        send(&self.sandbox, &self.http).await
    }

    fn sent(&self) -> usize {
        self.sandbox.fazpass.messages().len()
    }
}

async fn send(sandbox: &Sandbox, http: &Http) -> Option<Answer> {
    let fazpass = &sandbox.fazpass;
    let body =
        json!({ "phone": "628123456789", "otp": "123456", "gateway_key": fazpass.gateway_key() });
    let call = http.post(&format!("{}/send", fazpass.base_url()));
    let call = call.bearer(fazpass.merchant_key()).json(&body);
    call.try_send().await
}

#[tokio::test]
async fn planned_errors_strike_so_many_calls_and_do_nothing() {
    let caller = Caller::new().await;
    let knobs = &caller.sandbox.fazpass.knobs;
    knobs.fail_next(2, "503");
    let wait = Duration::from_millis(2500);
    knobs.strike(Some("send"), 1, Fault::error_for("429", wait));
    for _ in 0..2 {
        let answer = caller.send().await.unwrap().expect(503);
        assert_eq!(answer.json()["status"], false);
    }
    let answer = caller.send().await.unwrap().expect(429);
    assert_eq!(answer.header("retry-after"), "3");
    assert_eq!(caller.sent(), 0);
    caller.send().await.unwrap().expect(200);
    assert_eq!(caller.sent(), 1);
}

#[tokio::test]
async fn a_refusal_may_be_a_success_of_http() {
    let caller = Caller::new().await;
    caller.sandbox.fazpass.knobs.fail_next(1, "refused");
    let answer = caller.send().await.unwrap().expect(200);
    assert_eq!(answer.json()["status"], false);
    assert_eq!(caller.sent(), 0);
}

#[tokio::test]
async fn a_lost_answer_has_done_its_work_and_a_cut_call_has_not() {
    let caller = Caller::new().await;
    caller.sandbox.fazpass.knobs.lose_next(1);
    assert!(caller.send().await.is_none());
    assert_eq!(caller.sent(), 1);
    caller.sandbox.fazpass.knobs.cut_next(1);
    assert!(caller.send().await.is_none());
    assert_eq!(caller.sent(), 1);
    let statuses: Vec<_> = caller.sandbox.fazpass.calls();
    assert!(statuses.iter().all(|call| call.status.is_none()));
    caller.send().await.unwrap().expect(200);
}

#[tokio::test]
async fn answers_are_lost_on_http2_too() {
    let sandbox = Sandbox::start().await;
    let http = Http::http2();
    send(&sandbox, &http).await.unwrap().expect(200);
    sandbox.fazpass.knobs.lose_next(1);
    assert!(send(&sandbox, &http).await.is_none());
    assert_eq!(sandbox.fazpass.messages().len(), 2);
    send(&sandbox, &http).await.unwrap().expect(200);
    assert_eq!(sandbox.fazpass.calls()[2].version, "HTTP/2.0");
}

#[tokio::test]
async fn a_fault_of_one_operation_leaves_the_others_alone() {
    let caller = Caller::new().await;
    let knobs = &caller.sandbox.fazpass.knobs;
    knobs.strike(Some("verify"), 1, Fault::error("500"));
    knobs.strike(Some("send"), 1, Fault::bad_gateway());
    let answer = caller.send().await.unwrap().expect(502);
    assert_eq!(answer.header("content-type"), "text/html");
    caller.send().await.unwrap().expect(200);
    assert_eq!(knobs.conditions().planned.len(), 1);
}

#[tokio::test]
async fn a_slow_answer_comes_later_with_its_work_done_at_once() {
    let caller = Caller::new().await;
    caller
        .sandbox
        .fazpass
        .knobs
        .delay(Duration::from_secs(3600));
    let given_up = tokio::time::timeout(Duration::from_millis(300), caller.send()).await;
    assert!(given_up.is_err());
    assert_eq!(caller.sent(), 1);
    caller
        .sandbox
        .fazpass
        .knobs
        .delay(Duration::from_millis(80));
    let started = Instant::now();
    caller.send().await.unwrap().expect(200);
    assert!(started.elapsed() >= Duration::from_millis(80));
}

#[tokio::test]
async fn a_single_answer_may_be_slow() {
    let caller = Caller::new().await;
    let knobs = &caller.sandbox.fazpass.knobs;
    knobs.strike(None, 1, Fault::Slow { ms: 60 });
    let started = Instant::now();
    caller.send().await.unwrap().expect(200);
    assert!(started.elapsed() >= Duration::from_millis(60));
    assert!(knobs.conditions().planned.is_empty());
}

#[tokio::test]
async fn a_slow_body_is_whole_in_the_end() {
    let caller = Caller::new().await;
    caller
        .sandbox
        .fazpass
        .knobs
        .slow_body(Duration::from_millis(80));
    let started = Instant::now();
    let answer = caller.send().await.unwrap().expect(200);
    assert_eq!(answer.json()["status"], true);
    assert!(started.elapsed() >= Duration::from_millis(80));
}

#[tokio::test]
async fn a_closed_port_refuses_and_comes_back_where_it_was() {
    let caller = Caller::new().await;
    let fazpass = &caller.sandbox.fazpass;
    let url = fazpass.base_url();
    caller.send().await.unwrap().expect(200);
    fazpass.knobs.down().await;
    assert!(caller.send().await.is_none());
    let address = url.trim_start_matches("http://").split('/').next().unwrap();
    let refused = tokio::net::TcpStream::connect(address).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    fazpass.knobs.up().await;
    assert_eq!(fazpass.base_url(), url);
    caller.send().await.unwrap().expect(200);
    assert_eq!(caller.sent(), 2);
}

#[tokio::test]
async fn connections_can_be_broken_or_closed_in_order() {
    let sandbox = Sandbox::start().await;
    let http = Http::http2();
    send(&sandbox, &http).await.unwrap().expect(200);
    sandbox.fazpass.knobs.drain_connections();
    send(&sandbox, &http).await;
    sandbox.fazpass.knobs.cut_connections();
    // The client may learn of it by trying.
    send(&sandbox, &http).await;
    send(&sandbox, &http).await.unwrap().expect(200);
}

#[tokio::test]
async fn all_knobs_can_be_set_and_reset_at_once() {
    let caller = Caller::new().await;
    let knobs = &caller.sandbox.fazpass.knobs;
    let failing = Planned {
        operation: None,
        times: 5,
        fault: Fault::error("500"),
    };
    let conditions = Conditions {
        delay_ms: 5,
        planned: [failing].into(),
        ..Conditions::default()
    };
    knobs.set(conditions.clone()).await.unwrap();
    assert_eq!(knobs.conditions(), conditions);
    caller.send().await.unwrap().expect(500);
    knobs.reset().await;
    caller.send().await.unwrap().expect(200);
}

#[tokio::test]
async fn what_the_upstream_never_says_cannot_be_planned() {
    let sandbox = Sandbox::start().await;
    let planned = |fault| Planned {
        operation: None,
        times: 1,
        fault,
    };
    let knobs = &sandbox.fazpass.knobs;
    let error = knobs
        .plan(planned(Fault::error("UNREGISTERED")))
        .unwrap_err();
    assert!(matches!(error, KnobError::UnknownCode(_)), "{error}");
    let status = Fault::Raw {
        status: 101,
        content_type: "text/plain".to_owned(),
        body: String::new(),
    };
    assert_eq!(knobs.plan(planned(status)), Err(KnobError::Unsendable));
}

#[tokio::test]
async fn a_body_that_nobody_has_a_use_for_is_refused() {
    let sandbox = Sandbox::start().await;
    let call = Http::new().post(&sandbox.fazpass.base_url());
    let call = call.body("application/json", "x".repeat(64 * 1024 + 1));
    call.send().await.expect(413);
}

#[tokio::test]
async fn sandboxes_do_not_know_each_other() {
    let (one, two) = (Caller::new().await, Caller::new().await);
    one.sandbox.fazpass.knobs.fail_next(1, "500");
    two.send().await.unwrap().expect(200);
    one.send().await.unwrap().expect(500);
    assert_eq!((one.sent(), two.sent()), (0, 1));
}

#[tokio::test]
async fn a_taken_port_is_said() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap();
    let builder = Sandbox::builder().address(taken);
    let error = builder.start().await.err().unwrap();
    assert!(error.to_string().contains(&taken.to_string()), "{error}");
}
