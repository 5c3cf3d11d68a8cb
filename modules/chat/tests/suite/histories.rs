//! Random histories of sessions that are paid, extended, handed on and ended, with crashes in between: a
//! transaction that is lost, a commit that nobody hears of, a connection that breaks in the middle, a write
//! of another module that fails, workers that do not run for a while. After every step the books balance.

use std::time::Duration;

use futures_util::future::join_all;
use halobestie_auth::testing::{SignedIn, customer};
use halobestie_core::app::Role;
use halobestie_core::clock::Clock;
use halobestie_core::entropy::Entropy;
use halobestie_testkit::{Call, TestApp, eventually};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::audit;
use crate::till::{self, Fate};
use crate::world::{ask, go_online, offers, online_mitra};

const STEPS_MAX: usize = 70;
/// How many histories are played, unless PROPTEST_CASES says otherwise.
const CASES: u32 = 6;
/// What proptest plays where it says nothing.
const PROPTEST_DEFAULT: u32 = 256;
const MITRAS: usize = 3;
/// DATABASE_POOL_SIZE
const CONNECTIONS: usize = 16;

/// Something that happens. What cannot happen just now is left out, or refused by the server.
#[derive(Clone, Debug)]
enum Deed {
    Wait {
        ms: u64,
    },
    /// The customer asks, the first mitra that can accepts, and perhaps it is paid at once.
    Begin {
        is_paid: bool,
    },
    Pay(Fate),
    PaymentFails,
    Extend {
        minutes: u32,
        is_cut: bool,
    },
    PayExtension(Fate),
    ExtensionLapses,
    CustomerEnds {
        is_cut: bool,
    },
    MitraEnds {
        is_cut: bool,
    },
    AdminEnds(Fate),
    GiveAway {
        is_cut: bool,
    },
    GoOffline,
    AllOnline,
    TakeOver {
        is_cut: bool,
    },
    Break(&'static str),
    Mend,
    /// A worker comes, does what is due, and dies.
    Work,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        3 => Just(Fate::Committed),
        1 => Just(Fate::RolledBack),
        1 => Just(Fate::Silent),
    ]
}

fn deed() -> impl Strategy<Value = Deed> {
    let is_cut = || prop::bool::weighted(0.25);
    let call = prop::sample::select(vec!["charge", "withdraw", "credit"]);
    prop_oneof![
        4 => (0u64..120_000).prop_map(|ms| Deed::Wait { ms }),
        1 => (0u64..1_200_000).prop_map(|ms| Deed::Wait { ms }),
        6 => prop::bool::weighted(0.7).prop_map(|is_paid| Deed::Begin { is_paid }),
        3 => fate().prop_map(Deed::Pay),
        1 => Just(Deed::PaymentFails),
        5 => (prop::sample::select(vec![15u32, 30, 60]), is_cut())
            .prop_map(|(minutes, is_cut)| Deed::Extend { minutes, is_cut }),
        4 => fate().prop_map(Deed::PayExtension),
        1 => Just(Deed::ExtensionLapses),
        1 => is_cut().prop_map(|is_cut| Deed::CustomerEnds { is_cut }),
        1 => is_cut().prop_map(|is_cut| Deed::MitraEnds { is_cut }),
        1 => fate().prop_map(Deed::AdminEnds),
        5 => is_cut().prop_map(|is_cut| Deed::GiveAway { is_cut }),
        1 => Just(Deed::GoOffline),
        3 => Just(Deed::AllOnline),
        7 => is_cut().prop_map(|is_cut| Deed::TakeOver { is_cut }),
        1 => call.prop_map(Deed::Break),
        1 => Just(Deed::Mend),
        3 => Just(Deed::Work),
    ]
}

