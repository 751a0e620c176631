//! A stamp of a file's metadata that changes when the file is written.
//!
//! A result computed from the bytes of a file stays valid as long as the stamp is unchanged, provided that the stamp
//! [proves](FileStamp::proof) that.

use std::fs::File;
use std::time::Duration;
#[cfg(target_os = "linux")]
use std::time::SystemTime;

/// The length, inode, times, and mount of a file at one moment.
///
/// On Linux the stamp includes the time of the last inode change, which programs cannot set. Elsewhere stamps prove
/// nothing, because mounts cannot be told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStamp {
    facts: String,
    /// The mount. `None` if times prove nothing there.
    scope: Option<String>,
    /// Device and inode.
    identity: Option<String>,
    /// The time since the last change. `None` if it is in the future, or if the file system has whole seconds only.
    age: Option<Duration>,
}

/// Who may be writing to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// Any program, by any means.
    Anyone,
    /// Only tokscope, which never writes to a file that has its final name.
    Tokscope,
}

impl Writer {
    /// Returns the time after a change during which another change may leave the stamp as it is.
    fn doubt(self) -> Duration {
        match self {
            // A program that has mapped the file can change it without another timestamp until the system has written
            // the page to disk, which it does within 35 s by default.
            Self::Anyone => Duration::from_secs(60),
            // A kernel tick, with a margin: two writes within it can get the same timestamp.
            Self::Tokscope => Duration::from_millis(50),
        }
    }
}

impl FileStamp {
    /// Returns the stamp of an open file, or `None` if the system does not describe it.
    #[cfg(target_os = "linux")]
    pub(crate) fn of(file: &File) -> Option<Self> {
        use rustix::fs::{AtFlags, StatxFlags, StatxTimestamp, statx};

        use super::file_system::{FileSystem, UNIQUE_MOUNT_ID};

        let wanted =
            StatxFlags::BASIC_STATS | StatxFlags::BTIME | StatxFlags::MNT_ID | UNIQUE_MOUNT_ID;
        let found = statx(file, "", AtFlags::EMPTY_PATH, wanted).ok()?;
        let scope = FileSystem::of(file, &found).and_then(|system| system.scope());
        let time = |time: StatxTimestamp| format!("{}.{:09}", time.tv_sec, time.tv_nsec);
        let born = if found.stx_mask & StatxFlags::BTIME.bits() == 0 {
            "-".to_owned()
        } else {
            time(found.stx_btime)
        };
        let changed = found.stx_ctime;
        Some(Self {
            facts: format!(
                "{} {} {} {} {born}",
                found.stx_size,
                found.stx_ino,
                time(found.stx_mtime),
                time(changed)
            ),
            scope,
            identity: Some(format!(
                "{}-{}-{}",
                found.stx_dev_major, found.stx_dev_minor, found.stx_ino
            )),
            age: age((changed.tv_sec, changed.tv_nsec), now()),
        })
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn of(file: &File) -> Option<Self> {
        let metadata = file.metadata().ok()?;
        Some(Self {
            facts: format!("{} {:?}", metadata.len(), metadata.modified().ok()),
            scope: None,
            identity: None,
            age: None,
        })
    }

    /// Returns the stamp of the first `length` bytes, whose notes are not those of the file.
    #[must_use]
    pub(crate) fn of_start(self, length: u64) -> Self {
        Self {
            facts: format!("{} {length}", self.facts),
            identity: self.identity.map(|identity| format!("{identity}-{length}")),
            ..self
        }
    }

    /// Returns an identifier that no other existing file has, or `None` if the system provides none.
    pub fn identity(&self) -> Option<&str> {
        self.identity.as_deref()
    }

    /// Returns the length, inode, and times, one line of text. If they differ, the file was written. If not, nothing is
    /// proven.
    pub fn facts(&self) -> &str {
        &self.facts
    }

    /// Returns one line of text that a later stamp has only if the file is unchanged. Returns `None` if the file system
    /// does not allow that conclusion.
    ///
    /// The line may be recorded only if the stamp [is settled](Self::is_settled).
    pub fn proof(&self) -> Option<String> {
        let scope = self.scope.as_ref()?;
        Some(format!("{} {scope}", self.facts))
    }

    /// Returns true if enough time passed between the last change and the stamp that any later change alters the stamp,
    /// even one made while the file is being read. Returns false if this is unknown.
    pub fn is_settled(&self, writer: Writer) -> bool {
        self.age.is_some_and(|age| age > writer.doubt())
    }
}

/// Returns the time since a change at `(seconds, nanoseconds)` after 1970. Returns `None` if it is in the future, or if
/// it is a whole second, as on file systems that record nothing finer.
#[cfg(target_os = "linux")]
fn age((seconds, nanoseconds): (i64, u32), now: SystemTime) -> Option<Duration> {
    if !(1..1_000_000_000).contains(&nanoseconds) {
        return None;
    }
    let since = Duration::new(u64::try_from(seconds).ok()?, nanoseconds);
    let changed = SystemTime::UNIX_EPOCH.checked_add(since)?;
    now.duration_since(changed).ok()
}

#[cfg(target_os = "linux")]
#[cfg(not(test))]
fn now() -> SystemTime {
    SystemTime::now()
}

#[cfg(target_os = "linux")]
#[cfg(test)]
use clock::now;
#[cfg(target_os = "linux")]
#[cfg(test)]
pub(crate) use clock::turn_clock;

/// A clock that a test can turn forward, because the time of a change cannot be set and waiting would take a minute.
#[cfg(target_os = "linux")]
#[cfg(test)]
mod clock {
    use std::cell::Cell;
    use std::time::{Duration, SystemTime};

