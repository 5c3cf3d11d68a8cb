//! Admins: the owners' own business.

use std::cmp::Reverse;
use std::sync::Arc;

use askama::Template;
use halobestie_core::Problem;
use halobestie_core::http::{Reply, Request, paging};
use halobestie_core::ports::{Admin, AdminRole};
use secrecy::SecretString;
use serde::Deserialize;
use uuid::Uuid;

use super::confirm::{self, Confirm};
use super::form::{Field, Kind, Wrongs, refused};
use super::frame::{ADMINS, Frame};
use super::list::{Asked, ListView};
use super::mitras::Switch;
use super::{Done, page, page_with, see, when};
use crate::act::Caller;
use crate::acts::admins::{self as acts, ChangeAdmin, MakeAdmin};
use crate::state::State;

const NAME_CHARS: u64 = 50;

#[derive(Template)]
#[template(path = "pages/admins.html")]
struct Admins {
    frame: Frame,
    list: ListView,
    admins: Vec<Admin>,
    me: Uuid,
}

/// The list. There are few enough that all are read, and filtered here.
pub(crate) async fn list(state: Arc<State>, caller: Caller, req: Request) -> Reply {
    let (asked, done) = (Asked::of(&req)?, req.query::<Done>().unwrap_or_default());
    let mut admins = state.admin_accounts.list().await?;
    narrow(&mut admins, &asked)?;
    match asked.get("sort") {
        Some("name") => admins.sort_by_key(|it| it.display_name.to_lowercase()),
        Some("oldest") => admins.sort_by_key(|it| (it.created_at, it.id)),
        Some("newest") => admins.sort_by_key(|it| Reverse((it.created_at, it.id))),
        // By email, as they come.
        _ => {}
    }
    if let Some(after) = asked.after
        && let Some(last) = admins.iter().position(|it| it.id == after)
    {
        admins.drain(..=last);
    }
    let next = paging::cut(&mut admins, asked.limit, |it| it.id);
    let list = ListView::new(asked, next)
        .text("q", "Search", "a name or an email")
        .choice("role", "Role", roles())
        .choice(
            "is_active",
            "State",
            vec![("true", "active"), ("false", "deactivated")],
        );
    page(&Admins {
        frame: Frame::new(&caller.admin, ADMINS, "Admins").notice(done.text()),
        list,
        admins,
        me: caller.id(),
    })
}

fn narrow(admins: &mut Vec<Admin>, asked: &Asked) -> Result<(), Problem> {
    if let Some(wanted) = asked.get("q").map(str::to_lowercase) {
        let has = |text: &str| text.to_lowercase().contains(&wanted);
        admins.retain(|it| has(&it.email) || has(&it.display_name));
    }
    if let Some(role) = asked.read("role", |it| it.parse::<AdminRole>().ok())? {
        admins.retain(|it| it.role == role);
    }
    if let Some(is_active) = asked.read("is_active", |it| it.parse::<bool>().ok())? {
        admins.retain(|it| it.is_active == is_active);
    }
    Ok(())
}

fn roles() -> Vec<(&'static str, &'static str)> {
    let named = |it: AdminRole| (it.as_str(), it.as_str());
    AdminRole::ALL.map(named).to_vec()
}

#[derive(Template)]
#[template(path = "pages/admin_new.html")]
struct New {
    frame: Frame,
    fields: Vec<Field>,
    wrong: Option<String>,
}

fn new(caller: &Caller, form: &NewForm, wrongs: &Wrongs) -> New {
    let fields = vec![
        Field::new("email", "Email", Kind::Line("email"))
            .holding(&form.email)
            .hint("What they sign in with.")
            .required(),
        name_field(&form.display_name),
        role_field(&form.role),
        password_field(),
    ];
    let fields: Vec<Field> = fields.into_iter().map(|it| it.judged(wrongs)).collect();
    New {
        frame: Frame::new(&caller.admin, ADMINS, "Add an admin"),
        wrong: wrongs.besides(&fields),
        fields,
    }
}

fn name_field(name: &str) -> Field {
    Field::new("display_name", "Name", Kind::Line("text"))
        .holding(name)
        .hint("What the audit shows, 1 to 50 characters.")
        .at_most(Some(NAME_CHARS))
        .required()
}

