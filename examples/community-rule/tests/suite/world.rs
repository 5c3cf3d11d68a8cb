//! A server with a folder for letters and one for uploads, and the calls that most tests make.

use std::fs;
use std::path::Path;
use std::time::Duration;

use community_rule::MODULES;
use halobestie_auth::testing::{self, SignedIn};
use halobestie_core::app::Role;
use halobestie_testkit::{Call, Plan, TestApp, TestResponse, eventually, eventually_some};
use http::Method;
use serde_json::Value;
use tempfile::TempDir;

/// A server, and its folders, which go with it.
pub(crate) struct World {
    pub(crate) app: TestApp,
    pub(crate) folder: TempDir,
}

pub(crate) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A server over these folders that sweeps when it is told to.
pub(crate) fn plan(folder: &Path) -> Plan {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    fs::create_dir(folder.join("uploads")).unwrap();
    TestApp::with(MODULES)
        .role(Role::Api)
        .env("EMAIL_ENABLED", "true")
        .env("SMTP_URL", &format!("file://{}", path("mail")))
        .env("SESSION_SECRET", "sixteen letters.")
        .env("APP_DEEP_LINK", "http://localhost:3000")
        .env("UPLOAD_ROOT", &path("uploads"))
}

/// The usual server.
pub(crate) async fn start() -> World {
    start_with(&[]).await
}

/// One with these variables.
pub(crate) async fn start_with(variables: &[(&str, &str)]) -> World {
    let folder = tempfile::tempdir().unwrap();
    let set = |plan: Plan, (name, value): &(&str, &str)| plan.env(name, value);
    let plan = variables.iter().fold(plan(folder.path()), set);
    World {
        app: plan.start().await,
        folder,
    }
}

impl World {
    /// Somebody who is signed in.
    pub(crate) async fn person(&self) -> SignedIn {
        testing::customer(&self.app).await
    }

    /// A call by somebody.
    pub(crate) fn by(&self, who: &SignedIn, method: Method, path: &str) -> Call {
        self.app.call(method, path).bearer(&who.access_token)
    }

    /// Reads as somebody.
    pub(crate) async fn read(&self, who: &SignedIn, path: &str) -> TestResponse {
        self.by(who, Method::GET, path).send().await
    }

    /// Writes a draft over nothing, or over the version of this tag.
    pub(crate) async fn save(
        &self,
        who: &SignedIn,
        key: &str,
        content: &Value,
        seen: Option<&str>,
    ) -> TestResponse {
        let call = self.by(who, Method::PUT, &format!("/api/drafts/{key}"));
        let call = match seen {
            Some(etag) => call.header("if-match", etag),
            None => call,
        };
        call.json(content).send().await
    }

    /// Writes a draft that must be written; its tag.
    pub(crate) async fn saved(
        &self,
        who: &SignedIn,
        key: &str,
        content: &Value,
        seen: Option<&str>,
    ) -> String {
        let answer = self.save(who, key, content, seen).await;
        assert!(answer.status.is_success(), "{answer}");
        etag(&answer)
    }

    /// How many rows a table has.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        self.app.database.row(sql, &[]).await.get(0)
    }

    /// The token of the letter to this address, once it is there.
    pub(crate) async fn token(&self, email: &str) -> String {
        let mail = self.folder.path().join("mail");
        let look = || async {
            let letters = fs::read_dir(&mail).ok()?;
            let letters = letters.filter_map(|it| fs::read_to_string(it.ok()?.path()).ok());
            let mut ours = letters.filter(|it| it.contains(&format!("To: {email}\r\n")));
            let letter = ours.next()?;
            let (_, rest) = letter.split_once("/api/auth/email/open?token=")?;
            Some(rest.lines().next()?.to_owned())
        };
        eventually_some("a letter arrives", look).await
    }
}

/// Waits until so many statements wait for a lock that somebody else has.
pub(crate) async fn waiting_for_locks(app: &TestApp, many: i64) {
    const SQL: &str = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    eventually("they wait", || async {
        let waiting: i64 = app.database.row(SQL, &[]).await.get(0);
        waiting == many
    })
    .await;
}

/// The tag of an answer.
pub(crate) fn etag(answer: &TestResponse) -> String {
    answer.header("etag").unwrap().to_owned()
}
