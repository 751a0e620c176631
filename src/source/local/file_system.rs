//! The file system and the mount that a file is on, which decide whether its times prove anything.
//!
//! The device, inode, length, and times of a file are not proof on their own. Two images that are mounted one after the
//! other can have the same ones, a network file system has the times of its server, and a file in memory can be changed
//! through a map without a new time. Times are therefore trusted only on local file systems for disks that are mounted
//! for writing, and only as long as the same mount lasts.

use std::fs::File;
use std::sync::OnceLock;

/// File systems that set the time of a change with each write, even through a map, to a fraction of a second
/// (`linux/magic.h`): ext2 to ext4, XFS, Btrfs, F2FS, bcachefs, and overlays, whose writable layer is one of them.
const TRUSTED: [u32; 6] = [
    0xef53,
    0x5846_5342,
    0x9123_683e,
    0xf2f5_2010,
    0xca45_1a4e,
    0x794c_7630,
];
/// The major numbers of devices whose content can be exchanged while the number stays: file systems without a device,
/// loop devices, and network block devices.
const REUSED_DEVICES: [u32; 3] = [0, 7, 43];

/// The file system and the mount that an open file is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileSystem {
    /// The type of the file system.
    pub(super) kind: u32,
    pub(super) is_read_only: bool,
    pub(super) id: u64,
    /// The major and minor number of the device.
    pub(super) device: (u32, u32),
    pub(super) mount: Option<Mount>,
    /// The id of this boot of the system.
    pub(super) boot: Option<String>,
}

/// The id of a mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mount {
    pub(super) id: u64,
    /// True if no other mount gets the id until the system is restarted. False before Linux 6.8.
    pub(super) is_unique: bool,
}

impl FileSystem {
    /// Returns a text that is the same only for files on the same mount, or `None` if times on this file system prove
    /// nothing.
    pub(super) fn scope(&self) -> Option<String> {
        let (mount, boot) = (self.mount?, self.boot.as_ref()?);
        let (major, minor) = self.device;
        let is_told_apart = mount.is_unique || !REUSED_DEVICES.contains(&major);
        let is_trusted = !self.is_read_only && TRUSTED.contains(&self.kind) && is_told_apart;
        let Self { kind, id, .. } = self;
        is_trusted.then(|| format!("{major}:{minor} {kind:x} {id:x} {} {boot}", mount.id))
    }

    /// Asks the system for the file system of an open file.
    pub(super) fn of(file: &File, found: &rustix::fs::Statx) -> Option<Self> {
        use rustix::fs::{StatVfsMountFlags, StatxFlags, fstatfs, fstatvfs};
        let described = fstatvfs(file).ok()?;
        let has = |flag: StatxFlags| found.stx_mask & flag.bits() != 0;
        let is_unique = has(UNIQUE_MOUNT_ID);
        let is_known = is_unique || has(StatxFlags::MNT_ID);
        Some(Self {
            // The numbers have 32 bits, but some systems extend their sign.
            kind: fstatfs(file).ok()?.f_type as u32,
            is_read_only: described.f_flag.contains(StatVfsMountFlags::RDONLY),
            id: described.f_fsid,
            device: (found.stx_dev_major, found.stx_dev_minor),
            mount: is_known.then_some(Mount {
                id: found.stx_mnt_id,
                is_unique,
            }),
            boot: boot_id().map(str::to_owned),
        })
    }
}

/// `STATX_MNT_ID_UNIQUE` of `linux/stat.h`. Older systems ignore it.
pub(super) const UNIQUE_MOUNT_ID: rustix::fs::StatxFlags =
    rustix::fs::StatxFlags::from_bits_retain(0x4000);

/// Returns the id that the system has chosen at its start; `None` if it cannot be read.
fn boot_id() -> Option<&'static str> {
    const FILE: &str = "/proc/sys/kernel/random/boot_id";
    static ID: OnceLock<Option<String>> = OnceLock::new();
    let read = || {
        let text = std::fs::read_to_string(FILE).ok()?;
        Some(text.trim().to_owned()).filter(|id| !id.is_empty())
    };
    ID.get_or_init(read).as_deref()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXT4: u32 = 0xef53;

    fn disk() -> FileSystem {
        FileSystem {
            kind: EXT4,
            is_read_only: false,
            id: 0x9577_f7c8,
            device: (254, 0),
            mount: Some(Mount {
                id: 2_147_483_701,
                is_unique: true,
            }),
            boot: Some("6a71682f".to_owned()),
        }
    }

    #[test]
    fn times_are_trusted_only_on_disks_mounted_for_writing() {
        let on = |kind| FileSystem { kind, ..disk() };
        for kind in TRUSTED {
            assert!(on(kind).scope().is_some(), "{kind:x}");
        }
        for (name, kind) in [
            ("tmpfs", 0x0102_1994),
            ("squashfs", 0x7371_7368),
            ("erofs", 0xe0f5_e1e2),
            ("iso9660", 0x9660),
            ("udf", 0x1501_3346),
            ("cramfs", 0x28cd_3d45),
            ("romfs", 0x7275),
            ("nfs", 0x6969),
            ("smb2", 0xfe53_4d42),
            ("cifs", 0xff53_4d42),
            ("9p", 0x0102_1997),
            ("ceph", 0x00c3_6400),
            ("afs", 0x5346_414f),
            ("lustre", 0x0bd0_0bd0),
            ("fuse", 0x6573_5546),
            ("fat", 0x4d44),
            ("exfat", 0x2011_bab0),
            ("unknown", 0x1234_5678),
        ] {
            assert_eq!(on(kind).scope(), None, "{name}");
        }
        let read_only = FileSystem {
            is_read_only: true,
            ..disk()
        };
        assert_eq!(read_only.scope(), None);
    }

    #[test]
    fn two_images_on_one_device_are_told_apart() {
        let mounted = |id, is_unique, device| FileSystem {
            mount: Some(Mount { id, is_unique }),
            device,
            ..disk()
        };
        let (first, second) = (mounted(71, true, (7, 0)), mounted(72, true, (7, 0)));
        assert!(first.scope().is_some() && first.scope() != second.scope());
        // Older systems give the id of an earlier mount to a later one.
        for device in [(7, 0), (43, 0), (0, 41)] {
            assert_eq!(mounted(71, false, device).scope(), None);
        }
        assert!(mounted(71, false, (254, 0)).scope().is_some());
    }

    #[test]
    fn scopes_differ_in_every_part() {
        let scope = disk().scope();
        let others = [
            FileSystem {
                kind: 0x5846_5342,
                ..disk()
            },
            FileSystem { id: 1, ..disk() },
            FileSystem {
                device: (254, 1),
                ..disk()
            },
            FileSystem {
                boot: Some("another".to_owned()),
                ..disk()
            },
        ];
        for other in others {
            assert_ne!(other.scope(), scope, "{other:?}");
        }
        let unknown = [
            FileSystem {
                mount: None,
                ..disk()
            },
            FileSystem {
                boot: None,
                ..disk()
            },
        ];
        assert_eq!(unknown.map(|other| other.scope()), [None, None]);
    }
}
