//! JSON as a person lays it out: what is flat and fits stands on one line.
//!
//! Owns the layout; what is laid out, it does not know.

use serde_json::Value;

/// The longest line of the rendered text, unless a single value is longer.
const LINE: usize = 110;

/// Writes a value behind what the text has, at this depth of brackets.
pub(super) fn write(text: &mut String, value: &Value, depth: usize) {
    let (open, close, parts) = match value {
        Value::Object(fields) => ('{', '}', fields.iter().map(|(name, part)| (Some(name), part)).collect()),
        Value::Array(items) => ('[', ']', items.iter().map(|part| (None, part)).collect::<Vec<_>>()),
        _ => return text.push_str(&value.to_string()),
    };
    if let Some(line) = on_one_line(value).filter(|line| parts.is_empty() || line.len() + 2 * depth <= LINE) {
        return text.push_str(&line);
    }
    text.push(open);
    for (place, (name, part)) in parts.iter().enumerate() {
        text.push_str(if place == 0 { "\n" } else { ",\n" });
        text.push_str(&"  ".repeat(depth + 1));
        if let Some(name) = name {
            text.push_str(&format!("\"{name}\": "));
        }
        write(text, part, depth + 1);
    }
    text.push('\n');
    text.push_str(&"  ".repeat(depth));
    text.push(close);
}

fn is_full_object(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| !fields.is_empty())
}

/// A value that holds no object, or an object of such values.
fn on_one_line(value: &Value) -> Option<String> {
    match value {
        Value::Object(fields) if fields.is_empty() => Some("{}".to_owned()),
        Value::Object(fields) if fields.values().any(is_full_object) => None,
        Value::Object(fields) => {
            let parts: Option<Vec<String>> = fields
                .iter()
                .map(|(name, part)| Some(format!("\"{name}\": {}", on_one_line(part)?)))
                .collect();
            Some(format!("{{ {} }}", parts?.join(", ")))
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => None,
        Value::Array(items) => {
            Some(format!("[{}]", items.iter().map(Value::to_string).collect::<Vec<_>>().join(", ")))
        }
        _ => Some(value.to_string()),
    }
}
