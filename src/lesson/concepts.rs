//! The concepts behind the lessons: what each is called, and what it builds on.
//!
//! They stand in one file, `concepts.toml`, because a concept of one lesson builds on those of others. The file is data
//! like the lessons: a table for each concept, its title and its needs. A concept without a table is called by its id and
//! builds on nothing, so that a teacher's own lesson works without one.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::LessonError;

const FILE: &str = "concepts.toml";
const EMBEDDED: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/lessons/concepts.toml"));

/// One concept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Concept {
    /// What it is called on screen.
    pub title: String,
    /// The ids of the concepts that it builds on.
    pub needs: Vec<String>,
}

/// Every concept by its id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Concepts(BTreeMap<String, Concept>);

impl Concepts {
    /// Those of the program.
    pub fn embedded() -> Self {
        // A test reads the file; without it concepts are called by their ids.
        Self::parse(FILE, EMBEDDED).unwrap_or_default()
    }

    /// Those of a file.
    pub fn parse(file: &str, text: &str) -> Result<Self, LessonError> {
        let fail = |line, sentence| Err(LessonError { file: file.into(), line, sentence });
        let read: BTreeMap<String, Concept> = match toml::from_str(text) {
            Ok(read) => read,
            Err(e) => {
                let before = text.bytes().take(e.span().map_or(0, |span| span.start));
                let line = 1 + before.filter(|b| *b == b'\n').count();
                let message = e.message().lines().next().unwrap_or("it is not valid TOML").trim_end_matches('.');
                return fail(Some(line), format!("The concepts cannot be read: {message}."));
            }
        };
        let unknown = |(id, concept): (&String, &Concept)| {
            let missing = concept.needs.iter().find(|need| !read.contains_key(*need))?;
            Some(format!("The concept {id:?} builds on {missing:?}, which has no table here: add one or take it out."))
        };
        match read.iter().find_map(unknown) {
            Some(sentence) => fail(None, sentence),
            None => Ok(Self(read)),
        }
    }

    /// What a concept is called; without a table, its id with spaces.
    pub fn title(&self, id: &str) -> String {
        match self.0.get(id) {
            Some(concept) => concept.title.clone(),
            None => {
                let mut words = id.replace('-', " ");
                if let Some(first) = words.get_mut(..1) {
                    first.make_ascii_uppercase();
                }
                words
            }
        }
    }

    /// What a concept builds on directly.
    pub fn needs(&self, id: &str) -> &[String] {
        self.0.get(id).map_or(&[], |concept| &concept.needs)
    }

    /// Whether it has a table.
    pub fn contains(&self, id: &str) -> bool {
        self.0.contains_key(id)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::lesson::Library;

    #[test]
    fn every_concept_of_the_course_has_a_title_and_none_is_left_over() {
        let concepts = Concepts::parse(FILE, EMBEDDED).unwrap();
        let library = Library::embedded();
        let taught: BTreeSet<&String> = library.lessons.iter().flat_map(|lesson| &lesson.meta.concepts).collect();
        assert_eq!(concepts.0.keys().collect::<BTreeSet<_>>(), taught);
        let titles: BTreeSet<&String> = concepts.0.values().map(|concept| &concept.title).collect();
        assert_eq!(titles.len(), concepts.0.len(), "no two are called the same");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let told = |text: &str| Concepts::parse("concepts.toml", text).unwrap_err().to_string();
        let unknown = told("[a]\ntitle = \"A\"\nneeds = []\ncolour = 1\n");
        assert!(unknown.starts_with("concepts.toml, line ") && unknown.contains("colour"), "{unknown}");
        let missing = told("[a]\ntitle = \"A\"\nneeds = [\"b\"]\n");
        assert!(missing.contains("\"b\"") && missing.contains("add one"), "{missing}");
        assert_eq!(Concepts::default().title("kl-leash"), "Kl leash");
        assert_eq!(Concepts::default().title(""), "");
    }
}
