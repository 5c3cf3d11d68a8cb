//! More time for a session, asked for by its customer.

use std::sync::Arc;

use halobestie_core::http::exchange::RequestId;
use halobestie_core::http::request::parse_json;
use halobestie_core::http::{Reply, Request, Response, reply};
use halobestie_core::idempotency::{Begun, Key};
use halobestie_core::pg::Tx;
use halobestie_core::ports::Role;
use halobestie_core::{AfterCommit, Problem};
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::ChatError;
use crate::extending::{self, ExtensionStatus};
use crate::packages::Package;
use crate::state::State;
use crate::store::sessions as store;
use crate::store::transitions;
use crate::telling;
use crate::text::invalid;
use crate::views::{Details, Due, Extension, Session};

/// What a customer asks for.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct CreateExtension {
    /// An id of the price list.
    #[schema(example = "15m")]
    package_id: String,
}

/// Extend a session
///
/// By the minutes of a package. Where nothing is to be paid it is `applied` at once: `expires_at` moves, and
/// the warnings before the end come again. Otherwise it waits for its payment, one at a time, and is applied
/// when that is paid; until then the session's clock runs on, and if the session is over first, what is paid
/// goes back. A session that looks for another mitra can be extended too. At most 24 hours may be left.
#[utoipa::path(
    post, path = "/api/chat/sessions/{id}/extensions", tag = "chat", security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The session"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key gets the first answer again for 24 h"),
    ),
    request_body = CreateExtension,
    responses(
        (status = 201, description = "Applied, or waiting for its payment", body = Extension),
        (status = 403, description = "`forbidden`: customers only"),
        (status = 404, description = "`not_found`, also for somebody else's"),
        (status = 409, description = "`session_not_active`, `extension_pending`, `extension_limit`, `idempotency_conflict`"),
        (status = 422, description = "`validation_failed`"),
    ),
)]
pub(crate) async fn create(state: Arc<State>, mut req: Request) -> Reply {
    let (id, customer_id): (Uuid, _) = (req.param("id")?, req.caller()?.user_id);
    let body = req.json_bytes().await?;
    let key = Key::of(&req, customer_id, "chat.extensions.create", &body)?;
    let package = package(&state, &body)?;
    // Asked before the transaction, which must not wait for another connection.
    let found = store::find_of(&state.db, customer_id, id).await?;
    let row = found.ok_or(ChatError::NotFound)?;
    let details = state.details_of(&[row]).await?;
    let wish = Wish {
        id,
        customer_id,
        package,
        details,
        cause: req.request_id().cloned(),
    };
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    if let Some(key) = &key
        && let Begun::Replay(answer) = key.begin(&tx, state.clock.now()).await?
    {
        return Ok(answer);
    }
    let (extension, after) = wish.write(&state, &tx).await?;
    let answer = keep(&tx, key.as_ref(), &extension).await?;
    tx.commit().await?;
    drop(client);
    after.run().await;
    Ok(answer)
}

fn package(state: &State, body: &[u8]) -> Result<Package, Problem> {
    let asked: CreateExtension = parse_json(body)?;
    let packages = state.packages.get();
    let package = packages.find(&asked.package_id).cloned();
    package.ok_or_else(|| invalid("package_id", "must be an id of /api/customer/packages"))
}

async fn keep(tx: &Tx<'_>, key: Option<&Key>, extension: &Extension) -> Result<Response, Problem> {
    match key {
        Some(key) => key.record(tx, StatusCode::CREATED, extension).await,
        None => reply::created(extension),
    }
}

/// An extension that is valid in itself.
struct Wish {
    id: Uuid,
    customer_id: Uuid,
    package: Package,
    details: Details,
    /// The HTTP request that asks for it.
    cause: Option<RequestId>,
}

impl Wish {
    async fn write<'a>(
        &self,
        state: &'a State,
        tx: &Tx<'_>,
    ) -> Result<(Extension, AfterCommit<'a>), Problem> {
        let locked = transitions::lock_of(tx, self.customer_id, self.id).await?;
        let locked = locked.ok_or(ChatError::NotFound)?;
        let cause = self.cause.as_ref();
        let made = extending::make(state, tx, &locked, &self.package, cause).await?;
        let row = store::find_of(tx, self.customer_id, self.id).await?;
        let row = row.ok_or(ChatError::NotFound)?;
        let now = state.clock.now();
        let session = Session::of(&row, &self.details, Role::Customer, now);
        let extension = Extension {
            id: made.id,
            status: match made.payment {
                Some(_) => ExtensionStatus::PendingPayment,
                None => ExtensionStatus::Applied,
            },
            minutes: self.package.minutes,
            payment: made.payment.map(|it| Due::of(&it, Role::Customer)),
            session,
        };
        let after = made
            .after
            .unwrap_or_else(|| telling::changed(state, locked.id, locked.mitra_id));
        Ok((extension, after))
    }
}
