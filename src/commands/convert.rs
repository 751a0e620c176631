//! `convert`: writes the tokenizer in another file format, after checking that the result encodes identically.

use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, ValueEnum};
use sha2::{Digest as _, Sha256};

use super::input::ordered_parallel::map_in_parallel;
use super::input::stress_texts::{ExtraTexts, STRESS_PAIRS, STRESS_TEXTS};
use super::session::Session;
use super::verify::first_difference;
use crate::error::{Exit, Result};
use crate::record::{Convert, Difference, Record};
use crate::render::numbers::{quantity, thousands};
use crate::source::digest::hex;
use crate::source::output_file;
use crate::tokenizer::{Decimals, EncodeOptions, Tokenizer};

/// The maximum number of differences shown if the check fails; more would hardly help.
const MAX_SHOWN: usize = 10;
/// The number of vocabulary pieces that are joined into one text of the check.
const PIECES_PER_TEXT: usize = 64;

/// Write the tokenizer as a tokenizer.json that transformers and the tokenizers library can load
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// The format to write
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub to: Target,
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
    /// The format of the tokenizers library
    #[value(name = "tokenizer.json")]
    TokenizerJson,
}

impl Target {
    fn file_name(self) -> &'static str {
        match self {
            Self::TokenizerJson => "tokenizer.json",
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
    let pieces: Vec<&str> = (vocabulary.entries().iter())
        .map(|entry| entry.piece.as_str())
        .collect();
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

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let extra = args.texts.read(session)?;
    let files = session.files()?;
    let tokenizer = session.tokenizer(&files)?;
    let cases = cases(&tokenizer, extra);
    let proved = |decimals| -> Result<(Vec<u8>, usize, Vec<Difference>)> {
        let bytes = match args.to {
            Target::TokenizerJson => tokenizer.to_tokenizer_json(decimals)?,
        };
        let converted = Tokenizer::from_tokenizer_json_alone(bytes.clone())?;
        let converted = converted.with_settings_of(&tokenizer);
        let (tokens, differences) = prove(&tokenizer, &converted, &cases)?;
        Ok((bytes, tokens, differences))
    };
    let (mut bytes, mut tokens, mut differences) = proved(Decimals::Shortest)?;
    if !differences.is_empty() {
        (bytes, tokens, differences) = proved(Decimals::Exact)?;
    }
    if !differences.is_empty() {
        let message = format!(
            "nothing is written: {} of {} would be tokenized differently",
            thousands(differences.len() as u64),
            quantity(cases.len() as u64, "text")
        );
        for difference in differences.into_iter().take(MAX_SHOWN) {
            session.emit(&Record::Difference(difference))?;
        }
        session.note(&message)?;
        return Ok(Exit::Negative);
    }
    let default = PathBuf::from(args.to.file_name());
    let path = args.output.as_ref().unwrap_or(&default);
    if path == Path::new("-") {
        session.raw(&bytes)?;
        note_split(&tokenizer, session)?;
        return Ok(Exit::Done);
    }
    output_file::replace(path, |file| Ok(file.write_all(&bytes)?))?;
    note_split(&tokenizer, session)?;
    session.emit(&Record::Convert(Convert {
        model: files.model(),
        commit: files.commit(),
        to: args.to.file_name(),
        path: path.display().to_string(),
        size: bytes.len() as u64,
        sha256: hex(&Sha256::digest(&bytes)),
        texts: cases.len(),
        tokens,
        reading: tokenizer.reading().recorded(),
    }))?;
    Ok(Exit::Done)
}

/// Names the setting that the file cannot have.
fn note_split(tokenizer: &Tokenizer, session: &mut Session) -> Result<()> {
    if !tokenizer.splits_special_tokens() {
        return Ok(());
    }
    session.note(
        "a tokenizer.json finds special tokens in a text, where they are text for this model: to load the file as this \
         model is read, set `split_special_tokens` to true",
    )
}
