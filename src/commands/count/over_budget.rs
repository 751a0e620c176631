//! Notes and CI annotations about files, texts, and totals that are over budget.

use crate::commands::relative_path::in_repository;
use crate::record::{Group, Total};
use crate::render::Annotation;

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
        let (budget, by) = (self.budget, self.by());
        format!("{name} is over its budget of {budget} tokens by {by}")
    }

    /// Returns an annotation for the log of a CI system.
    pub fn annotation(&self) -> Annotation {
        Annotation {
            file: self.path.as_deref().map(in_repository),
            line: self.line,
            title: TITLE,
            message: format!(
                "{} tokens, {} over the budget of {}",
                self.tokens,
                self.by(),
                self.budget
            ),
        }
    }
}

const TITLE: &str = "Token budget";

/// Returns a sentence that says by how much a total is over its budget. Returns `None` if it is within its budget.
pub fn total_over(total: &Total) -> Option<String> {
    let budget = total.budget?;
    let by = (total.tokens as u64).checked_sub(budget)?;
    (by > 0).then(|| format!("over the budget of {budget} tokens by {by}"))
}

/// Like [`total_over`], for the files that match a glob.
pub fn group_over(group: &Group) -> Option<String> {
    let budget = group.budget?;
    let by = (group.tokens as u64).checked_sub(budget)?;
    let name = &group.name;
    (by > 0).then(|| format!("{name} is over its budget of {budget} tokens by {by}"))
}

/// Returns the annotation for a total that is over its budget.
pub fn total_annotation(total: &Total) -> Option<Annotation> {
    let over = total_over(total)?;
    let (tokens, files) = (total.tokens, total.files);
    Some(budget_annotation(format!(
        "{tokens} tokens in {files} files: {over}"
    )))
}

/// Returns the annotation for files that are over the budget of their glob.
pub fn group_annotation(group: &Group) -> Option<Annotation> {
    let over = group_over(group)?;
    let (tokens, files) = (group.tokens, group.files);
    Some(budget_annotation(format!(
        "{tokens} tokens in {files} files: {over}"
    )))
}

fn budget_annotation(message: String) -> Annotation {
    Annotation {
        title: TITLE,
        message,
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
