//! Compares the steps with those of the `tokenizers` crate: normalized text, and the range of each of its bytes.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use tokenizers::normalizer::Range;
use tokenizers::normalizers::NormalizerWrapper;
use tokenizers::{NormalizedString, Normalizer};

use super::own_steps::OwnSteps;
use super::plain_words::PlainWords;
use super::transform::StepScratch;
use crate::formats::sentencepiece::SentencePieceModel;
use crate::tokenizer::native::aligned_text::AlignedText;
use crate::tokenizer::pinned_unicode::PinnedNormalizer;

/// The same normalizers here and in the crate.
struct Both {
    name: String,
    ours: OwnSteps,
    theirs: NormalizerWrapper,
}

/// Returns the character map of the built-in model.
fn charsmap() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/demo/model/spm.model");
    let model = SentencePieceModel::parse("spm.model", &std::fs::read(path).unwrap()).unwrap();
    let map = BASE64_STANDARD.encode(model.precompiled_charsmap);
    json!({"type": "Precompiled", "precompiled_charsmap": map})
}

fn replace(kind: &str, pattern: &str, content: &str) -> Value {
    json!({"type": "Replace", "pattern": {kind: pattern}, "content": content})
}

fn strip(left: bool, right: bool) -> Value {
    json!({"type": "Strip", "strip_left": left, "strip_right": right})
}

fn sequence(steps: &[Value]) -> Value {
    json!({"type": "Sequence", "normalizers": steps})
}

/// Returns every step alone, and the sequences of the families.
fn all_steps() -> Vec<Both> {
    let step = |name: &str| json!({"type": name});
    let quotes = [replace("String", "``", "\""), replace("String", "''", "\"")];
    let accents = [step("NFKD"), step("StripAccents")];
    let runs = replace("Regex", " {2,}", " ");
    let mut steps: Vec<Value> = [
        "NFC",
        "NFD",
        "NFKC",
        "NFKD",
        "Lowercase",
        "StripAccents",
        "Nmt",
    ]
    .map(step)
    .into();
    steps.extend([
        charsmap(),
        json!({"type": "Prepend", "prepend": "▁é"}),
        strip(true, false),
        strip(false, true),
        replace("String", "a", "éé"),
        replace("String", "é", ""),
        replace("Regex", " {2,}", "▁"),
        replace("Regex", r"\s+", " "),
        replace("Regex", r"\s+", "é"),
        replace("Regex", r"\s{2,}|[\n\r\t]", " "),
        replace("Regex", r"\s{2,}|[\n\r\t]", "é"),
        sequence(&[
            replace("Regex", r"\s{2,}|[\n\r\t]", " "),
            step("NFC"),
            strip(false, true),
        ]),
        sequence(&[
            step("NFC"),
            replace("Regex", r"\s+", " "),
            step("Lowercase"),
        ]),
        sequence(&[
            charsmap(),
            strip(true, true),
            replace("Regex", " {2,}", "▁"),
        ]),
        sequence(
            &[
                &quotes[..],
                &accents[..],
                &[step("Lowercase"), charsmap(), runs.clone()],
            ]
            .concat(),
        ),
        sequence(&[
            step("Nmt"),
            step("NFKC"),
            runs.clone(),
            json!({"type": "Prepend", "prepend": "▁"}),
        ]),
        sequence(&[
            step("Lowercase"),
            strip(true, true),
            charsmap(),
            sequence(&[runs]),
        ]),
        sequence(&[
            charsmap(),
            charsmap(),
            step("NFD"),
            step("Lowercase"),
            step("NFC"),
        ]),
    ]);
    let both = |step: Value| Both {
        name: step.to_string().chars().take(60).collect(),
        ours: OwnSteps::new(&step, &Value::Null, &[]).unwrap(),
        theirs: serde_json::from_value(step).unwrap(),
    };
    steps.into_iter().map(both).collect()
}

impl Both {
    fn compare(&self, text: &str, scratch: &mut StepScratch) {
        let mut theirs = NormalizedString::from(text);
        PinnedNormalizer(&self.theirs)
            .normalize(&mut theirs)
            .unwrap();
        let (start, end) = self.ours.strip(text, 0, text.len());
        let mut ours = AlignedText::default();
        self.ours
            .normalize::<true>(&text[start..end], start, true, &mut ours, scratch);
        assert_eq!(ours.text, theirs.get(), "{text:?} {}", self.name);
        let ranges = (0..ours.text.len()).map(|byte| {
            let range = theirs.convert_offsets(Range::Normalized(byte..byte + 1));
            let range = range.unwrap();
            (range.start as u32, range.end as u32)
        });
        let ranges: Vec<_> = ranges.collect();
        assert_eq!(ours.ranges, ranges, "{text:?} {}", self.name);
        let mut without = AlignedText::default();
        self.ours
            .normalize::<false>(&text[start..end], start, true, &mut without, scratch);
        assert_eq!(without.text, ours.text, "{text:?} {}", self.name);
    }
}

