//! The slow classes of transformers 4.48.3 that have a fast one.
//!
//! Classes that need another library to split words are not here: `RoFormerTokenizer` and `CpmTokenizer` (jieba),
//! `HerbertTokenizer` (sacremoses). DeBERTa-v2 and v3 are read by [`crate::tokenizer::deberta`].

use super::bpe_kinds as bpe;
use super::families as family;
use super::families::Family;
use super::slow_class::{Converter, SlowClass};
use super::template::Template;
use crate::tokenizer::class::{NONE, TokenDefault, ruled, text};

/// Returns the slow class of a fast class.
pub fn slow_class(fast: &str) -> Option<&'static SlowClass> {
    SLOW_CLASSES
        .iter()
        .find(|class| class.names.contains(&fast))
}

const SPIECE: &[&str] = &["spiece.model"];
const BPE_MODEL: &[&str] = &["sentencepiece.bpe.model"];
const MODEL: &[&str] = &["tokenizer.model"];

const fn spm(
    names: &'static [&'static str],
    file: &'static [&'static str],
    family: &'static Family,
) -> SlowClass {
    SlowClass {
        names,
        converter: Converter::SentencePiece { file, family },
        tokens: None,
        cleans_up_spaces: false,
    }
}

/// Text that the class always gives rules, but that is matched after normalization.
const fn after(text: &'static str) -> TokenDefault {
    ruled(Some(text), false, Some(true), false)
}

/// A special token that is matched in the raw text.
const fn raw(text: &'static str) -> TokenDefault {
    ruled(Some(text), false, Some(false), true)
}

/// A mask token, which includes the white space before it.
const fn mask(text: &'static str, normalized: bool) -> TokenDefault {
    ruled(Some(text), true, Some(normalized), true)
}

const fn roberta_texts(mask: TokenDefault) -> [TokenDefault; 7] {
    [
        text("<s>"),
        text("</s>"),
        text("<unk>"),
        text("</s>"),
        text("<pad>"),
        text("<s>"),
        mask,
    ]
}

const fn roberta_tokens(mask: TokenDefault) -> [TokenDefault; 7] {
    [
        after("<s>"),
        after("</s>"),
        after("<unk>"),
        after("</s>"),
        after("<pad>"),
        after("<s>"),
        mask,
    ]
}

const END: &str = "<|endoftext|>";
const BERT_TEMPLATE: Template = Template {
    single: "{cls}:0 $A:0 {sep}:0",
    pair: Some("{cls}:0 $A:0 {sep}:0 $B:1 {sep}:1"),
    unused: None,
};
const BERT: SlowClass = SlowClass {
    names: &[
        "BertTokenizerFast",
        "DPRContextEncoderTokenizerFast",
        "DPRQuestionEncoderTokenizerFast",
        "DPRReaderTokenizerFast",
        "ConvBertTokenizerFast",
        "DistilBertTokenizerFast",
        "ElectraTokenizerFast",
        "LayoutLMTokenizerFast",
        "LxmertTokenizerFast",
        "MobileBertTokenizerFast",
        "SqueezeBertTokenizerFast",
    ],
    converter: Converter::WordPiece(&BERT_TEMPLATE),
    tokens: None,
    cleans_up_spaces: true,
};
const ROBERTA: SlowClass = SlowClass {
    names: &["RobertaTokenizerFast", "LongformerTokenizerFast"],
    converter: Converter::Bpe(&bpe::ROBERTA),
    tokens: Some(roberta_tokens(ruled(
        Some("<mask>"),
        true,
        Some(false),
        false,
    ))),
    cleans_up_spaces: false,
};
const RAW_LLAMA: [TokenDefault; 7] = [
    raw("<s>"),
    raw("</s>"),
    raw("<unk>"),
    NONE,
    ruled(None, false, Some(false), true),
    NONE,
    NONE,
];

