//! When two names are the same name.

use icu_normalizer::ComposingNormalizerBorrowed;

/// What a user name or an e-mail address is looked up by: equal for spellings that people take
/// for the same (case, full-width letters, composed accents), whatever the script.
///
/// Compatibility composition (NFKC) around lower-casing, twice, because either may undo a little
/// of the other. Letters of different scripts that only look alike stay different.
#[must_use]
pub fn name_key(name: &str) -> String {
    const NFKC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfkc();
    let folded = NFKC.normalize(name.trim()).to_lowercase();
    NFKC.normalize(&folded).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::name_key;

    #[test]
    fn spellings_of_one_name_share_a_key() {
        let check = |one: &str, other: &str, same: bool| {
            assert_eq!(name_key(one) == name_key(other), same, "{one} {other}");
        };
        check("Lin.Yue", "lin.yue", true);
        check("ＡＤＭＩＮ", "admin", true);
        check("é", "e\u{301}", true);
        check("ÀB", "àb", true);
        check("林月", "林月", true);
        check("林月", "林越", false);
        check("李Ming", "李MING", true);
        check("a_b", "a-b", false);
    }
}
