//! THE OUTPUT CONTRACT: one plain serde struct per kind of record.
//!
//! Every command computes records; every renderer reads them. In JSON each is one object on one line, with its
//! kind in `type`. Fields are never renamed or dropped, only added; what is unknown is absent, not null.

pub mod peers;
mod pipelines;
mod strings;

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;

pub use pipelines::{Chunk, Convert, Drift, Lock, Match};
pub use strings::Strings;

/// Where records go: a renderer, or a test.
pub trait Sink {
    /// Takes the next record of the answer.
    fn emit(&mut self, record: &Record) -> io::Result<()>;

    /// Takes a line of an answer that was asked for bare, without its end.
    fn bare(&mut self, line: &str) -> io::Result<()>;

    /// Takes bytes that are the whole answer, such as a completion script.
    fn raw(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// How this sink would write a record, if records can be made into bytes apart from it, on any thread: such bytes
    /// are then given to [`Sink::raw`], in the order of the records.
    fn encoder(&self) -> Option<Encoder> {
        None
    }

    /// Sends on what is held back, before something is said elsewhere.
    fn flush(&mut self) -> io::Result<()>;

    /// Ends the answer: what only the last record makes known is written now.
    fn finish(&mut self) -> io::Result<()>;

    /// Takes a remark for the log of a CI system, which is not part of the answer: it stands among it where that is for
    /// people, and beside it where that is for programs.
    fn annotate(&mut self, annotation: &Annotation) -> io::Result<()>;

    /// Whether sums are shown after what they sum.
    fn shows_totals(&self) -> bool {
        true
    }
}

/// Makes the bytes of a record.
pub type Encoder = fn(&Record) -> io::Result<Vec<u8>>;

/// One record of an answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
#[allow(
    clippy::large_enum_variant,
    reason = "records are made and written one at a time"
)]
pub enum Record {
    Tokenize(Tokenize),
    Decode(Decode),
    Count(Count),
    Total(Total),
    Group(Group),
    Summary(Summary),
    Info(Box<Info>),
    Piece(Piece),
    Row(Row),
    Diff(Diff),
    Neighbor(Neighbor),
    Similarity(Similarity),
    Stats(Box<Stats>),
    File(File),
    Difference(Difference),
    Verify(Verify),
    Convert(Convert),
    Match(Match),
    Lock(Lock),
    Drift(Drift),
    Check(Lock),
    Chunk(Chunk),
    Head(Chunk),
    Tail(Chunk),
    Error(Failure),
}

/// A half-open range in the unit the record names: `[start, end]` in JSON.
pub type Offset = (usize, usize);

/// The tokens of one text, or of one window of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Tokenize {
    pub model: String,
    /// Commit of the repository, 40 hexadecimal digits; absent for directories and the built-in model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Line of the input, from 1, under `--lines` and `--jsonl`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// File the text came from, where it came from a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pair: Option<String>,
    pub ids: Vec<u32>,
    pub tokens: Strings,
    pub offsets: Vec<Offset>,
    pub offset_unit: &'static str,
    pub type_ids: Vec<u32>,
    pub special_tokens_mask: Vec<u32>,
    pub word_ids: Vec<Option<u32>>,
    /// 0 or 1, the text of the pair that the token is from; null for special tokens. Absent without a pair.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence_ids: Option<Vec<Option<usize>>>,
    /// Number of tokens of this window.
    pub count: usize,
    /// Words of the text as white space separates them.
    pub words: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_window: Option<u64>,
    pub truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncated_tokens: Option<usize>,
    /// 1, 2, … for the windows that overflowed the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<usize>,
}

/// Ids and the text they decode to.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Decode {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    pub ids: Vec<u32>,
    pub tokens: Vec<String>,
    pub text: String,
    /// The record is one id of a list (`--each`): people see a line of a table rather than the text alone.
    #[serde(skip)]
    pub each: bool,
}

/// Tokens of one file, stream or line.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Count {
    /// File path; `-` for standard input among files; absent where there is only one stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    pub tokens: usize,
    pub words: usize,
    pub chars: usize,
    pub bytes: usize,
    pub lines: usize,
    /// The budget of this file, and whether it was kept, under `--budget-per-file`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within_budget: Option<bool>,
    #[serde(flatten)]
    pub view: View,
}

/// How a row compares with others, where rows are held back until all are known.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct View {
    /// Part of all tokens, 0 to 1, in ten-thousandths.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_window: Option<u64>,
    /// Part of the tokens of the largest row: the length of the bar that people see.
    #[serde(skip)]
    pub bar: Option<f64>,
}

