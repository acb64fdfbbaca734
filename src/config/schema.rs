//! Finding one's way in the schema of the parameters.

use serde_json::Value;

/// The key `name` of the table `at`: `grid.pixel_m`.
pub fn join(at: &str, name: &str) -> String {
    match at {
        "" => name.to_owned(),
        at => format!("{at}.{name}"),
    }
}

/// `schema`, or what it refers to in `root`.
pub fn resolved(schema: &Value, root: &Value) -> Value {
    match schema["$ref"].as_str() {
        Some(pointer) => root
            .pointer(pointer.trim_start_matches('#'))
            .cloned()
            .unwrap_or_default(),
        None => schema.clone(),
    }
}
