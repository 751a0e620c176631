//! A chat template, ready to be rendered.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;
use std::{io, thread};

use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind};
use serde_json::{Map, Value as Json};

use super::environment::{Dialect, NAME, TRACKER, environment};
use super::lexer::SyntaxProblem;
use super::rewrite::Rewritten;
use super::tracker::{Message, Tracker};
use super::values::value;

/// Bytes of a template. The largest published ones have about 50 KB.
const MAX_TEMPLATE_BYTES: usize = 1 << 20;
/// Steps that a template may take, each of which may make 64 bytes.
const STEPS: u64 = 1 << 20;
/// Further steps for each byte of the messages and tools.
const STEPS_PER_BYTE: u64 = 8;
/// The time that a template may take: some of its steps are long.
const TIME: Duration = Duration::from_millis(900);
/// Further time for each KiB of the messages and tools.
const TIME_PER_KIB: Duration = Duration::from_millis(1);
/// The stack of the thread of a template, of which pages take memory when they are used.
const STACK_BYTES: usize = 128 << 20;

/// Why a template gives no text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The template cannot be read.
    Syntax { line: usize, problem: String },
    /// The template raises an exception of its own.
    Refused { message: String },
    /// The template does something that fails.
    Failed { line: usize, problem: String },
    /// The template takes too many steps, or makes too much text.
    Unbounded { problem: String },
}

/// Rendered text, and what it consists of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered {
    pub text: String,
    /// The text of messages, by their index: each range is in bytes.
    pub messages: Vec<(usize, Range<usize>)>,
    /// The text in generation blocks.
    pub generated: Vec<Range<usize>>,
}

/// A chat template.
#[derive(Debug, Clone)]
pub struct Template {
    environment: Environment<'static>,
    rewritten: Arc<Rewritten>,
    /// True if it has taken too much time, and may be running still.
    is_stuck: Arc<AtomicBool>,
}

impl Template {
    /// Compiles a template.
    ///
    /// # Errors
    /// Fails if it is too long, or not in the dialect.
    pub fn new(source: &str, dialect: Dialect) -> Result<Self, Failure> {
        let source = source.to_owned();
        within(TIME, move || Self::compile(&source, dialect))
    }

    fn compile(source: &str, dialect: Dialect) -> Result<Self, Failure> {
        if source.len() > MAX_TEMPLATE_BYTES {
            return Err(Failure::Unbounded {
                problem: format!(
                    "it has {} bytes, and at most {MAX_TEMPLATE_BYTES} are read",
                    source.len()
                ),
            });
        }
        let rewritten = Rewritten::new(source)
            .map_err(|SyntaxProblem { line, problem }| Failure::Syntax { line, problem })?;
        let mut environment = environment(dialect);
        let added = environment.add_template_owned(NAME, rewritten.source.clone());
        added.map_err(|error| Failure::Syntax {
            line: rewritten.line(error.line().unwrap_or(1)),
            problem: problem(&error),
        })?;
        Ok(Self {
            environment,
            rewritten: Arc::new(rewritten),
            is_stuck: Arc::default(),
        })
    }

    /// Returns true if it says which text is generated.
    pub fn has_generation(&self) -> bool {
        self.rewritten.has_generation
    }

    /// Renders messages with the other variables. `size` is their length in bytes.
    ///
    /// # Errors
    /// Fails if the template does.
    pub fn render(
        &self,
        messages: &[Json],
        variables: &Map<String, Json>,
        size: usize,
    ) -> Result<Rendered, Failure> {
        let too_long = || Failure::Unbounded {
            problem: "it takes too long".to_owned(),
        };
        if self.is_stuck.load(Ordering::Relaxed) {
            return Err(too_long());
        }
        let tracker = Arc::new(Tracker::default());
        let messages = messages
            .iter()
            .enumerate()
            .map(|(index, message)| match value(message) {
                fields if message.is_object() => Value::from_object(Message { index, fields }),
                other => other,
            });
        let messages = Value::from(messages.collect::<Vec<_>>());
        let variables = variables.iter();
        let variables = variables.map(|(name, json)| (Value::from(&**name), value(json)));
        let context = Value::from_pairs(variables.chain([
            (Value::from("messages"), messages),
            (
                Value::from(TRACKER),
                Value::from_dyn_object(Arc::clone(&tracker)),
            ),
        ]));
        let kib = u32::try_from(size >> 10).unwrap_or(u32::MAX);
        let time = TIME.saturating_add(TIME_PER_KIB.saturating_mul(kib));
        let template = self.clone();
        let rendered = within(time, move || template.run(&context, &tracker, size));
        if rendered == Err(too_long()) {
            self.is_stuck.store(true, Ordering::Relaxed);
        }
        rendered
    }

    fn run(
        &self,
        context: &Value,
        tracker: &Arc<Tracker>,
        size: usize,
    ) -> Result<Rendered, Failure> {
        let mut environment = self.environment.clone();
        environment.set_fuel(Some(STEPS + STEPS_PER_BYTE * size as u64));
        let mut output = Output {
            bytes: Vec::new(),
            tracker,
        };
        let rendered = environment
            .get_template(NAME)
            .and_then(|template| template.render_captured_to(context, &mut output).map(drop));
        if let Err(error) = rendered {
            return Err(self.failure(&error, tracker));
        }
        let tracked = tracker.finish();
        Ok(Rendered {
            text: String::from_utf8(output.bytes).unwrap_or_default(),
            messages: tracked.messages,
            generated: tracked.generated,
        })
    }

    fn failure(&self, error: &Error, tracker: &Tracker) -> Failure {
        if let Some(message) = tracker.refusal() {
            return Failure::Refused { message };
        }
        if error.kind() == ErrorKind::OutOfFuel {
            return Failure::Unbounded {
                problem: "it takes too many steps, or makes too much text".to_owned(),
            };
        }
        Failure::Failed {
            line: self.rewritten.line(error.line().unwrap_or(1)),
            problem: problem(error),
        }
    }
}

/// Does something on a thread with a large stack. If it takes too long, the thread is left behind.
fn within<T: Send + 'static>(
    time: Duration,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let (sender, receiver) = channel();
    let job = move || _ = sender.send(work());
    let started = thread::Builder::new().stack_size(STACK_BYTES).spawn(job);
    started.map_err(|error| Failure::Unbounded {
        problem: format!("no thread can be started for it: {error}"),
    })?;
    let outcome = receiver.recv_timeout(time);
    outcome.unwrap_or_else(|_| {
        Err(Failure::Unbounded {
            problem: "it takes too long".to_owned(),
        })
    })
}

/// Returns the problem that an error of the engine describes.
fn problem(error: &Error) -> String {
    match error.detail() {
        Some(detail) => detail.to_owned(),
        None => error.kind().to_string(),
    }
}

/// The text so far, whose length the tracker knows.
struct Output<'t> {
    bytes: Vec<u8>,
    tracker: &'t Tracker,
}

impl io::Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        self.tracker.grow(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
