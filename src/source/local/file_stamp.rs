//! A stamp of a file's metadata that changes when the file is written.
//!
//! A result computed from the bytes of a file stays valid as long as the stamp is unchanged.

use std::fmt;
use std::fs::Metadata;
use std::time::{Duration, SystemTime};

/// The length, inode, and times of a file at one moment. As long as they are unchanged, so are the bytes, provided that
/// the file [was settled](Self::is_settled).
///
/// On Unix the stamp includes the time of the last inode change, which programs cannot set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStamp {
    line: String,
    /// Device and inode.
    identity: Option<String>,
    settled: bool,
}

/// The longest time between two writes that can get the same timestamp: a kernel tick, with a margin.
const TICK: Duration = Duration::from_millis(50);
/// The same for file systems whose timestamps have a resolution of one or two seconds.
const COARSE_TICK: Duration = Duration::from_millis(2500);

impl FileStamp {
    #[cfg(unix)]
    pub(crate) fn new(metadata: &Metadata) -> Self {
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
            identity: Some(format!("{}-{}", metadata.dev(), metadata.ino())),
            settled: changed.is_some_and(|changed| is_settled(changed, SystemTime::now())),
        }
    }

    #[cfg(not(unix))]
    pub(crate) fn new(metadata: &Metadata) -> Self {
        Self {
            line: format!("{} {:?}", metadata.len(), metadata.modified().ok()),
            identity: None,
            settled: false,
        }
    }

    /// Returns an identifier that no other existing file has, or `None` if the system provides none.
    pub fn identity(&self) -> Option<&str> {
        self.identity.as_deref()
    }

    /// Returns true if enough time passed between the last write and the stamp that any later write changes the stamp,
    /// even one made while the file is being read. Returns false if this is unknown.
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
    fn a_write_changes_the_stamp_even_if_length_and_mtime_do_not() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let stamp = || FileStamp::new(&fs::metadata(file.path()).unwrap());
        fs::write(file.path(), "one").unwrap();
        let written = file.as_file().metadata().unwrap().modified().unwrap();
        std::thread::sleep(TICK + TICK);
        let before = stamp();
        assert_eq!(before, stamp());
        assert!(before.is_settled());
        fs::write(file.path(), "two").unwrap();
        file.as_file().set_modified(written).unwrap();
        assert_ne!(before.to_string(), stamp().to_string());
        assert_eq!(before.identity(), stamp().identity());
    }

    #[test]
    fn a_file_written_just_now_is_not_settled() {
        let at = |milliseconds| SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds);
        let settled = |changed, now| is_settled(at(changed), at(now));
        assert!(!settled(7001, 7001) && !settled(7001, 7051) && settled(7001, 7052));
        assert!(!settled(7000, 9500) && settled(7000, 9501), "whole seconds");
        assert!(!settled(9000, 7000), "the future");
    }
}
