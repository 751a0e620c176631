//! Tokenizers that run SentencePiece itself, because no `tokenizer.json` describes them.

use super::encoding::{Encoded, Encoding};
use super::options::{EncodeOptions, Side};
use super::sentencepiece::{Decoded, SentencePiece};
use super::translation::{Look, Translation};
use super::windows::{TokenizedText, Windows, to_hf};
use crate::error::Result;
use crate::formats::algorithm::Algorithm;

/// A tokenizer that runs SentencePiece.
#[derive(Debug)]
pub struct Runner {
    /// The name of the file that the tokenizer is made from, within the model.
    pub file_name: String,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// A SentencePiece file on its own: its ids, and no special tokens around a text.
    Alone(Box<Alone>),
    /// The tokenizer of a translation model.
    Translation(Box<Translation>),
}

#[derive(Debug)]
struct Alone {
    model: SentencePiece,
    windows: Windows,
}

impl Runner {
    /// Creates the tokenizer of the SentencePiece file called `file`.
    pub fn alone(model: SentencePiece, file: &str, file_name: String) -> Self {
        let windows = Windows {
            file: file.to_owned(),
            post_processor: None,
            unknown: None,
            cut_left: false,
        };
        Self {
            file_name,
            kind: Kind::Alone(Box::new(Alone { model, windows })),
        }
    }

    /// Creates the tokenizer of a translation model from the file called `file_name`.
    pub fn translation(translation: Translation, file_name: &str) -> Self {
        Self {
            file_name: file_name.to_owned(),
            kind: Kind::Translation(Box::new(translation)),
        }
    }

    /// Returns true if the tokenizer has a source side and a target side.
    pub fn has_sides(&self) -> bool {
        matches!(self.kind, Kind::Translation(_))
    }

    /// Returns the class of the reference, which is a slow one; `None` if the reference is SentencePiece.
    pub fn slow_class(&self) -> Option<&'static str> {
        match &self.kind {
            Kind::Alone(_) => None,
            Kind::Translation(translation) => Some(translation.class()),
        }
    }

    /// Returns the algorithm of SentencePiece.
    pub fn algorithm(&self) -> Algorithm {
        match &self.kind {
            Kind::Alone(alone) => alone.model.algorithm(),
            Kind::Translation(translation) => translation.source.algorithm(),
        }
    }

    /// Encodes a text or a pair.
    ///
    /// # Errors
    /// Fails like [`Windows::finish`], or with [`Error::Usage`](crate::error::Error::Usage) for a side that the
    /// tokenizer does not have.
    pub fn encode(
        &self,
        look: &Look<'_>,
        side: Option<Side>,
        texts: (&str, Option<&str>),
        options: &EncodeOptions,
    ) -> Result<Encoded> {
        let windows = match &self.kind {
            Kind::Alone(alone) => &alone.windows,
            Kind::Translation(translation) => translation.windows(side)?,
        };
        let tokenized = |text, sequence| TokenizedText {
            text,
            tokens: to_hf(match &self.kind {
                Kind::Alone(alone) => alone.tokens(look, text, sequence),
                Kind::Translation(translation) => {
                    translation.tokens(look, side, text, options.parse_special)
                }
            }),
        };
        let second = texts.1.map(|pair| tokenized(pair, 1));
        windows.finish(tokenized(texts.0, 0), second, options)
    }

    /// Decodes ids that have pieces. Control pieces of a file on its own have no text.
    pub fn decode(
        &self,
        look: &Look<'_>,
        side: Option<Side>,
        ids: &[u32],
        skip_special_tokens: bool,
    ) -> String {
        match &self.kind {
            Kind::Alone(alone) => alone.model.decode(ids.iter().map(|id| Decoded::Id(*id))),
            Kind::Translation(translation) => {
                translation.decode(look, side, ids, skip_special_tokens)
            }
        }
    }
}

impl Alone {
    fn tokens(&self, look: &Look<'_>, text: &str, sequence: u32) -> Encoding {
        let mut encoding = Encoding::default();
        let mut words = 0;
        for token in self.model.encode(text) {
            if token.starts_word && !encoding.is_empty() {
                words += 1;
            }
            let piece = (look.piece)(token.id).unwrap_or_default();
            encoding.push_text(token.id, piece, token.offsets, sequence, words);
        }
        encoding
    }
}
