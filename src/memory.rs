//! Out-of-memory handling: an error message and exit code 2 instead of an abort, and fewer threads and memory maps
//! under a limit.
//!
//! A limit such as `ulimit -v` counts reserved address space rather than used pages: every mapped file in full, and for
//! each thread a stack of 2 MiB and, with glibc, an arena of 64 MiB.

use std::alloc::{GlobalAlloc, Layout, System};

use crate::error::Exit;

/// Bytes of address space that a thread takes: its stack and the guard page.
const THREAD_BYTES: u64 = (2 << 20) + (4 << 10);
/// Thread stacks may take up to 1/`STACKS_SHARE` of the limit.
const STACKS_SHARE: u64 = 8;
/// The map of a file may take up to 1/`MAP_SHARE` of the limit.
const MAP_SHARE: u64 = 4;
/// A limit on the threads of a user that is below this number may be met.
#[cfg(target_os = "linux")]
const FEW_THREADS: u64 = 4096;

/// The system allocator, except that a failed allocation prints an error message and exits.
///
/// Otherwise the collections of the standard library would abort with a message of their own. Nothing is unwound and no
/// temporary files are removed, because that could allocate again.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExitingAllocator;

// SAFETY: every call is forwarded unchanged to the system allocator, and its result is returned.
#[allow(unsafe_code, reason = "implementing an allocator needs it")]
unsafe impl GlobalAlloc for ExitingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        or_exit(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        or_exit(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        or_exit(unsafe { System.realloc(pointer, layout, size) }, size)
    }
}

/// Returns the pointer, or exits if the allocation failed.
#[inline]
fn or_exit(pointer: *mut u8, size: usize) -> *mut u8 {
    if pointer.is_null() {
        exit_out_of_memory(size);
    }
    pointer
}

/// Reports a failed allocation and exits. Returns only on systems other than Unix, where the caller then aborts.
#[cold]
fn exit_out_of_memory(size: usize) {
    let mut digits = [0; 20];
    let digits = decimal(size, &mut digits);
    exit_with_message(
        &[
            b"error: out of memory: the system refused to allocate ",
            digits,
            b" bytes\n\nhint: `ulimit -v` shows the memory limit, if one is set\n",
        ],
        Exit::Usage,
    );
}

/// Formats a number in decimal without allocating. Returns the digits, which are at the end of the buffer.
fn decimal(mut number: usize, digits: &mut [u8; 20]) -> &[u8] {
    let mut first = digits.len();
    for (at, digit) in digits.iter_mut().enumerate().rev() {
        // Cannot truncate: the remainder is below 10.
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
        first = at;
        if number == 0 {
            break;
        }
    }
    digits.get(first..).unwrap_or_default()
}

/// Writes a message to standard error and exits immediately. Allocates nothing, takes no lock, and unwinds nothing, so
/// that a signal handler may call it. Does nothing on systems other than Unix.
pub(crate) fn exit_with_message(parts: &[&[u8]], exit: Exit) {
    #[cfg(unix)]
    {
        for part in parts {
            // A failed write cannot be reported anywhere.
            let _ = rustix::io::write(rustix::stdio::stderr(), part);
        }
        // SAFETY: `_exit` accepts any number and does not return.
        #[allow(
            unsafe_code,
            reason = "`std::process::exit` would run exit handlers, which may allocate"
        )]
        unsafe {
            libc::_exit(exit as i32)
        }
    }
    #[cfg(not(unix))]
    let _ = (parts, exit);
}

/// Returns the number of threads that fit within the limit on address space, or `None` if there is no limit. Under a
/// limit, all threads share one arena of glibc's allocator from then on.
///
/// Must be called before the first thread starts.
pub fn threads_within_limit() -> Option<usize> {
    let limit = address_space_limit()?;
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        // SAFETY: it sets a parameter of the allocator while no other thread runs.
        #[allow(
            unsafe_code,
            reason = "glibc offers no other way to set it at run time"
        )]
        unsafe {
            libc::mallopt(libc::M_ARENA_MAX, 1);
        }
    }
    let threads = limit / STACKS_SHARE / THREAD_BYTES;
    Some(usize::try_from(threads).unwrap_or(usize::MAX).max(1))
}

/// Returns true if the user may run few threads only (`RLIMIT_NPROC`), so that starting one may fail.
pub fn threads_are_limited() -> bool {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, getrlimit};
        getrlimit(Resource::Nproc)
            .current
            .is_some_and(|most| most < FEW_THREADS)
    }
    #[cfg(not(target_os = "linux"))]
    false
}

/// Returns true if the limit on address space leaves enough room to map a file of `length` bytes and work with it.
pub fn has_room_for_map(length: u64) -> bool {
    address_space_limit().is_none_or(|limit| length <= limit / MAP_SHARE)
}

#[cfg(all(unix, not(target_os = "openbsd")))]
fn address_space_limit() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::As).current
}

#[cfg(not(all(unix, not(target_os = "openbsd"))))]
fn address_space_limit() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_decimal() {
        for number in [0, 7, 10, 4_194_304, usize::MAX] {
            assert_eq!(decimal(number, &mut [0; 20]), number.to_string().as_bytes());
        }
    }
}
