//! The models in the program: that each works on every path, whatever its weights, and how a lab finds, remembers and
//! replaces them. Nothing here depends on what a model has learned.

mod support;

use std::path::{Path, PathBuf};

use glassbox::builtin::{BUILTIN, BuiltIn, FILES, ModelFolders, default_model, find};
use glassbox::engine::{DeviceChoice, open_engine, open_source, open_tokenizer};
use glassbox::engine::{ModelSource, loader};
use glassbox::lab::{Begin, Command, Lab, LabOptions, NoticeLevel};
use glassbox::model::sampler::SamplerConfig;
use glassbox::model::tweak::Tweak;
use glassbox::model::{Cancel, Capture, DeviceKind, HookPoint, LogitsWanted, Site};
use support::{assert_close, data, run};

const PLAIN_PROMPT: &str = "The engine reads";

fn source(model: &BuiltIn) -> ModelSource {
    ModelSource::BuiltIn(model.id.to_owned())
}

fn options(begin: Begin) -> LabOptions {
    LabOptions { begin, device: DeviceChoice::Cpu, exact: true, prompt: PLAIN_PROMPT.into(), ..LabOptions::default() }
}

fn rested(options: LabOptions) -> Lab {
    let mut lab = Lab::new(options, || {});
    lab.wait_until_idle();
    lab
}

/// What the lab told, apart from passing notes.
fn told(lab: &Lab) -> Vec<(NoticeLevel, String)> {
    let notices = lab.snapshot().notices.iter().filter(|notice| notice.level != NoticeLevel::Info);
    notices.map(|notice| (notice.level, notice.text.clone())).collect()
}

fn open_id(lab: &Lab) -> Option<String> {
    lab.snapshot().model.as_ref()?.source.built_in().map(str::to_owned)
}

/// The model's folder in the repository.
fn folder(model: &BuiltIn) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(model.id)
}

/// A directory of models that holds a copy of one, with one file changed; `None` removes it.
fn stand_in(model: &BuiltIn, name: &str, content: Option<&[u8]>) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join(model.id);
    std::fs::create_dir(&copy).unwrap();
    for file in FILES {
        let own = (file != name).then(|| model.file(file).unwrap());
        if let Some(bytes) = own.or(content) {
            std::fs::write(copy.join(file), bytes).unwrap();
        }
    }
    directory
}

fn folders(directory: &tempfile::TempDir) -> ModelFolders {
    ModelFolders::of(Some(directory.path().into()), None)
}

#[test]
fn the_copy_in_the_program_is_the_folder() {
    for model in &BUILTIN {
        let mut embedded = loader::open_built_in(model).unwrap();
        let mut on_disk = loader::open(&folder(model)).unwrap();
        assert_eq!(embedded.report.origin, format!("built in: {}", model.id));
        assert_eq!(on_disk.report.origin, folder(model).display().to_string());
        assert_eq!(embedded.config, on_disk.config);
        assert_eq!(embedded.report.about.as_ref(), Some(model.about()));
        assert_eq!(on_disk.report.about.as_ref(), Some(model.about()));
        assert_eq!(embedded.report.n_params, model.about().params, "{}: model.toml counts its parameters", model.id);
        assert_eq!(embedded.report.warnings, Vec::<String>::new());
        for spec in embedded.config.tensors() {
            let (a, b) = (embedded.tensor(&spec).unwrap(), on_disk.tensor(&spec).unwrap());
            assert_eq!((a.encoding, &a.shape, &a.bytes[..]), (b.encoding, &b.shape, &b.bytes[..]), "{}", spec.id);
        }
        let text = &model.about().prompt;
        let tokens = |checkpoint| open_tokenizer(checkpoint).unwrap().encode_prompt(text).unwrap();
        assert_eq!(tokens(&mut embedded), tokens(&mut on_disk));
    }
}

#[test]
fn the_report_tells_how_each_was_made() {
    for model in &BUILTIN {
        let report = loader::open_built_in(model).unwrap().report;
        let text = report.to_string();
        for part in
            ["built in: ", "How it was made", model.about().command.as_str(), model.about().description.as_str()]
        {
            assert!(text.contains(part), "{part:?} is missing:\n{text}");
        }
    }
}