fn role_field(role: &str) -> Field {
    let roles = [AdminRole::Viewer, AdminRole::Operator, AdminRole::Owner];
    let choices = roles.map(|role| (role.to_string(), format!("{role}: {}", means(role))));
    Field::new("role", "Role", Kind::Choice(choices.to_vec()))
        .holding(role)
        .hint("Counts from their next request on.")
}

/// What a role may do.
fn means(role: AdminRole) -> &'static str {
    match role {
        AdminRole::Viewer => "looks, and changes nothing",
        AdminRole::Operator => "the daily work",
        AdminRole::Owner => "everything, other admins and prices included",
    }
}

fn password_field() -> Field {
    Field::new("password", "Password", Kind::Line("password"))
        .hint("8 to 71 bytes. Give it to them by another way than email.")
        .autocomplete("new-password")
        .required()
}

/// The form for a new one.
pub(crate) async fn form(_: Arc<State>, caller: Caller, _: Request) -> Reply {
    let empty = NewForm {
        role: AdminRole::Viewer.to_string(),
        ..NewForm::default()
    };
    page(&new(&caller, &empty, &Wrongs::default()))
}

/// What that form sends.
#[derive(Default, Deserialize)]
struct NewForm {
    email: String,
    display_name: String,
    role: String,
    #[serde(default)]
    password: SecretString,
}

/// Makes one.
pub(crate) async fn create(state: Arc<State>, caller: Caller, mut req: Request) -> Reply {
    let form: NewForm = req.form().await?;
    let made = async {
        let asked = MakeAdmin {
            email: form.email.clone(),
            display_name: form.display_name.clone(),
            role: role(&form.role)?,
            password: form.password.clone(),
        };
        acts::create(&state, &caller, asked).await
    };
    match made.await {
        Ok(made) => see(&format!("{ADMINS}/{}?done=made", made.id)),
        Err(problem) => {
            let (status, wrongs) = refused(problem)?;
            page_with(status, &new(&caller, &form, &wrongs))
        }
    }
}

fn role(text: &str) -> Result<AdminRole, Problem> {
    let wrong = |_| Problem::invalid("role", "must be owner, operator or viewer");
    text.parse().map_err(wrong)
}

#[derive(Template)]
#[template(path = "pages/admin.html")]
struct One {
    frame: Frame,
    admin: Admin,
    is_me: bool,
    fields: Vec<Field>,
    roles: Vec<Confirm>,
    password: Confirm,
    wrong: Option<String>,
    switch: Confirm,
}

/// One admin.
pub(crate) async fn show(state: Arc<State>, caller: Caller, req: Request) -> Reply {
    let done: Done = req.query().unwrap_or_default();
    let admin = find(&state, req.param("id")?).await?;
    let mut page_of = of(&caller, admin, None, &Wrongs::default());
    page_of.frame = page_of.frame.notice(done.text());
    page(&page_of)
}

async fn find(state: &State, id: Uuid) -> Result<Admin, Problem> {
    let all = state.admin_accounts.list().await?;
    let found = all.into_iter().find(|it| it.id == id);
    found.ok_or_else(Problem::not_found)
}

fn of(caller: &Caller, admin: Admin, sent: Option<&EditForm>, wrongs: &Wrongs) -> One {
    let name = sent.and_then(|it| it.display_name.as_ref());
    let name = name.unwrap_or(&admin.display_name);
    let fields = vec![name_field(name).judged(wrongs)];
    let others = AdminRole::ALL.into_iter().filter(|it| *it != admin.role);
    One {
        frame: Frame::new(&caller.admin, ADMINS, &admin.display_name),
        is_me: admin.id == caller.id(),
        switch: switch(&admin, caller),
        wrong: wrongs.besides(&fields),
        fields,
        roles: others
            .map(|role| role_button(&admin, role, caller))
            .collect(),
        password: password_button(&admin),
        admin,
    }
}

fn switch(admin: &Admin, caller: &Caller) -> Confirm {
    let (button, consequence) = match (admin.is_active, admin.id == caller.id()) {
        (true, true) => (
            "Deactivate",
            "This is you: you are signed out at once, and another owner has to let you in again.",
        ),
        (true, false) => (
            "Deactivate",
            "They are signed out everywhere at once and cannot sign in. What they did stays in the audit.",
        ),
        (false, _) => (
            "Activate",
            "They can sign in again, with the role that they have.",
        ),
    };
    Confirm {
        id: "switch".to_owned(),
        button,
        question: format!("{button} {}?", admin.display_name),
        consequence: consequence.to_owned(),
        action: format!("{ADMINS}/{}/active", admin.id),
        hidden: vec![("is_active", (!admin.is_active).to_string())],
        asked: Vec::new(),
        is_danger: admin.is_active,
    }
}

