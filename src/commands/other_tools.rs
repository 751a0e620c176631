//! Formats the tokens of a text as another tool would (`tokenize --as`).

use std::io;

use clap::ValueEnum;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

use crate::error::{Error, Result};
use crate::record::other_tools::{
    BatchEncoding, LlamaToken, LlamaTokens, SimpleToken, TokenizeResponse,
};
use crate::tokenizer::{Encoding, Tokenizer, covered};

/// A tool whose output `tokenize --as` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Tool {
    /// transformers 4.48.3: json.dumps(dict(tokenizer(text)))
    Hf,
    /// text-embeddings-inference: POST /tokenize
    Tei,
    /// vLLM: POST /tokenize with return_token_strs
    Vllm,
    /// llama.cpp's server: POST /tokenize with add_special and with_pieces
    LlamaServer,
    /// SentencePiece: spm_encode; with --ids, its ids
    Spm,
}

impl Tool {
    /// Returns true if the tool never adds special tokens.
    pub fn has_no_special_tokens(self) -> bool {
        self == Self::Spm
    }

    /// Returns the name that `--as` takes.
    pub fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Returns the line that the tool would print for a text.
    ///
    /// # Errors
    /// Fails with [`Error::Usage`] for vLLM if the model's files do not name a context window.
    pub fn line(
        self,
        tokenizer: &Tokenizer,
        context_window: Option<u64>,
        text: &str,
        encoding: Encoding,
    ) -> Result<String> {
        match self {
            Self::Hf => hf(tokenizer, encoding),
            Self::Tei => tei(text, &encoding),
            Self::Vllm => vllm(context_window, encoding),
            Self::LlamaServer => llama_server(tokenizer, &encoding),
            Self::Spm => Ok(spm(tokenizer, text, &encoding)),
        }
    }
}

fn hf(tokenizer: &Tokenizer, mut encoding: Encoding) -> Result<String> {
    let mut mask = vec![1; encoding.len()];
    if let (1, Some((padding, is_first))) = (encoding.len() % 2, tokenizer.padding_to_even()) {
        let place = if is_first { 0 } else { encoding.len() };
        encoding.ids.insert(place, padding);
        encoding.type_ids.insert(place, 0);
        mask.insert(place, 0);
    }
    let batch = BatchEncoding {
        attention_mask: tokenizer.names_attention_mask().then_some(mask),
        token_type_ids: tokenizer.names_type_ids().then_some(encoding.type_ids),
        input_ids: encoding.ids,
    };
    json(&batch, PythonSeparators)
}

fn tei(text: &str, encoding: &Encoding) -> Result<String> {
    let tokens = encoding.tokens.iter().enumerate().map(|(index, piece)| {
        let special = encoding.special_tokens_mask[index] == 1;
        let (start, stop) = encoding.offsets[index];
        SimpleToken {
            id: encoding.ids[index],
            text: if special {
                piece.to_owned()
            } else {
                lossy_text(text, (start, stop))
            },
            special,
            start: (!special).then_some(start),
            stop: (!special).then_some(stop),
        }
    });
    json(&[tokens.collect::<Vec<_>>()], CompactFormatter)
}

fn vllm(context_window: Option<u64>, encoding: Encoding) -> Result<String> {
    let no_context_window = || {
        Error::usage(
            "the model's files do not name a context window, which vLLM prints as max_model_len",
        )
    };
    let response = TokenizeResponse {
        count: encoding.len(),
        max_model_len: context_window.ok_or_else(no_context_window)?,
        token_strs: encoding.tokens.iter().map(str::to_owned).collect(),
        tokens: encoding.ids,
    };
    json(&response, CompactFormatter)
}

fn llama_server(tokenizer: &Tokenizer, encoding: &Encoding) -> Result<String> {
    let token = |&id: &u32| LlamaToken {
        id,
        piece: tokenizer.bytes_of(id).into(),
    };
    let tokens = encoding.ids.iter().map(token).collect();
    json(&LlamaTokens { tokens }, CompactFormatter)
}

fn spm(tokenizer: &Tokenizer, text: &str, encoding: &Encoding) -> String {
    let unknown = tokenizer.unknown_token();
    let tokens = encoding.tokens.iter().enumerate().map(|(index, piece)| {
        if Some(encoding.ids[index]) == unknown {
            text[covered(text, encoding.offsets[index])].to_owned()
        } else {
            piece.to_owned()
        }
    });
    tokens.collect::<Vec<_>>().join(" ")
}

/// Returns the bytes of the text that a token stands for. An incomplete character is U+FFFD, as in the tool itself
/// (`core/src/tokenization.rs`).
fn lossy_text(text: &str, (start, end): (usize, usize)) -> String {
    let bytes = text.as_bytes().get(start..end).unwrap_or_default();
    String::from_utf8_lossy(bytes).into_owned()
}

fn json(value: &impl Serialize, formatter: impl Formatter) -> Result<String> {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, formatter);
    let written = value.serialize(&mut serializer);
    written.map_err(|problem| Error::usage(format!("the tokens cannot be written: {problem}")))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The separators of Python's `json.dumps`: `, ` and `: `.
struct PythonSeparators;

impl Formatter for PythonSeparators {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        out.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        out.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }
}
