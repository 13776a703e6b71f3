//! What the world promises.

use std::collections::BTreeSet;

use super::words::{OBJECTS, OTHER, names, vocabulary_slice};
use super::*;

/// The words of a text, without its punctuation.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_lowercase()).filter(|word| !word.is_empty())
}

const SPLITS: [Split; 2] = [Split::Train, Split::HeldOut];

fn documents(kind: Kind, n: u64) -> impl Iterator<Item = (Split, Document)> {
    let corpus = Corpus::new(7);
    SPLITS.into_iter().flat_map(move |split| {
        let corpus = corpus.clone();
        (0..n).map(move |index| (split, corpus.of_kind(kind, split, index)))
    })
}

#[test]
fn only_the_vocabulary_is_written_and_all_of_it() {
    let known: BTreeSet<&str> = vocabulary_slice().iter().copied().collect();
    let (mut seen, mut outside) = (BTreeSet::new(), BTreeSet::new());
    for (kind, _) in MIX {
        for (_, document) in documents(kind, 4000) {
            for word in words(&document.text) {
                match known.get(word) {
                    // A list may hold any word, so it does not show that a word is used.
                    Some(word) if !matches!(kind, Kind::BareRepeat) => _ = seen.insert(*word),
                    Some(_) => {}
                    None => _ = outside.insert(word.to_owned()),
                }
            }
        }
    }
    assert!(outside.is_empty(), "not in the vocabulary: {outside:?}");
    assert!(seen.len() == known.len(), "never written: {:?}", known.difference(&seen).collect::<Vec<_>>());
    assert!((700..=950).contains(&known.len()), "{} forms", known.len());
}

