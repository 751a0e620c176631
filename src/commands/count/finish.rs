//! What is known when all is counted: rows that were held back, percentiles, sums, and the verdict.

use std::cmp::Reverse;

use super::Counting;
use super::plan::Rows;
use super::verdict::{self, Offender};
use crate::commands::session::Session;
use crate::error::{Exit, Result};
use crate::record::Record;
use crate::render::View;

impl Counting<'_> {
    /// What is known when all is counted, and the verdict.
    pub(super) fn finish(mut self, session: &mut Session) -> Result<Exit> {
        session.observer.count_finished();
        let budgets = &self.plan.budgets;
        if let Some(budget) = budgets.total {
            self.total.budget = Some(budget);
            self.total.within_budget = Some(self.total.tokens as u64 <= budget);
        }
        let has_budgets = budgets.per_file.is_some() || !budgets.rules.is_empty();
        self.total.over_budget = has_budgets.then_some(self.over);
        if self.total.files == 0 && self.failed.is_none() && !self.is_text() {
            session.note("there are no files of text to count")?;
        }
        let rows_shown = self.rows(session)?;
        if self.plan.summary
            && let Some(summary) = self.spread.finish(self.window)
        {
            session.emit(&Record::Summary(summary))?;
        }
        let over_in_all = self.totals(session)?;
        if !rows_shown {
            for offender in &self.offenders {
                session.note(&offender.sentence())?;
            }
        }
        self.annotate(session)?;
        Ok(match self.failed {
            Some(exit) => exit,
            None if self.over > 0 || over_in_all => Exit::Negative,
            None => Exit::Done,
        })
    }

    /// Nothing was to be walked.
    fn is_text(&self) -> bool {
        self.args.text.is_some() || self.plan.is_stream && self.args.paths.is_empty()
    }

    /// Shows the rows that were held back. Whether every file has had its row.
    fn rows(&mut self, session: &mut Session) -> Result<bool> {
        match std::mem::replace(&mut self.plan.rows, Rows::None) {
            Rows::None => Ok(false),
            Rows::Each | Rows::Over => Ok(true),
            Rows::Table(table) => {
                let rows = table.finish(self.total.tokens, self.window);
                let is_file = |(row, _): &(Record, View)| matches!(row, Record::Count(_));
                let shown = rows.len() == self.total.files && rows.iter().all(is_file);
                rows.iter()
                    .try_for_each(|(row, view)| session.emit_with(row, *view))?;
                Ok(shown)
            }
        }
    }

    /// The sums, where they say more than the rows did. Whether one is over its budget.
    fn totals(&mut self, session: &mut Session) -> Result<bool> {
        let shows = session.shows_totals();
        let mut over = false;
        for sum in self.plan.budgets.sums() {
            let sentence = verdict::group_over(&sum);
            over |= sentence.is_some();
            session.emit(&Record::Group(sum))?;
            if let (Some(sentence), false) = (sentence, shows) {
                session.note(&sentence)?;
            }
        }
        let (total, budget) = (self.args.total, self.total.budget);
        // A bare number has no place for a verdict.
        let bare = session.is_human() && (self.plan.is_stream || total) && !self.plan.is_report;
        let several = self.total.files > 1 && !self.plan.reading.is_stream();
        let view = match (self.plan.is_report, self.plan.reading.is_stream()) {
            (false, _) => View::Plain,
            (true, true) => View::SumOf("text"),
            (true, false) => View::SumOf("file"),
        };
        if total && session.is_human() {
            session.bare(&self.total.tokens.to_string())?;
        } else if total || several || self.plan.is_report || (budget.is_some() && !bare) {
            session.emit_with(&Record::Total(self.total.clone()), view)?;
        }
        if let Some(sentence) = verdict::total_over(&self.total) {
            over = true;
            if bare || !shows {
                session.note(&sentence)?;
            }
        }
        Ok(over)
    }

    /// Annotations, the worst first: of many, GitHub shows the first.
    fn annotate(&mut self, session: &mut Session) -> Result<()> {
        if !self.plan.annotate {
            return Ok(());
        }
        self.offenders
            .sort_by_key(|offender| Reverse(offender.by()));
        let sums = self.plan.budgets.sums();
        let sums = sums.filter_map(|sum| verdict::group_annotation(&sum));
        let total = verdict::total_annotation(&self.total);
        let offenders = self.offenders.iter().map(Offender::annotation);
        let all = std::mem::take(&mut self.annotations).into_iter();
        for annotation in all.chain(total).chain(sums).chain(offenders) {
            session.annotate(&annotation)?;
        }
        Ok(())
    }
}
