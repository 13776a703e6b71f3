//! Choosing where to compute.

use std::convert::Infallible;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where to compute.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeviceChoice {
    /// The best there is: a graphics processor, else the CPU. A small model runs on the CPU, which is as fast for it and
    /// is there at once.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// A graphics adapter whose name contains this text, or `gpu` for the best one.
    Gpu(String),
}

impl FromStr for DeviceChoice {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.to_lowercase().as_str() {
            "" | "auto" => Self::Auto,
            "cpu" => Self::Cpu,
            _ => Self::Gpu(text.to_owned()),
        })
    }
}
