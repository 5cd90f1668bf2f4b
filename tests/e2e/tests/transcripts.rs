//! The end-to-end tests. `cargo test -p pillion-e2e NAME` runs the cases whose name has NAME in it.

fn main() -> std::process::ExitCode {
    pillion_e2e::main(
        std::env::args().skip(1),
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR")),
    )
}
