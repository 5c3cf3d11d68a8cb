//! Messages as they were sent: in a transcript, and as a report's evidence.

use askama::Template;
use halobestie_core::Timestamp;
use halobestie_core::ports::TranscriptMessage;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::when;
use crate::api::reports::ReportView;
use crate::api::sessions::SessionView;
use crate::names::Named;

/// A message. `{{ message }}` inside of an `<ol class="said">`.
#[derive(Template)]
#[template(path = "pages/said.html")]
pub(crate) struct Said {
    seq: i64,
    /// Their name, or what they are where they have none any more.
    who: String,
    /// `customer` or `mitra`.
    role: String,
    kind: String,
    body: String,
    sent_at: Option<Timestamp>,
}

impl askama::filters::HtmlSafe for Said {}

impl Said {
    /// A message of a session.
    pub(crate) fn new(it: TranscriptMessage, session: &SessionView) -> Self {
        let sides = [&session.customer, &session.mitra];
        let sides = sides.into_iter().chain(&session.former_mitras);
        Self {
            seq: it.seq,
            who: name(sides, it.sender_id, &it.sender_role),
            role: it.sender_role,
            kind: it.kind,
            body: it.body,
            sent_at: Some(it.sent_at),
        }
    }
}

/// A message as it is kept with a report.
#[derive(Deserialize)]
struct Kept {
    seq: i64,
    sender_id: Uuid,
    sender_role: String,
    kind: String,
    #[serde(default)]
    body: String,
    sent_at: Option<String>,
}

/// The messages that are kept with a report.
pub(crate) fn evidence(report: &ReportView) -> Vec<Said> {
    let messages = match &report.evidence {
        Value::Array(messages) => messages.as_slice(),
        _ => &[],
    };
    let kept = messages.iter().filter_map(|it| Kept::deserialize(it).ok());
    let said = kept.map(|it| Said {
        seq: it.seq,
        who: name(
            [&report.reporter, &report.reported],
            it.sender_id,
            &it.sender_role,
        ),
        role: it.sender_role,
        kind: it.kind,
        body: it.body,
        sent_at: it.sent_at.as_deref().and_then(Timestamp::parse),
    });
    said.collect()
}

fn name<'a>(sides: impl IntoIterator<Item = &'a Named>, id: Uuid, role: &str) -> String {
    let found = sides.into_iter().find(|it| it.id == id);
    let name = found.map(|it| it.display_name.clone());
    name.filter(|name| !name.is_empty())
        .unwrap_or_else(|| role.to_owned())
}
