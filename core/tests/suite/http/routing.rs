//! Paths, methods, parameters; tables that cannot be served.

use std::sync::Arc;

use halobestie_core::http::router::RouteError;
use halobestie_core::http::routes::Table;
use halobestie_core::http::{Access, Reply, Request, Routes, reply};
use halobestie_core::ports::Ports;
use http::Method;

use super::{Site, read, request};

fn table() -> Table<()> {
    Routes::with(Arc::new(()))
}

async fn hello(_: Arc<()>, _: Request) -> Reply {
    reply::ok(&"hello")
}

async fn echo_name(_: Arc<()>, req: Request) -> Reply {
    reply::ok(&req.param::<String>("name")?)
}

fn greetings() -> Table<()> {
    table()
        .get("/hello", Access::Anyone, hello)
        .post("/hello", Access::Anyone, hello)
        .get("/names/{name}", Access::Anyone, echo_name)
}

#[tokio::test]
async fn finds_rows_by_path_and_method() {
    let stack = Site::new().stack(greetings());
    assert_eq!(
        read(&stack, request("GET", "/hello?x=1")).await.json(),
        "hello"
    );
    assert_eq!(read(&stack, request("POST", "/hello")).await.status, 200);
    for unknown in ["/", "/hello/", "/hello/x", "/names/", "/HELLO"] {
        assert_eq!(
            read(&stack, request("GET", unknown)).await.code(),
            "not_found",
            "{unknown}"
        );
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let stack = Site::new().stack(greetings());
    let refused = read(&stack, request("DELETE", "/hello")).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (405, "method_not_allowed")
    );
    assert_eq!(refused.header("allow"), "GET, HEAD, OPTIONS, POST");
    assert_eq!(read(&stack, request("BREW", "/hello")).await.status, 405);
    assert_eq!(read(&stack, request("BREW", "/nowhere")).await.status, 404);
}

#[tokio::test]
async fn options_names_the_methods() {
    let stack = Site::new().stack(greetings());
    let answer = read(&stack, request("OPTIONS", "/hello")).await;
    assert_eq!(
        (answer.status, answer.header("allow")),
        (204, "GET, HEAD, OPTIONS, POST")
    );
    assert_eq!(
        read(&stack, request("OPTIONS", "/nowhere")).await.status,
        404
    );
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let stack = Site::new().stack(greetings());
    let (mut get, mut head) = (
        read(&stack, request("GET", "/hello")).await,
        read(&stack, request("HEAD", "/hello")).await,
    );
    assert_eq!(
        (head.status, head.body.len(), head.header("content-length")),
        (200, 0, "7")
    );
    head.headers.remove("content-length");
    for headers in [&mut get.headers, &mut head.headers] {
        headers.remove("x-request-id");
    }
    assert_eq!(get.headers, head.headers);
    let missing = read(&stack, request("HEAD", "/nowhere")).await;
    assert_eq!((missing.status, missing.body.len()), (404, 0));
    assert_eq!(missing.header("content-type"), "application/problem+json");
}

#[tokio::test]
async fn parameters_are_decoded_and_must_be_text() {
    let stack = Site::new().stack(greetings());
    assert_eq!(
        read(&stack, request("GET", "/names/Dewi%20%C3%A9%2F+"))
            .await
            .json(),
        "Dewi é/+"
    );
    for unreadable in ["/names/%ff", "/names/a%00b"] {
        assert_eq!(
            read(&stack, request("GET", unreadable)).await.code(),
            "not_found"
        );
    }
}

#[test]
fn two_rows_that_clash_are_named() {
    let site = Site::new();
    let error = |routes: Table<()>| site.router(routes).err().unwrap().to_string();

    let twice = table()
        .get("/a", Access::Anyone, hello)
        .get("/a", Access::Anyone, hello);
    assert_eq!(
        error(twice),
        "the public listener has two routes for GET /a"
    );

    let clash =
        table()
            .get("/a/{id}", Access::Anyone, hello)
            .post("/a/{name}", Access::Anyone, hello);
    assert_eq!(
        error(clash),
        "on the public listener the route /a/{name} clashes with /a/{id}"
    );
}

#[test]
fn guarded_rows_need_somebody_who_can_tell_callers_apart() {
    let site = Site {
        ports: Ports::default(),
        ..Site::new()
    };
    assert!(site.router(greetings()).is_ok());
    let guarded = greetings().get("/mine", Access::SignedIn, hello);
    let error = site.router(guarded).err().unwrap();
    assert_eq!(
        error,
        RouteError::NoAuthenticator {
            method: Method::GET,
            path: "/mine"
        }
    );
}
