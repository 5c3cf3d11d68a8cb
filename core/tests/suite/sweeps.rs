//! Sweeps of one server, all due at once.

use std::time::Duration;

use futures_util::future::join_all;
use halobestie_core::config::NoConfig;
use halobestie_core::migrate::Migration;
use halobestie_core::pg::{Db, Query};
use halobestie_core::ports::Capability;
use halobestie_core::sweep::{Sweep, Swept};
use halobestie_core::{BoxError, Context, Contribution, Entry, ErrorCode, Module};
use halobestie_testkit::TestApp;

/// Twice as many as a server of the tests has connections.
const BROOMS: &[&str] = &[
    "broom-1", "broom-2", "broom-3", "broom-4", "broom-5", "broom-6", "broom-7", "broom-8",
];

static ENTRIES: &[Entry] = &[Entry::of::<Brooms>()];

/// A module whose sweeps lead alone and ask Postgres something.
struct Brooms;

impl Module for Brooms {
    const NAME: &'static str = "brooms";
    const NEEDS: &'static [Capability] = &[];
    const PROVIDES: &'static [Capability] = &[];
    const SWEEPS: &'static [&'static str] = BROOMS;
    type Config = NoConfig;

    fn migrations() -> &'static [Migration] {
        &[]
    }

    fn errors() -> &'static [&'static ErrorCode] {
        &[]
    }

    fn openapi() -> utoipa::openapi::OpenApi {
        utoipa::openapi::OpenApiBuilder::new().build()
    }

    async fn build(_: NoConfig, cx: &mut Context) -> Result<Contribution, BoxError> {
        let sweep = |name: &&'static str| {
            let db = cx.db.clone();
            Sweep::new(name, Duration::from_secs(3600), move || sweep(db.clone())).alone()
        };
        Ok(Contribution {
            sweeps: BROOMS.iter().map(sweep).collect(),
            ..Contribution::default()
        })
    }
}

async fn sweep(db: Db) -> Result<Swept, BoxError> {
    db.rows("SELECT 1", &[]).await?;
    Ok(Swept::done(1))
}

#[tokio::test]
async fn more_sweeps_than_connections_do_not_shut_each_other_out() {
    let app = TestApp::start(ENTRIES).await;
    let runs = BROOMS.iter().map(|name| app.run_sweep(name));
    let changed: u64 = join_all(runs).await.iter().map(|it| it.changed).sum();
    assert_eq!(changed, BROOMS.len() as u64);
    app.stop().await;
}
