//! What the files of a model say about its tokenizer.

use super::assumed;
use super::definition::Origin;
use super::ranked_file;
use super::tokenizer::Tokenizer;
use crate::formats::config::SpecialTokenConfig;
use crate::record::GgufInfo;
use crate::source::Reading;

impl Tokenizer {
    /// Returns the library whose reading of the files is followed.
    pub fn reading(&self) -> Reading {
        self.definition.reading
    }

    /// Returns the class that the reference loads the tokenizer with. Returns `None` if the files name no class.
    pub fn class(&self) -> Option<&str> {
        let followed = self.definition.class.name;
        followed.or(self.definition.config.tokenizer_class.as_deref())
    }

    /// Returns the file that names the class. Returns `None` if no class was followed, or it was assumed.
    pub fn class_source(&self) -> Option<&'static str> {
        let source = self.definition.class.source;
        source.filter(|_| self.definition.assumption.is_none())
    }

    /// Returns the changes that the class made to what the `tokenizer.json` says, such as
    /// `normalizer.lowercase = true`.
    pub fn class_changes(&self) -> &[String] {
        &self.definition.class.outcome.changes
    }

    /// Returns sentences about the ways in which the reference fails to load the model, or loads it differently.
    pub fn class_problems(&self) -> &[String] {
        &self.definition.class.outcome.problems
    }

    /// Returns the metadata about the vocabulary of a GGUF file.
    pub fn gguf(&self) -> Option<&GgufInfo> {
        self.definition.gguf.as_deref()
    }

    /// Returns the `model_max_length` of `tokenizer_config.json`, if it is set.
    pub fn max_length(&self) -> Option<u64> {
        self.definition.config.max_length()
    }

    /// Returns the class of the reference if it has no fast version.
    pub fn slow_class(&self) -> Option<&'static str> {
        self.definition.runner.as_ref()?.slow_class()
    }

    /// Returns true if SentencePiece itself encodes and decodes, and the `tokenizers` crate cannot.
    pub fn runs_sentencepiece(&self) -> bool {
        self.definition.runner.is_some()
    }

    /// Returns the vocabularies among the files of a model that the tokenizer is not made from, in order. Empty if it is
    /// made from a `tokenizer.json` or from a file that was named.
    pub fn other_vocabularies<'f>(&self, files: &[&'f str]) -> Vec<&'f str> {
        let used = self.file();
        if self.definition.named_file.is_some() || !assumed::NAMES.contains(&used) {
            return Vec::new();
        }
        let runs_both = self.slow_class().is_some();
        let has_merges = files.contains(&"merges.txt");
        let others = files.iter().copied().filter(|name| match *name {
            "merges.txt" => false,
            "vocab.json" => has_merges && used != "vocab.json",
            "sentencepiece.bpe.model" if runs_both => false,
            name => name != used && assumed::NAMES.contains(&name),
        });
        others.collect()
    }

    /// Returns the unknown token if the vocabulary lacks it, so that a text with a word that it cannot spell is refused.
    pub fn missing_unknown(&self) -> Option<&str> {
        let Origin::Compiled { compiled, rest, .. } = &self.definition.origin else {
            return None;
        };
        let needs_one = matches!(self.algorithm(), "WordPiece" | "WordLevel");
        let lacks_it = rest.is_some() && needs_one && compiled.unknown_id().is_none();
        let lacks_it = lacks_it && !ranked_file::has_every_byte(&self.definition);
        let unknown = self.definition.special_tokens.unk_token.given();
        (lacks_it && self.definition.runner.is_none())
            .then(|| unknown.map_or("[UNK]", SpecialTokenConfig::text))
    }

    /// Returns the texts of added tokens whose id has another text, so that the vocabulary does not list them.
    pub fn unlisted_tokens(&self) -> Vec<&str> {
        let added = &self.definition.added_vocabulary;
        let is_listed = |text: &str, id| {
            added
                .with_id(id)
                .is_some_and(|token| *token.content == *text)
        };
        let texts = added.texts().filter(|(text, id)| !is_listed(text, *id));
        texts.map(|(text, _)| text).collect()
    }

    /// Returns true if special tokens in a text are taken as text.
    pub fn splits_special_tokens(&self) -> bool {
        self.definition.splits_special_tokens()
    }

    /// Returns a sentence about the family that the vocabulary is taken for, if no file of the model names it.
    pub fn assumption(&self) -> Option<&str> {
        self.definition.assumption.as_deref()
    }

    /// Returns the name of the encoding that a `.tiktoken` file is read as because of its name alone.
    pub fn assumed_encoding(&self) -> Option<&'static str> {
        ranked_file::assumed_encoding(&self.definition)
    }

    /// Returns true if the SentencePiece file asks for byte fallback, which the reference ignores.
    pub fn ignores_byte_fallback(&self) -> bool {
        if self.definition.runner.is_some() {
            return false;
        }
        match (&self.definition.origin, &self.definition.conversion) {
            (_, Some(conversion)) => conversion.ignores_byte_fallback(),
            (
                Origin::Compiled {
                    compiled,
                    rest: None,
                    ..
                },
                None,
            ) => compiled.byte_fallback(),
            _ => false,
        }
    }

    /// Returns the texts of the special tokens without names of their own.
    pub fn additional_special_tokens(&self) -> Vec<&str> {
        let tokens = self.definition.special_tokens.additional().iter();
        tokens.map(SpecialTokenConfig::text).collect()
    }

    /// Returns the named special tokens, such as `cls_token`: for each its name, its text, and its id if it is in the
    /// vocabulary.
    pub fn special_tokens(&self) -> Vec<(&'static str, &str, Option<u32>)> {
        self.definition
            .special_tokens
            .named()
            .into_iter()
            .filter_map(|(name, token)| Some((name, token.given()?.text())))
            .map(|(name, token)| (name, token, self.definition.find(token)))
            .collect()
    }
}
