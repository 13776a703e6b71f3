//! The report as a page: laid out once, written twice (for a terminal and as Markdown), and put in its place in a file.

use super::limits::{INDUCTION, PREVIOUS_TOKEN};
use super::{Check, Heads, Placed, Report, World};
use crate::insight::heads::{HeadKind, label};

/// A part of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// A heading.
    Heading(String),
    /// A paragraph.
    Text(String),
    /// A table: its header, then its rows. Every row is as long as the header.
    Table(Vec<String>, Vec<Vec<String>>),
    /// Text that somebody else wrote, kept as it is.
    Quote(String),
}

impl Report {
    /// The page, from what matters most to the details.
    pub fn page(&self) -> Vec<Block> {
        let about = &self.model;
        let active = match about.n_active_params {
            all if all == about.n_params => String::new(),
            active => format!(" ({} of them active)", grouped(active)),
        };
        let text = format!(
            "{} has {} parameters{active}: {} layers of {} heads, a residual stream of {} and a vocabulary of {}. Measured \
             on {}, seed {}.",
            about.name,
            grouped(about.n_params),
            about.n_layers,
            about.n_heads,
            about.d_model,
            about.d_vocab,
            about.device,
            self.options.seed
        );
        let mut page = vec![Block::Text(text), checks(&self.checks())];
        page.extend(heads(&self.heads, self.options.prompts));
        page.extend(self.world.as_ref().map(world).unwrap_or_default());
        page
    }
}

fn checks(checks: &[Check]) -> Block {
    let row = |check: &Check| {
        let verdict = match check.passed {
            Some(true) => "kept",
            Some(false) => "missed",
            None => "",
        };
        vec![check.figure.clone(), check.value.clone(), check.limit.clone(), verdict.into()]
    };
    table(["Figure", "Measured", "Limit", ""], checks.iter().map(row).collect())
}

fn heads(heads: &Heads, prompts: usize) -> Vec<Block> {
    let text = format!(
        "Mean attention over {prompts} prompts of {} random tokens written twice, drawn from {} words.",
        heads.copy_length, heads.n_allowed
    );
    let row = |kind: &super::KindScores| {
        let best: Vec<String> =
            kind.map.ranked().iter().take(4).map(|(head, score)| format!("{} {score:.2}", label(*head))).collect();
        let from = match kind.kind {
            HeadKind::PreviousToken => PREVIOUS_TOKEN,
            _ => INDUCTION,
        };
        let n = format!("{} (≥ {from})", kind.map.count(from));
        vec![kind.kind.name().into(), kind.kind.formula().into(), best.join(", "), n]
    };
    let scores = table(["Head", "Score", "Best", "How many"], heads.kinds.iter().map(row).collect());
    let loss = |what: String, loss: &crate::insight::heads::RepeatLoss| {
        vec![what, format!("{:.2}", loss.first), format!("{:.2}", loss.later)]
    };
    let mut losses = vec![loss("as it is".into(), &heads.repeats.plain)];
    losses.extend(
        heads.repeats.without.iter().map(|a| loss(format!("without {} ({})", label(a.head), a.kind.name()), &a.loss)),
    );
    vec![
        Block::Heading("Heads".into()),
        Block::Text(text),
        scores,
        table(["Loss, nats per token", "First copy", "Second copy"], losses),
    ]
}

fn world(world: &World) -> Vec<Block> {
    let mut page = held_out(world);
    page.extend(analogies(world));
    page.extend(senses(world));
    page.extend(facts(world));
    page.extend(experts(world));
    page.push(Block::Heading("Samples".into()));
    page.push(Block::Text(
        "Written with the default sampler from ten openings (in brackets), one draw of each, none left out or changed."
            .into(),
    ));
    for sample in &world.samples {
        page.push(Block::Quote(format!("[{}] {}", sample.opening, sample.text)));
    }
    page
}

