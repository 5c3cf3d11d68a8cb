//! `/events` and what the pages do with it: who is told, how many, for how long, and what it keeps alive.

use std::time::Duration;

use halobestie_auth::testing;
use halobestie_core::ports::AdminRole;
use halobestie_testkit::{TestApp, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::forms::shown;
use crate::pages::cookie;
use crate::server::ENTRIES;
use crate::stage::Stage;

const HOUR: Duration = Duration::from_secs(3600);

/// A page that is told, as far as it was read.
struct Told {
    socket: TcpStream,
    text: String,
}

impl Told {
    /// Connects, and reads the answer's beginning.
    async fn connect(app: &TestApp, cookie: &str) -> Self {
        let mut socket = TcpStream::connect(app.internal_address()).await.unwrap();
        let head = format!("GET /events HTTP/1.1\r\nhost: cc.local\r\ncookie: {cookie}\r\n\r\n");
        socket.write_all(head.as_bytes()).await.unwrap();
        let text = String::new();
        let mut told = Self { socket, text };
        told.until("\r\n\r\n").await;
        told
    }

    /// Reads until this was said.
    async fn until(&mut self, said: &str) {
        let mut piece = [0; 4096];
        while !self.text.contains(said) {
            let reading = self.socket.read(&mut piece);
            let reading = tokio::time::timeout(Duration::from_secs(20), reading).await;
            let count = reading.expect("something is said").unwrap();
            assert!(count > 0, "it ended before {said:?}: {}", self.text);
            self.text += &String::from_utf8_lossy(&piece[..count]);
        }
    }

    /// Lets time go on until this is said: the server may not wait for the clock yet.
    async fn in_time(&mut self, app: &TestApp, said: &str) {
        while !self.text.contains(said) {
            app.clock.advance(Duration::from_secs(5));
            let soon = Duration::from_millis(100);
            let _ = tokio::time::timeout(soon, self.until(said)).await;
        }
    }
}

#[tokio::test]
async fn a_page_is_told_until_its_session_is_revoked() {
    let app = TestApp::start(ENTRIES).await;
    let cookie = cookie(&app, AdminRole::Viewer).await;
    let mut told = Told::connect(&app, &cookie).await;
    assert!(told.text.starts_with("HTTP/1.1 200"), "{}", told.text);
    told.until("event: hello").await;
    told.in_time(&app, "event: tick").await;
    let sql = "UPDATE auth_sessions SET revoked_at = created_at, revoke_reason = 'logout'";
    app.database.execute(sql, &[]).await;
    told.in_time(&app, "event: bye").await;
    // The last piece of a chunked body.
    told.until("0\r\n\r\n").await;
}

#[tokio::test]
async fn more_pages_than_there_are_places_for_are_told_to_come_back() {
    let app = TestApp::start(ENTRIES).await;
    let cookie = cookie(&app, AdminRole::Viewer).await;
    let mut all = Vec::new();
    for _ in 0..200 {
        let told = Told::connect(&app, &cookie).await;
        assert!(told.text.starts_with("HTTP/1.1 200"), "{}", told.text);
        all.push(told);
    }
    let refused = Told::connect(&app, &cookie).await;
    assert!(refused.text.starts_with("HTTP/1.1 503"), "{}", refused.text);
    // A place is free once its page is gone, by the next look at the latest.
    all.pop();
    eventually("a place is free", || async {
        app.clock.advance(Duration::from_secs(5));
        let told = Told::connect(&app, &cookie).await;
        told.text.starts_with("HTTP/1.1 200")
    })
    .await;
}

#[tokio::test]
async fn what_a_page_asks_by_itself_does_not_keep_its_session() {
    let app = TestApp::start(ENTRIES).await;
    let cookie = cookie(&app, AdminRole::Viewer).await;
    let asks = async || {
        let part = app.internal_get("/dashboard/figures");
        let part = part.header("cookie", &cookie).header("x-live", "1");
        (part.send().await, Told::connect(&app, &cookie).await)
    };
    for _ in 0..2 {
        app.clock.advance(5 * HOUR);
        let (part, told) = asks().await;
        part.expect(200);
        assert!(told.text.starts_with("HTTP/1.1 200"), "{}", told.text);
    }
    app.clock.advance(2 * HOUR);
    let (part, told) = asks().await;
    part.expect(303);
    assert!(told.text.starts_with("HTTP/1.1 303"), "{}", told.text);
}

#[tokio::test]
async fn a_page_session_ends_after_a_week_however_it_is_used() {
    let app = TestApp::start(ENTRIES).await;
    let cookie = cookie(&app, AdminRole::Viewer).await;
    for hour in (11..7 * 24).step_by(11) {
        app.clock.advance(11 * HOUR);
        let answer = shown(&app, &cookie, "/sweeps").await;
        assert_eq!(answer.status, 200, "after {hour} hours");
    }
    // 165 hours are over.
    app.clock.advance(3 * HOUR);
    shown(&app, &cookie, "/sweeps").await.expect(303);
}

#[tokio::test]
async fn a_page_takes_a_place_only_while_something_moves_on_it() {
    let stage = Stage::set(TestApp::start(ENTRIES).await, AdminRole::Viewer).await;
    let (app, page) = (&stage.app, &stage.page);
    // All places but one.
    let cookie = cookie(app, AdminRole::Owner).await;
    stage.go("/config").await;
    let mut all = Vec::new();
    for _ in 0..199 {
        all.push(Told::connect(app, &cookie).await);
    }
    // One that is ended is given back once the server has seen it.
    let is_free = async || {
        let told = Told::connect(app, &cookie).await;
        let answered = told.text.starts_with("HTTP/1.1 200");
        app.clock.advance(Duration::from_secs(5));
        answered
    };
    eventually("the configuration takes no place", is_free).await;
    let taken = async || !is_free().await;
    stage.go("/mitras").await;
    eventually("a list that moves takes one", taken).await;
    stage.go("/config").await;
    eventually("left, it gives it back", is_free).await;
    assert!(page.trouble().await.is_empty());
}

#[tokio::test]
async fn a_list_moves_but_not_under_a_dialog_and_nobody_loses_their_place() {
    let stage = Stage::set(TestApp::start(ENTRIES).await, AdminRole::Operator).await;
    let (app, page) = (&stage.app, &stage.page);
    stage.go("/mitras").await;
    page.shows("#list", "Add the first one").await;
    let old = "document.querySelector('#list').dataset.old";
    let moved = || async {
        app.clock.advance(Duration::from_secs(5));
        page.eval(&format!("!{old}")).await == true
    };
    page.eval(&format!("{old} = 'yes'")).await;
    testing::register_mitra(app, "+6281234567811", "Ayu").await;
    eventually("the list is fetched again", moved).await;
    page.shows("#list tbody", "Ayu").await;
    // Whoever is at a link stays at it.
    page.focus("#list tbody th a").await;
    page.eval(&format!("{old} = 'yes'")).await;
    eventually("the list is fetched again", moved).await;
    page.has_focus("#list tbody th a").await;
    // Under a dialog nothing moves.
    stage.go("/sweeps").await;
    page.click("button[commandfor='run-core-cleanup']").await;
    page.shows("#run-core-cleanup", "Run core-cleanup now?")
        .await;
    page.eval(&format!("{old} = 'yes'")).await;
    page.eval("document.body.dispatchEvent(new Event('live'))")
        .await;
    page.eval("new Promise(done => htmx.ajax('GET', '/sweeps', {target: '#list', select: '#nothing', swap: 'none'}).then(done))")
        .await;
    assert_eq!(page.eval(old).await, "yes");
    assert_eq!(page.count("#run-core-cleanup[open]").await, 1);
    page.press("Escape").await;
    eventually("closed, it moves again", moved).await;
}

#[tokio::test]
async fn a_filter_that_is_refused_says_why() {
    let stage = Stage::set(TestApp::start(ENTRIES).await, AdminRole::Viewer).await;
    let page = &stage.page;
    stage.go("/audit").await;
    page.write("[name=admin_id]", "nobody").await;
    page.press("Enter").await;
    page.until("location.search.includes('admin_id=nobody')")
        .await;
    page.shows(".wrong", "admin_id").await;
}

#[tokio::test]
async fn a_page_whose_session_is_over_leads_to_the_sign_in() {
    let stage = Stage::set(TestApp::start(ENTRIES).await, AdminRole::Viewer).await;
    let (app, page) = (&stage.app, &stage.page);
    stage.go("/mitras").await;
    let sql = "UPDATE auth_sessions SET revoked_at = created_at, revoke_reason = 'logout'";
    app.database.execute(sql, &[]).await;
    // The page connects again, is refused, and looks why: each some seconds after the other.
    for _ in 0..10 {
        app.clock.advance(Duration::from_secs(5));
        page.eval("new Promise(done => setTimeout(done, 100))")
            .await;
    }
    page.until("location.pathname === '/sign-in'").await;
}
