//! Glassbox.
