//! What a newcomer reads first.

use std::io;

use halobestie_core::app::Addresses;
use halobestie_core::config::{Config, Sources};

use super::home::Home;
use super::{Services, environment};
use crate::cli::output;

/// The code of every phone where the environment names no other.
const CODE: &str = "000000";

/// The port that `demo` looks at by itself.
const PORT_DEFAULT: u16 = 3000;

/// Prints where everything is and what to try next.
pub(super) fn print(
    config: &Config,
    sources: &Sources,
    services: &Services,
    home: &Home,
    at: Addresses,
) -> io::Result<()> {
    let (public, internal) = (at.public.port(), at.internal.port());
    let mut lines = vec![String::new(), "  halobestie runs".into(), String::new()];
    if config.is_enabled("playground") {
        let page = format!("http://localhost:{public}/playground");
        lines.push(format!("  Playground       {page}   <- start here"));
    }
    lines.extend([
        format!("  Public API       http://localhost:{public}"),
        format!("  API reference    http://localhost:{internal}/docs"),
        format!("  Metrics          http://localhost:{internal}/metrics"),
        format!("  Postgres         {}", postgres(services)),
        format!("  Valkey           {}", valkey(services)),
        format!("  Sandbox          {}", sandbox(services)),
    ]);
    if config.is_enabled("auth") {
        lines.push(String::new());
        lines.extend(sign_in(config, sources, services));
    }
    lines.push(String::new());
    lines.extend(next_steps(config, services, home, public));
    lines.push("  Ctrl-C stops all of it and keeps the data.".into());
    lines.push(String::new());
    output::line(lines.join("\n"))
}

fn postgres(services: &Services) -> String {
    match &services.postgres {
        Some(postgres) => format!("private, in {}", postgres.data().display()),
        None => "that of DATABASE_URL".into(),
    }
}

fn valkey(services: &Services) -> &'static str {
    match (&services.valkey, services.has_valkey) {
        (Some(_), _) => "private, with its data beside",
        (None, true) => "that of VALKEY_URL",
        (None, false) => "none installed: mirror and bus are in this process's memory",
    }
}

/// Where everything that leaves the server can be looked at.
fn sandbox(services: &Services) -> &str {
    match &services.sandbox {
        Some(sandbox) => &sandbox.pages,
        None => "none: not built (scripts/dev does), or not wanted (FAZPASS_ variables are set)",
    }
}

fn sign_in(config: &Config, sources: &Sources, services: &Services) -> Vec<String> {
    let value = |name: &str, default: &str| {
        let value = sources.env.get(name).filter(|value| !value.is_empty());
        value.map_or_else(|| default.to_owned(), Clone::clone)
    };
    let code = match (&services.sandbox, config.is_enabled("fazpass")) {
        (Some(sandbox), true) => format!("sent to the phone: read it on {}", sandbox.pages),
        (None, true) => "sent to the phone by Fazpass".into(),
        (_, false) => format!("{}, for every phone", value("OTP_BYPASS_CODE", CODE)),
    };
    let email = value("ADMIN_EMAIL", environment::ADMIN_EMAIL);
    let mut lines = vec![
        "  Mitras           +6281200000001 to +6281200000008".into(),
        "  Customers        any other Indonesian phone, such as +6281311112222".into(),
        format!("  Sign-in code     {code}"),
    ];
    // A password of the operator's own is not repeated.
    lines.push(
        match value("ADMIN_PASSWORD", "") == environment::ADMIN_PASSWORD {
            true => format!(
                "  Admin            {email}, password {}",
                environment::ADMIN_PASSWORD
            ),
            false => {
                format!("  Admin            {email}, with the ADMIN_PASSWORD that it was made with")
            }
        },
    );
    lines
}

fn next_steps(config: &Config, services: &Services, home: &Home, public: u16) -> Vec<String> {
    let env = home.path().join("env");
    let mut lines = vec!["  Try next, in a second terminal:".to_owned()];
    if config.is_enabled("chat") {
        let public = match public {
            PORT_DEFAULT => String::new(),
            other => format!(" --public http://localhost:{other}"),
        };
        // In the usual home `demo` finds the sandbox by itself.
        let sandbox = match &services.sandbox {
            Some(sandbox) if super::sandbox_address().as_deref() != Some(&sandbox.pages) => {
                format!(" --sandbox {}", sandbox.pages)
            }
            _ => String::new(),
        };
        lines.push(format!("    cargo run -- demo{public}{sandbox}"));
    }
    lines.push(format!("    curl http://localhost:{public}/api/health"));
    lines.push("  and a second server on the same data:".into());
    lines.push(format!("    . '{}'", env.display()));
    lines.push("    PORT=4000 INTERNAL_ADDR=127.0.0.1:4001 cargo run -- serve".into());
    lines.push(String::new());
    lines
}
