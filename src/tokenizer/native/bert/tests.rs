//! Compares the words of BERT's steps with those of the `tokenizers` crate.

use std::cell::RefCell;

use serde_json::{Value, json};

use super::chars::{AsciiTable, CharTable, NO_TOKEN};
use super::scan::WordScan;
use super::steps::BertSteps;
use crate::tokenizer::native::aligned_text::AlignedText;
use crate::tokenizer::native::space_scan::PaddedText;

/// The normalized form of a word, and the range in the text of each of its bytes.
type Word = (String, Vec<(u32, u32)>);

struct Compared {
    steps: BertSteps,
    characters: CharTable,
    ascii: AsciiTable,
    /// The forms of the characters that are words of their own, by their ids.
    marks: RefCell<Vec<String>>,
    aligned: AlignedText,
    texts: usize,
}

impl Compared {
    fn new(normalizer: &Value) -> Self {
        let steps = BertSteps::new(normalizer, &json!({"type": "BertPreTokenizer"})).unwrap();
        let mut characters = CharTable::default();
        let marks = RefCell::default();
        let ascii = characters.prepare(&steps, |word| Some(id(&marks, word)));
        Self {
            steps,
            characters,
            ascii,
            marks,
            aligned: AlignedText::default(),
            texts: 0,
        }
    }

    /// Asserts that both have the same words, with the same ranges.
    fn compare(&mut self, text: &str) {
        self.texts += 1;
        let expected = theirs(&self.steps, text);
        assert_eq!(self.ours(text), expected, "{text:?} {:?}", self.steps);
    }

    fn ours(&mut self, text: &str) -> Vec<Word> {
        let Self {
            steps,
            characters,
            ascii,
            marks,
            aligned,
            ..
        } = self;
        let padded = PaddedText::new(text.as_bytes());
        let mut scan = WordScan::new(text, &padded, steps, |word| Some(id(marks, word)), 0);
        let mut words = Vec::new();
        while let Some(found) = scan.next(characters, ascii) {
            let (start, end) = (found.start, found.end);
            if found.mixed {
                let shift = start as u32;
                for (word, ranges) in theirs(steps, &text[start..end]) {
                    let ranges = ranges
                        .iter()
                        .map(|range| (range.0 + shift, range.1 + shift));
                    words.push((word, ranges.collect()));
                }
            } else {
                characters.normalize(&text[start..end], start, aligned);
                if !aligned.text.is_empty() {
                    words.push((aligned.text.clone(), aligned.ranges.clone()));
                }
            }
            if found.mark != NO_TOKEN {
                let word = marks.borrow()[found.mark as usize].clone();
                let range = (end as u32, found.mark_end as u32);
                let ranges = vec![range; word.len()];
                words.push((word, ranges));
            }
        }
        words
    }
}

fn id(marks: &RefCell<Vec<String>>, word: &str) -> u32 {
    let mut marks = marks.borrow_mut();
    let known = marks.iter().position(|mark| mark == word);
    known.unwrap_or_else(|| {
        marks.push(word.to_owned());
        marks.len() - 1
    }) as u32
}

/// Returns the words of the crate's steps, with a token for each character.
fn theirs(steps: &BertSteps, text: &str) -> Vec<Word> {
    let steps = steps.hf().get().unwrap();
    let normalized = steps.normalize(text, false, false).unwrap();
    let tokenized = steps.tokenize(normalized, |word| {
        let token = |(at, character): (usize, char)| {
            let range = (at, at + character.len_utf8());
            tokenizers::Token::new(0, character.to_string(), range)
        };
        word.char_indices().map(token).collect()
    });
    let (encoding, _) = tokenized.unwrap();
    let mut words: Vec<Word> = Vec::new();
    let tokens = encoding.get_tokens().iter().zip(encoding.get_offsets());
    for ((token, range), number) in tokens.zip(encoding.get_word_ids()) {
        if number.unwrap() as usize == words.len() {
            words.push(Word::default());
        }
        let word = words.last_mut().unwrap();
        word.0.push_str(token);
        let range = (range.0 as u32, range.1 as u32);
        word.1.extend(std::iter::repeat_n(range, token.len()));
    }
    words
}

/// Returns a normalizer for each combination of settings, the usual ones first.
fn normalizers() -> Vec<Value> {
    let mut all = vec![Value::Null, json!({"type": "Lowercase"})];
    for clean_text in [true, false] {
        for handle_chinese_chars in [true, false] {
            for lowercase in [true, false] {
                for strip_accents in [None, Some(true), Some(false)] {
                    all.push(json!({
                        "type": "BertNormalizer",
                        "clean_text": clean_text,
                        "handle_chinese_chars": handle_chinese_chars,
                        "strip_accents": strip_accents,
                        "lowercase": lowercase,
                    }));
                }
            }
        }
    }
    all
}

#[test]
fn characters_have_the_form_of_the_crate() {
    compare_characters(61);
}

#[test]
#[ignore = "takes minutes"]
fn every_character_has_the_form_of_the_crate() {
    compare_characters(1);
}