fn role_button(admin: &Admin, role: AdminRole, caller: &Caller) -> Confirm {
    let takes_away = admin.role.covers(role);
    let whose = match (admin.id == caller.id(), takes_away) {
        (true, true) => "This is you: you cannot give yourself back what you take away. ",
        _ => "",
    };
    let (name, means) = (&admin.display_name, means(role));
    let (button, one) = match role {
        AdminRole::Owner => ("Make an owner", "an owner"),
        AdminRole::Operator => ("Make an operator", "an operator"),
        AdminRole::Viewer => ("Make a viewer", "a viewer"),
    };
    Confirm {
        id: format!("role-{role}"),
        button,
        question: format!("Make {name} {one}?"),
        consequence: format!("{whose}It counts from the next request on. As {one}: {means}."),
        action: format!("{ADMINS}/{}", admin.id),
        hidden: vec![("role", role.to_string())],
        asked: Vec::new(),
        is_danger: takes_away,
    }
}

fn password_button(admin: &Admin) -> Confirm {
    let password = confirm::Asked {
        name: "password",
        label: "Password, 8 to 71 bytes",
        kind: "password",
        value: String::new(),
        is_required: true,
    };
    Confirm {
        id: "password".to_owned(),
        button: "Set a password",
        question: format!("Set another password for {}?", admin.display_name),
        consequence:
            "The one that they have counts no more, and they are signed out everywhere at once. \
                      Give them this one by another way than email."
                .to_owned(),
        action: format!("{ADMINS}/{}/password", admin.id),
        hidden: Vec::new(),
        asked: vec![password],
        is_danger: true,
    }
}

/// What the forms of one send: a name, or a role.
#[derive(Deserialize)]
struct EditForm {
    display_name: Option<String>,
    role: Option<String>,
}

/// Names one anew, or gives another role.
pub(crate) async fn update(state: Arc<State>, caller: Caller, mut req: Request) -> Reply {
    let id: Uuid = req.param("id")?;
    let form: EditForm = req.form().await?;
    let changed = async {
        let change = ChangeAdmin {
            display_name: form.display_name.clone(),
            role: form.role.as_deref().map(role).transpose()?,
            ..ChangeAdmin::default()
        };
        acts::change(&state, &caller, id, change).await
    };
    match changed.await {
        // Who is no owner any more may not see this page.
        Ok(changed) if id == caller.id() && changed.role != AdminRole::Owner => see("/?done=saved"),
        Ok(_) => see(&format!("{ADMINS}/{id}?done=saved")),
        Err(problem) => again(&state, &caller, id, Some(&form), problem).await,
    }
}

async fn again(
    state: &State,
    caller: &Caller,
    id: Uuid,
    form: Option<&EditForm>,
    problem: Problem,
) -> Reply {
    let (status, wrongs) = refused(problem)?;
    let admin = find(state, id).await?;
    page_with(status, &of(caller, admin, form, &wrongs))
}

/// What the form of another password sends.
#[derive(Deserialize)]
struct PasswordForm {
    password: SecretString,
}

/// Sets another password.
pub(crate) async fn password(state: Arc<State>, caller: Caller, mut req: Request) -> Reply {
    let id: Uuid = req.param("id")?;
    let form: PasswordForm = req.form().await?;
    let change = ChangeAdmin {
        password: Some(form.password),
        ..ChangeAdmin::default()
    };
    match acts::change(&state, &caller, id, change).await {
        Ok(_) => see(&format!("{ADMINS}/{id}?done=saved")),
        Err(problem) => again(&state, &caller, id, None, problem).await,
    }
}

/// Activates or deactivates one.
pub(crate) async fn switched(state: Arc<State>, caller: Caller, mut req: Request) -> Reply {
    let id: Uuid = req.param("id")?;
    let switch: Switch = req.form().await?;
    let change = ChangeAdmin {
        is_active: Some(switch.is_active),
        ..ChangeAdmin::default()
    };
    match acts::change(&state, &caller, id, change).await {
        Ok(_) => see(&format!("{ADMINS}/{id}?done={}", switch.done())),
        Err(problem) => again(&state, &caller, id, None, problem).await,
    }
}
