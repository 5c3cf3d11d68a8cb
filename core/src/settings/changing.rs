//! Settings as the control center lists and changes them.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Settings;
use crate::after_commit::AfterCommit;
use crate::bus::Bus;
use crate::pg::{Db, DbError, Query, Tx};
use crate::ports::AdminRole;
use crate::timestamp::Timestamp;

/// A setting with its value.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SettingRow {
    /// Its name.
    pub key: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// Who may change it.
    pub changed_by: AdminRole,
    /// A JSON schema of the value.
    pub schema: Value,
    /// The value unless somebody sets another.
    pub default: Value,
    /// The value.
    pub value: Value,
    /// When it was set; null while it is the default.
    pub updated_at: Option<Timestamp>,
    /// The admin who set it; null for nobody.
    pub updated_by: Option<Uuid>,
}

/// A new value, checked by [`Settings::check`].
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// The setting.
    pub key: &'a str,
    /// Its new value.
    pub value: &'a Value,
    /// The admin who sets it.
    pub by: Uuid,
    /// When.
    pub at: Timestamp,
}

impl Settings {
    /// Every declared setting as Postgres has it, by key.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn list(&self, db: &impl Query) -> Result<Vec<SettingRow>, DbError> {
        const SQL: &str = "SELECT key, value, updated_at, updated_by FROM app_config";
        let stored = db.rows(SQL, &[]).await?;
        let declared = self.lock();
        let rows = declared.iter().map(|(key, it)| {
            let row = stored.iter().find(|row| row.get::<_, &str>("key") == *key);
            SettingRow {
                key,
                description: it.description,
                changed_by: it.changed_by,
                schema: it.schema.clone(),
                default: it.default.clone(),
                value: row.map_or_else(|| it.default.clone(), |row| row.get("value")),
                updated_at: row.map(|row| row.get("updated_at")),
                updated_by: row.and_then(|row| row.get("updated_by")),
            }
        });
        Ok(rows.collect())
    }

    /// Who may change a setting; `None` when nobody declared it.
    pub fn changed_by(&self, key: &str) -> Option<AdminRole> {
        self.lock().get(key).map(|declared| declared.changed_by)
    }

    /// Sets a value in `tx`, which locks its row; what it was before. Every process has it within a
    /// second once the returned is run, this one at once, and within half a minute should it be dropped.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn set<'a>(
        &'a self,
        tx: &Tx<'_>,
        change: Change<'a>,
        (db, bus): (&'a Db, &'a Bus),
    ) -> Result<(Value, AfterCommit<'a>), DbError> {
        let default = self.lock().get(change.key).map(|it| it.default.clone());
        let default = default.unwrap_or(Value::Null);
        let before = locked(tx, change.key, &default).await?;
        write(tx, change).await?;
        let after = AfterCommit::new(async move {
            // Where Postgres fails now, the refresh of every half a minute does it.
            let _ = self.refresh(db).await;
            self.announce(bus, change.key);
        });
        Ok((before, after))
    }
}

/// The value of a row that is locked until the transaction ends; one that is missing is made first, so
/// that two who set it at once follow each other.
async fn locked(tx: &Tx<'_>, key: &str, default: &Value) -> Result<Value, DbError> {
    const MAKE: &str =
        "INSERT INTO app_config (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING";
    const LOCK: &str = "SELECT value FROM app_config WHERE key = $1 FOR UPDATE";
    tx.execute(MAKE, &[&key, default]).await?;
    Ok(tx.row(LOCK, &[&key]).await?.get("value"))
}

async fn write(tx: &Tx<'_>, change: Change<'_>) -> Result<(), DbError> {
    const SQL: &str =
        "UPDATE app_config SET value = $2, updated_by = $3, updated_at = $4 WHERE key = $1";
    let Change { key, value, by, at } = change;
    tx.execute(SQL, &[&key, value, &by, &at]).await?;
    Ok(())
}
