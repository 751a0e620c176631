//! `tokenize --as`: the output formats of other tools, byte for byte.

use serde::Deserialize;

use crate::support::{demo, json_lines, on, shared};

const TEXT: &str = "río 🙂 banco";

fn printed(tool: &str, more: &[&str]) -> String {
    demo(["tokenize", "--as", tool, TEXT].iter().chain(more)).ok()
}

/// A `BatchEncoding` of transformers, as JSON.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchEncoding {
    input_ids: Vec<u32>,
    token_type_ids: Option<Vec<u32>>,
    attention_mask: Vec<u32>,
}

/// `TokenizeResponse` of text-embeddings-inference's OpenAPI description.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct SimpleToken {
    id: u32,
    text: String,
    special: bool,
    start: Option<usize>,
    stop: Option<usize>,
}

/// vLLM's `TokenizeResponse`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenizeResponse {
    count: usize,
    max_model_len: u64,
    tokens: Vec<u32>,
    token_strs: Vec<String>,
}

/// llama-server's answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Llama {
    tokens: Vec<LlamaToken>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LlamaToken {
    id: u32,
    piece: Piece,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Piece {
    Text(String),
    Bytes(Vec<u8>),
}

#[test]
fn transformers_format_is_a_batch_encoding() {
    let line = printed("hf", &[]);
    assert_eq!(
        line,
        "{\"input_ids\": [1, 575, 262, 3, 364, 2], \"token_type_ids\": [0, 0, 0, 0, 0, 0], \
         \"attention_mask\": [1, 1, 1, 1, 1, 1]}\n"
    );
    let pair: BatchEncoding =
        serde_json::from_str(&printed("hf", &["--pair", "hay", "--max-length", "7"])).unwrap();
    assert_eq!(pair.input_ids.len(), 7);
    assert_eq!(pair.attention_mask, [1; 7]);
    assert_eq!(pair.token_type_ids.unwrap().last(), Some(&1));
    // A tokenizer configuration may turn off type ids.
    let folder = crate::support::folder_without_checkpoint();
    let config = folder.path().join("tokenizer_config.json");
    let names = r#"{"model_input_names": ["input_ids", "attention_mask"]}"#;
    std::fs::write(config, names).unwrap();
    let line = on(folder.path(), ["tokenize", "--as", "hf", "hay"]).ok();
    assert_eq!(
        line,
        "{\"input_ids\": [1, 367, 273, 2], \"attention_mask\": [1, 1, 1, 1]}\n"
    );
}

#[test]
fn text_embeddings_inference_format_is_a_tokenize_response() {
    let line = printed("tei", &[]);
    let mut texts: Vec<Vec<SimpleToken>> = serde_json::from_str(&line).unwrap();
    let tokens = texts.remove(0);
    assert!(texts.is_empty());
    for token in &tokens {
        match (token.start, token.stop) {
            (Some(start), Some(stop)) => assert_eq!(TEXT[start..stop], token.text),
            place => assert!(token.special && place == (None, None)),
        }
    }
    assert!(line.starts_with("[[{\"id\":1,\"text\":\"[CLS]\",\"special\":true},{\"id\":575,"));
    let surfaces: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
    assert_eq!(surfaces, ["[CLS]", "río", " ", "🙂", " banco", "[SEP]"]);
}

#[test]
fn vllm_format_is_a_tokenize_response() {
    let response: TokenizeResponse = serde_json::from_str(&printed("vllm", &[])).unwrap();
    assert_eq!((response.count, response.max_model_len), (6, 512));
    assert_eq!(response.tokens, [1, 575, 262, 3, 364, 2]);
    assert_eq!(response.token_strs[3], "[UNK]");
    let without = printed("vllm", &["--no-special-tokens"]);
    assert!(without.starts_with("{\"count\":4,\"max_model_len\":512,\"tokens\":[575,"));
    let folder = crate::support::folder_without_checkpoint();
    std::fs::write(folder.path().join("config.json"), "{}").unwrap();
    let answer = on(folder.path(), ["tokenize", "--as", "vllm", "x"]).exit(2);
    assert!(answer.stderr.contains("max_model_len"), "{}", answer.stderr);
}

#[test]
fn llama_server_format_has_ids_and_pieces() {
    let llama: Llama = serde_json::from_str(&printed("llama-server", &[])).unwrap();
    assert_eq!(llama.tokens[1].id, 575);
    assert_eq!(llama.tokens[1].piece, Piece::Text(" río".to_owned()));
    // A piece that is not UTF-8 on its own is a list of bytes.
    let line = demo(["tokenize", "--as", "llama-server", "<0xE2>"]).ok();
    let llama: Llama = serde_json::from_str(&line).unwrap();
    let pieces: Vec<&Piece> = llama.tokens.iter().map(|token| &token.piece).collect();
    assert!(pieces.contains(&&Piece::Bytes(vec![0xe2])), "{line}");
}

#[test]
fn spm_encode_format_has_one_line_per_text() {
    assert_eq!(printed("spm", &[]), "▁río ▁ 🙂 ▁banco\n");
    assert_eq!(printed("spm", &["--ids"]), "575 262 3 364\n");
    let lines = demo(["tokenize", "--as", "spm", "--lines"]).stdin("hay\n\nun banco\n");
    assert_eq!(lines.ok(), "▁ha y\n\n▁un ▁banco\n");
}

#[test]
fn options_that_a_format_cannot_express_are_refused() {
    for (tool, flag) in [
        ("tei", &["--ids"][..]),
        ("hf", &["--ids"]),
        ("vllm", &["--pair", "x"]),
        ("spm", &["--max-length", "4"]),
        ("llama-server", &["--json"]),
        ("hf", &["--pieces"]),
    ] {
        demo(["tokenize", "--as", tool, "x"].iter().chain(flag)).exit(2);
    }
}

#[test]
fn golden_texts_are_dumped_as_by_python() {
    #[derive(Deserialize)]
    struct Golden {
        ids: Vec<u32>,
    }

    let Some(shared) = shared("golden_texts_are_dumped_as_by_python") else {
        return;
    };
    let golden = shared.join("golden/deberta-v3-xsmall.jsonl");
    let args = ["tokenize", "--as", "hf", "--jsonl", "-f"].map(std::ffi::OsStr::new);
    let model = shared.join("models/deberta-v3-xsmall");
    let printed = on(&model, args.into_iter().chain([golden.as_os_str()])).ok();
    let list = |numbers: &[u32]| {
        let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
        format!("[{}]", numbers.join(", "))
    };
    let expected = json_lines::<Golden>(&golden).into_iter().map(|golden| {
        let (ids, length) = (list(&golden.ids), golden.ids.len());
        let (zeros, ones) = (list(&vec![0; length]), list(&vec![1; length]));
        format!(
            "{{\"input_ids\": {ids}, \"token_type_ids\": {zeros}, \"attention_mask\": {ones}}}\n"
        )
    });
    assert!(printed == expected.collect::<String>());
}
