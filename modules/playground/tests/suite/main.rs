//! What the page and its files are served as, and where they are not.
#![expect(
    clippy::expect_used,
    reason = "a broken assumption must fail the test that runs into it"
)]

use halobestie_core::Entry;
use halobestie_playground::Playground;
use halobestie_testkit::{Plan, TestApp, TestResponse};

static ENTRIES: &[Entry] = &[Entry::of::<Playground>()];

fn plan() -> Plan {
    TestApp::with(ENTRIES).env("PLAYGROUND_ENABLED", "true")
}

async fn text(app: &TestApp, path: &str) -> String {
    let answer = app.get(path).send().await.expect(200);
    String::from_utf8(answer.body.to_vec()).expect("a text")
}

#[tokio::test]
async fn it_is_off_until_it_is_switched_on() {
    let app = TestApp::start(ENTRIES).await;
    let answer = app.get("/playground").send().await;
    answer.problem("not_found", 404);
}

#[tokio::test]
async fn staging_and_production_refuse_it() {
    for env in ["staging", "production"] {
        let refusal = plan().env("APP_ENV", env).try_start().await.err();
        let refusal = refusal.expect("nobody's traffic is shown there");
        assert!(refusal.contains("PLAYGROUND_ENABLED"), "{refusal}");
        assert!(refusal.contains(env), "{refusal}");
    }
}

#[tokio::test]
async fn the_page_may_load_its_own_files_alone() {
    let app = plan().start().await;
    let page = app.get("/playground").send().await.expect(200);
    let header = |name| page.header(name).unwrap_or_default().to_owned();
    let policy = header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(policy.contains("script-src 'self';"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(
        !policy.contains("unsafe") && !policy.contains("http"),
        "{policy}"
    );
    assert_eq!(header("content-type"), "text/html; charset=utf-8");
    assert_eq!(header("x-frame-options"), "DENY");
    assert_eq!(header("cache-control"), "no-store");
}

#[tokio::test]
async fn nothing_in_the_page_stands_inline() {
    let app = plan().start().await;
    let page = text(&app, "/playground").await;
    assert!(!page.contains("style="), "a style stands inline");
    let tags = page.split('<').filter_map(|rest| rest.split('>').next());
    let mut attributes = tags.flat_map(str::split_whitespace);
    let handler = attributes.find(|it| it.starts_with("on") && it.contains('='));
    assert_eq!(handler, None);
    for script in page.split("<script").skip(1) {
        let (attributes, inside) = script.split_once('>').expect("a tag");
        assert!(attributes.contains("src=\"/playground/"), "{attributes}");
        assert!(inside.starts_with("</script>"), "a script stands inline");
    }
}

/// The files that a text names: `/playground/x.css` in the page, `./x.js` in a script.
fn named<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
    let rest = text.split(before).skip(1);
    rest.filter_map(|rest| rest.split(['"', '\'']).next())
        .collect()
}

#[tokio::test]
async fn every_file_that_is_named_is_there_under_its_type() {
    let app = plan().start().await;
    let page = text(&app, "/playground").await;
    let mut files: Vec<String> = Vec::new();
    let mut waiting: Vec<String> = Vec::new();
    waiting.extend(named(&page, "\"/playground/").into_iter().map(Into::into));
    while let Some(file) = waiting.pop() {
        if files.contains(&file) {
            continue;
        }
        let answer = app.get(&format!("/playground/{file}")).send().await;
        let answer = answer.expect(200);
        expect_type(&file, &answer);
        let script = String::from_utf8_lossy(&answer.body).into_owned();
        waiting.extend(named(&script, "from './").into_iter().map(Into::into));
        files.push(file);
    }
    assert!(files.len() > 10, "{files:?}");
    let missing = app.get("/playground/Cargo.toml").send().await;
    missing.problem("not_found", 404);
}

fn expect_type(file: &str, answer: &TestResponse) {
    let (_, end) = file.rsplit_once('.').expect("a file's name has an end");
    let wanted = match end {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        _ => "image/svg+xml",
    };
    assert_eq!(answer.header("content-type"), Some(wanted), "{file}");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
}

#[tokio::test]
async fn an_address_is_written_into_the_page_as_text() {
    let url = "http://127.0.0.1:3900/?a=\"><script>";
    let app = plan().env("PLAYGROUND_SANDBOX_URL", url).start().await;
    let page = text(&app, "/playground").await;
    let shown = "data-sandbox=\"http://127.0.0.1:3900/?a=&quot;&gt;&lt;script&gt;\"";
    assert!(page.contains(shown), "the sandbox's address is not there");
    let plan = plan().env("PLAYGROUND_SANDBOX_URL", "javascript:alert(1)");
    let refusal = plan.try_start().await.err().expect("no address");
    assert!(refusal.contains("PLAYGROUND_SANDBOX_URL"), "{refusal}");
}
