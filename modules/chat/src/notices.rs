//! What people are told whose app may sleep: written in the transaction of the thing itself, and nothing
//! at all where nobody tells.

use std::collections::HashSet;

use halobestie_core::AfterCommit;
use halobestie_core::pg::{DbError, Tx};
use halobestie_core::ports::{News, Notice};
use uuid::Uuid;

use crate::pairing::GoneReason;
use crate::session_state::{EndReason, SessionStatus};
use crate::state::State;
use crate::store::groups::Verdict;
use crate::store::offers::{self, Asked};
use crate::store::requests;
use crate::store::timers::Ending;

/// Writes notices, in the caller's transaction.
pub(crate) async fn write(
    state: &State,
    tx: &Tx<'_>,
    notices: &[Notice],
) -> Result<AfterCommit<'static>, DbError> {
    match state.notifier() {
        Some(notifier) if !notices.is_empty() => notifier.notify(tx, notices).await,
        _ => Ok(AfterCommit::new(async {})),
    }
}

/// Mitras are asked.
pub(crate) async fn asked(
    state: &State,
    tx: &Tx<'_>,
    asked: &[Asked],
) -> Result<AfterCommit<'static>, DbError> {
    if state.notifier().is_none() || asked.is_empty() {
        return Ok(AfterCommit::new(async {}));
    }
    let requests: HashSet<Uuid> = asked.iter().map(|(request_id, _)| *request_id).collect();
    let ends = requests::ends_of(tx, &Vec::from_iter(requests)).await?;
    let notice = |(request_id, user_id): &Asked| {
        let news = News::OfferNew {
            request_id: *request_id,
            expires_at: *ends.get(request_id)?,
        };
        Some(Notice {
            user_id: *user_id,
            news,
        })
    };
    let notices: Vec<Notice> = asked.iter().filter_map(notice).collect();
    write(state, tx, &notices).await
}

/// Offers are gone: for every mitra that still looks at one of them.
pub(crate) async fn gone(
    state: &State,
    tx: &Tx<'_>,
    request_ids: &[Uuid],
    reason: GoneReason,
) -> Result<AfterCommit<'static>, DbError> {
    if state.notifier().is_none() || request_ids.is_empty() {
        return Ok(AfterCommit::new(async {}));
    }
    let lookers = offers::mitras_of_all(tx, request_ids).await?;
    gone_for(state, tx, &lookers, reason).await
}

/// These offers are gone.
pub(crate) async fn gone_for(
    state: &State,
    tx: &Tx<'_>,
    offers: &[Asked],
    reason: GoneReason,
) -> Result<AfterCommit<'static>, DbError> {
    let notice = |(request_id, user_id): &Asked| Notice {
        user_id: *user_id,
        news: News::OfferGone {
            request_id: *request_id,
            reason: reason.as_str().to_owned(),
        },
    };
    let notices: Vec<Notice> = offers.iter().map(notice).collect();
    write(state, tx, &notices).await
}

/// Somebody has something to read, where a message was written.
pub(crate) fn of_verdict(verdict: &Verdict) -> Option<Notice> {
    let Verdict::Written { message, sides } = verdict else {
        return None;
    };
    let news = News::MessageNew {
        session_id: message.session_id,
        seq: message.seq,
    };
    Some(Notice {
        user_id: sides.other(message.sender_id),
        news,
    })
}

/// A session goes on, or pauses.
pub(crate) fn session(session_id: Uuid, status: SessionStatus, user_ids: &[Uuid]) -> Vec<Notice> {
    let news = News::SessionUpdated {
        session_id,
        status: status.as_str().to_owned(),
        end_reason: None,
    };
    Notice::to_all(user_ids, &news)
}

/// A session is over.
pub(crate) fn ended(session_id: Uuid, reason: EndReason, user_ids: &[Uuid]) -> Vec<Notice> {
    let news = News::SessionUpdated {
        session_id,
        status: SessionStatus::Ended.as_str().to_owned(),
        end_reason: Some(reason.as_str().to_owned()),
    };
    Notice::to_all(user_ids, &news)
}

/// Sessions are near their ends.
pub(crate) fn expiring(endings: &[Ending]) -> Vec<Notice> {
    let of_one = |ending: &Ending| {
        let news = News::SessionExpiring {
            session_id: ending.id,
            expires_at: ending.expires_at,
        };
        Notice::to_all(&[ending.customer_id, ending.mitra_id], &news)
    };
    endings.iter().flat_map(of_one).collect()
}
