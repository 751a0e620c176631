//! Tokenizers that run SentencePiece itself, because no `tokenizer.json` describes them.

use tokenizers::processors::PostProcessorWrapper;

use super::encoding::{Encoded, Encoding};
use super::options::EncodeOptions;
use super::sentencepiece::{Decoded, SentencePiece};
use super::windows::{TokenizedText, Windows, to_hf};
use crate::error::Result;

/// Returns the piece of an id.
type Piece<'a> = dyn Fn(u32) -> Option<&'a str> + 'a;

/// A tokenizer that runs SentencePiece.
#[derive(Debug)]
pub struct Runner {
    pub model: SentencePiece,
    /// The name of the file that the tokenizer is made from, within the model.
    pub file_name: String,
    windows: Windows,
}

impl Runner {
    /// Creates the tokenizer of a SentencePiece file on its own: its ids, and no special tokens around a text.
    pub fn alone(model: SentencePiece, file: &str, file_name: String) -> Self {
        Self {
            model,
            file_name,
            windows: windows(file, None),
        }
    }

    /// Encodes a text or a pair.
    ///
    /// # Errors
    /// Fails like [`Windows::finish`].
    pub fn encode(
        &self,
        piece: &Piece<'_>,
        text: &str,
        pair: Option<&str>,
        options: &EncodeOptions,
    ) -> Result<Encoded> {
        let tokenized = |text, sequence| TokenizedText {
            text,
            tokens: to_hf(self.tokens(piece, text, sequence)),
        };
        let second = pair.map(|pair| tokenized(pair, 1));
        self.windows.finish(tokenized(text, 0), second, options)
    }

    fn tokens(&self, piece: &Piece<'_>, text: &str, sequence: usize) -> Encoding {
        let mut encoding = Encoding::default();
        let mut words = 0_u32;
        for token in self.model.encode(text) {
            let shown = piece(token.id).unwrap_or_default();
            if token.starts_word && !encoding.is_empty() {
                words += 1;
            }
            encoding.ids.push(token.id);
            encoding.tokens.push(shown);
            encoding.offsets.push(token.offsets);
            encoding.type_ids.push(sequence as u32);
            encoding.special_tokens_mask.push(0);
            encoding.word_ids.push(Some(words));
            encoding.sequence_ids.push(Some(sequence));
        }
        encoding
    }

    /// Decodes ids. Control pieces have no text.
    pub fn decode(&self, ids: &[u32]) -> String {
        self.model.decode(ids.iter().map(|id| Decoded::Id(*id)))
    }
}

fn windows(file: &str, post_processor: Option<PostProcessorWrapper>) -> Windows {
    Windows {
        file: file.to_owned(),
        post_processor,
        unknown: None,
        cut_left: false,
    }
}
