//! A SIGBUS handler that turns a truncated mapping into an error message and exit code 4.
//!
//! Reading a mapped page past the end of its file raises SIGBUS, which would kill the process without a message. The
//! handler names the file in an error message instead. The file is no longer the one that was checked, so the process
//! exits at once, without unwinding.

#[cfg(any(target_os = "linux", target_os = "macos"))]
mod handler {
    use std::mem::MaybeUninit;
    use std::num::NonZeroU8;
    use std::ptr;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

    use crate::error::Exit;
    use crate::memory::exit_with_message;

    /// The maximum number of maps watched at a time. A model has about ten files; only a range cache has more.
    const MAX_MAPS: usize = 64;

    /// A map, and the message to print if its file is truncated. Messages are never freed, because the handler may be
    /// using one.
    struct Map {
        /// The address of the first byte; 0 in a free slot.
        start: AtomicUsize,
        length: AtomicUsize,
        message: AtomicPtr<String>,
    }

    static KNOWN: [Map; MAX_MAPS] = [const {
        Map {
            start: AtomicUsize::new(0),
            length: AtomicUsize::new(0),
            message: AtomicPtr::new(ptr::null_mut()),
        }
    }; MAX_MAPS];

    /// Makes a name safe for a terminal. Set once the handler is installed.
    static SHOW: OnceLock<fn(&str) -> String> = OnceLock::new();
    /// The previous handler: the standard library's, which reports stack overflows.
    static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();

    /// Watches the file of a map until this value is dropped.
    #[derive(Debug)]
    pub struct Watch {
        /// The index of its slot, counted from 1.
        slot: NonZeroU8,
    }

    impl Watch {
        /// Registers a map under the name of its file. Returns `None` if no handler is installed or no slot is free.
        pub fn begin(map: &[u8], name: &str) -> Option<Self> {
            let show = SHOW.get()?;
            let start = map.as_ptr() as usize;
            let claim = |known: &&Map| {
                // A slot that is being filled has the address 1, which no map has.
                let claimed =
                    known
                        .start
                        .compare_exchange(0, 1, Ordering::AcqRel, Ordering::Relaxed);
                claimed.is_ok()
            };
            let (slot, known) = (1_u8..).zip(&KNOWN).find(|(_, known)| claim(known))?;
            let message = format!(
                "error: {} was truncated while it was being read\n",
                show(name)
            );
            known
                .message
                .store(Box::leak(Box::new(message)), Ordering::Release);
            known.length.store(map.len(), Ordering::Release);
            known.start.store(start, Ordering::Release);
            NonZeroU8::new(slot).map(|slot| Self { slot })
        }
    }

    impl Drop for Watch {
        fn drop(&mut self) {
            if let Some(known) = KNOWN.get(usize::from(self.slot.get() - 1)) {
                known.length.store(0, Ordering::Release);
                known.start.store(0, Ordering::Release);
            }
        }
    }

    /// Installs the handler. `show` makes a name safe for a terminal.
    pub fn install_sigbus_handler(show: fn(&str) -> String) {
        if SHOW.set(show).is_err() {
            return;
        }
        // SAFETY: both structures are plain numbers, for which zeros are valid; the handler has the signature that
        // SA_SIGINFO requires, and is async-signal-safe: it reads atomics, writes, exits, and sets a handler.
        #[allow(unsafe_code, reason = "a signal handler cannot be set without it")]
        unsafe {
            let mut action: libc::sigaction = MaybeUninit::zeroed().assume_init();
            let mut previous: libc::sigaction = MaybeUninit::zeroed().assume_init();
            action.sa_sigaction = on_bus_error as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            if libc::sigaction(libc::SIGBUS, ptr::null(), &mut previous) == 0
                && PREVIOUS.set(previous).is_ok()
            {
                libc::sigaction(libc::SIGBUS, &action, ptr::null_mut());
            }
        }
    }

    #[allow(unsafe_code, reason = "the kernel passes a pointer and an address")]
    extern "C" fn on_bus_error(
        _signal: libc::c_int,
        info: *mut libc::siginfo_t,
        _context: *mut libc::c_void,
    ) {
        // SAFETY: with SA_SIGINFO the kernel passes a valid structure, which for this signal has an address.
        let address = unsafe { (*info).si_addr() } as usize;
        for known in &KNOWN {
            let start = known.start.load(Ordering::Acquire);
            let length = known.length.load(Ordering::Acquire);
            if start > 1 && address.checked_sub(start).is_some_and(|at| at < length) {
                let message = known.message.load(Ordering::Acquire);
                // SAFETY: the message was stored before the address, and is never freed.
                if let Some(message) = unsafe { message.as_ref() } {
                    exit_with_message(&[message.as_bytes()], Exit::Damaged);
                }
            }
        }
        // Not a truncated map: returning repeats the access, this time under the previous handler.
        if let Some(previous) = PREVIOUS.get() {
            // SAFETY: `sigaction` itself filled the structure in.
            unsafe { libc::sigaction(libc::SIGBUS, previous, ptr::null_mut()) };
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
mod handler {
    /// Other systems report a truncated mapping in their own way.
    #[derive(Debug)]
    pub struct Watch {}

    impl Watch {
        pub fn begin(_map: &[u8], _name: &str) -> Option<Self> {
            None
        }
    }

    pub fn install_sigbus_handler(_show: fn(&str) -> String) {}
}

pub(crate) use handler::Watch;
pub use handler::install_sigbus_handler;
