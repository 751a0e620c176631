//! Measures how much of its input a command has read, for the progress bar.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use crate::source::{Observer, Progress, ProgressUnit};

/// The time between two reports to the observer, in milliseconds.
const REPORT_EVERY: u64 = 100;

/// Counts the input that has been read, and reports it to the observer.
pub struct Meter {
    observer: Arc<dyn Observer>,
    start: Instant,
    /// Milliseconds from the start to the last report.
    reported: AtomicU64,
    done: AtomicU64,
    /// The size of the inputs whose size is known.
    total: AtomicU64,
    /// The number of inputs whose size is not known. A walk counts as one until it ends.
    unknown: AtomicUsize,
    files_done: AtomicU64,
    files_found: AtomicU64,
}

impl Meter {
    /// Creates a meter, or returns `None` if the observer does not show progress.
    pub fn new(observer: &Arc<dyn Observer>) -> Option<Arc<Self>> {
        observer.shows_progress().then(|| {
            Arc::new(Self {
                observer: Arc::clone(observer),
                start: Instant::now(),
                reported: AtomicU64::new(0),
                done: AtomicU64::new(0),
                total: AtomicU64::new(0),
                unknown: AtomicUsize::new(0),
                files_done: AtomicU64::new(0),
                files_found: AtomicU64::new(0),
            })
        })
    }

    /// Announces an input of this size in bytes, if it is known.
    pub fn expect(&self, size: Option<u64>) {
        match size {
            Some(size) => _ = self.total.fetch_add(size, Relaxed),
            None => _ = self.unknown.fetch_add(1, Relaxed),
        }
    }

    /// Announces that the sizes of all files of a walk, which was expected as one of unknown size, are now known.
    pub fn walked(&self) {
        self.unknown.fetch_sub(1, Relaxed);
    }

    /// Announces a file of a walk.
    pub fn found_file(&self, size: u64) {
        self.total.fetch_add(size, Relaxed);
        self.files_found.fetch_add(1, Relaxed);
    }

    /// Counts bytes as read.
    pub fn add(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, Relaxed) + bytes;
        let now = self.start.elapsed();
        let millis = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let before = self.reported.load(Relaxed);
        if millis < before.saturating_add(REPORT_EVERY)
            || self
                .reported
                .compare_exchange(before, millis, Relaxed, Relaxed)
                .is_err()
        {
            return;
        }
        let found = self.files_found.load(Relaxed);
        self.observer.progress(&Progress {
            done,
            total: (self.unknown.load(Relaxed) == 0).then(|| self.total.load(Relaxed)),
            unit: ProgressUnit::Bytes,
            files: (found > 1).then(|| (self.files_done.load(Relaxed), found)),
            elapsed: now,
        });
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Meter").finish_non_exhaustive()
    }
}

/// A reader whose bytes are counted.
#[derive(Debug)]
pub struct Metered<R> {
    reader: R,
    meter: Option<Arc<Meter>>,
    /// The bytes that the meter expects and that have not been read. They count as done when the reader is dropped,
    /// such as for a file that turns out not to be text.
    left: u64,
    /// True for a file of a walk, which is done when the reader is dropped.
    is_found: bool,
}

impl<R> Metered<R> {
    /// Wraps a reader of an input whose size the meter expects.
    pub fn new(reader: R, meter: Option<Arc<Meter>>, size: Option<u64>) -> Self {
        Self::with(reader, meter, size, false)
    }

    /// Wraps a reader of a file of a walk, whose size the meter expects.
    pub fn found(reader: R, meter: Option<Arc<Meter>>, size: Option<u64>) -> Self {
        Self::with(reader, meter, size, true)
    }

    fn with(reader: R, meter: Option<Arc<Meter>>, size: Option<u64>, is_found: bool) -> Self {
        Self {
            reader,
            meter,
            left: size.unwrap_or(0),
            is_found,
        }
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        if let Some(meter) = &self.meter {
            self.left = self.left.saturating_sub(length as u64);
            meter.add(length as u64);
        }
        Ok(length)
    }
}

impl<R> Drop for Metered<R> {
    fn drop(&mut self) {
        if let Some(meter) = &self.meter {
            meter
                .files_done
                .fetch_add(u64::from(self.is_found), Relaxed);
            meter.add(self.left);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::thread::sleep;
    use std::time::Duration;

    use super::*;

    #[derive(Default)]
    struct Last(Mutex<Option<Progress>>);

    impl Observer for Last {
        fn shows_progress(&self) -> bool {
            true
        }

        fn progress(&self, progress: &Progress) {
            *self.0.lock().unwrap() = Some(*progress);
        }
    }

    #[test]
    fn bytes_are_reported_with_their_sum_and_unread_ones_when_the_reader_is_dropped() {
        let last = Arc::new(Last::default());
        let observer: Arc<dyn Observer> = last.clone();
        let meter = Meter::new(&observer).unwrap();
        meter.expect(Some(100));
        meter.expect(None);
        let mut reader = Metered::new(&[0; 100][..], Some(meter.clone()), Some(100));
        let report = |meter: &Meter| {
            sleep(Duration::from_millis(REPORT_EVERY + 1));
            meter.add(0);
            let progress = last.0.lock().unwrap().unwrap();
            (progress.done, progress.total, progress.files)
        };
        reader.read_exact(&mut [0; 30]).unwrap();
        assert_eq!(report(&meter), (30, None, None));
        meter.walked();
        assert_eq!(report(&meter), (30, Some(100), None));
        drop(reader);
        assert_eq!(report(&meter), (100, Some(100), None));
        meter.found_file(7);
        meter.found_file(8);
        drop(Metered::found(io::empty(), Some(meter.clone()), None));
        assert_eq!(report(&meter), (100, Some(115), Some((1, 2))));
    }

    #[test]
    fn there_is_no_meter_without_someone_to_watch_it() {
        let observer: Arc<dyn Observer> = Arc::new(crate::source::Unobserved);
        assert!(Meter::new(&observer).is_none());
    }
}
