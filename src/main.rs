//! The door: hands the arguments to the library and its answer to the system.

/// Rendering makes millions of small values; the system's allocator takes twice as long over them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    unitgen::run()
}
