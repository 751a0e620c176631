//! Memory that is kept from text to text, while no text needs it.

use std::sync::Mutex;

/// Values by thread, so that threads do not wait for each other, nor move what they have worked with from one to the
/// other.
#[derive(Debug)]
pub struct ScratchPool<T>([PoolSlot<T>; 16]);

/// Threads share one where there are more; lines of the processor's cache are not shared.
#[derive(Debug)]
#[repr(align(128))]
pub struct PoolSlot<T>(Mutex<Vec<Box<T>>>);

impl<T> Default for ScratchPool<T> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| PoolSlot(Mutex::default())))
    }
}

impl<T> ScratchPool<T> {
    pub fn of_this_thread(&self) -> &PoolSlot<T> {
        let thread = rayon::current_thread_index().unwrap_or_default();
        &self.0[thread % self.0.len()]
    }
}

impl<T: Default> PoolSlot<T> {
    /// One that was put back, or a new one.
    pub fn take(&self) -> Box<T> {
        let kept = self.0.lock().ok().and_then(|mut idle| idle.pop());
        kept.unwrap_or_default()
    }

    pub fn put_back(&self, value: Box<T>) {
        if let Ok(mut idle) = self.0.lock() {
            idle.push(value);
        }
    }
}
