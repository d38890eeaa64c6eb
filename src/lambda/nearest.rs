//! The known word that somebody probably meant. Pure.

/// Behind the word: ` (did you mean at?)`; nothing if no known word is near. Two slips at most, and fewer than half of
/// the letters.
pub(super) fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let plain = |word: &str| word.to_lowercase().replace(['_', '-', ' '], "");
    let near = known
        .into_iter()
        .map(|known| (slips(&plain(word), &plain(known)), known))
        .filter(|(slips, known)| *slips <= 2 && slips * 2 < known.len())
        .min_by_key(|(slips, _)| *slips);
    near.map_or_else(String::new, |(_, known)| format!(" (did you mean {known}?)"))
}

/// How many letters must be put in, left out or changed to make one word of the other (Levenshtein's distance).
fn slips(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (place, letter) in one.chars().take(100).enumerate() {
        let mut diagonal = place;
        row[0] = place + 1;
        for (at, wanted) in other.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *wanted);
            diagonal = row[at + 1];
            row[at + 1] = changed.min(row[at] + 1).min(row[at + 1] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_told_from_another_word() {
        let known = ["action", "environments", "at"];
        assert_eq!(did_you_mean("enviroments", known), " (did you mean environments?)");
        assert_eq!(did_you_mean("Action", known), " (did you mean action?)");
        for other in ["", "tier", "x".repeat(300).as_str()] {
            assert_eq!(did_you_mean(other, known), "");
        }
    }
}
