//! A table of servers.toml, read key by key: what is not as its key expects is noted, and so is every unknown key.
//!
//! Owns the way from a TOML value to a typed one that knows its place. Which keys there are, `keys` says.

use std::ops::Range;

use serde::de::{DeserializeOwned, IntoDeserializer};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::Key;
use super::mistake::{Given, Mistakes};

pub(super) struct Table<'t> {
    /// As people call it, `list 3` for example.
    called: String,
    keys: &'t DeTable<'t>,
    at: Range<usize>,
}

impl<'t> Table<'t> {
    pub(super) fn new(called: String, keys: &'t DeTable<'t>, at: Range<usize>) -> Self {
        Self { called, keys, at }
    }

    /// The value of a key, if it is there.
    pub(super) fn get(&self, key: &Key) -> Option<&'t Spanned<DeValue<'t>>> {
        self.keys.get(key.name)
    }

    /// Reads a key that may be left out.
    pub(super) fn read<T: DeserializeOwned>(
        &self,
        key: &Key,
        fits: impl Fn(&T) -> bool,
        mistakes: &mut Mistakes<'_>,
    ) -> Given<T> {
        let Some(found) = self.get(key) else { return Given::Absent };
        match typed(found).filter(|value| fits(value.get_ref())) {
            Some(value) => Given::Good(value),
            None => {
                mistakes.unexpected(key, &found.span());
                Given::Bad
            }
        }
    }

    /// Reads a key that must be there.
    pub(super) fn read_needed<T: DeserializeOwned>(
        &self,
        key: &Key,
        fits: impl Fn(&T) -> bool,
        mistakes: &mut Mistakes<'_>,
    ) -> Given<T> {
        if self.get(key).is_none() {
            self.lacks(key, mistakes);
        }
        self.read(key, fits, mistakes)
    }

    /// Notes that a key is missing.
    pub(super) fn lacks(&self, key: &Key, mistakes: &mut Mistakes<'_>) {
        let Key { name, expected, example } = key;
        let called = &self.called;
        mistakes
            .note(&self.at, format!("{called} has no {name}: write {expected}, as in {name} = {example}"));
    }

    /// Notes every key that is none of these; `advice` knows of some what was meant.
    pub(super) fn only(
        &self,
        known: &[&Key],
        advice: impl Fn(&str, &DeValue<'_>) -> Option<String>,
        mistakes: &mut Mistakes<'_>,
    ) {
        let called = &self.called;
        for (found, value) in self.keys {
            let name = found.get_ref().as_ref();
            if known.iter().any(|key| key.name == name) {
                continue;
            }
            let advice = advice(name, value.get_ref()).unwrap_or_else(|| {
                let near = known.iter().find(|key| key.name.contains(name) || name.contains(key.name));
                match near {
                    Some(near) => format!("write {}", near.name),
                    None => format!("known are {}", names(known)),
                }
            });
            mistakes.note(&found.span(), format!("{called} knows no {name}: {advice}"));
        }
    }
}

fn names(keys: &[&Key]) -> String {
    keys.iter().map(|key| key.name).collect::<Vec<_>>().join(", ")
}

/// The value as that type, if it is of it.
pub(super) fn typed<T: DeserializeOwned>(value: &Spanned<DeValue<'_>>) -> Option<Spanned<T>> {
    let read = T::deserialize(value.clone().into_deserializer());
    read.ok().map(|read| Spanned::new(value.span(), read))
}
