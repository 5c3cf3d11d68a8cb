//! How often passwords may be tried.
//!
//! Three counts, each of a quarter of an hour: for one account from one network, for all accounts from
//! one network, and for one account from all networks that are strange to it. The last stops guessing
//! from many places, and would let anybody lock an account; so it does not hold where the right
//! password has come from before. The invariant: whoever knows the password and comes from a known
//! network is never refused for what strangers do elsewhere.

use std::net::IpAddr;
use std::time::Duration;

use halobestie_core::Timestamp;
use halobestie_core::http::network_of;
use halobestie_core::pg::{DbError, Query};

use crate::error::AuthError;
use crate::keys::{Hash, Keys, Purpose};
use crate::state::State;
use crate::store::known_networks;
use crate::store::login_failures::{self, Scope};

/// From a window's first try to its end.
const WINDOW: Duration = Duration::from_secs(15 * 60);
/// Tries for one account from one network, in a window, until one is right.
const PAIR_MAX: i32 = 5;
/// For one account from all strange networks together.
const STRANGERS_MAX: i32 = 20;
/// For all accounts from one network. It bounds the rows that one network can make, too.
const NETWORK_MAX: i32 = 50;
/// How long a network is known after the right password came from there.
pub(crate) const NETWORK_KNOWN: Duration = Duration::from_secs(90 * 24 * 3600);

/// A try, and what it is counted with.
pub(crate) struct Throttle {
    account_hash: Hash,
    network: String,
    network_hash: Hash,
}

/// What is remembered of a try that was let through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Admitted {
    is_stranger: bool,
}

/// By what the tries for an account are known.
pub(crate) fn account_hash(keys: &Keys, email: &str) -> Hash {
    keys.hash(Purpose::Contact, &[email.as_bytes()])
}

impl Throttle {
    /// A try for this email (lower case) from this address.
    pub(crate) fn new(keys: &Keys, email: &str, address: IpAddr) -> Self {
        let network = network_of(address).to_string();
        Self {
            account_hash: account_hash(keys, email),
            network_hash: keys.hash(Purpose::Contact, &[network.as_bytes()]),
            network,
        }
    }

    /// Counts the try before it is made, so that many at once cannot slip under a limit. Does the same
    /// whether or not there is such an account.
    ///
    /// # Errors
    /// When there were too many, or Postgres does not answer.
    pub(crate) async fn admit(&self, state: &State, now: Timestamp) -> Result<Admitted, AuthError> {
        let Self {
            account_hash,
            network,
            network_hash,
        } = self;
        count(state, Scope::Network(network), NETWORK_MAX, now).await?;
        count(state, Scope::Pair(account_hash, network), PAIR_MAX, now).await?;
        let since = now - NETWORK_KNOWN;
        let is_known =
            known_networks::is_known(&state.db, account_hash, network_hash, since).await?;
        if !is_known {
            count(state, Scope::Strangers(account_hash), STRANGERS_MAX, now).await?;
        }
        Ok(Admitted {
            is_stranger: !is_known,
        })
    }

    /// The password was right: its wrong ones from here are forgotten, and from here it may come again
    /// whatever strangers do.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub(crate) async fn was_right(
        &self,
        tx: &impl Query,
        admitted: Admitted,
        now: Timestamp,
    ) -> Result<(), DbError> {
        let Self {
            account_hash,
            network,
            network_hash,
        } = self;
        login_failures::forget(tx, Scope::Pair(account_hash, network)).await?;
        login_failures::take_back(tx, Scope::Network(network)).await?;
        if admitted.is_stranger {
            login_failures::take_back(tx, Scope::Strangers(account_hash)).await?;
        }
        known_networks::remember(tx, account_hash, network_hash, now).await
    }
}

async fn count(
    state: &State,
    scope: Scope<'_>,
    tries_max: i32,
    now: Timestamp,
) -> Result<(), AuthError> {
    let tries = login_failures::count(&state.db, scope, now, now - WINDOW).await?;
    if tries.count > tries_max {
        let wait = (tries.window_started_at + WINDOW).since(now);
        return Err(AuthError::LoginRateLimited { wait });
    }
    Ok(())
}
