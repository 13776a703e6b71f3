//! Glassbox: a learning lab that shows how language models compute meaning and generate text.

pub mod builtin;
pub mod cli;
pub mod engine;
pub mod insight;
pub mod lab;
pub mod lesson;
pub mod model;
pub mod progress;
pub mod train;
pub mod ui;
