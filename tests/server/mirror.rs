//! The mirror of mitras through everything at once: two replicas, a thousand mitras that send signs of
//! life by every way there is, and a Valkey that is emptied, killed and started again.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use halobestie::modules::COMPILED;
use halobestie_auth::testing::{self, SignedIn};
use halobestie_core::valkey::redis::cmd;
use halobestie_testkit::{TestApp, TestSocket, ValkeyProcess, eventually};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::process::{Environment, shown};

const MITRAS: usize = 1000;
/// Those who beat over HTTP, and those who do over a socket. The port takes the others'.
const BY_HTTP: usize = 200;
const BY_SOCKET: usize = 50;
/// Within which time of Valkey's restart every count is Postgres's.
const WITHIN: Duration = Duration::from_secs(15);
/// Requests under way at once.
const AT_ONCE: usize = 8;

/// Two replicas and everyone online.
struct Cluster {
    servers: [TestApp; 2],
    signed_in: Vec<SignedIn>,
    /// How often everyone was heard.
    rounds: AtomicU64,
}

impl Cluster {
    async fn start(valkey: &ValkeyProcess) -> Self {
        let plan = TestApp::with(COMPILED).valkey_at(&valkey.url());
        let plan = plan.env("OTP_ADDRESS_HOURLY", "100000");
        let one = plan.env("CHAT_FRAMES_PER_SECOND", "0").start().await;
        let two = one.replica().await;
        let sign_ins = (0..BY_HTTP + BY_SOCKET).map(|_| online(&one));
        let signed_in = stream::iter(sign_ins).buffer_unordered(AT_ONCE);
        let signed_in: Vec<SignedIn> = signed_in.collect().await;
        add_online(&one, MITRAS - signed_in.len()).await;
        one.run_sweep("valkey-online-mirror").await;
        Self {
            servers: [one, two],
            signed_in,
            rounds: AtomicU64::new(0),
        }
    }

