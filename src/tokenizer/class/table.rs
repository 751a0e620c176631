//! The classes of fast tokenizers in transformers 4.48.3, and what each sets in the tokenizer of a `tokenizer.json`.

use super::kinds::{Additional, Class, CodePlace, Decoding, Language, Rewrite};
use super::language_codes::{MBART, MBART50, NLLB};
use super::token_default::{NONE, TokenDefault, mask, plain, raw, ruled, text};

const END: &str = "<|endoftext|>";

/// A class without defaults and rewrites.
const BASE: Class = Class {
    names: &[],
    tokens: [NONE; 7],
    additional: Additional::Named,
    prefix_space: Some(false),
    takes_padding_token: true,
    rewrites: &[],
    decoding: Decoding::Plain,
};
#[rustfmt::skip]
const BERT_TOKENS: [TokenDefault; 7] = [NONE, NONE, text("[UNK]"), text("[SEP]"), text("[PAD]"), text("[CLS]"), text("[MASK]")];
#[rustfmt::skip]
const BERT: Class = Class {
    names: &[
        "BertTokenizerFast", "DPRContextEncoderTokenizerFast", "DPRQuestionEncoderTokenizerFast",
        "DPRReaderTokenizerFast", "ConvBertTokenizerFast", "DistilBertTokenizerFast", "ElectraTokenizerFast",
        "LayoutLMTokenizerFast", "LxmertTokenizerFast", "MobileBertTokenizerFast", "RealmTokenizerFast",
        "RetriBertTokenizerFast", "SqueezeBertTokenizerFast",
    ],
    tokens: BERT_TOKENS,
    rewrites: &[Rewrite::BertNormalizer { chinese: true }],
    ..BASE
};
#[rustfmt::skip]
const GPT2: Class = Class {
    names: &["GPT2TokenizerFast"],
    tokens: [text(END), text(END), text(END), NONE, NONE, NONE, NONE],
    ..BASE
};
/// The tokens of RoBERTa and its relatives, with a mask token.
#[rustfmt::skip]
const fn roberta_tokens(mask: TokenDefault) -> [TokenDefault; 7] {
    [text("<s>"), text("</s>"), text("<unk>"), text("</s>"), text("<pad>"), text("<s>"), mask]
}
#[rustfmt::skip]
const ROBERTA: Class = Class {
    names: &["RobertaTokenizerFast", "LongformerTokenizerFast", "BlenderbotTokenizerFast"],
    tokens: roberta_tokens(ruled(Some("<mask>"), true, Some(false), false)),
    rewrites: &[Rewrite::PostPrefixSpace, Rewrite::PostTrimOffsets],
    ..BASE
};
#[rustfmt::skip]
const LLAMA_TOKENS: [TokenDefault; 7] = [text("<s>"), text("</s>"), text("<unk>"), NONE, NONE, NONE, NONE];
const BOS: Rewrite = Rewrite::BosEos {
    bos: true,
    eos: false,
};
#[rustfmt::skip]
const XLNET: Class = Class {
    names: &["XLNetTokenizerFast"],
    tokens: [text("<s>"), text("</s>"), text("<unk>"), text("<sep>"), text("<pad>"), text("<cls>"), mask("<mask>")],
    additional: Additional::Default(&["<eop>", "<eod>"]),
    ..BASE
};

const fn language(default: &'static str, place: CodePlace) -> Rewrite {
    Rewrite::Language(Language {
        default,
        place,
        is_checked: false,
    })
}

