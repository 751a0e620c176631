//! The classes of transformers 5.24 whose tokenizers are built anew, and what each builds.

use super::builds as build;
use super::kinds::{Additional, Again, Class, Ending, Flag};
use crate::tokenizer::class::{
    CodePlace, Decoding, MBART, MBART50, NLLB, NONE, TokenDefault, mask, plain, raw, ruled, text,
};

const END: &str = "<|endoftext|>";

/// The class that takes the tokenizer of a file as it stands.
pub const BASE: Class = Class {
    names: &["TokenizersBackend", "PreTrainedTokenizer", "BloomTokenizer"],
    tokens: [NONE; 7],
    additional: Additional::Named,
    specific: &[],
    prefix_space: false,
    passes_padding: false,
    build: None,
    ending: Ending::OfFile,
    again: Again::Nothing,
    decoding: Decoding::Plain,
};
/// What most classes have in common.
const BUILT: Class = Class {
    names: &[],
    passes_padding: true,
    ..BASE
};
const TYPED: Ending = Ending::Template("{cls}:0 $A:0 {sep}:0", "{cls}:0 $A:0 {sep}:0 $B:1 {sep}:1");
const ENDS: Ending = Ending::Template("{bos} $A {eos}", "{bos} $A {eos} {eos} $B {eos}");
const ONE_END: Ending = Ending::Template("$A {eos}", "$A {eos} $B {eos}");
#[rustfmt::skip]
const BERT: Class = Class {
    names: &[
        "BertTokenizer", "ElectraTokenizer", "LayoutLMTokenizer", "LxmertTokenizer", "MobileBertTokenizer",
        "SqueezeBertTokenizer",
    ],
    tokens: [NONE, NONE, text("[UNK]"), text("[SEP]"), text("[PAD]"), text("[CLS]"), text("[MASK]")],
    build: Some(&build::BERT),
    ending: TYPED,
    ..BUILT
};
#[rustfmt::skip]
const fn bracketed(unknown: &'static str, pad: &'static str, mask: TokenDefault) -> [TokenDefault; 7] {
    [text("[CLS]"), text("[SEP]"), text(unknown), text("[SEP]"), text(pad), text("[CLS]"), mask]
}
#[rustfmt::skip]
const fn angled(mask: TokenDefault) -> [TokenDefault; 7] {
    [text("<s>"), text("</s>"), text("<unk>"), text("</s>"), text("<pad>"), text("<s>"), mask]
}
#[rustfmt::skip]
const ALBERT: Class = Class {
    names: &["AlbertTokenizer"],
    tokens: bracketed("<unk>", "<pad>", text("[MASK]")),
    prefix_space: true,
    build: Some(&build::ALBERT),
    ending: Ending::OfFileOr(&TYPED),
    ..BUILT
};
const T5: Class = Class {
    names: &["T5Tokenizer"],
    tokens: [
        NONE,
        text("</s>"),
        text("<unk>"),
        NONE,
        text("<pad>"),
        NONE,
        NONE,
    ],
    additional: Additional::ExtraIds,
    build: Some(&build::T5),
    ending: ONE_END,
    ..BUILT
};
const GPT2: Class = Class {
    names: &["GPT2Tokenizer"],
    tokens: [text(END), text(END), text(END), NONE, NONE, NONE, NONE],
    build: Some(&build::BYTE_LEVEL),
    ..BUILT
};
const GEMMA: Class = Class {
    names: &["GemmaTokenizer"],
    tokens: [
        text("<bos>"),
        text("<eos>"),
        text("<unk>"),
        NONE,
        text("<pad>"),
        NONE,
        text("<mask>"),
    ],
    build: Some(&build::GEMMA),
    ..BUILT
};
const QWEN: Class = Class {
    names: &["Qwen2Tokenizer"],
    tokens: [NONE, text(END), text(END), NONE, text(END), NONE, NONE],
    build: Some(&build::QWEN2),
    again: Again::WithoutRules,
    ..BUILT
};

