//! The mail as plain text, at most 78 characters wide but for links and names that are longer.

use super::servers::Environment;
use super::view::View;
use super::words::NO_BREAK;

/// RFC 5322 asks for at most 78 characters a line.
const WIDTH: usize = 78;

/// The whole text.
pub(super) fn of(view: &View) -> String {
    let mut text = Lines::default();
    text.say(0, &view.status);
    text.say(0, &format!("{}.", view.title));
    text.say(0, &view.meaning);
    text.blank();
    for line in &view.lines {
        text.say(0, &format!("{} {}: {}", line.mark, line.name, line.words));
    }
    if !view.links.is_empty() {
        text.blank();
    }
    for link in &view.links {
        text.whole(&format!("{}: {}", link.words, link.to));
    }
    problems(&mut text, view);
    if !view.remarks.is_empty() {
        text.heading("PLEASE NOTE");
        view.remarks.iter().for_each(|remark| text.item(0, "* ", remark));
    }
    view.environments.iter().for_each(|environment| servers(&mut text, environment));
    if let Some(off) = &view.off {
        text.blank();
        text.say(0, off);
    }
    if let Some(next) = &view.next {
        text.blank();
        text.say(0, &format!("{}:", next.why));
        if let Some(command) = &next.command {
            text.whole(&format!("  {command}"));
        }
        if !next.call.is_empty() {
            if next.command.is_some() {
                text.say(0, "The same without a clone of the project:");
            }
            text.whole(&format!("  {}", next.call.join(" \\\n    ")));
        }
    }
    text.blank();
    text.say(0, &view.run);
    // Two hyphens and a blank: what follows is a signature (RFC 3676).
    text.whole("-- ");
    text.say(0, &format!("Sent by ec2-start-stop: {}.", view.place.join(", ")));
    text.0
}

fn problems(text: &mut Lines, view: &View) {
    if view.problems.is_empty() {
        return;
    }
    text.heading(&view.heading.to_uppercase());
    for entry in &view.problems {
        let list = if entry.list.is_empty() { String::new() } else { format!(" ({})", entry.list) };
        text.item(0, "* ", &format!("{}{list}", entry.names));
        text.say(2, &entry.message);
        text.say(2, &format!("See {} in docs/troubleshooting.md.", entry.code));
        let links = entry.explanation.iter().chain(&entry.link);
        links.for_each(|link| text.whole(&format!("  {link}")));
    }
}

fn servers(text: &mut Lines, environment: &Environment) {
    if environment.rows.is_empty() && environment.folds.is_empty() {
        return;
    }
    text.heading(&format!("{}{}", environment.name.to_uppercase(), environment.place));
    for row in &environment.rows {
        let mark = if row.bad { "!" } else { " " };
        text.whole(format!("{mark} {:<16} {:<19}  {}", row.name, row.id, row.states).trim_end());
        text.say(4, &row.note);
    }
    for fold in &environment.folds {
        text.item(2, "", &format!("{}: {}", fold.what, fold.names.join(", ")));
    }
}

/// Lines, one after another.
#[derive(Default)]
pub(super) struct Lines(pub(super) String);

impl Lines {
    /// A line as it is.
    pub(super) fn whole(&mut self, line: &str) {
        self.0 += &line.replace(NO_BREAK, " ");
        self.0.push('\n');
    }

    pub(super) fn blank(&mut self) {
        self.whole("");
    }

    pub(super) fn heading(&mut self, heading: &str) {
        self.blank();
        self.whole(heading);
    }

    /// A paragraph, wrapped and indented.
    pub(super) fn say(&mut self, indent: usize, paragraph: &str) {
        for line in wrapped(paragraph, WIDTH - indent) {
            self.whole(&format!("{}{line}", " ".repeat(indent)));
        }
    }

    /// A paragraph whose first line has a mark, and whose other lines stand two characters further in.
    pub(super) fn item(&mut self, indent: usize, mark: &str, paragraph: &str) {
        for (number, line) in wrapped(paragraph, WIDTH - indent - 2).iter().enumerate() {
            let start = if number == 0 { format!("{mark}{line}") } else { format!("  {line}") };
            self.whole(&format!("{}{start}", " ".repeat(indent)));
        }
    }
}

/// The words of a text in lines of at most `width` characters; a longer word stands alone. A no-break space is none
/// between words.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(|c: char| c.is_whitespace() && c != NO_BREAK).filter(|word| !word.is_empty()) {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_never_parts_from_its_unit() {
        assert_eq!(wrapped("it took 15\u{a0}min.", 10), ["it took", "15\u{a0}min."]);
    }

    #[test]
    fn a_word_that_is_too_long_stands_alone_and_whole() {
        assert_eq!(
            wrapped("see InsufficientInstanceCapacity now", 10),
            ["see", "InsufficientInstanceCapacity", "now"]
        );
    }
}
