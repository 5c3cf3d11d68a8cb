//! The test kit: starts the real server for a test, and breaks what it depends on.
//!
//! [`TestApp`] is the server as it runs in production, on port 0 of both listeners, over a database
//! of its own (cloned from a migrated template) and a Valkey key prefix of its own, so tests run in
//! parallel and clean up nothing. Its clock stands still until the test moves it. Around it: an HTTP
//! and a WebSocket client that panic with the whole answer, a browser for pages, a Valkey process, a
//! Postgres process and a TCP proxy to break, and [`eventually`] for what happens in its own time.
//!
//! It knows core only. Typed calls of a module (`sign_in`, `go_online`) live beside that module.
//! Postgres and Valkey are those of `scripts/test`: the kit starts nothing that a test did not ask
//! for.
//!
//! ```ignore
//! let app = TestApp::start(ENTRIES).await;
//! let me = app.get("/api/auth/me").bearer(&token).send().await.expect(200).json();
//! app.clock.advance(Duration::from_secs(60));
//! ```
#![expect(
    clippy::expect_used,
    reason = "a broken assumption of the kit must fail the test that runs into it"
)]

mod admin;
mod app;
mod browser;
mod call;
mod child;
mod database;
mod environment;
mod eventually;
mod plan;
mod postgres_process;
mod proxy;
mod socket;
mod valkey_process;

pub use app::TestApp;
pub use browser::{Browser, Page, Scheme};
pub use call::{Call, Client, TestResponse};
pub use database::TestDb;
pub use environment::valkey_url;
pub use eventually::{PATIENCE, eventually, eventually_some};
pub use plan::Plan;
pub use postgres_process::PostgresProcess;
pub use proxy::TcpProxy;
pub use socket::TestSocket;
pub use valkey_process::ValkeyProcess;

/// What a WebSocket test needs to say about raw frames and handshakes.
pub use tokio_tungstenite::tungstenite;
