//! A folder to run the commands of a page in.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{NO_HUB, repository};

/// Files and folders of the repository that commands of the pages name.
const COPIED: [&str; 2] = ["README.md", "demo"];

/// A copy of the files that the pages name, with an empty home and no network.
pub struct Sandbox {
    folder: tempfile::TempDir,
    model: Option<PathBuf>,
}

impl Sandbox {
    /// Makes a sandbox in which `model` is the default model.
    pub fn new(model: Option<PathBuf>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in COPIED {
            copy(&repository(name), &folder.path().join("here").join(name));
        }
        for name in ["home", "tmp"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self { folder, model }
    }

    /// Runs a command; returns its exit code and both of its streams in the order in which they were written.
    pub fn run(&self, command: &str) -> (i32, String) {
        let program = Path::new(env!("CARGO_BIN_EXE_tokscope")).parent().unwrap();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(
            [program.to_owned()]
                .into_iter()
                .chain(std::env::split_paths(&path)),
        );
        let printed = self.folder.path().join("printed");
        let file = File::create(&printed).unwrap();
        let mut sh = Command::new("sh");
        sh.args(["-c", command])
            .current_dir(self.folder.path().join("here"))
            .env_clear()
            .env("PATH", path.unwrap())
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", self.folder.path().join("home"))
            .env("TMPDIR", self.folder.path().join("tmp"))
            .env("HF_ENDPOINT", NO_HUB)
            .stdin(Stdio::null())
            .stderr(file.try_clone().unwrap())
            .stdout(file);
        if let Some(model) = &self.model {
            sh.env("TOKSCOPE_MODEL", model);
        }
        let status = sh.status().unwrap();
        let text = fs::read_to_string(printed).unwrap();
        (status.code().unwrap_or(-1), text)
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    if from.is_dir() {
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        fs::copy(from, to).unwrap();
    }
}
