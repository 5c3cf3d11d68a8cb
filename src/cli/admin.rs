//! `admin`: the accounts of those who work in the control center. Needs a database, and no server.

mod secret;

use std::fmt::Display;

use anyhow::{Context as _, anyhow};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use halobestie_core::Context;
use halobestie_core::app::Prepared;
use halobestie_core::audit::{self, Actor, Deed};
use halobestie_core::pg::Tx;
use halobestie_core::ports::{Admin, AdminAccounts, AdminRole, NewAdmin};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use self::secret::{Chosen, choose};
use super::{Failure, load_config, output};
use crate::BINARY;

/// Make admins, reset their passwords, list them.
///
/// A password is asked for, or read from standard input (one line), or made by --generate and shown
/// once. It is never an argument: arguments are seen by everybody on the machine.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  halobestie admin create ratu@example.org --role owner
      asks for the password, twice
  halobestie admin create dewi@example.org --generate
      makes a password and shows it once
  pass show halobestie | halobestie admin reset-password ratu@example.org
      reads it; signs the account out everywhere")]
pub(super) struct AdminArgs {
    #[command(subcommand)]
    command: AdminCommand,
}

#[derive(Debug, Subcommand)]
enum AdminCommand {
    /// Make an account.
    Create {
        /// Who signs in.
        email: String,
        /// What they may do.
        #[arg(long, default_value = "operator", value_parser = roles())]
        role: AdminRole,
        /// The name that the control center shows.
        #[arg(long, default_value = "Admin")]
        name: String,
        /// Make a password and show it.
        #[arg(long)]
        generate: bool,
    },
    /// Set another password; sign the account out everywhere and forget wrong passwords that were tried.
    ResetPassword {
        /// Whose.
        email: String,
        /// Make a password and show it.
        #[arg(long)]
        generate: bool,
    },
    /// List the accounts.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

fn roles() -> impl TypedValueParser<Value = AdminRole> {
    PossibleValuesParser::new(AdminRole::ALL.map(AdminRole::as_str))
        .try_map(|text| text.parse::<AdminRole>())
}

pub(super) async fn run(args: AdminArgs) -> Result<(), Failure> {
    let config = load_config()?;
    let prepared = Prepared::prepare(config, BINARY.options())
        .await
        .context("cannot reach the accounts")?;
    let done = with(&prepared, args.command).await;
    prepared.leave().await;
    done
}

async fn with(prepared: &Prepared, command: AdminCommand) -> Result<(), Failure> {
    let cx = prepared.context();
    let accounts = cx.ports.admin_accounts.get();
    let accounts = accounts.ok_or_else(|| {
        anyhow!("this server keeps no accounts: the module auth is switched off or not compiled in")
    })?;
    match command {
        AdminCommand::Create {
            email,
            role,
            name,
            generate,
        } => {
            let chosen = choose(generate, &cx.entropy).await?;
            let new = NewAdmin {
                email,
                display_name: name,
                role,
            };
            create(cx, &**accounts, &new, &chosen).await
        }
        AdminCommand::ResetPassword { email, generate } => {
            let chosen = choose(generate, &cx.entropy).await?;
            let password = accounts.hash_password(chosen.password.clone()).await?;
            let mut client = cx.db.client().await?;
            let tx = client.begin().await?;
            let (id, tell) = accounts.reset_password(&tx, &email, &password).await?;
            let done = json!({"password": "changed"});
            note(cx, &tx, ("admin.password", id), &done).await?;
            tx.commit().await?;
            // The servers hear of it now, or read it within half a minute.
            prepared.reach_the_others().await;
            tell.run().await;
            output::line(format!(
                "{}: another password is set, every session is revoked",
                email.trim().to_lowercase()
            ))?;
            show(&chosen)
        }
        AdminCommand::List { json } => list(&accounts.list().await?, json),
    }
}

async fn create(
    cx: &Context,
    accounts: &dyn AdminAccounts,
    new: &NewAdmin,
    chosen: &Chosen,
) -> Result<(), Failure> {
    let password = accounts.hash_password(chosen.password.clone()).await?;
    let mut client = cx.db.client().await?;
    let tx = client.begin().await?;
    let admin = accounts.create(&tx, new, &password).await?;
    let done = json!({
        "email": admin.email, "display_name": admin.display_name, "role": admin.role,
        "is_active": admin.is_active,
    });
    note(cx, &tx, ("admin.create", admin.id), &done).await?;
    tx.commit().await?;
    output::line(format!("{}: made, as {}", admin.email, admin.role))?;
    show(chosen)
}

/// Writes down what was done to an admin, as the control center does: by nobody whom the server knows.
async fn note(
    cx: &Context,
    tx: &Tx<'_>,
    (action, id): (&str, impl Display),
    after: &Value,
) -> Result<(), Failure> {
    let actor = Actor {
        // Nil: no account.
        id: Default::default(),
        display_name: "the command line".to_owned(),
    };
    let deed = Deed {
        id: cx.entropy.uuid(&cx.clock),
        at: cx.clock.now(),
        actor: &actor,
        action,
        subject: &format!("admin:{id}"),
        before: None,
        after: Some(after),
        request_id: None,
    };
    Ok(audit::record(tx, &deed).await?)
}

/// Shows a password that nobody has seen yet.
fn show(chosen: &Chosen) -> Result<(), Failure> {
    if chosen.is_generated {
        let password = chosen.password.expose_secret();
        output::line(format!("password: {password}"))?;
        output::line("it is shown this once: keep it in a password manager")?;
    }
    Ok(())
}

fn list(admins: &[Admin], json: bool) -> Result<(), Failure> {
    if json {
        output::line(serde_json::to_string_pretty(admins)?)?;
        return Ok(());
    }
    if admins.is_empty() {
        output::line("there is no admin yet: make one with `halobestie admin create EMAIL`")?;
        return Ok(());
    }
    let header = ["email", "role", "name", "may sign in", "made", "last seen"].map(str::to_owned);
    let rows = admins.iter().map(|it| {
        let last_seen = it
            .last_used_at
            .map_or_else(|| "-".to_owned(), |at| at.to_string());
        vec![
            it.email.clone(),
            it.role.to_string(),
            it.display_name.clone(),
            if it.is_active { "yes" } else { "no" }.to_owned(),
            it.created_at.to_string(),
            last_seen,
        ]
    });
    output::table(
        &std::iter::once(header.to_vec())
            .chain(rows)
            .collect::<Vec<_>>(),
    )?;
    Ok(())
}
