//! Who may read an upload, and how.

use std::fs;

use halobestie_auth::testing::customer;
use halobestie_testkit::TestResponse;
use http::Method;

use crate::world::{mp3, png, start, start_with, talk, text};

#[tokio::test]
async fn an_upload_is_its_senders_until_it_is_sent_and_then_the_sessions() {
    let world = start().await;
    let talk = talk(&world.app).await;
    let stranger = customer(&world.app).await;
    let file = png(3, 2, 300);
    let upload = world.upload(&talk.customer, &file).await;
    for other in [&talk.mitra, &stranger] {
        world.read(other, &upload).await.problem("not_found", 404);
    }
    let sent = talk
        .send(&world.app, &talk.customer, "image", &upload)
        .await;
    sent.expect(201);
    for side in [&talk.customer, &talk.mitra] {
        assert_eq!(world.read(side, &upload).await.expect(200).body, file);
    }
    world
        .read(&stranger, &upload)
        .await
        .problem("not_found", 404);
    let call = world.app.get(text(&upload, "url"));
    call.send().await.problem("unauthenticated", 401);
}

#[tokio::test]
async fn a_mitra_that_has_handed_the_session_on_reads_only_its_own() {
    let world = start().await;
    let talk = talk(&world.app).await;
    let next = customer(&world.app).await;
    let of_customer = world.upload(&talk.customer, &png(1, 1, 100)).await;
    let of_mitra = world.upload(&talk.mitra, &png(1, 1, 100)).await;
    for (from, upload) in [(&talk.customer, &of_customer), (&talk.mitra, &of_mitra)] {
        talk.send(&world.app, from, "image", upload)
            .await
            .expect(201);
    }
    // As rerouting does it.
    let id: uuid::Uuid = talk.id.parse().unwrap();
    world
        .app
        .database
        .execute(
            "UPDATE chat_sessions SET mitra_id = $2 WHERE id = $1",
            &[&id, &next.user_id],
        )
        .await;
    world
        .read(&talk.mitra, &of_customer)
        .await
        .problem("not_found", 404);
    world.read(&talk.mitra, &of_mitra).await.expect(200);
    for side in [&talk.customer, &next] {
        world.read(side, &of_customer).await.expect(200);
        world.read(side, &of_mitra).await.expect(200);
    }
}

#[tokio::test]
async fn an_upload_cannot_be_taken_for_anything_else() {
    let world = start().await;
    let me = customer(&world.app).await;
    let upload = world.upload(&me, &png(3, 2, 3000)).await;
    let call = world.app.get(text(&upload, "url")).bearer(&me.access_token);
    let answer = call
        .header("accept-encoding", "gzip, br")
        .send()
        .await
        .expect(200);
    let id = text(&upload, "id");
    let told = [
        ("content-type", "image/png"),
        ("content-length", "3000"),
        (
            "content-disposition",
            &format!("attachment; filename=\"{id}.png\""),
        ),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; sandbox"),
        ("cache-control", "private, max-age=86400, immutable"),
        ("etag", &format!("\"{id}\"")),
        ("accept-ranges", "bytes"),
    ];
    for (header, value) in told {
        assert_eq!(answer.header(header), Some(value), "{header}");
    }
    assert_eq!(answer.header("content-encoding"), None);
}

#[tokio::test]
async fn a_caller_that_has_it_or_wants_a_part_of_it_gets_no_more() {
    let world = start().await;
    let me = customer(&world.app).await;
    let file = mp3(200_000);
    let upload = world.upload(&me, &file).await;
    let etag = format!("\"{}\"", text(&upload, "id"));
    let get = |headers: &[(&'static str, &str)]| {
        let call = world.app.get(text(&upload, "url")).bearer(&me.access_token);
        let call = headers
            .iter()
            .fold(call, |call, (name, value)| call.header(name, value));
        // A player that asks for parts may well take compression, which would break them.
        call.header("accept-encoding", "gzip").send()
    };
    let same = get(&[("if-none-match", &etag)]).await.expect(304);
    assert_eq!((same.body.len(), same.header("etag")), (0, Some(&*etag)));

    let part = get(&[("range", "bytes=100000-199999")]).await.expect(206);
    assert_eq!(
        part.header("content-range"),
        Some("bytes 100000-199999/200000")
    );
    assert_eq!(part.header("content-length"), Some("100000"));
    assert_eq!(part.body, &file[100_000..]);
    let end = get(&[("range", "bytes=-1")]).await.expect(206);
    assert_eq!(end.body, &file[199_999..]);
    let same = get(&[("range", "bytes=0-9"), ("if-range", &etag)]).await;
    assert_eq!(same.expect(206).body.len(), 10);
    let other = get(&[("range", "bytes=0-9"), ("if-range", "\"other\"")]).await;
    assert_eq!(other.expect(200).body.len(), 200_000);
    let beyond = get(&[("range", "bytes=200000-")]).await;
    beyond.problem("range_not_satisfiable", 416);

    let call = world.app.call(Method::HEAD, text(&upload, "url"));
    let head = call.bearer(&me.access_token).send().await.expect(200);
    assert_eq!(
        (head.body.len(), head.header("content-length")),
        (0, Some("200000"))
    );
}

#[tokio::test]
async fn a_file_that_the_disk_has_lost_is_not_found() {
    let world = start().await;
    let me = customer(&world.app).await;
    let upload = world.upload(&me, &mp3(500)).await;
    let file = world.files().remove(0);
    fs::write(&file, b"cut short").unwrap();
    world.read(&me, &upload).await.problem("not_found", 404);
    fs::remove_file(&file).unwrap();
    world.read(&me, &upload).await.problem("not_found", 404);
}

#[tokio::test]
async fn what_a_browser_keeps_is_for_the_cookie_that_it_was_read_with() {
    let world = start_with(&[("SESSION_SECRET", "sixteen letters.")]).await;
    let me = customer(&world.app).await;
    let upload = world.upload(&me, &mp3(500)).await;
    let varies = |answer: &TestResponse| {
        let told = answer.headers.get_all("vary").iter();
        let names = told.flat_map(|it| it.to_str().unwrap().split(", "));
        names.filter(|it| it.eq_ignore_ascii_case("cookie")).count()
    };
    // By the token as well: the next one on this browser may come by a cookie.
    let read = world.read(&me, &upload).await.expect(200);
    assert_eq!(varies(&read), 1);
    let carried = world.app.post("/api/auth/cookie").bearer(&me.access_token);
    let carried = carried.send().await.expect(200);
    let cookie = carried.header("set-cookie").unwrap();
    let (cookie, _) = cookie.split_once(';').unwrap();
    let by_cookie = async |path: &str| {
        let call = world.app.get(path).header("cookie", cookie);
        call.send().await
    };
    let read = by_cookie(text(&upload, "url")).await.expect(200);
    assert!(read.header("cache-control").unwrap().contains("immutable"));
    assert_eq!(varies(&read), 1);
    assert_eq!(varies(&by_cookie("/api/auth/me").await.expect(200)), 1);
}
