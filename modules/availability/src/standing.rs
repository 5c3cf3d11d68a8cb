//! What others decide about a mitra: whether it may work at all, and how much. Written into their
//! transaction, shown and told once that is committed.

use std::error::Error;

use halobestie_core::AfterCommit;
use halobestie_core::pg::{DbError, Tx};
use tracing::warn;
use uuid::Uuid;

use crate::mitra::Mitra;
use crate::roster::{Roster, Unshown};
use crate::store;

impl Roster {
    /// Says whether a mitra may work; one that may not is set offline.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub(crate) async fn set_active(
        &self,
        tx: &Tx<'_>,
        id: Uuid,
        is_active: bool,
    ) -> Result<AfterCommit<'_>, DbError> {
        let (max_sessions, now) = (self.max_sessions_default, self.clock.now());
        let mitra = store::set_active(tx, id, is_active, max_sessions, now).await?;
        Ok(self.once_committed(mitra))
    }

    /// Says how many sessions a mitra may have at once.
    ///
    /// # Errors
    /// When Postgres does not answer, or refuses the number.
    pub(crate) async fn set_max_sessions(
        &self,
        tx: &Tx<'_>,
        id: Uuid,
        max_sessions: i32,
    ) -> Result<AfterCommit<'_>, DbError> {
        let mitra = store::set_max_sessions(tx, id, max_sessions, self.clock.now()).await?;
        Ok(self.once_committed(mitra))
    }

    fn once_committed(&self, mitra: Mitra) -> AfterCommit<'_> {
        let unshown = Unshown::new(&self.mirror);
        AfterCommit::new(async move {
            let id = mitra.id;
            if let Err(error) = self.show_change(mitra, unshown).await {
                let error = &error as &dyn Error;
                warn!(mitra.id = %id, error, "cannot show a decision about a mitra; a reseed will");
            }
        })
    }
}
