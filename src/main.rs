//! argv → `tokscope::run` → exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    tokscope::run(std::env::args_os()).into()
}
