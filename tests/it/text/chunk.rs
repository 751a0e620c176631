//! `chunk`, `head`, `tail`: no text is lost, no part is too long, no grapheme is split.

use std::path::Path;
use std::sync::OnceLock;

use proptest::prelude::*;
use serde::Deserialize;
use tokscope::commands::chunk::parts;
use tokscope::commands::input::encode_args::EncodeArgs;
use tokscope::commands::input::stress_texts::STRESS_TEXTS;
use tokscope::commands::split::cutter::{Cutter, Prefer};
use tokscope::commands::split::head_tail::beginning;
use tokscope::error::Result;
use tokscope::model_ref::ModelRef;
use tokscope::tokenizer::{EncodeOptions, EngineChoice, Tokenizer};
use unicode_segmentation::UnicodeSegmentation;

use crate::records::records;
use crate::support::{demo, files, json_lines, repository, shared, tokenizer};

pub(super) const PREFERENCES: [Option<Prefer>; 4] = [
    None,
    Some(Prefer::Word),
    Some(Prefer::Line),
    Some(Prefer::Sentence),
];

/// A tokenizer with the engine under test and with the reference engine.
pub(super) struct Engines {
    pub(super) used: Tokenizer,
    reference: Tokenizer,
}

impl Engines {
    fn new(open: impl Fn() -> Tokenizer) -> Self {
        Self {
            used: open(),
            reference: open().with_engine(EngineChoice::Reference),
        }
    }

    fn demo() -> &'static Self {
        static DEMO: OnceLock<Engines> = OnceLock::new();
        DEMO.get_or_init(|| Self::new(|| Tokenizer::open(&files(&ModelRef::Demo)).unwrap()))
    }

    pub(super) fn in_folder(folder: &Path) -> Self {
        Self::new(|| tokenizer(folder))
    }

    fn cutter(&self, max: usize, prefer: Option<Prefer>) -> Cutter<'_> {
        Cutter::new(&self.used, max, EncodeArgs::default(), prefer).unwrap()
    }

    /// Asserts that a text on its own has these ids, at most `max` of them.
    fn assert_alone(&self, text: &str, ids: &[u32], max: usize) {
        let alone = self.reference.ids(text, &EncodeOptions::default()).unwrap();
        assert_eq!(alone, ids, "{text:?}");
        assert!(ids.len() <= max, "{} of {max} tokens: {text:?}", ids.len());
    }

    /// Asserts all properties of the chunks of a text. Returns false if one of its graphemes alone is too long.
    pub(super) fn assert_chunks(
        &self,
        text: &str,
        max: usize,
        overlap: usize,
        prefer: Option<Prefer>,
    ) -> bool {
        let chunks: Result<Vec<_>> = parts(&self.cutter(max, prefer), text, overlap);
        let chunks = match chunks {
            Ok(chunks) => chunks,
            Err(error) => {
                assert_eq!(error.code(), "usage");
                let too_long = |grapheme: &str| {
                    let ids = self.reference.ids(grapheme, &EncodeOptions::default());
                    ids.unwrap().len() > max
                };
                assert!(text.graphemes(true).any(too_long), "{text:?}: {error}");
                return false;
            }
        };
        let mut boundaries: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
        boundaries.push(text.len());
        let mut end = 0;
        for chunk in &chunks {
            assert!(
                chunk.start <= end && chunk.end > end,
                "{chunk:?} of {text:?}"
            );
            if overlap == 0 {
                assert_eq!(chunk.start, end, "{text:?}");
            }
            let shared = EncodeOptions::default().special_tokens(false);
            let shared = self
                .reference
                .ids(&text[chunk.start..end], &shared)
                .unwrap();
            assert!(shared.len() <= overlap, "{chunk:?} of {text:?}");
            end = chunk.end;
            for at in [chunk.start, chunk.end] {
                assert!(boundaries.binary_search(&at).is_ok(), "{at} in {text:?}");
            }
            self.assert_alone(&text[chunk.start..chunk.end], &chunk.ids, max);
        }
        assert_eq!(end, text.len(), "{text:?}");
        true
    }

    /// Asserts all properties of the head and the tail of a text.
    pub(super) fn assert_ends(&self, text: &str, max: usize) {
        let cutter = self.cutter(max, None);
        let head = beginning(&cutter, text).unwrap();
        assert_eq!(head.start, 0);
        self.assert_alone(&text[..head.end], &head.ids, max);
        let tail = cutter.back(text).unwrap();
        assert_eq!(tail.end, text.len());
        self.assert_alone(&text[tail.start..], &tail.ids, max);
        for at in [head.end, tail.start] {
            let mut graphemes = text.grapheme_indices(true);
            assert!(
                at == text.len() || graphemes.any(|(start, _)| start == at),
                "{text:?}"
            );
        }
        let whole = self
            .reference
            .count(text, &EncodeOptions::default())
            .unwrap();
        let all = (head.end == text.len(), tail.start == 0);
        assert_eq!(all, (whole <= max, whole <= max), "{text:?}");
    }
}

#[test]
fn difficult_texts_are_cut_without_loss() {
    let engines = Engines::demo();
    let mut cut = 0;
    for text in STRESS_TEXTS {
        for max in [3, 4, 5, 9, 30, 1000] {
            for prefer in PREFERENCES {
                cut += usize::from(engines.assert_chunks(text, max, 0, prefer));
                if max > 5 {
                    engines.assert_chunks(text, max, 3, prefer);
                }
            }
            engines.assert_ends(text, max);
        }
        engines.assert_ends(text, 2);
    }
    // Few of the texts have a grapheme of several tokens.
    assert!(cut > STRESS_TEXTS.len() * 18, "{cut}");
}

