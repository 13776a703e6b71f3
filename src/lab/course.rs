//! The lessons as the record knows them.
//!
//! The record's room takes lessons, items and concepts for plain ids. This file makes them from the lessons, in one place
//! for the window and the command line, so that both count the same.

use crate::lesson::{Concepts, Lesson, Library};
use crate::progress::{Course, CourseLesson, Prerequisites};

/// What the lessons are made of.
pub fn course(library: &Library) -> Course {
    let lesson = |lesson: &Lesson| CourseLesson {
        id: lesson.meta.id.clone(),
        title: lesson.meta.title.clone(),
        items: lesson.items().map(str::to_owned).collect(),
        concepts: lesson.meta.concepts.clone(),
    };
    Course { lessons: library.lessons.iter().map(lesson).collect() }
}

/// Which concept of the lessons builds on which. A file that leads in a circle gives a map without any needs.
pub fn prerequisites(library: &Library, concepts: &Concepts) -> Prerequisites {
    let taught = || library.lessons.iter().flat_map(|lesson| &lesson.meta.concepts);
    let needs = |id: &String| concepts.needs(id).iter().map(String::as_str).collect();
    let with_needs = Prerequisites::new(taught().map(|id| (id.as_str(), needs(id))));
    let without = || Prerequisites::new(taught().map(|id| (id.as_str(), Vec::new())));
    with_needs.or_else(|_| without()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_of_the_course_has_every_concept_once_and_no_circle() {
        let (library, concepts) = (Library::embedded(), Concepts::embedded());
        let map = prerequisites(&library, &concepts);
        let order: Vec<&str> = map.concepts().collect();
        for (i, concept) in order.iter().enumerate() {
            let needs: Vec<&str> = map.of(concept).collect();
            assert_eq!(needs.len(), concepts.needs(concept).len(), "{concept}: a circle would leave none");
            assert!(needs.iter().all(|need| order[..i].contains(need)), "{concept} comes after {needs:?}");
        }
        let taught: usize = library.lessons.iter().map(|lesson| lesson.meta.concepts.len()).sum();
        assert_eq!(order.len(), taught);
    }
}