/// All classes.
#[rustfmt::skip]
pub const CLASSES: &[Class] = &[
    Class {
        names: &["PreTrainedTokenizerFast"],
        ..BASE
    },
    BERT,
    Class {
        names: &["FunnelTokenizerFast"],
        tokens: [text("<s>"), text("</s>"), text("<unk>"), text("<sep>"), text("<pad>"), text("<cls>"), text("<mask>")],
        ..BERT
    },
    Class {
        names: &["LayoutLMv2TokenizerFast"],
        rewrites: &[Rewrite::BertNormalizer { chinese: false }],
        ..BERT
    },
    Class {
        names: &["SplinterTokenizerFast"],
        additional: Additional::Question,
        rewrites: &[Rewrite::BertNormalizer { chinese: false }],
        ..BERT
    },
    Class {
        names: &["MPNetTokenizerFast"],
        tokens: [plain("<s>"), plain("</s>"), plain("[UNK]"), plain("</s>"), plain("<pad>"), plain("<s>"), mask("<mask>")],
        rewrites: &[Rewrite::BertNormalizer { chinese: false }],
        ..BASE
    },
    Class {
        names: &["RoFormerTokenizerFast"],
        rewrites: &[Rewrite::BertNormalizer { chinese: false }, Rewrite::Jieba],
        ..BERT
    },
    GPT2,
    Class {
        names: &["CodeGenTokenizerFast"],
        rewrites: &[Rewrite::NoBos],
        ..GPT2
    },
    Class {
        names: &["Qwen2TokenizerFast"],
        tokens: [raw(None), raw(Some(END)), raw(Some(END)), NONE, raw(Some(END)), NONE, NONE],
        ..BASE
    },
    Class {
        names: &["WhisperTokenizerFast"],
        tokens: [raw(Some(END)), raw(Some(END)), raw(Some(END)), NONE, NONE, NONE, NONE],
        decoding: Decoding::Transcript,
        ..BASE
    },
    Class {
        names: &["DebertaTokenizerFast"],
        tokens: [text("[CLS]"), text("[SEP]"), text("[UNK]"), text("[SEP]"), text("[PAD]"), text("[CLS]"), text("[MASK]")],
        ..BASE
    },
    ROBERTA,
    Class {
        names: &["BartTokenizerFast", "LEDTokenizerFast"],
        tokens: roberta_tokens(ruled(Some("<mask>"), true, Some(true), true)),
        ..ROBERTA
    },
    Class {
        names: &["MvpTokenizerFast"],
        tokens: [plain("<s>"), plain("</s>"), plain("<unk>"), plain("</s>"), plain("<pad>"), plain("<s>"), mask("<mask>")],
        ..ROBERTA
    },
    Class {
        names: &["LayoutLMv3TokenizerFast"],
        tokens: roberta_tokens(text("<mask>")),
        prefix_space: Some(true),
        ..ROBERTA
    },
    Class {
        names: &["MarkupLMTokenizerFast"],
        tokens: [plain("<s>"), plain("</s>"), plain("<unk>"), plain("</s>"), plain("<pad>"), plain("<s>"), mask("<mask>")],
        rewrites: &[Rewrite::PostPrefixSpace],
        ..BASE
    },
    Class {
        names: &["BlenderbotSmallTokenizerFast"],
        prefix_space: None,
        ..GPT2
    },
    Class {
        names: &["BloomTokenizerFast"],
        tokens: [text("<s>"), text("</s>"), text("<unk>"), NONE, text("<pad>"), NONE, NONE],
        rewrites: &[Rewrite::PrefixSpaceEverywhere],
        ..BASE
    },
    Class {
        names: &["CLIPTokenizerFast"],
        tokens: [text("<|startoftext|>"), text(END), text(END), NONE, text(END), NONE, NONE],
        rewrites: &[Rewrite::NeedsSequence],
        decoding: Decoding::WordSuffix,
        ..BASE
    },
    Class {
        names: &["OpenAIGPTTokenizerFast"],
        tokens: [NONE, NONE, text("<unk>"), NONE, NONE, NONE, NONE],
        ..BASE
    },
    Class {
        names: &["HerbertTokenizerFast"],
        tokens: [NONE, NONE, text("<unk>"), text("</s>"), text("<pad>"), text("<s>"), text("<mask>")],
        ..BASE
    },
    Class {
        names: &["LlamaTokenizerFast"],
        tokens: LLAMA_TOKENS,
        rewrites: &[Rewrite::PrefixSpaceFromSlow, BOS],
        ..BASE
    },
    Class {
        names: &["CodeLlamaTokenizerFast"],
        tokens: LLAMA_TOKENS,
        additional: Additional::Infilling,
        rewrites: &[BOS],
        ..BASE
    },
    Class {
        names: &["GemmaTokenizerFast"],
        tokens: [text("<bos>"), text("<eos>"), text("<unk>"), NONE, text("<pad>"), NONE, NONE],
        rewrites: &[BOS],
        ..BASE
    },
    Class {
        names: &["CohereTokenizerFast"],
        tokens: [text("<BOS_TOKEN>"), text("<|END_OF_TURN_TOKEN|>"), text("<UNK>"), NONE, NONE, NONE, NONE],
        rewrites: &[BOS, Rewrite::PrefixSpaceEverywhere],
        ..BASE
    },
    Class {
        names: &["GPTNeoXTokenizerFast"],
        takes_padding_token: false,
        rewrites: &[Rewrite::BosEos { bos: false, eos: false }],
        ..GPT2
    },
    Class {
        names: &["AlbertTokenizerFast"],
        tokens: [text("[CLS]"), text("[SEP]"), text("<unk>"), text("[SEP]"), text("<pad>"), text("[CLS]"), ruled(Some("[MASK]"), true, Some(false), false)],
        ..BASE
    },
    Class {
        names: &["BigBirdTokenizerFast"],
        tokens: [plain("<s>"), plain("</s>"), plain("<unk>"), plain("[SEP]"), plain("<pad>"), plain("[CLS]"), mask("[MASK]")],
        ..BASE
    },
    Class {
        names: &["FNetTokenizerFast"],
        tokens: [NONE, NONE, text("<unk>"), plain("[SEP]"), text("<pad>"), plain("[CLS]"), mask("[MASK]")],
        ..BASE
    },
    Class {
        names: &["RemBertTokenizerFast"],
        tokens: [text("[CLS]"), text("[SEP]"), text("<unk>"), text("[SEP]"), text("<pad>"), text("[CLS]"), mask("[MASK]")],
        ..BASE
    },
    XLNET,
    Class {
        names: &["CpmTokenizerFast"],
        rewrites: &[Rewrite::Jieba],
        ..XLNET
    },
    Class {
        names: &["XLMRobertaTokenizerFast", "BarthezTokenizerFast", "LayoutXLMTokenizerFast"],
        tokens: roberta_tokens(mask("<mask>")),
        ..BASE
    },
    Class {
        names: &["CamembertTokenizerFast"],
        tokens: roberta_tokens(ruled(Some("<mask>"), true, None, true)),
        additional: Additional::Default(&["<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED"]),
        ..BASE
    },
    Class {
        names: &["XGLMTokenizerFast"],
        tokens: roberta_tokens(NONE),
        additional: Additional::Last(&["<madeupword0>", "<madeupword1>", "<madeupword2>", "<madeupword3>", "<madeupword4>", "<madeupword5>", "<madeupword6>"]),
        ..BASE
    },
    Class {
        names: &["DebertaV2TokenizerFast"],
        tokens: [text("[CLS]"), text("[SEP]"), text("[UNK]"), text("[SEP]"), text("[PAD]"), text("[CLS]"), text("[MASK]")],
        ..BASE
    },
    Class {
        names: &["T5TokenizerFast", "MT5TokenizerFast"],
        tokens: [NONE, text("</s>"), text("<unk>"), NONE, text("<pad>"), NONE, NONE],
        additional: Additional::ExtraIds,
        rewrites: &[Rewrite::PrefixSpaceFromSlow],
        ..BASE
    },
    Class {
        names: &["UdopTokenizerFast"],
        tokens: [NONE, text("</s>"), text("<unk>"), text("</s>"), text("<pad>"), NONE, NONE],
        ..BASE
    },
    Class {
        names: &["PegasusTokenizerFast"],
        tokens: [NONE, text("</s>"), text("<unk>"), NONE, text("<pad>"), NONE, text("<mask_2>")],
        additional: Additional::Pegasus,
        rewrites: &[Rewrite::TokensFromSlow],
        ..BASE
    },
    Class {
        names: &["ReformerTokenizerFast"],
        tokens: [NONE, text("</s>"), text("<unk>"), NONE, NONE, NONE, NONE],
        ..BASE
    },
    Class {
        names: &["NougatTokenizerFast"],
        tokens: [text("<s>"), text("</s>"), text("<unk>"), NONE, text("<pad>"), NONE, NONE],
        ..BASE
    },
    Class {
        names: &["MBartTokenizerFast"],
        tokens: roberta_tokens(mask("<mask>")),
        additional: Additional::First(MBART),
        rewrites: &[language("en_XX", CodePlace::After)],
        ..BASE
    },
    Class {
        names: &["MBart50TokenizerFast"],
        tokens: [NONE, text("</s>"), text("<unk>"), text("</s>"), text("<pad>"), text("<s>"), mask("<mask>")],
        additional: Additional::Last(MBART50),
        rewrites: &[Rewrite::Language(Language {
            default: "en_XX",
            place: CodePlace::Before,
            is_checked: true,
        })],
        ..BASE
    },
    Class {
        names: &["NllbTokenizerFast"],
        tokens: roberta_tokens(ruled(Some("<mask>"), true, Some(true), true)),
        additional: Additional::DefaultOrNull(NLLB),
        rewrites: &[language("eng_Latn", CodePlace::BeforeUnlessLegacy)],
        ..BASE
    },
    Class {
        names: &["SeamlessM4TTokenizerFast"],
        tokens: roberta_tokens(NONE),
        rewrites: &[language("eng", CodePlace::BeforeInUnderscores)],
        ..BASE
    },
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::names::{MODEL_TYPES, SLOW_CLASSES};
    use super::*;

    #[test]
    fn every_class_of_a_model_type_is_known_and_no_name_occurs_twice() {
        let names = || CLASSES.iter().flat_map(|class| class.names);
        for (model_type, class) in MODEL_TYPES {
            assert!(
                class.is_empty()
                    || SLOW_CLASSES.contains(class)
                    || names().any(|name| name.trim_end_matches("Fast") == class.trim_end_matches("Fast")),
                "{model_type}: {class}"
            );
        }
        let mut seen = HashSet::new();
        for name in names() {
            assert!(name.ends_with("Fast") && seen.insert(name), "{name}");
        }
        assert_eq!(seen.len(), 64);
    }
}