#[test]
fn golden_texts_of_every_family_are_cut_without_loss() {
    #[derive(Deserialize)]
    struct Golden {
        text: String,
    }

    let Some(shared) = shared("golden_texts_of_every_family_are_cut_without_loss") else {
        return;
    };
    for family in ["deberta-v3-xsmall", "gpt2", "t5-small", "bert-base-cased"] {
        let engines = Engines::in_folder(&shared.join("models").join(family));
        let golden: Vec<Golden> =
            json_lines(&shared.join("golden").join(format!("{family}.jsonl")));
        for (index, Golden { text }) in golden.iter().enumerate().step_by(3) {
            let prefer = PREFERENCES[index / 3 % PREFERENCES.len()];
            for max in [4, 16] {
                engines.assert_chunks(text, max, 0, prefer);
                engines.assert_ends(text, max);
            }
            engines.assert_chunks(text, 12, 4, prefer);
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_cut_without_loss(
        text in "([a-z ]{0,9}|\\PC|[\u{300}-\u{310}\u{1f1e6}-\u{1f1ff}\u{200d}🙂▁\r\n\t.]){0,40}",
        max in 3_usize..20,
        prefer in 0_usize..4,
    ) {
        let engines = Engines::demo();
        engines.assert_chunks(&text, max, 0, PREFERENCES[prefer]);
        engines.assert_chunks(&text, max, (max - 3).min(4), PREFERENCES[prefer]);
        engines.assert_ends(&text, max);
    }
}

#[test]
fn cuts_follow_the_preference() {
    let cut = |text: &str, max: &str, prefer: &[&str]| {
        let args = ["chunk", "--json", "--max-length", max, text];
        let stdout = demo(args.iter().chain(prefer)).ok();
        let chunks = records(&stdout)
            .into_iter()
            .map(|record| record.chunk().text);
        chunks.collect::<Vec<_>>()
    };
    let text = "Hay dinero. Hay madera. El banco es de madera.\nNo hay más dinero en el banco.";
    assert_eq!(
        cut(text, "12", &["--prefer", "sentence"]),
        [
            "Hay dinero. Hay madera. ",
            "El banco es de madera.\n",
            "No hay más dinero en el banco.",
        ]
    );
    assert_eq!(
        cut(text, "24", &["--prefer", "line"]),
        [
            "Hay dinero. Hay madera. El banco es de madera.\n",
            "No hay más dinero en el banco.",
        ]
    );
    // Without a line end, the cut is between words; without words, anywhere.
    assert_eq!(
        cut("donde madera", "5", &["--prefer", "line"]),
        ["donde", " madera"]
    );
    assert_eq!(cut("donde madera", "4", &["--prefer", "word"])[0], "dond");
    assert_eq!(cut("", "8", &[]), [""; 0]);
}

#[test]
fn printed_chunks_join_to_the_text() {
    let text = std::fs::read_to_string(repository("demo/corpus/wood.txt")).unwrap();
    let args = ["chunk", "--json", "--max-length", "50", "--prefer", "line"];
    let chunks = records(&demo(args).stdin(&*text).ok());
    let mut whole = String::new();
    for (index, chunk) in chunks.into_iter().enumerate() {
        let chunk = chunk.chunk();
        assert_eq!((chunk.index, chunk.start), (Some(index), whole.len()));
        assert_eq!(chunk.count, chunk.ids.len());
        assert_eq!((chunk.overlap, chunk.truncated), (None, None));
        whole.push_str(&chunk.text);
    }
    assert_eq!(whole, text);
    let head = demo(["head", "-n", "100"]).stdin(&*text).ok();
    let tail = demo(["tail", "-n", "100"]).stdin(&*text).ok();
    assert!(text.starts_with(&head) && text.ends_with(&tail));
    for part in [head, tail] {
        let count = demo(["count"]).stdin(part).ok();
        assert!(
            (98..=100).contains(&count.trim().parse().unwrap()),
            "{count}"
        );
    }
    let record = records(&demo(["head", "-n", "5", "--json"]).stdin(text).ok());
    assert_eq!(
        record.into_iter().next().unwrap().excerpt().truncated,
        Some(true)
    );
}

#[test]
fn a_grapheme_that_does_not_fit_is_an_error_record() {
    let family = "a👩‍👩‍👧‍👦b";
    let long = format!("a{}", "\u{300}".repeat(50));
    let answer = demo(["chunk", &long, "--max-length", "3"]).run();
    if answer.code == 0 {
        // The character map joins them, so there is nothing to cut.
        assert!(answer.stdout.contains("0..101"), "{}", answer.stdout);
    }
    let keycap = "x \u{fdfa} y";
    let answer = demo(["chunk", "--lines", "--json", "--max-length", "4"])
        .stdin(format!("{keycap}\nun banco\n{family}\n"))
        .exit(2);
    let mut lines = records(&answer.stdout).into_iter();
    let error = lines.next().unwrap().error();
    assert_eq!((error.line, error.code.as_str()), (Some(1), "usage"));
    assert!(error.message.contains("at byte 2"), "{}", error.message);
    assert_eq!(lines.next().unwrap().chunk().text, "un banco");
    for args in [
        &["chunk", "x", "--max-length", "2"][..],
        &["chunk", "x", "--max-length", "1"],
        &["chunk", "x", "--max-length", "6", "--overlap", "4"],
        &["head", "x", "-n", "1"],
        &["tail", "x", "-n", "0"],
    ] {
        assert!(!demo(args).exit(2).stderr.is_empty());
    }
    assert_eq!(demo(["head", "x", "-n", "2"]).ok(), "");
    assert_eq!(
        demo(["head", "-n", "0", "--no-special-tokens", "x"]).ok(),
        ""
    );
}
