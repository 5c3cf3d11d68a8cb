//! Who reads a conversation by the pages, why, and what is left of it in the logs.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use halobestie_core::ports::AdminRole;
use halobestie_testkit::TestApp;
use serde_json::Value;
use tracing_subscriber::EnvFilter;

use crate::forms::{send, shown};
use crate::pages::cookie;
use crate::server::{ENTRIES, say, session};

const SAID: &str = "what-nobody-else-shall-read";
const REASON: &str = "a-complaint-by-phone";

/// Everything that is logged on this test's thread: its server runs there as well.
#[derive(Clone, Default)]
struct Logs(Arc<Mutex<Vec<u8>>>);

impl Logs {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Why somebody read a session, as the audit has it, each with what they were.
async fn readings(app: &TestApp) -> Vec<Value> {
    let sql = "SELECT coalesce(jsonb_agg(after ORDER BY at), '[]') FROM audit_log
        WHERE action = 'session.read'";
    let all: Value = app.database.row(sql, &[]).await.get(0);
    all.as_array().expect("an array").clone()
}

#[tokio::test]
async fn without_a_reason_nothing_is_shown() {
    let app = TestApp::start(ENTRIES).await;
    let (_, customer, id) = session(&app).await;
    say(&app, &customer, &id, SAID).await;
    let cookie = cookie(&app, AdminRole::Viewer).await;
    let page = format!("/sessions/{id}");
    let text = shown(&app, &cookie, &page).await.expect(200).text();
    assert!(!text.contains(SAID), "the page of a session shows it");
    let path = format!("{page}/transcript");
    let long = format!("reason={}", "x".repeat(501));
    for form in ["", "reason=", "reason=+++", long.as_str()] {
        let text = send(&app, &cookie, &path, form).await.expect(422).text();
        assert!(text.contains("f-reason-wrong"), "{form}: {text}");
        assert!(!text.contains(SAID), "{form}");
    }
    // Not by the address either: a link would be a reason that nobody gave.
    let by_link = format!("{page}?reason=mine");
    let text = shown(&app, &cookie, &by_link).await.expect(200).text();
    assert!(!text.contains(SAID), "{text}");
    shown(&app, &cookie, &path).await.expect(405);
    assert!(readings(&app).await.is_empty());
}

#[tokio::test]
async fn a_conversation_is_read_for_a_reason_that_is_kept_and_nothing_is_logged() {
    let logs = Logs::default();
    let filter = EnvFilter::new(
        "info,halobestie_core=trace,halobestie_chat=trace,halobestie_control_center=trace",
    );
    let writer = logs.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let app = TestApp::start(ENTRIES).await;
    let (_, customer, id) = session(&app).await;
    say(&app, &customer, &id, SAID).await;
    let cookie = cookie(&app, AdminRole::Viewer).await;
    let path = format!("/sessions/{id}/transcript");
    let form = format!("reason={REASON}");
    send(&app, &cookie, &path, &form).await.expect(200);
    // While there is one subscriber alone, what another test's thread logs first is taken for wanted by
    // nobody. All that this one logs has been logged now: ask again, here.
    tracing::callsite::rebuild_interest_cache();
    say(&app, &customer, &id, &format!("{SAID} again")).await;
    let answer = send(&app, &cookie, &path, &form).await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let text = answer.text();
    assert!(text.contains(SAID) && text.contains(REASON), "{text}");
    assert_eq!(
        readings(&app).await,
        [(); 2].map(|()| serde_json::json!({"reason": REASON}))
    );
    let logged = logs.text();
    assert!(
        logged.contains("transcript"),
        "the log is not seen: {logged}"
    );
    assert!(
        !logged.contains(SAID) && !logged.contains(REASON),
        "{logged}"
    );
}

#[tokio::test]
async fn a_viewer_ends_no_session_and_handles_no_report() {
    let app = TestApp::start(ENTRIES).await;
    let (_, customer, id) = session(&app).await;
    let report = app
        .post(&format!("/api/chat/sessions/{id}/report"))
        .bearer(&customer.access_token)
        .json(&serde_json::json!({"reason": "rude"}));
    let report = report.send().await.expect(201).json();
    let report = format!("/reports/{}", report["id"].as_str().unwrap());
    let cookie = cookie(&app, AdminRole::Viewer).await;
    let end = format!("/sessions/{id}/end");
    send(&app, &cookie, &end, "").await.expect(403);
    let form = "status=resolved&note=done";
    send(&app, &cookie, &report, form).await.expect(403);
    let text = shown(&app, &cookie, &format!("/sessions/{id}")).await;
    assert!(!text.expect(200).text().contains("commandfor"));
    let text = shown(&app, &cookie, &report).await.expect(200).text();
    assert!(!text.contains("value=\"resolved\""), "{text}");
    let sql = "SELECT (SELECT count(*) FROM chat_sessions WHERE status = 'ended')
        + (SELECT count(*) FROM chat_reports WHERE status <> 'open')";
    let changed: i64 = app.database.row(sql, &[]).await.get(0);
    assert_eq!(changed, 0);
}

#[tokio::test]
async fn a_list_is_narrowed_by_people_state_and_days() {
    let app = TestApp::start(ENTRIES).await;
    let (mitra, customer, id) = session(&app).await;
    // The order of what was made in the same millisecond is nobody's.
    app.clock.advance(Duration::from_secs(1));
    session(&app).await;
    let cookie = cookie(&app, AdminRole::Viewer).await;
    let today = &app.clock.now().to_string()[..10];
    let count = async |query: &str| {
        let text = shown(&app, &cookie, &format!("/sessions?{query}")).await;
        text.expect(200)
            .text()
            .matches("<th scope=\"row\">")
            .count()
    };
    let (customer, mitra) = (customer.user_id, mitra.user_id);
    assert_eq!(count("").await, 2);
    assert_eq!(count(&format!("customer={customer}")).await, 1);
    assert_eq!(count(&format!("mitra={mitra}&status=open")).await, 1);
    assert_eq!(count(&format!("user_id={mitra}")).await, 1);
    assert_eq!(count(&format!("customer={customer}&status=ended")).await, 0);
    assert_eq!(count("mitra=Ayu").await, 2);
    assert_eq!(count("mitra=nobody-is-called-so").await, 0);
    assert_eq!(count(&format!("since={today}&until={today}")).await, 2);
    assert_eq!(count("until=2020-01-01&zone=%2B07:00").await, 0);
    assert_eq!(count("limit=1").await, 1);
    let wrong = shown(&app, &cookie, "/sessions?since=yesterday").await;
    wrong.expect(422);
    let text = shown(&app, &cookie, "/sessions?limit=1&sort=oldest").await;
    assert!(text.expect(200).text().contains(&id), "the oldest is first");
}
