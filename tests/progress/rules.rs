//! What follows from a log.

use std::collections::BTreeSet;

use glassbox::progress::{
    Act, ActKind, Badge, ConceptState, Course, CourseLesson, Credit, Day, Error, Level, Logged, Moment, Prerequisites,
    Profile, ProfileId, Record, Season, Streak, Today, award, leaderboard,
};

use crate::{at, folder, open, plain, recorded};

fn answer(record: &mut Record, act: &Act, now: Moment) -> u32 {
    let graded = record.grade(act, now);
    record.take(&Logged::Answered { act: act.clone(), attempt: graded.attempt, xp: graded.xp }, now);
    graded.xp
}

fn question(item: &str, right: bool) -> Act {
    Act::question("attention", item, &["softmax"], Credit::whole(right))
}

#[test]
fn a_list_of_acts_computed_by_hand() {
    let mut record = Record::default();
    let mut earn = |act: &Act, days| answer(&mut record, act, at(days, 0));
    assert_eq!(earn(&question("a", false), 0), 0, "wrong earns nothing");
    assert_eq!(earn(&question("a", true), 0), 5, "the second try half");
    assert_eq!(earn(&question("a", true), 0), 2, "the third a quarter of 10, rounded down");
    assert_eq!(earn(&question("b", true), 0), 15, "the first try half as much again");
    let hinted = Act { hints: 2, ..question("c", true) };
    assert_eq!(earn(&hinted, 0), 9, "two hints take two fifths of 15");
    let worked = Act { hints: 7, ..question("d", true) };
    assert_eq!(earn(&worked, 0), 6, "no number of hints takes all");
    let part = Act { credit: Credit { got: 2, of: 3 }, ..question("e", true) };
    assert_eq!(earn(&part, 0), 6, "two thirds of 10, rounded down, and no bonus");
    let task = Act { kind: ActKind::Task, ..question("f", true) };
    assert_eq!(earn(&task, 0), 30, "a task is worth 20");
    let sure = Act { kind: ActKind::Prediction, confidence: Some(80), ..question("g", true) };
    assert_eq!(earn(&sure, 0), 9, "10 (1 - 0.2²) = 9.6");
    let wrong = Act { credit: Credit::WRONG, ..sure };
    assert_eq!(earn(&Act { item: "h".into(), ..wrong }, 0), 3, "10 (1 - 0.8²) = 3.6");
    let after_a_year = earn(&question("a", true), 365);
    assert_eq!(after_a_year, 15, "a due review is worth a first try");
    assert_eq!(record.xp(), 5 + 2 + 15 + 9 + 6 + 6 + 30 + 9 + 3 + 15);
    assert_eq!(record.level(), Level { number: 2, from: 100, to: 300 });
    assert_eq!(record.item("attention", "a").unwrap().tries, 4);
}

