//! The browser: it sees pages, does what a person does, and tells what went wrong.

use halobestie_core::Entry;
use halobestie_testkit::{Browser, Page, Scheme, TestApp};

const NO_MODULES: &[Entry] = &[];

const PARTS: &str = "document.body.innerHTML = `<main><label>Name <input id=name></label>
    <button id=late disabled hidden>Greet</button><p id=said></p></main>`;
    late.onclick = () => { said.textContent = 'Hello ' + document.querySelector('input').value };
    setTimeout(() => { late.hidden = false }, 100);
    setTimeout(() => { late.disabled = false }, 200); 0";

async fn page(app: &TestApp) -> Page {
    let browser = Browser::start().await;
    let url = format!("http://{}/docs", app.internal_address());
    browser.open(&url).await
}

#[tokio::test]
async fn a_person_writes_and_clicks_what_can_be_reached() {
    let app = TestApp::start(NO_MODULES).await;
    let page = page(&app).await;
    page.eval(PARTS).await;
    page.write("#name", "Ayu").await;
    page.click("#late").await;
    page.shows("#said", "Hello Ayu").await;
    assert_eq!(page.text("#nobody").await, None);
}

#[tokio::test]
async fn it_tells_what_a_page_did_wrong() {
    let app = TestApp::start(NO_MODULES).await;
    let page = page(&app).await;
    assert_eq!(page.trouble().await, Vec::<String>::new());
    page.eval("setTimeout(() => { throw new Error('the moon falls down') }); 0")
        .await;
    page.eval("document.body.append(Object.assign(new Image(), { src: 'https://evil.test/' })); 0")
        .await;
    page.eval("new Promise(done => setTimeout(done, 50))").await;
    let trouble = page.trouble().await.join("\n");
    assert!(trouble.contains("the moon falls down"), "{trouble}");
    assert!(trouble.contains("Content Security Policy"), "{trouble}");
}

#[tokio::test]
async fn it_looks_through_any_window_in_any_light() {
    let app = TestApp::start(NO_MODULES).await;
    let page = page(&app).await;
    page.resize(360, 800).await;
    assert_eq!(page.eval("innerWidth").await, 360);
    for (scheme, is_dark) in [(Scheme::Light, false), (Scheme::Dark, true)] {
        page.prefers(scheme).await;
        let script = "matchMedia('(prefers-color-scheme: dark)').matches";
        assert_eq!(page.eval(script).await, is_dark);
    }
}

#[tokio::test]
#[should_panic(expected = "label")]
async fn a_field_without_a_name_is_a_serious_finding() {
    let app = TestApp::start(NO_MODULES).await;
    let page = page(&app).await;
    page.eval("document.querySelector('main').innerHTML = '<input id=name>'; 0")
        .await;
    page.expect_accessible().await;
}
