//! Checkpoints with objects beside the tensors or in place of them, written by `tests/fixtures/objects/make.py`.

use std::fs;

use crate::support::{folder_without_checkpoint, on, repository, tiny_model};

fn model(checkpoint: &str) -> tempfile::TempDir {
    let folder = folder_without_checkpoint();
    let from = repository("tests/fixtures/objects").join(checkpoint);
    fs::copy(from, folder.path().join("pytorch_model.bin")).unwrap();
    folder
}

#[test]
fn objects_beside_the_tensors_are_ignored_in_every_protocol_and_container() {
    let args = ["embed", "--id", "0", "--id", "7", "--id", "299"];
    let plain = tiny_model("f16.safetensors");
    let expected = on(plain.path(), args).exit(0).stdout;
    for checkpoint in [
        "zip_2.bin",
        "zip_5.bin",
        "legacy_2.bin",
        "legacy_3.bin",
        "legacy_4.bin",
        "legacy_5.bin",
    ] {
        let model = model(checkpoint);
        let answer = on(model.path(), args).exit(0);
        assert_eq!(
            (answer.stdout, answer.stderr.as_str()),
            (expected.clone(), ""),
            "{checkpoint}"
        );
        let tensor = on(model.path(), ["info", "--get", "embedding.tensor"]).exit(0);
        assert_eq!(tensor.stdout, "deberta.embeddings.word_embeddings.weight\n");
    }
}

#[test]
fn objects_in_place_of_tensors_are_not_supported_and_named() {
    const NAME: &str = "tensor deberta.embeddings.word_embeddings.weight";
    for (checkpoint, problem) in [
        (
            "module.bin",
            "its pickle holds an object of `my_models.nets.Net`, not a dictionary of tensors",
        ),
        (
            "module_in_dict.bin",
            "its pickle has no tensors: `model` is an object of `my_models.nets.Net`, not a tensor",
        ),
        (
            "module_legacy.bin",
            "its pickle holds an object of `my_models.nets.Net`, not a dictionary of tensors",
        ),
        (
            "torchscript.bin",
            "it is a TorchScript archive, not a dictionary of tensors",
        ),
        (
            "quantized.bin",
            &format!("{NAME} is quantized, which is not supported"),
        ),
        (
            "sparse.bin",
            &format!("{NAME} is sparse, which is not supported"),
        ),
        (
            "array.bin",
            &format!("{NAME} is an object of `numpy._core.multiarray._reconstruct`, not a tensor"),
        ),
    ] {
        let model = model(checkpoint);
        let answer = on(model.path(), ["embed", "--id", "7"]).exit(4);
        let file = model.path().join("pytorch_model.bin");
        let sentence = format!("error: {} is not supported: {problem}\n", file.display());
        assert_eq!(answer.stderr, sentence, "{checkpoint}");
    }
}