fn held_out(world: &World) -> Vec<Block> {
    let h = &world.held_out;
    let text = format!(
        "On {} tokens of text that training never showed (documents alone, without the runs of random tokens that training \
         mixes in), in windows of {}. The trigram model (interpolated Kneser–Ney with \
         three discounts) counted {} tokens of training text and found {} different n-grams; it sees the same windows. \
         Token by token the model's loss is lower by {:.3} ± {:.3}.",
        grouped(h.n_tokens as u64),
        h.window,
        grouped(h.counted),
        grouped(h.n_grams as u64),
        -h.difference.nats,
        h.difference.error
    );
    let row = |name: &str, loss: &super::Loss| {
        vec![name.into(), format!("{:.3} ± {:.3}", loss.nats, loss.error), format!("{:.2}", loss.perplexity)]
    };
    let mut rows = vec![row("model", &h.model), row("trigram", &h.trigram)];
    rows.extend(
        h.beside
            .iter()
            .map(|b| row(&format!("{} ({} active parameters)", b.name, grouped(b.n_active_params)), &b.loss)),
    );
    vec![Block::Heading("Held-out loss".into()), Block::Text(text), table(["", "Nats per token", "Perplexity"], rows)]
}

fn analogies(world: &World) -> Vec<Block> {
    let nearest = |list: &[(String, f32)]| {
        list.iter().map(|(word, cosine)| format!("{word} {cosine:.2}")).collect::<Vec<_>>().join(", ")
    };
    let placed = |name: &str, placed: &Option<Placed>| {
        placed.as_ref().map(|p| {
            let rank = |rank: usize, list| format!("{rank}: {}", nearest(list));
            vec![
                name.to_owned(),
                format!("{:.2}", p.cosine),
                rank(p.rank, &p.nearest),
                rank(p.rank_among_all, &p.nearest_of_all),
            ]
        })
    };
    let king = &world.king_queen;
    let header = ["Cosine", "With queen", "Rank, inputs left out", "Rank among all"];
    let king_rows = [placed("centred", &king.centred), placed("as stored", &king.raw)].into_iter().flatten().collect();
    let mut relations: Vec<&str> = world.analogies.iter().map(|a| a.relation.as_str()).collect();
    relations.dedup();
    let row = |relation: &&str| {
        let own: Vec<_> = world.analogies.iter().filter(|a| a.relation == *relation).collect();
        let missed: Vec<String> = own.iter().filter(|a| !a.passed()).map(|a| miss(a)).collect();
        let raw = own.iter().filter(|a| a.raw.as_ref().is_some_and(|p| p.rank == 1)).count();
        let right = own.len() - missed.len();
        vec![(*relation).into(), format!("{right} of {}", own.len()), raw.to_string(), missed.join("; ")]
    };
    let rows = relations.iter().map(row).collect();
    vec![
        Block::Heading("Words as vectors".into()),
        Block::Text(
            "king − man + woman, under the cosine after subtracting the table's mean and of the vectors as stored:"
                .into(),
        ),
        table(header, king_rows),
        Block::Text("Analogies whose answer is nearest, inputs left out:".into()),
        table(["Relation", "Right", "As stored", "Missed (rank, nearest)"], rows),
    ]
}

fn miss(a: &super::AnalogyReport) -> String {
    let [_, b, _, d] = &a.words;
    let what = format!("{b} − {} + {} = {d}", a.words[0], a.words[2]);
    match &a.centred {
        Some(p) => format!("{what} ({}, {})", p.rank, p.nearest.first().map_or("", |(word, _)| word)),
        None => format!("{what} (not one token)"),
    }
}

