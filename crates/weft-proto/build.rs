//! Compiles `proto/*.proto` with a compiler that needs nothing installed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = ["../../proto/weft.proto", "../../proto/inbox.proto", "../../proto/order.proto"];
    for file in files {
        println!("cargo:rerun-if-changed={file}");
    }
    let descriptors = protox::compile(files, ["../../proto"])?;
    let mut config = prost_build::Config::new();
    config.btree_map(["."]);
    config.bytes(["."]);
    config.compile_fds(descriptors)?;
    Ok(())
}