#[test]
fn the_books_of_every_session_balance_whatever_happens() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = Config {
        cases: match Config::default().cases {
            PROPTEST_DEFAULT => CASES,
            asked => asked,
        },
        max_shrink_iters: 40,
        failure_persistence: None,
        ..Config::default()
    };
    let histories = prop::collection::vec(deed(), STEPS_MAX / 2..STEPS_MAX);
    let played = TestRunner::new(config).run(&histories, |history| {
        runtime.block_on(play(history));
        Ok(())
    });
    played.unwrap_or_else(|failure| panic!("{failure}"));
}

async fn play(history: Vec<Deed>) {
    let mut stage = Stage::set().await;
    for deed in &history {
        stage.play(deed).await;
        audit::check(&stage.app).await;
    }
    // Whatever happened: once workers run and nothing fails, everything comes to its end.
    till::mend(&stage.app).await;
    for _ in 0..3 {
        stage.app.clock.advance(Duration::from_secs(2 * 24 * 3600));
        stage.work().await;
        audit::check(&stage.app).await;
    }
    let sql = "SELECT count(*) FROM chat_sessions WHERE status <> 'ended'";
    let open: i64 = stage.app.database.row(sql, &[]).await.get(0);
    assert_eq!(open, 0, "a session has no end");
}

/// A server without workers, and the people of a history.
struct Stage {
    app: TestApp,
    customer: SignedIn,
    mitras: Vec<SignedIn>,
}

impl Stage {
    async fn set() -> Self {
        let plan = till::plan()
            .env("AUTH_ACCESS_SECONDS", "86400")
            .role(Role::Api);
        let app = plan.start().await;
        let customer = customer(&app).await;
        let mut mitras = Vec::new();
        for _ in 0..MITRAS {
            mitras.push(online_mitra(&app).await);
        }
        Self {
            app,
            customer,
            mitras,
        }
    }

    async fn play(&mut self, deed: &Deed) {
        match *deed {
            Deed::Wait { ms } => self.app.clock.advance(Duration::from_millis(ms)),
            Deed::Begin { is_paid } => self.begin(is_paid).await,
            Deed::Pay(fate) => self.pay("session", fate).await,
            Deed::PaymentFails => self.lapse("session").await,
            Deed::Extend { minutes, is_cut } => {
                let body = json!({"package_id": format!("{minutes}m")});
                self.act("/extensions", None, Some(&body), is_cut).await;
            }
            Deed::PayExtension(fate) => self.pay("extension", fate).await,
            Deed::ExtensionLapses => self.lapse("extension").await,
            Deed::CustomerEnds { is_cut } => self.act("/end", None, None, is_cut).await,
            Deed::MitraEnds { is_cut } => {
                let mitra = self.mitra_of_session().await;
                self.act("/end", mitra, None, is_cut).await;
            }
            Deed::AdminEnds(fate) => self.end_as_admin(fate).await,
            Deed::GiveAway { is_cut } => {
                let mitra = self.mitra_of_session().await;
                self.act("/reroute", mitra, None, is_cut).await;
            }
            Deed::GoOffline => {
                if let Some(mitra) = self.mitra_of_session().await {
                    let call = self.app.post("/api/mitra/status/offline");
                    call.bearer(&mitra.access_token).send().await.expect(200);
                }
            }
            Deed::AllOnline => {
                for mitra in &self.mitras {
                    go_online(&self.app, mitra).await;
                }
            }
            Deed::TakeOver { is_cut } => self.accept_any(is_cut).await,
            Deed::Break(call) => till::break_call(&self.app, call).await,
            Deed::Mend => till::mend(&self.app).await,
            Deed::Work => self.work().await,
        }
    }

    async fn begin(&self, is_paid: bool) {
        let wish = json!({"package_id": "15m"});
        if ask(&self.app, &self.customer, wish).await.status != 201 {
            // There is a session, a request, or no mitra.
            return;
        }
        self.accept_any(false).await;
        if is_paid {
            self.pay("session", Fate::Committed).await;
        }
    }

