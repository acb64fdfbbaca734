//! The thin binary: everything is in the library.

/// Tiles come and go by the megabyte: the system's allocator gives each back to the kernel at once, and takes it again zeroed.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    sitewatch::cli::main()
}
