//! Customers: who there is, and whether they may sign in.

use std::sync::Arc;

use askama::Template;
use halobestie_core::http::{Reply, Request};
use halobestie_core::ports::{AccountsQuery, Role};
use uuid::Uuid;

use super::confirm::Confirm;
use super::frame::{CUSTOMERS, Frame};
use super::list::{Asked, ListView};
use super::mitras::Switch;
use super::{Done, page, see, when};
use crate::act::Caller;
use crate::acts::customers::{self as acts, CustomerChange};
use crate::api::customers::{CustomerView, find, list_of};
use crate::api::mitras::order;
use crate::state::State;

#[derive(Template)]
#[template(path = "pages/customers.html")]
struct Customers {
    frame: Frame,
    list: ListView,
    customers: Vec<CustomerView>,
}

/// The list.
pub(crate) async fn list(state: Arc<State>, caller: Caller, req: Request) -> Reply {
    let (asked, done) = (Asked::of(&req)?, req.query::<Done>().unwrap_or_default());
    let query = AccountsQuery {
        search: asked.get("q").map(ToOwned::to_owned),
        is_active: asked.read("is_active", |it| it.parse().ok())?,
        order: asked.read("sort", order)?.unwrap_or_default(),
        after: asked.after,
        ..AccountsQuery::of(Role::Customer, asked.limit)
    };
    let (customers, next) = list_of(&state, query).await?;
    let states = vec![("true", "active"), ("false", "deactivated")];
    let list = ListView::new(asked, next)
        .text("q", "Search", "a name, phone or email")
        .choice("is_active", "State", states);
    page(&Customers {
        frame: Frame::new(&caller.admin, CUSTOMERS, "Customers").notice(done.text()),
        list,
        customers,
    })
}

#[derive(Template)]
#[template(path = "pages/customer.html")]
struct Customer {
    frame: Frame,
    customer: CustomerView,
    switch: Confirm,
}

/// One customer.
pub(crate) async fn show(state: Arc<State>, caller: Caller, req: Request) -> Reply {
    let done: Done = req.query().unwrap_or_default();
    let customer = find(&state, req.param("id")?).await?;
    let frame = Frame::new(&caller.admin, CUSTOMERS, &customer.display_name);
    page(&Customer {
        frame: frame.notice(done.text()),
        switch: switch(&customer),
        customer,
    })
}

fn switch(customer: &CustomerView) -> Confirm {
    let (button, consequence) = if customer.is_active {
        let text = "They are signed out everywhere at once and cannot sign in again until somebody \
            activates them. A session that runs goes on until its time is over; what they paid stays \
            as it is.";
        ("Deactivate", text)
    } else {
        (
            "Activate",
            "They can sign in again, with everything as it was.",
        )
    };
    Confirm {
        id: "switch".to_owned(),
        button,
        question: format!("{button} {}?", customer.display_name),
        consequence: consequence.to_owned(),
        action: format!("{CUSTOMERS}/{}/active", customer.id),
        hidden: vec![("is_active", (!customer.is_active).to_string())],
        asked: Vec::new(),
        is_danger: customer.is_active,
    }
}

/// Activates or deactivates one.
pub(crate) async fn switched(state: Arc<State>, caller: Caller, mut req: Request) -> Reply {
    let id: Uuid = req.param("id")?;
    let switch: Switch = req.form().await?;
    let change = CustomerChange {
        is_active: switch.is_active,
    };
    acts::change(&state, &caller, id, &change).await?;
    see(&format!("{CUSTOMERS}/{id}?done={}", switch.done()))
}
