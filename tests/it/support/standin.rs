//! A full-size stand-in for the checkpoint of `microsoft/deberta-v3-xsmall`, generated once in the target folder.
//!
//! Shapes, types, names, and containers are the real ones, as are the values that the lesson prints.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use safetensors::{Dtype, SafeTensors};

use crate::loopback_hub::git_blob;
use crate::remote::TENSOR;
use crate::support::checkpoints::{F16, gguf_header};
use crate::support::{shared, skipped};

/// The files of the model except its checkpoint.
pub const MODEL_FILES: [&str; 3] = ["config.json", "spm.model", "tokenizer_config.json"];

/// The containers, with the name of the checkpoint file of each.
pub const CONTAINERS: [(&str, &str); 4] = [
    ("torch-zip", "pytorch_model.bin"),
    ("safetensors", "model.safetensors"),
    ("torch-legacy", "pytorch_model.bin"),
    ("gguf", "model.gguf"),
];

/// A folder with one model folder for each container.
pub struct StandIn(PathBuf);

impl StandIn {
    /// Returns the model folder of a container.
    pub fn folder(&self, container: &str) -> PathBuf {
        self.0.join(container)
    }

    /// Returns the model folder with the same container as on the Hub.
    pub fn as_on_the_hub(&self) -> PathBuf {
        self.folder("torch-zip")
    }
}

/// Returns the stand-in, or `None` after printing why `test` is skipped.
pub fn standin(test: &str) -> Option<&'static StandIn> {
    static MADE: OnceLock<Option<StandIn>> = OnceLock::new();
    let shared = shared(test)?;
    let made = MADE.get_or_init(|| {
        let version = Command::new("python3").arg("--version").output();
        version
            .is_ok_and(|version| version.status.success())
            .then(|| StandIn(make(&shared)))
    });
    if made.is_none() {
        skipped(format_args!("{test} needs python3"));
    }
    made.as_ref()
}

/// Returns a GGUF file with the matrix of a safetensors file.
fn gguf(safetensors: &Path) -> Vec<u8> {
    let bytes = fs::read(safetensors).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let matrix = tensors.tensor(TENSOR).unwrap();
    assert_eq!(matrix.dtype(), Dtype::F16);
    let [rows, columns] = matrix.shape() else {
        panic!("{:?} is no matrix", matrix.shape());
    };
    let header = gguf_header(&[(TENSOR, &[*columns as u64, *rows as u64], F16, 0)]);
    [&header, matrix.data()].concat()
}

/// Generates the folder, unless an earlier run has. Renames it into place when it is complete, since another process
/// may be generating it too.
fn make(shared: &Path) -> PathBuf {
    let script = shared.join("tools/make_checkpoint.py");
    // The last part stands for the containers that are made here.
    let recipe = [
        fs::read(&script).unwrap(),
        fs::read(shared.join("lesson/facts.json")).unwrap(),
        b"gguf".to_vec(),
    ]
    .concat();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let made = target.join(format!("stand-in-{}", &git_blob(&recipe)[..12]));
    if made.is_dir() {
        return made;
    }
    let build = tempfile::Builder::new()
        .prefix("stand-in-being-made-")
        .tempdir_in(target)
        .unwrap();
    let parts = build.path().join("parts");
    let output = Command::new("python3")
        .arg(&script)
        .arg(&parts)
        .args(["bin", "safetensors", "legacy"])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    fs::write(
        parts.join("model.gguf"),
        gguf(&parts.join("model.safetensors")),
    )
    .unwrap();
    for (container, file) in CONTAINERS {
        let folder = build.path().join(container);
        fs::create_dir(&folder).unwrap();
        let from = match container {
            "torch-legacy" => parts.join("legacy").join(file),
            _ => parts.join(file),
        };
        fs::rename(from, folder.join(file)).unwrap();
        for name in MODEL_FILES {
            let content = fs::read(shared.join("models/deberta-v3-xsmall").join(name)).unwrap();
            fs::write(folder.join(name), content).unwrap();
        }
    }
    fs::remove_dir_all(parts).unwrap();
    // Fails if another process was faster, in which case its folder is the same.
    if fs::rename(build.path(), &made).is_ok() {
        // The temporary folder has been renamed, so it must not be removed.
        let _ = build.keep();
    }
    assert!(made.is_dir());
    made
}
