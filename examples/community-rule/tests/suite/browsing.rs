//! The page in a real browser, as a person uses it.

use halobestie_testkit::{Browser, Page, Scheme};
use serde_json::json;

use crate::world::{World, seconds, start};

const EMAIL: &str = "sari@example.org";

/// A server, and somebody who looks at its page.
struct Visit {
    world: World,
    browser: Browser,
    page: Page,
    origin: String,
}

impl Visit {
    async fn begin() -> Self {
        let (world, browser) = tokio::join!(start(), Browser::start());
        let origin = format!("http://{}", world.app.public_address());
        let page = browser.open(&origin).await;
        Self {
            world,
            browser,
            page,
            origin,
        }
    }

    /// Signs in by the letter, which is opened in the same browser.
    async fn sign_in(&self) {
        let page = &self.page;
        page.write("#email", EMAIL).await;
        page.click("#ask button").await;
        page.shows("#notice", "Look into your mail").await;
        let token = self.world.token(EMAIL).await;
        page.go(&format!("{}/auth/email?token={token}", self.origin))
            .await;
        page.shows("#open", "nothing has been used up yet").await;
        page.click("#use-link").await;
        page.shows("#editor", "Your rule").await;
    }

    /// Makes the page's calls go through a function of its plain `fetch`, a path and what is sent.
    async fn between(&self, script: &str) {
        let put = format!("(plain => {{ window.fetch = {script} }})(window.fetch.bind(window))");
        self.page.eval(&put).await;
    }

    async fn save(page: &Page, text: &str) {
        page.write("#text", text).await;
        page.click("#save").await;
    }

    /// What this server's drafts say, as its database has it.
    async fn draft(&self) -> String {
        let row = self
            .world
            .app
            .database
            .row("SELECT content FROM drafts", &[])
            .await;
        row.get(0)
    }

    /// Nobody is shut out, on a desk or on a phone, in light or in dark.
    async fn look(&self) {
        for (width, scheme) in [(1200, Scheme::Light), (360, Scheme::Dark)] {
            self.page.resize(width, 800).await;
            self.page.prefers(scheme).await;
            assert!(!self.page.is_too_wide().await, "at {width}");
            self.page.expect_accessible().await;
        }
        self.page.resize(1200, 800).await;
    }

    async fn end(self) {
        assert_eq!(self.page.trouble().await, Vec::<String>::new());
        self.world.app.stop().await;
    }
}

#[tokio::test]
async fn a_link_leads_to_a_draft_that_outlasts_the_tab() {
    let visit = Visit::begin().await;
    visit.look().await;
    visit.sign_in().await;
    visit.look().await;
    // No script can read what signs this browser in, and none keeps anything else.
    let kept = visit
        .page
        .eval("[document.cookie, localStorage.length, location.search]")
        .await;
    assert_eq!(kept, json!(["", 0, ""]));
    Visit::save(&visit.page, "Be kind.").await;
    visit.page.shows("#notice", "Saved").await;
    assert!(visit.draft().await.contains("Be kind."));

    let tab = visit.browser.open(&visit.origin).await;
    tab.shows("#editor", "Your rule").await;
    tab.until("document.querySelector('#text').value === 'Be kind.'")
        .await;
    visit.end().await;
}

#[tokio::test]
async fn the_session_goes_on_by_itself_after_a_quarter_of_an_hour() {
    let visit = Visit::begin().await;
    visit.sign_in().await;
    visit.world.app.clock.advance(seconds(3600));
    Visit::save(&visit.page, "Be kind, still.").await;
    visit.page.shows("#notice", "Saved").await;
    visit.end().await;
}

#[tokio::test]
async fn two_tabs_that_change_the_draft_lose_neither_version() {
    let visit = Visit::begin().await;
    visit.sign_in().await;
    Visit::save(&visit.page, "first").await;
    visit.page.shows("#notice", "Saved").await;
    let other = visit.browser.open(&visit.origin).await;
    other
        .until("document.querySelector('#text').value === 'first'")
        .await;
    Visit::save(&other, "by the other tab").await;
    other.shows("#notice", "Saved").await;
    Visit::save(&visit.page, "by this tab").await;
    visit
        .page
        .shows("#conflict", "Another device has changed it")
        .await;
    visit.page.shows("#theirs", "by the other tab").await;
    assert!(visit.draft().await.contains("by the other tab"));
    let kept = "SELECT count(*) FROM draft_conflicts WHERE content LIKE '%by this tab%'";
    assert_eq!(visit.world.count(kept).await, 1);
    visit.look().await;
    visit.page.click("#keep-mine").await;
    visit.page.shows("#notice", "Saved").await;
    assert!(visit.draft().await.contains("by this tab"));
    visit.end().await;
}

