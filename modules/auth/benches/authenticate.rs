//! What judging an access token costs: it is on the path of every request. `scripts/bench authenticate`;
//! BENCHMARKS.md keeps the figures.
#![expect(
    clippy::expect_used,
    reason = "a broken assumption must end the run that has it"
)]

use std::hint::black_box;
use std::sync::Arc;

use criterion::Criterion;
use halobestie_auth::{Auth, testing};
use halobestie_core::Entry;
use halobestie_core::app::Role;
use halobestie_core::ports::{Authenticator, TokenRejected};
use halobestie_testkit::TestApp;
use tokio::runtime::Runtime;

static ENTRIES: &[Entry] = &[Entry::of::<Auth>()];

const PREVIOUS: &str = "the secret that was there before the one of now";

fn main() {
    let runtime = Runtime::new().expect("a runtime starts");
    let mut criterion = Criterion::default().configure_from_args();
    let (app, tokens) = runtime.block_on(server());
    let port = app.context().ports.authenticator.get();
    let port: Arc<dyn Authenticator> = port.expect("auth is there").clone();
    let statements = app.statement_count();
    let mut group = criterion.benchmark_group("authenticate");
    let forged = format!("{}x", &tokens.good[..tokens.good.len() - 1]);
    let cases: [(&str, &str, Option<TokenRejected>); 4] = [
        ("good", &tokens.good, None),
        ("under the previous secret", &tokens.of_before, None),
        ("revoked", &tokens.revoked, Some(TokenRejected::Revoked)),
        ("forged", &forged, Some(TokenRejected::Invalid)),
    ];
    for (name, token, refusal) in cases {
        assert_eq!(port.authenticate(token).err(), refusal, "{name}");
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(port.authenticate(black_box(token))));
        });
    }
    group.finish();
    // A few are core's own.
    assert!(app.statement_count() - statements < 10, "from memory alone");
    runtime.block_on(app.stop());
    criterion.final_summary();
}

struct Tokens {
    good: String,
    of_before: String,
    revoked: String,
}

/// A server whose secret was rotated, and tokens of three people. Its clock stands still.
async fn server() -> (TestApp, Tokens) {
    let plan = TestApp::with(ENTRIES).role(Role::Api);
    let before = plan.env("AUTH_JWT_SECRET", PREVIOUS).start().await;
    let of_before = testing::customer(&before).await.access_token;
    let now = before
        .another()
        .env(
            "AUTH_JWT_SECRET",
            "the secret that is there now, and long enough",
        )
        .env("AUTH_JWT_PREVIOUS_SECRETS", PREVIOUS);
    before.stop().await;
    let app = now.start().await;
    let good = testing::customer(&app).await.access_token;
    let revoked = testing::customer(&app).await.access_token;
    let logout = app.post("/api/auth/logout").bearer(&revoked);
    logout.send().await.expect(204);
    let tokens = Tokens {
        good,
        of_before,
        revoked,
    };
    (app, tokens)
}
