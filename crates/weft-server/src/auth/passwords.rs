//! Passwords: hashed with argon2id, a few at a time, away from the threads that serve sockets.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::Semaphore;

use crate::{config::Limits, http::ApiError};

/// What those are told who come when too many passwords wait to be checked, in milliseconds.
const BUSY_RETRY_MS: u64 = 2_000;

/// Hashes and checks passwords.
pub struct Passwords {
    turns: Arc<Semaphore>,
    waiting: AtomicU64,
    waiting_max: u64,
    /// How many were checked, right, wrong or nobody's.
    checked: AtomicU64,
    /// Checked when there is no such person, so that the answer takes as long.
    nobody: String,
}

impl Passwords {
    /// Takes as long as one check.
    pub fn new(limits: &Limits) -> Self {
        let at_once = usize::try_from(limits.password_checks_at_once).unwrap_or(usize::MAX);
        Self {
            turns: Arc::new(Semaphore::new(at_once.min(Semaphore::MAX_PERMITS))),
            waiting: AtomicU64::new(0),
            waiting_max: limits.password_checks_waiting_max,
            checked: AtomicU64::new(0),
            nobody: hash("nobody has this password"),
        }
    }

    /// The password's hash, in PHC format.
    ///
    /// # Errors
    /// [`ApiError::TooManyAttempts`] if too many wait already.
    pub async fn hash(&self, password: String) -> Result<String, ApiError> {
        self.in_turn(move || hash(&password)).await
    }

    /// Whether the password is the one of `hash`; with `None` it is not, after as long a time.
    ///
    /// # Errors
    /// [`ApiError::TooManyAttempts`] if too many wait already.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, ApiError> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobody.clone());
        let same = self.in_turn(move || verify(&password, &hash)).await?;
        self.checked.fetch_add(1, Ordering::Relaxed);
        Ok(known && same)
    }

    /// How many passwords have been checked since the start.
    pub fn checked(&self) -> u64 {
        self.checked.load(Ordering::Relaxed)
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let place = Place::take(&self.waiting, self.waiting_max)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.expect("nobody closes the semaphore");
        drop(place);
        // The turn moves along: a caller that hangs up does not let more run at once.
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        Ok(done.await.expect("hashing does not panic, and nothing cancels it"))
    }
}

/// A place in the queue, left on drop.
struct Place<'a>(&'a AtomicU64);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicU64, max: u64) -> Result<Self, ApiError> {
        let before = waiting.fetch_add(1, Ordering::Relaxed);
        let place = Self(waiting);
        if before < max {
            Ok(place)
        } else {
            Err(ApiError::TooManyAttempts { retry_ms: BUSY_RETRY_MS })
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn hash(password: &str) -> String {
    let hash: PasswordHash = Argon2::default()
        .hash_password(password.as_bytes())
        .expect("default parameters are valid and the system gives random bytes");
    hash.to_string()
}

fn verify(password: &str, hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else {
        tracing::error!("a stored password hash cannot be read");
        return false;
    };
    Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_hashed_with_argon2id_and_a_salt() {
        let (one, other) = (hash("correct horse"), hash("correct horse"));
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, other);
        assert!(verify("correct horse", &one));
        assert!(!verify("correct horse ", &one));
        assert!(!verify("correct horse", "nonsense"));
    }
}
