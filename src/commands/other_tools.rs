//! The tokens of a text → what another tool prints for it (`tokenize --as`).

use std::io;

use clap::ValueEnum;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

use crate::error::{Error, Result};
use crate::record::other_tools::{
    BatchEncoding, LlamaToken, LlamaTokens, SimpleToken, TokenizeResponse,
};
use crate::tokenizer::{Encoding, Tokenizer};

/// A tool whose output is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Peer {
    /// transformers 4.48.3: json.dumps(dict(tokenizer(text)))
    Hf,
    /// text-embeddings-inference: POST /tokenize
    Tei,
    /// vLLM: POST /tokenize with return_token_strs
    Vllm,
    /// llama.cpp's server: POST /tokenize with add_special and with_pieces
    LlamaServer,
    /// SentencePiece: spm_encode, with --ids its ids
    Spm,
}

impl Peer {
    /// Whether the tool adds no special tokens, however it is asked.
    pub fn has_no_special_tokens(self) -> bool {
        self == Self::Spm
    }

    /// The name that `--as` takes.
    pub fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// The line that the tool prints.
///
/// # Errors
/// [`Error::Usage`] if the model's files do not say what the tool would print.
pub fn line(
    peer: Peer,
    tokenizer: &Tokenizer,
    context_window: Option<u64>,
    text: &str,
    encoding: Encoding,
) -> Result<String> {
    let pieces = || encoding.tokens.iter().map(str::to_owned);
    let surface = |(start, end): (usize, usize)| {
        String::from_utf8_lossy(text.as_bytes().get(start..end).unwrap_or_default()).into_owned()
    };
    match peer {
        Peer::Hf => json(
            &BatchEncoding {
                attention_mask: vec![1; encoding.len()],
                token_type_ids: tokenizer.names_type_ids().then_some(encoding.type_ids),
                input_ids: encoding.ids,
            },
            Spaced,
        ),
        Peer::Tei => {
            let tokens = pieces().enumerate().map(|(index, piece)| {
                let special = encoding.special_tokens_mask[index] == 1;
                let (start, stop) = encoding.offsets[index];
                SimpleToken {
                    id: encoding.ids[index],
                    text: if special { piece } else { surface((start, stop)) },
                    special,
                    start: (!special).then_some(start),
                    stop: (!special).then_some(stop),
                }
            });
            json(&[tokens.collect::<Vec<_>>()], CompactFormatter)
        }
        Peer::Vllm => json(
            &TokenizeResponse {
                count: encoding.len(),
                max_model_len: context_window.ok_or_else(|| {
                    Error::usage(
                        "the model's files do not say how many tokens fit it, which vLLM prints as max_model_len",
                    )
                })?,
                token_strs: pieces().collect(),
                tokens: encoding.ids,
            },
            CompactFormatter,
        ),
        Peer::LlamaServer => {
            let token = |&id: &u32| LlamaToken {
                id,
                piece: tokenizer.bytes_of(id).into(),
            };
            let tokens = encoding.ids.iter().map(token).collect();
            json(&LlamaTokens { tokens }, CompactFormatter)
        }
        Peer::Spm => {
            let unknown = tokenizer.unknown_token();
            let tokens = pieces().enumerate().map(|(index, piece)| {
                match Some(encoding.ids[index]) == unknown {
                    true => surface(encoding.offsets[index]),
                    false => piece,
                }
            });
            Ok(tokens.collect::<Vec<_>>().join(" "))
        }
    }
}

fn json(value: &impl Serialize, formatter: impl Formatter) -> Result<String> {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, formatter);
    let written = value.serialize(&mut serializer);
    written.map_err(|problem| Error::usage(format!("the tokens cannot be written: {problem}")))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The separators of Python's `json.dumps`: `, ` and `: `.
struct Spaced;

impl Formatter for Spaced {
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
