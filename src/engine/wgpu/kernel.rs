//! The kernels: their source, their bindings and their variants.
//!
//! Each kernel is one file of WGSL that is valid on its own; `override` constants specialise it when its pipeline is
//! built. This table is what the device compiles, what the tests walk over, and what the app shows beside the measured
//! times.

/// Names a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Kernel {
    Embed,
    MatVec,
    MatVecWide,
    MatMul,
    MatMulTiled,
    RmsNorm,
    LayerNorm,
    Rope,
    Scores,
    Scale,
    Mask,
    Softmax,
    ScaleMaskSoftmax,
    Weigh,
    Attention,
    Add,
    Mul,
    ScaleRows,
    Route,
    ExpertPositions,
    Activate,
    Gated,
    Edit,
    Copy,
}

/// What one kernel is.
#[derive(Debug, Clone, Copy)]
pub struct KernelInfo {
    /// Its name: that of its file.
    pub name: &'static str,
    /// Its WGSL.
    pub source: &'static str,
    /// Storage buffers that it reads. After them comes the one that it writes; binding 0 holds the parameters.
    pub n_inputs: usize,
    /// Its `override` constants besides the workgroup size `WG`, and every value that is in use.
    pub overrides: &'static [(&'static str, &'static [f64])],
}

const FORMATS: (&str, &[f64]) = ("FORMAT", &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]);
const HAS_BIAS: (&str, &[f64]) = ("HAS_BIAS", &[0.0, 1.0]);
const EXPERT: (&str, &[f64]) = ("EXPERT", &[0.0, 1.0]);
const FUNCTION: (&str, &[f64]) = ("FUNCTION", &[0.0, 1.0, 2.0, 3.0]);

macro_rules! kernels {
    ($($kernel:ident = $name:literal, $n_inputs:literal, $overrides:expr;)*) => {
        impl Kernel {
            /// Every kernel.
            pub const ALL: &[Self] = &[$(Self::$kernel),*];

            /// Its row of the table.
            pub fn info(self) -> KernelInfo {
                match self {
                    $(Self::$kernel => KernelInfo {
                        name: $name,
                        source: include_str!(concat!("kernels/", $name, ".wgsl")),
                        n_inputs: $n_inputs,
                        overrides: $overrides,
                    },)*
                }
            }
        }
    };
}

kernels! {
    Embed = "embed", 2, &[FORMATS];
    MatVec = "matvec", 3, &[FORMATS, HAS_BIAS, EXPERT];
    MatVecWide = "matvec_wide", 3, &[FORMATS, HAS_BIAS, EXPERT];
    MatMul = "matmul", 3, &[FORMATS, HAS_BIAS, EXPERT];
    MatMulTiled = "matmul_tiled", 3, &[FORMATS, HAS_BIAS, EXPERT];
    RmsNorm = "rms_norm", 2, &[];
    LayerNorm = "layer_norm", 3, &[HAS_BIAS];
    Rope = "rope", 3, &[];
    Scores = "scores", 2, &[];
    Scale = "scale", 1, &[];
    Mask = "mask", 1, &[];
    Softmax = "softmax", 1, &[];
    ScaleMaskSoftmax = "scale_mask_softmax", 1, &[];
    Weigh = "weigh", 2, &[];
    Attention = "attention", 3, &[("D_HEAD", &[1.0, 8.0, 64.0, 128.0, 256.0])];
    Add = "add", 2, &[];
    Mul = "mul", 2, &[];
    ScaleRows = "scale_rows", 2, &[("ADD", &[0.0, 1.0])];
    Route = "route", 1, &[("NORMALISE", &[0.0, 1.0])];
    ExpertPositions = "expert_positions", 1, &[];
    Activate = "activate", 1, &[FUNCTION];
    Gated = "gated", 2, &[FUNCTION];
    Edit = "edit", 2, &[("KIND", &[0.0, 1.0, 2.0])];
    Copy = "copy", 1, &[];
}