#[test]
fn each_computes_alike_on_the_cpu_and_the_gpu() {
    for model in &BUILTIN {
        let (checkpoint, tokenizer) = open_source(&source(model), &ModelFolders::none()).unwrap();
        let config = &checkpoint.config;
        let capture = Capture::none().with_site(Site::Pattern, config).with_site(Site::ResidPost, config);
        let tokens = tokenizer.encode_prompt(&model.about().prompt).unwrap();
        let on = |choice: &DeviceChoice| {
            let opened = open_engine(&checkpoint, choice, true, &Cancel::new(), &|_| {}).unwrap();
            assert_eq!(opened.fallback, None, "a graphics adapter is needed: install mesa-vulkan-drivers");
            assert_eq!(opened.not_numbers, None);
            let mut engine = opened.engine;
            run(engine.as_mut(), &tokens, &capture, LogitsWanted::All)
        };
        let (cpu, gpu) = (on(&DeviceChoice::Cpu), on(&DeviceChoice::Gpu("gpu".into())));
        close(&format!("{} logits", model.id), &gpu.logits, &cpu.logits);
        for point in capture.points() {
            let (gpu, cpu) = (gpu.trace.get(point).unwrap(), cpu.trace.get(point).unwrap());
            close(&format!("{} {point}", model.id), &gpu.data, &cpu.data);
        }
        let n = tokens.len();
        for layer in 0..config.n_layers {
            let pattern = cpu.trace.get(HookPoint::layer(layer, Site::Pattern)).unwrap();
            assert_eq!(pattern.shape, [config.n_heads, n, n]);
            for row in pattern.data.chunks(n) {
                let sum: f32 = row.iter().sum();
                assert!((sum - 1.0).abs() < 1e-5, "{}: a row of layer {layer} sums to {sum}", model.id);
            }
        }
    }
}

/// Both are f32 and only the order of sums differs, which loses digits of the largest terms: the tolerance grows with the
/// tensor's typical value.
fn close(what: &str, got: &[f32], want: &[f32]) {
    let rms = (want.iter().map(|x| x * x).sum::<f32>() / want.len().max(1) as f32).sqrt();
    assert_close(what, got, want, 1e-4 * rms.max(0.1), 1e-4);
}

#[test]
fn a_small_model_runs_on_the_cpu_unless_a_device_is_chosen() {
    let (checkpoint, _) = open_source(&ModelSource::default_model(), &ModelFolders::none()).unwrap();
    let opened = open_engine(&checkpoint, &DeviceChoice::Auto, true, &Cancel::new(), &|_| {}).unwrap();
    assert_eq!((opened.engine.device().kind, opened.fallback), (DeviceKind::Cpu, None));
}

#[test]
fn the_first_start_opens_the_default_model() {
    let lab = rested(options(Begin::Again));
    let s = lab.snapshot();
    let (card, about) = (s.model.as_ref().expect("a model"), default_model().about());
    assert_eq!((open_id(&lab).as_deref(), card.id()), (Some(default_model().id), Some(default_model().id)));
    assert_eq!((&card.name, &s.prompt), (&about.title, &about.prompt));
    let run = s.clean.as_ref().expect("its prompt was run");
    assert!(run.tokens.len() == s.chips.len() && run.tokens.len() > 1 && !s.stale);
    assert_eq!((told(&lab), run.id), (vec![], 1), "one run, and nothing to say");
    assert!(s.recent.is_empty(), "only files are recent");
    assert_eq!(s.last, Some(ModelSource::default_model()));
    assert!(!s.devices.is_empty(), "the devices are looked for afterwards");
}

#[test]
fn the_prompt_is_there_before_the_model() {
    let lab = Lab::new(options(Begin::Again), || {});
    assert_eq!(lab.snapshot().prompt, default_model().about().prompt);
}

#[test]
fn what_is_typed_while_the_model_opens_is_run() {
    let mut lab = Lab::new(options(Begin::Again), || {});
    lab.apply(Command::SetPrompt("once there was".into()));
    lab.wait_until_idle();
    let s = lab.snapshot();
    assert_eq!(s.prompt, "once there was");
    assert!(s.clean.as_ref().is_some_and(|run| run.tokens.len() == s.chips.len()) && !s.stale);
    // A model that cannot be opened leaves no run behind, and the next one gets its own.
    let mut lab = rested(options(Begin::With(ModelSource::File("nowhere.gguf".into()))));
    assert!(lab.snapshot().clean.is_none() && !lab.snapshot().stale && lab.snapshot().activity.is_none());
    lab.apply(Command::OpenModel(ModelSource::default_model()));
    lab.apply(Command::SetTweaks(vec![Tweak::Unscaled]));
    lab.wait_until_idle();
    let s = lab.snapshot();
    assert!(s.clean.is_some() && s.tweaked.is_none() && s.tweaks.is_empty(), "changes belong to an open model");
}

