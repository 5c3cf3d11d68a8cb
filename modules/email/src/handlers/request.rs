//! Asking for a link.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::Timestamp;
use halobestie_core::http::{Reply, Request, network_of, reply};
use halobestie_core::language::Language;
use halobestie_core::pg::Query;
use halobestie_core::problem::Problem;
use serde::{Deserialize, Serialize};
use tracing::{error, info};
use utoipa::ToSchema;

use crate::address::Email;
use crate::error::EmailError;
use crate::postbox::Letter;
use crate::state::State;
use crate::store::{self, Hash, NewLink};
use crate::token::Token;

/// How long a link is good.
pub(crate) const LIFE: Duration = Duration::from_secs(15 * 60);

/// Asks for a link.
#[derive(Deserialize, ToSchema)]
#[schema(as = email::Request)]
pub(crate) struct EmailRequest {
    #[schema(example = "sari@example.com")]
    email: String,
}

/// A link is on its way.
#[derive(Serialize, ToSchema)]
#[schema(as = email::Sent)]
pub(crate) struct EmailSent {
    /// When the link ends.
    expires_at: Timestamp,
    /// When another may be asked for.
    resend_after_seconds: u64,
}

/// Ask for a link by email
///
/// The answer is the same, and takes as long, whether or not the email is known: the letter is written
/// and sent after it. It is in the account's language, for a new one in that of `Accept-Language`. The
/// link is good once, for 15 minutes. Should the letter not come, ask again.
#[utoipa::path(
    operation_id = "email_request",
    post, path = "/api/auth/email/request", tag = "auth", request_body = EmailRequest,
    responses(
        (status = 202, description = "A link is on its way.", body = EmailSent),
        (status = 422, description = "`validation_failed`: no email address."),
        (status = 429, description = "`rate_limited`: too soon or too often for this email or from this \
            address; `Retry-After` says when."),
        (status = 503, description = "`dependency_unavailable`: too many letters wait to be sent."),
    ),
)]
pub(crate) async fn request(state: Arc<State>, mut req: Request) -> Reply {
    let body: EmailRequest = req.json().await?;
    let Some(email) = Email::parse(&body.email) else {
        let message = "must be an email address, such as sari@example.com";
        return Err(Problem::invalid("email", message));
    };
    let language = Language::accepted(req.header("accept-language").unwrap_or_default());
    let network = network_of(req.client_addr(&state.server.trusted_proxies)).to_string();
    // A place first: nobody is promised a letter for which there is no room.
    let place = state.postbox.reserve()?;
    let token = Token::new(&state.entropy);
    let expires_at = add_link(&state, &email, &network, &token).await?;
    place.post(Letter {
        email,
        token,
        language,
        expires_at,
    });
    reply::accepted(&EmailSent {
        expires_at,
        resend_after_seconds: state.limits.resend.as_secs(),
    })
}

async fn add_link(
    state: &State,
    email: &Email,
    network: &str,
    token: &Token,
) -> Result<Timestamp, EmailError> {
    let now = state.clock.now();
    let new = NewLink {
        id: state.entropy.uuid(&state.clock),
        token_hash: token.hash(),
        email: email.as_str(),
        recipient_hash: state.sign_in.fingerprint(email.as_str()),
        network_hash: state.sign_in.fingerprint(network),
        created_at: now,
        expires_at: now + LIFE,
    };
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    store::lock(&tx, &new.recipient_hash, &new.network_hash).await?;
    refuse_too_many(state, &tx, &new.recipient_hash, &new.network_hash).await?;
    store::insert(&tx, &new).await?;
    tx.commit().await?;
    info!(link.id = %new.id, "email link made");
    Ok(new.expires_at)
}

async fn refuse_too_many(
    state: &State,
    tx: &impl Query,
    recipient_hash: &Hash,
    network_hash: &Hash,
) -> Result<(), EmailError> {
    let (limits, now) = (state.limits, state.clock.now());
    let refuse = |wait: Option<Duration>| match wait {
        Some(wait) => Err(EmailError::RateLimited { wait }),
        None => Ok(()),
    };
    for rule in limits.for_recipient() {
        let since = now - rule.window;
        let nth = store::nth_of_recipient(tx, recipient_hash, rule.most, since).await?;
        refuse(rule.wait(nth, now))?;
    }
    let rule = limits.for_network();
    let nth = store::nth_of_network(tx, network_hash, rule.most, now - rule.window).await?;
    refuse(rule.wait(nth, now))?;
    // Not lined up over everybody: parallel requests may overrun it by as many as there are.
    let rule = limits.for_all();
    let nth = store::nth_of_all(tx, rule.most, now - rule.window).await?;
    refuse(rule.wait(nth, now)).inspect_err(|_| {
        error!(
            budget = rule.most,
            "the day's budget of email links is spent"
        );
    })
}