/// All classes but those in Python.
#[rustfmt::skip]
pub const CLASSES: &[Class] = &[
    BASE,
    BERT,
    Class { names: &["DistilBertTokenizer"], ..BERT },
    Class { names: &["DPRContextEncoderTokenizer"], build: Some(&build::DPR), ..BERT },
    Class { names: &["DPRQuestionEncoderTokenizer"], build: Some(&build::DPR), ..BERT },
    Class { names: &["DPRReaderTokenizer"], build: Some(&build::DPR), ..BERT },
    Class { names: &["ConvBertTokenizer"], build: None, ..BERT },
    Class { names: &["LayoutLMv2Tokenizer"], ..BERT },
    Class {
        names: &["FunnelTokenizer"],
        tokens: [text("<s>"), text("</s>"), text("<unk>"), text("<sep>"), text("<pad>"), text("<cls>"), text("<mask>")],
        build: Some(&build::FUNNEL),
        ending: Ending::Template("{cls}:2 $A:0 {sep}:0", "{cls}:2 $A:0 {sep}:0 $B:1 {sep}:1"),
        ..BUILT
    },
    Class {
        names: &["SplinterTokenizer"],
        specific: &[("question_token", "[QUESTION]")],
        ending: Ending::Splinter,
        ..BERT
    },
    Class {
        names: &["MPNetTokenizer"],
        tokens: [plain("<s>"), plain("</s>"), plain("[UNK]"), plain("</s>"), plain("<pad>"), plain("<s>"), mask("<mask>")],
        ending: Ending::Roberta(Flag::Is(true), Flag::Is(false)),
        ..BERT
    },
    Class { names: &["RoFormerTokenizer"], build: Some(&build::ROFORMER), ..BERT },
    ALBERT,
    Class { names: &["FNetTokenizer"], build: None, ending: Ending::OfFile, ..ALBERT },
    Class {
        names: &["RemBertTokenizer"],
        build: Some(&build::REMBERT),
        ending: TYPED,
        again: Again::AsSpecial,
        ..ALBERT
    },
    Class {
        names: &["BigBirdTokenizer"],
        tokens: [plain("<s>"), plain("</s>"), plain("<unk>"), plain("[SEP]"), plain("<pad>"), plain("[CLS]"), mask("[MASK]")],
        prefix_space: true,
        build: Some(&build::BIG_BIRD),
        ending: TYPED,
        ..BUILT
    },
    Class {
        names: &["DebertaV2Tokenizer"],
        tokens: bracketed("[UNK]", "[PAD]", text("[MASK]")),
        prefix_space: true,
        build: Some(&build::DEBERTA_V2),
        ending: TYPED,
        ..BUILT
    },
    Class {
        names: &["XLNetTokenizer"],
        tokens: [text("<s>"), text("</s>"), text("<unk>"), text("<sep>"), text("<pad>"), text("<cls>"), mask("<mask>")],
        additional: Additional::Default(&["<eop>", "<eod>"]),
        build: Some(&build::XLNET),
        ending: Ending::Template("$A:0 {sep}:0 {cls}:2", "$A:0 {sep}:0 $B:1 {sep}:1 {cls}:2"),
        ..BUILT
    },
    Class {
        names: &["BarthezTokenizer"],
        tokens: angled(mask("<mask>")),
        prefix_space: true,
        build: Some(&build::BARTHEZ),
        ..BUILT
    },
    Class {
        names: &["CamembertTokenizer"],
        tokens: angled(ruled(Some("<mask>"), true, None, true)),
        additional: Additional::Default(&["<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED"]),
        prefix_space: true,
        build: Some(&build::CAMEMBERT),
        ending: ENDS,
        ..BUILT
    },
    Class {
        names: &["XLMRobertaTokenizer"],
        tokens: angled(text("<mask>")),
        prefix_space: true,
        build: Some(&build::XLM_ROBERTA),
        ending: ENDS,
        ..BUILT
    },
    Class {
        names: &["LayoutXLMTokenizer"],
        tokens: angled(mask("<mask>")),
        prefix_space: true,
        build: Some(&build::LAYOUT_XLM),
        ending: Ending::Template("{cls}:0 $A:0 {sep}:0", "{cls}:0 $A:0 {sep}:0 {sep}:0 $B:0 {sep}:0"),
        ..BUILT
    },
    Class {
        names: &["XGLMTokenizer"],
        tokens: angled(NONE),
        additional: Additional::Last(&["<madeupword0>", "<madeupword1>", "<madeupword2>", "<madeupword3>", "<madeupword4>", "<madeupword5>", "<madeupword6>"]),
        prefix_space: true,
        build: Some(&build::XGLM),
        ending: Ending::Template("{eos} $A", "{eos} $A {eos} {eos} $B"),
        ..BUILT
    },
    T5,
    Class { names: &["VideoPrismTokenizer"], ending: Ending::OfFile, ..T5 },
    Class { names: &["LasrTokenizer"], build: Some(&build::LASR), decoding: Decoding::Grouped, ..T5 },
    Class {
        names: &["UdopTokenizer"],
        tokens: [NONE, text("</s>"), text("<unk>"), text("</s>"), text("<pad>"), NONE, NONE],
        additional: Additional::Named,
        build: Some(&build::UDOP),
        ..T5
    },
    Class {
        names: &["PegasusTokenizer"],
        tokens: [NONE, text("</s>"), text("<unk>"), NONE, text("<pad>"), NONE, text("<mask_2>")],
        additional: Additional::Pegasus,
        build: Some(&build::PEGASUS),
        ending: Ending::Template("$A {eos}", "$A $B {eos}"),
        ..BUILT
    },
    Class {
        names: &["ReformerTokenizer"],
        tokens: [NONE, text("</s>"), text("<unk>"), NONE, NONE, NONE, NONE],
        passes_padding: false,
        build: Some(&build::REFORMER),
        again: Again::AsSpecial,
        ..BUILT
    },
    Class {
        names: &["MBartTokenizer"],
        tokens: angled(mask("<mask>")),
        additional: Additional::First(MBART),
        build: Some(&build::MBART),
        ending: Ending::Language { default: "en_XX", place: CodePlace::After },
        ..BUILT
    },
    Class {
        names: &["MBart50Tokenizer"],
        tokens: [NONE, text("</s>"), text("<unk>"), text("</s>"), text("<pad>"), text("<s>"), mask("<mask>")],
        additional: Additional::Appended(MBART50),
        build: Some(&build::MBART_50),
        ending: Ending::Language { default: "en_XX", place: CodePlace::Before },
        ..BUILT
    },
    Class {
        names: &["NllbTokenizer"],
        tokens: angled(ruled(Some("<mask>"), true, Some(true), true)),
        additional: Additional::Default(NLLB),
        build: Some(&build::NLLB),
        ending: Ending::Language { default: "eng_Latn", place: CodePlace::BeforeUnlessLegacy },
        ..BUILT
    },
    Class {
        names: &["SeamlessM4TTokenizer"],
        tokens: angled(NONE),
        build: Some(&build::SEAMLESS),
        ending: Ending::Language { default: "eng", place: CodePlace::BeforeInUnderscores },
        ..BUILT
    },
    GPT2,
    Class { names: &["CodeGenTokenizer"], ending: Ending::OfFileOr(&Ending::ByteLevel), ..GPT2 },
    Class {
        names: &["GPTNeoXTokenizer"],
        tokens: [text(END), text(END), text(END), NONE, text("<|padding|>"), NONE, NONE],
        build: Some(&build::GPT_NEOX),
        ending: Ending::BosEos(false),
        ..BUILT
    },
    Class {
        names: &["WhisperTokenizer"],
        tokens: [raw(Some(END)), raw(Some(END)), raw(Some(END)), NONE, NONE, NONE, NONE],
        passes_padding: false,
        ending: Ending::Whisper,
        decoding: Decoding::Transcript,
        ..GPT2
    },
    Class {
        names: &["RobertaTokenizer", "BartTokenizer", "LEDTokenizer", "LongformerTokenizer", "MvpTokenizer"],
        tokens: angled(text("<mask>")),
        build: Some(&build::BYTE_LEVEL),
        ending: Ending::Roberta(Flag::TrimOffsets, Flag::PrefixSpace),
        ..BUILT
    },
    Class {
        names: &["LayoutLMv3Tokenizer"],
        tokens: angled(text("<mask>")),
        prefix_space: true,
        build: Some(&build::BYTE_LEVEL),
        ending: Ending::Roberta(Flag::Is(true), Flag::PrefixSpace),
        ..BUILT
    },
    Class {
        names: &["BlenderbotTokenizer"],
        tokens: angled(ruled(Some("<mask>"), true, Some(false), false)),
        prefix_space: true,
        build: Some(&build::BYTE_LEVEL),
        ..BUILT
    },
    Class {
        names: &["DebertaTokenizer"],
        tokens: bracketed("[UNK]", "[PAD]", text("[MASK]")),
        build: Some(&build::BYTE_LEVEL),
        ending: Ending::Template("{cls} $A {sep}", "{cls} $A {sep} {sep} $B {sep}"),
        ..BUILT
    },
    Class {
        names: &["CLIPTokenizer"],
        tokens: [text("<|startoftext|>"), text(END), text(END), NONE, text(END), NONE, NONE],
        build: Some(&build::CLIP),
        ending: Ending::Clip,
        decoding: Decoding::WordSuffix,
        ..BUILT
    },
    Class {
        names: &["OpenAIGPTTokenizer"],
        tokens: [NONE, NONE, text("<unk>"), NONE, NONE, NONE, NONE],
        passes_padding: false,
        build: Some(&build::OPENAI_GPT),
        ..BUILT
    },
    Class {
        names: &["HerbertTokenizer"],
        tokens: [NONE, NONE, text("<unk>"), text("</s>"), text("<pad>"), text("<s>"), text("<mask>")],
        build: Some(&build::HERBERT),
        ending: Ending::Herbert,
        ..BUILT
    },
    Class {
        names: &["LlamaTokenizer"],
        tokens: [text("<s>"), text("</s>"), text("<unk>"), NONE, NONE, NONE, NONE],
        prefix_space: true,
        passes_padding: false,
        build: Some(&build::LLAMA),
        ..BUILT
    },
    Class {
        names: &["CodeLlamaTokenizer"],
        tokens: [text("<s>"), text("</s>"), text("<unk>"), NONE, NONE, NONE, NONE],
        additional: Additional::Specific,
        specific: &[
            ("prefix_token", "▁<PRE>"), ("middle_token", "▁<MID>"), ("suffix_token", "▁<SUF>"), ("eot_token", "▁<EOT>"),
            ("fill_token", "<FILL_ME>"),
        ],
        prefix_space: true,
        passes_padding: false,
        build: Some(&build::CODE_LLAMA),
        ending: Ending::BosEos(true),
        ..BUILT
    },
    GEMMA,
    Class { names: &["Siglip2Tokenizer"], build: Some(&build::SIGLIP2), ..GEMMA },
    Class {
        names: &["CohereTokenizer"],
        tokens: [
            text("<BOS_TOKEN>"), text("<|END_OF_TURN_TOKEN|>"), text("<UNK>"), text("<SEP>"), text("<PAD>"), text("<CLS>"),
            text("<MASK_TOKEN>"),
        ],
        build: Some(&build::COHERE),
        again: Again::AsSpecial,
        ..BUILT
    },
    QWEN,
    Class { names: &["Qwen3_5Tokenizer"], build: Some(&build::QWEN3_5), again: Again::Nothing, ..QWEN },
    Class {
        names: &["NougatTokenizer"],
        tokens: [text("<s>"), text("</s>"), text("<unk>"), NONE, text("<pad>"), NONE, NONE],
        build: Some(&build::NOUGAT),
        ending: Ending::Template("{bos}:0 $A:0 {eos}:0", "$A:0 $B:1"),
        ..BUILT
    },
    Class {
        names: &["Tipsv2Tokenizer"],
        tokens: [NONE, NONE, text("<unk>"), NONE, text("<pad>"), NONE, NONE],
        build: Some(&build::TIPS),
        ..BUILT
    },
    Class { names: &["ParakeetTokenizer"], decoding: Decoding::Grouped, ..BASE },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_names_every_class() {
        let guide = include_str!("../../../docs/guide/which-transformers.md");
        for name in CLASSES.iter().flat_map(|class| class.names) {
            assert!(guide.contains(&format!("`{name}`")), "{name}");
        }
    }
}