/// The sum over a count.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Total {
    pub files: usize,
    pub tokens: usize,
    pub words: usize,
    pub chars: usize,
    pub bytes: usize,
    pub lines: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within_budget: Option<bool>,
    /// How many files, or texts, are over a budget of their own, where they have any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over_budget: Option<usize>,
    /// What is counted, `file` or `text`, where people are told of how many this is the sum.
    #[serde(skip)]
    pub unit: Option<&'static str>,
}

/// The sum over files that have something in common.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Group {
    /// What they have in common: `dir`, `ext` or `glob`.
    pub by: &'static str,
    /// The directory, the extension (empty if there is none), or the glob.
    pub name: String,
    pub files: usize,
    pub tokens: usize,
    pub words: usize,
    pub chars: usize,
    pub bytes: usize,
    pub lines: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within_budget: Option<bool>,
    #[serde(flatten)]
    pub view: View,
}

impl Group {
    /// Adds a file.
    pub fn add(&mut self, count: &Count) {
        self.files += 1;
        self.tokens += count.tokens;
        self.words += count.words;
        self.chars += count.chars;
        self.bytes += count.bytes;
        self.lines += count.lines;
    }
}

/// How the tokens of files, or texts, are spread. A percentile is the tokens of the smallest text that is at least as
/// large as that part of all of them (nearest rank).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Summary {
    pub files: usize,
    pub tokens: usize,
    pub min: usize,
    pub p50: usize,
    pub p90: usize,
    pub p99: usize,
    pub max: usize,
    /// Rounded to tenths.
    pub mean: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_window: Option<u64>,
    /// How many have more tokens than fit the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over_context_window: Option<usize>,
}

/// A remark for the log of a CI system. Not a record: programs read the records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Annotation {
    /// As seen from the root of the repository.
    pub file: Option<String>,
    pub line: Option<u64>,
    pub title: &'static str,
    pub message: String,
}

/// What a model is.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Info {
    pub model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    pub files: Vec<FileEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokenizer: Option<TokenizerInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embedding: Option<EmbeddingInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<ConfigInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_window: Option<u64>,
    pub findings: Vec<Finding>,
    #[serde(flatten)]
    pub fetched: Fetched,
}

/// What an answer cost, where bytes of a checkpoint were fetched for it: all of its records together, headers included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Fetched {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_fetched: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
}

/// A file of the model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileEntry {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Whether its bytes are on this machine.
    pub cached: bool,
}

/// The tokenizer part of [`Info`].
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct TokenizerInfo {
    /// The algorithm: Unigram, BPE, WordPiece or WordLevel.
    pub model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    pub file: String,
    /// Ids that the tokenizer can produce.
    pub vocabulary_size: usize,
    /// Id by role, such as `cls_token`.
    pub special_tokens: BTreeMap<String, SpecialToken>,
    pub added_tokens: Vec<SpecialToken>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_max_length: Option<u64>,
    /// What encodes: `native` or `reference`.
    pub engine: &'static str,
    /// Why it is that one.
    pub engine_reason: String,
}

/// A special or added token.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SpecialToken {
    pub token: String,
    /// Absent where the vocabulary lacks the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u32>,
}

/// The matrix part of [`Info`].
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct EmbeddingInfo {
    pub tensor: String,
    pub file: String,
    pub container: String,
    pub rows: u64,
    pub columns: u64,
    pub dtype: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub padding_idx: Option<u64>,
    /// Inclusive ranges of rows that no token has.
    pub rows_without_token: Vec<(u64, u64)>,
}

/// The part of `config.json` that concerns the input layer, as declared there.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ConfigInfo {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vocab_size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden_size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_position_embeddings: Option<u64>,
}

/// Something a reader should know about a model: a spare row, or two files that contradict each other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    pub level: Level,
    pub code: &'static str,
    pub message: String,
}

/// How much a [`Finding`] matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// By design, but surprising.
    Note,
    /// Two files say different things, or ids lead nowhere.
    Warning,
}

/// One entry of the vocabulary.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Piece {
    pub id: u32,
    pub piece: String,
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    pub special: bool,
    pub added: bool,
}

/// One row of the embedding matrix.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Row {
    /// Position of the token in the text, from 0, where the row was asked for by text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<usize>,
    pub id: u32,
    /// Absent for a row that no token has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub piece: Option<String>,
    /// Stored element type.
    pub dtype: String,
    /// Euclidean length.
    pub norm: f32,
    pub min: f32,
    pub max: f32,
    pub mean: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<f32>>,
    #[serde(flatten)]
    pub fetched: Fetched,
    /// People see all values rather than the first (`--full`).
    #[serde(skip)]
    pub full: bool,
}

