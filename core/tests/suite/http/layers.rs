//! What every layer promises, seen through the whole stack.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::http::routes::Table;
use halobestie_core::http::{Access, Reply, Request, Routes, reply};
use halobestie_core::ports::Role;
use halobestie_core::problem::Problem;
use http::StatusCode;
use serde::Deserialize;
use tokio::sync::Notify;

use super::{CALLER, Site, read, request, with_header};

const LONG: &str = "the same words over and over again; ";

fn table() -> Table<()> {
    Routes::with(Arc::new(()))
}

async fn hello(_: Arc<()>, _: Request) -> Reply {
    reply::ok(&"hello")
}

async fn long(_: Arc<()>, _: Request) -> Reply {
    reply::ok(&LONG.repeat(100))
}

async fn panics(_: Arc<()>, _: Request) -> Reply {
    panic!("the password is hunter2")
}

async fn fails(_: Arc<()>, _: Request) -> Reply {
    Err(Problem::internal("SELECT secret FROM vault"))
}

async fn hangs(_: Arc<()>, _: Request) -> Reply {
    std::future::pending().await
}

async fn who(_: Arc<()>, req: Request) -> Reply {
    reply::ok(&req.caller()?.user_id)
}

async fn length(_: Arc<()>, mut req: Request) -> Reply {
    reply::ok(&req.bytes().await?.len())
}

#[derive(Deserialize)]
struct Order {
    amount: u32,
}

async fn order(_: Arc<()>, mut req: Request) -> Reply {
    let order: Order = req.json().await?;
    reply::json(StatusCode::CREATED, &order.amount)
}

pub(super) fn shop() -> Table<()> {
    table()
        .get("/hello", Access::Anyone, hello)
        .get("/long", Access::Anyone, long)
        .get("/panics", Access::Anyone, panics)
        .get("/fails", Access::Anyone, fails)
        .get("/hangs", Access::Anyone, hangs)
        .get("/mine", Access::SignedIn, who)
        .get("/admins", Access::Only(Role::Admin), who)
        .get("/sides", Access::EitherSide, who)
        .post("/orders", Access::Anyone, order)
        .post("/length", Access::Anyone, length)
        .body_limit(10)
}

#[tokio::test]
async fn every_answer_carries_a_request_id() {
    let stack = Site::new().stack(shop());
    let named = with_header(request("GET", "/hello"), "x-request-id", "mine-1");
    assert_eq!(read(&stack, named).await.header("x-request-id"), "mine-1");
    let insane = with_header(request("GET", "/nowhere"), "x-request-id", "two words");
    let answer = read(&stack, insane).await;
    assert_eq!(answer.header("x-request-id").len(), 36);
    assert_eq!(answer.code(), "not_found");
}

#[tokio::test]
async fn a_panic_is_a_500_that_says_nothing_and_the_server_goes_on() {
    let stack = Site::new().stack(shop());
    for path in ["/panics", "/fails"] {
        let answer = read(&stack, request("GET", path)).await;
        assert_eq!((answer.status, answer.code().as_str()), (500, "internal"));
        let body = String::from_utf8(answer.body).unwrap();
        assert!(
            !body.contains("hunter2") && !body.contains("SELECT"),
            "{body}"
        );
    }
    assert_eq!(read(&stack, request("GET", "/hello")).await.status, 200);
}

#[tokio::test]
async fn a_request_is_given_up_at_its_deadline() {
    let mut site = Site::new();
    site.options.deadline = Duration::from_millis(100);
    let answer = read(&site.stack(shop()), request("GET", "/hangs")).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (503, "request_timeout")
    );
    assert_eq!(answer.header("retry-after"), "1");
    let counted = site.metric(
        r#"halobestie_http_requests_total{listener="public",method="GET",route="/hangs",status="503"}"#,
    );
    assert_eq!(counted, Some(1.0));
}

#[tokio::test]
async fn requests_over_the_limit_are_shed_and_places_come_back() {
    struct Gate {
        entered: Notify,
        open: Notify,
    }
    async fn through(gate: Arc<Gate>, _: Request) -> Reply {
        gate.entered.notify_one();
        gate.open.notified().await;
        reply::no_content()
    }
    let gate = Arc::new(Gate {
        entered: Notify::new(),
        open: Notify::new(),
    });
    let mut site = Site::new();
    site.options.requests_max = Some(1);
    let mut routes: Routes = Routes::with(gate.clone())
        .get("/gate", Access::Anyone, through)
        .into();
    routes.append(shop().into());
    let stack = site.stack(routes);

    let first = read(&stack, request("GET", "/gate"));
    let others = async {
        gate.entered.notified().await;
        let shed = read(&stack, request("GET", "/hello")).await;
        assert_eq!((shed.status, shed.code().as_str()), (503, "overloaded"));
        assert_eq!(shed.header("retry-after"), "1");
        gate.open.notify_one();
    };
    assert_eq!(tokio::join!(first, others).0.status, 204);
    assert_eq!(read(&stack, request("GET", "/hello")).await.status, 200);
}

#[tokio::test]
async fn the_guard_lets_in_whom_the_row_names() {
    let stack = Site::new().stack(shop());
    let status = async |path: &str, token: &'static str| {
        let answer = read(
            &stack,
            with_header(request("GET", path), "authorization", token),
        )
        .await;
        if answer.status == 200 {
            assert_eq!(answer.json(), CALLER.to_string());
            return "in".to_owned();
        }
        if answer.status == 401 {
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
        answer.code()
    };
    assert_eq!(
        read(&stack, request("GET", "/mine")).await.code(),
        "unauthenticated"
    );
    for nonsense in [
        "",
        "Bearer",
        "Bearer ",
        "Basic customer",
        "Bearer nobody",
        "customer",
    ] {
        assert_eq!(
            status("/mine", nonsense).await,
            "unauthenticated",
            "{nonsense}"
        );
    }
    assert_eq!(status("/mine", "Bearer expired").await, "token_expired");
    assert_eq!(status("/mine", "bearer mitra").await, "in");
    assert_eq!(status("/sides", "Bearer mitra").await, "in");
    assert_eq!(status("/sides", "Bearer admin").await, "forbidden");
    assert_eq!(status("/admins", "Bearer customer").await, "forbidden");
    assert_eq!(status("/admins", "Bearer admin").await, "in");
}