/// Compares every `step`-th character, alone and among others, with all settings. Compares the most frequent characters
/// with some settings in any case.
fn compare_characters(step: usize) {
    let mut texts = 0;
    for (number, normalizer) in normalizers().iter().enumerate() {
        let mut compared = Compared::new(normalizer);
        let common = '\0'..if number % 5 > 0 { '\0' } else { '\u{400}' };
        // No character is assigned between these two ranges.
        let sample = ('\0'..'\u{34000}').chain('\u{e0000}'..'\u{e0200}');
        for c in common.chain(sample.skip(number % step).step_by(step)) {
            compared.compare(&format!("{c}"));
            compared.compare(&format!(
                "{c}x {c} ab{c}c, {c}{c} e\u{323}\u{301}{c}\u{323}漢{c}\u{fb2c}\u{302e}{c}\u{302e}\u{323}.{c}"
            ));
        }
        texts += compared.texts;
    }
    assert!(texts > 100_000, "{texts}");
}

#[test]
fn random_texts_have_the_words_of_the_crate() {
    compare_random_texts(700);
}

#[test]
#[ignore = "takes minutes"]
fn many_random_texts_have_the_words_of_the_crate() {
    compare_random_texts(50_000);
}

/// Compares this number of texts of random characters of many classes with each of the settings.
fn compare_random_texts(number: usize) {
    const CLASSES: [&[&str]; 12] = [
        &["a", "B", "word", "The", "x1", "Z", "0", "42"],
        &[
            " ", "  ", "\t", "\n", "\r\n", "\u{b}", "\u{c}", "\u{a0}", "\u{3000}", "\u{2003}",
            "\u{85}",
        ],
        &[
            ".", ",", "!", "-", "'", "[", "_", "$", "`", "^", "~", "\"", "#",
        ],
        &[
            "é",
            "Å",
            "ñ",
            "İ",
            "ß",
            "ǅ",
            "ﬁ",
            "Ω",
            "Σ",
            "ς",
            "ϓ",
            "\u{1e9b}\u{323}",
            "\u{344}",
        ],
        &[
            "\u{301}", "\u{323}", "\u{345}", "\u{334}", "\u{f73}", "\u{f74}", "\u{5b0}", "\u{64b}",
            "\u{93c}",
        ],
        &[
            "\u{302e}",
            "\u{302f}",
            "\u{1d165}",
            "\u{1d15e}",
            "\u{1d16d}",
            "\u{16ff0}",
            "\u{1e2ae}",
            "\u{16d68}",
            "\u{10efd}",
            "\u{1715}",
        ],
        &[
            "漢",
            "字",
            "㐀",
            "𠀀",
            "\u{f900}",
            "\u{2f800}",
            "々",
            "〇",
            "。",
            "、",
            "「",
            "！",
            "カ",
            "が",
            "か\u{3099}",
        ],
        &["한", "국", "각", "\u{1100}", "\u{1161}", "\u{11a8}"],
        &[
            "\0",
            "\u{7f}",
            "\u{fffd}",
            "\u{200d}",
            "\u{200b}",
            "\u{feff}",
            "\u{ad}",
            "\u{e000}",
            "\u{1}",
            "\u{e0001}",
            "\u{10ffff}",
        ],
        &[
            "’", "“", "”", "—", "…", "·", "؟", "।", "\u{37e}", "\u{226e}", "\u{1fef}", "\u{387}",
            "\u{2000}", "\u{ff01}",
        ],
        &[
            "привет",
            "Ё",
            "й",
            "العربية",
            "שלום",
            "हिन्दी",
            "ไทย",
            "ka\u{302}",
            "😀",
            "👨\u{200d}👩",
            "❤\u{fe0f}",
        ],
        &[
            "\u{16ea0}",
            "\u{a7ce}",
            "\u{a7d2}",
            "\u{1c89}",
            "\u{10d50}",
            "\u{11de0}",
            "\u{378}",
            "\u{e000}",
            "\u{1f9ff}",
        ],
    ];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize % below
    };
    for normalizer in normalizers() {
        let mut compared = Compared::new(&normalizer);
        for _ in 0..number {
            let classes = [random(12), random(12), random(12)];
            let text: String = (0..random(40))
                .map(|_| {
                    let class = CLASSES[classes[random(3)]];
                    class[random(class.len())]
                })
                .collect();
            compared.compare(&text);
        }
    }
}

#[test]
fn other_steps_are_refused() {
    let bert = json!({"type": "BertPreTokenizer"});
    let sequence = |step: Value| json!({"type": "Sequence", "normalizers": [step]});
    assert!(BertSteps::new(&sequence(json!({"type": "Lowercase"})), &bert).is_some());
    assert!(BertSteps::new(&sequence(json!({"type": "NFC"})), &bert).is_none());
    assert!(BertSteps::new(&Value::Null, &Value::Null).is_none());
    assert!(BertSteps::new(&Value::Null, &json!({"type": "Whitespace"})).is_none());
}
