//! Counts, times and names in words. A number never parts from its unit: a no-break space holds them together.

/// Keeps a number and its unit on one line.
pub(super) const NO_BREAK: char = '\u{a0}';

/// `1 server`, `20 servers`
pub(super) fn servers(count: usize) -> String {
    if count == 1 { "1 server".to_owned() } else { format!("{count} servers") }
}

/// `is` or `are`
pub(super) fn are(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

/// `was` or `were`
pub(super) fn were(count: usize) -> &'static str {
    if count == 1 { "was" } else { "were" }
}

/// `58 s`, `15 min`, `2 min 22 s`, `1 h 5 min`
pub(super) fn duration(seconds: u64) -> String {
    let units = [(seconds / 3600, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let parts: Vec<String> = units
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .take(2)
        .map(|(n, unit)| format!("{n}{NO_BREAK}{unit}"))
        .collect();
    if parts.is_empty() { format!("0{NO_BREAK}s") } else { parts.join("\u{a0}") }
}

/// `dev`, `dev and test`, `dev, test and preprod`
pub(super) fn joined(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// With a capital letter first.
pub(super) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// A name that may run from right to left is kept from turning the text around it (Unicode isolates).
pub(super) fn isolated(name: &str) -> String {
    if name.chars().any(turns_text) { format!("\u{2068}{name}\u{2069}") } else { name.to_owned() }
}

/// Letters written from right to left, and the characters that direct text. Some terminals show an isolate as a box, so
/// other names have none. (Unicode's DerivedBidiClass.txt: R, AL and the explicit directions.)
fn turns_text(letter: char) -> bool {
    matches!(letter,
        '\u{590}'..='\u{8ff}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_told_in_at_most_two_units() {
        let plain = |seconds| duration(seconds).replace(NO_BREAK, " ");
        assert_eq!(
            [0, 58, 900, 142, 3600, 3900, 86_399].map(plain),
            ["0 s", "58 s", "15 min", "2 min 22 s", "1 h", "1 h 5 min", "23 h 59 min"]
        );
    }

    #[test]
    fn only_a_name_that_may_turn_the_text_around_it_is_isolated() {
        for plain in ["web-1", "größe", "数据库", "📦 parcels"] {
            assert_eq!(isolated(plain), plain);
        }
        for turning in ["שרת", "خادم", "a\u{202e}b"] {
            assert_eq!(isolated(turning), format!("\u{2068}{turning}\u{2069}"));
        }
    }

    #[test]
    fn names_are_joined_as_one_says_them() {
        assert_eq!(
            [joined(&["a"]), joined(&["a", "b"]), joined(&["a", "b", "c"])],
            ["a", "a and b", "a, b and c"]
        );
    }
}
