//! What an operator is told about the mirror.

use std::time::Duration;

use halobestie_testkit::{TestApp, ValkeyProcess};

use crate::support::*;

const RESEED: &str = "valkey-online-mirror";

async fn is(app: &TestApp, name: &str, expected: f64) {
    let name = format!("halobestie_availability_{name}");
    let found = metric(app, &name).await;
    assert!((found - expected).abs() < f64::EPSILON, "{name} is {found}");
}

#[tokio::test]
async fn answers_heartbeats_and_drift_are_counted() {
    let mut valkey = ValkeyProcess::start().await;
    let app = plan().valkey_at(&valkey.url()).start().await;
    let mitra = online_mitra(&app).await;
    for (source, advance) in [("valkey", 0), ("copy", 0), ("snapshot", 1)] {
        app.clock.advance(Duration::from_secs(advance));
        beacon(&app).await;
        is(
            &app,
            &format!("beacon_answers_total{{source=\"{source}\"}}"),
            1.0,
        )
        .await;
    }

    heartbeat(&app, &mitra).await.expect(200);
    is(&app, "heartbeats_total{by=\"mirror\"}", 1.0).await;
    app.clock.advance(Duration::from_secs(40));
    app.run_sweep("heartbeat-mirror").await;
    is(&app, "oldest_heartbeat_seconds", 40.0).await;
    is(&app, "online_mitras", 1.0).await;

    let healed = metric(&app, "halobestie_availability_drift_healed_total").await;
    insert_online(&app, 3).await;
    for drifted in [3.0, 0.0] {
        app.run_sweep(RESEED).await;
        is(&app, "drift_last_reseed", drifted).await;
        is(&app, "drift_healed_total", healed + 3.0).await;
    }

    is(&app, "fallback_reads_total", 0.0).await;
    valkey.kill().await;
    heartbeat(&app, &mitra).await.expect(200);
    is(&app, "fallback_reads_total{operation=\"heartbeat\"}", 1.0).await;
    is(&app, "heartbeats_total{by=\"postgres\"}", 1.0).await;
}
