//! The signal of a process that writes beyond its limit on file sizes (`ulimit -f`).

/// Ignores the signal, which would end the process without a message. A write beyond the limit then fails like one to a
/// full disk: if it is to a cache, the program goes on without, and otherwise the error names the file.
///
/// Other programs that this process starts would ignore it, too. It starts none.
#[cfg(unix)]
#[allow(
    unsafe_code,
    reason = "the disposition of a signal cannot be set without it"
)]
pub fn ignore_file_size_signal() {
    // SAFETY: no handler is set that could run, and the signal is a valid one. A failure changes nothing.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
}

#[cfg(not(unix))]
pub fn ignore_file_size_signal() {}
