//! Who may call what, over every route that there is: one that is added without a guard fails here.

use halobestie_auth::testing;
use halobestie_core::ports::AdminRole;
use http::Method;
use serde_json::json;

use crate::server::{World, world};

/// The routes of the API that take no admin, or any.
const FREE: &[(&str, &str)] = &[
    ("POST", "/api/admin/auth/login"),
    ("POST", "/api/admin/auth/refresh"),
    ("POST", "/api/admin/auth/logout"),
];
/// The pages that take no sign-in.
const OPEN: &[(&str, &str)] = &[
    ("GET", "/assets/{file}"),
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
];
/// What a viewer may send: what changes nothing but what is their own.
const VIEWERS: &[(&str, &str)] = &[
    ("POST", "/sign-out"),
    ("POST", "/account"),
    ("POST", "/api/admin/auth/password"),
    // Sent, so that the reason stands in no address.
    ("POST", "/sessions/{id}/transcript"),
];

fn is_among(list: &[(&str, &str)], route: &(String, String)) -> bool {
    list.contains(&(route.0.as_str(), route.1.as_str()))
}

fn filled(path: &str) -> String {
    let id = "00000000-0000-7000-8000-000000000000";
    let segments = path
        .split('/')
        .map(|it| if it.starts_with('{') { id } else { it });
    segments.collect::<Vec<_>>().join("/")
}

fn api(world: &World) -> Vec<(Method, String)> {
    let routes = world.app.mounted().internal.iter();
    routes
        .filter(|route| route.1.starts_with("/api/admin/") && !is_among(FREE, route))
        .map(|(method, path)| (method.parse().unwrap(), filled(path)))
        .collect()
}

fn pages(world: &World) -> Vec<(Method, String)> {
    let routes = world.app.mounted().pages.iter();
    routes
        .filter(|route| !is_among(OPEN, route))
        .map(|(method, path)| (method.parse().unwrap(), filled(path)))
        .collect()
}

#[tokio::test]
async fn nobody_but_an_admin_calls_anything() {
    let world = world().await;
    let customer = testing::customer(&world.app).await;
    let routes = api(&world);
    assert!(routes.len() > 20, "{routes:?}");
    for (method, path) in routes {
        let call = || world.app.internal(method.clone(), &path).json(&json!({}));
        call().send().await.problem("unauthenticated", 401);
        let as_customer = call().bearer(&customer.access_token).send().await;
        as_customer.problem("forbidden", 403);
    }
}

#[tokio::test]
async fn a_viewer_changes_nothing() {
    let world = world().await;
    for (method, path) in api(&world).into_iter().filter(|it| it.0 != Method::GET) {
        if VIEWERS.iter().any(|it| it.1 == path) {
            continue;
        }
        let call = world.call(&world.viewer, method, &path).json(&json!({}));
        call.send().await.problem("forbidden", 403);
    }
}

#[tokio::test]
async fn an_operator_has_nothing_to_do_with_admins() {
    let world = world().await;
    let of_admins = |path: &str| path.starts_with("/api/admin/admins");
    let routes: Vec<_> = api(&world)
        .into_iter()
        .filter(|it| of_admins(&it.1))
        .collect();
    assert!(routes.len() >= 3, "{routes:?}");
    for (method, path) in routes {
        let body = json!({
            "email": "new@halobestie.test", "display_name": "New", "role": "owner",
            "password": "a fine password",
        });
        let call = world.call(&world.operator, method, &path).json(&body);
        call.send().await.problem("forbidden", 403);
    }
}

#[tokio::test]
async fn a_page_is_shown_to_nobody_who_is_not_signed_in() {
    let world = world().await;
    let routes = pages(&world);
    assert!(routes.len() > 5, "{routes:?}");
    for (method, path) in routes {
        let call = world.app.internal(method.clone(), &path);
        let call = call.header("sec-fetch-site", "same-origin");
        // A bearer token is no cookie: a page takes the one, the API the other.
        let answer = call.bearer(&world.owner.access_token).send().await;
        assert_eq!(answer.status, 303, "{answer}");
        let to = answer.header("location").unwrap();
        assert!(to.starts_with("/sign-in"), "{to}");
    }
}

#[tokio::test]
async fn a_viewer_sends_no_form_that_changes_anything() {
    let world = world().await;
    let cookie = crate::pages::cookie(&world.app, AdminRole::Viewer).await;
    for (method, path) in pages(&world) {
        let is_theirs = VIEWERS.iter().any(|it| filled(it.1) == path);
        if method == Method::GET || is_theirs {
            continue;
        }
        let call = world.app.internal(method, &path).header("cookie", &cookie);
        let answer = call.header("sec-fetch-site", "same-origin").send().await;
        assert_eq!(answer.status, 403, "{answer}");
    }
}

#[tokio::test]
async fn the_public_listener_knows_nothing_of_it() {
    let world = world().await;
    let routes = api(&world).into_iter().chain(pages(&world));
    for (method, path) in routes {
        let call = world.app.call(method, &path);
        let call = call.bearer(&world.owner.access_token);
        call.json(&json!({})).send().await.problem("not_found", 404);
    }
    for path in ["/sign-in", "/assets/cc.css"] {
        world.app.get(path).send().await.problem("not_found", 404);
    }
}

#[tokio::test]
async fn a_role_that_is_taken_away_counts_from_the_next_request_on() {
    let world = world().await;
    let change = |who: &testing::SignedIn, body| {
        let path = format!("/api/admin/admins/{}", who.user_id);
        world
            .call(&world.owner, Method::PATCH, &path)
            .json(&body)
            .send()
    };
    let run = |who: &testing::SignedIn| {
        let path = "/api/admin/sweeps/core-cleanup/run";
        world.call(who, Method::POST, path).send()
    };
    run(&world.operator).await.expect(200);
    change(&world.operator, json!({"role": "viewer"}))
        .await
        .expect(200);
    run(&world.operator).await.problem("forbidden", 403);
    change(&world.operator, json!({"is_active": false}))
        .await
        .expect(200);
    run(&world.operator).await.problem("unauthenticated", 401);
}
