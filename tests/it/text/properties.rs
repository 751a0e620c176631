//! Properties of every text and every list of ids, on the built-in model.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::OnceLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use tokscope::model_ref::ModelRef;
use tokscope::record::{
    Count, Decode, Failure, File, Neighbor, Norms, Piece, Record, Row, RowNorm, Similarity, Stats,
    Tokenize,
};
use tokscope::render::style::Style;
use tokscope::render::{Format, Output, Streams, View, renderer};
use tokscope::tokenizer::{EncodeOptions, Encoding, OffsetUnit, Tokenizer, Truncation};

use crate::support::files;

/// The number of ids of the built-in tokenizer.
const IDS: u32 = 2001;

fn tokenizer() -> &'static Tokenizer {
    static TOKENIZER: OnceLock<Tokenizer> = OnceLock::new();
    TOKENIZER.get_or_init(|| Tokenizer::open(&files(&ModelRef::Demo)).unwrap())
}

/// Returns a configuration with the same cases in every run, as many as take a second or two.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(0x70_6b_73),
        ..ProptestConfig::default()
    }
}

/// The parts of generated texts: words of both languages, characters that the normalizer changes, and misleading ones.
const PARTS: &[&str] = &[
    "banco",
    "dinero",
    "money",
    " ",
    "  ",
    "\n",
    "\t",
    "\r\n",
    ",",
    ".",
    "¿",
    "año",
    "niño",
    "[MASK]",
    "[CLS]",
    "[UNK]",
    "[PAD",
    "<0x41>",
    "▁",
    "▁▁",
    "ﬁ",
    "①",
    "ａｂ",
    "e\u{301}",
    "A\u{302}\u{300}",
    "\u{200b}",
    "\u{200d}",
    "\u{feff}",
    "\u{ad}",
    "\u{202e}",
    "\u{1b}[31m",
    "\0",
    "😀",
    "👩\u{200d}👩\u{200d}👧",
    "漢字",
    "ｶﾞ",
    "한국",
    "ßẞ",
    "İ",
    "ﷺ",
    "½",
    "…",
];

fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        6 => prop::sample::select(PARTS).prop_map(str::to_owned),
        2 => any::<char>().prop_map(String::from),
        2 => vec(prop::char::range('a', 'z'), 1..8).prop_map(String::from_iter),
    ];
    vec(part, 0..24).prop_map(|parts| parts.concat())
}

/// Generates texts in which the normalizer changes nothing but spaces.
fn plain_text() -> impl Strategy<Value = String> {
    let character = prop_oneof![8 => prop::char::range('a', 'z'), 2 => Just(' '), 1 => prop::char::range('!', '~')];
    vec(character, 0..60).prop_map(String::from_iter)
}

fn encode(text: &str, pair: Option<&str>, options: &EncodeOptions) -> Encoding {
    tokenizer()
        .encode(text, pair, options)
        .unwrap()
        .into_first()
}

fn bare() -> EncodeOptions {
    EncodeOptions::default().special_tokens(false)
}

