//! The control center in a real browser, as somebody who is signed in.

use halobestie_auth::testing;
use halobestie_core::ports::AdminRole;
use halobestie_testkit::{Browser, Page, Scheme, TestApp};

const PASSWORD: &str = "correct horse battery";

/// A page of a server's control center.
pub(crate) struct Stage {
    pub(crate) app: TestApp,
    pub(crate) page: Page,
}

impl Stage {
    /// Signed in by the form, on the dashboard.
    pub(crate) async fn set(app: TestApp, role: AdminRole) -> Self {
        let email = format!("{role}@halobestie.test");
        testing::register_admin_as(&app, &email, PASSWORD, role).await;
        let browser = Browser::start().await;
        let url = format!("http://{}/", app.internal_address());
        let page = browser.open(&url).await;
        page.resize(1400, 900).await;
        page.write("[name=email]", &email).await;
        page.write("[name=password]", PASSWORD).await;
        page.press("Enter").await;
        page.shows("h1", "Dashboard").await;
        Self { app, page }
    }

    /// Goes to a page by its path.
    pub(crate) async fn go(&self, path: &str) {
        let url = format!("http://{}{path}", self.app.internal_address());
        self.page.go(&url).await;
    }

    /// Opens a dialog, sees what it says, and agrees.
    pub(crate) async fn confirm(&self, dialog: &str, says: &str) {
        let button = format!("button[commandfor={dialog}]");
        self.page.click(&button).await;
        self.page.shows(&format!("#{dialog}"), says).await;
        let agree = format!("#{dialog} form button:not([type=button])");
        self.page.click(&agree).await;
    }

    /// Pictures on a desk and on a phone, in light and in dark: none wider than the window, and nothing
    /// in them that shuts anybody out.
    pub(crate) async fn look(&self, name: &str) {
        for (width, height) in [(1400, 900), (360, 800)] {
            self.page.resize(width, height).await;
            for (scheme, light) in [(Scheme::Light, "light"), (Scheme::Dark, "dark")] {
                self.page.prefers(scheme).await;
                let name = format!("control-center-{name}-{width}-{light}");
                self.page.picture(&name).await;
                assert!(!self.page.is_too_wide().await, "{name}");
                self.page.expect_accessible().await;
            }
        }
        self.page.resize(1400, 900).await;
        self.page.prefers(Scheme::Light).await;
        let trouble = self.page.trouble().await;
        assert!(trouble.is_empty(), "{name}: {trouble:?}");
    }
}
