//! A text in one line, within a limit, and harmless in a chat. Pure.

/// One line of at most so many characters.
pub(super) fn shortened(text: &str, characters: usize) -> String {
    let line = text.split(|c: char| c.is_control() || c.is_whitespace());
    let line = line.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if line.chars().count() <= characters {
        return line;
    }
    let start: String = line.chars().take(characters - 1).collect();
    format!("{}…", start.trim_end())
}

/// A server's name must not call everybody in the channel: Slack's and Teams's mentions and links need these.
pub(super) fn plain(text: &str) -> String {
    text.replace('<', "‹").replace('>', "›").replace('&', "+")
}
