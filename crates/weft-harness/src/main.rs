//! weft-harness
fn main() {}
