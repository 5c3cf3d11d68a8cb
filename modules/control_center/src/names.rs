//! People by the names that they have now, many at once.

use std::collections::HashMap;

use halobestie_core::Problem;
use halobestie_core::ports::Person;
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
    /// Whether the account is closed, so that there is nothing more to see of it.
    pub(crate) is_closed: bool,
}

/// The names of people.
pub(crate) struct Names(HashMap<Uuid, Person>);

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
            names.extend(people);
        }
        Ok(Self(names))
    }

    /// Somebody by name; by no name where there is none.
    pub(crate) fn named(&self, id: Uuid) -> Named {
        let person = self.0.get(&id);
        Named {
            id,
            display_name: person.map_or_else(String::new, |it| it.display_name.clone()),
            is_closed: person.is_none_or(|it| it.is_closed),
        }
    }
}
