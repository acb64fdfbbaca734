//! How much memory JSON text takes as a tree of values, told from the text alone.

use super::problem::Problem;

/// Any text may take so much, bytes. With the program itself and a text of 10 MB, 204 MiB were seen at most.
const ALWAYS: u64 = 128 << 20;
/// A larger text may take so much for each of its bytes: real declarations and catalogues take 3 to 11.
const MAX_PER_BYTE: u64 = 12;
/// Arrays and objects deeper than this are not read at all (`serde_json` stops at 128).
const DEEPEST: usize = 128;

/// A value beside others: its slot, and that of the list that it grew out of.
const VALUE: u64 = 64;
/// A list that holds anything has room for four values.
const LIST: u64 = 128;
/// An object that holds anything has a node with room for eleven keys and values.
const OBJECT: u64 = 640;
/// A key and its value in the nodes of a larger object, half of which are empty.
const MEMBER: u64 = 128;
/// A text of its own beside its bytes.
const TEXT: u64 = 16;

/// Refuses text whose tree of values would take far more memory than trees of real files of its size.
pub(super) fn check(text: &str) -> Result<(), Problem> {
    let (found, most) = (tree_bytes(text), ALWAYS.max(text.len() as u64 * MAX_PER_BYTE));
    if found <= most {
        return Ok(());
    }
    Err(Problem::TooHeavy {
        found_mib: found.div_ceil(1 << 20),
        most_mib: most >> 20,
    })
}

/// An upper estimate of what the tree takes while it is built, bytes.
fn tree_bytes(text: &str) -> u64 {
    // What is open around the place, and how many commas it has had.
    let mut open: Vec<(u8, u64)> = Vec::new();
    let (mut total, mut in_text, mut is_escaped, mut begins) = (0, false, false, false);
    for byte in text.bytes() {
        if in_text {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => in_text = false,
                _ => total += 1,
            }
            continue;
        }
        // What is open is empty until something stands in it.
        if begins && !byte.is_ascii_whitespace() && !matches!(byte, b']' | b'}') {
            total += if open.last().is_some_and(|(kind, _)| *kind == b'{') {
                OBJECT
            } else {
                LIST
            };
        }
        begins = begins && byte.is_ascii_whitespace();
        match byte {
            b'"' => {
                in_text = true;
                total += TEXT;
            }
            b'[' | b'{' if open.len() == DEEPEST => return total,
            b'[' | b'{' => {
                open.push((byte, 0));
                begins = true;
            }
            b']' | b'}' => drop(open.pop()),
            b',' => {
                if let Some((kind, commas)) = open.last_mut() {
                    *commas += 1;
                    total += match (*kind, *commas) {
                        (b'[', 4) => 4 * VALUE,
                        (b'[', 5..) => VALUE,
                        (b'{', 11) => 11 * MEMBER,
                        (b'{', 12..) => MEMBER,
                        _ => 0,
                    };
                }
            }
            _ => {}
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_is_weighed_by_what_it_holds() {
        for (text, bytes) in [
            ("1", 0),
            ("[]", 0),
            ("[ ]", 0),
            ("{ }", 0),
            ("[1]", LIST),
            ("[1,2,3,4]", LIST),
            ("[1,2,3,4,5]", LIST + 4 * VALUE),
            (r#"{"a":1}"#, OBJECT + TEXT + 1),
            (r#"["[[[,\"{"]"#, LIST + TEXT + 5),
            ("[[],[[]]]", 2 * LIST),
        ] {
            assert_eq!(tree_bytes(text), bytes, "{text}");
        }
        assert_eq!(tree_bytes(&"[".repeat(1_000)), (DEEPEST as u64) * LIST);
    }

    #[test]
    fn real_files_are_light_and_dense_ones_too_heavy() {
        let many = |one: &str| format!("[{}]", vec![one; (9 << 20) / one.len()].join(","));
        for one in [
            "[10.1234,50.1234]",
            "[10.1234567,50.1234567]",
            r#"{"type":"Feature","id":"S2A_20200101","bbox":[1.5,2.5,3.5,4.5],"properties":{"datetime":"2020-01-01T10:20:30Z","href":"./S2A_31UDQ_20200101_0_L2A/S2A_31UDQ_20200101_0_L2A_B04_10m.tif"}}"#,
        ] {
            assert!(check(&many(one)).is_ok(), "{one}");
        }
        for one in [
            "[]",
            "0",
            "[0]",
            "{}",
            r#"{"":0}"#,
            r#"{"a":{}}"#,
            r#""""#,
            "[[[[[[]]]]]]",
        ] {
            assert!(check(&many(one)).is_err(), "{one}");
        }
        assert!(check("[[],[],[]]").is_ok());
    }
}
