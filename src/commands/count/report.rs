//! Reports a finished count: deferred rows, percentiles, totals, and exceeded budgets.

use std::cmp::Reverse;

use super::counting::Counting;
use super::over_budget::{self, OverBudget};
use super::plan::Rows;
use crate::commands::session::Session;
use crate::error::{Error, Exit, Result};
use crate::record::{Group, Record, Summary};
use crate::render::View;

/// Budgets that were not checked.
#[derive(Default)]
struct Unchecked {
    /// The first one that ends the run with an error.
    error: Option<String>,
    notes: Vec<String>,
}

impl Unchecked {
    fn add(&mut self, sentence: String, is_error: bool) {
        if is_error && self.error.is_none() {
            self.error = Some(sentence);
        } else {
            self.notes.push(sentence);
        }
    }
}

impl Counting<'_> {
    /// Reports everything that could not be reported before the end of the count, and returns the exit code.
    pub fn report(mut self, session: &mut Session) -> Result<Exit> {
        let budgets = &self.plan.budgets;
        let has_text = self.has_text();
        // A budget that was not checked has no verdict.
        if let Some(budget) = budgets.total.filter(|_| has_text) {
            self.total.budget = Some(budget);
            self.total.within_budget = Some(self.total.tokens as u64 <= budget);
        }
        let has_budgets = budgets.per_file.is_some() || !budgets.rules.is_empty();
        self.total.over_budget = (has_budgets && has_text).then_some(self.over);
        if self.total.files == 0 && self.failed.is_none() && self.plan.is_walk {
            session.note("found no text files to count")?;
        }
        let unchecked = self.unchecked();
        let all_files_shown = self.report_rows(session)?;
        if self.plan.summary
            && let Some(summary) = self.distribution.summary(self.context_window)
        {
            session.emit(&Record::Summary(Summary {
                model: self.model.clone(),
                reading: self.total.reading,
                ..summary
            }))?;
        }
        let total_over = self.report_totals(session)?;
        if !all_files_shown {
            for over in &self.over_budget {
                session.note(&over.sentence())?;
            }
        }
        if let Some(error) = &unchecked.error {
            self.failures
                .push(over_budget::failure(None, None, error.clone()));
        }
        self.annotate(session)?;
        for note in &unchecked.notes {
            session.note(note)?;
        }
        if let Some(error) = unchecked.error {
            return Err(Error::usage_hint(
                error,
                "nothing to count is not within a budget: check paths, globs and filters",
            ));
        }
        Ok(match self.failed {
            Some(exit) => exit,
            None if self.over > 0 || total_over => Exit::Negative,
            None => Exit::Done,
        })
    }

    /// Returns true if there was any text. Special tokens are counted without it.
    fn has_text(&self) -> bool {
        self.total.bytes > 0
    }

    /// Finds the budgets that limit nothing, since no text was counted for them.
    fn unchecked(&self) -> Unchecked {
        let budgets = &self.plan.budgets;
        let mut unchecked = Unchecked::default();
        if self.failed.is_some() || (budgets.is_empty() && !self.plan.is_ci) {
            return unchecked;
        }
        if !self.has_text() {
            let sentence = "found no text to count, so no budget was checked";
            unchecked.add(sentence.to_owned(), self.plan.is_ci);
            return unchecked;
        }
        for rule in budgets.rules.iter().filter(|rule| rule.sum.files == 0) {
            let sentence = format!(
                "no counted file matches `{}`, so its budget was not checked",
                rule.sum.name
            );
            unchecked.add(sentence, self.plan.is_ci && !self.plan.is_selection);
        }
        unchecked
    }

    /// Shows the rows of a table. Returns true if every file has had its row.
    fn report_rows(&mut self, session: &mut Session) -> Result<bool> {
        match std::mem::replace(&mut self.plan.rows, Rows::None) {
            Rows::None => Ok(false),
            Rows::Each | Rows::OverBudget => Ok(true),
            Rows::Table(table) => {
                let rows = table.finish(self.total.tokens, self.context_window, &self.model);
                let is_file = |(row, _): &(Record, View)| matches!(row, Record::Count(_));
                let all_shown = rows.len() == self.total.files && rows.iter().all(is_file);
                rows.iter()
                    .try_for_each(|(row, view)| session.emit_with(row, *view))?;
                Ok(all_shown)
            }
        }
    }

    /// Shows the sums of the rules, and the total where it adds something to the rows. Returns true if any of them is
    /// over its budget.
    fn report_totals(&mut self, session: &mut Session) -> Result<bool> {
        let shows_totals = session.shows_totals();
        let mut over = false;
        for sum in self.plan.budgets.sums(self.has_text()) {
            let sentence = over_budget::group_over(&sum);
            over |= sentence.is_some();
            session.emit(&Record::Group(Group {
                model: self.model.clone(),
                reading: self.total.reading,
                ..sum
            }))?;
            if let (Some(sentence), false) = (sentence, shows_totals) {
                session.note(&sentence)?;
            }
        }
        let (total_only, budget) = (self.plan.total_only, self.plan.budgets.total);
        // A bare number has no room for the budget.
        let is_bare =
            session.is_human() && (self.plan.is_stream || total_only) && !self.plan.is_report;
        let is_stream = self.plan.input_format.is_stream();
        let view = match (self.plan.is_report, is_stream) {
            (false, _) => View::Plain,
            (true, true) => View::SumOf("text"),
            (true, false) => View::SumOf("file"),
        };
        let several = self.total.files > 1 && !is_stream;
        if total_only && session.is_human() {
            session.bare(&self.total.tokens.to_string())?;
        } else if total_only || several || self.plan.is_report || (budget.is_some() && !is_bare) {
            session.emit_with(&Record::Total(self.total.clone()), view)?;
        }
        if let Some(sentence) = over_budget::total_over(&self.total) {
            over = true;
            if is_bare || !shows_totals {
                session.note(&sentence)?;
            }
        }
        Ok(over)
    }

    /// Writes the annotations. Files with the largest excess come first, since GitHub shows only the first few.
    fn annotate(&mut self, session: &mut Session) -> Result<()> {
        if !self.plan.annotate {
            return Ok(());
        }
        self.over_budget.sort_by_key(|over| Reverse(over.by()));
        let failures = std::mem::take(&mut self.failures).into_iter();
        let total = over_budget::total_annotation(&self.total);
        let sums = self.plan.budgets.sums(self.has_text());
        let sums = sums.filter_map(|sum| over_budget::group_annotation(&sum));
        let files = self.over_budget.iter().map(OverBudget::annotation);
        for annotation in failures.chain(total).chain(sums).chain(files) {
            session.annotate(&annotation)?;
        }
        Ok(())
    }
}
