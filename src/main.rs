//! Passes the arguments to [`tokscope::run`] and returns its exit code.

use std::process::ExitCode;

use tokscope::memory::ExitingAllocator;

#[global_allocator]
static ALLOCATOR: ExitingAllocator = ExitingAllocator;

fn main() -> ExitCode {
    tokscope::run(std::env::args_os()).into()
}
