//! Settings for opening models.

use std::sync::Arc;

use super::app_cache::AppCache;
use super::hub::settings::HubSettings;
use super::observer::Observer;

/// Settings for opening models.
#[derive(Clone)]
pub struct SourceOptions {
    /// The flag `--offline`. The environment can set [`HubSettings::offline`] to the same effect.
    pub offline: bool,
    pub hub: HubSettings,
    /// The cache of compiled vocabularies, ranges, and check marks.
    pub cache: AppCache,
    pub observer: Arc<dyn Observer>,
}