fn senses(world: &World) -> Vec<Block> {
    let row = |s: &super::SenseReport| {
        let [a, b] = &s.senses;
        let mut row = vec![s.word.clone(), format!("{a} ({}), {b} ({})", s.n_sentences[0], s.n_sentences[1])];
        match s.widest.map(|layer| (layer, s.layers[layer])) {
            Some((layer, at)) => row.extend([
                if layer == 0 { "embedding".into() } else { format!("after layer {}", layer - 1) },
                format!("{:.2} / {:.2}", at.within, at.across),
                format!("{:.2}", at.gap),
                format!("{:.0} %", 100.0 * at.sorted),
                format!("{:.2} %{}", 100.0 * at.chance, if s.separates() { ", separate" } else { "" }),
            ]),
            None => row.extend(["", "", "", "too few occurrences", ""].map(String::from)),
        }
        row
    };
    vec![
        Block::Heading("Senses".into()),
        Block::Text(
            "Cosines of the residual stream at the word, minus their mean, where the gap between pairs of one sense and \
             pairs of two is widest; the share of sentences that lie closer to their own sense; and how often senses dealt \
             out at random give a gap as wide in that layer (1 % or less: the senses separate)."
                .into(),
        ),
        table(
            ["Word", "Senses (sentences)", "Widest gap", "Within / across", "Gap", "On their own side", "By chance"],
            world.senses.iter().map(row).collect(),
        ),
    ]
}

/// Wrong answers that a page lists.
const WRONG: usize = 12;

fn facts(world: &World) -> Vec<Block> {
    let (right, of) = (world.facts.iter().filter(|f| f.right()).count(), world.facts.len());
    let mean = world.facts.iter().map(|f| f.probability).sum::<f64>() / of.max(1) as f64;
    let more = (of - right).saturating_sub(WRONG);
    let listed = if more > 0 { format!(" The first {WRONG} that are wrong:") } else { String::new() };
    let text =
        format!("Greedy continuation gives {right} of {of} answers, whose mean probability is {mean:.2}.{listed}");
    let wrong = world.facts.iter().filter(|f| !f.right());
    let rows: Vec<Vec<String>> = wrong
        .take(WRONG)
        .map(|f| vec![f.prompt.clone(), f.answer.clone(), f.said.trim().into(), format!("{:.2}", f.probability)])
        .collect();
    let mut page = vec![Block::Heading("Facts".into()), Block::Text(text)];
    if !rows.is_empty() {
        page.push(table(["Prompt", "Answer", "Said", "Probability of the answer"], rows));
    }
    page
}

fn experts(world: &World) -> Vec<Block> {
    let Some(layers) = &world.experts else { return Vec::new() };
    let row = |l: &super::ExpertLayer| {
        let load: Vec<String> = l.routing.load.iter().map(|load| format!("{load:.2}")).collect();
        let i = l.routing.information;
        vec![
            l.layer.to_string(),
            load.join(" "),
            format!("{:.2}", l.routing.least_load()),
            format!("{:.3}", i.measured),
            format!("{:.3} / {:.3}", i.shuffled_tokens, i.shuffled_words),
            format!("{:.3}", i.limit),
        ]
    };
    let leaning = |l: &super::Leaning| {
        vec![
            l.class.clone(),
            l.layer.to_string(),
            l.expert.to_string(),
            format!("{:.0} %", 100.0 * l.share),
            format!("{:.1}", l.lean),
        ]
    };
    vec![
        Block::Heading("Experts".into()),
        Block::Text(
            "Load of each expert over its fair share, and what a word's class tells of its expert, in nats:".into(),
        ),
        table(
            ["Layer", "Load", "Least", "Information", "Shuffled tokens / words", "Limit"],
            layers.iter().map(row).collect(),
        ),
        Block::Text("Classes of words that lean clearly to an expert:".into()),
        table(
            ["Class", "Layer", "Expert", "Share", "Over the fair share"],
            world.leanings().iter().map(leaning).collect(),
        ),
    ]
}

fn table<const N: usize>(header: [&str; N], rows: Vec<Vec<String>>) -> Block {
    Block::Table(header.map(String::from).to_vec(), rows)
}

fn grouped(n: u64) -> String {
    crate::engine::loader::grouped(n)
}
