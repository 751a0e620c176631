//! A pool of scratch memory that is reused from text to text.

use std::sync::Mutex;

/// Unused values by thread, so that threads neither wait for each other nor take memory that is in another processor's
/// cache.
#[derive(Debug)]
pub struct ScratchPool<T>([PoolSlot<T>; 16]);

/// The unused values of one thread, or of several threads if there are more threads than slots.
///
/// The alignment keeps slots in separate cache lines.
#[derive(Debug)]
#[repr(align(128))]
pub struct PoolSlot<T>(Mutex<Vec<Box<T>>>);

impl<T> Default for ScratchPool<T> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| PoolSlot(Mutex::default())))
    }
}

impl<T> ScratchPool<T> {
    /// Returns the slot of the calling thread.
    pub fn of_this_thread(&self) -> &PoolSlot<T> {
        let thread = rayon::current_thread_index().unwrap_or_default();
        &self.0[thread % self.0.len()]
    }
}

impl<T: Default> PoolSlot<T> {
    /// Takes an unused value, or creates a new one.
    pub fn take(&self) -> Box<T> {
        let unused = self.0.lock().ok().and_then(|mut values| values.pop());
        unused.unwrap_or_default()
    }

    /// Puts a value back for a later [`PoolSlot::take`].
    pub fn put_back(&self, value: Box<T>) {
        if let Ok(mut values) = self.0.lock() {
            values.push(value);
        }
    }
}
