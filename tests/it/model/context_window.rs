//! The context window and the setting it comes from.

use std::fs;

use crate::records::Record;
use crate::support::{folder_without_checkpoint, on};

#[test]
fn the_smallest_limit_of_all_files_is_the_context_window() {
    let model = folder_without_checkpoint();
    let window = |expected: u64, source: &str| {
        let get = |field: &str| on(model.path(), ["info", "--get", field]).exit(0).stdout;
        assert_eq!(get("context_window"), format!("{expected}\n"));
        assert_eq!(get("context_window_source"), format!("{source}\n"));
        let table = on(model.path(), ["info"]).exit(0).stdout;
        assert!(
            table.contains(&format!("{expected} tokens ({source})")),
            "{table}"
        );
        let answer = on(model.path(), ["tokenize", "--json", "dinero"])
            .exit(0)
            .stdout;
        let Record::Tokenize(record) = serde_json::from_str(&answer).unwrap() else {
            panic!("{answer}");
        };
        assert_eq!(record.context_window, Some(expected));
    };
    let write = |name: &str, text: &str| fs::write(model.path().join(name), text).unwrap();

    let roberta = r#"{"tokenizer_class": "DebertaV2Tokenizer", "model_type": "roberta",
        "max_position_embeddings": 514, "pad_token_id": 1}"#;
    write("config.json", roberta);
    write(
        "tokenizer_config.json",
        r#"{"tokenizer_class": "DebertaV2Tokenizer", "model_max_length": 512}"#,
    );
    window(512, "config.json: max_position_embeddings - 2");
    // The two files agree, so there is no finding.
    let findings = on(model.path(), ["info", "--get", "findings"])
        .exit(0)
        .stdout;
    assert!(!findings.contains("context-window"), "{findings}");

    write(
        "sentence_bert_config.json",
        r#"{"max_seq_length": 384, "do_lower_case": false}"#,
    );
    window(384, "sentence_bert_config.json: max_seq_length");
    write(
        "tokenizer_config.json",
        r#"{"tokenizer_class": "DebertaV2Tokenizer", "max_len": 256}"#,
    );
    window(256, "tokenizer_config.json: model_max_length");
    let findings = on(model.path(), ["info", "--get", "findings"])
        .exit(0)
        .stdout;
    assert!(
        findings.contains(
            "config.json declares max_position_embeddings 514 for 512 tokens, as 2 of its positions are not used, but \
             model_max_length is 256"
        ),
        "{findings}"
    );
    write("sentence_bert_config.json", r#"{"max_seq_length": null}"#);
    window(256, "tokenizer_config.json: model_max_length");
}
