//! Notes and CI annotations about files, texts, and totals that are over budget.

use crate::commands::relative_path::in_repository;
use crate::record::{Group, Total};
use crate::render::Annotation;
use crate::render::numbers::{quantity, thousands};

/// A file or text that is over its budget.
#[derive(Debug, Clone)]
pub struct OverBudget {
    pub path: Option<String>,
    pub line: Option<u64>,
    pub tokens: u64,
    pub budget: u64,
}

impl OverBudget {
    /// The number of tokens over the budget.
    pub fn by(&self) -> u64 {
        self.tokens - self.budget
    }

    /// Returns the note that people see if the row is not shown.
    pub fn sentence(&self) -> String {
        let name = match (&self.path, self.line) {
            (Some(path), Some(line)) => format!("line {line} of {path}"),
            (Some(path), None) => path.clone(),
            (None, Some(line)) => format!("line {line}"),
            (None, None) => "the text".to_owned(),
        };
        let (budget, by) = (tokens(self.budget), thousands(self.by()));
        format!("{name} is over its budget of {budget} by {by}")
    }

    /// Returns an annotation for the log of a CI system.
    pub fn annotation(&self) -> Annotation {
        Annotation {
            file: self.path.as_deref().map(in_repository),
            line: self.line,
            title: TITLE,
            message: format!(
                "{}, {} over the budget of {}",
                tokens(self.tokens),
                thousands(self.by()),
                thousands(self.budget)
            ),
        }
    }
}

fn tokens(number: u64) -> String {
    quantity(number, "token")
}

const TITLE: &str = "Token budget";

/// Returns a sentence that says by how much a total is over its budget. Returns `None` if it is within its budget.
pub fn total_over(total: &Total) -> Option<String> {
    let budget = total.budget?;
    let by = (total.tokens as u64).checked_sub(budget)?;
    let (budget, over) = (tokens(budget), thousands(by));
    (by > 0).then(|| format!("over the budget of {budget} by {over}"))
}

/// Like [`total_over`], for the files that match a glob.
pub fn group_over(group: &Group) -> Option<String> {
    let budget = group.budget?;
    let by = (group.tokens as u64).checked_sub(budget)?;
    let (name, budget, over) = (&group.name, tokens(budget), thousands(by));
    (by > 0).then(|| format!("{name} is over its budget of {budget} by {over}"))
}

/// Returns the annotation for a total that is over its budget.
pub fn total_annotation(total: &Total) -> Option<Annotation> {
    let over = total_over(total)?;
    Some(budget_annotation(over, total.tokens, total.files))
}

/// Returns the annotation for files that are over the budget of their glob.
pub fn group_annotation(group: &Group) -> Option<Annotation> {
    let over = group_over(group)?;
    Some(budget_annotation(over, group.tokens, group.files))
}

fn budget_annotation(over: String, sum: usize, files: usize) -> Annotation {
    let (sum, files) = (tokens(sum as u64), quantity(files as u64, "file"));
    Annotation {
        title: TITLE,
        message: format!("{sum} in {files}: {over}"),
        ..Annotation::default()
    }
}

/// Returns the annotation for a file that could not be counted.
pub fn failure(path: Option<&str>, line: Option<u64>, message: String) -> Annotation {
    Annotation {
        file: path.map(in_repository),
        line,
        title: "Not counted",
        message,
    }
}