#[test]
fn every_word_has_a_use_besides_the_lists() {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for kind in [Kind::Facts, Kind::Roles, Kind::Senses, Kind::Story] {
        seen.extend(documents(kind, 4000).flat_map(|(_, d)| words(&d.text).map(str::to_owned).collect::<Vec<_>>()));
    }
    seen.extend(words(&repeats::cues()).map(str::to_owned));
    let unused: Vec<_> = vocabulary_slice().iter().filter(|word| !seen.contains(**word)).collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn other_words_stand_in_one_table_only() {
    let all: Vec<&str> = OTHER.iter().flat_map(|line| line.split(' ')).collect();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
}

#[test]
fn documents_depend_on_seed_split_and_index_alone() {
    let corpus = Corpus::new(3);
    let forward: Vec<String> = (0..200).map(|i| corpus.document(Split::Train, i)).collect();
    let backward: Vec<String> = (0..200).rev().map(|i| Corpus::new(3).document(Split::Train, i)).collect();
    assert!(forward.iter().eq(backward.iter().rev()));
    assert_ne!(forward[0], Corpus::new(4).document(Split::Train, 0));
    assert_ne!(forward[0], corpus.document(Split::HeldOut, 0));
}

#[test]
fn texts_are_plain_lower_case_with_single_spaces() {
    for (kind, _) in MIX {
        for (_, document) in documents(kind, 1000) {
            let text = &document.text;
            let plain = |c: char| c.is_ascii_lowercase() || " .,:?!\"".contains(c);
            assert!(text.chars().all(plain), "{text}");
            assert!(!text.contains("  ") && text.trim() == text, "{text:?}");
            assert!((3..=150).contains(&text.split_whitespace().count()), "{text}");
        }
    }
}

#[test]
fn held_out_pairs_are_never_trained_on() {
    for (kind, _) in MIX {
        for (split, document) in documents(kind, 2000) {
            assert!(!document.keys.is_empty());
            for (a, b) in &document.keys {
                assert_eq!(Split::of(a, b), split, "{a} {b}");
            }
        }
    }
}

#[test]
fn a_story_shows_its_key() {
    let people: Vec<&str> = names().collect();
    for (split, document) in documents(Kind::Story, 2000) {
        let (name, object) = document.keys[0];
        assert!(people.contains(&name) && OBJECTS.contains(&object));
        for word in [name, object] {
            assert!(words(&document.text).filter(|w| *w == word).count() >= 2, "{word}: {}", document.text);
        }
        assert_eq!(Split::of(name, object), split);
    }
}

#[test]
fn no_story_says_a_sentence_twice() {
    for (_, document) in documents(Kind::Story, 4000) {
        let mut sentences = BTreeSet::new();
        for sentence in document.text.split_inclusive(['.', '?', '!']).map(str::trim) {
            // What follows quoted speech ("asked tam") is no sentence of its own.
            let tag = sentence.starts_with("\" ");
            assert!(
                tag || words(sentence).count() < 3 || sentences.insert(sentence),
                "{sentence} in {}",
                document.text
            );
        }
    }
}

#[test]
fn no_template_leaves_article_or_slot_wrong() {
    for kind in [Kind::Facts, Kind::Roles, Kind::Senses, Kind::Story] {
        for (_, document) in documents(kind, 2000) {
            let all: Vec<&str> = document.text.split_whitespace().collect();
            for pair in all.windows(2) {
                let vowel = pair[1].starts_with(['a', 'e', 'i', 'o', 'u']) && pair[1] != "one";
                assert!(pair[0] != "a" || !vowel, "{pair:?} in {}", document.text);
                assert!(pair[0] != "an" || vowel, "{pair:?} in {}", document.text);
            }
        }
    }
}

#[test]
fn most_lists_come_again() {
    let (mut lists, mut again) = (0, 0);
    for (_, document) in documents(Kind::BareRepeat, 300) {
        let all: Vec<&str> = words(&document.text).collect();
        let (before, last) = all.split_at(all.len() - 2);
        assert!(last.iter().all(|word| before.contains(word)), "{}", document.text);
        // The last third is a piece of what went before, unless a long list stands between two short ones.
        let tail = all.len() * 2 / 3;
        let known = all[tail..].windows(2).filter(|pair| all[..tail].windows(2).any(|w| w == *pair)).count();
        lists += 1;
        again += usize::from(known * 2 >= all.len() - tail - 1);
    }
    assert!(again * 10 >= lists * 9, "{again} of {lists}");
}

#[test]
fn probes_lie_in_the_vocabulary() {
    let known = |word: &str| vocabulary_slice().binary_search(&word).is_ok();
    let analogies = probes::analogies();
    assert_eq!(analogies.len(), 24);
    assert!(analogies.iter().all(|row| [row.a, row.b, row.c, row.d].into_iter().all(known)), "{analogies:?}");
    for class in probes::word_classes().iter().filter(|class| class.name != "punctuation") {
        assert!(class.words.iter().all(|word| known(word)), "{class:?}");
    }
    let mut classed: Vec<_> = probes::word_classes().into_iter().flat_map(|class| class.words).collect();
    classed.sort_unstable();
    assert!(classed.windows(2).all(|pair| pair[0] != pair[1]), "{classed:?}");
    let facts = probes::facts();
    assert!(facts.iter().all(|fact| known(fact.answer) && words(&fact.prompt).all(known)));
    let prompts: BTreeSet<&str> = facts.iter().map(|fact| fact.prompt.as_str()).collect();
    assert_eq!(prompts.len(), facts.len());
    assert!(probes::STORY_OPENINGS.iter().all(|opening| words(opening).all(known)));
}

#[test]
fn sense_sentences_are_new_and_hold_their_word_once() {
    let mut written: String = documents(Kind::Senses, 3000).map(|(_, document)| document.text + "\n").collect();
    written.extend(documents(Kind::Story, 3000).map(|(_, document)| document.text + "\n"));
    let entries = probes::ambiguous_words();
    assert!(entries.len() >= 6);
    for entry in entries {
        for sentence in entry.senses.iter().flat_map(|sense| &sense.sentences) {
            assert_eq!(words(sentence).filter(|word| *word == entry.word).count(), 1, "{sentence}");
            let strange: Vec<_> =
                words(sentence).filter(|word| vocabulary_slice().binary_search(word).is_err()).collect();
            assert!(strange.is_empty(), "{strange:?} in {sentence}");
            assert!(!written.contains(*sentence), "{sentence}");
        }
    }
}

#[test]
fn instructions_keep_to_the_vocabulary_and_to_their_split() {
    let draw = |split| (0..2000).map(move |index| instructions::pair(5, split, index));
    let train: BTreeSet<String> = draw(Split::Train).map(|pair| pair.instruction).collect();
    for pair in SPLITS.into_iter().flat_map(draw) {
        let text = format!("{} {}", pair.instruction, pair.response);
        assert!(words(&text).all(|word| vocabulary_slice().binary_search(&word).is_ok()), "{text}");
        assert!(!text.contains(['{', '[', '\n']), "{text}");
    }
    assert!(draw(Split::HeldOut).all(|pair| !train.contains(&pair.instruction)));
    assert_eq!(instructions::pair(5, Split::Train, 9), instructions::pair(5, Split::Train, 9));
}