/// Returns the offset of a byte in another unit, by counting.
fn counted(text: &str, byte: usize, unit: OffsetUnit) -> usize {
    match unit {
        OffsetUnit::Byte => byte,
        OffsetUnit::Char => text[..byte].chars().count(),
        OffsetUnit::Utf16 => text[..byte].encode_utf16().count(),
    }
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn every_token_is_in_the_vocabulary_and_within_its_text(text in text(), pair in text()) {
        let encoding = encode(&text, Some(&pair), &EncodeOptions::default());
        let length = encoding.len();
        prop_assert!(encoding.ids.iter().all(|id| *id < IDS));
        for other in [encoding.tokens.len(), encoding.offsets.len(), encoding.type_ids.len()] {
            prop_assert_eq!(other, length);
        }
        for other in [encoding.special_tokens_mask.len(), encoding.word_ids.len(), encoding.sequence_ids.len()] {
            prop_assert_eq!(other, length);
        }
        let mut before = [(0, 0); 2];
        let mut words = [None; 2];
        for index in 0..length {
            let (start, end) = encoding.offsets[index];
            prop_assert_eq!(tokenizer().piece(encoding.ids[index]), encoding.tokens.get(index));
            let Some(sequence) = encoding.sequence_ids[index] else {
                prop_assert_eq!(encoding.special_tokens_mask[index], 1);
                prop_assert_eq!((start, end, encoding.word_ids[index]), (0, 0, None));
                continue;
            };
            prop_assert_eq!(encoding.special_tokens_mask[index], 0);
            prop_assert_eq!(encoding.type_ids[index] as usize, sequence);
            let within = [&text, &pair][sequence];
            prop_assert!(start <= end && within.get(start..end).is_some(), "{start}..{end} of {within:?}");
            prop_assert!(before[sequence].0 <= start && before[sequence].1 <= end, "{:?} of {within:?}", encoding.offsets);
            prop_assert!(words[sequence] <= encoding.word_ids[index]);
            before[sequence] = (start, end);
            words[sequence] = encoding.word_ids[index];
        }
        let template = if pair.is_empty() { 2 } else { 3 };
        prop_assert_eq!(encoding.special_tokens_mask.iter().sum::<u32>(), template);
    }

    #[test]
    fn offsets_of_every_unit_count_the_same_characters(text in text()) {
        let encoding = encode(&text, None, &EncodeOptions::default());
        for unit in [OffsetUnit::Byte, OffsetUnit::Char, OffsetUnit::Utf16] {
            let expected: Vec<_> = encoding
                .offsets
                .iter()
                .map(|(start, end)| (counted(&text, *start, unit), counted(&text, *end, unit)))
                .collect();
            prop_assert_eq!(encoding.offsets_in(unit, &text, None), expected);
        }
    }

    #[test]
    fn special_tokens_do_not_change_the_other_tokens(text in text()) {
        let whole = encode(&text, None, &EncodeOptions::default());
        let inner = encode(&text, None, &bare());
        prop_assert_eq!(&whole.ids[1..whole.len() - 1], &inner.ids[..]);
        prop_assert!(whole.tokens.iter().skip(1).take(inner.len()).eq(inner.tokens.iter()));
        prop_assert_eq!(&whole.offsets[1..whole.len() - 1], &inner.offsets[..]);
        prop_assert_eq!((whole.ids[0], whole.ids[whole.len() - 1]), (1, 2));
    }

    #[test]
    fn tokens_cover_all_of_a_plain_text(text in plain_text()) {
        let mut covered = vec![false; text.len()];
        for (start, end) in encode(&text, None, &bare()).offsets {
            covered[start..end].fill(true);
        }
        for (index, byte) in text.bytes().enumerate() {
            prop_assert!(byte == b' ' || covered[index], "byte {index} of {text:?}");
        }
    }

    #[test]
    fn plain_words_are_decoded_from_their_ids(words in vec(vec(prop::char::range('a', 'z'), 1..9), 0..12)) {
        let words: Vec<String> = words.into_iter().map(String::from_iter).collect();
        let text = words.join(" ");
        let ids = encode(&text, None, &EncodeOptions::default()).ids;
        prop_assert_eq!(tokenizer().decode(&ids, true).unwrap(), text);
    }

    #[test]
    fn added_tokens_can_be_taken_as_text(text in text()) {
        let options = bare().parse_special(false);
        let text = text + " [SEP] [MASK]";
        let encoding = encode(&text, None, &options);
        prop_assert!(!encoding.ids.contains(&2000));
        let parsed = encode(&text, None, &bare()).ids;
        prop_assert!(parsed.ends_with(&[2, 2000]));
    }

    #[test]
    fn known_ids_decode_and_unknown_ids_fail(ids in vec(0..IDS, 0..40), skip in any::<bool>(), beyond in IDS..) {
        tokenizer().decode(&ids, skip).unwrap();
        let unknown = [&ids[..], &[beyond]].concat();
        prop_assert_eq!(tokenizer().decode(&unknown, skip).unwrap_err().code(), "unknown-id");
    }

    #[test]
    fn windows_without_their_overlap_are_the_whole_text(text in text(), max_length in 3_usize..12, stride in 0_usize..8) {
        let stride = stride.min(max_length - 3);
        let options = EncodeOptions::default().truncation(Truncation { max_length, stride });
        let encoded = tokenizer().encode(&text, None, &options).unwrap();
        let whole = encode(&text, None, &bare());
        let inner = |window: &Encoding| (window.ids[1..window.len() - 1].to_vec(), window.offsets[1..window.len() - 1].to_vec());
        let (mut ids, mut offsets) = inner(&encoded.windows[0]);
        prop_assert_eq!(encoded.truncated_tokens, whole.len() - ids.len());
        prop_assert_eq!(encoded.truncated_tokens == 0, encoded.windows.len() == 1);
        for window in &encoded.windows {
            prop_assert!(window.len() <= max_length);
            prop_assert_eq!((window.ids[0], window.ids[window.len() - 1]), (1, 2));
        }
        for window in &encoded.windows[1..] {
            let (more_ids, more_offsets) = inner(window);
            prop_assert_eq!(&ids[ids.len() - stride..], &more_ids[..stride]);
            ids.extend(&more_ids[stride..]);
            offsets.extend(&more_offsets[stride..]);
        }
        prop_assert_eq!((ids, offsets), (whole.ids, whole.offsets));
    }
}

/// A writer whose bytes outlive it.
#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Renders records. Returns standard output and standard error.
fn rendered(format: Format, records: &[Record], is_terminal: bool) -> (String, String) {
    let (out, err) = (Shared::default(), Shared::default());
    let output = Output {
        style: Style::new(false),
        is_terminal,
        width: None,
    };
    let streams = Streams {
        out: Box::new(out.clone()),
        err: Box::new(err.clone()),
    };
    let mut sink = renderer(format, output, streams);
    for record in records {
        let view = match record {
            Record::Decode(decode) if !decode.ids.is_empty() => View::TableRow,
            Record::Neighbor(_) => View::OfSeveral,
            _ => View::Plain,
        };
        sink.emit(record, view).unwrap();
    }
    sink.finish().unwrap();
    drop(sink);
    let text = |stream: Shared| String::from_utf8(stream.0.take()).unwrap();
    (text(out), text(err))
}

