//! What the pages' forms send: by whom it is refused, and how it is shown again.

use halobestie_auth::testing;
use halobestie_core::ports::AdminRole;
use halobestie_testkit::{TestApp, TestResponse};

use crate::pages::cookie;
use crate::server::ENTRIES;

pub(crate) async fn send(app: &TestApp, cookie: &str, path: &str, form: &str) -> TestResponse {
    app.internal_post(path)
        .header("cookie", cookie)
        .header("sec-fetch-site", "same-origin")
        .body("application/x-www-form-urlencoded", form.to_owned())
        .send()
        .await
}

pub(crate) async fn shown(app: &TestApp, cookie: &str, path: &str) -> TestResponse {
    app.internal_get(path).header("cookie", cookie).send().await
}

async fn deeds(app: &TestApp) -> i64 {
    let sql = "SELECT count(*) FROM audit_log";
    app.database.row(sql, &[]).await.get(0)
}

#[tokio::test]
async fn a_viewer_is_refused_by_every_form_and_offered_none() {
    let app = TestApp::start(ENTRIES).await;
    let mitra = testing::register_mitra(&app, "+6281234567811", "Ayu").await;
    let customer = testing::customer(&app).await.user_id;
    let cookie = cookie(&app, AdminRole::Viewer).await;
    let forms = [
        (
            "/mitras".to_owned(),
            "phone=081234567890&display_name=Bunga",
        ),
        (
            format!("/mitras/{mitra}"),
            "display_name=Bunga&max_sessions=1",
        ),
        (format!("/mitras/{mitra}/active"), "is_active=false"),
        (format!("/customers/{customer}/active"), "is_active=false"),
        ("/config/pairing.wave_size".to_owned(), "value=3"),
        ("/config/packages".to_owned(), "value[0].id=free"),
        (
            "/admins".to_owned(),
            "email=a@b.test&display_name=A&role=owner&password=longenough",
        ),
    ];
    for (path, form) in forms {
        assert_eq!(send(&app, &cookie, &path, form).await.status, 403, "{path}");
    }
    assert_eq!(deeds(&app).await, 0);
    shown(&app, &cookie, "/mitras/new").await.expect(403);
    let (mitra, customer) = (format!("/mitras/{mitra}"), format!("/customers/{customer}"));
    for path in [
        "/mitras",
        &mitra,
        "/customers",
        &customer,
        "/config/packages",
    ] {
        let text = shown(&app, &cookie, path).await.expect(200).text();
        // The one form that is left signs out.
        assert_eq!(
            text.matches(r#"method="post""#).count(),
            usize::from(path.ends_with("packages")) + 1,
            "{path}"
        );
        assert!(!text.contains("commandfor"), "{path}");
    }
}

#[tokio::test]
async fn an_operator_has_nothing_to_do_with_admins_and_prices() {
    let app = TestApp::start(ENTRIES).await;
    let owner = testing::register_admin(&app, "other@halobestie.test", "a fine password").await;
    let cookie = cookie(&app, AdminRole::Operator).await;
    let new = "email=a@b.test&display_name=A&role=owner&password=longenough";
    let (one, active) = (
        format!("/admins/{owner}"),
        format!("/admins/{owner}/active"),
    );
    let password = format!("/admins/{owner}/password");
    for (path, form) in [
        ("/admins", new),
        (one.as_str(), "display_name=A&role=viewer"),
        (active.as_str(), "is_active=false"),
        (password.as_str(), "password=longenough"),
        (
            "/config/packages",
            "value[0].id=a&value[0].name=A&value[0].minutes=1&value[0].amount=0&value[0].currency=IDR",
        ),
        // Also what would not fit: they learn no more than that it is not theirs.
        ("/config/packages", "value[0].minutes=x"),
    ] {
        assert_eq!(
            send(&app, &cookie, path, form).await.status,
            403,
            "{path} {form}"
        );
    }
    for path in ["/admins", "/admins/new", &one] {
        shown(&app, &cookie, path).await.expect(403);
    }
    let dashboard = shown(&app, &cookie, "/").await.expect(200).text();
    assert!(!dashboard.contains(r#"href="/admins""#), "no way there");
    assert_eq!(deeds(&app).await, 0);
}

#[tokio::test]
async fn a_refused_form_is_shown_again_as_it_was_filled_in() {
    let app = TestApp::start(ENTRIES).await;
    testing::register_mitra(&app, "+6281234567890", "Ayu").await;
    let cookie = cookie(&app, AdminRole::Owner).await;
    let wrong = "phone=12&display_name=%3Cb%3EBunga&max_sessions=many";
    let text = send(&app, &cookie, "/mitras", wrong)
        .await
        .expect(422)
        .text();
    assert!(text.contains(r#"id="f-max-sessions-wrong""#), "{text}");
    assert!(text.contains(r#"value="many""#), "{text}");
    assert!(!text.contains("<b>Bunga"), "what was written is text");
    let taken = "phone=0812+3456+7890&display_name=Bunga";
    let text = send(&app, &cookie, "/mitras", taken)
        .await
        .expect(409)
        .text();
    assert!(text.contains(r#"id="f-phone-wrong""#), "{text}");
    let admin = "email=nobody&display_name=A&role=owner&password=topsecretword";
    let text = send(&app, &cookie, "/admins", admin)
        .await
        .expect(422)
        .text();
    assert!(text.contains(r#"id="f-email-wrong""#), "{text}");
    assert!(
        !text.contains("topsecretword"),
        "a password is never sent back"
    );
}

#[tokio::test]
async fn a_row_of_the_price_list_comes_and_goes_without_being_kept() {
    let app = TestApp::start(ENTRIES).await;
    let cookie = cookie(&app, AdminRole::Owner).await;
    let path = "/config/packages";
    let rows = |text: &str| text.matches(r#"value="remove:"#).count();
    let row = |at: u32, id: &str| {
        format!(
            "value[{at}].id={id}&value[{at}].name={id}&value[{at}].minutes=5&value[{at}].amount=1&value[{at}].currency=IDR&"
        )
    };
    let two = row(0, "first") + &row(1, "second");
    let press = async |button: &str| {
        let form = format!("{two}button={button}");
        send(&app, &cookie, path, &form).await.expect(200).text()
    };
    assert_eq!(rows(&press("add").await), 3);
    let less = press("remove:0").await;
    assert_eq!(rows(&less), 1);
    assert!(!less.contains(r#"value="first""#), "{less}");
    let turned = press("up:1").await;
    assert!(turned.find(r#"value="second""#) < turned.find(r#"value="first""#));
    assert_eq!(rows(&press("default").await), 3);
    assert_eq!(deeds(&app).await, 0);
    // A far index is one row, not that many.
    let far = row(4_000_000_000, "far");
    let answer = send(&app, &cookie, path, &format!("{far}button=add")).await;
    assert_eq!(rows(&answer.expect(200).text()), 2);
    send(&app, &cookie, path, &format!("{two}button=save"))
        .await
        .expect(303);
    assert_eq!(deeds(&app).await, 1);
    let twice = row(0, "same") + &row(1, "same");
    let text = send(&app, &cookie, path, &twice).await.expect(422).text();
    assert!(text.contains(r#"id="f-value-1--id-wrong""#), "{text}");
}