    /// Sends heartbeats by every way, round after round.
    async fn beat(&self) -> Infallible {
        let (by_http, by_socket) = self.signed_in.split_at(BY_HTTP);
        let sockets = by_socket.iter().zip(self.servers.iter().cycle());
        let mut sockets = join_all(sockets.map(|(mitra, server)| open(server, mitra))).await;
        let availability = self.servers[0].context().ports.availability.get().unwrap();
        let mut others = availability.find_available().await.unwrap();
        others.retain(|id| self.signed_in.iter().all(|it| it.user_id != *id));
        assert_eq!(others.len(), MITRAS - BY_HTTP - BY_SOCKET);
        loop {
            let by_http = by_http
                .chunks(BY_HTTP / AT_ONCE)
                .map(|some| self.by_http(some));
            let by_socket = sockets.iter_mut().map(beat_by_socket);
            let by_port = others
                .chunks(others.len().div_ceil(AT_ONCE))
                .map(|some| self.by_port(some));
            tokio::join!(join_all(by_http), join_all(by_socket), join_all(by_port));
            self.rounds.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn by_http(&self, mitras: &[SignedIn]) {
        for (mitra, server) in mitras.iter().zip(self.servers.iter().cycle()) {
            let call = server.post("/api/mitra/status/heartbeat");
            let taken = call.bearer(&mitra.access_token).send().await.expect(200);
            assert_eq!(taken.json()["online"], true);
        }
    }

    async fn by_port(&self, mitras: &[Uuid]) {
        for (id, server) in mitras.iter().zip(self.servers.iter().cycle()) {
            let availability = server.context().ports.availability.get().unwrap();
            assert!(availability.heartbeat(*id).await.unwrap().online);
        }
    }

    /// Waits until everyone has sent a heartbeat that was taken.
    async fn everyone_beats(&self) {
        // The round that is under way may have begun before.
        let until = self.rounds.load(Ordering::Relaxed) + 2;
        eventually("everyone beats", async || {
            self.rounds.load(Ordering::Relaxed) >= until
        })
        .await;
    }

    /// Whether each replica counts everyone, by its mirror alone.
    async fn counts_everyone(&self) -> bool {
        let counts = self.servers.iter().map(|server| async {
            let before = fallbacks(server).await;
            let availability = server.context().ports.availability.get().unwrap();
            let counted = availability.count_available().await.unwrap();
            let found = availability.find_available().await.unwrap().len();
            counted == MITRAS as u64 && found == MITRAS && fallbacks(server).await == before
        });
        join_all(counts).await.into_iter().all(|it| it)
    }

    async fn flush_all(&self) {
        let valkey = self.servers[0].context().valkey.as_ref().unwrap();
        valkey.run::<()>(&cmd("FLUSHALL")).await.unwrap();
    }

    /// What `doctor` says about the mirror.
    async fn doctor(&self, valkey: &ValkeyProcess) -> (String, String) {
        let prefix = self.servers[0].context().valkey.as_ref().unwrap().key("");
        let environment = Environment::over(&self.servers[0].database)
            .with("VALKEY_URL", &valkey.url())
            .with("VALKEY_KEY_PREFIX", &prefix)
            .with("VALKEY_TIMEOUT_MS", "5000");
        let output = environment.run(&["doctor", "--json"]).await;
        let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
        let examined = report["examinations"].as_array().expect("a list");
        let mirror = examined.iter().find(|it| it["name"] == "mirror");
        let status = mirror.expect("the mirror is examined")["status"].to_string();
        (status, shown(&output))
    }
}

/// A mitra who is signed in and online.
async fn online(app: &TestApp) -> SignedIn {
    let mitra = testing::mitra(app).await;
    let online = app.post("/api/mitra/status/online");
    online.bearer(&mitra.access_token).send().await.expect(200);
    mitra
}

/// Adds mitras of whom only availability knows.
async fn add_online(app: &TestApp, count: usize) {
    const SQL: &str = "INSERT INTO mitras
            (mitra_id, is_online, max_sessions, online_since, last_heartbeat_at, updated_at)
        SELECT gen_random_uuid(), true, 3, $1, $1, $1 FROM generate_series(1, $2)";
    let count = i32::try_from(count).unwrap();
    app.database.execute(SQL, &[&app.clock.now(), &count]).await;
}

async fn beat_by_socket(socket: &mut TestSocket) {
    socket.send(&json!({"type": "heartbeat"})).await;
    assert_eq!(socket.expect("heartbeat").await["online"], true);
}

async fn open(server: &TestApp, mitra: &SignedIn) -> TestSocket {
    let mut socket = server.ws(Some(&mitra.access_token)).await;
    socket.expect("hello").await;
    socket
}

/// How many reads Postgres has answered in the mirror's place.
async fn fallbacks(server: &TestApp) -> Vec<String> {
    const NAME: &str = "halobestie_availability_fallback_reads_total";
    let page = server.internal_get("/metrics").send().await.expect(200);
    let text = page.text();
    let lines = text.lines().filter(|line| line.starts_with(NAME));
    // Heartbeats go on meanwhile, and are no reads of the count.
    let reads = lines.filter(|line| line.contains("\"find\"") || line.contains("\"count\""));
    reads.map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn a_flush_a_kill_and_a_restart_in_a_row_leave_no_drift_under_a_thousand_heartbeats() {
    let mut valkey = ValkeyProcess::start().await;
    let cluster = Cluster::start(&valkey).await;
    let faults = async {
        cluster.everyone_beats().await;
        cluster.flush_all().await;
        valkey.kill().await;
        cluster.everyone_beats().await;
        valkey.restart().await;
        let restarted = Instant::now();
        eventually("Valkey counts as Postgres does", || {
            cluster.counts_everyone()
        })
        .await;
        let took = restarted.elapsed();
        cluster.everyone_beats().await;
        let (status, report) = cluster.doctor(&valkey).await;
        assert_eq!(status, "\"ok\"", "{report}");
        took
    };
    let took = tokio::select! { never = cluster.beat() => match never {}, took = faults => took };
    assert!(took < WITHIN, "{took:?}");
    for server in &cluster.servers {
        assert_eq!(server.run_sweep("mitra-auto-offline").await.changed, 0);
    }
    const ONLINE: &str = "SELECT count(*) FROM mitras WHERE is_online";
    let row = cluster.servers[0].database.row(ONLINE, &[]).await;
    assert_eq!(row.get::<_, i64>(0), 1000);
}
