//! File names and links that lead out of a model.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::json;

use crate::support::{on, tiny_model, tokscope};

const ROW: &[&str] = &["embed", "--id", "299", "--json"];

#[test]
fn a_shard_outside_the_model_is_refused() {
    for name in [
        "../../etc/passwd",
        "/etc/passwd",
        "C:\\windows\\win.ini",
        "a/../../model.bin",
        "..\\x",
        "x\0y",
        "",
    ] {
        let model = tiny_model("sharded_safetensors");
        let index = model.path().join("model.safetensors.index.json");
        let json = json!({"weight_map": {"wte.weight": name}});
        fs::write(&index, serde_json::to_vec(&json).unwrap()).unwrap();
        let answer = on(model.path(), ROW).exit(4);
        let ending = "` is not the name of a file in its directory\n";
        assert!(
            answer.stderr.ends_with(ending),
            "{name:?}: {}",
            answer.stderr
        );
        assert!(
            answer.stderr.contains("model.safetensors.index.json"),
            "{}",
            answer.stderr
        );
    }
}

#[test]
fn a_shard_that_names_its_own_index_is_refused() {
    let model = tiny_model("sharded_safetensors");
    let name = "model.safetensors.index.json";
    let json = json!({"weight_map": {"wte.weight": name}});
    fs::write(model.path().join(name), serde_json::to_vec(&json).unwrap()).unwrap();
    let answer = on(model.path(), ROW).exit(4);
    assert!(
        answer
            .stderr
            .contains("is not a safetensors, torch or GGUF"),
        "{}",
        answer.stderr
    );
}

/// A model directory may contain links, as a snapshot in the Hub cache does. They are followed wherever they lead.
#[cfg(unix)]
#[test]
fn a_link_out_of_a_directory_is_followed_and_only_read() {
    use std::os::unix::fs::symlink;
    let (model, elsewhere) = (tiny_model("f16.safetensors"), tempfile::tempdir().unwrap());
    let expected = on(model.path(), ROW).ok();
    let (from, to) = (
        model.path().join("model.safetensors"),
        elsewhere.path().join("x"),
    );
    fs::rename(&from, &to).unwrap();
    symlink(&to, &from).unwrap();
    let before = fs::read(&to).unwrap();
    assert_eq!(on(model.path(), ROW).ok(), expected);
    assert_eq!(fs::read(&to).unwrap(), before);
    // A link to a file that is not a model file: it is refused, and its content is not shown.
    fs::write(&to, "secret: hunter2\n").unwrap();
    let answer = on(model.path(), ROW).exit(4);
    assert!(!answer.stderr.contains("hunter2"), "{}", answer.stderr);
}

#[cfg(unix)]
#[test]
fn links_to_themselves_and_to_devices_are_refused() {
    use std::os::unix::fs::symlink;
    for target in ["model.safetensors", "/dev/zero", "/dev/stdin", "."] {
        let model = tiny_model("f16.safetensors");
        let link = model.path().join("model.safetensors");
        fs::remove_file(&link).unwrap();
        symlink(target, &link).unwrap();
        let answer = on(model.path(), ROW).exit(4);
        let named = format!("error: cannot read {}: ", link.display());
        assert!(
            answer.stderr.starts_with(&named),
            "{target}: {}",
            answer.stderr
        );
    }
}

/// Returns every file under a folder, with its content.
fn tree(folder: &Path) -> BTreeMap<std::path::PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(tree(&path));
        } else {
            files.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    files
}

#[test]
fn only_the_caches_are_written_to() {
    for fixture in [
        "evil_os_system.bin",
        "zip_f16.bin",
        "legacy_f16.bin",
        "f16.safetensors",
    ] {
        let outer = tempfile::tempdir().unwrap();
        let new_folder = |name: &str| {
            let folder = outer.path().join(name);
            fs::create_dir_all(&folder).unwrap();
            folder
        };
        let (here, home, temporary) = (new_folder("here"), new_folder("home"), new_folder("tmp"));
        fs::write(here.join("t.txt"), "dinero\n").unwrap();
        let model = tiny_model(fixture);
        let before = tree(model.path());
        for args in [
            &["info"][..],
            &["embed", "dinero"],
            &["stats"],
            &["neighbors", "--id", "7"],
            &["count", "t.txt"],
            &["verify", "t.txt"],
            &["vocab"],
        ] {
            let call = tokscope(args)
                .env("TOKSCOPE_MODEL", model.path())
                .env("HOME", &home)
                .env("XDG_CACHE_HOME", home.join("cache"))
                .env("HF_HOME", home.join("huggingface"))
                .env("TMPDIR", &temporary)
                .current_dir(&here);
            call.run();
        }
        assert_eq!(tree(model.path()), before, "{fixture}");
        assert_eq!(tree(&here).len(), 1);
        assert!(tree(&temporary).is_empty());
        let app_cache = home.join("cache/tokscope");
        assert!(tree(&home).keys().all(|path| path.starts_with(&app_cache)));
    }
}
