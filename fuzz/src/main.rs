//! One target of [`weft_fuzz`] under libFuzzer: the one that `WEFT_FUZZ_TARGET` names.

#![no_main]

use std::sync::LazyLock;

use bytes::Bytes;
use weft_fuzz::Target;

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("WEFT_FUZZ_TARGET").unwrap_or_default();
    *weft_fuzz::TARGETS
        .iter()
        .find(|target| target.name == name)
        .expect("WEFT_FUZZ_TARGET names no target")
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| (TARGET.run)(Bytes::copy_from_slice(data)));
