//! Browsers that are signed in by a cookie: what the guard makes of what the cookie says.

use std::sync::Arc;

use async_trait::async_trait;
use halobestie_core::http::cookies::named;
use halobestie_core::http::layers::cors::Cookies;
use halobestie_core::http::{Access, RawRequest, Reply, Request, Routes, reply};
use halobestie_core::ports::{CookieSays, CookieSessions, Principal, Role};
use halobestie_core::problem::{Problem, codes};
use halobestie_core::timestamp::Timestamp;
use http::Method;
use http::header::{CACHE_CONTROL, HeaderValue};
use http::request::Parts;
use uuid::Uuid;

use super::{CALLER, Read, Site, read, request, with_header};

const KNOWN: &str = "https://app.example.com";
/// A session that ends while it is used.
const ENDING: Uuid = Uuid::from_u128(9);

/// Takes the word for what a cookie says as the cookie.
struct Jar;

fn principal(session_id: Uuid) -> Principal {
    Principal {
        user_id: CALLER,
        role: Role::Customer,
        session_id,
        expires_at: Timestamp::from_unix_ms(0),
    }
}

#[async_trait]
impl CookieSessions for Jar {
    fn are_on(&self) -> bool {
        true
    }

    fn read(&self, head: &Parts) -> CookieSays {
        match named(&head.headers, "session").next() {
            None => CookieSays::Nothing,
            Some("signed") => CookieSays::Signed(principal(Uuid::nil())),
            Some("ending") => CookieSays::Signed(principal(ENDING)),
            Some("due") => CookieSays::Due(principal(Uuid::nil())),
            Some("over") => CookieSays::Due(principal(ENDING)),
            Some("away") => CookieSays::Due(principal(Uuid::max())),
            Some("two") => CookieSays::Contested,
            Some(_) => CookieSays::Refused,
        }
    }

    fn trusts(&self, origin: &str) -> bool {
        origin == KNOWN
    }

    async fn renew(
        &self,
        principal: &Principal,
    ) -> Result<Option<(Principal, HeaderValue)>, Problem> {
        if principal.session_id.is_max() {
            return Err(Problem::new(&codes::DEPENDENCY_UNAVAILABLE));
        }
        let goes_on = principal.session_id != ENDING;
        Ok(goes_on.then(|| (principal.clone(), HeaderValue::from_static("session=new"))))
    }

    fn is_over(&self, principal: &Principal) -> bool {
        principal.session_id == ENDING
    }

    fn forgotten(&self) -> HeaderValue {
        HeaderValue::from_static("session=; Max-Age=0")
    }
}

async fn who(_: Arc<()>, req: Request) -> Reply {
    reply::ok(&req.caller()?.user_id)
}

async fn public(_: Arc<()>, _: Request) -> Reply {
    let mut answer = reply::ok(&"for all")?;
    let kept = HeaderValue::from_static("public, max-age=5");
    answer.headers_mut().insert(CACHE_CONTROL, kept);
    Ok(answer)
}

fn shop() -> Routes {
    Routes::with(Arc::new(()))
        .get("/mine", Access::SignedIn, who)
        .post("/mine", Access::SignedIn, who)
        .row(Method::PUT, "/mine", Access::SignedIn, who)
        .row(Method::DELETE, "/mine", Access::SignedIn, who)
        .get("/admins", Access::Only(Role::Admin), who)
        .get("/kept", Access::SignedIn, public)
        .post("/open", Access::Anyone, public)
        .into()
}

fn site() -> Site {
    let mut site = Site::new();
    site.ports.cookie_sessions.fill(Arc::new(Jar));
    site.options.origins = vec![KNOWN.to_owned()];
    site.options.cookies = Cookies::Taken;
    site
}

fn by(cookie: &'static str, req: RawRequest) -> RawRequest {
    with_header(req, "cookie", cookie)
}

async fn ask(req: RawRequest) -> Read {
    read(&site().stack(shop()), req).await
}

#[tokio::test]
async fn a_cookie_signs_in_and_no_cache_hands_the_answer_to_others() {
    let answer = ask(by("session=signed", request("GET", "/mine"))).await;
    assert_eq!(
        (answer.status, answer.json()),
        (200, CALLER.to_string().into())
    );
    assert_eq!(answer.header("cache-control"), "private, no-cache");
    assert_eq!(answer.header("set-cookie"), "");
    let kept = ask(by("session=signed", request("GET", "/kept"))).await;
    assert_eq!(kept.header("cache-control"), "public, max-age=5");
}

#[tokio::test]
async fn a_role_that_may_not_is_refused_as_with_a_token() {
    let answer = ask(by("session=signed", request("GET", "/admins"))).await;
    assert_eq!(answer.code(), "forbidden");
}

