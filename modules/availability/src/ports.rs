//! The port that other modules know this one by.

use std::collections::HashMap;

use async_trait::async_trait;
use halobestie_core::pg::{DbError, Tx};
use halobestie_core::ports::{
    Availability, Heartbeat, HeartbeatError, MitraCounts, MitraStanding, Seat, Standing,
};
use halobestie_core::{AfterCommit, Timestamp};
use uuid::Uuid;

use crate::roster::Roster;
use crate::store;

#[async_trait]
impl Availability for Roster {
    async fn reachable(&self, mitra_id: Uuid) -> Result<bool, DbError> {
        self.is_reachable(mitra_id).await
    }

    async fn absent(&self, mitra_ids: &[Uuid]) -> Result<Vec<Uuid>, DbError> {
        store::absent(&self.db, mitra_ids).await
    }

    async fn find_available(&self) -> Result<Vec<Uuid>, DbError> {
        self.find().await
    }

    async fn count_available(&self) -> Result<u64, DbError> {
        Ok(self.count().await?.available)
    }

    async fn counts(&self) -> Result<MitraCounts, DbError> {
        self.mitra_counts().await
    }

    async fn standings(&self, mitra_ids: &[Uuid]) -> Result<HashMap<Uuid, MitraStanding>, DbError> {
        self.standings_of(mitra_ids).await
    }

    async fn standing_so(&self, standing: Standing) -> Result<Vec<Uuid>, DbError> {
        self.all_standing(standing).await
    }

    async fn online_since(&self, mitra_ids: &[Uuid]) -> Result<HashMap<Uuid, Timestamp>, DbError> {
        store::online_since(&self.db, mitra_ids).await
    }

    async fn deactivated_since(&self, since: Timestamp) -> Result<Vec<Uuid>, DbError> {
        store::deactivated_since(&self.db, since).await
    }

    async fn lock_seat(&self, tx: &Tx<'_>, mitra_id: Uuid) -> Result<Option<Seat>, DbError> {
        store::locked_seat(tx, mitra_id).await
    }

    async fn load_changed(&self, mitra_id: Uuid) {
        Roster::load_changed(self, mitra_id).await;
    }

    async fn set_active<'a>(
        &'a self,
        tx: &Tx<'_>,
        mitra_id: Uuid,
        is_active: bool,
    ) -> Result<AfterCommit<'a>, DbError> {
        Roster::set_active(self, tx, mitra_id, is_active).await
    }

    async fn set_max_sessions<'a>(
        &'a self,
        tx: &Tx<'_>,
        mitra_id: Uuid,
        max_sessions: i32,
    ) -> Result<AfterCommit<'a>, DbError> {
        Roster::set_max_sessions(self, tx, mitra_id, max_sessions).await
    }

    async fn heartbeat(&self, mitra_id: Uuid) -> Result<Heartbeat, HeartbeatError> {
        Roster::heartbeat(self, mitra_id).await
    }
}
