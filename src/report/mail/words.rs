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
    if name.is_ascii() { name.to_owned() } else { format!("\u{2068}{name}\u{2069}") }
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
    fn names_are_joined_as_one_says_them() {
        assert_eq!(
            [joined(&["a"]), joined(&["a", "b"]), joined(&["a", "b", "c"])],
            ["a", "a and b", "a, b and c"]
        );
    }
}
