//! argv → `tokscope::run` → exit code.

use std::process::ExitCode;

use tokscope::memory::OrEnd;

#[global_allocator]
static ALLOCATOR: OrEnd = OrEnd;

fn main() -> ExitCode {
    tokscope::run(std::env::args_os()).into()
}
