//! Answers about a text that take no whole encoding: a count, ids, the places of some ids, and where a text can be cut.

use super::options::EncodeOptions;
use super::tokenizer::Tokenizer;
use crate::error::Result;

impl Tokenizer {
    /// Encodes a text to ids only, which is faster than [`Tokenizer::encode`]. With truncation, returns the ids of the
    /// first window.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn ids(&self, text: &str, options: &EncodeOptions) -> Result<Vec<u32>> {
        let options = &*self.effective(options);
        if options.truncation.is_none()
            && let Some(runner) = self.runner()?
            && let Some(ids) = runner.ids(text)
        {
            return Ok(ids);
        }
        if options.truncation.is_none()
            && !self.has_gap(text)
            && let Some(native) = self.native()
            && let Some(ids) = native.engine.ids(text, options)
        {
            return Ok(ids);
        }
        Ok(self.encode(text, None, options)?.into_first().ids)
    }

    /// Finds the tokens of a text that have one of `ids`, and their byte ranges, which is faster than
    /// [`Tokenizer::encode`]. Special tokens of the template are never found.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn find(
        &self,
        text: &str,
        ids: &[u32],
        options: &EncodeOptions,
    ) -> Result<Vec<(u32, (usize, usize))>> {
        let options = &*self.effective(options);
        if options.truncation.is_none()
            && let Some(runner) = self.runner()?
            && let Some(found) = runner.find(text, ids)
        {
            return Ok(found);
        }
        if options.truncation.is_none()
            && let Some(native) = self.native()
            && let Some(found) = native.engine.find(text, ids, options)
        {
            return Ok(found);
        }
        let options = EncodeOptions {
            special_tokens: false,
            ..options.clone()
        };
        let encoding = self.encode(text, None, &options)?.into_first();
        let tokens = encoding.ids.into_iter().zip(encoding.offsets);
        Ok(tokens.filter(|(id, _)| ids.contains(id)).collect())
    }

    /// Counts the tokens of a text, which is faster than [`Tokenizer::ids`].
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn count(&self, text: &str, options: &EncodeOptions) -> Result<usize> {
        let options = &*self.effective(options);
        if options.truncation.is_none()
            && let Some(runner) = self.runner()?
            && let Some(count) = runner.count(text)
        {
            return Ok(count);
        }
        if options.truncation.is_none()
            && !self.has_gap(text)
            && let Some(native) = self.native()
            && let Some(count) = native.engine.count(text, options)
        {
            return Ok(count);
        }
        Ok(self.encode(text, None, options)?.into_first().len())
    }

    /// Returns the last offset at which a text that begins with `bytes` can be cut. The two parts together then have
    /// exactly the tokens of the whole text, not counting special tokens. Returns `None` if no such offset is known.
    pub fn last_cut(&self, bytes: &[u8], options: &EncodeOptions) -> Option<usize> {
        let native = self.native()?;
        let options = self.effective(options);
        native.engine.last_cut(bytes, options.parse_special)
    }
}
