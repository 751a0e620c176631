//! Two readings of a model compared: on a text, with the causes of other tokens, and by their steps.

mod cause;
mod compare;
mod probe;
mod regions;
mod steps;

pub use cause::Cause;
pub use compare::{Compared, Divergence, ReadingPair};
pub use steps::differences;
