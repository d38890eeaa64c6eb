//! Which servers a list selects: its Name tags and its tags, each by itself.
//!
//! Owns what a name may be. EC2 is asked for them literally.

use std::collections::BTreeMap;

use toml::Spanned;

use super::keys::{self, LONGEST_SERVER};
use super::mistake::{Given, Mistakes};
use super::table::{Table, typed};

pub(super) fn servers(list: &Table<'_>, mistakes: &mut Mistakes<'_>) -> Given<Vec<Spanned<String>>> {
    let Some(found) = list.get(&keys::SERVERS) else { return Given::Absent };
    let Some(items) = found.get_ref().as_array() else {
        mistakes.unexpected(&keys::SERVERS, &found.span());
        return Given::Bad;
    };
    let mut names = Vec::new();
    for item in items {
        let at = item.span();
        match typed::<String>(item) {
            None => {
                let found = mistakes.source(&at);
                mistakes
                    .note(&at, format!("servers has {found}: write a Name tag in quotes, as in \"web1\""));
            }
            Some(name) => {
                if let Some(wrong) = wrong_name(name.get_ref()) {
                    mistakes.note(&at, format!("server {}: {wrong}", mistakes.source(&at)));
                }
                names.push(name);
            }
        }
    }
    if names.len() == items.len() { Given::Good(Spanned::new(found.span(), names)) } else { Given::Bad }
}

/// Why a Name tag cannot be listed, if it cannot.
fn wrong_name(name: &str) -> Option<&'static str> {
    let id = |rest: &str| matches!(rest.len(), 8 | 17) && rest.chars().all(|c| c.is_ascii_hexdigit());
    if name.trim().is_empty() {
        Some("an empty name: write a Name tag, or take it away")
    } else if name.trim() != name {
        Some("take the blanks around the name away")
    } else if name.contains(['*', '?']) {
        Some("wildcards are not read: write every name, or select by tags")
    } else if name.strip_prefix("i-").is_some_and(id) {
        Some("this is an instance id: write the server's Name tag")
    } else if name.contains(char::is_control) {
        Some("a name is one line without control characters")
    // EC2 reads a backslash only behind another one.
    } else if name.chars().map(|c| if c == '\\' { 2 } else { 1 }).sum::<usize>() > LONGEST_SERVER {
        Some("EC2 takes at most 255 characters: select by tags")
    } else {
        None
    }
}

pub(super) fn tags(list: &Table<'_>, mistakes: &mut Mistakes<'_>) -> Given<BTreeMap<String, String>> {
    let Some(found) = list.get(&keys::TAGS) else { return Given::Absent };
    let Some(items) = found.get_ref().as_table() else {
        mistakes.unexpected(&keys::TAGS, &found.span());
        return Given::Bad;
    };
    if items.is_empty() {
        let what =
            "tags is empty, which would mean every instance: write the tags that one must carry, or servers";
        mistakes.note(&found.span(), what);
        return Given::Bad;
    }
    let mut tags = BTreeMap::new();
    for (key, value) in items {
        let key = key.get_ref().to_string();
        match typed::<String>(value).map(Spanned::into_inner) {
            Some(text) if !key.trim().is_empty() && !text.trim().is_empty() => {
                tags.insert(key, text);
            }
            _ => {
                let found = mistakes.source(&value.span());
                let what =
                    format!("tag {key} = {found}: write a key, and a value in quotes, as in Tier = \"db\"");
                mistakes.note(&value.span(), what);
            }
        }
    }
    if tags.len() == items.len() { Given::Good(Spanned::new(found.span(), tags)) } else { Given::Bad }
}
