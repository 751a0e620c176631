//! Unusual files that the reference reads, and that are therefore read.

use std::fs;

use crate::support::{on, tiny_model};

/// Replaces the end of a JSON object in `name`, a file of the model.
fn append(model: &tempfile::TempDir, name: &str, fields: &str) {
    let path = model.path().join(name);
    let text = fs::read_to_string(&path).unwrap();
    let open = text.trim_end().strip_suffix('}').unwrap();
    fs::write(&path, format!("{open}, {fields}}}")).unwrap();
}

#[test]
fn json_that_only_python_reads_is_read() {
    let model = tiny_model("sharded_bin");
    let commands = [&["tokenize", "dinero"][..], &["embed", "--id", "7"]];
    let usual = commands.map(|args| on(model.path(), args).exit(0).stdout);
    // As in Mamba-2 and Nemotron-H.
    let limits = r#""time_step_limit": [0.0, Infinity], "nested": {"a": [NaN, {"b": -Infinity}]}"#;
    append(&model, "config.json", limits);
    append(
        &model,
        "config.json",
        r#""vocab_size": 1, "vocab_size": 300, "note": "\ud800""#,
    );
    append(
        &model,
        "tokenizer_config.json",
        r#""model_max_length": Infinity, "do_lower_case": "", "do_lower_case": 0, "big": 1e999"#,
    );
    append(
        &model,
        "pytorch_model.bin.index.json",
        r#""metadata": {"total_size": NaN}"#,
    );
    fs::write(
        model.path().join("special_tokens_map.json"),
        r#"{"x": Infinity}"#,
    )
    .unwrap();
    fs::write(model.path().join("added_tokens.json"), "{\r}").unwrap();
    for (args, usual) in commands.iter().zip(usual) {
        assert_eq!(on(model.path(), *args).exit(0).stdout, usual);
    }
    let size = on(model.path(), ["info", "--get", "config.vocab_size"]).exit(0);
    assert_eq!(size.stdout, "300\n");
}
