//! One mitra: as it is, as it is shown, and the difference in words.

use halobestie_core::Timestamp;
use uuid::Uuid;

use super::shown::Row;
use crate::mitra::MitraState;

/// How one mitra is shown otherwise than it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Compared {
    pub(super) id: Uuid,
    /// Facts that are wrong.
    pub(super) wrong: Vec<String>,
    /// A heartbeat that is missing, left over, or known otherwise among the free.
    pub(super) heartbeat: Option<String>,
}

impl Compared {
    pub(super) fn is_same(&self) -> bool {
        self.wrong.is_empty() && self.heartbeat.is_none()
    }
}

/// Compares a mitra with what is shown of it.
pub(super) fn compare(state: &MitraState, row: &Row) -> Compared {
    let (id, mitra) = (state.mitra.id, &state.mitra);
    let wrong = [
        membership("mitras:online", row.is_online, mitra.is_online),
        membership("mitras:deactivated", row.is_deactivated, !mitra.is_active),
        membership("mitras:free", row.free_at.is_some(), state.is_open()),
        value("mitra:capacity", row.capacity.as_deref(), state.in_use),
        value(
            "mitras:max_sessions",
            row.max_sessions.as_deref(),
            mitra.max_sessions,
        ),
        value("mitras:version", row.version.as_deref(), mitra.version),
    ];
    let heartbeat = heartbeat(row, state.has_heartbeat());
    Compared {
        id,
        wrong: wrong
            .into_iter()
            .flatten()
            .map(|difference| format!("{id}: {difference}"))
            .collect(),
        heartbeat: heartbeat.map(|difference| format!("{id}: {difference}")),
    }
}

fn heartbeat(row: &Row, belongs: bool) -> Option<String> {
    match (&row.heartbeat, belongs) {
        (Some(_), false) => Some("mitra:heartbeat is left over".to_owned()),
        (None, true) => Some("mitra:heartbeat is missing".to_owned()),
        (Some(shown), true) => {
            let free_at = row.free_at?;
            #[expect(clippy::cast_precision_loss, reason = "instants are far below 2^53 ms")]
            let is_same = Timestamp::parse(shown).is_some_and(|at| at.unix_ms() as f64 == free_at);
            (!is_same).then(|| "mitras:free has another heartbeat".to_owned())
        }
        (None, false) => None,
    }
}

fn membership(key: &str, is_member: bool, belongs: bool) -> Option<String> {
    match (is_member, belongs) {
        (false, true) => Some(format!("is not in {key} and should be")),
        (true, false) => Some(format!("is in {key} and should not be")),
        _ => None,
    }
}

fn value(key: &str, shown: Option<&str>, truth: impl ToString) -> Option<String> {
    let truth = truth.to_string();
    match shown {
        Some(shown) if shown == truth => None,
        // Whatever stands there is somebody's mistake and may be long.
        Some(shown) => Some(format!("{key} is {shown:.20} and should be {truth}")),
        None => Some(format!("{key} is missing and should be {truth}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mitra::Mitra;

    fn state() -> MitraState {
        MitraState {
            mitra: Mitra {
                id: Uuid::nil(),
                is_online: true,
                is_active: true,
                max_sessions: 3,
                last_heartbeat_at: None,
                version: 7,
            },
            in_use: 1,
        }
    }

    fn row() -> Row {
        Row {
            is_online: true,
            is_deactivated: false,
            capacity: Some("1".into()),
            heartbeat: Some("2026-01-15T08:00:00.250Z".into()),
            free_at: Some(1_768_464_000_250.0),
            max_sessions: Some("3".into()),
            version: Some("7".into()),
        }
    }

    #[test]
    fn a_mitra_that_is_shown_as_it_is_does_not_differ() {
        assert!(compare(&state(), &row()).is_same());
    }

    #[test]
    fn every_fact_is_compared() {
        let nothing = Row {
            is_online: false,
            is_deactivated: true,
            capacity: None,
            heartbeat: None,
            free_at: None,
            max_sessions: Some("4".into()),
            version: None,
        };
        let compared = compare(&state(), &nothing);
        let wrong = compared.wrong.join("\n");
        for expected in [
            "is not in mitras:online",
            "is in mitras:deactivated",
            "is not in mitras:free",
            "mitra:capacity is missing and should be 1",
            "mitras:max_sessions is 4 and should be 3",
            "mitras:version is missing",
        ] {
            assert!(wrong.contains(expected), "{expected}: {wrong}");
        }
        assert!(compared.heartbeat.is_some_and(|it| it.contains("missing")));
    }

    #[test]
    fn a_heartbeat_of_somebody_offline_is_left_over_and_no_wrong_fact() {
        let mut state = state();
        state.mitra.is_online = false;
        let row = Row {
            is_online: false,
            free_at: None,
            ..row()
        };
        let compared = compare(&state, &row);
        assert!(compared.wrong.is_empty());
        assert!(
            compared
                .heartbeat
                .is_some_and(|it| it.contains("left over"))
        );
    }

    #[test]
    fn the_free_stand_at_their_heartbeats() {
        let row = Row {
            free_at: Some(1_768_464_000_000.0),
            ..row()
        };
        let compared = compare(&state(), &row);
        assert!(compared.wrong.is_empty());
        assert!(compared.heartbeat.is_some_and(|it| it.contains("another")));
    }
}
