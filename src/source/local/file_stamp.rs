//! A file → what changes when it is written, so that what was found out about its bytes need not be found out again.

use std::fmt;
use std::fs::Metadata;
use std::time::{Duration, SystemTime};

/// Length, place and times of a file at one moment. As long as they stay the same, so do its bytes, if it
/// [was settled](Self::is_settled).
///
/// On Unix the time of the last change of the inode is among them, which no program can set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStamp {
    line: String,
    /// Device and inode.
    place: Option<String>,
    settled: bool,
}

/// How far apart two writes can be that leave the same time: a tick of the kernel, and some.
const TICK: Duration = Duration::from_millis(50);
/// The same where times are in whole seconds, or every other second.
const COARSE_TICK: Duration = Duration::from_millis(2500);

impl FileStamp {
    #[cfg(unix)]
    pub(crate) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        let changed = match (u64::try_from(metadata.ctime()), metadata.ctime_nsec()) {
            (Ok(seconds), nanoseconds @ 0..1_000_000_000) => {
                let since = Duration::new(seconds, nanoseconds as u32);
                SystemTime::UNIX_EPOCH.checked_add(since)
            }
            _ => None,
        };
        Self {
            line: format!(
                "{} {} {} {}.{:09} {}.{:09}",
                metadata.len(),
                metadata.dev(),
                metadata.ino(),
                metadata.mtime(),
                metadata.mtime_nsec(),
                metadata.ctime(),
                metadata.ctime_nsec()
            ),
            place: Some(format!("{}-{}", metadata.dev(), metadata.ino())),
            settled: changed.is_some_and(|changed| is_settled(changed, SystemTime::now())),
        }
    }

    #[cfg(not(unix))]
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            line: format!("{} {:?}", metadata.len(), metadata.modified().ok()),
            place: None,
            settled: false,
        }
    }

    /// A name for the file that no other has at the same time, if the system tells one.
    pub fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }

    /// Whether the file had by that moment been left alone for so long that another change shows, even one while it is
    /// being read. False where that is not known.
    pub fn is_settled(&self) -> bool {
        self.settled
    }
}

fn is_settled(changed: SystemTime, now: SystemTime) -> bool {
    let whole = changed
        .duration_since(SystemTime::UNIX_EPOCH)
        .is_ok_and(|since| since.subsec_nanos() == 0);
    let tick = if whole { COARSE_TICK } else { TICK };
    now.duration_since(changed).is_ok_and(|age| age > tick)
}

impl fmt::Display for FileStamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_write_shows_even_if_the_length_and_the_time_of_writing_are_as_they_were() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let state = || FileStamp::of(&fs::metadata(file.path()).unwrap());
        fs::write(file.path(), "one").unwrap();
        let written = file.as_file().metadata().unwrap().modified().unwrap();
        std::thread::sleep(TICK + TICK);
        let before = state();
        assert_eq!(before, state());
        assert!(before.is_settled());
        fs::write(file.path(), "two").unwrap();
        file.as_file().set_modified(written).unwrap();
        assert_ne!(before.to_string(), state().to_string());
        assert_eq!(before.place(), state().place());
    }

    #[test]
    fn what_was_written_just_now_is_not_settled() {
        let at = |milliseconds| SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds);
        let settled = |changed, now| is_settled(at(changed), at(now));
        assert!(!settled(7001, 7001) && !settled(7001, 7051) && settled(7001, 7052));
        assert!(!settled(7000, 9500) && settled(7000, 9501), "whole seconds");
        assert!(!settled(9000, 7000), "the future");
    }
}
