//! How the files of models are reached.

use std::sync::Arc;

use super::app_cache::AppCache;
use super::hub::settings::HubSettings;
use super::observer::Observer;

/// How models are reached.
#[derive(Clone)]
pub struct SourceOptions {
    /// `--offline`; the environment can ask for the same in [`HubSettings::offline`].
    pub offline: bool,
    pub hub: HubSettings,
    /// Where files made from the model's are kept.
    pub cache: AppCache,
    pub observer: Arc<dyn Observer>,
}
