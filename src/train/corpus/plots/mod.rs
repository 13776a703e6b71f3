//! The plots of the stories: templates in which everything mentioned early is needed again later.
//!
//! Each plot names its protagonist (`{n}`) and turns on its key object (`{obj}`); colours, friends, places and
//! animals come back, so that a model has to look for them in the text instead of guessing.

mod animals;
mod journeys;
mod royal;
mod things;
mod village;

use super::words::OBJECTS;

/// What happens in a story.
pub(super) struct Plot {
    /// The key objects that it can be about.
    pub(super) objects: &'static [&'static str],
    /// Its template.
    pub(super) text: &'static str,
}

/// A plot that may be about anything.
const fn any(text: &'static str) -> Plot {
    Plot { objects: &OBJECTS, text }
}

/// A plot in which some objects would make no sense.
const fn with(objects: &'static [&'static str], text: &'static str) -> Plot {
    Plot { objects, text }
}

/// All plots.
pub(super) fn all() -> Vec<&'static Plot> {
    [things::PLOTS, animals::PLOTS, journeys::PLOTS, royal::PLOTS, village::PLOTS].into_iter().flatten().collect()
}
