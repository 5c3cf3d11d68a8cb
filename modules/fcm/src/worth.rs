//! What a push is worth: until when it is sent, how urgent it is, and what it takes the place of. Pure.

use std::time::Duration;

use halobestie_core::Timestamp;
use halobestie_core::ports::News;

/// How long a message waits before live sockets are asked for it. They have a second to answer: after
/// three it is known whether any has.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

const MINUTES: u64 = 60;
const HOURS: u64 = 3600;

/// When it is looked at: messages once live sockets had their time, the rest at once.
pub(crate) fn due(news: &News, at: Timestamp) -> Timestamp {
    match news {
        News::MessageNew { .. } => at + PATIENCE,
        _ => at,
    }
}

/// From when it is not worth telling any more.
pub(crate) fn ends(news: &News, at: Timestamp) -> Timestamp {
    let after = |seconds| at + Duration::from_secs(seconds);
    match news {
        News::OfferNew { expires_at, .. } | News::SessionExpiring { expires_at, .. } => *expires_at,
        // As long as an offer that cannot be accepted may lie on a screen.
        News::OfferGone { .. } => after(10 * MINUTES),
        News::MessageNew { .. } | News::SessionUpdated { .. } => after(HOURS),
        News::PaymentUpdated { expires_at, .. } => {
            expires_at.map_or(after(24 * HOURS), |it| it.min(after(24 * HOURS)))
        }
    }
}

/// Whether a sleeping device is to be woken for it: it is shown, and cannot wait.
pub(crate) const fn is_urgent(news: &News) -> bool {
    !matches!(news, News::OfferGone { .. })
}

/// What it takes the place of on a device: pushes with the same name. At most 64 bytes.
pub(crate) fn place(news: &News) -> String {
    match news {
        News::OfferNew { request_id, .. } | News::OfferGone { request_id, .. } => {
            format!("offer:{request_id}")
        }
        News::MessageNew { session_id, .. } => format!("messages:{session_id}"),
        News::SessionExpiring { session_id, .. } | News::SessionUpdated { session_id, .. } => {
            format!("session:{session_id}")
        }
        News::PaymentUpdated { payment_id, .. } => format!("payment:{payment_id}"),
    }
}
