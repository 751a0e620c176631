//! Changes of the files of a locked model, and the error that follows.

use std::fs;

use crate::support::repository;

/// The part of the lock's error that is the same for directories and the Hub.
pub const DIFFER: &str =
    "differ from those in tokscope.lock\n\nhint: `tokscope check` shows what changed\n";
pub const TOKENIZE: [&str; 4] = ["tokenize", "banco de madera", "--ids", "--locked"];

/// The ways to change what a model tokenizes to: the name of a file, and its new content.
pub fn changes() -> Vec<(&'static str, Vec<u8>)> {
    let demo = |name: &str| fs::read(repository("demo/model").join(name)).unwrap();
    let edited = |name: &str, from: &str, to: &str| {
        let text = String::from_utf8(demo(name)).unwrap();
        assert!(text.contains(from), "{name}: {text}");
        text.replacen(from, to, 1).into_bytes()
    };
    vec![
        ("spm.model", renamed_piece(&demo("spm.model"))),
        (
            "added_tokens.json",
            br#"{"[MASK]": 2000, "banco": 2001}"#.to_vec(),
        ),
        (
            "special_tokens_map.json",
            br#"{"sep_token": "[PAD]"}"#.to_vec(),
        ),
        ("config.json", edited("config.json", "{", "{ ")),
        (
            "tokenizer_config.json",
            edited(
                "tokenizer_config.json",
                "\"do_lower_case\": false",
                "\"do_lower_case\": true ",
            ),
        ),
    ]
}

/// Returns an `spm.model` in which a piece of the demo is another one of the same length.
pub fn renamed_piece(spm: &[u8]) -> Vec<u8> {
    let mut bytes = spm.to_vec();
    bytes[place_of_piece(spm)] = b'x';
    bytes
}

/// Returns the place of the last byte of the piece `▁banco`.
pub fn place_of_piece(spm: &[u8]) -> usize {
    let piece = "▁banco\u{15}".as_bytes();
    let found = spm.windows(piece.len()).position(|bytes| bytes == piece);
    found.unwrap() + piece.len() - 2
}
