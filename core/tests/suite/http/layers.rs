//! What every layer promises, seen through the whole stack.

use std::io::Write;
use std::sync::{Arc, Mutex};

use halobestie_core::http::routes::Table;
use halobestie_core::http::{Access, Reply, Request, Routes, reply};
use halobestie_core::ports::Role;
use halobestie_core::problem::Problem;
use http::StatusCode;
use http_body_util::{BodyExt, StreamBody};
use serde::Deserialize;
use tokio::sync::Notify;
use tracing_subscriber::fmt::MakeWriter;

use super::{CALLER, Site, read, request, with_body, with_header};

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

fn shop() -> Table<()> {
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
    let site = Site::new();
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
async fn browsers_of_known_origins_may_call() {
    let mut site = Site::new();
    site.options.origins = vec!["https://app.example.com".to_owned()];
    let stack = site.stack(shop());
    let from = |req, origin| with_header(req, "origin", origin);
    let preflight = |origin| {
        let req = with_header(
            request("OPTIONS", "/orders"),
            "access-control-request-method",
            "POST",
        );
        from(req, origin)
    };

    let answer = read(&stack, preflight("https://app.example.com")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("access-control-allow-origin"),
        "https://app.example.com"
    );
    assert!(
        answer
            .header("access-control-allow-headers")
            .contains("idempotency-key")
    );
    assert!(
        answer
            .header("access-control-allow-methods")
            .contains("PATCH")
    );
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    let stranger = read(&stack, preflight("https://evil.example.com")).await;
    assert_eq!(stranger.header("access-control-allow-origin"), "");

    let answer = read(
        &stack,
        from(request("GET", "/nowhere"), "https://app.example.com"),
    )
    .await;
    assert_eq!(answer.code(), "not_found");
    assert_eq!(
        answer.header("access-control-allow-origin"),
        "https://app.example.com"
    );
    assert!(
        answer
            .header("access-control-expose-headers")
            .contains("x-request-id")
    );
    assert!(answer.header("vary").contains("origin"));

    // An OPTIONS that is no preflight is the router's.
    let plain = read(&stack, request("OPTIONS", "/orders")).await;
    assert_eq!(
        (plain.status, plain.header("allow")),
        (204, "OPTIONS, POST")
    );
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

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_request_is_logged_and_counted_once_without_what_is_private() {
    let (site, log) = (Site::new(), Log::default());
    let stack = site.stack(shop());
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_writer(log.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let req = with_header(
        request("GET", "/fails?phone=0812"),
        "x-request-id",
        "log-me",
    );
    read(
        &stack,
        with_header(req, "authorization", "Bearer secret-token"),
    )
    .await;
    read(
        &stack,
        with_header(request("GET", "/mine"), "authorization", "Bearer mitra"),
    )
    .await;

    let text = log.text();
    for private in ["0812", "phone", "secret-token"] {
        assert!(!text.contains(private), "{private} in {text}");
    }
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let [failed, first, second] = lines.as_slice() else {
        panic!("{text}")
    };
    assert_eq!(failed["fields"]["cause"], "SELECT secret FROM vault");
    assert_eq!(failed["span"]["request_id"], "log-me");
    assert_eq!(first["fields"]["route"], "/fails");
    assert_eq!(first["fields"]["status"], 500);
    assert_eq!(first["span"]["request_id"], "log-me");
    assert_eq!(second["fields"]["user.id"], CALLER.to_string());

    let count = |labels: &str| site.metric(&format!("halobestie_http_requests_total{{{labels}}}"));
    assert_eq!(
        count(r#"listener="public",method="GET",route="/fails",status="500""#),
        Some(1.0)
    );
    assert_eq!(
        count(r#"listener="public",method="GET",route="/mine",status="200""#),
        Some(1.0)
    );
    read(&stack, request("GET", "/no/such/id/7")).await;
    assert_eq!(
        count(r#"listener="public",method="other",route="(none)",status="404""#),
        Some(1.0)
    );
    let seconds = r#"halobestie_http_request_seconds_count{listener="public",route="/mine"}"#;
    assert_eq!(site.metric(seconds), Some(1.0));
}
