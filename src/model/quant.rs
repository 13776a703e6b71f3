//! Decoding of quantised blocks.
