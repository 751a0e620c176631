//! A mapped file that becomes shorter while it is read → a sentence with its name and exit 4, in the place of a signal.
//!
//! Pages behind the end of a file cannot be read: the kernel answers with SIGBUS, which would end the process without
//! a word. The handler here looks up whose page it was. A file that is no longer what was checked cannot be gone on
//! with, so nothing is unwound.

#[cfg(any(target_os = "linux", target_os = "macos"))]
mod handler {
    use std::mem::MaybeUninit;
    use std::num::NonZeroU8;
    use std::ptr;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

    use crate::error::Exit;
    use crate::memory::exit_with_message;

    /// Maps that are known by name at a time. The files of a model are some ten, and more has a range cache only.
    const MAPS: usize = 64;

    /// A map, and what is said if its file becomes shorter. Sentences are never freed: the handler may hold one.
    struct Map {
        /// Address of the first byte; 0 where there is no map.
        start: AtomicUsize,
        length: AtomicUsize,
        sentence: AtomicPtr<String>,
    }

    static KNOWN: [Map; MAPS] = [const {
        Map {
            start: AtomicUsize::new(0),
            length: AtomicUsize::new(0),
            sentence: AtomicPtr::new(ptr::null_mut()),
        }
    }; MAPS];

    /// How a name is made safe for a terminal, once the handler is there.
    static SHOW: OnceLock<fn(&str) -> String> = OnceLock::new();
    /// The handler that was there before: that of the standard library, which knows a stack that overflows.
    static EARLIER: OnceLock<libc::sigaction> = OnceLock::new();

    /// A map whose file is watched, for as long as this is held.
    #[derive(Debug)]
    pub struct Watch {
        /// Its place among those that are known, counted from 1.
        place: NonZeroU8,
    }

    impl Watch {
        /// Notes a map under the name of its file; nothing where no handler is wanted, or no place is left.
        pub fn begin(map: &[u8], name: &str) -> Option<Self> {
            let show = SHOW.get()?;
            let start = map.as_ptr() as usize;
            let claim = |known: &&Map| {
                // A place that is being filled has the address 1, which no map has.
                let taken = known
                    .start
                    .compare_exchange(0, 1, Ordering::AcqRel, Ordering::Relaxed);
                taken.is_ok()
            };
            let (place, known) = (1_u8..).zip(&KNOWN).find(|(_, known)| claim(known))?;
            let sentence = format!("error: {} became shorter while it was read\n", show(name));
            known
                .sentence
                .store(Box::leak(Box::new(sentence)), Ordering::Release);
            known.length.store(map.len(), Ordering::Release);
            known.start.store(start, Ordering::Release);
            NonZeroU8::new(place).map(|place| Self { place })
        }
    }

    impl Drop for Watch {
        fn drop(&mut self) {
            if let Some(known) = KNOWN.get(usize::from(self.place.get() - 1)) {
                known.length.store(0, Ordering::Release);
                known.start.store(0, Ordering::Release);
            }
        }
    }

    /// Says it from now on; `show` makes a name safe for a terminal.
    pub fn install_sigbus_handler(show: fn(&str) -> String) {
        if SHOW.set(show).is_err() {
            return;
        }
        // SAFETY: both structures are plain numbers, for which zeros are valid; the handler has the signature that
        // SA_SIGINFO asks for, and does only what a handler may: it reads atomics, writes, exits, sets a handler.
        #[allow(unsafe_code, reason = "a handler of a signal cannot be set without it")]
        unsafe {
            let mut action: libc::sigaction = MaybeUninit::zeroed().assume_init();
            let mut earlier: libc::sigaction = MaybeUninit::zeroed().assume_init();
            action.sa_sigaction = on_bus_error as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            if libc::sigaction(libc::SIGBUS, ptr::null(), &mut earlier) == 0
                && EARLIER.set(earlier).is_ok()
            {
                libc::sigaction(libc::SIGBUS, &action, ptr::null_mut());
            }
        }
    }

    #[allow(
        unsafe_code,
        reason = "the kernel hands over a pointer, and an address"
    )]
    extern "C" fn on_bus_error(
        _signal: libc::c_int,
        info: *mut libc::siginfo_t,
        _context: *mut libc::c_void,
    ) {
        // SAFETY: under SA_SIGINFO the kernel passes a structure that is whole, and for this signal has an address.
        let address = unsafe { (*info).si_addr() } as usize;
        for known in &KNOWN {
            let start = known.start.load(Ordering::Acquire);
            let length = known.length.load(Ordering::Acquire);
            if start > 1 && address.checked_sub(start).is_some_and(|at| at < length) {
                let sentence = known.sentence.load(Ordering::Acquire);
                // SAFETY: it was stored before the address was, and is never freed.
                if let Some(sentence) = unsafe { sentence.as_ref() } {
                    exit_with_message(&[sentence.as_bytes()], Exit::Damaged);
                }
            }
        }
        // It was something else: the same access is tried again, under the handler that was there.
        if let Some(earlier) = EARLIER.get() {
            // SAFETY: the structure is one that the same call has filled in.
            unsafe { libc::sigaction(libc::SIGBUS, earlier, ptr::null_mut()) };
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
mod handler {
    /// Elsewhere the system says what it says.
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
