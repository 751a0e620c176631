//! `convert`: writes the tokenizer in another file format, after checking that the result encodes identically.

use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, ValueEnum};
use sha2::{Digest as _, Sha256};

use super::input::ordered_parallel::map_in_parallel;
use super::input::stress_texts::{ExtraTexts, STRESS_PAIRS, STRESS_TEXTS};
use super::session::Session;
use super::verify::first_difference;
use crate::error::{Error, Exit, Result};
use crate::record::{Convert, Difference, Record};
use crate::render::View;
use crate::render::numbers::{quantity, thousands};
use crate::source::digest::hex;
use crate::source::output_file;
use crate::tokenizer::{EncodeOptions, Fidelity, Tokenizer};

/// The maximum number of differences shown if the check fails; more would hardly help.
const MAX_SHOWN: usize = 10;
/// The number of vocabulary pieces that are joined into one text of the check.
const PIECES_PER_TEXT: usize = 64;

/// Write the tokenizer as another file, such as a tokenizer.json, that has the same tokens
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// The format to write
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub to: Option<Target>,
    /// Write to a file
    ///
    /// `-` is standard output. Without this flag, the file gets the usual name of its format in the current directory.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub texts: ExtraTexts,
}

/// A file format that a tokenizer can be converted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// The format of transformers and the tokenizers library
    #[value(name = "tokenizer.json")]
    TokenizerJson,
    /// The tokens and ranks of tiktoken, for byte-level BPE
    Tiktoken,
}

impl Target {
    fn name(self) -> &'static str {
        match self {
            Self::TokenizerJson => "tokenizer.json",
            Self::Tiktoken => "tiktoken",
        }
    }

    fn file_name(self) -> &'static str {
        match self {
            Self::TokenizerJson => "tokenizer.json",
            Self::Tiktoken => "tokenizer.tiktoken",
        }
    }
}

/// A text or pair that both tokenizers must encode identically.
type Case = (String, Option<String>);

/// Returns the cases to check: the built-in texts and pairs, the `extra` texts, and every piece of the vocabulary.
pub fn cases(tokenizer: &Tokenizer, extra: Vec<String>) -> Vec<Case> {
    let texts = STRESS_TEXTS
        .iter()
        .map(|text| (*text).to_owned())
        .chain(extra);
    let mut cases: Vec<Case> = texts.map(|text| (text, None)).collect();
    let pairs = STRESS_PAIRS.iter();
    cases.extend(pairs.map(|(a, b)| ((*a).to_owned(), Some((*b).to_owned()))));
    let vocabulary = tokenizer.vocabulary();
    let pieces = vocabulary.entries().iter();
    let pieces = pieces.map(|entry| entry.piece.as_str());
    let pieces: Vec<&str> = pieces.chain(tokenizer.unlisted_tokens()).collect();
    let texts = pieces.chunks(PIECES_PER_TEXT);
    cases.extend(texts.map(|pieces| (pieces.join(" "), None)));
    cases
}

/// Encodes and decodes every case with both tokenizers. Returns the number of tokens and the differences.
///
/// # Errors
/// Fails if a case cannot be encoded.
pub fn prove(
    original: &Tokenizer,
    converted: &Tokenizer,
    cases: &[Case],
) -> Result<(usize, Vec<Difference>)> {
    let options = EncodeOptions::default();
    let outcomes = map_in_parallel(cases.iter().collect(), |(text, pair)| {
        let ours = original.encode(text, pair.as_deref(), &options)?;
        let theirs = converted.encode(text, pair.as_deref(), &options)?;
        let (ours, theirs) = (ours.into_first(), theirs.into_first());
        let tokens = theirs.len();
        let position = match first_difference(&ours, &theirs) {
            None if original.decode(&ours.ids, true)? == converted.decode(&ours.ids, true)? => {
                return Ok((tokens, None));
            }
            position => position.unwrap_or(tokens),
        };
        let difference = Difference {
            position,
            text: text.clone(),
            native: ours.tokens,
            native_offsets: ours.offsets,
            reference: theirs.tokens,
            reference_offsets: theirs.offsets,
            ..Difference::default()
        };
        Ok((tokens, Some(difference)))
    });
    let mut sum = (0, Vec::new());
    for outcome in outcomes {
        let (tokens, difference) = outcome?;
        sum.0 += tokens;
        sum.1.extend(difference);
    }
    Ok(sum)
}

