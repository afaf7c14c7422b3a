//! Writes what `proto/` declares, comments included, as a `FileDescriptorSet` to standard output: the
//! input of other languages' code generators.

use std::io::Write;

use prost::Message;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let proto = concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto");
    let mut compiler = protox::Compiler::new([proto])?;
    compiler.include_source_info(true).include_imports(true);
    let files =
        compiler.open_files(["weft.proto", "inbox.proto", "order.proto"])?.file_descriptor_set();
    std::io::stdout().write_all(&files.encode_to_vec())?;
    Ok(())
}
