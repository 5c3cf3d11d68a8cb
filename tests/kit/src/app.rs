//! A running server, and the ways to talk to it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use halobestie_core::app::{App, Mounted};
use halobestie_core::clock::Clock;
use halobestie_core::sweep::Swept;
use halobestie_core::{BoxError, Context, Entry};
use http::Method;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::call::{Call, Client, TestResponse};
use crate::database::TestDb;
use crate::eventually::{PATIENCE, eventually};
use crate::plan::Plan;
use crate::socket::TestSocket;

/// How long a server sends no statement before it counts as at rest.
const AT_REST: Duration = Duration::from_millis(50);

/// The real server of one test. Dropping it stops it hard; [`TestApp::stop`] drains it.
pub struct TestApp {
    /// The server's time; it stands still until the test advances it.
    pub clock: Clock,
    /// The server's database, by a connection of the test's own that counts no statements.
    pub database: TestDb,
    app: Arc<App>,
    client: Client,
    plan: Plan,
    running: Option<JoinHandle<Result<(), BoxError>>>,
}

impl TestApp {
    /// Starts a server of these modules with the defaults of tests.
    pub async fn start(entries: &'static [Entry]) -> Self {
        Self::with(entries).start().await
    }

    /// Plans a server of these modules.
    pub fn with(entries: &'static [Entry]) -> Plan {
        Plan::new(entries)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the test is the outside of the server's tracker"
    )]
    pub(crate) fn run(app: App, plan: Plan, database: TestDb) -> Self {
        let app = Arc::new(app);
        let running = tokio::spawn({
            let app = app.clone();
            async move { app.run().await.map_err(BoxError::from) }
        });
        let clock = plan.clock.clone();
        Self {
            clock,
            database,
            app,
            client: Client::new(),
            plan,
            running: Some(running),
        }
    }

    /// Plans another server on the same database, keys, clock and chance.
    pub fn another(&self) -> Plan {
        self.plan.clone()
    }

    /// Starts another server on the same database, keys, clock and chance.
    pub async fn replica(&self) -> TestApp {
        self.another().start().await
    }

    /// Where the public listener is.
    pub fn public_address(&self) -> SocketAddr {
        self.app.addresses().public
    }

    /// Where the internal listener is.
    pub fn internal_address(&self) -> SocketAddr {
        self.app.addresses().internal
    }

    /// The server's inside: its statement count, its Valkey, its lifecycle, its ports.
    pub fn context(&self) -> &Context {
        self.app.context()
    }

    /// Every route that the server serves.
    pub fn mounted(&self) -> &Mounted {
        self.app.mounted()
    }

    /// How many statements the server has sent to Postgres.
    pub fn statement_count(&self) -> u64 {
        self.context().db.statement_count()
    }

    /// Waits until the server sends no statement of its own. Its clock stands still, so whatever comes
    /// after that is the test's doing.
    pub async fn settle(&self) {
        eventually("the server comes to rest", || async {
            let before = self.statement_count();
            tokio::time::sleep(AT_REST).await;
            self.statement_count() == before
        })
        .await;
    }

    /// Waits until no job runs or is due by the server's clock. Those that wait for later still do.
    pub async fn finish_jobs(&self) {
        const SQL: &str = "SELECT EXISTS (SELECT FROM jobs
            WHERE finished_at IS NULL AND (state = 'running' OR due_at <= $1))";
        eventually("the jobs that are due are done", || async {
            let row = self.database.row(SQL, &[&self.clock.now()]).await;
            !row.get::<_, bool>(0)
        })
        .await;
    }

    /// Runs a sweep once, now; panics when it fails.
    pub async fn run_sweep(&self, name: &str) -> Swept {
        let swept = self.app.run_sweep(name).await;
        swept.unwrap_or_else(|error| panic!("sweep {name} failed: {error}"))
    }

    /// Runs a sweep once, now, for a test of one that must fail.
    ///
    /// # Errors
    /// What the sweep said.
    pub async fn try_sweep(&self, name: &str) -> Result<Swept, BoxError> {
        self.app.run_sweep(name).await.map_err(BoxError::from)
    }

    /// Runs the seeds; what each said.
    pub async fn seed(&self) -> Vec<(String, String)> {
        let report = self.app.seed().await.expect("seeding works");
        report
            .into_iter()
            .map(|(name, said)| (name.to_owned(), said))
            .collect()
    }

    /// Calls the public listener with any method.
    pub fn call(&self, method: Method, path: &str) -> Call {
        Call::new(self.client.clone(), self.public_address(), method, path)
    }

    /// Calls the internal listener with any method.
    pub fn internal(&self, method: Method, path: &str) -> Call {
        Call::new(self.client.clone(), self.internal_address(), method, path)
    }

    /// GET on the public listener.
    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    /// POST on the public listener.
    pub fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    /// PUT on the public listener.
    pub fn put(&self, path: &str) -> Call {
        self.call(Method::PUT, path)
    }

    /// PATCH on the public listener.
    pub fn patch(&self, path: &str) -> Call {
        self.call(Method::PATCH, path)
    }

    /// DELETE on the public listener.
    pub fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }

    /// GET on the internal listener.
    pub fn internal_get(&self, path: &str) -> Call {
        self.internal(Method::GET, path)
    }

    /// POST on the internal listener.
    pub fn internal_post(&self, path: &str) -> Call {
        self.internal(Method::POST, path)
    }

    /// Opens the WebSocket, signed in by the header where there is a token; panics when refused.
    pub async fn ws(&self, access_token: Option<&str>) -> TestSocket {
        match self.try_ws(access_token).await {
            Ok(socket) => socket,
            Err(refusal) => panic!("the socket was refused: {refusal}"),
        }
    }

    /// Opens the WebSocket, for a test of a handshake that must fail.
    ///
    /// # Errors
    /// The HTTP answer instead of the upgrade.
    pub async fn try_ws(&self, access_token: Option<&str>) -> Result<TestSocket, TestResponse> {
        TestSocket::open(self.public_address(), access_token).await
    }

    /// Opens the WebSocket with these headers, as a browser would with its own.
    ///
    /// # Errors
    /// The HTTP answer instead of the upgrade.
    pub async fn try_ws_with(
        &self,
        headers: &[(&'static str, &str)],
    ) -> Result<TestSocket, TestResponse> {
        TestSocket::open_with(self.public_address(), headers).await
    }

    /// Asks the server to drain, as SIGTERM does, and does not wait for it.
    pub fn shut_down(&self) {
        self.context().lifecycle.shut_down();
    }

    /// Drains the server and waits for its end; panics when it does not end well.
    pub async fn stop(mut self) {
        self.shut_down();
        if let Err(error) = self.end().await {
            panic!("the server did not end well: {error}");
        }
    }

    /// Ends the server as a crash does, wherever it is; nothing of it runs when this returns.
    pub async fn crash(self) {
        let lifecycle = self.context().lifecycle.clone();
        drop(self);
        lifecycle.finish(PATIENCE).await;
    }

    /// Waits for the server's end, which the test has brought about.
    ///
    /// # Errors
    /// What `App::run` returned.
    pub async fn end(&mut self) -> Result<(), BoxError> {
        let running = self.running.take().expect("the end is waited for once");
        let ended = timeout(PATIENCE * 3, running)
            .await
            .expect("the server ends");
        ended.expect("the server does not panic")
    }

    /// Drains the server and starts it again on the same data.
    pub async fn restart(self) -> TestApp {
        let plan = self.another();
        self.stop().await;
        plan.start().await
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        // A crash, as far as the server can tell; a no-op after `stop`.
        self.context().lifecycle.shut_down();
        self.context().lifecycle.hard().cancel();
        if let Some(running) = self.running.take() {
            running.abort();
        }
    }
}
