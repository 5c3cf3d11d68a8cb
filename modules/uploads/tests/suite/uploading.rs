//! What is taken, what is not, and what it leaves on the disk.

use std::fs;
use std::time::Duration;

use futures_util::future::join_all;
use halobestie_auth::testing::{admin, customer};
use serde_json::json;

use crate::world::{form, mp3, plan, png, start, start_with, text};

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn a_picture_is_known_by_its_bytes_and_kept_under_a_name_of_chance() {
    let world = start().await;
    let me = customer(&world.app).await;
    let file = png(640, 480, 5000);
    let upload = world.upload(&me, &file).await;
    let id = text(&upload, "id");
    assert_eq!(
        upload,
        json!({"id": id, "kind": "image", "content_type": "image/png", "size": 5000,
            "url": format!("/api/uploads/{id}"), "width": 640, "height": 480})
    );
    let [kept] = &world.files()[..] else {
        panic!("one file is kept");
    };
    assert_eq!(fs::read(kept).unwrap(), file);
    let name = kept.file_name().unwrap().to_str().unwrap();
    assert!(name.len() == 32 && !name.contains(&id[..8]), "{name}");
    assert_eq!(world.read(&me, &upload).await.expect(200).body, file);
}

#[tokio::test]
async fn a_recording_has_no_size_in_pixels_and_may_have_ten_mebibytes() {
    let world = start().await;
    let me = customer(&world.app).await;
    let file = mp3(10 * MIB);
    let upload = world.upload(&me, &file).await;
    assert_eq!(upload["content_type"], "audio/mpeg");
    assert_eq!((upload.get("width"), upload.get("height")), (None, None));
    assert_eq!(world.read(&me, &upload).await.expect(200).body, file);
    let refused = world.post(&me, "file", &mp3(10 * MIB + 1)).await;
    refused.problem("body_too_large", 413);
    let refused = world.post(&me, "file", &mp3(11 * MIB)).await;
    refused.problem("body_too_large", 413);
    assert_eq!(world.files().len(), 1);
}

#[tokio::test]
async fn what_is_refused_leaves_nothing_behind() {
    let world = start().await;
    let me = customer(&world.app).await;
    let page = b"<!DOCTYPE html><script>alert(1)</script>".repeat(200);
    let whole = form("file", &png(10, 10, 9000));
    let cases: [(Vec<u8>, &str, u16); 6] = [
        (form("file", &page), "unsupported_media_type", 415),
        (form("file", b""), "unsupported_media_type", 415),
        (
            form("file", &png(20_000, 20_000, 100)),
            "validation_failed",
            422,
        ),
        (form("photo", &png(10, 10, 100)), "validation_failed", 422),
        (whole[..4000].to_vec(), "malformed_form", 400),
        (b"no form at all".to_vec(), "malformed_form", 400),
    ];
    for (form, code, status) in cases {
        world.post_form(&me, &form).await.problem(code, status);
    }
    let call = world.app.post("/api/uploads").bearer(&me.access_token);
    let no_form = call.json(&json!({"file": "x"})).send().await;
    no_form.problem("unsupported_media_type", 415);
    assert_eq!(world.files(), Vec::<std::path::PathBuf>::new());
}

#[tokio::test]
async fn only_the_two_sides_of_a_chat_upload() {
    let world = start().await;
    let admin = admin(&world.app).await;
    let refused = world.post(&admin, "file", &png(1, 1, 100)).await;
    refused.problem("forbidden", 403);
    let call = world.app.post("/api/uploads");
    call.body("multipart/form-data; boundary=--edge", form("file", b"x"))
        .send()
        .await
        .problem("unauthenticated", 401);
}

#[tokio::test]
async fn a_server_without_a_folder_says_that_it_is_not_set_up() {
    let world = start_with(&[("UPLOAD_ROOT", "")]).await;
    let me = customer(&world.app).await;
    let refused = world.post(&me, "file", &png(1, 1, 100)).await;
    refused.problem("server_misconfigured", 503);
    let any = json!({"url": "/api/uploads/0199a1c0-0000-7000-8000-000000000000"});
    world
        .read(&me, &any)
        .await
        .problem("server_misconfigured", 503);
    let ready = world.app.get("/readyz").send().await.expect(200).json();
    assert_eq!(ready["checks"]["uploads"]["status"], "degraded");
    for sweep in ["upload-unsent", "upload-uncarried", "upload-orphans"] {
        assert_eq!(world.app.run_sweep(sweep).await.changed, 0);
    }
}

#[tokio::test]
async fn a_disk_that_is_away_is_not_our_word_for_not_found() {
    let root = tempfile::tempdir().unwrap();
    let app = plan(root.path()).start().await;
    let world = crate::world::World { app, root };
    let me = customer(&world.app).await;
    fs::remove_dir(world.root.path()).unwrap();
    let refused = world.post(&me, "file", &png(1, 1, 100)).await;
    refused.problem("dependency_unavailable", 503);
    assert!(!refused.text().contains("tmp"), "{refused}");
    fs::create_dir(world.root.path()).unwrap();
    world.upload(&me, &png(1, 1, 100)).await;
}

#[tokio::test]
async fn a_day_has_so_many_bytes_for_one_person() {
    let world = start_with(&[("UPLOAD_USER_DAILY_BYTES", "1000")]).await;
    let (me, other) = (customer(&world.app).await, customer(&world.app).await);
    // All of them see the room that only one of them can have.
    let file = mp3(600);
    let at_once = join_all((0..3).map(|_| world.post(&me, "file", &file))).await;
    let taken = at_once.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(taken, 1);
    for refused in at_once.iter().filter(|answer| answer.status != 201) {
        refused.problem("rate_limited", 429);
    }
    assert_eq!(world.files().len(), 1);
    world.upload(&other, &file).await;
    world.upload(&me, &mp3(400)).await;
    world
        .app
        .clock
        .advance(Duration::from_secs(24 * 60 * 60 - 1));
    world
        .post(&me, "file", &mp3(12))
        .await
        .problem("rate_limited", 429);
    world.app.clock.advance(Duration::from_secs(1));
    world.upload(&world.back(&me).await, &file).await;
}
