//! Reads how a SentencePiece file asks to be run: the settings of its trainer and its normalizers, but not its pieces.

use super::expansion_limits;
use super::protobuf::{Message, Value};
use crate::error::{Error, Result};

/// The surface of the unknown piece in decoded text, unless the file names another.
const UNKNOWN_SURFACE: &str = " \u{2047} ";

/// The settings of a SentencePiece file. Field numbers are those of `sentencepiece_model.proto`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentencePieceSpec {
    pub normalizer: NormalizerSpec,
    /// The normalizer of decoded text and its compiled rules, if the file has one.
    pub denormalizer: Option<(NormalizerSpec, Vec<u8>)>,
    /// The mark of a word is at its end.
    pub marks_are_suffixes: bool,
    /// The text of an unknown piece in decoded text.
    pub unknown_surface: String,
    /// The ids of the start, the end and the padding of a text, if the file has them.
    pub special: [Option<u32>; 3],
}

/// The settings of a normalizer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NormalizerSpec {
    /// A mark is put before the text, or after it.
    pub adds_mark: bool,
    /// Spaces at the ends are removed, and several spaces become one.
    pub removes_spaces: bool,
    /// Spaces become marks.
    pub escapes_spaces: bool,
}

impl Default for NormalizerSpec {
    fn default() -> Self {
        Self {
            adds_mark: true,
            removes_spaces: true,
            escapes_spaces: true,
        }
    }
}

impl SentencePieceSpec {
    /// Reads the settings of the file called `name`, which has only pieces before offset `start`.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if the bytes are not a SentencePiece model.
    pub fn parse(name: &str, bytes: &[u8], start: usize) -> Result<Self> {
        let mut spec = Self {
            normalizer: NormalizerSpec::default(),
            denormalizer: None,
            marks_are_suffixes: false,
            unknown_surface: UNKNOWN_SURFACE.to_owned(),
            special: [Some(1), Some(2), None],
        };
        for field in Message::file(bytes).from(start).fields() {
            match field.map_err(|fault| Error::damaged(name, fault))? {
                (2, Value::Bytes(message)) => spec.read_trainer(name, message)?,
                (3, Value::Bytes(message)) => spec.normalizer = normalizer(name, message)?.0,
                (5, Value::Bytes(message)) => {
                    let (denormalizer, rules) = normalizer(name, message)?;
                    expansion_limits::check_charsmap(name, rules)?;
                    let rules = Some(rules.to_vec()).filter(|rules| !rules.is_empty());
                    spec.denormalizer = rules.map(|rules| (denormalizer, rules));
                }
                _ => {}
            }
        }
        Ok(spec)
    }

    fn read_trainer(&mut self, name: &str, message: Message<'_>) -> Result<()> {
        for field in message.fields() {
            match field.map_err(|fault| Error::damaged(name, fault))? {
                (24, Value::Varint(flag)) => self.marks_are_suffixes = flag != 0,
                (44, Value::Bytes(text)) => {
                    let text = str::from_utf8(text.bytes);
                    let problem = |_| Error::damaged(name, "its unk_surface is not UTF-8");
                    self.unknown_surface = text.map_err(problem)?.to_owned();
                }
                // Minus one is no id.
                (41, Value::Varint(id)) => self.special[0] = u32::try_from(id).ok(),
                (42, Value::Varint(id)) => self.special[1] = u32::try_from(id).ok(),
                (43, Value::Varint(id)) => self.special[2] = u32::try_from(id).ok(),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Returns the settings of a normalizer, and its compiled rules.
fn normalizer<'a>(name: &str, message: Message<'a>) -> Result<(NormalizerSpec, &'a [u8])> {
    let mut spec = NormalizerSpec::default();
    let mut rules: &[u8] = &[];
    for field in message.fields() {
        match field.map_err(|fault| Error::damaged(name, fault))? {
            (2, Value::Bytes(map)) => rules = map.bytes,
            (3, Value::Varint(flag)) => spec.adds_mark = flag != 0,
            (4, Value::Varint(flag)) => spec.removes_spaces = flag != 0,
            (5, Value::Varint(flag)) => spec.escapes_spaces = flag != 0,
            _ => {}
        }
    }
    Ok((spec, rules))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_and_have_the_defaults_of_the_schema() {
        let spec = SentencePieceSpec::parse("m", &[], 0).unwrap();
        assert_eq!(spec.normalizer, NormalizerSpec::default());
        assert_eq!(spec.special, [Some(1), Some(2), None]);
        let mut file = vec![0x12, 13, 0xc0, 1, 1, 0xe2, 2, 1, b'?'];
        file.extend([0xc8, 2, 5, 0xd8, 2, 0]);
        file.extend([0x1a, 4, 0x18, 0, 0x28, 0]);
        let spec = SentencePieceSpec::parse("m", &file[..15], 0).unwrap();
        assert!(spec.marks_are_suffixes);
        assert_eq!(spec.unknown_surface, "?");
        assert_eq!(spec.special, [Some(5), Some(2), Some(0)]);
        let spec = SentencePieceSpec::parse("m", &file, 15).unwrap();
        let expected = NormalizerSpec {
            adds_mark: false,
            escapes_spaces: false,
            ..NormalizerSpec::default()
        };
        assert_eq!(spec.normalizer, expected);
    }

    #[test]
    fn every_truncation_is_refused() {
        let file = [0x12, 3, 0xc0, 1, 1, 0x1a, 4, 0x18, 0, 0x28, 0];
        for length in [1, 2, 3, 4, 6, 7, 8, 9, 10] {
            assert!(
                SentencePieceSpec::parse("m", &file[..length], 0).is_err(),
                "{length}"
            );
        }
    }
}
