//! Erasing what is personal when an account is closed.
//!
//! Whoever keeps something of a person that must go with the account adds an [`Erasure`] while it is
//! built. They all run in the transaction that closes the account, so there is no moment at which an
//! account is closed and something of it is left.

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use uuid::Uuid;

use crate::pg::{DbError, Tx};

/// Somebody whose account is being closed.
#[derive(Clone, Copy)]
pub struct Leaver<'a> {
    /// Who.
    pub user_id: Uuid,
    /// Their phone, E.164.
    pub phone: Option<&'a str>,
    /// Their email, lower case.
    pub email: Option<&'a str>,
}

/// Knows where something of a person is kept.
#[async_trait]
pub trait Erasure: Send + Sync {
    /// Erases it in `tx`. Runs before the account's own row is locked, as a sign-in takes its proof
    /// before it locks the account; so the two never wait for each other in a circle.
    ///
    /// # Errors
    /// When Postgres does not answer; the account then stays open.
    async fn erase(&self, tx: &Tx<'_>, leaver: Leaver<'_>) -> Result<(), DbError>;
}

/// Every erasure, in the order in which modules were built. Clones share the list.
#[derive(Clone, Default)]
pub struct Erasures(Arc<RwLock<Vec<Arc<dyn Erasure>>>>);

impl Erasures {
    /// Adds one, while modules are built.
    pub fn add(&self, erasure: Arc<dyn Erasure>) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.push(erasure);
    }

    /// Runs all of them.
    ///
    /// # Errors
    /// The first that failed.
    pub async fn run(&self, tx: &Tx<'_>, leaver: Leaver<'_>) -> Result<(), DbError> {
        let all = self
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for erasure in all {
            erasure.erase(tx, leaver).await?;
        }
        Ok(())
    }
}
