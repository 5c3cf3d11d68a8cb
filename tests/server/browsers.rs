//! Browsers at the two listeners of an assembled server.

use halobestie::modules::COMPILED;
use halobestie_sandbox::Sandbox;
use halobestie_testkit::{Call, TestApp};

const APP: &str = "https://app.halobestie.test";
const CONTROL_CENTER: &str = "https://cc.halobestie.test";

async fn start() -> TestApp {
    let sandbox = Sandbox::start().await;
    let mut plan = TestApp::with(COMPILED).env("APP_ALLOWED_ORIGINS", APP);
    for (name, value) in sandbox.xendit.variables() {
        plan = plan.env(name, &value);
    }
    let plan = plan.env("PLAYGROUND_ENABLED", "true");
    plan.env("CC_ORIGIN", CONTROL_CENTER).start().await
}

async fn allowed(call: Call, origin: &str) -> bool {
    let preflight = call.header("access-control-request-method", "POST");
    let answer = preflight.header("origin", origin).send().await;
    answer.header("access-control-allow-origin") == Some(origin)
}

#[tokio::test]
async fn each_listener_knows_its_own_origins_alone() {
    let app = start().await;
    for (origin, public, internal) in [
        (APP, true, false),
        (CONTROL_CENTER, false, true),
        ("https://evil.test", false, false),
    ] {
        let options = || "OPTIONS".parse().expect("a method");
        let call = app.call(options(), "/api/auth/otp/request");
        assert_eq!(allowed(call, origin).await, public, "{origin}");
        let call = app.internal(options(), "/api/admin/auth/login");
        assert_eq!(allowed(call, origin).await, internal, "{origin}");
    }
}

#[tokio::test]
async fn every_page_of_the_server_is_a_secure_one() {
    let app = start().await;
    let pages = [
        app.get("/playground").send().await.expect(200),
        app.internal_get("/docs").send().await.expect(200),
        app.get("/payment/return/success").send().await,
        app.get("/payment/return/failure").send().await,
    ];
    for page in pages {
        for name in [
            "content-security-policy",
            "referrer-policy",
            "x-content-type-options",
            "x-frame-options",
        ] {
            assert!(page.header(name).is_some(), "{name}: {page}");
        }
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
    }
}