#[test]
fn the_log_and_all_that_follows_are_what_a_plain_computation_gives() {
    for seed in 1..=3 {
        let acts = recorded(seed, 250);
        let (_folder, path) = folder();
        let mut store = open(&path, at(0, 0));
        let profile = store.add_profile("Ada").unwrap();
        for (i, (act, now)) in acts.iter().enumerate() {
            let graded = store.answer(profile.id, act, *now).unwrap();
            let before = acts[..i].iter().filter(|(a, _)| (&a.lesson, &a.item) == (&act.lesson, &act.item)).count();
            assert_eq!((graded.xp, graded.attempt as usize), (plain::xp(&acts, i), before + 1), "seed {seed}, act {i}");
            let new = |c: &&String| plain::is_mastered(&acts[..=i], c) && !plain::is_mastered(&acts[..i], c);
            let mastered: Vec<String> = act.concepts.iter().filter(new).cloned().collect();
            assert_eq!(graded.mastered, mastered, "seed {seed}, act {i}");
        }
        let live = store.record(profile.id).unwrap().clone();
        drop(store);

        let mut store = open(&path, at(300, 0));
        let record = store.record(profile.id).unwrap().clone();
        assert_eq!(record, live, "seed {seed}: read back it is the same");
        assert_eq!(record.xp(), (0..acts.len()).map(|i| u64::from(plain::xp(&acts, i))).sum::<u64>(), "seed {seed}");
        for concept in ["softmax", "many-heads", "causal-mask", "position"] {
            let practice = record.practice(concept).unwrap();
            let (memory, expected) = (practice.memory.unwrap(), plain::memory(&acts, concept).unwrap());
            assert_eq!(practice.is_mastered(), plain::is_mastered(&acts, concept), "seed {seed}, {concept}");
            assert_eq!(memory.due, expected.due, "seed {seed}, {concept}");
            // The crate writes some powers as exponentials of logarithms: a few units of the last digit per act.
            let apart = (memory.stability / expected.stability - 1.0).abs();
            assert!(apart < 1e-4, "seed {seed}, {concept}: {} and {}", memory.stability, expected.stability);
        }
        let (brier, expected) = (record.calibration().brier().unwrap(), plain::brier(&acts).unwrap());
        assert!((brier - expected).abs() < 1e-12, "seed {seed}: {brier} and {expected}");
        let days: BTreeSet<Day> = acts.iter().map(|(_, now)| now.day()).collect();
        assert_eq!(*record.active_days(), days, "seed {seed}");

        let logged: Vec<(Act, Moment)> = store
            .statements(None)
            .unwrap()
            .iter()
            .map(|statement| match statement.read().unwrap() {
                Logged::Answered { act, .. } => (act, statement.timestamp),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(logged, acts, "seed {seed}: the log holds every act, whole and in order");
    }
}

#[test]
fn mastery_takes_two_right_answers_to_different_prompts() {
    let mut record = Record::default();
    let mut now_mastered = |act: Act| {
        answer(&mut record, &act, at(0, 0));
        record.practice("softmax").is_some_and(|p| p.is_mastered())
    };
    let variant = |n, right| Act { variant: Some(n), ..question("v", right) };
    let guess = Act { kind: ActKind::Prediction, confidence: Some(50), ..question("p", true) };
    assert!(!now_mastered(guess), "a prediction does not count");
    assert!(!now_mastered(question("a", true)));
    assert!(!now_mastered(question("a", true)), "the same prompt twice is memory");
    assert!(now_mastered(variant(1, true)));
    assert!(!now_mastered(variant(2, false)), "a wrong answer takes it away");
    assert!(!now_mastered(variant(1, true)), "what was right before it does not count");
    assert!(now_mastered(variant(3, true)), "another variant is another prompt");
    assert!(record.badges().contains_key(&Badge::FirstConcept) && record.badges().contains_key(&Badge::BackAgain));
}

#[test]
fn prerequisites_have_an_order_and_no_circles() {
    let map = Prerequisites::new([("heads", vec!["softmax", "qkv"]), ("softmax", vec!["dot"]), ("qkv", vec!["dot"])]);
    let map = map.unwrap();
    assert_eq!(map.concepts().collect::<Vec<_>>(), ["dot", "qkv", "softmax", "heads"]);
    let circle = Prerequisites::new([("start", vec!["a"]), ("a", vec!["b"]), ("b", vec!["c"]), ("c", vec!["a"])]);
    let error = circle.unwrap_err();
    assert!(matches!(&error, Error::Circle { concept } if ["a", "b", "c"].contains(&concept.as_str())), "{error}");

    let mut record = Record::default();
    for item in ["x", "y"] {
        answer(&mut record, &Act::question("l", item, &["dot"], Credit::RIGHT), at(0, 0));
    }
    answer(&mut record, &Act::question("l", "z", &["qkv"], Credit::WRONG), at(0, 0));
    let state = |record: &Record, days| map.map(record, at(days, 0).day()).iter().map(|s| s.state).collect::<Vec<_>>();
    use ConceptState::{Due, Later, Mastered, Practising, Ready, Slipped};
    assert_eq!(state(&record, 0), [Mastered, Practising, Ready, Later]);
    assert_eq!(state(&record, 365), [Due, Practising, Ready, Later]);
    assert_eq!(map.map(&record, at(0, 0).day())[3].missing, ["qkv", "softmax"]);
    answer(&mut record, &Act::question("l", "x", &["dot"], Credit::WRONG), at(1, 0));
    assert_eq!(state(&record, 1), [Slipped, Practising, Later, Later]);
}

#[test]
fn levels_begin_where_their_formula_says() {
    let begins: Vec<u64> = (1..=6_u64).map(|n| 50 * n * (n - 1)).collect();
    assert_eq!(begins, [0, 100, 300, 600, 1000, 1500]);
    for (i, xp) in begins.iter().enumerate().skip(1) {
        assert_eq!((Level::of(xp - 1).number, Level::of(*xp).number), (i as u32, i as u32 + 1));
        assert_eq!((Level::of(*xp - 1).to, Level::of(*xp).from), (*xp, *xp));
    }
    assert!(Level::of(u64::MAX).number > 1000, "a number that nobody earns is no panic");
}

#[test]
fn the_honest_confidence_earns_the_most() {
    let act = |right| Act { kind: ActKind::Prediction, ..question("p", right) };
    let expected = |truth: f64, said| {
        let earned = |right| f64::from(award(&Act { confidence: Some(said), ..act(right) }, 0));
        truth * earned(true) + (1.0 - truth) * earned(false)
    };
    for truth in [0.0, 0.25, 0.5, 0.7, 1.0] {
        let honest = expected(truth, (truth * 100.0) as u8);
        let best = (0..=100).map(|said| expected(truth, said)).fold(0.0, f64::max);
        // Rounding down to whole XP shifts either sum by less than one.
        assert!(honest > best - 1.0, "{truth}: {honest} of {best}");
    }
    assert!(expected(0.9, 90) > expected(0.9, 10) + 5.0);
}

#[test]
fn calibration_is_binned_and_followed_over_days() {
    let mut record = Record::default();
    for (said, right, day) in [(90, true, 0), (95, false, 0), (100, true, 2), (0, false, 2), (50, true, 2)] {
        answer(&mut record, &Act { confidence: Some(said), ..question(&format!("q{said}"), right) }, at(day, 0));
    }
    let calibration = record.calibration();
    let sum = 0.01 + 0.9025 + 0.0 + 0.0 + 0.25;
    assert!((calibration.brier().unwrap() - sum / 5.0).abs() < 1e-12);
    let days: Vec<(u32, f64, f64)> = calibration.by_day().iter().map(|d| (d.n, d.brier, d.so_far)).collect();
    let expected = [(2, 0.9125 / 2.0, 0.9125 / 2.0), (3, 0.25 / 3.0, sum / 5.0)];
    for (got, want) in days.iter().zip(&expected) {
        assert!(
            got.0 == want.0 && (got.1 - want.1).abs() < 1e-12 && (got.2 - want.2).abs() < 1e-12,
            "{got:?} {want:?}"
        );
    }
    assert_eq!(days.len(), expected.len());
    let bins: Vec<(u8, u32, f64)> = calibration.bins().iter().map(|b| (b.from, b.n, b.right)).collect();
    assert_eq!(bins, [(0, 1, 0.0), (50, 1, 1.0), (90, 3, 2.0 / 3.0)]);
}

#[test]
fn freezes_bridge_missed_days() {
    let streak = |days: &[i32], today| {
        let s = Streak::of(&days.iter().map(|d| Day(*d)).collect(), Day(today));
        (s.days, s.longest, s.freezes, s.today)
    };
    assert_eq!(streak(&[], 9), (0, 0, 2, false));
    assert_eq!(streak(&[1, 2, 3], 3), (3, 3, 2, true));
    assert_eq!(streak(&[1, 2, 3], 4), (3, 3, 2, false), "today is not missed yet");
    assert_eq!(streak(&[1, 2, 4], 4), (3, 3, 1, true));
    assert_eq!(streak(&[1, 2, 5], 5), (3, 3, 0, true));
    assert_eq!(streak(&[1, 2, 6], 6), (1, 2, 2, true), "three missed days are too many for two freezes");
    assert_eq!(streak(&[1, 2], 6), (0, 2, 2, false));
    assert_eq!(streak(&[1, 3, 4, 5, 6, 7, 8], 8), (7, 7, 2, true), "the seventh day gives a freeze back");
}

#[test]
fn the_leaderboard_shows_only_neighbours_who_want_it() {
    let player = |id: i64, xp: u32| {
        let alias = format!("player {id}");
        let profile =
            Profile { id: ProfileId(id), account: String::new(), alias, with_streak: false, on_leaderboard: id != 3 };
        let mut record = Record::default();
        let act = question("a", true);
        record.take(&Logged::Answered { act: act.clone(), attempt: 1, xp: 500 }, at(-20, 0));
        record.take(&Logged::Answered { act, attempt: 1, xp }, at(1, 0));
        (profile, record)
    };
    let all: Vec<_> = [(1, 10), (2, 40), (3, 1000), (4, 20), (5, 20), (6, 70)].map(|(id, xp)| player(id, xp)).into();
    // The first of March 2026 is a Sunday; the day after begins a season.
    let today = at(1, 0).day();
    assert_eq!((Season::of(today).monday(), Season::of(at(0, 0).day()) < Season::of(today)), (today, true));
    let board = leaderboard(&all, &all[0].0, today).unwrap();
    let lines: Vec<_> = board.lines.iter().map(|l| (l.place, l.alias.as_str(), l.xp, l.own)).collect();
    assert_eq!(lines, [(3, "player 4", 20, false), (3, "player 5", 20, false), (5, "player 1", 10, true)]);
    assert_eq!((board.players, board.best), (5, Some((Season::of(at(-20, 0).day()), 500))));
    assert_eq!(leaderboard(&all, &all[2].0, today), None, "who did not ask sees none");
    let next_week = leaderboard(&all, &all[0].0, at(8, 0).day()).unwrap();
    assert!(next_week.lines.iter().all(|line| line.xp == 0), "Monday begins anew");
}

#[test]
fn today_names_the_reviews_and_the_lesson_to_go_on_with() {
    let lesson = |id: &str, items: &[&str], concept: &str| CourseLesson {
        id: id.into(),
        title: id.into(),
        items: items.iter().map(|i| (*i).into()).collect(),
        concepts: vec![concept.into()],
    };
    let course = Course { lessons: vec![lesson("one", &["a", "b"], "softmax"), lesson("two", &["c"], "position")] };
    let mut record = Record::default();
    let next = |record: &Record, days| Today::of(&course, record, at(days, 0).day());
    assert_eq!(next(&record, 0).next.unwrap().lesson, "one");
    record.take(&Logged::Reached { lesson: "two".into(), place: 7 }, at(0, 0));
    assert_eq!((record.xp(), record.active_days().len()), (0, 0), "reading earns nothing");
    let go_on = next(&record, 0).next.unwrap();
    assert_eq!((go_on.lesson.as_str(), go_on.place), ("two", Some(7)), "the lesson that was open last");
    answer(&mut record, &Act::question("two", "c", &["position"], Credit::RIGHT), at(0, 0));
    answer(&mut record, &Act::question("one", "a", &["softmax", "not-taught"], Credit::WRONG), at(0, 0));
    answer(&mut record, &Act::question("one", "a", &["softmax"], Credit::RIGHT), at(0, 0));
    let go_on = next(&record, 0).next.unwrap();
    assert_eq!((go_on.lesson.as_str(), go_on.state.done, go_on.state.of), ("one", 1, 2));
    assert_eq!(next(&record, 0).reviews.len(), 0);
    let due: Vec<String> = next(&record, 60).reviews.into_iter().map(|(concept, _)| concept).collect();
    assert_eq!(due, ["softmax", "position"], "the weaker one first, and none that the course does not teach");
    answer(&mut record, &Act::question("one", "b", &["softmax"], Credit::RIGHT), at(0, 0));
    assert_eq!(next(&record, 0).next, None);
}

#[test]
fn moments_are_written_and_read_to_the_millisecond() {
    for (ms, offset) in
        [(0, 0), (1_772_352_000_123, 3600), (1_772_352_000_999, -34_200), (-1, 0), (i64::MAX, 99_999_999)]
    {
        let moment = Moment::new(ms, offset);
        assert_eq!(moment.to_string().parse(), Ok(moment), "{moment}");
    }
    assert_eq!(Moment::new(1_772_352_000_123, 3600).to_string(), "2026-03-01T09:00:00.123+01:00");
    assert_eq!(at(0, 0).for_file_name(), "2026-03-01-090000");
    // Half past eleven at night in Greenwich is the next day one hour to the east.
    let night = 1_772_352_000_000 + (15 * 60 + 30) * 60_000;
    assert_eq!(Moment::new(night, 3600).day(), Moment::new(night, 0).day().plus(1));
    assert_eq!(Moment::new(night, 3600).day().to_string(), "2026-03-02");
    for text in ["", "yesterday", "2026-03-01", "99999-01-01T00:00:00Z"] {
        assert!(text.parse::<Moment>().is_err(), "{text}");
    }
}

#[test]
fn a_clock_set_back_does_no_harm() {
    let mut record = Record::default();
    answer(&mut record, &question("a", true), at(100, 0));
    let before = record.practice("softmax").unwrap().memory.unwrap();
    answer(&mut record, &question("b", true), at(0, 0));
    let after = record.practice("softmax").unwrap().memory.unwrap();
    assert!(after.due >= before.due && after.last == before.last, "{before:?} {after:?}");
}