#[tokio::test]
async fn a_rule_is_published_and_taken_back() {
    let visit = Visit::begin().await;
    visit.sign_in().await;
    visit.page.write("#text", "Be kind.").await;
    visit.page.write("#slug", "garden-rules").await;
    visit.page.click("#publish").await;
    visit.page.shows("#notice", "Published as version 1").await;
    let shown = || visit.world.app.get("/api/published/garden-rules").send();
    assert_eq!(
        shown().await.expect(200).json()["content"]["text"],
        "Be kind."
    );
    visit.page.click("#unpublish").await;
    visit.page.shows("#notice", "Nobody sees it any more").await;
    shown().await.expect(404);
    visit.end().await;
}

#[tokio::test]
async fn a_form_of_another_site_does_nothing_and_signing_out_ends_it() {
    let visit = Visit::begin().await;
    visit.sign_in().await;
    // To a browser a page of nowhere is another site.
    let evil = visit.browser.open("about:blank").await;
    let form = format!(
        "document.body.innerHTML = '<form method=post enctype=text/plain \
         action=\"{}/api/auth/logout\"><input name=a value=b></form>'; \
         document.forms[0].submit()",
        visit.origin
    );
    evil.eval(&form).await;
    evil.until("location.pathname === '/api/auth/logout'").await;
    evil.until("/\"status\":40[13]/.test(document.body.innerText)")
        .await;

    visit.page.reload().await;
    visit.page.shows("#editor", "Your rule").await;
    visit.page.click("#sign-out").await;
    visit.page.shows("#notice", "Signed out").await;
    visit.page.reload().await;
    visit.page.shows("#ask", "Sign in").await;
    let revoked = "SELECT count(*) FROM auth_sessions WHERE revoked_at IS NOT NULL";
    assert_eq!(visit.world.count(revoked).await, 1);
    visit.end().await;
}

#[tokio::test]
async fn a_link_that_is_opened_by_somebody_who_is_signed_in_signs_in_its_own_account() {
    const OTHER: &str = "dewi@example.org";
    let visit = Visit::begin().await;
    visit.sign_in().await;
    let ask = visit.world.app.post("/api/auth/email/request");
    let asked = ask.json(&json!({"email": OTHER})).send().await;
    assert!(asked.status.is_success(), "{asked}");
    let token = visit.world.token(OTHER).await;
    let link = format!("{}/auth/email?token={token}", visit.origin);
    visit.page.go(&link).await;
    visit
        .page
        .shows("#open", "nothing has been used up yet")
        .await;
    visit.page.click("#use-link").await;
    visit.page.shows("#editor", "Your rule").await;
    let address = visit
        .page
        .eval("[location.pathname, location.search]")
        .await;
    assert_eq!(address, json!(["/", ""]));
    Visit::save(&visit.page, "Of the other account.").await;
    visit.page.shows("#notice", "Saved").await;
    let theirs = "SELECT count(*) FROM drafts d JOIN users u ON u.id = d.user_id
        WHERE u.email = 'dewi@example.org'";
    assert_eq!(visit.world.count(theirs).await, 1);

    // Used up: whoever is signed in stays so.
    visit.page.go(&link).await;
    visit.page.click("#use-link").await;
    visit.page.shows("#editor", "Your rule").await;
    visit.end().await;
}

#[tokio::test]
async fn a_proxy_that_weakens_tags_keeps_nobody_from_saving() {
    let visit = Visit::begin().await;
    visit.sign_in().await;
    let weaken = "async (...call) => {
        const answer = await plain(...call);
        const headers = new Headers(answer.headers);
        if (headers.has('etag')) headers.set('etag', 'W/' + headers.get('etag'));
        return new Response(answer.body, { status: answer.status, headers });
    }";
    visit.between(weaken).await;
    for text in ["first", "second", "third"] {
        Visit::save(&visit.page, text).await;
        visit.page.shows("#notice", "Saved").await;
        let unsay = "document.querySelector('#notice').textContent = ''";
        visit.page.eval(unsay).await;
    }
    assert!(visit.draft().await.contains("third"));
    visit.end().await;
}

#[tokio::test]
async fn a_version_that_cannot_be_read_is_not_called_deleted() {
    let visit = Visit::begin().await;
    visit.sign_in().await;
    Visit::save(&visit.page, "first").await;
    visit.page.shows("#notice", "Saved").await;
    let change = "UPDATE drafts SET tag = gen_random_uuid()";
    visit.world.app.database.execute(change, &[]).await;
    let busy = "(path, init) => init.method !== 'GET' ? plain(path, init) : Promise.resolve(
        new Response('{\"detail\": \"Busy.\"}',
            { status: 503, headers: { 'content-type': 'application/problem+json' } }))";
    visit.between(busy).await;
    Visit::save(&visit.page, "second").await;
    visit.page.shows("#notice", "Busy.").await;
    let hidden = visit
        .page
        .eval("document.querySelector('#conflict').hidden")
        .await;
    assert_eq!(hidden, json!(true));
    visit.end().await;
}
