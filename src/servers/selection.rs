//! Which servers a list selects: its Name tags and its tags, each by itself.
//!
//! Owns what a name may be. EC2 is asked for them literally.

use std::collections::BTreeMap;

use toml::Spanned;

use super::keys::{self, LONGEST_FILTER, LONGEST_TAG_KEY, MOST_TAGS};
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
    } else if name.contains(keys::is_invisible) {
        Some("take the invisible characters away, of no width or of writing direction")
    } else if in_filter(name) > LONGEST_FILTER {
        Some("EC2 takes at most 255 characters: select by tags")
    } else {
        None
    }
}

/// How long a value is where EC2 is asked for it literally: `*`, `?` and a backslash stand behind another backslash.
fn in_filter(value: &str) -> usize {
    value.chars().map(|c| if matches!(c, '*' | '?' | '\\') { 2 } else { 1 }).sum()
}

/// Why a tag cannot be asked for, if it cannot.
fn wrong_tag(key: &str, value: Option<&str>) -> Option<&'static str> {
    match value {
        Some(value) if !key.trim().is_empty() && !value.trim().is_empty() => {
            if key.chars().count() > LONGEST_TAG_KEY {
                Some("a tag's key has at most 128 characters: write one that a server can have")
            } else if in_filter(value) > LONGEST_FILTER {
                Some("EC2 takes at most 255 characters of a value: select by another tag")
            } else if key.contains(keys::is_invisible) || value.contains(keys::is_invisible) {
                Some("take the invisible characters away, of no width or of writing direction")
            } else {
                None
            }
        }
        _ => Some("write a key, and a value in quotes, as in Tier = \"db\""),
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
    mistakes.ensure(items.len() <= MOST_TAGS, &found.span(), || {
        format!("tags has {}: a server has at most {MOST_TAGS}, so write at most so many", items.len())
    });
    let mut tags = BTreeMap::new();
    for (at, value) in items {
        let key = at.get_ref().to_string();
        let text = typed::<String>(value).map(Spanned::into_inner);
        if let Some(wrong) = wrong_tag(&key, text.as_deref()) {
            let (key, found) = (mistakes.source(&at.span()), mistakes.source(&value.span()));
            mistakes.note(&value.span(), format!("tag {key} = {found}: {wrong}"));
        } else if let Some(text) = text {
            tags.insert(key, text);
        }
    }
    if tags.len() == items.len() { Given::Good(Spanned::new(found.span(), tags)) } else { Given::Bad }
}