/// Two rows compared.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Diff {
    pub a: RowName,
    pub b: RowName,
    /// Whether the stored bytes are the same.
    pub identical: bool,
    /// Largest absolute difference of an element.
    pub max_abs: f32,
    /// Euclidean distance.
    pub l2: f32,
    /// Absent if a row is zero, or holds what is not a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cosine: Option<f32>,
    /// `a - b`, element by element.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<f32>>,
    #[serde(flatten)]
    pub fetched: Fetched,
    /// People see all values rather than the first (`--full`).
    #[serde(skip)]
    pub full: bool,
}

/// The name of a row in a [`Diff`].
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RowName {
    pub id: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub piece: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<usize>,
}

/// One of the nearest rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Neighbor {
    pub rank: usize,
    pub id: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub piece: Option<String>,
    pub score: f32,
    pub metric: &'static str,
    /// Which query it answers, from 1, in their order.
    pub query: usize,
    /// The query, spelled with pieces: `▁rey - ▁hombre + ▁mujer`.
    pub query_name: String,
    /// There are other queries: people see which one this answers.
    #[serde(skip)]
    pub of_several: bool,
}

/// One row of the matrix of cosines.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Similarity {
    /// Place in the matrix, from 0: the position among the tokens of the text, and behind them.
    pub position: usize,
    pub id: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub piece: Option<String>,
    /// With every row of the matrix in order; null where a row is zero, or holds what is not a number.
    pub cosines: Vec<Option<f32>>,
    /// People see all rows and columns rather than the first (`--full`).
    #[serde(skip)]
    pub full: bool,
}

/// The embedding matrix as a whole.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Stats {
    pub model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    pub tensor: String,
    pub file: String,
    pub dtype: String,
    pub rows: u64,
    pub columns: u64,
    /// How many values are finite; the fields up to `share_within_one` are about these.
    pub values: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// Standard deviation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub std: Option<f64>,
    /// How many are in [-1, 1], and their share.
    pub within_one: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share_within_one: Option<f64>,
    pub nan: u64,
    pub infinite: u64,
    /// Absent where no row is finite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub norms: Option<Norms>,
    /// Inclusive ranges of rows that are zero, and of rows that no token has.
    pub zero_rows: Vec<(u64, u64)>,
    pub rows_without_token: Vec<(u64, u64)>,
    /// Groups of rows that are the same bit for bit.
    pub duplicate_rows: Vec<Vec<u64>>,
    /// The rows with the smallest and the largest norms, the most extreme first, ties by id.
    pub smallest: Vec<RowNorm>,
    pub largest: Vec<RowNorm>,
}

/// The Euclidean lengths of the rows whose values are all finite.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Norms {
    pub min: f64,
    pub max: f64,
    pub mean: f64,
    pub histogram: Vec<Bin>,
}

/// How many rows have a norm from `from` up to `to`; the last bin holds its `to` too.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Bin {
    pub from: f64,
    pub to: f64,
    pub rows: u64,
}

/// A row and its length.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RowNorm {
    pub id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub piece: Option<String>,
    pub norm: f32,
}

/// A file, or the matrix in it, that `pull` has put into a cache or found there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct File {
    pub model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    pub name: String,
    /// The tensor whose bytes alone were wanted (`--matrix`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tensor: Option<String>,
    /// In bytes; of the tensor, where one is named.
    pub size: u64,
    /// Whether it was there before.
    pub cached: bool,
}

/// A text that the two engines encode differently.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Difference {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Position of the first token that differs.
    pub position: usize,
    pub text: String,
    /// Tokens of the native engine, and their offsets in bytes.
    pub native: Strings,
    pub native_offsets: Vec<Offset>,
    /// Tokens of the reference engine, and their offsets in bytes.
    pub reference: Strings,
    pub reference_offsets: Vec<Offset>,
}

/// How a comparison of the two engines came out.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Verify {
    pub texts: usize,
    pub tokens: usize,
    /// Texts that the engines encode differently.
    pub differences: usize,
}

/// A record of a stream that could not be answered, in its place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Failure {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    pub code: &'static str,
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_names_its_type_and_leaves_out_what_is_unknown() {
        let record = Record::Diff(Diff {
            identical: true,
            cosine: Some(1.0),
            ..Diff::default()
        });
        assert_eq!(
            serde_json::to_string(&record).unwrap(),
            r#"{"type":"diff","a":{"id":0},"b":{"id":0},"identical":true,"max_abs":0.0,"l2":0.0,"cosine":1.0}"#
        );
    }

    #[test]
    fn a_value_prints_as_the_shortest_decimal_of_its_float32() {
        let row = Record::Row(Row {
            values: Some(vec![0.1, 0.043_212_89, -0.0, 1e-8]),
            ..Row::default()
        });
        let json = serde_json::to_string(&row).unwrap();
        assert!(
            json.ends_with(r#""values":[0.1,0.04321289,-0.0,1e-8]}"#),
            "{json}"
        );
    }
}
