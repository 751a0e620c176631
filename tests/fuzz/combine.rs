//! Makes small `tokenizer.json` files, reproducibly: random models, added tokens, and steps, in random combinations.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};
use tokscope::formats::sentencepiece::SentencePieceModel;

use crate::mutate::Random;
use crate::repository;

/// Strings that pieces, added tokens, steps and texts are made of.
const ATOMS: &[&str] = &[
    "a",
    "b",
    "c",
    "A",
    "B",
    "ab",
    "abc",
    "1",
    "23",
    "½",
    "²",
    "é",
    "É",
    "e\u{301}",
    "ß",
    "İ",
    "ﬁ",
    "漢",
    "字",
    "😀",
    "👩\u{200d}👧",
    " ",
    "  ",
    "\n",
    "\t",
    "\u{a0}",
    "\u{3000}",
    "▁",
    "Ġ",
    "Ċ",
    "##a",
    "##b",
    "</w>",
    "<unk>",
    "<s>",
    "</s>",
    "[MASK]",
    "<x>",
    ".",
    ",",
    "'s",
    "-",
    "\u{200b}",
    "\u{ad}",
    "\u{301}",
    "Ａ",
    "ｶﾞ",
    "각",
    "\0",
    "\u{fffd}",
    "<0x41>",
    "<0xC3>",
    "<0xA9>",
    "\u{16ea0}",
    "\u{a7ce}",
    "\u{11de0}",
    "dog",
    "DOG",
    "``",
    "\r\n",
];

const REGEXES: &[&str] = &[
    r"\s+",
    " {2,}",
    r"\w+",
    r"\d",
    r"\d{1,3}(?=(?:\d{3})*\b)",
    r"[^\w\s]",
    "",
    "a|b",
    "(?i)a",
    r"\p{L}+",
    r"\p{N}",
    r"$",
    "^",
    r"\b",
    r"'s|\p{L}+| ?[^\s\p{L}]+|\s+(?!\S)|\s+",
    "[",
    "x*",
    r"(?<=a)b",
    "▁",
    r"\p{Lu}",
    ".",
];

const BEHAVIORS: &[&str] = &[
    "Removed",
    "Isolated",
    "MergedWithPrevious",
    "MergedWithNext",
    "Contiguous",
];

static CHARSMAP: LazyLock<String> = LazyLock::new(|| {
    let bytes = std::fs::read(repository("fuzz/seeds/spm/with_map.model")).unwrap();
    let model = SentencePieceModel::parse("spm.model", &bytes).unwrap();
    BASE64_STANDARD.encode(model.precompiled_charsmap)
});

/// A source of random values.
pub struct Choices(pub Random);

impl Choices {
    pub fn new(number: u64) -> Self {
        Self(Random::new(number))
    }

    fn yes(&mut self, of: usize) -> bool {
        self.0.below(of) == 0
    }

