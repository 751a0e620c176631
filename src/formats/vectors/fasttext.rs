//! The models of fastText (`.bin`): the vector of a word is the mean of its own row and those of its character n-grams.
//!
//! The format is written by `FastText::saveModel`, `Dictionary::save` and `DenseMatrix::save` of fastText 0.9.2, and read
//! by gensim 4.4, whose arithmetic this module follows.

use memchr::memchr;

use super::index::Builder;
use super::limits::{MAX_WORD, MAX_WORDS};
use super::window::Window;
use crate::error::{Error, Result};
use crate::source::ByteSource;

const MAGIC: u32 = 793_712_314;
const VERSION: i32 = 12;
/// Bytes before the entries: magic, version, 12 settings, one float64, three counts, and two lengths.
const HEADER: usize = 8 + 12 * 4 + 8 + 3 * 4 + 2 * 8;
/// Bytes after the name of an entry: how often it occurs, and whether it is a label.
const AFTER_NAME: u64 = 9;
/// The word for the end of a text, which has no n-grams.
const END: &[u8] = b"</s>";

/// The sizes of a model, and the place of its matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct FastText {
    columns: u64,
    /// Words and labels.
    entries: u64,
    words: u64,
    buckets: u64,
    /// The lengths of n-grams in characters.
    shortest: usize,
    longest: usize,
    /// The offset of the matrix, which is known once the words are found.
    matrix: u64,
}

impl FastText {
    /// Reads the sizes. Returns `None` if the file is not a model of fastText.
    ///
    /// # Errors
    /// Fails with [`Error::Unsupported`] for another version, and for pruned models, and with [`Error::Damaged`] if the
    /// sizes contradict each other.
    pub fn read(file: &dyn ByteSource, head: &[u8]) -> Result<Option<Self>> {
        let field = |index: usize| {
            let bytes = head.get(index * 4..)?.first_chunk()?;
            Some(i32::from_le_bytes(*bytes))
        };
        if field(0) != Some(MAGIC as i32) {
            return Ok(None);
        }
        let damaged = |problem: String| Error::damaged(file.name(), problem);
        if head.len() < HEADER {
            return Err(damaged("it ends within its header".to_owned()));
        }
        match field(1) {
            Some(VERSION) => {}
            other => {
                let problem = format!(
                    "it has version {} of fastText's format, but only version {VERSION} is supported",
                    other.unwrap_or_default()
                );
                return Err(Error::unsupported(file.name(), problem));
            }
        }
        let size = |index: usize, name: &str| {
            let value = field(index).unwrap_or_default();
            u64::try_from(value).map_err(|_| damaged(format!("its {name} is {value}")))
        };
        let columns = size(2, "dimension")?;
        let buckets = size(10, "number of buckets")?;
        let (shortest, longest) = (size(11, "minn")?, size(12, "maxn")?);
        let (entries, words) = (size(16, "number of entries")?, size(17, "number of words")?);
        if words == 0 || words > entries || entries > MAX_WORDS {
            return Err(damaged(format!(
                "it claims {words} words of {entries} entries"
            )));
        }
        let pruned = head
            .get(HEADER - 8..HEADER)
            .and_then(|bytes| bytes.first_chunk());
        if pruned.is_some_and(|pruned| i64::from_le_bytes(*pruned) >= 0) {
            return Err(quantized(file, "its dictionary is pruned"));
        }
        Ok(Some(Self {
            columns,
            entries,
            words,
            buckets,
            shortest: shortest as usize,
            longest: longest as usize,
            matrix: 0,
        }))
    }

    pub fn columns(&self) -> u64 {
        self.columns
    }

    /// Finds the matrix after the words, which end at `start`, and the labels.
    ///
    /// # Errors
    /// Fails with [`Error::Unsupported`] if it is quantized, and with [`Error::Damaged`] if its sizes are not those of the
    /// header.
    pub fn find_matrix(&mut self, file: &dyn ByteSource, mut start: u64) -> Result<()> {
        let damaged = |problem: String| Error::damaged(file.name(), problem);
        let mut window = Window::new(file);
        for entry in self.words..self.entries {
            start = entry_at(&mut window, file, start, entry)?.1;
        }
        let header = window.from(start, 17)?.get(..17);
        let header = header.ok_or_else(|| damaged("it ends before its matrix".to_owned()))?;
        let number = |at: usize| {
            header
                .get(at..)?
                .first_chunk()
                .map(|bytes| i64::from_le_bytes(*bytes))
        };
        if header.first() != Some(&0) {
            return Err(quantized(file, "its matrix is quantized"));
        }
        let (rows, columns) = (number(1).unwrap_or_default(), number(9).unwrap_or_default());
        let expected = (self.words + self.buckets, self.columns);
        if (u64::try_from(rows), u64::try_from(columns)) != (Ok(expected.0), Ok(expected.1)) {
            return Err(damaged(format!(
                "its matrix has the shape [{rows}, {columns}], but {} words and {} buckets of {} values are claimed",
                self.words, self.buckets, self.columns
            )));
        }
        let matrix = start + 17;
        let end = expected
            .0
            .checked_mul(expected.1 * 4)
            .and_then(|size| matrix.checked_add(size));
        if end.is_none_or(|end| end > file.len()) {
            let problem = format!("its matrix of [{rows}, {columns}] values is cut off");
            return Err(damaged(problem));
        }
        self.matrix = matrix;
        Ok(())
    }

