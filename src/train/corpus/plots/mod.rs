//! The plots of the stories: templates in which everything mentioned early is needed again later.
//!
//! Each plot names its protagonist (`{n}`) and turns on its key object (`{obj}`); colours, friends, places and
//! animals come back, so that a model has to look for them in the text instead of guessing.

mod animals;
mod journeys;
mod royal;
mod things;
mod village;

/// All plots.
pub(super) fn all() -> impl Iterator<Item = &'static str> + Clone {
    [things::PLOTS, animals::PLOTS, journeys::PLOTS, royal::PLOTS, village::PLOTS].into_iter().flatten().copied()
}
