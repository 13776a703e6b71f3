//! `glassbox trace MODEL -p PROMPT --out trace.safetensors`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::PathBuf;

use clap::Args;
use safetensors::{Dtype, View, serialize_to_file};

use super::{DeviceArguments, open};
use crate::engine::{ModelSource, Request};
use crate::model::{Capture, HookPoint, Interventions, LogitsWanted};

/// Records a run's tensors in a safetensors file, under their hook names.
#[derive(Debug, Args)]
pub struct TraceCommand {
    /// The weight file or folder, or the id of a built-in model.
    #[arg(value_name = "MODEL")]
    file: ModelSource,
    /// The prompt.
    #[arg(short, long)]
    prompt: String,
    /// Where to write.
    #[arg(long)]
    out: PathBuf,
    /// Only hook points whose name contains this text; may be given several times.
    #[arg(long)]
    hook: Vec<String>,
    /// List the hook points of the model and write nothing.
    #[arg(long)]
    list: bool,
}

impl TraceCommand {
    /// Runs the prompt once and writes what was recorded, the token ids under `tokens`, and the logits of every position.
    pub fn run(&self, device: &DeviceArguments) -> Result<(), String> {
        let mut opened = open(&self.file, device)?;
        let points = HookPoint::all(opened.engine.config());
        if self.list {
            points.iter().for_each(|point| println!("{point}"));
            return Ok(());
        }
        let wanted =
            |p: &HookPoint| self.hook.is_empty() || self.hook.iter().any(|h| p.to_string().contains(h.as_str()));
        let capture: Capture = points.into_iter().filter(wanted).collect();
        if capture.is_empty() {
            return Err("No hook point has such a name: try --list.".into());
        }
        let tokens = opened.tokenizer.encode_prompt(&self.prompt).map_err(|e| e.to_string())?;
        let interventions = Interventions::none();
        let request =
            Request { tokens: &tokens, capture: &capture, interventions: &interventions, logits: LogitsWanted::All };
        let trace = opened.run(request)?.trace;

        let ids: Vec<u8> = tokens.iter().flat_map(|id| i64::from(*id).to_le_bytes()).collect();
        let tensors = trace.tensors.iter().map(|(point, t)| {
            let bytes = t.data.iter().flat_map(|x| x.to_le_bytes()).collect();
            (point.to_string(), Tensor { dtype: Dtype::F32, shape: t.shape.clone(), bytes })
        });
        let all =
            tensors.chain([("tokens".to_owned(), Tensor { dtype: Dtype::I64, shape: vec![tokens.len()], bytes: ids })]);
        let axes = trace.tensors.keys().map(|p| (format!("axes.{p}"), format!("{:?}", p.site.axes())));
        let about = [
            ("model".to_owned(), self.file.to_string()),
            ("prompt".to_owned(), self.prompt.clone()),
            ("device".to_owned(), opened.engine.device().name),
            ("arithmetic".to_owned(), opened.engine.device().arithmetic),
        ];
        let metadata: HashMap<String, String> = about.into_iter().chain(axes).collect();
        serialize_to_file(all, Some(metadata), &self.out)
            .map_err(|e| format!("“{}” could not be written ({e}): choose another place.", self.out.display()))?;
        println!("{} tensors of {} tokens in {}", trace.tensors.len(), tokens.len(), self.out.display());
        Ok(())
    }
}

/// A tensor on its way to the file.
struct Tensor {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl View for Tensor {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}
