//! The state of a count: totals, rows, and exceeded budgets.

use super::distribution::Distribution;
use super::over_budget::{self, OverBudget};
use super::plan::{Plan, Rows};
use super::sizes::Sizes;
use crate::commands::input::chat_args::ChatInput;
use crate::commands::session::Session;
use crate::error::{Error, Exit, Result};
use crate::record::{ChatParts, Count, Record, Total};
use crate::render::Annotation;
use crate::render::numbers::{quantity, thousands};
use crate::tokenizer::Tokenizer;

/// A count in progress.
pub struct Counting<'a> {
    pub tokenizer: &'a Tokenizer,
    /// The name of the model, for the records.
    pub model: String,
    pub context_window: Option<u64>,
    pub plan: Plan,
    /// The chat templates, if the texts are conversations.
    pub chat: Option<&'a ChatInput>,
    /// Number of parts of messages that are not text.
    pub media_parts: usize,
    pub total: Total,
    pub distribution: Distribution,
    /// Number of files, or texts, that are over their budget.
    pub over: usize,
    /// The ones that are reported at the end.
    pub over_budget: Vec<OverBudget>,
    /// Annotations of files and lines that could not be counted.
    pub failures: Vec<Annotation>,
    /// The exit code for the last file or line that could not be counted.
    pub failed: Option<Exit>,
}

impl<'a> Counting<'a> {
    /// Begins a count.
    pub fn new(
        tokenizer: &'a Tokenizer,
        model: String,
        context_window: Option<u64>,
        plan: Plan,
    ) -> Self {
        Self {
            tokenizer,
            context_window,
            plan,
            chat: None,
            media_parts: 0,
            total: Total {
                model: model.clone(),
                reading: tokenizer.reading().recorded(),
                ..Total::default()
            },
            model,
            distribution: Distribution::default(),
            over: 0,
            over_budget: Vec::new(),
            failures: Vec::new(),
            failed: None,
        }
    }

    /// Adds a counted text, and shows its row now unless rows are shown later or not at all.
    pub fn add_text(
        &mut self,
        session: &mut Session,
        path: Option<String>,
        line: Option<u64>,
        sizes: Sizes,
    ) -> Result<()> {
        self.add_counted(session, path, line, (sizes, None))
    }

    /// Adds a counted text like [`Self::add_text`], with the parts of its conversation if it has them.
    pub fn add_counted(
        &mut self,
        session: &mut Session,
        path: Option<String>,
        line: Option<u64>,
        (sizes, chat): (Sizes, Option<ChatParts>),
    ) -> Result<()> {
        self.add_to_total(1, sizes);
        if self.plan.summary {
            self.distribution.add(sizes.tokens);
        }
        let mut count = Count {
            chat,
            ..sizes.into_count(path, line)
        };
        let over = self.plan.budgets.apply(&mut count);
        if let (Some(by), Some(budget)) = (over, count.budget) {
            self.add_over_budget(session, &count, budget, by)?;
        }
        match &mut self.plan.rows {
            Rows::None => Ok(()),
            Rows::OverBudget if over.is_none() => Ok(()),
            Rows::Table(table) => {
                table.push(count);
                Ok(())
            }
            Rows::Each if session.is_human() && (count.path.is_none() || count.line.is_some()) => {
                session.bare(itoa::Buffer::new().format(count.tokens))
            }
            Rows::Each | Rows::OverBudget => {
                count.model.clone_from(&self.model);
                count.reading = self.total.reading;
                session.emit(&Record::Count(count))
            }
        }
    }

    /// Adds texts to the total.
    pub fn add_to_total(&mut self, texts: usize, sizes: Sizes) {
        self.total.files += texts;
        self.total.tokens += sizes.tokens;
        self.total.words += sizes.words;
        self.total.chars += sizes.chars;
        self.total.bytes += sizes.bytes;
        self.total.lines += sizes.lines;
    }

    fn add_over_budget(
        &mut self,
        session: &mut Session,
        count: &Count,
        budget: u64,
        by: u64,
    ) -> Result<()> {
        self.over += 1;
        let has_row = matches!(self.plan.rows, Rows::Each | Rows::OverBudget);
        if has_row && count.path.is_none() && session.is_human() {
            // The row is a bare number and has no room for a verdict.
            let (budget, by) = (quantity(budget, "token"), thousands(by));
            session.note(&format!("over the budget of {budget} per text by {by}"))?;
        }
        if !has_row || self.plan.annotate {
            self.over_budget.push(OverBudget {
                path: count.path.clone(),
                line: count.line,
                tokens: count.tokens as u64,
                budget,
            });
        }
        Ok(())
    }

    /// Reports a file or line that could not be counted.
    pub fn fail(
        &mut self,
        session: &mut Session,
        line: Option<u64>,
        path: Option<String>,
        error: &Error,
    ) -> Result<()> {
        self.failed = Some(error.exit());
        if self.plan.annotate {
            let failure = over_budget::failure(path.as_deref(), line, error.to_string());
            self.failures.push(failure);
        }
        match line {
            Some(_) => session.emit_failure(line, path, error),
            None => session.emit_file_failure(path, error),
        }
    }
}
