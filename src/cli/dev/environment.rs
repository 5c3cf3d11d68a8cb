//! What `dev` adds to the environment: only what nobody has set.

use std::collections::BTreeMap;
use std::fmt::Write;

use halobestie_core::config::AppEnv;

use super::Services;
use super::home::Home;
use crate::modules::COMPILED;

/// Who may sign in to the control center of a fresh database.
pub(super) const ADMIN_EMAIL: &str = "admin@halobestie.test";
/// The internal listener is reachable from this machine alone.
pub(super) const ADMIN_PASSWORD: &str = "halobestie-dev";

type Env = BTreeMap<String, String>;

/// Adds what a server needs to be configured at all.
pub(super) fn add_basics(env: &mut Env, port: Option<u16>, home: &Home) -> anyhow::Result<()> {
    if let Some(port) = port {
        env.insert("PORT".into(), port.to_string());
        set(
            env,
            "INTERNAL_ADDR",
            format!("127.0.0.1:{}", port.saturating_add(1)),
        );
        set(env, "PUBLIC_BASE_URL", format!("http://localhost:{port}"));
    }
    set(env, "AUTH_JWT_SECRET", home.secret("secret")?);
    let uploads = home.path().join("uploads");
    std::fs::create_dir_all(&uploads)?;
    set(env, "UPLOAD_ROOT", uploads.display().to_string());
    // Whoever tries things out signs in more often than anybody else.
    set(env, "OTP_PHONE_HOURLY", "1000".into());
    set(env, "OTP_ADDRESS_HOURLY", "10000".into());
    set(env, "ADMIN_EMAIL", ADMIN_EMAIL.into());
    set(env, "ADMIN_PASSWORD", ADMIN_PASSWORD.into());
    if may_have_playground(env) {
        set(env, "PLAYGROUND_ENABLED", "true".into());
    }
    Ok(())
}

/// Adds where our own services are, and writes it down for a second process that shall meet this one.
pub(super) fn add_services(env: &mut Env, home: &Home, services: &Services) -> anyhow::Result<()> {
    if let Some(postgres) = &services.postgres {
        set(env, "DATABASE_URL", postgres.url());
    }
    if let Some(valkey) = &services.valkey {
        set(env, "VALKEY_URL", valkey.url());
    }
    let mut shared = vec![
        "AUTH_JWT_SECRET",
        "DATABASE_URL",
        "VALKEY_URL",
        "UPLOAD_ROOT",
    ];
    if let Some(sandbox) = &services.sandbox {
        if may_have_playground(env) {
            set(env, "PLAYGROUND_SANDBOX_URL", sandbox.pages.clone());
        }
        for (name, value) in &sandbox.variables {
            set(env, name, value.clone());
            shared.push(name);
        }
    }
    let mut lines = String::from("# What a second process needs to work beside this `dev`.");
    for name in shared {
        if let Some(value) = env.get(name) {
            write!(lines, "\nexport {name}='{value}'")?;
        }
    }
    home.write_private("env", &lines)
}

/// A build for images has none, and where real users may be it is refused.
fn may_have_playground(env: &Env) -> bool {
    let app_env = env
        .get("APP_ENV")
        .and_then(|name| name.parse::<AppEnv>().ok());
    let is_compiled = COMPILED.iter().any(|entry| entry.name == "playground");
    is_compiled && !app_env.unwrap_or_default().is_deployed()
}

/// Sets a variable that is neither set nor read from a file.
fn set(env: &mut Env, name: &str, value: String) {
    let is_set = |name: &str| env.get(name).is_some_and(|value| !value.is_empty());
    if !is_set(name) && !is_set(&format!("{name}_FILE")) {
        env.insert(name.to_owned(), value);
    }
}

/// Percent-encodes everything that could mean something in a URL, slashes included.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(byte.into());
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_a_path_into_one_segment() {
        assert_eq!(encode("/tmp/a b%/ü"), "%2Ftmp%2Fa%20b%25%2F%C3%BC");
    }

    #[test]
    fn what_is_set_stays() {
        let mut env = Env::from([
            ("ADMIN_EMAIL".to_owned(), "ours@example.test".to_owned()),
            (
                "ADMIN_PASSWORD_FILE".to_owned(),
                "/run/secrets/admin".to_owned(),
            ),
            ("VALKEY_URL".to_owned(), String::new()),
        ]);
        set(&mut env, "ADMIN_EMAIL", "other".into());
        set(&mut env, "ADMIN_PASSWORD", "other".into());
        set(&mut env, "VALKEY_URL", "redis://ours".into());
        assert_eq!(env["ADMIN_EMAIL"], "ours@example.test");
        assert!(!env.contains_key("ADMIN_PASSWORD"));
        assert_eq!(
            env["VALKEY_URL"], "redis://ours",
            "an empty variable is an unset one"
        );
    }
}
