//! A headless Chromium of one test's own, driven over its DevTools protocol.
//!
//! It sees this machine and nothing else: every other name resolves to nowhere. What a page shows is
//! waited for, never slept for, and what a test does is done as a person does it: a click is a mouse at
//! a place where the element really lies on top. Pictures are kept in `target/pictures`.

mod accessibility;
mod page;
mod picture;
mod wire;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use http::Method;
use tempfile::TempDir;
use tokio::process::{Child, Command};

pub use self::page::Page;
pub use self::picture::Scheme;
use self::wire::Wire;
use crate::call::{Call, Client};
use crate::eventually::eventually_some;

/// The browsers that will do, the first that is installed.
const PROGRAMS: &[&str] = &["chromium", "chromium-browser", "google-chrome"];

const OPTIONS: &[&str] = &[
    "--headless",
    // Tests may run as root, where Chromium's own sandbox refuses to work. The pages are ours.
    "--no-sandbox",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--remote-debugging-port=0",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-sync",
    // A page in the background is as quick as one in front.
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--no-first-run",
    "--lang=en-US",
    "about:blank",
];

/// Where it writes the port that it has chosen.
const PORT_FILE: &str = "DevToolsActivePort";
/// Between two looks whether it has ended.
const END_PACE: Duration = Duration::from_millis(10);
/// How many looks.
const END_LOOKS: u32 = 200;

/// The browser. It lives as long as it or one of its pages does.
#[derive(Clone)]
pub struct Browser(Arc<Process>);

struct Process {
    child: Child,
    address: SocketAddr,
    client: Client,
    profile: TempDir,
}

impl Browser {
    /// Starts one with an empty profile; panics when none is installed.
    pub async fn start() -> Self {
        let profile = TempDir::with_prefix("halobestie-browser-").expect("a folder can be made");
        let child = spawn(profile.path());
        let port_file = profile.path().join(PORT_FILE);
        let look = || async { port_in(&port_file) };
        let port = eventually_some("the browser opens its port", look).await;
        Self(Arc::new(Process {
            child,
            address: (Ipv4Addr::LOCALHOST, port).into(),
            client: Client::new(),
            profile,
        }))
    }

    /// Opens a page in a tab of its own.
    pub async fn open(&self, url: &str) -> Page {
        let process = &self.0;
        let path = "/json/new?about:blank";
        let call = Call::new(process.client.clone(), process.address, Method::PUT, path);
        let tab = call.send().await.expect(200).json();
        let path = tab["webSocketDebuggerUrl"].as_str();
        let path = path.and_then(|url| url.split_once("/devtools/"));
        let (_, id) = path.expect("a tab has an address");
        let wire = Wire::open(process.address, &format!("/devtools/{id}")).await;
        let page = Page::new(wire, self.clone()).await;
        page.go(url).await;
        page
    }
}

impl Drop for Process {
    /// Waits until it has ended: it writes into its profile until then.
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.start_kill();
        for _ in 0..END_LOOKS {
            if !matches!(self.child.try_wait(), Ok(None)) {
                break;
            }
            sleep(END_PACE);
        }
        // Its helpers end a moment after it; the system's own cleaning finds what they leave.
        let _ = std::fs::remove_dir_all(self.profile.path());
    }
}

fn spawn(profile: &Path) -> Child {
    for program in PROGRAMS {
        let mut command = Command::new(program);
        command
            .args(OPTIONS)
            .arg(format!("--user-data-dir={}", profile.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        if let Ok(child) = command.spawn() {
            return child;
        }
    }
    panic!(
        "neither {} is installed: run the tests with scripts/test",
        PROGRAMS.join(" nor ")
    )
}

/// The port, once the whole file is written.
fn port_in(file: &Path) -> Option<u16> {
    let text = std::fs::read_to_string(file).ok()?;
    let (port, _) = text.split_once('\n')?;
    port.parse().ok()
}