    async fn accept_any(&self, is_cut: bool) {
        for mitra in &self.mitras {
            if let Some(request_id) = offers(&self.app, mitra).await.first() {
                let path = format!("/api/mitra/chat/offers/{request_id}/accept");
                let call = self.app.post(&path).bearer(&mitra.access_token);
                return self.send(call, is_cut).await;
            }
        }
    }

    /// A call on the open session, by this mitra or the customer.
    async fn act(&self, path: &str, by: Option<SignedIn>, body: Option<&Value>, is_cut: bool) {
        let Some((id, _)) = self.open_session().await else {
            return;
        };
        let by = by.unwrap_or_else(|| self.customer.clone());
        let path = format!("/api/chat/sessions/{id}{path}");
        let mut call = self.app.post(&path).bearer(&by.access_token);
        if let Some(body) = body {
            call = call.json(body);
        }
        self.send(call, is_cut).await;
    }

    /// Sends a call, whatever it answers; cut off, every connection to Postgres breaks somewhere in it.
    async fn send(&self, call: Call, is_cut: bool) {
        if !is_cut {
            let _ = call.try_send().await;
            return;
        }
        let cut = async {
            let entropy = Entropy::system();
            tokio::time::sleep(Duration::from_micros(entropy.below(12_000))).await;
            let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()";
            self.app.database.rows(sql, &[]).await;
        };
        let _ = tokio::join!(call.try_send(), cut);
        // The pool finds out by using them.
        eventually("every connection is a living one", || async {
            let pings = (0..CONNECTIONS).map(|_| self.app.context().db.ping());
            join_all(pings).await.iter().all(Result::is_ok)
        })
        .await;
    }

    async fn open_session(&self) -> Option<(Uuid, Uuid)> {
        let sql = "SELECT id, mitra_id FROM chat_sessions WHERE status <> 'ended'";
        let rows = self.app.database.rows(sql, &[]).await;
        rows.first().map(|row| (row.get(0), row.get(1)))
    }

    async fn mitra_of_session(&self) -> Option<SignedIn> {
        let (_, mitra_id) = self.open_session().await?;
        let mut mitras = self.mitras.iter();
        mitras.find(|mitra| mitra.user_id == mitra_id).cloned()
    }

    /// The last thing of this purpose that was charged: paid, lapsed or not.
    async fn last_charged(&self, purpose: &'static str) -> Option<(Uuid, String)> {
        let sql = "SELECT subject_id, status FROM till_payments WHERE purpose = $1
            ORDER BY id DESC LIMIT 1";
        let rows = self.app.database.rows(sql, &[&purpose]).await;
        rows.first().map(|row| (row.get(0), row.get(1)))
    }

    async fn pay(&self, purpose: &'static str, fate: Fate) {
        if let Some((subject_id, _)) = self.last_charged(purpose).await {
            till::pay_with(&self.app, subject_id, fate).await;
        }
    }

    async fn lapse(&self, purpose: &'static str) {
        if let Some((subject_id, status)) = self.last_charged(purpose).await
            && ["creating", "pending"].contains(&status.as_str())
        {
            till::lapse(&self.app, subject_id).await;
        }
    }

    async fn end_as_admin(&self, fate: Fate) {
        let Some((id, _)) = self.open_session().await else {
            return;
        };
        let cx = self.app.context();
        let control = cx.ports.session_control.get().unwrap();
        let admin_id = Entropy::system().uuid(&Clock::system());
        let mut client = cx.db.client().await.unwrap();
        let tx = client.begin().await.unwrap();
        // A write of another module may fail in it.
        let Ok(ended) = control.end(&tx, id, admin_id).await else {
            return;
        };
        match fate {
            Fate::RolledBack => drop(tx),
            Fate::Silent => tx.commit().await.unwrap(),
            Fate::Committed => {
                tx.commit().await.unwrap();
                drop(client);
                ended.unwrap().after_commit.run().await;
            }
        }
    }

    async fn work(&self) {
        let worker = self.app.another().role(Role::Worker).start().await;
        worker.settle().await;
        worker.crash().await;
    }
}