#[test]
fn each_opens_by_its_id_and_writes() {
    for model in &BUILTIN {
        let mut lab = rested(options(Begin::With(source(model))));
        assert_eq!(open_id(&lab).as_deref(), Some(model.id));
        lab.apply(Command::SetSampler(SamplerConfig { temperature: 0.0, ..SamplerConfig::default() }));
        lab.apply(Command::Generate(8));
        lab.wait_until_idle();
        let s = lab.snapshot();
        let generation = s.generation.as_ref().expect("a text");
        let n = generation.draws.len();
        assert!(!generation.running && (1..=8).contains(&n), "{} drew {n} tokens", model.id);
        assert_eq!(s.chips.len(), s.n_prompt + n);
        assert!(s.clean.is_some() && told(&lab).is_empty(), "{:?}", told(&lab));
    }
}

#[test]
fn text_outside_its_world_is_shown_as_the_tokens_that_it_is() {
    let mut lab = rested(options(Begin::Again));
    for prompt in ["When Mary and John", "東京 🙂", "THE 42nd"] {
        lab.apply(Command::SetPrompt(prompt.into()));
        lab.wait_until_idle();
        let s = lab.snapshot();
        assert_eq!(s.clean.as_ref().expect("a run").tokens.len(), s.chips.len());
        assert!(s.dropped.is_empty(), "{prompt:?} loses {:?}: each byte has a token", s.dropped);
    }
}

#[test]
fn a_model_brings_its_prompt_unless_the_student_has_one() {
    let file = ModelSource::File(data("conformance/llama/Q8_0.gguf"));
    let mut lab = rested(options(Begin::With(file.clone())));
    let open = |lab: &mut Lab, source: &ModelSource| {
        lab.apply(Command::OpenModel(source.clone()));
        lab.wait_until_idle();
        lab.snapshot().prompt.clone()
    };
    assert_eq!(lab.snapshot().prompt, PLAIN_PROMPT);
    for model in &BUILTIN {
        assert_eq!(open(&mut lab, &source(model)), model.about().prompt);
    }
    assert_eq!(open(&mut lab, &file), PLAIN_PROMPT);
    lab.apply(Command::SetPrompt("my own text".into()));
    assert_eq!(open(&mut lab, &source(&BUILTIN[0])), "my own text");
    lab.apply(Command::SetPrompt(String::new()));
    assert_eq!(open(&mut lab, &source(&BUILTIN[1])), "", "an emptied prompt stays empty");
}

#[test]
fn what_was_open_last_time_opens_again() {
    let file = data("conformance/llama/Q8_0.gguf");
    for last in [ModelSource::File(file.clone()), source(&BUILTIN[2])] {
        let lab = rested(LabOptions { last: Some(last.clone()), ..options(Begin::Again) });
        let s = lab.snapshot();
        assert_eq!(s.model.as_ref().map(|card| &card.source), Some(&last));
        assert_eq!((s.last.as_ref(), told(&lab)), (Some(&last), vec![]));
    }
    // A file that is named at the start comes before what is remembered.
    let named = ModelSource::File(file);
    let last = Some(source(&BUILTIN[2]));
    let lab = rested(LabOptions { last, ..options(Begin::With(named.clone())) });
    assert_eq!(lab.snapshot().model.as_ref().map(|card| &card.source), Some(&named));
}

#[test]
fn a_remembered_model_that_is_gone_gives_way_to_the_default_one() {
    let directory = tempfile::tempdir().unwrap();
    let damaged = directory.path().join("damaged.gguf");
    std::fs::write(&damaged, "this is no model").unwrap();
    let sources = [
        (ModelSource::File(directory.path().join("gone.gguf")), "“gone.gguf”, which was open last time, is not there"),
        (ModelSource::File(damaged), "“damaged.gguf” is neither"),
        (ModelSource::BuiltIn("story-of-old".into()), "no built-in model “story-of-old”"),
    ];
    for (last, says) in sources {
        let recent = last.built_in().is_none().then(|| PathBuf::from(last.to_string()));
        let recent: Vec<_> = recent.into_iter().collect();
        let lab = rested(LabOptions { last: Some(last), recent: recent.clone(), ..options(Begin::Again) });
        assert_eq!(open_id(&lab).as_deref(), Some(default_model().id));
        assert!(lab.snapshot().clean.is_some());
        let told = told(&lab);
        let [(NoticeLevel::Warning, sentence)] = told.as_slice() else { panic!("one sentence: {told:?}") };
        assert!(sentence.contains(says) && sentence.contains(&default_model().about().title), "{sentence}");
        assert_eq!(lab.snapshot().recent, recent, "it may come back");
    }
    // What the student asks for now is not replaced by something else.
    let mut lab = rested(options(Begin::With(ModelSource::File(directory.path().join("gone.gguf")))));
    assert!(lab.snapshot().model.is_none() && told(&lab)[0].0 == NoticeLevel::Error);
    lab.apply(Command::OpenModel(ModelSource::BuiltIn("story".into())));
    lab.wait_until_idle();
    let told = told(&lab);
    let [(_, sentence)] = told.as_slice() else { panic!("the last try alone: {told:?}") };
    assert!(sentence.contains("story-dense"), "{sentence}");
}

