//! The promise: an answer that was acknowledged is there, whatever happens to the process.
//!
//! A real process answers as fast as it can and prints a line for each answer that [`Store::answer`] has returned from.
//! It is killed (SIGKILL on Unix) after a random number of lines and a random moment more, 200 times on the same file.
//! Each time the file must open with nothing to say, hold every answer that was acknowledged, and at most one more: the
//! one that was on its way.

use std::io::{BufRead, BufReader, Write};

use glassbox::progress::{Act, Credit, Logged, Store};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::store::child;
use crate::{at, folder, open, with_answers};

const KILLS: usize = 200;
const SEED: u64 = 4;

#[test]
fn no_acknowledged_answer_is_lost_in_200_kills() {
    let (_folder, path) = folder();
    let profile = with_answers(&path, 0);
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let (mut acknowledged, mut on_the_way, mut in_opening) = (Vec::<String>::new(), 0, 0);
    for round in 0..KILLS {
        let mut child = child("kill::answers_until_it_is_killed", &path);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(|line| line.unwrap());
        let mut acks: Vec<String> = Vec::new();
        // In one round of eight the kill comes before the first answer, while the file is being opened.
        let wanted = if random.random_ratio(1, 8) { 0 } else { random.random_range(1..12) };
        let mut started = false;
        while acks.len() < wanted || !started {
            let line =
                lines.next().unwrap_or_else(|| panic!("seed {SEED}, round {round}: the process ended by itself"));
            started |= line.contains("opening");
            acks.extend(line.split_once("answered ").map(|(_, item)| item.to_owned()));
        }
        // Somewhere within the next answers: a spin of unequal length, because a kill just after a line is no random point.
        let spin = random.random_range(0..3_000_000_u32);
        for i in 0..spin {
            std::hint::black_box(i);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What was printed and not yet read was acknowledged too. A line that was cut off was not.
        acks.extend(lines.filter_map(|line| line.strip_suffix('.')?.strip_prefix("answered ").map(String::from)));
        let mut acks: Vec<String> = acks.iter().map(|item| item.trim_end_matches('.').to_owned()).collect();
        in_opening += usize::from(acks.is_empty());

        let mut store = open(&path, at(0, round as i64));
        let logged: Vec<String> = store
            .statements(Some(profile.id))
            .unwrap()
            .iter()
            .map(|statement| match statement.read().unwrap() {
                Logged::Answered { act, .. } => act.item,
                other => panic!("{other:?}"),
            })
            .collect();
        let extra = logged.len().checked_sub(acknowledged.len() + acks.len());
        acknowledged.append(&mut acks);
        assert!(
            extra.is_some_and(|extra| extra <= 1),
            "seed {SEED}, round {round}: {} of {}",
            logged.len(),
            acknowledged.len()
        );
        assert_eq!(logged[..acknowledged.len()], acknowledged, "seed {SEED}, round {round}");
        on_the_way += extra.unwrap_or(0);
        let record = store.record(profile.id).unwrap();
        assert_eq!(record.items().map(|(.., item)| item.tries as usize).sum::<usize>(), logged.len());
        acknowledged = logged;
    }
    println!("{} answers, {on_the_way} on their way, {in_opening} rounds without an answer", acknowledged.len());
    assert!(acknowledged.len() > 2 * KILLS, "too few answers to speak of");
}

#[test]
#[ignore = "the process that no_acknowledged_answer_is_lost_in_200_kills kills"]
fn answers_until_it_is_killed() {
    let path = glassbox::progress::default_path().unwrap();
    let mut out = std::io::stdout();
    let mut say = |text: String| {
        out.write_all(text.as_bytes()).unwrap();
        out.flush().unwrap();
    };
    say("\nopening\n".into());
    let mut store = Store::open(&path, at(0, 0)).unwrap().store;
    let profile = store.profiles().unwrap()[0].id;
    let first = store.statements(None).unwrap().len();
    // It ends by itself only where its parent was killed.
    for n in first..first + 10_000 {
        let item = format!("item-{n}");
        store.answer(profile, &Act::question("attention", &item, &["softmax"], Credit::RIGHT), at(0, 0)).unwrap();
        say(format!("answered {item}.\n"));
    }
}
