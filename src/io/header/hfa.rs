//! Whether an Erdas Imagine file names other files: for its pixels (`.ige`), its overviews (`.rrd`) or what it depends on.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Nodes whose data is the name of another file.
const NAMING: [&str; 3] = ["externalrasterdms", "rrdnameslist", "dependentfile"];

/// No file that is believed has more nodes.
const MAX_NODES: usize = 100_000;

/// The name of the first node of the tree of `file` that names another file. Nodes are six numbers of four bytes (next, previous, parent,
/// child, where its data lies, how much) and a name of 64.
///
/// # Errors
/// A tree that reaches beyond the file, or has no end.
pub fn names_another(file: &File) -> io::Result<Option<String>> {
    let number = |at: u64| -> io::Result<u64> {
        let mut bytes = [0; 4];
        file.read_exact_at(&mut bytes, at)?;
        Ok(u32::from_le_bytes(bytes).into())
    };
    // Behind the signature: where the header lies; in it, behind version and free list, where the root lies.
    let mut due = vec![number(number(16)? + 8)?];
    let mut seen = BTreeSet::new();
    while let Some(node) = due.pop() {
        if node == 0 || !seen.insert(node) {
            continue;
        }
        if seen.len() > MAX_NODES {
            return Err(io::Error::other("its tree of nodes has no end"));
        }
        let mut name = [0; 64];
        file.read_exact_at(&mut name, node + 24)?;
        let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
        let name = String::from_utf8_lossy(name).into_owned();
        if NAMING.contains(&name.to_ascii_lowercase().as_str()) {
            return Ok(Some(name));
        }
        due.extend([number(node)?, number(node + 12)?]);
    }
    Ok(None)
}
