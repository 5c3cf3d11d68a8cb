//! The race for a request, between three server processes on one database and one Valkey: exactly one
//! accept wins, and no mitra ever has more sessions than it may.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use halobestie::modules::COMPILED;
use halobestie_auth::testing::{self, TokenMint};
use halobestie_core::clock::Clock;
use halobestie_core::entropy::Entropy;
use halobestie_core::ports::Role;
use halobestie_testkit::{Client, TestDb, TestResponse, valkey_url};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::process::{Environment, JWT_SECRET, Server};

/// How long one of a thousand calls at once may take on a busy machine, unoptimized.
const PATIENCE: Duration = Duration::from_secs(60);

/// Three processes, and who may call them.
struct Cluster {
    database: TestDb,
    servers: [Server; 3],
    mint: TokenMint,
    client: Client,
}

/// An answer, and how long it took.
struct Timed {
    answer: TestResponse,
    took: Duration,
}

impl Cluster {
    /// Starts the processes when these mitras are online, so that their mirror shows them.
    async fn start(database: TestDb) -> Self {
        let prefix = Entropy::system().uuid(&Clock::system()).simple();
        let environment = Environment::over(&database)
            .with("VALKEY_URL", &valkey_url())
            .with("VALKEY_KEY_PREFIX", &format!("test:{prefix}:"))
            // A busy machine takes its time to serve a thousand calls at once.
            .with("DATABASE_TIMEOUT_SECONDS", "30")
            .with("SERVER_REQUEST_TIMEOUT_SECONDS", "60")
            .with("PAIRING_TIMEOUT_SECONDS", "600");
        let servers = tokio::join!(
            environment.serve(&["serve"]),
            environment.serve(&["serve"]),
            environment.serve(&["serve"]),
        );
        Self {
            database,
            servers: servers.into(),
            mint: TokenMint::new(JWT_SECRET),
            client: Client::new(),
        }
    }

    /// Posts to one of the processes, by its turn.
    async fn post(&self, turn: usize, path: &str, token: &str, body: &Value) -> Timed {
        let address = self.servers[turn % self.servers.len()].public;
        let call = self.client.post(address, path);
        let sent = Instant::now();
        let call = call.bearer(token).json(body).patience(PATIENCE);
        let answer = call.send().await;
        Timed {
            answer,
            took: sent.elapsed(),
        }
    }

    async fn ask(&self, turn: usize, customer_id: Uuid) -> Value {
        let token = self.mint.token(customer_id, Role::Customer);
        let wish = json!({"package_id": "15m"});
        let asked = self.post(turn, "/api/customer/chat/requests", &token, &wish);
        asked.await.answer.expect(201).json()
    }

    async fn accept(&self, turn: usize, mitra_token: &str, request: &Value) -> Timed {
        let id = request["id"].as_str().expect("a request has an id");
        let path = format!("/api/mitra/chat/offers/{id}/accept");
        self.post(turn, &path, mitra_token, &json!({})).await
    }

    /// The most open sessions that any mitra has.
    async fn most_sessions(&self) -> i64 {
        const SQL: &str = "SELECT coalesce(max(open), 0) FROM (SELECT count(*) AS open
            FROM chat_sessions WHERE status <> 'ended' GROUP BY mitra_id) AS of_mitra";
        self.database.row(SQL, &[]).await.get(0)
    }

    async fn stop(self) {
        for server in self.servers {
            assert_eq!(server.terminate().await, Some(0));
        }
    }
}

/// A database with this many mitras who are online.
async fn with_mitras(count: i32, max_sessions: i32) -> (TestDb, Vec<Uuid>) {
    let database = TestDb::create(COMPILED).await;
    let mitras = testing::many(&database, Role::Mitra, count).await;
    const ONLINE: &str = "INSERT INTO mitras (mitra_id, is_online, max_sessions, online_since,
            last_heartbeat_at, updated_at)
        SELECT id, true, $2, $3, $3, $3 FROM unnest($1::uuid[]) AS id";
    let now = Clock::system().now();
    database
        .execute(ONLINE, &[&mitras, &max_sessions, &now])
        .await;
    (database, mitras)
}

/// One 200, and of the others each a 409 of this code; prints how long they took.
#[expect(
    clippy::print_stdout,
    reason = "the figures are for whoever reads the test's output"
)]
fn judge(what: &str, answers: &[Timed], code: &str) {
    let (winners, losers): (Vec<&Timed>, Vec<&Timed>) =
        answers.iter().partition(|it| it.answer.status == 200);
    assert_eq!(winners.len(), 1, "one accept wins");
    for loser in &losers {
        loser.answer.problem(code, 409);
    }
    let mut times: Vec<Duration> = answers.iter().map(|it| it.took).collect();
    times.sort_unstable();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    let (p50, p99, conflicts) = (at(50), at(99), losers.len());
    println!("{what}: 1 x 200, {conflicts} x 409 {code}, p50 {p50:?}, p99 {p99:?}");
}

#[tokio::test]
async fn of_a_thousand_accepts_on_three_processes_exactly_one_wins() {
    const MITRAS: i32 = 1000;
    let (database, mitras) = with_mitras(MITRAS, 1).await;
    let customers = testing::many(&database, Role::Customer, 1).await;
    let cluster = Cluster::start(database).await;
    let request = cluster.ask(0, customers[0]).await;
    assert_eq!(request["offered_to"], MITRAS);
    let tokens: Vec<String> = mitras
        .iter()
        .map(|id| cluster.mint.token(*id, Role::Mitra))
        .collect();
    let accepts = tokens
        .iter()
        .enumerate()
        .map(|(turn, token)| cluster.accept(turn, token, &request));
    let answers = join_all(accepts).await;
    judge("1000 accepts of one request", &answers, "offer_taken");
    assert_eq!(cluster.most_sessions().await, 1);
    const SESSIONS: &str = "SELECT count(*) FROM chat_sessions";
    let sessions: i64 = cluster.database.row(SESSIONS, &[]).await.get(0);
    assert_eq!(sessions, 1);

    // The winner that asks again, elsewhere, has won the same.
    let won = answers.iter().position(|it| it.answer.status == 200);
    let won = won.expect("somebody has won");
    let again = cluster.accept(won + 1, &tokens[won], &request).await.answer;
    let (first, again) = (answers[won].answer.json(), again.expect(200).json());
    assert_eq!(first["id"], again["id"]);
    cluster.stop().await;
}

#[tokio::test]
async fn a_mitra_with_one_seat_wins_one_of_many_requests_on_three_processes() {
    const REQUESTS: i32 = 200;
    let (database, mitras) = with_mitras(1, 1).await;
    let customers = testing::many(&database, Role::Customer, REQUESTS).await;
    let cluster = Cluster::start(database).await;
    let asks = customers
        .iter()
        .enumerate()
        .map(|(turn, customer)| cluster.ask(turn, *customer));
    let requests = join_all(asks).await;
    let token = cluster.mint.token(mitras[0], Role::Mitra);
    let accepts = requests
        .iter()
        .enumerate()
        .map(|(turn, request)| cluster.accept(turn, &token, request));
    let answers = join_all(accepts).await;
    judge(
        "200 accepts by a mitra with one seat",
        &answers,
        "capacity_reached",
    );
    assert_eq!(cluster.most_sessions().await, 1);
    cluster.stop().await;
}