#[tokio::test]
async fn one_that_is_due_is_renewed_on_the_way() {
    let answer = ask(by("session=due", request("GET", "/mine"))).await;
    assert_eq!(
        (answer.status, answer.header("set-cookie")),
        (200, "session=new")
    );
    // With a refusal as well: it was shown, and is still good.
    let refused = ask(by("session=due", request("GET", "/admins"))).await;
    assert_eq!(refused.code(), "forbidden");
    assert_eq!(refused.header("set-cookie"), "session=new");
}

#[tokio::test]
async fn what_is_good_no_more_is_forgotten_and_an_outage_forgets_nothing() {
    for cookie in ["session=nonsense", "session=over"] {
        let answer = ask(by(cookie, request("GET", "/mine"))).await;
        assert_eq!(answer.code(), "unauthenticated", "{cookie}");
        assert_eq!(answer.header("set-cookie"), "session=; Max-Age=0");
    }
    let away = ask(by("session=away", request("GET", "/mine"))).await;
    assert_eq!(away.code(), "dependency_unavailable");
    assert_eq!(away.header("set-cookie"), "");
}

#[tokio::test]
async fn of_two_sessions_neither_is_believed_and_neither_forgotten() {
    let answer = ask(by("session=two", request("GET", "/mine"))).await;
    assert_eq!(answer.code(), "unauthenticated");
    assert_eq!(answer.header("set-cookie"), "");
}

#[tokio::test]
async fn a_session_that_its_own_request_has_ended_is_forgotten() {
    let answer = ask(by("session=ending", request("GET", "/mine"))).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("set-cookie"), "session=; Max-Age=0");
}

#[tokio::test]
async fn a_token_is_judged_alone_whatever_cookie_comes_along() {
    let asked = |authorization| {
        let req = by("session=signed", request("GET", "/mine"));
        ask(with_header(req, "authorization", authorization))
    };
    assert_eq!(asked("Bearer expired").await.code(), "token_expired");
    assert_eq!(asked("Basic abc").await.code(), "unauthenticated");
    assert_eq!(asked("Bearer customer").await.status, 200);
    // And a token that is right needs no page of ours.
    let req = by("session=signed", request("POST", "/mine"));
    let req = with_header(req, "authorization", "Bearer customer");
    assert_eq!(
        ask(with_header(req, "origin", "https://evil.test"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn what_another_site_sends_changes_nothing() {
    for method in ["POST", "PUT", "DELETE"] {
        for (name, value) in [
            ("origin", "https://evil.test"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("x-nothing", "at all"),
        ] {
            // The types that a form of any page may send, without being asked first.
            for content_type in [
                "text/plain",
                "application/x-www-form-urlencoded",
                "multipart/form-data; boundary=x",
                "application/json",
            ] {
                let req = by("session=signed", request(method, "/mine"));
                let req = with_header(req, "content-type", content_type);
                let answer = ask(with_header(req, name, value)).await;
                assert_eq!(answer.code(), "cross_site", "{method} {name}: {value}");
            }
        }
        for (name, value) in [("origin", KNOWN), ("sec-fetch-site", "same-origin")] {
            let req = by("session=signed", request(method, "/mine"));
            let answer = ask(with_header(req, name, value)).await;
            assert_eq!(answer.status, 200, "{method} {name}: {value}");
        }
    }
}

#[tokio::test]
async fn what_another_site_sends_does_not_even_renew() {
    let req = by("session=away", request("POST", "/mine"));
    let answer = ask(with_header(req, "origin", "https://evil.test")).await;
    assert_eq!(answer.code(), "cross_site");
}

#[tokio::test]
async fn where_anyone_may_call_no_cookie_is_looked_at() {
    let req = by("session=nonsense", request("POST", "/open"));
    let answer = ask(with_header(req, "origin", "https://evil.test")).await;
    assert_eq!((answer.status, answer.header("set-cookie")), (200, ""));
}

#[tokio::test]
async fn pages_of_known_origins_may_have_cookies_sent_along_and_strangers_not() {
    let stack = site().stack(shop());
    let from = |origin| {
        let req = by("session=signed", request("GET", "/mine"));
        with_header(req, "origin", origin)
    };
    let answer = read(&stack, from(KNOWN)).await;
    assert_eq!(answer.header("access-control-allow-origin"), KNOWN);
    assert_eq!(answer.header("access-control-allow-credentials"), "true");
    let answer = read(&stack, from("https://evil.test")).await;
    assert_eq!(answer.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn without_cookie_sessions_a_cookie_is_nothing() {
    let stack = Site::new().stack(shop());
    let answer = read(&stack, by("session=signed", request("GET", "/mine"))).await;
    assert_eq!(answer.code(), "unauthenticated");
    assert_eq!(answer.header("set-cookie"), "");
}
