//! The whole story, across two real processes on one Postgres and one Valkey.

use halobestie_testkit::{TestDb, ValkeyProcess};

use crate::process::{Environment, Running, Server, shown};

struct Pair {
    // Dropping it drops the database.
    _database: TestDb,
    environment: Environment,
    one: Server,
    two: Server,
}

impl Pair {
    async fn start(valkey: &ValkeyProcess) -> Self {
        let database = TestDb::empty().await;
        let environment = Environment::over(&database)
            .with("APP_ENV", "development")
            .with("VALKEY_URL", &valkey.url());
        for command in ["migrate", "seed"] {
            let output = environment.run(&[command]).await;
            assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
        }
        let (one, two) = tokio::join!(environment.serve(&["serve"]), environment.serve(&["serve"]));
        Self {
            _database: database,
            environment,
            one,
            two,
        }
    }

    fn play(&self, further: &[&str]) -> Running {
        let (one, two) = (self.one.url(), self.two.url());
        let story = ["demo", "--public", &one, "--second", &two];
        self.environment.spawn(&[&story, further].concat())
    }

    async fn stop(self) {
        assert_eq!(self.one.terminate().await, Some(0));
        assert_eq!(self.two.terminate().await, Some(0));
    }
}

#[tokio::test]
async fn the_story_plays_across_two_servers_and_again() {
    let valkey = ValkeyProcess::start().await;
    let pair = Pair::start(&valkey).await;
    for _ in 0..2 {
        let (code, printed) = pair.play(&[]).end().await;
        assert_eq!(code, Some(0), "{printed}");
    }
    pair.stop().await;
}

#[tokio::test]
async fn the_story_goes_on_when_valkey_is_killed_in_the_middle() {
    let mut valkey = ValkeyProcess::start().await;
    let pair = Pair::start(&valkey).await;
    let mut story = pair.play(&["--pause", "2"]);
    story.until("pause").await;
    valkey.kill().await;
    let (code, printed) = story.end().await;
    assert_eq!(code, Some(0), "{printed}");
    pair.stop().await;
}
