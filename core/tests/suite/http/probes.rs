//! Probes of a process whose Postgres is away, and of one that drains.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use halobestie_core::clock::Clock;
use halobestie_core::http::probes;
use halobestie_core::http::stack::Stack;
use halobestie_core::module::{Health, HealthCheck};
use halobestie_core::openapi;
use halobestie_core::pg::{Db, PgOptions};
use halobestie_core::readiness::{Looks, Readiness};
use serde_json::json;

use super::{Site, read, request};

/// A readiness whose Postgres nobody answers for, and how often its module's check was asked.
fn readiness(site: &Site) -> (Readiness, Arc<AtomicUsize>) {
    let looked = Arc::new(AtomicUsize::new(0));
    let count = looked.clone();
    let check = HealthCheck {
        name: "upstream",
        look: Arc::new(move || {
            count.fetch_add(1, Ordering::Relaxed);
            let detail = Some("slow today".to_owned());
            async {
                Health {
                    status: "degraded",
                    detail,
                }
            }
            .boxed()
        }),
    };
    let url = "postgres://nobody@127.0.0.1:1/nothing".to_owned().into();
    let options = PgOptions {
        url,
        ca: None,
        pool_size: 1,
        timeout: Duration::from_secs(1),
    };
    let readiness = Readiness::new(Looks {
        db: Db::new(&options, &site.metrics).unwrap(),
        valkey: None,
        migrations: Vec::new(),
        checks: vec![check],
        clock: Clock::system(),
        worker_stale: Duration::from_secs(90),
        requires_worker: false,
    });
    (readiness, looked)
}

fn probed() -> (Stack, Readiness, Arc<AtomicUsize>) {
    let site = Site::new();
    let (readiness, looked) = readiness(&site);
    (site.stack(probes::public(&readiness)), readiness, looked)
}

#[tokio::test]
async fn a_process_without_postgres_is_alive_and_not_ready() {
    let (stack, _, _) = probed();
    for alive in ["/livez", "/health"] {
        let answer = read(&stack, request("GET", alive)).await;
        assert_eq!(
            (answer.status, answer.json()),
            (200, json!({"status": "ok"})),
            "{alive}"
        );
    }
    let api = read(&stack, request("GET", "/api/health")).await;
    assert_eq!(
        (api.status, api.header("content-type")),
        (503, "application/json")
    );
    assert_eq!(api.json(), json!({"ok": false, "database": "unreachable"}));

    let ready = read(&stack, request("GET", "/readyz")).await;
    assert_eq!(
        (ready.status, ready.header("content-type")),
        (503, "application/json")
    );
    let report = ready.json();
    assert_eq!(report["status"], "unavailable");
    let status = |check: &str| {
        report["checks"][check]["status"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(status("postgres"), "unreachable");
    assert_eq!(status("valkey"), "ok");
    assert_eq!(status("migrations"), "unknown");
    assert_eq!(status("worker"), "unknown");
    assert_eq!(status("draining"), "ok");
    assert_eq!(
        report["checks"]["upstream"],
        json!({"status": "degraded", "detail": "slow today"})
    );
}

#[tokio::test]
async fn many_askers_cost_one_look() {
    let (stack, _, looked) = probed();
    let asked = (0..20).map(|_| read(&stack, request("GET", "/readyz")));
    futures_util::future::join_all(asked).await;
    assert_eq!(looked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn draining_shows_at_once() {
    let (stack, readiness, _) = probed();
    read(&stack, request("GET", "/readyz")).await;
    readiness.drain();
    let report = read(&stack, request("GET", "/readyz")).await.json();
    assert_eq!(report["checks"]["draining"]["status"], "draining");
}

#[tokio::test]
async fn the_internal_listener_shows_metrics_and_the_description() {
    let site = Site::new();
    let mut routes = probes::internal(&readiness(&site).0, &site.metrics);
    routes.append(openapi::routes(&openapi::merged(&openapi::Title::default(), &[])).unwrap());
    let stack = site.stack(routes);
    read(&stack, request("GET", "/livez")).await;

    let metrics = read(&stack, request("GET", "/metrics")).await;
    assert!(
        metrics
            .header("content-type")
            .starts_with("text/plain; version=0.0.4")
    );
    let counted = r#"halobestie_http_requests_total{listener="public",method="GET",route="/livez",status="200"} 1"#;
    assert!(String::from_utf8(metrics.body).unwrap().contains(counted));

    let described = read(&stack, request("GET", "/openapi.json")).await.json();
    assert_eq!(described["openapi"], "3.1.0");
    assert!(described["paths"]["/readyz"]["get"]["responses"]["503"].is_object());
    assert_eq!(
        described["components"]["securitySchemes"]["bearer"]["scheme"],
        "bearer"
    );

    let page = read(&stack, request("GET", "/docs")).await;
    assert!(
        page.header("content-security-policy")
            .starts_with("default-src 'none'; style-src 'sha256-")
    );
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert!(
        String::from_utf8(page.body)
            .unwrap()
            .contains("<code>/readyz</code>")
    );
}

#[test]
fn every_route_of_core_is_described() {
    let site = Site::new();
    let (readiness, _) = readiness(&site);
    let document = openapi::merged(&openapi::Title::default(), &[]);
    let mut routes = probes::public(&readiness);
    routes.append(probes::internal(&readiness, &site.metrics));
    routes.append(openapi::routes(&document).unwrap());
    let mut mounted: Vec<_> = routes
        .rows
        .iter()
        .map(|row| (row.method.to_string(), row.path.to_owned()))
        .collect();
    mounted.sort_by(|one, other| (&one.1, &one.0).cmp(&(&other.1, &other.0)));
    mounted.dedup();
    assert_eq!(openapi::operations(&document), mounted);
}
