//! The tokens that are matched in the raw text.

use super::kind::Kind;
use super::parts::Source;
use crate::formats::config::{AddedTokenConfig, AddedTokenFields};
use crate::formats::gguf::{TokenKind, VocabularySettings};
use crate::formats::piece_list::PieceList;

/// The texts of control tokens in a file that does not state the kinds of its tokens. llama.cpp has a longer list, which
/// it also applies to other files.
const CONTROL: &[&str] = &[
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|im_end|>",
    "<|eot_id|>",
    "<|end|>",
    "<end_of_turn>",
    "<eos>",
];

/// Returns the special tokens, which are the control tokens, the unknown token, and those with roles, and the tokens that
/// users defined.
pub fn tokens(source: &Source<'_>, pieces: &PieceList) -> Vec<AddedTokenConfig> {
    let vocabulary = source.vocabulary;
    let roles = source.roles.ids();
    let rules = Rules::of(&vocabulary.settings);
    let pieces = pieces.texts.iter().zip(0..);
    let tokens = pieces.filter_map(|(piece, id): (&str, u32)| {
        let kind = vocabulary.kind(id as usize);
        let special = matches!(kind, TokenKind::Control | TokenKind::Unknown)
            || roles.binary_search(&id).is_ok()
            || vocabulary.kinds.is_none() && CONTROL.contains(&piece);
        if !special && kind != TokenKind::UserDefined {
            return None;
        }
        let (lstrip, rstrip) = rules.strips(piece);
        Some(AddedTokenConfig::from(AddedTokenFields {
            lstrip,
            rstrip,
            // Runs of spaces are matched after the special tokens, which may take the white space before them.
            normalized: Some(!special && source.kind == Kind::Gpt2),
            ..AddedTokenFields::new(piece, special)
        }))
    });
    tokens.collect()
}

/// The white space that belongs to tokens, which llama.cpp derives from the names of models.
enum Rules {
    None,
    /// The mask takes the white space before it.
    Mask(&'static str),
    /// Most tokens take the white space after them.
    Phi3,
}

impl Rules {
    fn of(settings: &VocabularySettings) -> Self {
        let has = |text: &Option<String>, names: &[&str]| {
            let text = text.as_deref().unwrap_or_default().to_ascii_lowercase();
            names.iter().any(|name| text.contains(name))
        };
        let jina = ["jina-v2-de", "jina-v2-es", "jina-v2-code"];
        if has(&settings.pre, &jina)
            || has(&settings.architecture, &["nomic-bert-moe", "jina-bert-v3"])
        {
            Self::Mask("<mask>")
        } else if has(&settings.name, &["phi-3", "phi3"]) {
            Self::Phi3
        } else if has(&settings.name, &["modern-bert"]) || has(&settings.pre, &["modern-bert"]) {
            Self::Mask("[MASK]")
        } else {
            Self::None
        }
    }

    /// Returns true twice if a token takes the white space before it, and after it.
    fn strips(&self, token: &str) -> (bool, bool) {
        match self {
            Self::None => (false, false),
            Self::Mask(mask) => (token == *mask, false),
            Self::Phi3 => (false, !["<unk>", "<s>", "<|endoftext|>"].contains(&token)),
        }
    }
}