/// Returns records with an untrusted text in every text field.
fn records_with(text: &str) -> Vec<Record> {
    let string = || text.to_owned();
    let encoding = encode(text, None, &EncodeOptions::default());
    vec![
        Record::Tokenize(Tokenize {
            model: string(),
            path: Some(string()),
            text: string(),
            count: encoding.len(),
            ids: encoding.ids,
            tokens: vec![string(); encoding.tokens.len()].into_iter().collect(),
            offsets: encoding.offsets,
            offset_unit: "byte",
            type_ids: encoding.type_ids,
            special_tokens_mask: encoding.special_tokens_mask,
            word_ids: encoding.word_ids,
            ..Tokenize::default()
        }),
        Record::Decode(Decode {
            ids: vec![7],
            tokens: vec![string()],
            text: string(),
            ..Decode::default()
        }),
        Record::Count(Count {
            path: Some(string()),
            ..Count::default()
        }),
        Record::Piece(Piece {
            id: 7,
            piece: string(),
            kind: "normal",
            score: None,
            special: false,
            added: false,
        }),
        Record::Row(Row {
            piece: Some(string()),
            values: Some(vec![0.5; 8]),
            ..Row::default()
        }),
        Record::Neighbor(Neighbor {
            rank: 1,
            id: 7,
            piece: Some(string()),
            score: 0.5,
            metric: "cosine",
            query: 1,
            query_name: string(),
            means: Vec::new(),
        }),
        Record::Similarity(Similarity {
            piece: Some(string()),
            cosines: vec![Some(0.5), None],
            ..Similarity::default()
        }),
        Record::Stats(Box::new(Stats {
            model: string(),
            tensor: string(),
            file: string(),
            norms: Some(Norms::default()),
            smallest: vec![RowNorm {
                piece: Some(string()),
                ..RowNorm::default()
            }],
            ..Stats::default()
        })),
        Record::File(File {
            model: string(),
            commit: None,
            name: string(),
            tensor: Some(string()),
            size: 7,
            cached: true,
        }),
        Record::Error(Failure {
            line: None,
            path: Some(string()),
            code: "not-utf8",
            message: string(),
        }),
    ]
}

/// Returns true if a terminal shows a character and does nothing else.
pub fn is_tame(character: char) -> bool {
    let hidden = [
        '\u{200b}', '\u{200d}', '\u{200e}', '\u{200f}', '\u{feff}', '\u{ad}', '\u{2028}',
        '\u{2066}',
    ];
    let overrides = '\u{202a}'..='\u{202e}';
    !character.is_control() && !overrides.contains(&character) && !hidden.contains(&character)
}

proptest! {
    #![proptest_config(config(150))]

    #[test]
    fn tables_never_send_control_characters_to_a_terminal(text in text()) {
        for record in records_with(&text) {
            let (out, err) = rendered(Format::Human, std::slice::from_ref(&record), false);
            let wild = out.chars().chain(err.chars()).find(|c| *c != '\n' && !is_tame(*c));
            prop_assert_eq!(wild, None, "{:?}", record);
        }
        // Bare text is escaped for a terminal only.
        let bare = [Record::Decode(Decode { text: text.clone(), ..Decode::default() })];
        let (shown, _) = rendered(Format::Human, &bare, true);
        prop_assert!(shown.chars().all(|c| c == '\n' || c == '\t' || is_tame(c)));
        prop_assert_eq!(rendered(Format::Human, &bare, false).0, format!("{text}\n"));
    }

    #[test]
    fn json_csv_and_tsv_preserve_a_text(text in text()) {
        let records = records_with(&text);
        let (json, _) = rendered(Format::Json, &records, true);
        prop_assert_eq!(json.lines().count(), records.len());
        let read = crate::records::records(&json).remove(0).tokenize();
        prop_assert_eq!(&read.text, &text);
        prop_assert!(json.chars().all(|c| c == '\n' || is_tame(c)));
        let (json, _) = rendered(Format::Json, &records, false);
        let read = crate::records::records(&json).remove(0).tokenize();
        prop_assert_eq!(&read.text, &text);
        for (format, delimiter) in [(Format::Csv, b','), (Format::Tsv, b'\t')] {
            let (shown, _) = rendered(format, &records, true);
            prop_assert!(shown.chars().all(|c| c == '\n' || c == '\t' || is_tame(c)));
            let (table, _) = rendered(format, &records[3..4], false);
            let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(table.as_bytes());
            let row = reader.records().next().unwrap().unwrap();
            prop_assert_eq!(&row[1], text.as_str());
        }
    }
}