#[test]
fn a_folder_stands_in_for_the_copy_in_the_program() {
    let (model, other) = (&BUILTIN[0], &BUILTIN[2]);
    // The weights, the config and the words of another model, under the first one's name.
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join(model.id);
    std::fs::create_dir(&copy).unwrap();
    for file in FILES {
        std::fs::write(copy.join(file), other.file(file).unwrap()).unwrap();
    }
    let (checkpoint, _) = open_source(&source(model), &folders(&directory)).unwrap();
    assert_eq!(checkpoint.report.origin, copy.display().to_string());
    assert_eq!(checkpoint.report.n_params, other.about().params);

    let lab = rested(LabOptions { folders: folders(&directory), ..options(Begin::Again) });
    let card = lab.snapshot().model.clone().unwrap();
    assert_eq!((open_id(&lab).as_deref(), card.id()), (Some(model.id), Some(model.id)));
    assert_eq!((&card.name, &lab.snapshot().prompt), (&other.about().title, &other.about().prompt));
    assert_eq!(told(&lab), []);
    // The others are still those of the program.
    let (checkpoint, _) = open_source(&source(other), &folders(&directory)).unwrap();
    assert_eq!(checkpoint.report.origin, format!("built in: {}", other.id));
}

#[test]
fn a_damaged_folder_is_told_and_passed_over() {
    let model = default_model();
    let weights = model.file("model.safetensors").unwrap();
    let damages: [(&str, Option<&[u8]>, &str); 6] = [
        ("config.json", Some(b"{"), "“config.json” is not valid JSON"),
        ("config.json", None, "has no config.json"),
        ("model.safetensors", Some(&weights[..weights.len() / 2]), "“model.safetensors” does not hold as many bytes"),
        ("model.safetensors", None, "no weights"),
        ("tokenizer.json", Some(b"[]"), "tokenizer.json"),
        ("tokenizer.json", None, "has no tokenizer.json"),
    ];
    for (file, content, says) in damages {
        let directory = stand_in(model, file, content);
        let (checkpoint, _) = open_source(&source(model), &folders(&directory)).unwrap();
        assert_eq!(checkpoint.report.origin, format!("built in: {}", model.id));
        let lab = rested(LabOptions { folders: folders(&directory), ..options(Begin::Again) });
        assert_eq!(open_id(&lab).as_deref(), Some(model.id));
        assert!(lab.snapshot().clean.is_some());
        let told = told(&lab);
        let [(NoticeLevel::Warning, sentence)] = told.as_slice() else { panic!("one sentence: {told:?}") };
        let place = directory.path().join(model.id).display().to_string();
        assert!(sentence.contains(says) && sentence.contains(&place), "{sentence}");
    }
}

#[test]
fn a_folder_without_a_word_about_itself_opens_under_its_own_name() {
    let model = default_model();
    for (content, warns) in [(None, false), (Some(b"colour = 1".as_slice()), true)] {
        let directory = stand_in(model, "model.toml", content);
        let lab = rested(LabOptions { folders: folders(&directory), ..options(Begin::Again) });
        let card = lab.snapshot().model.clone().unwrap();
        assert_eq!((card.about.as_ref(), card.id()), (None, Some(model.id)));
        let warnings =
            card.warnings.iter().filter(|w| w.contains("“model.toml” cannot be read (line 1: unknown field"));
        assert_eq!(warnings.count(), usize::from(warns), "{:?}", card.warnings);
        assert_eq!(told(&lab), []);
    }
}

#[test]
fn a_folder_that_is_opened_as_a_file_brings_its_prompts_too() {
    let model = &BUILTIN[1];
    let lab = rested(options(Begin::With(ModelSource::File(folder(model)))));
    let s = lab.snapshot();
    let card = s.model.as_ref().unwrap();
    assert_eq!((card.source.built_in(), card.id()), (None, Some(model.id)), "lessons know it by what it says it is");
    assert_eq!((&s.prompt, &s.recent), (&model.about().prompt, &vec![folder(model)]));
    assert!(find(model.id).is_some());
}
