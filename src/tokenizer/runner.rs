//! Tokenizers that run SentencePiece itself, because no `tokenizer.json` describes them.

use super::encoding::{Encoded, Encoding};
use super::native::MARK;
use super::options::{EncodeOptions, Side};
use super::sentencepiece::{Count, Decoded, Finder, Ids, SentencePiece, Sink};
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

    /// Returns the model of a file on its own. Its tokens are all those of a text.
    fn alone_model(&self) -> Option<&SentencePiece> {
        match &self.kind {
            Kind::Alone(alone) => Some(&alone.model),
            Kind::Translation(_) => None,
        }
    }

    /// Counts the tokens of a text; `None` if that takes an encoding.
    pub fn count(&self, text: &str) -> Option<usize> {
        let mut count = Count::default();
        self.alone_model()?.encode_to(text, &mut count);
        Some(count.0)
    }

    /// Returns the ids of a text; `None` if that takes an encoding.
    pub fn ids(&self, text: &str) -> Option<Vec<u32>> {
        let mut ids = Ids::default();
        self.alone_model()?.encode_to(text, &mut ids);
        Some(ids.0)
    }

    /// Finds the tokens of a text that have one of `ids`, and their byte ranges; `None` if that takes an encoding.
    pub fn find(&self, text: &str, ids: &[u32]) -> Option<Vec<(u32, (usize, usize))>> {
        let mut finder = Finder::new(ids);
        self.alone_model()?.encode_to(text, &mut finder);
        Some(finder.found)
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
        let mut builder = Builder {
            encoding: Encoding::default(),
            look,
            sequence,
            words: 0,
        };
        self.model.encode_to(text, &mut builder);
        builder.encoding
    }
}

/// Collects the tokens of a text in an encoding.
struct Builder<'a, 'l> {
    encoding: Encoding,
    look: &'a Look<'l>,
    sequence: u32,
    /// The number of the current word.
    words: u32,
}

impl Sink for Builder<'_, '_> {
    const NEEDS_PLACES: bool = true;

    fn token(&mut self, id: u32, piece: &str, offsets: (usize, usize)) {
        if piece.starts_with(MARK) && !self.encoding.is_empty() {
            self.words += 1;
        }
        let piece = (self.look.piece)(id).unwrap_or_default();
        (self.encoding).push_text(id, piece, offsets, self.sequence, self.words);
    }

    fn extend(&mut self, _: &str, end: usize) {
        if let Some(offsets) = self.encoding.offsets.last_mut() {
            offsets.1 = end;
        }
    }
}
