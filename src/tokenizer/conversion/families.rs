//! The families of SentencePiece files: how the converter of each differs from `SpmConverter`.

use super::template::Template;
use crate::tokenizer::class::{MBART, MBART50};

/// How a SentencePiece file is converted.
#[derive(Debug)]
pub struct Family {
    pub pieces: Pieces,
    pub unknown: Unknown,
    pub normalizer: Normalizer,
    pub words: Words,
    /// True if unknown characters are encoded as byte pieces.
    pub byte_fallback: bool,
    /// The class takes `add_prefix_space`.
    pub takes_prefix_space: bool,
    pub legacy: Legacy,
    pub template: Option<Template>,
    /// Pieces that are special, though the file calls them user-defined.
    pub special: &'static [&'static str],
}

/// The pieces of the vocabulary.
#[derive(Debug)]
pub enum Pieces {
    /// Those of the file.
    AsTheyAre,
    /// A number before a comma, as in `3,`, is made unlikely.
    NumbersBeforeCommas,
    /// `first` instead of the first `skipped` pieces of the file, and `last` after all.
    Replaced {
        first: &'static [(&'static str, f64)],
        skipped: usize,
        last: &'static [&'static [&'static str]],
    },
    /// The first three pieces are those that the slow tokenizer has for their ids.
    Llama,
    /// The special tokens instead of the first three pieces, and a tab instead of its byte piece.
    Gemma,
    /// `<extra_id_99>` and so on down to `<extra_id_0>` after all.
    T5,
    /// The special tokens and `<unk_2>` and so on instead of the first two pieces.
    Pegasus,
}

/// The unknown piece of a Unigram model.
#[derive(Debug)]
pub enum Unknown {
    /// That of the file.
    OfFile,
    Id(u32),
    /// The `unk_token` of the model.
    Token,
    /// That of the file, after the pieces that Pegasus adds.
    Pegasus,
}

#[derive(Debug)]
pub enum Normalizer {
    /// The rules of the file. Spaces at the end are removed, and several spaces become one mark.
    OfFile,
    /// Quotation marks are straightened, accents and case removed, then the rules of the file apply, and several spaces
    /// become one. The settings have these defaults.
    Albert { lowercase: bool, keep_accents: bool },
    /// As `Albert`, but several spaces become one at first.
    RemBert,
    /// Spaces become marks.
    Gemma,
    /// As `Gemma`, with a mark before the text. Nothing happens here unless the model is legacy.
    Llama,
}

/// The pre-tokenizer, and the decoder that belongs to it.
#[derive(Debug)]
pub enum Words {
    /// Spaces become marks, at which the text is split.
    Metaspace,
    /// As `Metaspace`, after a split at white space.
    WhiteSpace,
    Gemma,
    /// Spaces become marks, unless the model is legacy.
    Llama,
}

/// Whether a tokenizer treats the text after a special token as the start of a text.
#[derive(Debug, PartialEq, Eq)]
pub enum Legacy {
    Always,
    /// Unless `legacy` is false.
    ByDefault,
    Never,
}

const BASE: Family = Family {
    pieces: Pieces::AsTheyAre,
    unknown: Unknown::OfFile,
    normalizer: Normalizer::OfFile,
    words: Words::Metaspace,
    byte_fallback: false,
    takes_prefix_space: false,
    legacy: Legacy::Always,
    template: None,
    special: &[],
};
const fn template(single: &'static str, pair: &'static str) -> Option<Template> {
    Some(Template {
        single,
        pair: Some(pair),
        unused: None,
    })
}
const BERT: Option<Template> =
    template("[CLS]:0 $A:0 [SEP]:0", "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1");
