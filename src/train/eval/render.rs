//! Writing a page: for a terminal, as Markdown, and into its place in a file.

use super::page::Block;

/// The page in columns.
pub fn terminal(page: &[Block]) -> String {
    let block = |block: &Block| match block {
        Block::Heading(text) => format!("\n{text}\n{}\n", "─".repeat(text.chars().count())),
        Block::Text(text) => format!("{text}\n"),
        Block::Table(header, rows) => columns(header, rows),
        Block::Quote(text) => text.lines().map(|line| format!("  │ {line}\n")).collect(),
    };
    page.iter().map(block).collect::<Vec<_>>().join("\n")
}

/// The page as Markdown, its headings at `level`.
pub fn markdown(page: &[Block], level: usize) -> String {
    let cell = |text: &String| text.replace('|', "\\|").replace('\n', " ");
    let row = |cells: &[String]| format!("| {} |\n", cells.iter().map(cell).collect::<Vec<_>>().join(" | "));
    let block = |block: &Block| match block {
        Block::Heading(text) => format!("{} {text}\n", "#".repeat(level)),
        Block::Text(text) => format!("{text}\n"),
        Block::Table(header, rows) => {
            let rule = format!("|{}\n", " --- |".repeat(header.len()));
            let rows: String = rows.iter().map(|cells| row(cells)).collect();
            row(header) + &rule + &rows
        }
        Block::Quote(text) => {
            let fence = fence(text);
            format!("{fence}text\n{text}\n{fence}\n")
        }
    };
    page.iter().map(block).collect::<Vec<_>>().join("\n")
}

/// A text with the section between `<!-- eval:ID -->` and `<!-- /eval:ID -->` replaced, or added at the end where there is
/// none yet. An error, as a sentence, where the markers do not pair.
pub fn replace_section(text: &str, id: &str, body: &str) -> Result<String, String> {
    let (begin, end) = (format!("<!-- eval:{id} -->"), format!("<!-- /eval:{id} -->"));
    let section = format!("{begin}\n{}\n{end}", body.trim());
    let places = |marker: &str| text.match_indices(marker).map(|(at, _)| at).collect::<Vec<usize>>();
    match (places(&begin).as_slice(), places(&end).as_slice()) {
        ([], []) if text.trim().is_empty() => Ok(section + "\n"),
        ([], []) => Ok(format!("{}\n\n{section}\n", text.trim_end())),
        ([from], [to]) if from < to => Ok(format!("{}{section}{}", &text[..*from], &text[to + end.len()..])),
        _ => Err(format!("The markers of the section “{id}” do not pair: keep one {begin} and one {end} after it.")),
    }
}

/// A fence longer than any in the text.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

fn columns(header: &[String], rows: &[Vec<String>]) -> String {
    let all = || std::iter::once(header).chain(rows.iter().map(Vec::as_slice));
    let width = |i: usize| all().filter_map(|row| row.get(i)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |row: &[String]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    let rule: String = widths.iter().map(|width| "─".repeat(*width)).collect::<Vec<_>>().join("  ") + "\n";
    let mut lines = all().map(line);
    lines.next().unwrap_or_default() + &rule + &lines.collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_replaced_in_place() {
        let text = "a\n\n<!-- eval:x -->\nold\n<!-- /eval:x -->\n\nb\n";
        let new = "a\n\n<!-- eval:x -->\nnew\n<!-- /eval:x -->\n\nb\n";
        assert_eq!(replace_section(text, "x", "\nnew\n"), Ok(new.into()));
        assert_eq!(replace_section(new, "x", "new"), Ok(new.into()), "twice is once");
        let two = replace_section(text, "y", "other").unwrap();
        assert_eq!(two, text.to_owned() + "\n<!-- eval:y -->\nother\n<!-- /eval:y -->\n");
        assert_eq!(replace_section("", "x", "new"), Ok("<!-- eval:x -->\nnew\n<!-- /eval:x -->\n".into()));
        assert!(replace_section("<!-- eval:x -->", "x", "new").is_err());
        assert!(replace_section("<!-- /eval:x --> <!-- eval:x -->", "x", "new").is_err());
    }

    #[test]
    fn both_writers_show_everything() {
        let page = [
            Block::Heading("One".into()),
            Block::Text("Two.".into()),
            Block::Table(vec!["é".into(), "b".into()], vec![vec!["x|y".into(), "12".into()]]),
            Block::Quote("a\n\n```".into()),
        ];
        assert_eq!(terminal(&page), "\nOne\n───\n\nTwo.\n\né    b\n───  ──\nx|y  12\n\n  │ a\n  │ \n  │ ```\n");
        assert_eq!(
            markdown(&page, 3),
            "### One\n\nTwo.\n\n| é | b |\n| --- | --- |\n| x\\|y | 12 |\n\n````text\na\n\n```\n````\n"
        );
    }
}
