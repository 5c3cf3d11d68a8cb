//! The pages after paying.

use halobestie_testkit::TestResponse;

use crate::world::{Sale, World, text};

/// The links that went out with a sale's invoice, below our address: after paying, and otherwise.
async fn links(world: &World, sale: &Sale) -> [String; 2] {
    let invoice = world.invoice(sale).await;
    let base = world.app.context().server.public_base_url.clone();
    let invoice = world.sandbox.xendit.event(&invoice.id);
    ["success_redirect_url", "failure_redirect_url"].map(|link| {
        let link = text(&invoice, link);
        link.strip_prefix(&base).unwrap().to_owned()
    })
}

async fn open(world: &World, path: &str, language: &str) -> TestResponse {
    let call = world.app.get(path).header("accept-language", language);
    call.send().await.expect(200)
}

async fn title(world: &World, path: &str, language: &str) -> String {
    let page = open(world, path, language).await.text();
    let title = page
        .split("<h1>")
        .nth(1)
        .and_then(|it| it.split("</h1>").next());
    title.unwrap().to_owned()
}

const NEUTRAL: &str = "Look in the app";

#[tokio::test]
async fn the_page_says_where_the_payment_is_in_both_languages() {
    let world = World::start().await;
    let sale = world.sell().await;
    let [success, failure] = links(&world, &sale).await;
    assert_eq!(
        title(&world, &success, "en").await,
        "Waiting for confirmation"
    );
    assert_eq!(
        title(&world, &success, "id-ID,id;q=0.9,en;q=0.5").await,
        "Menunggu konfirmasi"
    );
    assert_eq!(title(&world, &failure, "en").await, "Not paid yet");
    world.pay(&sale).await;
    // What the link was called does not matter once it is paid.
    for link in [&success, &failure] {
        assert_eq!(title(&world, link, "en").await, "Payment received");
        assert_eq!(title(&world, link, "").await, "Pembayaran diterima");
    }
}

#[tokio::test]
async fn each_status_has_its_page() {
    let world = World::start().await;
    let sale = world.sell().await;
    let [success, _] = links(&world, &sale).await;
    world.pay(&sale).await;
    for (status, expected) in [
        ("expired", "The time to pay is over"),
        ("failed", "The payment could not be made"),
        ("refund_pending", "Your money is on its way back"),
        ("refunded", "Your money was given back"),
        ("needs_review", "We are looking at your payment"),
        ("creating", "Waiting for confirmation"),
    ] {
        let sql = "UPDATE payments SET status = $2, review_reason = 'secret' WHERE id = $1";
        world
            .app
            .database
            .execute(sql, &[&sale.payment_id, &status])
            .await;
        assert_eq!(title(&world, &success, "en").await, expected);
        assert!(!open(&world, &success, "en").await.text().contains("secret"));
    }
}

#[tokio::test]
async fn a_payment_that_waits_is_loaded_again_and_can_still_be_paid() {
    let world = World::start().await;
    let sale = world.sell().await;
    let invoice = world.invoice(&sale).await;
    let [success, failure] = links(&world, &sale).await;
    let waiting = open(&world, &success, "en").await.text();
    assert!(
        waiting.contains("<meta http-equiv=\"refresh\" content=\"4\">"),
        "{waiting}"
    );
    let unpaid = open(&world, &failure, "en").await.text();
    assert!(unpaid.contains(&format!("/pay/{}", invoice.id)), "{unpaid}");
    world.pay(&sale).await;
    let paid = open(&world, &success, "en").await.text();
    assert!(!paid.contains("http-equiv=\"refresh\""), "{paid}");
    assert!(paid.contains(&format!(
        "href=\"halobestie://payments/{}\"",
        sale.payment_id
    )));
}

#[tokio::test]
async fn a_link_that_is_not_ours_says_nothing() {
    let world = World::start().await;
    let (sale, other) = (world.sell().await, world.sell().await);
    let [success, _] = links(&world, &sale).await;
    let signature = success.split_once("&sig=").unwrap().1.to_owned();
    let (mine, theirs) = (sale.payment_id, other.payment_id);
    for forged in [
        String::new(),
        format!("payment_id={mine}"),
        format!("payment_id={mine}&sig="),
        format!("payment_id={mine}&sig=AAAA"),
        format!("payment_id={theirs}&sig={signature}"),
        format!("payment_id=x&sig={signature}"),
        format!("payment_id={mine}&sig={signature}A"),
        format!("payment_id={mine}&payment_id={mine}&sig={signature}"),
        "payment_id=%00%ff&sig=%ff".to_owned(),
        "payment_id=<script>alert(1)</script>"
            .to_owned()
            .replace('<', "%3C")
            .replace('>', "%3E"),
    ] {
        for page in ["success", "failure"] {
            let path = format!("/payment/return/{page}?{forged}");
            let answer = open(&world, &path, "en").await.text();
            assert!(answer.contains(NEUTRAL), "{path}: {answer}");
            let tells = [
                mine.to_string(),
                theirs.to_string(),
                "Rp".to_owned(),
                "script".to_owned(),
            ];
            assert!(
                !tells.iter().any(|it| answer.contains(it)),
                "{path}: {answer}"
            );
        }
    }
    assert_eq!(
        title(&world, &success, "en").await,
        "Waiting for confirmation"
    );
}

#[tokio::test]
async fn the_page_loads_nothing_is_kept_nowhere_and_leads_only_to_the_app() {
    let world = World::start().await;
    let sale = world.sell().await;
    let [success, _] = links(&world, &sale).await;
    let elsewhere = format!("{success}&redirect=https://evil.test&next=//evil.test&app=x");
    for path in [&success, &elsewhere] {
        let answer = open(&world, path, "en").await;
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let policy = answer.header("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none'; style-src 'sha256-"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        let vary = answer.headers.get_all("vary").iter();
        assert!(
            vary.into_iter()
                .any(|it| it.to_str().unwrap().contains("accept-language"))
        );
        let page = answer.text();
        assert!(
            !page.contains("evil") && !page.contains("<script"),
            "{page}"
        );
    }
}

#[tokio::test]
async fn looking_changes_nothing() {
    let world = World::start().await;
    let sale = world.sell().await;
    let [success, failure] = links(&world, &sale).await;
    for link in [&success, &failure, &success] {
        open(&world, link, "id").await;
    }
    assert_eq!(world.status(&sale).await, "pending");
    assert_eq!(world.session(&sale).await["status"], "pending_payment");
}
