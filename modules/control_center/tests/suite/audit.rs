//! The audit: in the transaction of what it tells.

use halobestie_auth::testing;
use http::Method;
use serde_json::{Value, json};

use crate::server::{session, world};

/// From now on no row of the audit can be written.
const BREAK: &str = "ALTER TABLE audit_log ADD CONSTRAINT broken CHECK (false) NOT VALID";

#[tokio::test]
async fn nothing_changes_that_cannot_be_written_down() {
    let world = world().await;
    let app = &world.app;
    let (mitra, customer, session_id) = session(app).await;
    let report = json!({"reason": "rude"});
    let report = app
        .post(&format!("/api/chat/sessions/{session_id}/report"))
        .bearer(&customer.access_token)
        .json(&report);
    let report = report.send().await.expect(201).json();
    let report_id = report["id"].as_str().unwrap();
    app.database.execute(BREAK, &[]).await;
    let (mitra_id, customer_id) = (mitra.user_id, customer.user_id);
    let acts = [
        (
            "POST",
            "mitras".to_owned(),
            json!({"phone": "081234567890", "display_name": "Ayu"}),
        ),
        (
            "PATCH",
            format!("mitras/{mitra_id}"),
            json!({"is_active": false, "max_sessions": 9}),
        ),
        (
            "PATCH",
            format!("customers/{customer_id}"),
            json!({"is_active": false}),
        ),
        ("POST", format!("sessions/{session_id}/end"), json!({})),
        (
            "PATCH",
            format!("reports/{report_id}"),
            json!({"status": "resolved", "note": "done"}),
        ),
        (
            "PUT",
            "config/pairing.wave_size".to_owned(),
            json!({"value": 9}),
        ),
        ("POST", "sweeps/core-cleanup/run".to_owned(), json!({})),
        (
            "PATCH",
            format!("admins/{}", world.viewer.user_id),
            json!({"role": "owner"}),
        ),
    ];
    for (method, path, body) in acts {
        let path = format!("/api/admin/{path}");
        let call = world.call(&world.owner, method.parse().unwrap(), &path);
        let answer = call.json(&body).send().await;
        assert!(answer.status.is_server_error(), "{answer}");
    }
    // Everything is as it was.
    let mitras = world.get("/api/admin/mitras").await;
    assert_eq!(mitras["items"].as_array().unwrap().len(), 1);
    let shown = &mitras["items"][0];
    assert_eq!(
        (&shown["is_active"], &shown["standing"]),
        (&json!(true), &json!("available"))
    );
    assert_eq!(shown["max_sessions"], 3);
    let me = app.get("/api/auth/me").bearer(&customer.access_token);
    me.send().await.expect(200);
    let open = world.get("/api/admin/sessions?status=open").await;
    assert_eq!(open["items"][0]["status"], "active");
    let report = world.get(&format!("/api/admin/reports/{report_id}")).await;
    assert_eq!(report["status"], "open");
    let config = world.get("/api/admin/config").await;
    let size = config["items"].as_array().unwrap().iter();
    let size: Vec<&Value> = size.filter(|it| it["key"] == "pairing.wave_size").collect();
    assert_eq!(size[0]["value"], 0);
}

#[tokio::test]
async fn deeds_are_listed_by_what_by_whom_and_page_by_page() {
    let world = world().await;
    for value in 1..=3 {
        let body = json!({"value": value});
        let set = world.act(Method::PUT, "/api/admin/config/pairing.wave_size", body);
        set.await.expect(200);
    }
    let run = world.call(
        &world.owner,
        Method::POST,
        "/api/admin/sweeps/core-cleanup/run",
    );
    run.send().await.expect(200);
    let count = async |query: &str| {
        let page = world.get(&format!("/api/admin/audit?{query}")).await;
        page["items"].as_array().unwrap().len()
    };
    assert_eq!(count("").await, 4);
    assert_eq!(count("action=config").await, 3);
    assert_eq!(count("action=config.update").await, 3);
    assert_eq!(count("action=conf").await, 0);
    assert_eq!(count("subject=sweep:core-cleanup").await, 1);
    assert_eq!(count(&format!("admin_id={}", world.owner.user_id)).await, 1);
    let page = world.get("/api/admin/audit?limit=3").await;
    let cursor = page["next_cursor"].as_str().unwrap();
    let item = &page["items"][0];
    for member in ["at", "admin", "action", "subject", "before", "after"] {
        assert!(item.get(member).is_some(), "{member}: {item}");
    }
    assert_eq!(count(&format!("limit=3&cursor={cursor}")).await, 1);
}

#[tokio::test]
async fn a_closed_account_is_nameless_in_the_audit() {
    let world = world().await;
    let body = json!({"phone": "081234567890", "display_name": "Ayu", "max_sessions": 2});
    let made = world.act(Method::POST, "/api/admin/mitras", body).await;
    let made = made.expect(201).json();
    let role = halobestie_core::ports::Role::Mitra;
    let ayu = testing::sign_in(&world.app, role, "+6281234567890").await;
    let close = world.app.delete("/api/auth/me").bearer(&ayu.access_token);
    close.send().await.expect(204);
    let deeds = world.deeds("mitra.create").await;
    assert_eq!(
        deeds[0]["subject"],
        json!(format!("mitra:{}", made["id"].as_str().unwrap()))
    );
    assert_eq!(deeds[0]["after"], json!({"max_sessions": 2}));
}
