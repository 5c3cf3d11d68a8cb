//! The whole story, across two real processes on one Postgres and one Valkey.

use halobestie_sandbox::Sandbox;
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
        Self::start_with(valkey, Vec::new()).await
    }

    async fn start_with(valkey: &ValkeyProcess, further: Vec<(&str, String)>) -> Self {
        let database = TestDb::empty().await;
        let mut environment = Environment::over(&database)
            .with("APP_ENV", "development")
            .with("VALKEY_URL", &valkey.url());
        for (name, value) in further {
            environment = environment.with(name, &value);
        }
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
        for scene in [
            "resume brings what was missed, in order",
            "the session ends just that much later",
            "the time that it stood is given back",
            "the second mitra gets it",
        ] {
            assert!(
                printed.contains(&format!("✓ {scene}")),
                "{scene}: {printed}"
            );
        }
    }
    pair.stop().await;
}

#[tokio::test]
async fn codes_that_are_sent_are_read_in_the_sandbox() {
    let (valkey, sandbox) = tokio::join!(ValkeyProcess::start(), Sandbox::start());
    let pair = Pair::start_with(&valkey, sandbox.fazpass.variables()).await;
    let story = pair.play(&["--sandbox", sandbox.pages_url()]);
    let (code, printed) = story.end().await;
    assert_eq!(code, Some(0), "{printed}");
    assert_eq!(sandbox.fazpass.messages().len(), 3, "{printed}");
    let another = Sandbox::start().await;
    let story = pair.play(&["--sandbox", another.pages_url()]);
    let (code, printed) = story.end().await;
    assert_eq!(code, Some(1), "{printed}");
    assert!(
        printed.contains("see whether the server's FAZPASS_BASE_URL"),
        "{printed}"
    );
    pair.stop().await;
}

#[tokio::test]
async fn what_is_sold_is_paid_in_the_sandbox() {
    let (valkey, sandbox) = tokio::join!(ValkeyProcess::start(), Sandbox::start());
    let pair = Pair::start_with(&valkey, sandbox.xendit.variables()).await;
    let webhooks = |url: String| format!("{url}/api/webhooks/xendit");
    let urls = [webhooks(pair.one.url()), webhooks(pair.two.url())];
    sandbox.xendit.set_webhook_urls(&[&urls[0], &urls[1]]);
    let story = pair.play(&["--sandbox", sandbox.pages_url()]);
    let (code, printed) = story.end().await;
    assert_eq!(code, Some(0), "{printed}");
    assert!(
        printed.contains("✓ the customer pays, in the sandbox"),
        "{printed}"
    );
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
