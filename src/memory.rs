//! Memory that the system does not give → a sentence and exit 2, in the place of an abort.
//!
//! A limit such as `ulimit -v` counts addresses, not pages: all of a file that is mapped, a stack of two megabytes for
//! each thread, and with glibc an arena of sixty-four. Under such a limit the program asks for less of each.

use std::alloc::{GlobalAlloc, Layout, System};

use crate::error::Exit;

/// Addresses that a thread takes: its stack, and the page that guards it.
const THREAD: u64 = (2 << 20) + (4 << 10);
/// The part of a limit that stacks may take.
const SHARE_OF_STACKS: u64 = 8;
/// The part of a limit that the map of a file may take.
const SHARE_OF_MAP: u64 = 4;

/// The system's allocator, for a program that does not go on without memory.
///
/// What it cannot give ends the process with a sentence; collections of the standard library would abort it with
/// a message about themselves. Nothing is unwound and no temporary file removed, as that may ask for memory again.
#[derive(Debug, Clone, Copy, Default)]
pub struct OrEnd;

// SAFETY: every call is passed on to the system's allocator as it came, and what it returns is returned.
#[allow(unsafe_code, reason = "an allocator cannot be written without it")]
unsafe impl GlobalAlloc for OrEnd {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        given(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        given(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        given(unsafe { System.realloc(place, layout, size) }, size)
    }
}

#[inline]
fn given(place: *mut u8, size: usize) -> *mut u8 {
    if place.is_null() {
        end(size);
    }
    place
}

/// Says how much was asked for, and ends the process. On other systems than Unix the caller aborts it.
#[cold]
fn end(size: usize) {
    let mut digits = [0; 20];
    let digits = decimal(size, &mut digits);
    end_with(
        &[
            b"error: memory is short: ",
            digits,
            b" bytes more were asked for, and the system does not give them\n\n\
              hint: `ulimit -v` shows the limit, if there is one\n",
        ],
        Exit::Usage,
    );
}

/// The decimal digits of a number, without memory of their own.
fn decimal(mut number: usize, digits: &mut [u8; 20]) -> &[u8] {
    let mut first = digits.len();
    for (at, digit) in digits.iter_mut().enumerate().rev() {
        // A remainder of ten fits.
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
        first = at;
        if number == 0 {
            break;
        }
    }
    digits.get(first..).unwrap_or_default()
}

/// Writes to standard error and ends the process at once: no memory is asked for, no lock taken, nothing unwound. A
/// handler of a signal may do the same.
pub(crate) fn end_with(parts: &[&[u8]], exit: Exit) {
    #[cfg(unix)]
    {
        for part in parts {
            // Whoever cannot be told is not told.
            let _ = rustix::io::write(rustix::stdio::stderr(), part);
        }
        // SAFETY: `_exit` takes any number and does not return.
        #[allow(
            unsafe_code,
            reason = "what the standard library has would unwind or abort"
        )]
        unsafe {
            libc::_exit(exit as i32)
        }
    }
    #[cfg(not(unix))]
    let _ = (parts, exit);
}

/// How many threads fit beside everything else, if the process has a limit on its addresses; threads then share
/// one arena of glibc's allocator.
///
/// To be asked once, before the first thread starts.
pub fn threads_within_limit() -> Option<usize> {
    let limit = limit()?;
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        // SAFETY: it sets a number of the allocator, and no other thread runs.
        #[allow(unsafe_code, reason = "there is no other way to say it")]
        unsafe {
            libc::mallopt(libc::M_ARENA_MAX, 1);
        }
    }
    let threads = limit / SHARE_OF_STACKS / THREAD;
    Some(usize::try_from(threads).unwrap_or(usize::MAX).max(1))
}

/// Whether a limit on addresses leaves room for the map of a file of `length` bytes, and for what is done with it.
pub fn has_room_for_map(length: u64) -> bool {
    limit().is_none_or(|limit| length <= limit / SHARE_OF_MAP)
}

#[cfg(all(unix, not(target_os = "openbsd")))]
fn limit() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::As).current
}

#[cfg(not(all(unix, not(target_os = "openbsd"))))]
fn limit() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_without_memory() {
        for number in [0, 7, 10, 4_194_304, usize::MAX] {
            assert_eq!(decimal(number, &mut [0; 20]), number.to_string().as_bytes());
        }
    }
}
