//! Codes of a second factor (TOTP, RFC 6238), and the recovery codes that stand in for them.

use weft_core::Millis;

use super::{Secret, random};

/// How many recovery codes somebody gets.
pub const RECOVERY_CODES: usize = 10;
/// What authenticator apps call us.
const ISSUER: &str = "Weft";
/// Letters and digits that are not taken for one another: 5 bits each.
const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
/// 80 bits, so that a plain SHA-256 may be stored.
const RECOVERY_LETTERS: usize = 16;

/// What codes follow from: six digits every 30 s, as all authenticator apps make them.
pub struct Totp(totp_rs::Totp);

impl Totp {
    /// A secret that nobody had before.
    pub fn fresh(username: &str) -> Self {
        Self::of(random::<20>().to_vec(), username)
    }

    /// That of a stored secret.
    pub fn of(secret: Vec<u8>, username: &str) -> Self {
        let totp = totp_rs::Builder::new()
            .with_secret(secret)
            .with_issuer(Some(ISSUER))
            .with_account_name(username)
            .build();
        Self(totp.expect("secrets have 20 bytes, and user names no colon"))
    }

    /// What is stored.
    pub fn secret(&self) -> &[u8] {
        self.0.secret().as_bytes()
    }

    /// The secret as people type it.
    pub fn letters(&self) -> String {
        self.0.secret().to_base32()
    }

    /// The secret as authenticator apps read it from a picture.
    pub fn uri(&self) -> String {
        self.0.to_url().expect("user names are not empty and have no colon")
    }

    /// The step of time that this code belongs to, if it is one of now or of 30 s before or after.
    /// Compared in constant time.
    pub fn step_of(&self, code: &str, now: Millis) -> Option<u64> {
        self.0.check(code, now / 1000)
    }
}

/// What stands in for a code, once.
pub struct RecoveryCode(String);

impl RecoveryCode {
    /// One that nobody had before.
    pub fn fresh() -> Self {
        let letter = |byte: u8| char::from(LETTERS[usize::from(byte & 31)]);
        Self(random::<RECOVERY_LETTERS>().into_iter().map(letter).collect())
    }

    /// What somebody has typed, however they wrote it.
    pub fn typed(text: &str) -> Self {
        let letters = text.chars().filter(char::is_ascii_alphanumeric);
        Self(letters.map(|letter| letter.to_ascii_lowercase()).collect())
    }

    /// What is stored of it.
    pub fn hash(&self) -> [u8; 32] {
        Secret::hash_of(&self.0)
    }

    /// In groups of four, to be shown once.
    pub fn reveal(&self) -> String {
        self.0.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join("-")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B, of which six digits are used.
        let totp = Totp::of(b"12345678901234567890".to_vec(), "林月");
        for (seconds, code) in
            [(1_234_567_890_u64, "005924"), (1_111_111_109, "081804"), (20_000_000_000, "353130")]
        {
            let step = seconds / 30;
            let steps = [-60_000, -30_000, 0, 30_000, 60_000]
                .map(|off| totp.step_of(code, (seconds * 1000).saturating_add_signed(off)));
            assert_eq!(steps, [None, Some(step), Some(step), Some(step), None], "{seconds}");
        }
        for bad in ["", "28708", "2870822", "28708x", "２８７０８２"] {
            assert_eq!(totp.step_of(bad, 59_000), None, "{bad}");
        }
        let expected = "otpauth://totp/Weft:%E6%9E%97%E6%9C%88?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Weft";
        assert_eq!(totp.uri(), expected);
    }

    #[test]
    fn recovery_codes_are_read_as_people_write_them() {
        let code = RecoveryCode::fresh();
        let shown = code.reveal();
        assert_eq!(shown.len(), 19, "{shown}");
        assert_ne!(shown, RecoveryCode::fresh().reveal());
        let spaced = shown.replace('-', " ").to_uppercase();
        assert_eq!(RecoveryCode::typed(&spaced).hash(), code.hash());
        assert_ne!(RecoveryCode::typed(&shown[1..]).hash(), code.hash());
    }
}
