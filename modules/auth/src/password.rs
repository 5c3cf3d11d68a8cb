//! Passwords of admins: bcrypt, off the async threads, at most as many at once as there are cores.

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

/// Salt and hash of no password at all.
const NOBODY: &str = "abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZabcde";

/// Hashes and checks passwords.
#[derive(Clone)]
pub(crate) struct Passwords {
    cost: u32,
    slots: Arc<Semaphore>,
    // Compared with where there is no such account, so that it takes as long.
    nobody: Arc<str>,
}

impl Passwords {
    /// New hashes have this cost.
    pub(crate) fn new(cost: u32) -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self {
            cost,
            slots: Arc::new(Semaphore::new(cores)),
            nobody: format!("$2b${cost:02}${NOBODY}").into(),
        }
    }

    /// The hash to keep of a password.
    ///
    /// # Errors
    /// When the password is longer than bcrypt reads.
    pub(crate) async fn hash(
        &self,
        password: SecretString,
        entropy: &Entropy,
    ) -> Result<String, BoxError> {
        let (cost, salt) = (self.cost, entropy.bytes());
        let hash = self
            .blocking(move || {
                bcrypt::non_truncating_hash_with_salt(password.expose_secret(), cost, salt)
            })
            .await??;
        Ok(hash.to_string())
    }

    /// Whether this is the password that `kept` was made of. Takes as long where there is no hash.
    ///
    /// # Errors
    /// When the stored hash is no hash.
    pub(crate) async fn is_right(
        &self,
        password: SecretString,
        kept: Option<String>,
    ) -> Result<bool, BoxError> {
        let is_known = kept.is_some();
        let kept = kept.unwrap_or_else(|| self.nobody.to_string());
        // bcrypt would take a longer password for its first bytes.
        let fits = password.expose_secret().len() <= *LENGTHS.end();
        let fitting = self
            .blocking(move || bcrypt::verify(password.expose_secret(), &kept))
            .await??;
        Ok(fitting && fits && is_known)
    }

    /// Runs CPU work once a core is free. The permit goes along, because the work goes on when the
    /// request that asked for it is dropped.
    async fn blocking<T, F>(&self, work: F) -> Result<T, BoxError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let permit = self.slots.clone().acquire_owned().await?;
        let task = spawn_blocking(move || {
            let result = work();
            drop(permit);
            result
        });
        Ok(task.await?)
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
