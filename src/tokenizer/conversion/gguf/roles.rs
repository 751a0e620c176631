//! The tokens that have a role: those with names, and those that are put around a text.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::kind::Kind;
use super::pre_tokenizers;
use crate::formats::config::{Slot, SpecialTokenConfig, SpecialTokensMap};
use crate::formats::gguf::VocabularySettings;
use crate::formats::piece_list::PieceList;

/// The ids of the tokens with roles. The defaults are those of llama.cpp, except that there is none for byte-level
/// vocabularies, where llama.cpp takes the token 11.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles {
    bos: Option<u32>,
    eos: Option<u32>,
    pub unknown: Option<u32>,
    separator: Option<u32>,
    padding: Option<u32>,
    cls: Option<u32>,
    mask: Option<u32>,
    /// The token before a text.
    first: Option<u32>,
    /// The token after a text.
    last: Option<u32>,
    /// The token between two texts, after the last token of the first.
    between: Option<u32>,
    /// True if the second of two texts begins with the first token, and has another type.
    begins_again: bool,
    /// True if the second of two texts has another type.
    types: bool,
}

impl Roles {
    /// Returns the roles in a vocabulary of `size` tokens.
    pub fn of(kind: Kind, settings: &VocabularySettings, size: usize) -> Self {
        let ids = &settings.ids;
        let known = |id: u32| Some(id).filter(|id| (*id as usize) < size);
        let mut roles = Self {
            bos: ids.bos,
            eos: ids.eos,
            unknown: ids.unknown,
            separator: ids.separator,
            padding: ids.padding,
            cls: ids.cls,
            mask: ids.mask,
            ..Self::default()
        };
        let (mut add_bos, mut add_eos) = (false, false);
        match kind {
            Kind::Gpt2 => {
                // An unknown name is refused elsewhere.
                let found = pre_tokenizers::find("", settings);
                add_bos = found.is_ok_and(|found| found.adds_bos);
            }
            Kind::Llama => {
                roles.bos = roles.bos.or(known(1));
                roles.eos = roles.eos.or(known(2));
                roles.unknown = roles.unknown.or(known(0));
                add_bos = true;
            }
            Kind::T5 => {
                roles.eos = roles.eos.or(known(1));
                roles.unknown = roles.unknown.or(known(2));
                roles.padding = roles.padding.or(known(0));
                add_eos = true;
            }
            Kind::Bert => {
                roles.cls = roles.cls.or(roles.bos).or(known(101));
                roles.unknown = roles.unknown.or(known(100));
                roles.separator = roles.separator.or(known(102));
                roles.padding = roles.padding.or(known(0));
                roles.mask = roles.mask.or(known(103));
            }
        }
        if kind == Kind::Bert {
            roles.first = roles.bos.or(roles.cls);
            roles.last = roles.separator;
            roles.types = true;
            return roles;
        }
        let begin = roles.bos.or(roles.cls);
        roles.first = begin.filter(|_| settings.add_bos.unwrap_or(add_bos));
        roles.last = roles.eos.filter(|_| settings.add_eos.unwrap_or(add_eos));
        let adds_separator = settings.add_sep.unwrap_or(false) && roles.last.is_some();
        roles.between = roles.separator.or(roles.eos).filter(|_| adds_separator);
        roles.begins_again = roles.between.is_none();
        roles.types = roles.last.is_none();
        roles
    }

    /// Returns the ids of all named tokens, in order.
    pub fn ids(&self) -> Vec<u32> {
        let mut ids: Vec<u32> = self.named().into_iter().filter_map(|(_, id)| id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn named(&self) -> [(&'static str, Option<u32>); 7] {
        [
            ("bos_token", self.bos),
            ("eos_token", self.eos),
            ("unk_token", self.unknown),
            ("sep_token", self.separator),
            ("pad_token", self.padding),
            ("cls_token", self.cls),
            ("mask_token", self.mask),
        ]
    }

    /// Returns the named tokens, given their texts by id.
    pub fn map(&self, texts: &BTreeMap<u32, String>) -> SpecialTokensMap {
        let mut map = SpecialTokensMap::default();
        for ((_, slot), (_, id)) in map.named_mut().into_iter().zip(self.named()) {
            if let Some(text) = id.and_then(|id| texts.get(&id)) {
                *slot = Slot::Given(SpecialTokenConfig::Text(text.clone()));
            }
        }
        map
    }

    /// Returns the post-processor that puts tokens around a text; null if there are none.
    pub fn template(&self, pieces: &PieceList) -> Value {
        let mut special = Map::new();
        let mut token = |id: Option<u32>, type_id: u32| {
            let id = id?;
            let text = pieces.texts.get(id as usize)?;
            special.insert(
                text.to_owned(),
                json!({"id": text, "ids": [id], "tokens": [text]}),
            );
            Some(json!({"SpecialToken": {"id": text, "type_id": type_id}}))
        };
        let text =
            |name: &str, type_id: u32| Some(json!({"Sequence": {"id": name, "type_id": type_id}}));
        let second = u32::from(self.types);
        let again = self.first.filter(|_| self.begins_again);
        let single = [token(self.first, 0), text("A", 0), token(self.last, 0)];
        let pair = [
            token(self.first, 0),
            text("A", 0),
            token(self.last, 0),
            token(self.between, 0),
            token(again, second),
            text("B", second),
            token(self.last, second),
        ];
        let single: Vec<Value> = single.into_iter().flatten().collect();
        let pair: Vec<Value> = pair.into_iter().flatten().collect();
        if special.is_empty() {
            return Value::Null;
        }
        json!({
            "type": "TemplateProcessing",
            "single": single,
            "pair": pair,
            "special_tokens": special,
        })
    }
}
