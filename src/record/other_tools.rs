//! The tokens of a text in the output formats of other tools, with the same fields in the same order. Those tools
//! define the formats.

use serde::Serialize;

/// The `BatchEncoding` of transformers 4.48.3, converted with `dict(tokenizer(text))`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BatchEncoding {
    pub input_ids: Vec<u32>,
    /// Absent if `model_input_names` of the tokenizer does not list it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type_ids: Option<Vec<u32>>,
    /// Absent, too, if it is not listed there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attention_mask: Option<Vec<u32>>,
}

/// A token of text-embeddings-inference. Its answer for one text is a list that contains one list of tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SimpleToken {
    pub id: u32,
    /// The piece if the token is special, else the part of the text that it covers.
    pub text: String,
    pub special: bool,
    /// Byte offset; absent for special tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<usize>,
}

/// `TokenizeResponse` of vLLM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenizeResponse {
    pub count: usize,
    pub max_model_len: u64,
    pub tokens: Vec<u32>,
    pub token_strs: Vec<String>,
}

/// The answer of llama-server to a request with `with_pieces` set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LlamaTokens {
    pub tokens: Vec<LlamaToken>,
}

/// A token of llama-server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LlamaToken {
    pub id: u32,
    pub piece: LlamaPiece,
}

/// A piece as text, or as bytes if it is not UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum LlamaPiece {
    Text(String),
    Bytes(Vec<u8>),
}

impl From<Vec<u8>> for LlamaPiece {
    fn from(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self::Text(text),
            Err(error) => Self::Bytes(error.into_bytes()),
        }
    }
}
