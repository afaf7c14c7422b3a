//! Secrets that the server makes: tokens, invite links, the set-up link.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// 256 bits: nobody guesses one, so that a plain SHA-256 of it may be stored and looked up.
const SECRET_BYTES: usize = 32;

/// A fresh secret, in the letters of base64url. It does not print itself by accident.
pub struct Secret(String);

impl Secret {
    /// A secret that nobody had before.
    ///
    /// # Panics
    /// If the operating system gives no random bytes: nothing can be done safely then.
    #[must_use]
    pub fn new() -> Self {
        Self(URL_SAFE_NO_PAD.encode(random::<SECRET_BYTES>()))
    }

    /// A secret that nobody had before, recognisable by how it begins.
    #[must_use]
    pub fn beginning_with(prefix: &str) -> Self {
        Self(format!("{prefix}{}", Self::new().0))
    }

    /// The secret itself, to be shown once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored of it.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Self::hash_of(&self.0)
    }

    /// What would be stored of it, for a secret that somebody sends.
    #[must_use]
    pub fn hash_of(text: &str) -> [u8; 32] {
        Sha256::digest(text.as_bytes()).into()
    }
}

impl Default for Secret {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Random bytes from the operating system.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}
