//! A payload's text, read strictly: one JSON value, no key twice, nothing behind it.
//!
//! serde_json lets the last of two equal keys win, and Lambda's runtime does not look at what follows the value: a
//! payload that says two things must not start or stop anything.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::payload::PayloadError;

/// Reads the text.
///
/// # Errors
/// [`PayloadError::NotJson`] with what is wrong, and where.
pub(crate) fn parse(text: &str) -> Result<Value, PayloadError> {
    let Strict(value) =
        serde_json::from_str(text).map_err(|error| PayloadError::NotJson(error.to_string()))?;
    Ok(value)
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue).map(Self)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number is not finite"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Strict(element)) = elements.next_element()? {
            array.push(element);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((key, Strict(value))) = entries.next_entry::<String, Strict>()? {
            if object.contains_key(&key) {
                return Err(A::Error::custom(format_args!("the key \"{key}\" stands there twice")));
            }
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_payload_is_read_as_serde_json_reads_it() {
        let text = r#"{"a": [1, -2, 2.5, null, true, "x"], "b": {"c": {}}, "d": 18446744073709551615}"#;
        assert_eq!(parse(text), Ok(serde_json::from_str::<Value>(text).expect("JSON")));
        assert_eq!(parse(" [] \n"), Ok(json!([])));
    }

    #[test]
    fn what_says_two_things_or_is_no_json_is_refused() {
        for (text, what) in [
            (r#"{"action": "start", "action": "stop"}"#, "\"action\" stands there twice"),
            (r#"{"a": {"b": 1, "b": 1}}"#, "\"b\" stands there twice"),
            (r#"{"action": "start"} {"action": "stop"}"#, "trailing characters"),
            ("{", "EOF"),
            ("", "EOF"),
            ("start", "expected value"),
        ] {
            let error = parse(text).expect_err(text).to_string();
            assert!(error.contains(what), "{error}");
        }
    }
}
