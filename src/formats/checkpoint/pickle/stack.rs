//! The stack, the marks, and the memo of the pickle machine.

use std::collections::HashMap;

use super::error::{PickleError, too_many};
use super::limits::{MAX_MARKS, MAX_MEMO, MAX_STACK};
use super::value::Value;

type Result<T> = std::result::Result<T, PickleError>;

#[derive(Default)]
pub struct Stack<'a> {
    /// Offset of the current opcode in bytes, for error messages.
    pub opcode_at: usize,
    values: Vec<Value<'a>>,
    /// Stack heights at which the marks were set.
    marks: Vec<usize>,
    memo: HashMap<u32, Value<'a>>,
}

impl<'a> Stack<'a> {
    pub fn push(&mut self, value: Value<'a>) -> Result<()> {
        if self.values.len() >= MAX_STACK {
            return Err(too_many("values on its stack", MAX_STACK));
        }
        self.values.push(value);
        Ok(())
    }

    /// Returns the last value after the innermost mark.
    pub fn top(&self) -> Result<Value<'a>> {
        let floor = self.marks.last().copied().unwrap_or(0);
        self.values
            .last()
            .filter(|_| self.values.len() > floor)
            .copied()
            .ok_or(PickleError::EmptyStack { at: self.opcode_at })
    }

    pub fn pop(&mut self) -> Result<Value<'a>> {
        let value = self.top()?;
        self.values.pop();
        Ok(value)
    }

    pub fn pop_str(&mut self) -> Result<&'a str> {
        match self.pop()? {
            Value::Str(text) => Ok(text),
            other => Err(self.wrong_kind(other, "a name")),
        }
    }

    pub fn mark(&mut self) -> Result<()> {
        if self.marks.len() >= MAX_MARKS {
            return Err(too_many("open marks", MAX_MARKS));
        }
        self.marks.push(self.values.len());
        Ok(())
    }

    /// Removes the innermost mark and returns the values after it.
    pub fn pop_to_mark(&mut self) -> Result<Vec<Value<'a>>> {
        let mark = self
            .marks
            .pop()
            .filter(|&mark| mark <= self.values.len())
            .ok_or(PickleError::NoMark { at: self.opcode_at })?;
        // `split_off` would give every container the capacity of the whole stack.
        Ok(self.values.drain(mark..).collect())
    }

    /// Memoizes the top of the stack as value `index`.
    pub fn memoize(&mut self, index: u32) -> Result<()> {
        let value = self.top()?;
        if self.memo.len() >= MAX_MEMO {
            return Err(too_many("memoized values", MAX_MEMO));
        }
        self.memo.insert(index, value);
        Ok(())
    }

    /// Memoizes the top of the stack under the next free index.
    pub fn memoize_next(&mut self) -> Result<()> {
        let index =
            u32::try_from(self.memo.len()).map_err(|_| too_many("memoized values", MAX_MEMO))?;
        self.memoize(index)
    }

    /// Pushes value `index` of the memo.
    pub fn recall(&mut self, index: u32) -> Result<()> {
        let value = self.memo.get(&index).copied().ok_or(PickleError::NoMemo {
            index,
            at: self.opcode_at,
        })?;
        self.push(value)
    }

    /// Returns the error for a value of the wrong kind for the current opcode.
    pub fn wrong_kind(&self, found: Value<'a>, expected: &'static str) -> PickleError {
        PickleError::WrongKind {
            found: found.kind(),
            expected,
            at: self.opcode_at,
        }
    }
}
