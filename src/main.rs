//! Glassbox.
fn main() {}
