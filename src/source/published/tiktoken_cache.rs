//! The cache of tiktoken (`read_file_cached` of tiktoken 0.14).

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use sha1::{Digest as _, Sha1};

use crate::model_ref::PublishedFile;
use crate::source::digest::hex;

/// The folders for temporary files, if no variable names one, as in Python's `tempfile`.
const TEMPORARY: [&str; 3] = ["/tmp", "/var/tmp", "/usr/tmp"];

/// Returns the path at which tiktoken keeps a file, whether or not it is there. Returns `None` if the cache is off.
pub(super) fn path(
    published: &PublishedFile,
    lookup: impl Fn(&str) -> Option<OsString>,
) -> Option<PathBuf> {
    let given = lookup("TIKTOKEN_CACHE_DIR").or_else(|| lookup("DATA_GYM_CACHE_DIR"));
    let folder = match given {
        Some(folder) if folder.is_empty() => return None,
        Some(folder) => PathBuf::from(folder),
        None => temporary(lookup)?.join("data-gym-cache"),
    };
    Some(folder.join(hex(&Sha1::digest(published.address))))
}

fn temporary(lookup: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let named = ["TMPDIR", "TEMP", "TMP"].into_iter().filter_map(lookup);
    let named = named.filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let mut folders = named.chain(TEMPORARY.map(PathBuf::from));
    folders.find(|folder: &PathBuf| Path::is_dir(folder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model_ref::Encoding;

    fn path_of(name: &str, variables: &[(&str, &str)]) -> Option<String> {
        let published = Encoding::find(name).unwrap().file;
        let path = path(published, |name| {
            let known = variables.iter().find(|(known, _)| *known == name)?;
            Some(known.1.into())
        });
        path.map(|path| path.display().to_string())
    }

    #[test]
    fn a_file_is_named_by_the_sha1_of_its_address() {
        let own = [
            ("TIKTOKEN_CACHE_DIR", "/own"),
            ("DATA_GYM_CACHE_DIR", "/old"),
        ];
        assert_eq!(
            path_of("cl100k_base", &own).as_deref(),
            Some("/own/9b5ad71b2ce5302211f9c61530b329a4922fc6a4")
        );
        assert_eq!(
            path_of("o200k_harmony", &own[1..]).as_deref(),
            Some("/old/fb374d419588a4632f3f557e76b4b70aebbca790")
        );
    }

    #[test]
    fn the_cache_is_in_the_folder_for_temporary_files_unless_it_is_off() {
        let folder = tempfile::tempdir().unwrap();
        let temporary = folder.path().to_str().unwrap();
        let name = "/data-gym-cache/0ea1e91bbb3a60f729a8dc8f777fd2fc07cd8df4";
        for variables in [
            &[("TMPDIR", temporary)][..],
            &[
                ("TMPDIR", ""),
                ("TEMP", "/no/such/folder"),
                ("TMP", temporary),
            ],
        ] {
            assert_eq!(
                path_of("r50k_base", variables),
                Some(format!("{temporary}{name}"))
            );
        }
        assert_eq!(path_of("r50k_base", &[("TIKTOKEN_CACHE_DIR", "")]), None);
        assert_eq!(
            path_of(
                "r50k_base",
                &[("TIKTOKEN_CACHE_DIR", ""), ("DATA_GYM_CACHE_DIR", "/x")]
            ),
            None
        );
    }
}
