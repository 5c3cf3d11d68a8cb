//! Passwords of admins: bcrypt, off the async threads, at most as many at once as there are cores, and
//! a bounded number waiting.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::thread::available_parallelism;

use halobestie_core::BoxError;
use halobestie_core::entropy::Entropy;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// Bytes of a password: bcrypt reads no more than 72, the last of them a NUL.
pub(crate) const LENGTHS: RangeInclusive<usize> = 8..=71;

/// How many may wait for each core: some seconds of work at the usual cost.
const WAITING_PER_CORE: usize = 16;

/// Salt and hash of no password at all.
const NOBODY: &str = "abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZabcde";

/// Why a password was neither hashed nor checked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PasswordError {
    /// Too many wait already.
    #[error("too many passwords are waiting to be checked")]
    Busy,
    /// bcrypt cannot work with the password or the stored hash.
    #[error("bcrypt failed")]
    Broken(#[source] BoxError),
}

/// Hashes and checks passwords.
#[derive(Clone)]
pub(crate) struct Passwords {
    cost: u32,
    cores: Arc<Semaphore>,
    places: Arc<Semaphore>,
    // Compared with where there is no such account, so that it takes as long.
    nobody: Arc<str>,
}

impl Passwords {
    /// New hashes have this cost.
    pub(crate) fn new(cost: u32) -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self {
            cost,
            cores: Arc::new(Semaphore::new(cores)),
            places: Arc::new(Semaphore::new(cores * (1 + WAITING_PER_CORE))),
            nobody: format!("$2b${cost:02}${NOBODY}").into(),
        }
    }

    /// The hash to keep of a password.
    ///
    /// # Errors
    /// When the password is longer than bcrypt reads, or too many wait.
    pub(crate) async fn hash(
        &self,
        password: SecretString,
        entropy: &Entropy,
    ) -> Result<String, PasswordError> {
        let (cost, salt) = (self.cost, entropy.bytes());
        let hash = self
            .blocking(move || {
                bcrypt::non_truncating_hash_with_salt(password.expose_secret(), cost, salt)
            })
            .await?
            .map_err(|error| PasswordError::Broken(error.into()))?;
        Ok(hash.to_string())
    }

    /// Whether this is the password that `kept` was made of. Takes as long where there is no hash.
    ///
    /// # Errors
    /// When the stored hash is no hash, or too many wait.
    pub(crate) async fn is_right(
        &self,
        password: SecretString,
        kept: Option<String>,
    ) -> Result<bool, PasswordError> {
        let is_known = kept.is_some();
        let kept = kept.unwrap_or_else(|| self.nobody.to_string());
        // bcrypt would take a longer password for its first bytes.
        let fits = password.expose_secret().len() <= *LENGTHS.end();
        let fitting = self
            .blocking(move || bcrypt::verify(password.expose_secret(), &kept))
            .await?
            .map_err(|error| PasswordError::Broken(error.into()))?;
        Ok(fitting && fits && is_known)
    }

    /// Whether a hash has another cost than new ones, so that it should be made anew while the password
    /// is at hand: until then its account is known by how long it takes.
    pub(crate) fn is_outdated(&self, kept: &str) -> bool {
        let cost = kept.split('$').nth(2).and_then(|cost| cost.parse().ok());
        cost != Some(self.cost)
    }

    /// Runs CPU work once a core is free. The permits go along, because the work goes on when the
    /// request that asked for it is dropped.
    async fn blocking<T, F>(&self, work: F) -> Result<T, PasswordError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let broken = |error: BoxError| PasswordError::Broken(error);
        let place = self.places.clone().try_acquire_owned();
        let place = place.map_err(|_| PasswordError::Busy)?;
        let core = self.cores.clone().acquire_owned().await;
        let core = core.map_err(|error| broken(error.into()))?;
        let task = spawn_blocking(move || {
            let result = work();
            drop((core, place));
            result
        });
        task.await.map_err(|error| broken(error.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passwords() -> Passwords {
        Passwords::new(4)
    }

    async fn kept(password: &str) -> Option<String> {
        Some(
            passwords()
                .hash(password.into(), &Entropy::seeded(1))
                .await
                .unwrap(),
        )
    }

    async fn is_right(password: &str, kept: Option<String>) -> bool {
        passwords().is_right(password.into(), kept).await.unwrap()
    }

    #[tokio::test]
    async fn only_the_password_itself_is_right() {
        let kept = kept("correct horse").await;
        assert!(is_right("correct horse", kept.clone()).await);
        assert!(!is_right("correct horses", kept.clone()).await);
        assert!(!is_right("", kept).await);
    }

    #[test]
    fn a_hash_of_another_cost_is_outdated() {
        let rest = "$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZabcde";
        assert!(!passwords().is_outdated(&format!("$2b$04{rest}")));
        assert!(passwords().is_outdated(&format!("$2b$12{rest}")));
        assert!(passwords().is_outdated("no hash"));
    }

    #[tokio::test]
    async fn who_finds_no_place_is_told_at_once() {
        let passwords = passwords();
        let places = passwords.places.available_permits();
        let all = u32::try_from(places).unwrap();
        let taken = passwords.places.clone().try_acquire_many_owned(all);
        let refused = passwords.is_right("x".into(), None).await;
        assert!(matches!(refused, Err(PasswordError::Busy)));
        drop(taken);
        assert!(!passwords.is_right("x".into(), None).await.unwrap());
        assert_eq!(passwords.places.available_permits(), places);
    }

    #[tokio::test]
    async fn nobody_has_a_password() {
        // Also proves that the hash compared with is one that bcrypt reads.
        assert!(!is_right("", None).await);
        assert!(!is_right("correct horse", None).await);
    }

    #[tokio::test]
    async fn nothing_is_cut_off() {
        let longest = "x".repeat(*LENGTHS.end());
        let kept = kept(&longest).await;
        assert!(is_right(&longest, kept.clone()).await);
        assert!(!is_right(&format!("{longest}y"), kept).await);
        assert!(
            passwords()
                .hash("x".repeat(LENGTHS.end() + 1).into(), &Entropy::seeded(1))
                .await
                .is_err()
        );
    }
}