    thread_local! {
        static TURNED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    }

    pub(crate) fn now() -> SystemTime {
        SystemTime::now() + TURNED.get()
    }

    /// Turns the clock of this thread forward, counted from the real time.
    pub(crate) fn turn_clock(by: Duration) {
        TURNED.set(by);
    }
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_write_changes_the_stamp_even_if_length_and_mtime_do_not() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let stamp = || FileStamp::of(&File::open(file.path()).unwrap()).unwrap();
        fs::write(file.path(), "one").unwrap();
        let written = file.as_file().metadata().unwrap().modified().unwrap();
        std::thread::sleep(2 * Writer::Tokscope.doubt());
        let before = stamp();
        assert_eq!(before.facts(), stamp().facts());
        assert!(before.is_settled(Writer::Tokscope) && !before.is_settled(Writer::Anyone));
        fs::write(file.path(), "two").unwrap();
        file.as_file().set_modified(written).unwrap();
        assert_ne!(before.facts(), stamp().facts());
        assert_eq!(before.identity(), stamp().identity());
    }

    /// The swaps keep length and modification time: `cp --preserve`, `touch -d`, a rename, a link.
    #[test]
    fn a_swapped_file_has_another_stamp() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let stamp = || FileStamp::of(&File::open(path("used")).unwrap()).unwrap();
        for name in ["used", "other"] {
            fs::write(path(name), name.get(..3).unwrap()).unwrap();
        }
        let written = fs::metadata(path("used")).unwrap().modified().unwrap();
        let set_time = |name: &str| {
            let file = fs::OpenOptions::new().write(true).open(path(name));
            file.unwrap().set_modified(written).unwrap();
        };
        set_time("other");
        let swaps: [&dyn Fn(); 4] = [
            &|| {
                fs::copy(path("other"), path("used")).unwrap();
            },
            &|| {
                fs::copy(path("other"), path("new")).unwrap();
                set_time("new");
                fs::rename(path("new"), path("used")).unwrap();
            },
            &|| {
                fs::remove_file(path("used")).unwrap();
                fs::hard_link(path("other"), path("used")).unwrap();
            },
            &|| {
                fs::remove_file(path("used")).unwrap();
                std::os::unix::fs::symlink("other", path("used")).unwrap();
            },
        ];
        for (index, swap) in swaps.iter().enumerate() {
            let before = stamp();
            std::thread::sleep(Duration::from_millis(20));
            swap();
            set_time("used");
            assert_ne!(stamp().facts(), before.facts(), "swap {index}");
        }
    }

    #[test]
    fn a_file_changed_just_now_or_in_whole_seconds_is_not_settled() {
        let stamp = |changed: (i64, u32), now: f64| FileStamp {
            facts: String::new(),
            scope: None,
            identity: None,
            age: age(
                changed,
                SystemTime::UNIX_EPOCH + Duration::from_secs_f64(now),
            ),
        };
        for (changed, now, own, any) in [
            ((1000, 5), 1000.001, false, false),
            ((1000, 5), 1000.05, false, false),
            ((1000, 5), 1000.06, true, false),
            ((1000, 5), 1059.9, true, false),
            ((1000, 5), 1060.1, true, true),
            ((1000, 5), 999.0, false, false),
            ((4_000_000_000, 5), 1060.1, false, false),
            ((1000, 0), 1_000_000.0, false, false),
            ((-1000, 5), 1_000_000.0, false, false),
            ((0, 0), 1_000_000.0, false, false),
        ] {
            let stamp = stamp(changed, now);
            let settled = [Writer::Tokscope, Writer::Anyone].map(|by| stamp.is_settled(by));
            assert_eq!(settled, [own, any], "{changed:?} at {now}");
        }
    }

    #[test]
    fn a_file_on_an_untrusted_file_system_has_no_proof() {
        for path in [
            "/proc/self/status",
            "/sys/kernel/mm/transparent_hugepage/enabled",
        ] {
            if let Ok(file) = File::open(path) {
                assert_eq!(FileStamp::of(&file).unwrap().proof(), None, "{path}");
            }
        }
    }
}
