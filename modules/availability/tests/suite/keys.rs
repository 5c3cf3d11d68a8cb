//! A look into the mirror's keys, past everything that the module believes about them.

use std::collections::{BTreeMap, BTreeSet};

use halobestie_core::Timestamp;
use halobestie_core::valkey::Valkey;
use halobestie_core::valkey::redis::{FromRedisValue, cmd};
use halobestie_testkit::TestApp;

/// The mirror's keys as an operator would see them.
pub(crate) struct Keys<'a>(&'a Valkey);

impl<'a> Keys<'a> {
    pub(crate) fn of(app: &'a TestApp) -> Self {
        Self(
            app.context()
                .valkey
                .as_ref()
                .expect("the server has a Valkey"),
        )
    }

    pub(crate) async fn run<T: FromRedisValue>(
        &self,
        command: &str,
        key: &str,
        args: &[&str],
    ) -> T {
        let mut run = cmd(command);
        run.arg(self.0.key(key)).arg(args);
        self.0
            .run(&run)
            .await
            .unwrap_or_else(|error| panic!("{command} {key}: {error:?}"))
    }

    pub(crate) async fn set(&self, key: &str) -> BTreeSet<String> {
        self.run("SMEMBERS", key, &[]).await
    }

    pub(crate) async fn text(&self, key: &str) -> Option<String> {
        self.run("GET", key, &[]).await
    }

    pub(crate) async fn write(&self, key: &str, value: &str) {
        self.run("SET", key, &[value]).await
    }

    pub(crate) async fn exists(&self, key: &str) -> bool {
        self.run("EXISTS", key, &[]).await
    }

    pub(crate) async fn delete(&self, key: &str) {
        self.run("DEL", key, &[]).await
    }

    /// Who is free, at the Unix milliseconds of the last heartbeat.
    pub(crate) async fn free(&self) -> BTreeMap<String, i64> {
        self.run("ZRANGE", "mitras:free", &["0", "-1", "WITHSCORES"])
            .await
    }

    pub(crate) async fn flush_all(&self) {
        self.0
            .run::<()>(&cmd("FLUSHALL"))
            .await
            .expect("Valkey can be emptied");
    }
}

/// How the mirror differs from Postgres, a line a difference.
pub(crate) async fn drift(app: &TestApp) -> Vec<String> {
    const SQL: &str = "SELECT mitra_id::text, is_online, is_active, max_sessions::text,
            coalesce(in_use, 0)::text
        FROM mitras LEFT JOIN open_sessions USING (mitra_id)";
    let keys = Keys::of(app);
    let (mut online, mut deactivated) = (BTreeSet::new(), BTreeSet::new());
    let (mut max_sessions, mut found) = (BTreeMap::new(), Vec::new());
    let mut free = BTreeMap::new();
    for row in app.database.rows(SQL, &[]).await {
        let id: String = row.get(0);
        let in_use = keys.text(&format!("mitra:capacity:{id}")).await;
        if in_use != row.get::<_, Option<String>>(4) {
            found.push(format!("capacity of {id} is {in_use:?}"));
        }
        let beat = keys.text(&format!("mitra:heartbeat:{id}")).await;
        if beat.is_some() != (row.get(1) && row.get(2)) {
            found.push(format!("heartbeat of {id} is {beat:?}"));
        }
        let [in_use, limit] = [4, 3].map(|it| row.get::<_, String>(it).parse::<u32>().ok());
        if let Some(heard) = beat.as_deref().and_then(Timestamp::parse)
            && in_use < limit
        {
            free.insert(id.clone(), heard.unix_ms());
        }
        max_sessions.insert(id.clone(), row.get::<_, String>(3));
        row.get::<_, bool>(1).then(|| online.insert(id.clone()));
        (!row.get::<_, bool>(2)).then(|| deactivated.insert(id));
    }
    for (key, wanted) in [
        ("mitras:online", online),
        ("mitras:deactivated", deactivated),
    ] {
        let shown = keys.set(key).await;
        found.extend(
            shown
                .symmetric_difference(&wanted)
                .map(|id| format!("{key}: {id}")),
        );
    }
    let shown: BTreeMap<String, String> = keys.run("HGETALL", "mitras:max_sessions", &[]).await;
    if shown != max_sessions {
        found.push("max_sessions differ".to_owned());
    }
    let mut shown = keys.free().await;
    if shown.remove("seeded") != Some(0) {
        found.push("mitras:free is not whole".to_owned());
    }
    if shown != free {
        found.push(format!("mitras:free is {shown:?} and not {free:?}"));
    }
    found
}
