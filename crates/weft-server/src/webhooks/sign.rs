//! Signatures of Standard Webhooks: HMAC-SHA256 of number, time and body.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::auth::random;

const PREFIX: &str = "whsec_";
const KEY_BYTES: usize = 32;

/// What deliveries of one webhook are signed with.
pub(crate) struct Key(Vec<u8>);

impl Key {
    /// One that nobody had before.
    pub fn new() -> Self {
        Self(random::<KEY_BYTES>().to_vec())
    }

    /// As it is stored, and shown once.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    /// One that was stored.
    pub fn read(text: &str) -> Option<Self> {
        STANDARD.decode(text.strip_prefix(PREFIX)?).ok().map(Self)
    }

    /// The header that goes with this number, time (in seconds) and body.
    pub fn sign(&self, id: &str, timestamp: u64, body: &[u8]) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    #[test]
    fn signatures_are_those_of_the_standard() {
        let key = Key::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = br#"{"test": 2432232314}"#;
        assert_eq!(
            key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        assert_eq!(Key::read(&Key::new().reveal()).unwrap().0.len(), KEY_BYTES);
        assert!(Key::read("whsec_?").is_none());
        assert!(Key::read("secret").is_none());
    }
}
