//! Reads the pieces, scores, character map and settings of a SentencePiece model (`spm.model`).
//!
//! The file is a protocol buffer of type `ModelProto` (`sentencepiece_model.proto` of google/sentencepiece). It is read
//! by wire type, without a schema compiler: DeBERTa-v3's file has a `trainer_spec` field whose wire type differs from
//! the current public schema, and strict readers refuse it. Fields that are not needed are skipped without a check.

use super::algorithm::Algorithm;
use super::expansion_limits::{self, MAX_PIECE_LENGTH, too_long_piece};
use super::placeholder_file::{self, BYTE_ORDER_MARK};
use super::protobuf::{Fault, Message, Value};
use crate::error::{Error, Result};

/// A parsed SentencePiece model.
#[derive(Debug, Clone, PartialEq)]
pub struct SentencePieceModel {
    /// Pieces in the order of their ids.
    pub pieces: Vec<Piece>,
    pub algorithm: Algorithm,
    /// The id of the unknown piece, as recorded by the trainer.
    pub unknown_id: u32,
    /// The text of the unknown piece, as recorded by the trainer.
    pub unknown_piece: String,
    /// True if unknown characters are encoded as byte pieces.
    pub byte_fallback: bool,
    /// Compiled normalization rules (a double array and a pool of strings). Empty if text is not normalized.
    pub precompiled_charsmap: Vec<u8>,
    /// The offset in the file before which it has nothing but pieces.
    pub settings_start: usize,
}

/// One entry of the vocabulary.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    pub text: String,
    /// The natural logarithm of the piece's probability in a Unigram model.
    pub score: f32,
    pub kind: PieceKind,
}

/// The kind of a piece (`ModelProto.SentencePiece.Type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PieceKind {
    Normal,
    Unknown,
    Control,
    UserDefined,
    Unused,
    Byte,
}

/// Field numbers of `sentencepiece_model.proto`.
mod field {
    pub const MODEL_PIECES: u64 = 1;
    pub const MODEL_TRAINER_SPEC: u64 = 2;
    pub const MODEL_NORMALIZER_SPEC: u64 = 3;
    pub const PIECE_TEXT: u64 = 1;
    pub const PIECE_SCORE: u64 = 2;
    pub const PIECE_TYPE: u64 = 3;
    pub const TRAINER_MODEL_TYPE: u64 = 3;
    pub const TRAINER_BYTE_FALLBACK: u64 = 35;
    pub const TRAINER_UNK_ID: u64 = 40;
    pub const TRAINER_UNK_PIECE: u64 = 45;
    pub const NORMALIZER_CHARSMAP: u64 = 2;
}

/// The maximum number of pieces of a model. The largest published vocabulary, of XLM-V, has 902,000.
const MAX_PIECES: usize = 1 << 21;