    /// Appends the vector of a word.
    pub fn append(
        &self,
        file: &dyn ByteSource,
        row: u64,
        word: &[u8],
        values: &mut Vec<f32>,
    ) -> Result<()> {
        let width = self.columns * 4;
        let start = values.len();
        let read = |row: u64| file.read(self.matrix + row * width..self.matrix + (row + 1) * width);
        let own = read(row)?;
        values.extend(
            own.as_chunks()
                .0
                .iter()
                .map(|bytes| f32::from_le_bytes(*bytes)),
        );
        if self.buckets == 0 {
            return Ok(());
        }
        let buckets = self.buckets_of(word);
        let vector = values.get_mut(start..).unwrap_or_default();
        for bucket in &buckets {
            let bytes = read(self.words + bucket)?;
            for (value, bytes) in vector.iter_mut().zip(bytes.as_chunks().0) {
                *value += f32::from_le_bytes(*bytes);
            }
        }
        let count = (buckets.len() + 1) as f32;
        vector.iter_mut().for_each(|value| *value /= count);
        Ok(())
    }

    /// Returns the buckets of the n-grams of a word, in the order of their starts and then of their lengths.
    fn buckets_of(&self, word: &[u8]) -> Vec<u64> {
        let mut buckets = Vec::new();
        if word == END {
            return buckets;
        }
        let word = [b"<", word, b">"].concat();
        let is_start = |at: usize| word.get(at).is_some_and(|byte| byte & 0xc0 != 0x80);
        for start in (0..word.len()).filter(|at| is_start(*at)) {
            let mut end = start;
            let mut hash = 2_166_136_261_u32;
            for length in 1..=self.longest {
                if end >= word.len() {
                    break;
                }
                let from = end;
                end += 1;
                while end < word.len() && !is_start(end) {
                    end += 1;
                }
                for byte in word.get(from..end).unwrap_or_default() {
                    // Bytes are signed characters there.
                    hash = (hash ^ *byte as i8 as u32).wrapping_mul(16_777_619);
                }
                let is_mark = length == 1 && (start == 0 || end == word.len());
                if length >= self.shortest && !is_mark {
                    buckets.push(u64::from(hash) % self.buckets);
                }
            }
        }
        buckets
    }
}

/// Returns the error for a model that `fasttext quantize` wrote.
fn quantized(file: &dyn ByteSource, reason: &str) -> Error {
    let problem = format!("it is a quantized model of fastText (.ftz): {reason}");
    Error::unsupported(file.name(), problem).with_hint(
        "use the model that it was made from (.bin), or the vectors of that model (.vec)",
    )
}

/// Finds the words. Labels come after them.
pub fn scan(file: &dyn ByteSource, model: &FastText, builder: &mut Builder) -> Result<()> {
    let mut window = Window::new(file);
    let mut start = HEADER as u64;
    for entry in 0..model.words {
        let (name, next, is_label) = entry_at(&mut window, file, start, entry)?;
        if is_label {
            let problem = format!("entry {entry} is a label among the words");
            return Err(Error::damaged(file.name(), problem));
        }
        builder.add(name, start..next);
        start = next;
    }
    Ok(())
}

/// Returns the name of an entry of the dictionary, the offset of the next, and whether it is a label.
fn entry_at<'w>(
    window: &'w mut Window<'_>,
    file: &dyn ByteSource,
    start: u64,
    number: u64,
) -> Result<(&'w [u8], u64, bool)> {
    let bytes = window.from(start, MAX_WORD as u64 + 1 + AFTER_NAME)?;
    let end = memchr(
        0,
        bytes.get(..bytes.len().min(MAX_WORD + 1)).unwrap_or(bytes),
    );
    let kind = end.and_then(|end| bytes.get(end + AFTER_NAME as usize));
    let Some((end, kind)) = end.zip(kind) else {
        let problem = format!("entry {number} of its dictionary is cut off");
        return Err(Error::damaged(file.name(), problem));
    };
    let name = bytes.get(..end).unwrap_or_default();
    Ok((name, start + end as u64 + 1 + AFTER_NAME, *kind != 0))
}

/// Returns the word of an entry.
pub fn word(entry: &[u8]) -> Option<&[u8]> {
    entry.get(..memchr(0, entry)?)
}
