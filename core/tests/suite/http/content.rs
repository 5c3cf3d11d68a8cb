//! What goes in and out: body limits, JSON, compression.

use http_body_util::{BodyExt, StreamBody};

use super::layers::shop;
use super::{Site, read, request, with_body, with_header};

#[tokio::test]
async fn bodies_have_limits() {
    let stack = Site::new().stack(shop());
    let post = |bytes: usize| with_body(request("POST", "/length"), vec![b'x'; bytes]);
    assert_eq!(read(&stack, post(10)).await.json(), 10);
    let over = read(&stack, post(11)).await;
    assert_eq!((over.status, over.code().as_str()), (413, "body_too_large"));

    let endless = futures_util::stream::repeat_with(|| {
        Ok::<_, halobestie_core::BoxError>(http_body::Frame::data(bytes::Bytes::from_static(
            b"xxxx",
        )))
    });
    let mut undeclared = request("POST", "/length");
    *undeclared.body_mut() = StreamBody::new(endless).boxed_unsync();
    assert_eq!(read(&stack, undeclared).await.code(), "body_too_large");

    for huge in ["65537", "99999999999999999999999"] {
        let declared = with_header(request("POST", "/orders"), "content-length", huge);
        assert_eq!(read(&stack, declared).await.code(), "body_too_large");
    }
}

#[tokio::test]
async fn json_bodies_are_checked() {
    let stack = Site::new().stack(shop());
    let post = |content_type, body: &'static str| {
        with_body(
            with_header(request("POST", "/orders"), "content-type", content_type),
            body,
        )
    };
    let json = "application/json; charset=utf-8";
    assert_eq!(
        read(&stack, post(json, r#"{"amount": 5, "extra": 1}"#))
            .await
            .status,
        201
    );
    assert_eq!(
        read(&stack, post("text/plain", "{}")).await.code(),
        "unsupported_media_type"
    );
    assert_eq!(read(&stack, post(json, "{")).await.code(), "malformed_json");
    assert_eq!(read(&stack, post(json, "")).await.code(), "malformed_json");
    let wrong = read(&stack, post(json, r#"{"amount": "5"}"#)).await;
    assert_eq!(
        (wrong.status, wrong.code().as_str()),
        (422, "validation_failed")
    );
    assert_eq!(wrong.json()["errors"][0]["field"], "amount");
}

#[tokio::test]
async fn long_answers_are_compressed_for_those_who_ask() {
    let stack = Site::new().stack(shop());
    let get = |path, encodings| with_header(request("GET", path), "accept-encoding", encodings);
    let zipped = read(&stack, get("/long", "gzip")).await;
    assert_eq!(zipped.header("content-encoding"), "gzip");
    assert!(zipped.body.len() < 300, "{}", zipped.body.len());
    assert_eq!(
        read(&stack, get("/long", "br"))
            .await
            .header("content-encoding"),
        "br"
    );
    for (path, encodings) in [("/long", "identity"), ("/long", ""), ("/hello", "gzip, br")] {
        let plain = read(&stack, get(path, encodings)).await;
        assert_eq!(
            (plain.status, plain.header("content-encoding")),
            (200, ""),
            "{path} {encodings}"
        );
    }
    let head = read(
        &stack,
        with_header(request("HEAD", "/long"), "accept-encoding", "gzip"),
    )
    .await;
    assert_eq!(
        (head.header("content-encoding"), head.body.len()),
        ("gzip", 0)
    );
    assert_eq!(head.header("content-length"), "");
}
