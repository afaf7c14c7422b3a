//! What makes a message one that only a browser can read, and that only this server can have sent.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use url::Url;
use web_push_native::{
    encrypt,
    p256::{
        PublicKey,
        ecdsa::{Signature, SigningKey, signature::Signer},
    },
};
use weft_core::Millis;
use weft_store::PushSubscription;

use crate::auth::random;

/// How long a signature holds: half of what push services take.
const SIGNED_SECONDS: u64 = 12 * 60 * 60;
/// Bytes of a point of P-256, uncompressed.
const POINT_BYTES: usize = 65;

/// The key by which push services know this server. Browsers that listen to it listen to no other.
pub(crate) struct PushKey(SigningKey);

impl PushKey {
    /// One that nobody had before.
    pub fn new() -> Self {
        loop {
            // One of some 2^32 is no key of the curve.
            if let Some(key) = Self::read(&random()) {
                return key;
            }
        }
    }

    /// One that was stored.
    pub fn read(secret: &[u8; 32]) -> Option<Self> {
        SigningKey::from_slice(secret).ok().map(Self)
    }

    /// As it is stored.
    pub fn secret(&self) -> [u8; 32] {
        self.0.to_bytes().into()
    }

    /// As browsers are told whom to listen to, in base64url.
    pub fn public(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.verifying_key().to_encoded_point(false).as_bytes())
    }

    /// The header that goes with what is sent to this address now.
    pub fn sign(&self, endpoint: &str, base_url: &str, now: Millis) -> Option<String> {
        let origin = Url::parse(endpoint).ok()?.origin().ascii_serialization();
        let mut claims = json!({"aud": origin, "exp": now / 1000 + SIGNED_SECONDS});
        // Whom the push service may ask about it.
        if base_url.starts_with("https://") {
            claims["sub"] = base_url.into();
        }
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&json!({"typ": "JWT", "alg": "ES256"})), part(&claims));
        let signature: Signature = self.0.sign(signed.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(signature.to_bytes());
        Some(format!("vapid t={signed}.{signature}, k={}", self.public()))
    }
}

/// Whether a browser's key is one.
pub(crate) fn is_point(bytes: &[u8]) -> bool {
    bytes.len() == POINT_BYTES && PublicKey::from_sec1_bytes(bytes).is_ok()
}

/// The message, for the eyes of one browser; `None` if its key is none, or the message is too long.
pub(super) fn seal(message: Vec<u8>, to: &PushSubscription) -> Option<Vec<u8>> {
    let key = PublicKey::from_sec1_bytes(&to.public_key).ok()?;
    encrypt(message, &key, &to.auth.into()).ok()
}

#[cfg(test)]
mod tests {
    use web_push_native::{
        decrypt,
        p256::{SecretKey, ecdsa::signature::Verifier},
    };

    use super::*;

    #[test]
    fn only_the_browser_reads_it() {
        let secret = SecretKey::from_slice(&[7; 32]).unwrap();
        let public_key = secret.public_key().to_sec1_bytes();
        assert!(is_point(&public_key));
        let endpoint = "https://push.example.org/1".to_owned();
        let to = PushSubscription { endpoint, public_key: public_key.into(), auth: [9; 16] };
        let sealed = seal(b"told".to_vec(), &to).unwrap();
        assert_eq!(decrypt(sealed.clone(), &secret, &[9; 16].into()).unwrap(), b"told");
        assert!(decrypt(sealed.clone(), &secret, &[8; 16].into()).is_err());
        let other = SecretKey::from_slice(&[8; 32]).unwrap();
        assert!(decrypt(sealed, &other, &[9; 16].into()).is_err());
        let nobody = PushSubscription { public_key: vec![4; 65], ..to };
        assert!(!is_point(&nobody.public_key) && seal(b"told".to_vec(), &nobody).is_none());
    }

    #[test]
    fn the_signature_says_to_whom_and_until_when() {
        let key = PushKey::read(&[7; 32]).unwrap();
        assert_eq!(PushKey::read(&key.secret()).unwrap().public(), key.public());
        let sign =
            |base_url| key.sign("https://push.example.org:8443/a/b?c", base_url, 5_000).unwrap();
        let header = sign("https://weft.example.org");
        let (token, public) = header.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
        assert_eq!(public, key.public());
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let signature = Signature::from_slice(&signature).unwrap();
        key.0.verifying_key().verify(signed.as_bytes(), &signature).unwrap();
        let claims = |header: &str| {
            let claims = header.split('.').nth(1).unwrap();
            let claims = URL_SAFE_NO_PAD.decode(claims).unwrap();
            serde_json::from_slice::<serde_json::Value>(&claims).unwrap()
        };
        let origin = "https://push.example.org:8443";
        let until = 5 + SIGNED_SECONDS;
        let told = json!({"aud": origin, "exp": until, "sub": "https://weft.example.org"});
        assert_eq!(claims(&header), told);
        assert_eq!(claims(&sign("http://127.0.0.1:8080")), json!({"aud": origin, "exp": until}));
    }
}
