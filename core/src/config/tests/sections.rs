//! What core's own sections accept, and what they warn about.

use super::fakes::{config, problems};

/// Whether a value of a variable is accepted; when not, exactly one line says so.
fn accepts(variable: &str, text: &str) -> bool {
    let lines = problems(&[(variable, text)]);
    assert!(lines.len() <= 1, "{lines:?}");
    assert!(
        lines
            .iter()
            .all(|line| line.starts_with(&format!("{variable} (environment): expected")))
    );
    lines.is_empty()
}

fn check(variable: &str, good: &[&str], bad: &[&str]) {
    for text in good {
        assert!(accepts(variable, text), "{variable}={text}");
    }
    for text in bad {
        assert!(!accepts(variable, text), "{variable}={text}");
    }
}

#[test]
fn database() {
    check(
        "DATABASE_URL",
        &[
            "postgresql://h/d",
            "postgres://u:p%40@h:1/d?sslmode=require",
            "postgres://%2Ftmp/d",
        ],
        &[
            "mysql://h/d",
            "host=h dbname=d",
            "postgres://h/d?sslmode=verify-full",
            "postgres://",
        ],
    );
    check(
        "DATABASE_POOL_SIZE",
        &["2", "1000"],
        &["1", "1001", "-1", "1.5"],
    );
    check("DATABASE_TIMEOUT_SECONDS", &["1", "300"], &["0", "301"]);
}

#[test]
fn valkey() {
    check(
        "VALKEY_URL",
        &["redis://h", "valkey://u:p@h:1/2"],
        &["http://h", "h:6379", "redis://"],
    );
    check(
        "VALKEY_KEY_PREFIX",
        &["a:", "{x}"],
        &["a b", "é", &"x".repeat(65)],
    );
    check("VALKEY_TIMEOUT_MS", &["1"], &["0"]);
    check(
        "VALKEY_POOL_SIZE",
        &["1", "1000"],
        &["0", "1001", "5000000000"],
    );
}

#[test]
fn valkey_is_required_where_real_users_are() {
    for env in ["staging", "production"] {
        let lines = problems(&[("APP_ENV", env)]);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(
            lines[0].starts_with(&format!("VALKEY_URL (not set): required in {env}")),
            "{lines:?}"
        );
    }
    assert!(problems(&[("APP_ENV", "test")]).is_empty());
}

#[test]
fn server() {
    check(
        "PUBLIC_ADDR",
        &["127.0.0.1:0", "[::]:3000"],
        &["3000", ":3000", "localhost:1"],
    );
    check(
        "PUBLIC_BASE_URL",
        &[
            "https://a.example",
            "http://localhost:3000/",
            "https://a.example/base",
        ],
        &[
            "a.example",
            "ftp://a",
            "https://",
            "https://a?x=1",
            "https://u:p@a",
            "https://a#b",
        ],
    );
    let good = [
        "https://a.example",
        "http://localhost:5173,capacitor://localhost",
    ];
    let bad = [
        "*",
        "a.example",
        "https://a.example/",
        "https://A.example",
        "https://a/b",
        "null",
    ];
    check("APP_ALLOWED_ORIGINS", &good, &bad);
    check("CC_ORIGIN", &good, &bad);
    check(
        "TRUSTED_PROXIES",
        &["10.0.0.0/8, ::1", "192.168.1.1"],
        &["10.0.0.0/33", "lan"],
    );
    check("SERVER_CONNECTIONS_MAX", &["1"], &["0"]);
    check("SERVER_REQUESTS_MAX", &["1"], &["0"]);
    check("SERVER_HEADER_TIMEOUT_SECONDS", &["1"], &["0", "301"]);
    check("SERVER_REQUEST_TIMEOUT_SECONDS", &["1"], &["0", "3601"]);
    check("SHUTDOWN_DELAY_SECONDS", &["0"], &["601"]);
    check("SHUTDOWN_TIMEOUT_SECONDS", &["1"], &["0"]);
    check("WORKER_STALE_SECONDS", &["90"], &["0"]);
    check("READY_REQUIRES_WORKER", &["true", "false"], &["1", "TRUE"]);
}

#[test]
fn log() {
    let good = ["debug", "info,halobestie_chat=debug", "off"];
    check("LOG_LEVEL", &good, &["verbose", "info,chat", "chat=loud"]);
    check("LOG_FORMAT", &["json", "pretty"], &["JSON"]);
    check(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        &["http://collector:4317"],
        &["collector:4317"],
    );
}

#[test]
fn an_address_is_a_network_of_one() {
    let config = config(&[("TRUSTED_PROXIES", "10.1.2.3,fd00::/8")]);
    let networks: Vec<String> = config
        .server
        .trusted_proxies
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(networks, ["10.1.2.3/32", "fd00::/8"]);
}

#[test]
fn risky_combinations_are_warned_about() {
    let names = |variables: &[(&str, &str)]| -> Vec<String> {
        let first_word = |warning: String| warning.split(' ').next().unwrap().to_owned();
        config(variables)
            .warnings()
            .into_iter()
            .map(first_word)
            .collect()
    };
    assert_eq!(names(&[]), ["VALKEY_URL"]);
    let production = [
        ("APP_ENV", "production"),
        ("VALKEY_URL", "redis://h"),
        ("PUBLIC_BASE_URL", "https://a.example"),
    ];
    assert_eq!(names(&production), Vec::<String>::new());
    let risky = [
        ("APP_ENV", "production"),
        ("VALKEY_URL", "redis://h"),
        ("SHUTDOWN_DELAY_SECONDS", "60"),
        ("INTERNAL_ADDR", "0.0.0.0:3001"),
        ("TRUSTED_PROXIES", "0.0.0.0/0"),
        (
            "APP_ALLOWED_ORIGINS",
            "https://app.example,http://app.example",
        ),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317"),
    ];
    let expected = [
        "SHUTDOWN_DELAY_SECONDS",
        "INTERNAL_ADDR",
        "PUBLIC_BASE_URL",
        "APP_ALLOWED_ORIGINS",
        "TRUSTED_PROXIES",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
    ];
    assert_eq!(names(&risky), expected);
    let own_machine = [
        ("VALKEY_URL", "redis://h"),
        ("CC_ORIGIN", "http://localhost:3000"),
    ];
    assert_eq!(names(&own_machine), Vec::<String>::new());
}
