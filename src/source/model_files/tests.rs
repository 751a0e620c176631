use super::*;
use crate::source::file_name::is_within;
use crate::source::hub::settings::HubSettings;
use crate::source::observer::Unobserved;

fn options() -> SourceOptions {
    SourceOptions {
        offline: false,
        hub: HubSettings::from_env(|_| None),
        cache: AppCache::disabled(),
        observer: Arc::new(Unobserved),
    }
}

#[test]
fn the_built_in_model_is_complete() {
    let files = ModelFiles::open(&ModelRef::Demo, options()).unwrap();
    assert_eq!(files.model(), "demo");
    let list = files.list().unwrap();
    assert!(list.is_sorted_by(|a, b| a.name < b.name));
    for entry in list {
        let file = files.find(&entry.name).unwrap().unwrap();
        assert_eq!(Some(file.len()), entry.size);
    }
    assert!(files.find("tokenizer.json").unwrap().is_none());
    assert_eq!(
        files.missing("tokenizer", &["tokenizer.json"]).to_string(),
        "the built-in model has no tokenizer"
    );
}

#[test]
fn a_directory_lists_and_opens_its_files() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("spm.model"), "abc").unwrap();
    std::fs::create_dir(directory.path().join("onnx")).unwrap();
    let model = ModelRef::Directory(directory.path().to_owned());
    let files = ModelFiles::open(&model, options()).unwrap();
    let list = files.list().unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].name, "spm.model");
    let file = files.find("spm.model").unwrap().unwrap();
    assert_eq!(file.read_all().unwrap().as_ref(), b"abc");
    assert!(files.find("config.json").unwrap().is_none());
    assert!(files.find("onnx/config.json").unwrap().is_none());
}

#[test]
fn a_directory_that_does_not_exist_is_refused() {
    let model = "./nowhere".parse().unwrap();
    let error = ModelFiles::open(&model, options()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`./nowhere` is not a model: there is no such directory"
    );
}

#[test]
fn names_stay_within_the_model() {
    let files = ModelFiles::open(&ModelRef::Demo, options()).unwrap();
    for name in [
        "../x",
        "/etc/passwd",
        "a/../../x",
        "",
        "a//b",
        "C:\\x",
        "a\\..\\b",
        "a\nb",
    ] {
        assert_eq!(files.find(name).unwrap_err().code(), "damaged", "{name:?}");
    }
    assert!(is_within("onnx/model.onnx"));
}

#[cfg(unix)]
#[test]
fn local_files_have_any_name_that_the_system_allows() {
    let directory = tempfile::tempdir().unwrap();
    let model = ModelRef::Directory(directory.path().to_owned());
    let in_directory = ModelFiles::open(&model, options()).unwrap();
    for name in ["a:b.model", "a\\b.model", "C:\\x.model", "a\tb.model"] {
        std::fs::write(directory.path().join(name), "abc").unwrap();
        let model = ModelRef::File(directory.path().join(name));
        let files = ModelFiles::open(&model, options()).unwrap();
        for files in [&files, &in_directory] {
            let file = files.find(name).unwrap().unwrap();
            assert_eq!(file.read_all().unwrap().as_ref(), b"abc", "{name:?}");
        }
        assert_eq!(files.actual_name("spm.model"), name);
    }
    for name in ["../x", "a/..", "", ".", "..", "/etc/passwd", "a//b", "a\0b"] {
        let error = in_directory.find(name).unwrap_err();
        assert_eq!(error.code(), "damaged", "{name:?}");
    }
}