/// All classes.
#[rustfmt::skip]
const SLOW_CLASSES: &[SlowClass] = &[
    BERT,
    SlowClass {
        names: &["RealmTokenizerFast", "RetriBertTokenizerFast"],
        cleans_up_spaces: false,
        ..BERT
    },
    SlowClass {
        names: &["LayoutLMv2TokenizerFast"],
        tokens: Some([NONE, NONE, raw("[UNK]"), raw("[SEP]"), raw("[PAD]"), raw("[CLS]"), raw("[MASK]")]),
        cleans_up_spaces: false,
        ..BERT
    },
    SlowClass {
        names: &["SplinterTokenizerFast"],
        converter: Converter::WordPiece(&Template {
            single: "{cls}:0 $A:0 {sep}:0",
            pair: Some("{cls}:0 $A:0 {question} . {sep}:0 $B:1 {sep}:1"),
            unused: None,
        }),
        cleans_up_spaces: false,
        ..BERT
    },
    SlowClass {
        names: &["FunnelTokenizerFast"],
        converter: Converter::WordPiece(&Template {
            single: "{cls}:2 $A:0 {sep}:0",
            pair: Some("{cls}:2 $A:0 {sep}:0 $B:1 {sep}:1"),
            unused: None,
        }),
        ..BERT
    },
    SlowClass {
        names: &["MPNetTokenizerFast"],
        converter: Converter::WordPiece(&Template {
            single: "{cls}:0 $A:0 {sep}:0",
            pair: Some("{cls}:0 $A:0 {sep}:0 {sep}:0 $B:1 {sep}:1"),
            unused: None,
        }),
        tokens: Some([raw("<s>"), raw("</s>"), raw("[UNK]"), raw("</s>"), raw("<pad>"), raw("<s>"), mask("<mask>", false)]),
        ..BERT
    },
    ROBERTA,
    SlowClass {
        names: &["BartTokenizerFast", "LEDTokenizerFast"],
        tokens: Some(roberta_tokens(ruled(Some("<mask>"), true, Some(true), false))),
        ..ROBERTA
    },
    SlowClass {
        names: &["LayoutLMv3TokenizerFast"],
        converter: Converter::Bpe(&bpe::LAYOUT_LM_V3),
        tokens: Some(roberta_tokens(ruled(Some("<mask>"), true, Some(true), false))),
        ..ROBERTA
    },
    SlowClass {
        names: &["MvpTokenizerFast"],
        tokens: Some([raw("<s>"), raw("</s>"), raw("<unk>"), raw("</s>"), raw("<pad>"), raw("<s>"), mask("<mask>", false)]),
        ..ROBERTA
    },
    SlowClass {
        names: &["BlenderbotTokenizerFast"],
        converter: Converter::Bpe(&bpe::BLENDERBOT),
        ..ROBERTA
    },
    SlowClass {
        names: &["GPT2TokenizerFast"],
        converter: Converter::Bpe(&bpe::GPT2),
        tokens: Some([after(END), after(END), after(END), NONE, ruled(None, false, Some(true), false), NONE, NONE]),
        ..ROBERTA
    },
    SlowClass {
        names: &["CodeGenTokenizerFast"],
        converter: Converter::Bpe(&bpe::GPT2),
        tokens: Some([raw(END), raw(END), raw(END), NONE, ruled(None, false, Some(false), true), NONE, NONE]),
        ..ROBERTA
    },
    SlowClass {
        names: &["Qwen2TokenizerFast"],
        converter: Converter::Bpe(&bpe::QWEN2),
        tokens: Some([ruled(None, false, Some(false), true), raw(END), raw(END), NONE, raw(END), NONE, NONE]),
        ..ROBERTA
    },
    SlowClass {
        names: &["WhisperTokenizerFast"],
        converter: Converter::Bpe(&bpe::WHISPER),
        tokens: Some([raw(END), raw(END), raw(END), NONE, ruled(None, false, Some(true), false), NONE, NONE]),
        ..ROBERTA
    },
    SlowClass {
        names: &["DebertaTokenizerFast"],
        converter: Converter::Bpe(&bpe::DEBERTA),
        tokens: Some([
            raw("[CLS]"), raw("[SEP]"), raw("[UNK]"), raw("[SEP]"), raw("[PAD]"), raw("[CLS]"),
            ruled(Some("[MASK]"), true, Some(true), false),
        ]),
        ..ROBERTA
    },
    SlowClass {
        names: &["CLIPTokenizerFast"],
        converter: Converter::Bpe(&bpe::CLIP),
        tokens: Some([after("<|startoftext|>"), after(END), after(END), NONE, text(END), NONE, NONE]),
        ..ROBERTA
    },
    SlowClass {
        names: &["OpenAIGPTTokenizerFast"],
        converter: Converter::Bpe(&bpe::OPENAI_GPT),
        tokens: None,
        ..ROBERTA
    },
    spm(&["AlbertTokenizerFast"], SPIECE, &family::ALBERT),
    SlowClass {
        tokens: Some([NONE, NONE, text("<unk>"), raw("[SEP]"), text("<pad>"), raw("[CLS]"), mask("[MASK]", false)]),
        ..spm(&["FNetTokenizerFast"], SPIECE, &family::FNET)
    },
    SlowClass {
        tokens: Some([text("<s>"), text("</s>"), text("<unk>"), text("<sep>"), text("<pad>"), text("<cls>"), mask("<mask>", false)]),
        ..spm(&["XLNetTokenizerFast"], SPIECE, &family::XLNET)
    },
    SlowClass {
        tokens: Some([
            text("[CLS]"), text("[SEP]"), text("[UNK]"), text("[SEP]"), text("[PAD]"), text("[CLS]"),
            ruled(Some("[MASK]"), true, Some(true), false),
        ]),
        ..spm(&["RemBertTokenizerFast"], &["sentencepiece.model"], &family::REMBERT)
    },
    SlowClass {
        tokens: Some([
            after("<s>"), after("</s>"), after("<unk>"), after("[SEP]"), after("<pad>"), after("[CLS]"),
            ruled(Some("[MASK]"), true, Some(true), false),
        ]),
        ..spm(&["BigBirdTokenizerFast"], SPIECE, &family::BIG_BIRD)
    },
    spm(&["ReformerTokenizerFast"], SPIECE, &family::REFORMER),
    SlowClass {
        tokens: Some(roberta_texts(mask("<mask>", false))),
        ..spm(&["BarthezTokenizerFast"], BPE_MODEL, &family::BARTHEZ)
    },
    SlowClass {
        tokens: Some(roberta_texts(mask("<mask>", false))),
        ..spm(&["CamembertTokenizerFast"], BPE_MODEL, &family::CAMEMBERT)
    },
    SlowClass {
        tokens: Some(roberta_texts(mask("<mask>", false))),
        ..spm(&["XLMRobertaTokenizerFast", "LayoutXLMTokenizerFast"], BPE_MODEL, &family::XLM_ROBERTA)
    },
    SlowClass {
        tokens: Some(roberta_texts(ruled(Some("<mask>"), true, Some(false), false))),
        ..spm(&["MBartTokenizerFast"], BPE_MODEL, &family::MBART_25)
    },
    SlowClass {
        tokens: Some([
            NONE, text("</s>"), text("<unk>"), text("</s>"), text("<pad>"), text("<s>"),
            ruled(Some("<mask>"), true, Some(true), false),
        ]),
        ..spm(&["MBart50TokenizerFast"], BPE_MODEL, &family::MBART_50)
    },
    SlowClass {
        tokens: Some([raw("<s>"), raw("</s>"), raw("<unk>"), text("</s>"), raw("<pad>"), text("<s>"), mask("<mask>", true)]),
        ..spm(&["NllbTokenizerFast"], BPE_MODEL, &family::NLLB)
    },
    spm(&["XGLMTokenizerFast"], BPE_MODEL, &family::XGLM),
    spm(&["SeamlessM4TTokenizerFast"], BPE_MODEL, &family::SEAMLESS),
    SlowClass {
        tokens: Some([NONE, raw("</s>"), raw("<unk>"), NONE, raw("<pad>"), NONE, NONE]),
        ..spm(&["T5TokenizerFast", "MT5TokenizerFast"], SPIECE, &family::T5)
    },
    SlowClass {
        tokens: Some([NONE, raw("</s>"), raw("<unk>"), raw("</s>"), raw("<pad>"), NONE, NONE]),
        ..spm(&["UdopTokenizerFast"], SPIECE, &family::UDOP)
    },
    spm(&["PegasusTokenizerFast"], SPIECE, &family::PEGASUS),
    SlowClass {
        tokens: Some(RAW_LLAMA),
        ..spm(&["LlamaTokenizerFast"], MODEL, &family::LLAMA)
    },
    SlowClass {
        tokens: Some([raw("<s>"), raw("</s>"), raw("<unk>"), NONE, NONE, NONE, NONE]),
        ..spm(&["CodeLlamaTokenizerFast"], MODEL, &family::CODE_LLAMA)
    },
    SlowClass {
        tokens: Some([raw("<bos>"), raw("<eos>"), raw("<unk>"), NONE, raw("<pad>"), NONE, NONE]),
        ..spm(&["GemmaTokenizerFast"], MODEL, &family::GEMMA)
    },
];
