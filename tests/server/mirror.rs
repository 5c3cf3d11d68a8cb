//! The mirror of mitras through everything at once: two replicas, a thousand mitras that send signs of
//! life by every way there is, and a Valkey that is emptied, killed and started again.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::{join_all, select_all};
use futures_util::{FutureExt, StreamExt, stream};
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
const SIGN_INS_AT_ONCE: usize = 8;

/// Two replicas and everyone online.
struct Cluster {
    servers: [TestApp; 2],
    signed_in: Vec<SignedIn>,
    strangers: Vec<Uuid>,
    /// Heartbeats taken by HTTP, by socket and by the port.
    taken: [AtomicUsize; 3],
}

impl Cluster {
    async fn start(valkey: &ValkeyProcess) -> Self {
        let plan = TestApp::with(COMPILED).valkey_at(&valkey.url());
        let plan = plan.env("OTP_ADDRESS_HOURLY", "100000");
        let one = plan.env("CHAT_FRAMES_PER_SECOND", "0").start().await;
        let two = one.replica().await;
        let sign_ins = (0..BY_HTTP + BY_SOCKET).map(|_| online(&one));
        let signed_in = stream::iter(sign_ins).buffer_unordered(SIGN_INS_AT_ONCE);
        let signed_in: Vec<SignedIn> = signed_in.collect().await;
        let strangers = add_online(&one, MITRAS - signed_in.len()).await;
        one.run_sweep("valkey-online-mirror").await;
        Self {
            servers: [one, two],
            signed_in,
            strangers,
            taken: Default::default(),
        }
    }

    /// Sends heartbeats by every way, for good.
    async fn beat(&self) -> Infallible {
        let (by_http, by_socket) = self.signed_in.split_at(BY_HTTP);
        let sockets = by_socket.iter().zip(self.servers.iter().cycle());
        let sockets = join_all(sockets.map(|(mitra, server)| open(server, mitra))).await;
        let mut ways = vec![self.by_http(by_http).boxed(), self.by_port().boxed()];
        ways.extend(sockets.into_iter().map(|it| self.by_socket(it).boxed()));
        select_all(ways).await.0
    }

    async fn by_http(&self, mitras: &[SignedIn]) -> Infallible {
        loop {
            for (mitra, server) in mitras.iter().zip(self.servers.iter().cycle()) {
                let call = server.post("/api/mitra/status/heartbeat");
                let taken = call.bearer(&mitra.access_token).send().await.expect(200);
                self.is_online(0, &taken.json());
            }
        }
    }

    async fn by_socket(&self, mut socket: TestSocket) -> Infallible {
        loop {
            socket.send(&json!({"type": "heartbeat"})).await;
            let taken = socket.expect("heartbeat").await;
            self.is_online(1, &taken);
        }
    }

    async fn by_port(&self) -> Infallible {
        loop {
            for (id, server) in self.strangers.iter().zip(self.servers.iter().cycle()) {
                let availability = server.context().ports.availability.get().unwrap();
                let taken = availability.heartbeat(*id).await.unwrap();
                self.is_online(2, &json!({"online": taken.online}));
                tokio::task::yield_now().await;
            }
        }
    }

    fn is_online(&self, way: usize, taken: &Value) {
        assert_eq!(taken["online"], true, "{taken}");
        self.taken[way].fetch_add(1, Ordering::Relaxed);
    }

    /// Waits until everyone has been heard once more, by every way.
    async fn everyone_beats(&self) {
        const EACH: [usize; 3] = [BY_HTTP, BY_SOCKET, MITRAS - BY_HTTP - BY_SOCKET];
        let taken = || self.taken.each_ref().map(|it| it.load(Ordering::Relaxed));
        let before = taken();
        eventually("everyone beats", async || {
            let now = taken();
            (0..3).all(|way| now[way] >= before[way] + EACH[way])
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
async fn add_online(app: &TestApp, count: usize) -> Vec<Uuid> {
    const SQL: &str = "INSERT INTO mitras
            (mitra_id, is_online, max_sessions, online_since, last_heartbeat_at, updated_at)
        SELECT gen_random_uuid(), true, 3, $1, $1, $1 FROM generate_series(1, $2)
        RETURNING mitra_id";
    let count = i32::try_from(count).unwrap();
    let rows = app.database.rows(SQL, &[&app.clock.now(), &count]).await;
    rows.iter().map(|row| row.get(0)).collect()
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