/// Returns all characters, but only a few of the ideographs, Hangul syllables, and other large blocks.
fn characters() -> impl Iterator<Item = char> {
    let is_various = |code: &u32| !matches!(code, 0x3400..=0x9fff | 0xac00..=0xd7af | 0xe000..=0xf8ff | 0x12000..=0x1cfff | 0x1f000..);
    let codes = (0..0x11_0000).filter(move |code| is_various(code) || code % 101 == 0);
    codes.filter_map(char::from_u32)
}

fn compare_characters(characters: impl Iterator<Item = char>) {
    let scratch = &mut StepScratch::default();
    let steps = all_steps();
    for character in characters {
        for both in &steps {
            both.compare(&format!("{character}"), scratch);
            both.compare(
                &format!(
                    "{character}a {character}{character}\u{301}b{character}\u{323} {character}"
                ),
                scratch,
            );
        }
    }
}

#[test]
fn every_step_does_to_every_character_what_the_crate_does() {
    compare_characters(characters());
}

#[test]
#[ignore = "takes minutes"]
fn every_step_does_to_all_characters_what_the_crate_does() {
    compare_characters((0..0x11_0000).filter_map(char::from_u32));
}

fn compare_texts(cases: u32) {
    let part = prop_oneof![
        2 => prop::sample::select(vec![
            " ", "  ", "\n", "\u{1}", "\u{ad}", "\u{200b}", "\u{feff}", "\u{301}", "\u{323}\u{301}", "\u{344}",
            "\u{f73}", "ﬁ", "ﷺ", "İ", "Ǆ", "각", "\u{1100}\u{1161}\u{11a8}", "™", "``", "''", "'", "▁", "\r\n", "A",
            "\u{a0}", "\u{3000}", "é", "e\u{301}", "\u{1e9b}\u{323}", "👩‍👩‍👧", "क्षि", "\u{600}", "Σ", "½",
        ]).prop_map(str::to_owned),
        2 => "[a-zA-Z 'éÉ]{1,6}",
        1 => prop::collection::vec(any::<char>(), 1..4).prop_map(|chars| chars.into_iter().collect()),
    ];
    let text = prop::collection::vec(part, 0..9).prop_map(|parts| parts.concat());
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let steps = all_steps();
    let seed = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    TestRunner::new_with_rng(config, seed)
        .run(&text, |text| {
            let scratch = &mut StepScratch::default();
            steps.iter().for_each(|both| both.compare(&text, scratch));
            Ok(())
        })
        .unwrap();
}

#[test]
fn every_step_does_to_any_text_what_the_crate_does() {
    compare_texts(3_000);
}

#[test]
#[ignore = "takes minutes"]
fn every_step_does_to_many_texts_what_the_crate_does() {
    compare_texts(200_000);
}

#[test]
fn plain_words_are_changed_in_case_at_most() {
    for both in all_steps() {
        let steps = both.ours.steps();
        let plain = PlainWords::new(steps);
        let is_plain = |word: &str| plain.normalized(steps, word, &mut String::new()).is_some();
        let alone = characters().filter(|character| is_plain(&character.to_string()));
        let all: String = alone.collect();
        let around = all
            .chars()
            .flat_map(|character| [format!("{character}{character}"), format!("x{character}z")]);
        let mut compared = 0;
        for word in around.chain([all.clone()]) {
            let mut buffer = String::new();
            // Several plain characters may spell a pattern.
            if let Some(ours) = plain.normalized(steps, &word, &mut buffer) {
                let mut theirs = NormalizedString::from(word.as_str());
                PinnedNormalizer(&both.theirs)
                    .normalize(&mut theirs)
                    .unwrap();
                assert_eq!(ours, theirs.get(), "{}", both.name);
                compared += 1;
            }
        }
        let all_steps = serde_json::to_string(&both.theirs).unwrap();
        let prepends = all_steps.contains("Prepend");
        assert!(
            prepends == all.is_empty() && (prepends || compared > 3_000),
            "{} {compared}",
            both.name
        );
    }
}
