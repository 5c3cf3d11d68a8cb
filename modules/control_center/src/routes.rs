//! The routes, a row each, with the role that it takes.

use std::sync::Arc;

use halobestie_core::http::Routes;
use halobestie_core::ports::AdminRole::{Operator, Owner, Viewer};
use http::Method;

use crate::admission::{Api, Pages};
use crate::api::{
    account, admins, audit, config, customers, dashboard, mitras, payments, reports, requests,
    sessions, sweeps, system,
};
use crate::pages::frame::{
    ACCOUNT, ADMINS, AUDIT, CONFIG, CUSTOMERS, DASHBOARD, MITRAS, PAYMENTS, REPORTS, REQUESTS,
    SESSIONS, SWEEPS, SYSTEM,
};
use crate::pages::{self, sign_in};
use crate::state::State;
use crate::{assets, live};

/// Routes of the internal listener.
pub(crate) fn internal(state: &Arc<State>) -> Routes {
    let mut routes = api(state);
    routes.append(pages(state));
    routes
}

fn api(state: &Arc<State>) -> Routes {
    let (get, post) = (|| Method::GET, || Method::POST);
    let (patch, put) = (|| Method::PATCH, || Method::PUT);
    Api::new(state)
        .row(post(), "/api/admin/auth/password", Viewer, account::change)
        .row(get(), "/api/admin/dashboard", Viewer, dashboard::show)
        .row(get(), "/api/admin/mitras", Viewer, mitras::list)
        .row(post(), "/api/admin/mitras", Operator, mitras::create)
        .row(get(), "/api/admin/mitras/{id}", Viewer, mitras::show)
        .row(patch(), "/api/admin/mitras/{id}", Operator, mitras::update)
        .row(get(), "/api/admin/customers", Viewer, customers::list)
        .row(get(), "/api/admin/customers/{id}", Viewer, customers::show)
        .row(
            patch(),
            "/api/admin/customers/{id}",
            Operator,
            customers::update,
        )
        .row(get(), "/api/admin/sessions", Viewer, sessions::list)
        .row(get(), "/api/admin/sessions/{id}", Viewer, sessions::show)
        .row(
            post(),
            "/api/admin/sessions/{id}/end",
            Operator,
            sessions::end,
        )
        .row(get(), "/api/admin/requests", Viewer, requests::list)
        .row(get(), "/api/admin/requests/{id}", Viewer, requests::show)
        .row(get(), "/api/admin/payments", Viewer, payments::list)
        .row(get(), "/api/admin/payments/{id}", Viewer, payments::show)
        .row(
            post(),
            "/api/admin/payments/{id}/refund",
            Operator,
            payments::refund,
        )
        .row(
            get(),
            "/api/admin/payments/{id}/refunds",
            Viewer,
            payments::refunds,
        )
        .row(get(), "/api/admin/reports", Viewer, reports::list)
        .row(get(), "/api/admin/reports/{id}", Viewer, reports::show)
        .row(
            patch(),
            "/api/admin/reports/{id}",
            Operator,
            reports::update,
        )
        .row(get(), "/api/admin/config", Viewer, config::list)
        .row(put(), "/api/admin/config/{key}", Operator, config::set)
        .row(
            get(),
            "/api/admin/config/{key}/history",
            Viewer,
            config::history,
        )
        .row(get(), "/api/admin/sweeps", Viewer, sweeps::list)
        .row(
            post(),
            "/api/admin/sweeps/{name}/run",
            Operator,
            sweeps::run,
        )
        .row(get(), "/api/admin/audit", Viewer, audit::list)
        .row(get(), "/api/admin/admins", Owner, admins::list)
        .row(post(), "/api/admin/admins", Owner, admins::create)
        .row(patch(), "/api/admin/admins/{id}", Owner, admins::update)
        .row(get(), "/api/admin/system", Viewer, system::show)
        .into()
}

fn pages(state: &Arc<State>) -> Routes {
    Pages::new(state)
        .open(Method::GET, "/assets/{file}", assets::show)
        .open(Method::GET, "/sign-in", sign_in::show)
        .open(Method::POST, "/sign-in", sign_in::sign_in)
        .post("/sign-out", Viewer, sign_in::sign_out)
        .live("/events", Viewer, live::events)
        .get(DASHBOARD, Viewer, pages::dashboard::show)
        .get("/dashboard/figures", Viewer, pages::dashboard::figures)
        .get(MITRAS, Viewer, pages::mitras::list)
        .post(MITRAS, Operator, pages::mitras::create)
        .get("/mitras/new", Operator, pages::mitras::form)
        .get("/mitras/{id}", Viewer, pages::mitras::show)
        .post("/mitras/{id}", Operator, pages::mitras::update)
        .post("/mitras/{id}/active", Operator, pages::mitras::switched)
        .get(CUSTOMERS, Viewer, pages::customers::list)
        .get("/customers/{id}", Viewer, pages::customers::show)
        .post(
            "/customers/{id}/active",
            Operator,
            pages::customers::switched,
        )
        .get(SESSIONS, Viewer, pages::sessions::list)
        .get("/sessions/{id}", Viewer, pages::session::show)
        .post("/sessions/{id}/end", Operator, pages::session::end)
        .post("/sessions/{id}/transcript", Viewer, pages::transcript::read)
        .get(REQUESTS, Viewer, pages::requests::list)
        .get("/requests/{id}", Viewer, pages::requests::show)
        .get(PAYMENTS, Viewer, pages::payments::list)
        .get("/payments/{id}", Viewer, pages::payment::show)
        .post("/payments/{id}/refund", Operator, pages::payment::refund)
        .get(REPORTS, Viewer, pages::reports::list)
        .get("/reports/{id}", Viewer, pages::reports::show)
        .post("/reports/{id}", Operator, pages::reports::update)
        .get(CONFIG, Viewer, pages::config::list)
        .get("/config/{key}", Viewer, pages::config::show)
        .post("/config/{key}", Operator, pages::config::set)
        .get(SWEEPS, Viewer, pages::sweeps::show)
        .post("/sweeps/{name}/run", Operator, pages::sweeps::run)
        .get(AUDIT, Viewer, pages::audit::show)
        .get(ACCOUNT, Viewer, pages::account::show)
        .post(ACCOUNT, Viewer, pages::account::change)
        .get(ADMINS, Owner, pages::admins::list)
        .post(ADMINS, Owner, pages::admins::create)
        .get("/admins/new", Owner, pages::admins::form)
        .get("/admins/{id}", Owner, pages::admins::show)
        .post("/admins/{id}", Owner, pages::admins::update)
        .post("/admins/{id}/password", Owner, pages::admins::password)
        .post("/admins/{id}/active", Owner, pages::admins::switched)
        .get(SYSTEM, Viewer, pages::system::show)
        .into()
}