impl SentencePieceModel {
    /// Parses the bytes of the file called `name`.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if the bytes are not a SentencePiece model.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self> {
        let damaged = |problem: &str| Error::damaged(name, problem);
        placeholder_file::refuse(name, bytes)?;
        if bytes.starts_with(BYTE_ORDER_MARK) {
            let problem =
                "it begins with a byte order mark: a program saved it as text, which it is not";
            return Err(damaged(problem));
        }
        let mut model = Self {
            pieces: Vec::new(),
            algorithm: Algorithm::Unigram,
            unknown_id: 0,
            unknown_piece: "<unk>".to_owned(),
            byte_fallback: false,
            precompiled_charsmap: Vec::new(),
            settings_start: 0,
        };
        let (mut has_trainer_spec, mut has_normalizer_spec) = (false, false);
        let mut fields = Message::file(bytes).fields();
        let mut has_only_pieces = true;
        while let Some(item) = fields.next() {
            match item.map_err(|fault| damaged(&problem_of(fault, model.pieces.len())))? {
                (field::MODEL_PIECES, Value::Bytes(message)) => {
                    if model.pieces.len() == MAX_PIECES {
                        return Err(damaged("it has more than 2 million pieces"));
                    }
                    let index = model.pieces.len();
                    let piece = parse_piece(message)
                        .map_err(|problem| damaged(&format!("piece {index} {problem}")))?;
                    if piece.text.len() > MAX_PIECE_LENGTH {
                        return Err(damaged(&too_long_piece(index, piece.text.len())));
                    }
                    model.pieces.push(piece);
                    if has_only_pieces {
                        model.settings_start = fields.offset();
                    }
                    continue;
                }
                (field::MODEL_TRAINER_SPEC, Value::Bytes(message)) => {
                    has_trainer_spec = true;
                    model
                        .read_trainer_spec(message)
                        .map_err(|problem| damaged(&problem))?;
                }
                (field::MODEL_NORMALIZER_SPEC, Value::Bytes(message)) => {
                    has_normalizer_spec = true;
                    model.read_normalizer_spec(name, message)?;
                }
                _ => {}
            }
            has_only_pieces = false;
        }
        let count = model.pieces.len();
        if count == 0 {
            return Err(damaged("it has no pieces"));
        }
        // SentencePiece writes both after the pieces, so a file without them is incomplete.
        let missing = match (has_trainer_spec, has_normalizer_spec) {
            (false, _) => Some("trainer_spec"),
            (true, false) => Some("normalizer_spec"),
            (true, true) => None,
        };
        if let Some(missing) = missing {
            let problem = format!(
                "it ends early, at byte {}: it has {count} pieces, but no {missing}",
                bytes.len()
            );
            return Err(damaged(&problem));
        }
        if model.unknown_id as usize >= model.pieces.len() {
            return Err(damaged(&format!(
                "its unknown id is {}, but it has {} pieces",
                model.unknown_id,
                model.pieces.len()
            )));
        }
        Ok(model)
    }

    fn read_normalizer_spec(&mut self, name: &str, message: Message<'_>) -> Result<()> {
        for item in message.fields() {
            let field = item.map_err(|fault| {
                Error::damaged(name, format!("in its normalizer_spec, {fault}"))
            })?;
            if let (field::NORMALIZER_CHARSMAP, Value::Bytes(map)) = field {
                expansion_limits::check_charsmap(name, map.bytes)?;
                self.precompiled_charsmap = map.bytes.to_vec();
            }
        }
        Ok(())
    }

    fn read_trainer_spec(&mut self, message: Message<'_>) -> Result<(), String> {
        for item in message.fields() {
            match item.map_err(|fault| format!("in its trainer_spec, {fault}"))? {
                (field::TRAINER_MODEL_TYPE, Value::Varint(number)) => {
                    self.algorithm = match number {
                        1 => Algorithm::Unigram,
                        2 => Algorithm::Bpe,
                        3 => Algorithm::Word,
                        4 => Algorithm::Char,
                        other => return Err(format!("model_type {other} does not exist")),
                    }
                }
                (field::TRAINER_BYTE_FALLBACK, Value::Varint(number)) => {
                    self.byte_fallback = number != 0;
                }
                (field::TRAINER_UNK_ID, Value::Varint(number)) => {
                    self.unknown_id = u32::try_from(number)
                        .map_err(|_| format!("unk_id {} is not an id", number.cast_signed()))?;
                }
                (field::TRAINER_UNK_PIECE, Value::Bytes(text)) => {
                    let text =
                        str::from_utf8(text.bytes).map_err(|_| "its unk_piece is not UTF-8")?;
                    self.unknown_piece = text.to_owned();
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Returns what is wrong with a file with a field that cannot be read, after `pieces` pieces.
fn problem_of(fault: Fault, pieces: usize) -> String {
    let Some((length, needed)) = fault.cut().filter(|_| fault.number != 0) else {
        return format!("it is not a SentencePiece model: {fault}");
    };
    let part = match fault.number {
        field::MODEL_PIECES => format!("piece {pieces}"),
        field::MODEL_TRAINER_SPEC => "its trainer_spec".to_owned(),
        field::MODEL_NORMALIZER_SPEC => "its normalizer_spec".to_owned(),
        other => format!("field {other}"),
    };
    let start = fault.start;
    match needed {
        Some(end) => format!(
            "it ends early, at byte {length}: {part} begins at byte {start} and ends at byte {end}"
        ),
        None => format!("it ends early, at byte {length}: {part} begins at byte {start}"),
    }
}

/// Parses a piece.
///
/// # Errors
/// Fails with the end of the sentence "piece N …".
fn parse_piece(message: Message<'_>) -> Result<Piece, String> {
    let mut piece = Piece {
        text: String::new(),
        score: 0.0,
        kind: PieceKind::Normal,
    };
    for item in message.fields() {
        match item.map_err(|fault| format!("is malformed: {fault}"))? {
            (field::PIECE_TEXT, Value::Bytes(text)) => {
                piece.text = (str::from_utf8(text.bytes).map_err(|_| "is not UTF-8")?).to_owned();
            }
            (field::PIECE_SCORE, Value::Fixed32(bits)) => {
                piece.score = f32::from_bits(bits);
                if !piece.score.is_finite() {
                    return Err(format!("has the score {}", piece.score));
                }
            }
            (field::PIECE_TYPE, Value::Varint(number)) => {
                piece.kind = match number {
                    1 => PieceKind::Normal,
                    2 => PieceKind::Unknown,
                    3 => PieceKind::Control,
                    4 => PieceKind::UserDefined,
                    5 => PieceKind::Unused,
                    6 => PieceKind::Byte,
                    other => return Err(format!("has the type {other}, which does not exist")),
                }
            }
            _ => {}
        }
    }
    Ok(piece)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `ModelProto` with one piece "a" of score -1.5, `unk_id` 0, and a field 10 whose wire type is not the schema's.
    fn sample() -> Vec<u8> {
        let mut file = vec![0x0a, 8, 0x0a, 1, b'a', 0x15, 0, 0, 0xc0, 0xbf];
        file.extend([0x12, 7, 0x18, 1, 0x98, 2, 1, 0x50, 9]);
        file.extend([0x1a, 0]);
        file
    }

    #[test]
    fn pieces_and_settings_are_read() {
        let model = SentencePieceModel::parse("spm.model", &sample()).unwrap();
        assert_eq!(model.pieces[0].text, "a");
        assert_eq!(model.pieces[0].score, -1.5);
        assert_eq!(model.pieces[0].kind, PieceKind::Normal);
        assert_eq!(model.algorithm, Algorithm::Unigram);
        assert!(model.byte_fallback);
        assert_eq!(model.settings_start, 10);
        let again = [sample(), sample()].concat();
        let model = SentencePieceModel::parse("spm.model", &again).unwrap();
        assert_eq!((model.pieces.len(), model.settings_start), (2, 10));
    }

    #[test]
    fn every_truncation_is_refused() {
        let file = sample();
        for length in 0..file.len() {
            assert!(SentencePieceModel::parse("spm.model", &file[..length]).is_err());
        }
        let error = SentencePieceModel::parse("spm.model", &file[..5]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "spm.model is damaged: it ends early, at byte 5: piece 0 begins at byte 0 and ends at byte 10"
        );
        for (length, problem) in [
            (
                10,
                "it ends early, at byte 10: it has 1 pieces, but no trainer_spec",
            ),
            (
                12,
                "it ends early, at byte 12: its trainer_spec begins at byte 10 and ends at byte 19",
            ),
            (
                19,
                "it ends early, at byte 19: it has 1 pieces, but no normalizer_spec",
            ),
            (
                20,
                "it ends early, at byte 20: its normalizer_spec begins at byte 19",
            ),
        ] {
            let error = SentencePieceModel::parse("spm.model", &file[..length]).unwrap_err();
            let sentence = format!("spm.model is damaged: {problem}");
            assert_eq!(error.to_string(), sentence);
        }
    }

    #[test]
    fn other_files_are_not_sentencepiece_models() {
        let error = SentencePieceModel::parse("spm.model", b"garbage").unwrap_err();
        assert_eq!(
            error.to_string(),
            "spm.model is damaged: it is not a SentencePiece model: the field at byte 0 has the wire type 7, which does not exist"
        );
        let error = SentencePieceModel::parse("spm.model", b"\xef\xbb\xbf\x0a\x02a").unwrap_err();
        let sentence = error.to_string();
        assert!(
            sentence.contains("it begins with a byte order mark"),
            "{sentence}"
        );
        let error = SentencePieceModel::parse("spm.model", b"\x0a\x02\x0a\x05").unwrap_err();
        assert_eq!(
            error.to_string(),
            "spm.model is damaged: piece 0 is malformed: the field at byte 2 ends at byte 9, but its message ends at byte 4"
        );
    }

    #[test]
    fn a_length_beyond_the_file_is_refused() {
        let lie = [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, b'x'];
        assert!(SentencePieceModel::parse("spm.model", &lie).is_err());
    }

    #[test]
    fn a_score_of_nan_is_refused() {
        let mut file = vec![0x0a, 8, 0x0a, 1, b'a', 0x15];
        file.extend(f32::NAN.to_le_bytes());
        let error = SentencePieceModel::parse("spm.model", &file).unwrap_err();
        assert_eq!(
            error.to_string(),
            "spm.model is damaged: piece 0 has the score NaN"
        );
    }

    #[test]
    fn an_unknown_id_beyond_the_pieces_is_refused() {
        let mut file = vec![0x0a, 3, 0x0a, 1, b'a'];
        file.extend([0x12, 3, 0xc0, 2, 5, 0x1a, 0]);
        let error = SentencePieceModel::parse("spm.model", &file).unwrap_err();
        assert_eq!(
            error.to_string(),
            "spm.model is damaged: its unknown id is 5, but it has 1 pieces"
        );
    }
}
