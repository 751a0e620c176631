//! The places in the rendered text that marker calls note while a template runs.

use std::ops::Range;
use std::sync::Arc;
use std::sync::{Mutex, MutexGuard, PoisonError};

use minijinja::value::{Enumerator, Object, ObjectRepr, Value};

/// A message of the conversation, as the template sees it.
#[derive(Debug)]
pub struct Message {
    pub index: usize,
    pub fields: Value,
}

impl Object for Message {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.fields.as_object()?.get_value(key)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.fields.as_object()?.get_value_by_str(key)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match self
            .fields
            .as_object()
            .and_then(|fields| fields.try_iter_pairs())
        {
            Some(pairs) => Enumerator::KeyValueIter(Box::new(pairs)),
            None => Enumerator::Empty,
        }
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        self.fields.len()
    }
}

/// A loop that is running: where its steps begin, and the messages that they are at.
#[derive(Debug, Default)]
struct Pass {
    steps: Vec<(usize, Option<usize>)>,
}

#[derive(Debug, Default)]
struct Notes {
    /// Bytes of text so far.
    length: usize,
    passes: Vec<Pass>,
    /// The text of each message: that of the last step that printed any.
    messages: Vec<(usize, Range<usize>)>,
    generated: Vec<Range<usize>>,
    /// The message of `raise_exception`.
    refusal: Option<String>,
}

/// What a template has noted so far.
#[derive(Debug, Default)]
pub struct Tracker {
    notes: Mutex<Notes>,
}

/// What a template has noted.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tracked {
    /// The text of messages, by their index.
    pub messages: Vec<(usize, Range<usize>)>,
    /// The text in generation blocks.
    pub generated: Vec<Range<usize>>,
}

impl Tracker {
    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that the text grew.
    pub fn grow(&self, bytes: usize) {
        self.notes().length += bytes;
    }

    /// Notes that a loop begins.
    pub fn enter(&self) {
        self.notes().passes.push(Pass::default());
    }

    /// Notes that the innermost loop is at the message with this index, or at something else.
    pub fn step(&self, message: Option<usize>) {
        let mut notes = self.notes();
        let length = notes.length;
        if let Some(pass) = notes.passes.last_mut() {
            pass.steps.push((length, message));
        }
    }

    /// Notes that the innermost loop ends.
    pub fn leave(&self) {
        let mut notes = self.notes();
        let Some(pass) = notes.passes.pop() else {
            return;
        };
        let length = notes.length;
        let ends = pass.steps.iter().skip(1).map(|(start, _)| *start);
        let ends: Vec<usize> = ends.chain([length]).collect();
        for ((start, message), end) in pass.steps.into_iter().zip(ends) {
            if let Some(message) = message.filter(|_| start < end) {
                notes.messages.retain(|(other, _)| *other != message);
                notes.messages.push((message, start..end));
            }
        }
    }

    /// Notes generated text of this many bytes, which is printed next.
    pub fn generate(&self, bytes: usize, always: bool) {
        let mut notes = self.notes();
        let start = notes.length;
        if always || start > 0 || !notes.generated.is_empty() {
            notes.generated.push(start..start + bytes);
        }
    }

    /// Notes that the template refuses the messages.
    pub fn refuse(&self, message: String) {
        self.notes().refusal = Some(message);
    }

    /// Returns the message of a refusal.
    pub fn refusal(&self) -> Option<String> {
        self.notes().refusal.take()
    }

    /// Returns the notes.
    pub fn finish(&self) -> Tracked {
        let mut notes = self.notes();
        let mut messages = std::mem::take(&mut notes.messages);
        messages.sort_by_key(|(index, _)| *index);
        Tracked {
            messages,
            generated: std::mem::take(&mut notes.generated),
        }
    }
}

impl Object for Tracker {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}
