//! The files of the page, compiled in.

use http::header::HeaderValue;

/// A file beside the page.
pub(crate) struct Asset {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
}

impl Asset {
    /// What it is, by the end of its name.
    pub(crate) fn content_type(&self) -> HeaderValue {
        let end = self.name.rsplit('.').next();
        HeaderValue::from_static(match end {
            Some("css") => "text/css; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            _ => "image/svg+xml",
        })
    }
}

/// The page itself.
pub(crate) const PAGE: &str = include_str!("../assets/page.html");

macro_rules! assets {
    ($($name:literal),* $(,)?) => {
        &[$(Asset { name: $name, text: include_str!(concat!("../assets/", $name)) }),*]
    };
}

/// Everything that the page loads.
pub(crate) static ASSETS: &[Asset] = assets![
    "api.js",
    "app.js",
    "beacon.js",
    "chat.js",
    "chat_view.js",
    "clock.js",
    "customer.js",
    "dom.js",
    "guide.js",
    "icon.svg",
    "log.css",
    "log.js",
    "memory.js",
    "mitra.js",
    "pane.css",
    "pane.js",
    "sign_in.js",
    "socket.js",
    "style.css",
    "thread.js",
];
