//! What is written down of a request.

use std::io::Write;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;

use super::layers::shop;
use super::{CALLER, Site, read, request, with_header};

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_request_is_logged_and_counted_once_without_what_is_private() {
    let (site, log) = (Site::new(), Log::default());
    let stack = site.stack(shop());
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_writer(log.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let req = with_header(
        request("GET", "/fails?phone=0812"),
        "x-request-id",
        "log-me",
    );
    read(
        &stack,
        with_header(req, "authorization", "Bearer secret-token"),
    )
    .await;
    read(
        &stack,
        with_header(request("GET", "/mine"), "authorization", "Bearer mitra"),
    )
    .await;

    let text = log.text();
    for private in ["0812", "phone", "secret-token"] {
        assert!(!text.contains(private), "{private} in {text}");
    }
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let [failed, first, second] = lines.as_slice() else {
        panic!("{text}")
    };
    assert_eq!(failed["fields"]["cause"], "SELECT secret FROM vault");
    assert_eq!(failed["span"]["request_id"], "log-me");
    assert_eq!(first["fields"]["route"], "/fails");
    assert_eq!(first["fields"]["status"], 500);
    assert_eq!(first["span"]["request_id"], "log-me");
    assert_eq!(second["fields"]["user.id"], CALLER.to_string());

    let count = |labels: &str| site.metric(&format!("halobestie_http_requests_total{{{labels}}}"));
    assert_eq!(
        count(r#"listener="public",method="GET",route="/fails",status="500""#),
        Some(1.0)
    );
    assert_eq!(
        count(r#"listener="public",method="GET",route="/mine",status="200""#),
        Some(1.0)
    );
    read(&stack, request("GET", "/no/such/id/7")).await;
    assert_eq!(
        count(r#"listener="public",method="other",route="(none)",status="404""#),
        Some(1.0)
    );
    let seconds = r#"halobestie_http_request_seconds_count{listener="public",route="/mine"}"#;
    assert_eq!(site.metric(seconds), Some(1.0));
}