/// A file that was made, and what it was compared on.
struct Proved {
    bytes: Vec<u8>,
    /// What the file cannot say, and its reader must know.
    notes: Vec<String>,
    tokens: usize,
    differences: Vec<Difference>,
}

/// Converts a tokenizer, and compares it with what the file is read as.
fn convert(tokenizer: &Tokenizer, to: Target, cases: &[Case]) -> Result<Proved> {
    let compare = |json: Vec<u8>| {
        let converted = Tokenizer::from_tokenizer_json_alone(json)?;
        prove(tokenizer, &converted.with_settings_of(tokenizer), cases)
    };
    let (bytes, (tokens, differences), notes) = match to {
        Target::TokenizerJson => {
            let made = |fidelity| -> Result<_> {
                let bytes = tokenizer.to_tokenizer_json(fidelity)?;
                let compared = compare(bytes.clone())?;
                Ok((bytes, compared))
            };
            let (bytes, compared) = match made(Fidelity::Reference)? {
                (_, (_, differences)) if !differences.is_empty() => made(Fidelity::Exact)?,
                same => same,
            };
            let splits = tokenizer.splits_special_tokens();
            (
                bytes,
                compared,
                Vec::from_iter(splits.then(|| SPLIT_NOTE.to_owned())),
            )
        }
        Target::Tiktoken => {
            let file = tokenizer.to_tiktoken()?;
            let compared = compare(tokenizer.with_ranks_of(&file)?)?;
            let note = format!(
                "the file has neither the pattern nor the special tokens, which tiktoken.Encoding takes beside it; \
                 pat_str is r\"{}\"",
                file.pattern
            );
            (file.bytes, compared, vec![note])
        }
    };
    Ok(Proved {
        bytes,
        notes,
        tokens,
        differences,
    })
}

/// What a `tokenizer.json` cannot say of a tokenizer that takes special tokens in a text as text.
const SPLIT_NOTE: &str = "a tokenizer.json finds special tokens in a text, where they are text for this model: to load \
                          the file as this model is read, set `split_special_tokens` to true";

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let Some(to) = args.to else {
        return Err(Error::usage_hint(
            "no format to convert to was given",
            "add `--to tokenizer.json`, or `--to tiktoken` for byte-level BPE",
        ));
    };
    let extra = args.texts.read(session)?;
    let files = session.files()?;
    let tokenizer = session.tokenizer(&files)?;
    let cases = cases(&tokenizer, extra);
    let proved = convert(&tokenizer, to, &cases)?;
    if !proved.differences.is_empty() {
        let count = proved.differences.len();
        for difference in proved.differences.into_iter().take(MAX_SHOWN) {
            session.emit_with(&Record::Difference(difference), View::Converted)?;
        }
        let reason = tokenizer.not_in_json().map(|reason| format!("; {reason}"));
        session.note(&format!(
            "nothing is written: {} of {} would be tokenized differently{}; the model's own files have its tokens, here \
             and in the library that they are made for",
            thousands(count as u64),
            quantity(cases.len() as u64, "text"),
            reason.unwrap_or_default()
        ))?;
        return Ok(Exit::Negative);
    }
    let default = PathBuf::from(to.file_name());
    let path = args.output.as_ref().unwrap_or(&default);
    let is_stdout = path == Path::new("-");
    if is_stdout {
        session.raw(&proved.bytes)?;
    } else {
        output_file::replace(path, |file| Ok(file.write_all(&proved.bytes)?))?;
    }
    for note in &proved.notes {
        session.note(note)?;
    }
    if is_stdout {
        return Ok(Exit::Done);
    }
    session.emit(&Record::Convert(Convert {
        model: files.model(),
        commit: files.commit(),
        to: to.name(),
        path: path.display().to_string(),
        size: proved.bytes.len() as u64,
        sha256: hex(&Sha256::digest(&proved.bytes)),
        texts: cases.len(),
        tokens: proved.tokens,
        reading: tokenizer.reading().recorded(),
    }))?;
    Ok(Exit::Done)
}
