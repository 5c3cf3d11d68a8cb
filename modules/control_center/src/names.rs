//! People by the names that they have now, many at once.

use std::collections::HashMap;

use halobestie_core::Problem;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::state::State;

/// As many as a port takes at once.
const AT_ONCE: usize = 1000;

/// Somebody, by name.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = control_center::Named)]
pub(crate) struct Named {
    /// Who.
    pub(crate) id: Uuid,
    /// What they are called now.
    pub(crate) display_name: String,
}

/// The names of people.
pub(crate) struct Names(HashMap<Uuid, String>);

impl Names {
    /// Reads the names of these people.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub(crate) async fn of(
        state: &State,
        ids: impl IntoIterator<Item = Uuid>,
    ) -> Result<Self, Problem> {
        let mut ids: Vec<Uuid> = ids.into_iter().collect();
        ids.sort_unstable();
        ids.dedup();
        let mut names = HashMap::with_capacity(ids.len());
        for ids in ids.chunks(AT_ONCE) {
            let people = state.directory.people(ids).await?;
            names.extend(people.into_iter().map(|(id, it)| (id, it.display_name)));
        }
        Ok(Self(names))
    }

    /// Somebody by name; by no name where there is none.
    pub(crate) fn named(&self, id: Uuid) -> Named {
        Named {
            id,
            display_name: self.0.get(&id).cloned().unwrap_or_default(),
        }
    }
}
