//! How a page is looked at, and pictures of it.

use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::Page;

/// The tallest picture, in CSS pixels.
const HEIGHT_MAX: f64 = 6000.0;

/// What a person has set their system to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Scheme {
    fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

impl Page {
    /// Looks through a window of this size, in CSS pixels.
    pub async fn resize(&self, width: u32, height: u32) {
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.ask("Emulation.setDeviceMetricsOverride", metrics)
            .await;
    }

    /// Looks at it as somebody who prefers this.
    pub async fn prefers(&self, scheme: Scheme) {
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme.as_str() },
            // What is on its way looks different in each picture.
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.ask(
            "Emulation.setEmulatedMedia",
            json!({ "features": features }),
        )
        .await;
    }

    /// Whether it is wider than the window: then a person has to scroll sideways.
    pub async fn is_too_wide(&self) -> bool {
        let script = "document.documentElement.scrollWidth > window.innerWidth";
        self.eval(script).await == true
    }

    /// Keeps a picture of the whole page as `target/pictures/<name>.png`.
    pub async fn picture(&self, name: &str) {
        // What sticks to the window's edge is seen at the page's.
        self.eval("scrollTo({ top: 0, behavior: 'instant' })").await;
        let size = self.ask("Page.getLayoutMetrics", json!({})).await;
        let content = &size["cssContentSize"];
        let (width, height) = (content["width"].as_f64(), content["height"].as_f64());
        let clip = json!({
            "x": 0,
            "y": 0,
            "width": width.unwrap_or_default(),
            "height": height.unwrap_or_default().min(HEIGHT_MAX),
            "scale": 1,
        });
        let wish = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let picture = self.ask("Page.captureScreenshot", wish).await;
        let picture = STANDARD.decode(picture["data"].as_str().unwrap_or_default());
        let folder = folder();
        fs::create_dir_all(&folder).expect("target/ can be written");
        let file = folder.join(format!("{name}.png"));
        fs::write(file, picture.expect("the browser sends base64"))
            .expect("target/ can be written");
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/pictures")
}
