//! Pictures in drafts.

use halobestie_auth::testing::{SignedIn, signed_in};
use serde_json::json;

use crate::world::{World, seconds, start};

const PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";
const HOUR: u64 = 3600;

async fn upload(world: &World, who: &SignedIn) -> String {
    let mut form = b"--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\
        content-type: image/png\r\n\r\n"
        .to_vec();
    form.extend_from_slice(PNG);
    form.extend_from_slice(b"\r\n--x--\r\n");
    let call = world.app.post("/api/uploads").bearer(&who.access_token);
    let answer = call
        .body("multipart/form-data; boundary=x", form)
        .send()
        .await;
    answer.expect(201).json()["url"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Lets so many hours pass, and all sweeps run; the caller, signed in again.
async fn hours_later(world: &World, who: &SignedIn, hours: u64) -> SignedIn {
    world.app.clock.advance(seconds(hours * HOUR));
    for sweep in ["upload-unsent", "upload-uncarried"] {
        world.app.run_sweep(sweep).await;
    }
    let body = json!({"refresh_token": who.refresh_token});
    let call = world.app.post("/api/auth/refresh").json(&body);
    signed_in(&call.send().await.expect(200).json())
}

#[tokio::test]
async fn a_picture_is_kept_for_as_long_as_a_draft_or_a_published_version_names_it() {
    let world = start().await;
    let me = world.person().await;
    let (named, loose) = (upload(&world, &me).await, upload(&world, &me).await);
    let tag = world
        .saved(&me, "rule", &json!({"picture": named}), None)
        .await;
    let me = hours_later(&world, &me, 49).await;
    world.read(&me, &named).await.expect(200);
    world.read(&me, &loose).await.problem("not_found", 404);

    let call = world.by(&me, http::Method::PUT, "/api/drafts/rule/publication");
    call.json(&json!({"slug": "rules"}))
        .send()
        .await
        .expect(201);
    world.saved(&me, "rule", &json!({}), Some(&tag)).await;
    let me = hours_later(&world, &me, 49).await;
    world.read(&me, &named).await.expect(200);

    world
        .app
        .database
        .execute("DELETE FROM publications", &[])
        .await;
    let me = hours_later(&world, &me, 49).await;
    world.read(&me, &named).await.problem("not_found", 404);
}

#[tokio::test]
async fn naming_somebody_elses_picture_neither_shows_nor_keeps_it() {
    let world = start().await;
    let (me, other) = (world.person().await, world.person().await);
    let theirs = upload(&world, &other).await;
    world
        .saved(&me, "rule", &json!({"picture": theirs}), None)
        .await;
    world.read(&me, &theirs).await.problem("not_found", 404);
    world.read(&other, &theirs).await.expect(200);
    let named = world
        .app
        .database
        .row("SELECT cardinality(pictures) FROM drafts", &[])
        .await;
    assert_eq!(named.get::<_, i32>(0), 0);
}
