//! The playground in a real browser: what a newcomer does in the first five minutes, as they do it.

mod sandbox;

use halobestie::modules::COMPILED;
use halobestie_testkit::{Browser, Page, Plan, Scheme, TestApp};

/// One side of the page.
#[derive(Clone, Copy)]
struct Side(&'static str);

const CUSTOMER: Side = Side("customer");
const MITRA: Side = Side("mitra-1");
const COLLEAGUE: Side = Side("mitra-2");

impl Side {
    /// The part of this name, on this side.
    fn part(self, name: &str) -> String {
        format!("[data-pane={}] [data-ref={name}]", self.0)
    }

    /// The newest message.
    fn last_message(self) -> String {
        format!("{} > :last-child", self.part("messages"))
    }
}

/// A server, and its playground in a browser.
struct Stage {
    page: Page,
    app: TestApp,
}

impl Stage {
    async fn set() -> Self {
        let plan = TestApp::with(COMPILED).env("PLAYGROUND_ENABLED", "true");
        Self::with(plan, &Browser::start().await).await
    }

    async fn with(plan: Plan, browser: &Browser) -> Self {
        let app = plan.start().await;
        app.seed().await;
        let url = format!("http://{}/playground", app.public_address());
        let page = browser.open(&url).await;
        page.resize(1400, 900).await;
        Self { page, app }
    }

    async fn click(&self, side: Side, part: &str) {
        self.page.click(&side.part(part)).await;
    }

    async fn shows(&self, side: Side, part: &str, text: &str) {
        self.page.shows(&side.part(part), text).await;
    }

    async fn sign_in(&self, side: Side) {
        self.click(side, "send").await;
        self.shows(side, "hint", "one code signs every test phone in")
            .await;
        self.click(side, "verify").await;
        self.shows(side, "line", "Live").await;
        self.shows(side, "caption", "+62").await;
    }

    async fn go_online(&self, side: Side) {
        self.click(side, "online").await;
        let switch = format!("{}[aria-checked=true]", side.part("online"));
        self.page.shows(&switch, "").await;
    }

    async fn write(&self, side: Side, text: &str) {
        self.page.write(&side.part("draft"), text).await;
        self.page.press("Enter").await;
        self.page.shows(&side.last_message(), text).await;
    }

    async fn hears(&self, side: Side, text: &str) {
        self.page.shows(&side.last_message(), text).await;
    }

    /// The bodies and footnotes on one side, in their order.
    async fn messages(&self, side: Side) -> Vec<String> {
        let list = self.page.text(&side.part("messages")).await;
        let list = list.unwrap_or_default();
        list.lines()
            .filter(|line| !line.is_empty())
            .map(ToOwned::to_owned)
            .collect()
    }

    /// From the sign-in to the first word.
    async fn find_each_other(&self) {
        self.sign_in(CUSTOMER).await;
        self.sign_in(MITRA).await;
        self.go_online(MITRA).await;
        self.click(CUSTOMER, "find").await;
        self.click(MITRA, "accept").await;
        self.shows(CUSTOMER, "status", "active").await;
        self.shows(MITRA, "status", "active").await;
    }

    /// Pictures on a desk and on a phone, in light and in dark, none of them wider than the window, and
    /// nothing in them that shuts anybody out.
    async fn look(&self, name: &str) {
        for (width, height) in [(1400, 900), (360, 800)] {
            self.page.resize(width, height).await;
            for (scheme, light) in [(Scheme::Light, "light"), (Scheme::Dark, "dark")] {
                self.page.prefers(scheme).await;
                let name = format!("playground-{name}-{width}-{light}");
                self.page.picture(&name).await;
                assert!(!self.page.is_too_wide().await, "{name}");
                self.page.expect_accessible().await;
            }
        }
        self.page.resize(1400, 900).await;
        self.page.prefers(Scheme::Light).await;
    }

    async fn end(self) {
        assert_eq!(self.page.trouble().await, Vec::<String>::new());
        self.app.stop().await;
    }
}

#[tokio::test]
async fn the_whole_story_plays_on_one_page() {
    let stage = Stage::set().await;
    stage.look("first").await;
    stage.page.shows("#beacon", "0 mitras available").await;
    both_meet(&stage).await;
    they_talk(&stage).await;
    the_line_is_cut(&stage).await;
    more_time_and_the_end(&stage).await;
    stage.page.shows("#guide", "That was the whole story").await;
    assert_eq!(stage.page.count("#guide li.done").await, 9);
    stage.end().await;
}

async fn both_meet(stage: &Stage) {
    stage.sign_in(CUSTOMER).await;
    stage.sign_in(MITRA).await;
    stage.shows(MITRA, "name", "Ayu").await;
    stage.go_online(MITRA).await;
    stage.page.shows("#beacon", "1 mitra available").await;
    let topic = CUSTOMER.part("topic");
    stage.page.write(&topic, "A long day at work").await;
    stage.click(CUSTOMER, "find").await;
    stage.shows(CUSTOMER, "asked", "1 mitra asked").await;
    stage.shows(MITRA, "offers", "“A long day at work”").await;
    stage.look("offer").await;
    stage.click(MITRA, "accept").await;
    stage.shows(CUSTOMER, "title", "Ayu").await;
    stage.shows(MITRA, "status", "active").await;
}

async fn they_talk(stage: &Stage) {
    stage.write(CUSTOMER, "Halo, ada waktu?").await;
    stage.hears(MITRA, "Halo, ada waktu?").await;
    stage.page.shows(&CUSTOMER.last_message(), "#1").await;
    stage.page.shows(&CUSTOMER.last_message(), "read").await;
    let body = MITRA.part("draft");
    stage.page.write(&body, "Halo! Tentu, ").await;
    stage.shows(CUSTOMER, "typing", "Ayu is typing").await;
    stage.write(MITRA, "Halo! Tentu, cerita saja.").await;
    stage.hears(CUSTOMER, "Halo! Tentu, cerita saja.").await;
    let stops = format!(
        "!document.querySelector('{}').textContent",
        CUSTOMER.part("typing")
    );
    stage.page.until(&stops).await;
}

/// What is written while a line is cut arrives once, in order, when it is mended.
async fn the_line_is_cut(stage: &Stage) {
    stage.click(CUSTOMER, "cut").await;
    stage.shows(CUSTOMER, "line", "Line cut").await;
    stage.page.picture("playground-cut-1400-light").await;
    stage.write(MITRA, "Kamu masih di sana?").await;
    stage.write(MITRA, "Aku tunggu ya.").await;
    stage.page.shows(&MITRA.last_message(), "#4").await;
    stage.write(CUSTOMER, "Sinyalku hilang.").await;
    stage.hears(MITRA, "Sinyalku hilang.").await;
    let before = stage.messages(CUSTOMER).await.join("\n");
    assert!(!before.contains("Aku tunggu ya."), "{before}");
    stage.click(CUSTOMER, "cut").await;
    stage
        .shows(CUSTOMER, "notice", "2 missed messages arrived, in order")
        .await;
    let after = stage.messages(CUSTOMER).await;
    let bodies: Vec<&str> = after.iter().step_by(2).map(String::as_str).collect();
    let all = [
        "Halo, ada waktu?",
        "Halo! Tentu, cerita saja.",
        "Kamu masih di sana?",
        "Aku tunggu ya.",
        "Sinyalku hilang.",
    ];
    assert_eq!(bodies, all, "{after:#?}");
    assert!(
        after[5].contains("#3") && after[5].contains("missed"),
        "{after:#?}"
    );
    stage.shows(CUSTOMER, "position", "at 5").await;
    stage.look("chat").await;
}

async fn more_time_and_the_end(stage: &Stage) {
    stage.shows(CUSTOMER, "remaining", "14:").await;
    stage.click(CUSTOMER, "extend").await;
    stage.shows(CUSTOMER, "remaining", "29:").await;
    stage.shows(MITRA, "remaining", "29:").await;
    stage.click(MITRA, "end").await;
    for side in [CUSTOMER, MITRA] {
        stage
            .shows(side, "ended", "The mitra has ended the chat")
            .await;
    }
    let fourth = format!("{} .star:nth-of-type(4)", CUSTOMER.part("stars"));
    stage.page.click(&fourth).await;
    stage.shows(CUSTOMER, "notice", "Thank you").await;
    stage.look("end").await;
    stage.click(CUSTOMER, "leave").await;
    stage.shows(CUSTOMER, "find", "Find a mitra").await;
}

#[tokio::test]
async fn requests_are_taken_back_and_declined_and_sessions_handed_on() {
    let stage = Stage::set().await;
    stage.sign_in(CUSTOMER).await;
    stage.click(CUSTOMER, "find").await;
    stage.shows(CUSTOMER, "notice", "mitra").await;
    stage.sign_in(MITRA).await;
    stage.go_online(MITRA).await;
    stage.click(CUSTOMER, "find").await;
    stage.shows(MITRA, "offers", "asks for 15 minutes").await;
    stage.click(CUSTOMER, "cancel").await;
    stage
        .shows(MITRA, "notice", "An offer is gone: cancelled")
        .await;
    stage.page.click("#add-mitra").await;
    stage.sign_in(COLLEAGUE).await;
    stage.go_online(COLLEAGUE).await;
    stage.click(CUSTOMER, "find").await;
    stage.click(COLLEAGUE, "decline").await;
    stage.shows(COLLEAGUE, "notice", "Declined").await;
    stage.click(MITRA, "accept").await;
    stage.write(CUSTOMER, "Halo").await;
    stage.hears(MITRA, "Halo").await;
    stage.click(MITRA, "reroute").await;
    stage
        .shows(CUSTOMER, "status", "looking for another mitra")
        .await;
    stage.shows(COLLEAGUE, "offers", "asks for the last").await;
    stage.look("hand-on").await;
    stage.click(COLLEAGUE, "accept").await;
    stage.shows(CUSTOMER, "title", "Budi").await;
    stage.hears(COLLEAGUE, "Halo").await;
    stage
        .shows(MITRA, "notice", "Another mitra has taken the session over")
        .await;
    stage.end().await;
}

#[tokio::test]
async fn a_reload_of_the_page_loses_nothing() {
    let stage = Stage::set().await;
    stage.find_each_other().await;
    stage.write(CUSTOMER, "Halo").await;
    stage.hears(MITRA, "Halo").await;
    stage.page.reload().await;
    for side in [CUSTOMER, MITRA] {
        stage.shows(side, "line", "Live").await;
        stage.hears(side, "Halo").await;
    }
    stage.write(MITRA, "Hai").await;
    stage.hears(CUSTOMER, "Hai").await;
    stage.end().await;
}

#[tokio::test]
async fn everything_can_be_done_without_a_mouse() {
    let stage = Stage::set().await;
    let page = &stage.page;
    page.focus(&CUSTOMER.part("phone")).await;
    page.press("Enter").await;
    page.has_focus(&CUSTOMER.part("code")).await;
    page.press("Enter").await;
    stage.shows(CUSTOMER, "line", "Live").await;
    stage.sign_in(MITRA).await;
    page.focus(&MITRA.part("online")).await;
    page.press(" ").await;
    page.shows("#beacon", "1 mitra available").await;
    page.focus(&CUSTOMER.part("topic")).await;
    page.press("Enter").await;
    page.has_focus(&CUSTOMER.part("cancel")).await;
    page.focus(&MITRA.part("accept")).await;
    page.press("Enter").await;
    page.has_focus(&MITRA.part("draft")).await;
    stage.shows(MITRA, "status", "active").await;
    stage.end().await;
}

#[tokio::test]
async fn the_log_shows_bodies_and_no_token() {
    let stage = Stage::set().await;
    stage.find_each_other().await;
    stage
        .page
        .eval("document.querySelectorAll('#log details').forEach(it => { it.open = true })")
        .await;
    stage.page.shows("#log", "\"display_name\": \"Ayu\"").await;
    stage.page.shows("#log", "/api/auth/otp/verify").await;
    let log = stage.page.text("#log").await.unwrap_or_default();
    assert!(log.contains("\"access_token\": \"(left out)\""), "{log}");
    // Every one of our tokens is a JWT.
    assert!(!log.contains("eyJ"), "{log}");
    stage.end().await;
}
