//! An oracle for `weft_core::access`: the same rules as Cedar policies, written from their words and not from the code.
//!
//! Start at `tests/access.rs`, run by `cargo xtask cedar`. Nothing of Weft depends on this.
