//! What `scripts/test` tells the tests: where Postgres and Valkey are.

/// The URL of a database whose user may create databases.
pub(crate) fn database_url() -> String {
    variable("TEST_DATABASE_URL")
}

/// The URL of a Valkey (or Redis) that tests may fill under their own prefixes.
pub fn valkey_url() -> String {
    variable("TEST_VALKEY_URL")
}

/// Shows the server's log where `TEST_LOG` asks for it (`TEST_LOG=debug scripts/test chat`).
pub(crate) fn show_log() {
    let Some(directives) = read("TEST_LOG") else {
        return;
    };
    // Fails when another test of this process was first: then the log is shown already.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(directives)
        .with_test_writer()
        .try_init();
}

fn variable(name: &str) -> String {
    read(name).unwrap_or_else(|| panic!("{name} is not set: run the tests with scripts/test"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the tests' own variables are no configuration"
)]
fn read(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