const ROBERTA: Option<Template> = template("<s> $A </s>", "<s> $A </s> </s> $B </s>");
const FAIRSEQ: &[(&str, f64)] = &[("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)];
const MASK: &[&str] = &["<mask>"];

const fn fairseq(last: &'static [&'static [&'static str]], template: Option<Template>) -> Family {
    Family {
        pieces: Pieces::Replaced {
            first: FAIRSEQ,
            skipped: 3,
            last,
        },
        unknown: Unknown::Id(3),
        template,
        ..BASE
    }
}

pub const ALBERT: Family = Family {
    pieces: Pieces::NumbersBeforeCommas,
    normalizer: Normalizer::Albert {
        lowercase: true,
        keep_accents: false,
    },
    template: BERT,
    ..BASE
};
pub const FNET: Family = Family {
    normalizer: Normalizer::Albert {
        lowercase: false,
        keep_accents: true,
    },
    ..ALBERT
};
pub const XLNET: Family = Family {
    normalizer: Normalizer::Albert {
        lowercase: false,
        keep_accents: false,
    },
    template: template("$A:0 <sep>:0 <cls>:2", "$A:0 <sep>:0 $B:1 <sep>:1 <cls>:2"),
    ..ALBERT
};
pub const REMBERT: Family = Family {
    normalizer: Normalizer::RemBert,
    template: BERT,
    ..BASE
};
pub const BIG_BIRD: Family = Family {
    template: BERT,
    ..BASE
};
pub const REFORMER: Family = BASE;
pub const BARTHEZ: Family = Family {
    unknown: Unknown::Id(3),
    template: ROBERTA,
    ..BASE
};
pub const CAMEMBERT: Family = Family {
    pieces: Pieces::Replaced {
        first: &[
            ("<s>NOTUSED", 0.0),
            ("<pad>", 0.0),
            ("</s>NOTUSED", 0.0),
            ("<unk>", 0.0),
            ("<unk>NOTUSED", -100.0),
        ],
        skipped: 1,
        last: &[MASK],
    },
    unknown: Unknown::Id(3),
    template: ROBERTA,
    ..BASE
};
pub const XLM_ROBERTA: Family = fairseq(&[MASK], ROBERTA);
pub const MBART_25: Family = fairseq(
    &[MBART, MASK],
    template("$A </s> en_XX", "$A $B </s> en_XX"),
);
pub const MBART_50: Family = fairseq(
    &[MBART50, MASK],
    template("en_XX $A </s>", "en_XX $A $B </s>"),
);
pub const NLLB: Family = fairseq(&[], template("eng_Latn $A </s>", "eng_Latn $A $B </s>"));
pub const XGLM: Family = fairseq(
    &[&[
        "<madeupword0>",
        "<madeupword1>",
        "<madeupword2>",
        "<madeupword3>",
        "<madeupword4>",
        "<madeupword5>",
        "<madeupword6>",
    ]],
    Some(Template {
        single: "</s> $A",
        pair: Some("</s> $A </s> </s> $B"),
        unused: Some("<s>"),
    }),
);
pub const SEAMLESS: Family = Family {
    pieces: Pieces::Replaced {
        first: &[("<pad>", 0.0), ("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0)],
        skipped: 3,
        last: &[],
    },
    unknown: Unknown::Token,
    takes_prefix_space: true,
    legacy: Legacy::Never,
    template: template("__eng__ $A </s>", "__eng__ $A $B </s>"),
    ..BASE
};
const ENDS: Option<Template> = template("$A </s>", "$A </s> $B </s>");
pub const UDOP: Family = Family {
    takes_prefix_space: true,
    legacy: Legacy::ByDefault,
    template: ENDS,
    ..BASE
};
pub const T5: Family = Family {
    pieces: Pieces::T5,
    ..UDOP
};
pub const PEGASUS: Family = Family {
    pieces: Pieces::Pegasus,
    unknown: Unknown::Pegasus,
    words: Words::WhiteSpace,
    template: template("$A {eos}", "$A $B {eos}"),
    ..BASE
};
pub const CODE_LLAMA: Family = Family {
    pieces: Pieces::Llama,
    unknown: Unknown::Id(0),
    normalizer: Normalizer::Llama,
    words: Words::Llama,
    byte_fallback: true,
    ..BASE
};
pub const LLAMA: Family = Family {
    takes_prefix_space: true,
    legacy: Legacy::ByDefault,
    ..CODE_LLAMA
};
pub const GEMMA: Family = Family {
    pieces: Pieces::Gemma,
    unknown: Unknown::Id(3),
    normalizer: Normalizer::Gemma,
    words: Words::Gemma,
    byte_fallback: true,
    special: &["<start_of_turn>", "<end_of_turn>"],
    ..BASE
};