    fn flag(&mut self) -> bool {
        self.yes(2)
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.0.below(from.len())]
    }

    /// Returns a string of `1` to `longest` atoms.
    fn string(&mut self, longest: usize) -> String {
        let count = 1 + self.0.below(longest);
        (0..count).map(|_| self.pick(ATOMS)).collect()
    }

    /// Returns a text for a tokenizer with these added tokens.
    pub fn text(&mut self, added: &[String]) -> String {
        let count = self.0.below(14);
        let mut text = String::new();
        for _ in 0..count {
            match self.pick(&[0, 1, 2]) {
                0 if !added.is_empty() => text += &added[self.0.below(added.len())],
                1 => text += &self.pick(ATOMS).repeat(1 + self.0.below(3)),
                _ => text += self.pick(ATOMS),
            }
        }
        text
    }

    /// Returns a tokenizer, and the contents of its added tokens.
    pub fn tokenizer(&mut self) -> (Value, Vec<String>) {
        let mut pieces: Vec<String> = vec!["<unk>".to_owned(), "<s>".to_owned(), "</s>".to_owned()];
        for _ in 0..self.0.below(24) {
            let piece = if self.yes(3) {
                self.string(3)
            } else {
                self.pick(ATOMS).to_owned()
            };
            if !pieces.contains(&piece) {
                pieces.push(piece);
            }
        }
        let added: Vec<Value> = (0..self.0.below(5))
            .map(|id| self.added_token(id, &pieces))
            .collect();
        let contents = added
            .iter()
            .map(|token| token["content"].as_str().unwrap().to_owned())
            .collect();
        let json = json!({
            "version": "1.0",
            "truncation": self.yes(12).then(|| json!({"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 1})),
            "padding": self.yes(12).then(|| json!({"strategy": {"Fixed": 9}, "direction": "Left", "pad_to_multiple_of": null,
                                                   "pad_id": 0, "pad_type_id": 0, "pad_token": "<unk>"})),
            "added_tokens": added,
            "normalizer": self.steps("normalizers", Self::normalizer),
            "pre_tokenizer": self.steps("pretokenizers", Self::pre_tokenizer),
            "post_processor": self.steps("processors", Self::post_processor),
            "decoder": self.steps("decoders", Self::decoder),
            "model": self.model(pieces),
        });
        (json, contents)
    }

    fn added_token(&mut self, id: usize, pieces: &[String]) -> Value {
        let content = match self.pick(&[0, 1, 2, 3]) {
            0 => pieces[self.0.below(pieces.len())].clone(),
            1 => self.string(2),
            _ => self.pick(ATOMS).to_owned(),
        };
        json!({"id": id, "content": content, "single_word": self.yes(4), "lstrip": self.yes(4), "rstrip": self.yes(4),
               "normalized": self.flag(), "special": self.flag()})
    }

    /// Returns null, one step, or a sequence of up to four, which may be nested.
    fn steps(&mut self, list: &str, step: fn(&mut Self) -> Value) -> Value {
        match self.0.below(8) {
            0 => Value::Null,
            1..5 => step(self),
            5 => {
                let inner = self.steps(list, step);
                let inner = if inner.is_null() { step(self) } else { inner };
                json!({"type": "Sequence", list: [inner, step(self)]})
            }
            _ => {
                let steps: Vec<Value> = (0..self.0.below(5)).map(|_| step(self)).collect();
                json!({"type": "Sequence", list: steps})
            }
        }
    }

    fn pattern(&mut self) -> Value {
        if self.flag() {
            json!({"Regex": self.pick(REGEXES)})
        } else {
            json!({"String": self.pick(ATOMS)})
        }
    }

    fn normalizer(&mut self) -> Value {
        match self.0.below(14) {
            0 => {
                json!({"type": "BertNormalizer", "clean_text": self.flag(), "handle_chinese_chars": self.flag(),
                        "strip_accents": self.pick(&[None, Some(true), Some(false)]), "lowercase": self.flag()})
            }
            1 => json!({"type": "Strip", "strip_left": self.flag(), "strip_right": self.flag()}),
            2 => json!({"type": "StripAccents"}),
            3 => json!({"type": self.pick(&["NFC", "NFD", "NFKC", "NFKD"])}),
            4 | 5 => json!({"type": "Lowercase"}),
            6 => json!({"type": "Nmt"}),
            7 | 8 => json!({"type": "Precompiled", "precompiled_charsmap": *CHARSMAP}),
            9..12 => {
                let content = if self.flag() { "" } else { self.pick(ATOMS) };
                json!({"type": "Replace", "pattern": self.pattern(), "content": content})
            }
            12 => json!({"type": "Prepend", "prepend": self.pick(&["▁", "", "a ", "Ġ"])}),
            _ => json!({"type": "ByteLevel"}),
        }
    }

    fn pre_tokenizer(&mut self) -> Value {
        match self.0.below(14) {
            0 => json!({"type": "BertPreTokenizer"}),
            1 => {
                json!({"type": "ByteLevel", "add_prefix_space": self.flag(), "trim_offsets": self.flag(), "use_regex": self.flag()})
            }
            2 => json!({"type": "CharDelimiterSplit", "delimiter": self.pick(&["a", " ", "é"])}),
            3..6 => {
                json!({"type": "Metaspace", "replacement": self.pick(&["▁", "_"]), "split": self.flag(),
                           "prepend_scheme": self.pick(&["always", "always", "first", "never"])})
            }
            6 => json!({"type": "Whitespace"}),
            7 | 8 => json!({"type": "WhitespaceSplit"}),
            9 => {
                json!({"type": "Split", "pattern": self.pattern(), "behavior": self.pick(BEHAVIORS), "invert": self.flag()})
            }
            10 => json!({"type": "Punctuation", "behavior": self.pick(BEHAVIORS)}),
            11 => json!({"type": "Digits", "individual_digits": self.flag()}),
            12 => json!({"type": "UnicodeScripts"}),
            _ => json!({"type": "FixedLength", "length": 1 + self.0.below(4)}),
        }
    }

    fn post_processor(&mut self) -> Value {
        let (sep, cls) = (json!(["</s>", 2]), json!(["<s>", 1]));
        match self.0.below(6) {
            0 => json!({"type": "BertProcessing", "sep": sep, "cls": cls}),
            1 => json!({"type": "RobertaProcessing", "sep": sep, "cls": cls,
                        "trim_offsets": self.flag(), "add_prefix_space": self.flag()}),
            2 => {
                json!({"type": "ByteLevel", "add_prefix_space": self.flag(), "trim_offsets": self.flag(), "use_regex": self.flag()})
            }
            _ => {
                let single = self.template(&["A"]);
                let pair = self.template(&["A", "B"]);
                json!({"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": {
                    "<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]},
                    "</s>": {"id": "</s>", "ids": [2, 0], "tokens": ["</s>", "<unk>"]},
                }})
            }
        }
    }

    fn template(&mut self, texts: &[&str]) -> Vec<Value> {
        let mut parts = Vec::new();
        for text in texts {
            for _ in 0..self.0.below(2) {
                parts.push(json!({"SpecialToken": {"id": self.pick(&["<s>", "</s>"]), "type_id": self.0.below(3)}}));
            }
            let times = if self.yes(8) { 2 } else { 1 };
            for _ in 0..times {
                parts.push(json!({"Sequence": {"id": text, "type_id": self.0.below(2)}}));
            }
        }
        parts.push(json!({"SpecialToken": {"id": "</s>", "type_id": 0}}));
        parts
    }

    fn decoder(&mut self) -> Value {
        match self.0.below(9) {
            0 => json!({"type": "BPEDecoder", "suffix": self.pick(&["</w>", ""])}),
            1 => {
                json!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true})
            }
            2 => json!({"type": "WordPiece", "prefix": "##", "cleanup": self.flag()}),
            3 => {
                json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": self.pick(&["always", "first", "never"]), "split": true})
            }
            4 => {
                json!({"type": "CTC", "pad_token": "<s>", "word_delimiter_token": "▁", "cleanup": self.flag()})
            }
            5 => json!({"type": "ByteFallback"}),
            6 => json!({"type": "Fuse"}),
            7 => {
                json!({"type": "Strip", "content": self.pick(&[" ", "a"]), "start": self.0.below(3), "stop": self.0.below(3)})
            }
            _ => {
                json!({"type": "Replace", "pattern": self.pattern(), "content": self.pick(&["", " ", "é"])})
            }
        }
    }

    fn model(&mut self, mut pieces: Vec<String>) -> Value {
        match self.0.below(6) {
            0..3 => {
                if self.yes(6) {
                    pieces.push(pieces[self.0.below(pieces.len())].clone());
                }
                if self.yes(40) {
                    pieces.push(String::new());
                }
                let scores = [0.0, -1.0, -1.5, -2.0, -2.0, -3.25, -7.0];
                let vocab: Vec<Value> = pieces
                    .iter()
                    .map(|piece| json!([piece, self.pick(&scores)]))
                    .collect();
                let unk = if self.yes(8) {
                    Value::Null
                } else {
                    json!(self.pick(&[0, 0, 0, 1, 3]))
                };
                json!({"type": "Unigram", "unk_id": unk, "vocab": vocab, "byte_fallback": self.yes(6)})
            }
            3 => self.bpe(pieces),
            4 => json!({"type": "WordPiece", "vocab": self.with_ids(&pieces), "unk_token": "<unk>",
                        "continuing_subword_prefix": "##", "max_input_chars_per_word": self.pick(&[2, 100])}),
            _ => {
                json!({"type": "WordLevel", "vocab": self.with_ids(&pieces), "unk_token": "<unk>"})
            }
        }
    }

    fn bpe(&mut self, mut pieces: Vec<String>) -> Value {
        let (prefix, suffix) = (self.yes(6).then_some("##"), self.yes(6).then_some("</w>"));
        let mut merges = Vec::new();
        for _ in 0..self.0.below(10) {
            let (left, right) = (self.0.below(pieces.len()), self.0.below(pieces.len()));
            let (left, right) = (pieces[left].clone(), pieces[right].clone());
            let tail = prefix.and_then(|prefix| right.strip_prefix(prefix));
            let whole = format!("{left}{}", tail.unwrap_or(&right));
            if prefix.is_some() && tail.is_none() {
                continue;
            }
            if !pieces.contains(&whole) {
                pieces.push(whole);
            }
            merges.push(json!([left, right]));
        }
        json!({"type": "BPE", "dropout": null, "unk_token": if self.flag() { Some("<unk>") } else { None },
               "continuing_subword_prefix": prefix, "end_of_word_suffix": suffix, "fuse_unk": self.flag(),
               "byte_fallback": self.yes(3), "ignore_merges": self.yes(3), "vocab": self.with_ids(&pieces), "merges": merges})
    }

    /// Gives the pieces distinct ids, mostly without holes. The first three keep theirs, because templates name them.
    fn with_ids(&mut self, pieces: &[String]) -> Map<String, Value> {
        let holes = self.yes(3);
        let mut next = 0;
        let mut ids = Map::new();
        for piece in pieces {
            ids.insert(piece.clone(), json!(next));
            next += 1;
            if holes && next > 2 {
                next += self.0.below(3);
            }
        }
        ids
    }
}
