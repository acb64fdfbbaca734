//! Imports run one way: between the rooms of ARCHITECTURE.md, and between files. An import is followed to the file that defines what it names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use syn::visit::Visit;
use syn::{Attribute, Item, UseTree, Visibility};

/// A room imports only from rooms above it.
const ORDER: [&str; 20] = [
    "fault",
    "number",
    "seal",
    "intake",
    "geo",
    "raster",
    "declaration",
    "scene",
    "stage",
    "finding",
    "io",
    "report",
    "config",
    "plan",
    "engine",
    "output",
    "run",
    "verify",
    "lab",
    "cli",
];

/// Crates that only some files may name.
const BORDERS: [(&str, &[&str]); 5] = [
    ("gdal", &["io/"]),
    ("gdal_sys", &["io/"]),
    ("clap", &["cli/"]),
    ("indicatif", &["cli/"]),
    ("rayon", &["engine/driver.rs", "lab/simulate/"]),
];

/// A path as the code writes it, `crate::geo::Rect`; what it is called there; whether it is only handed on (`pub use`).
struct Named {
    path: Vec<String>,
    alias: String,
    is_export: bool,
}

/// A file of the crate.
struct Source {
    /// Its path from `src`.
    file: String,
    names: Vec<Named>,
}

/// All files, by the path of their module: `engine::score`.
fn sources() -> BTreeMap<String, Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = BTreeMap::new();
    for entry in glob::glob(&format!("{}/**/*.rs", root.display())).unwrap().flatten() {
        let file = entry.strip_prefix(&root).unwrap().display().to_string();
        let module = file.trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::");
        let parsed = syn::parse_file(&fs::read_to_string(&entry).unwrap()).unwrap();
        let mut found = Found::default();
        found.visit_file(&parsed);
        sources.insert(
            module,
            Source {
                file,
                names: found.names,
            },
        );
    }
    sources
}

#[derive(Default)]
struct Found {
    names: Vec<Named>,
    prints: bool,
}

/// What is compiled for tests alone may import what it likes.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    let of_test = |attribute: &Attribute| {
        let list = attribute.meta.require_list();
        attribute.path().is_ident("cfg") && list.is_ok_and(|list| list.tokens.to_string() == "test")
    };
    attributes.iter().any(of_test)
}

impl<'ast> Visit<'ast> for Found {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Mod(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            _ => return syn::visit::visit_item(self, item),
        };
        if !is_for_tests(attributes) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let is_export = !matches!(item.vis, Visibility::Inherited);
        self.tree(&item.tree, &mut Vec::new(), is_export);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|one| one.ident.to_string()).collect();
        if segments.len() > 1 {
            self.name(&segments, None, false);
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, one: &'ast syn::Macro) {
        self.prints |= one.path.is_ident("println") || one.path.is_ident("eprintln");
        syn::visit::visit_macro(self, one);
    }
}

impl Found {
    fn tree(&mut self, tree: &UseTree, prefix: &mut Vec<String>, is_export: bool) {
        match tree {
            UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.tree(&path.tree, prefix, is_export);
                prefix.pop();
            }
            UseTree::Group(group) => group.items.iter().for_each(|one| self.tree(one, prefix, is_export)),
            UseTree::Name(name) if name.ident == "self" => self.name(prefix, None, is_export),
            UseTree::Name(name) => self.name(
                &[prefix.as_slice(), &[name.ident.to_string()]].concat(),
                None,
                is_export,
            ),
            UseTree::Rename(name) => {
                let whole = [prefix.as_slice(), &[name.ident.to_string()]].concat();
                self.name(&whole, Some(name.rename.to_string()), is_export);
            }
            UseTree::Glob(_) => self.name(prefix, None, is_export),
        }
    }

    fn name(&mut self, path: &[String], alias: Option<String>, is_export: bool) {
        self.names.push(Named {
            path: path.to_vec(),
            alias: alias.or_else(|| path.last().cloned()).unwrap_or_default(),
            is_export,
        });
    }
}

/// `path`, written in `module`, from the root of the crate; `None` where it leads out of the crate.
fn absolute(path: &[String], module: &str, sources: &BTreeMap<String, Source>) -> Option<Vec<String>> {
    let own: Vec<String> = module.split("::").map(str::to_owned).collect();
    let depth = path.iter().take_while(|one| *one == "super").count();
    match path.first()?.as_str() {
        "crate" => Some(path[1..].to_vec()),
        "self" => Some([own.as_slice(), &path[1..]].concat()),
        "super" => Some([&own[..own.len().checked_sub(depth)?], &path[depth..]].concat()),
        first => {
            let child = [own.as_slice(), &[first.to_owned()]].concat().join("::");
            sources.contains_key(&child).then(|| [own.as_slice(), path].concat())
        }
    }
}

/// The module whose file defines what `path` names, and whether it names the module itself; names that are handed on are followed.
fn defined_in(path: &[String], sources: &BTreeMap<String, Source>, depth: usize) -> Option<(String, bool)> {
    let length = (1..=path.len())
        .rev()
        .find(|n| sources.contains_key(&path[..*n].join("::")))?;
    let module = path[..length].join("::");
    let Some(item) = path.get(length).filter(|_| depth < 8) else {
        return Some((module, path.len() == length));
    };
    let exported = sources[&module].names.iter();
    let handed_on = exported
        .filter(|one| one.is_export && one.alias == *item)
        .find_map(|one| absolute(&one.path, &module, sources));
    match handed_on {
        Some(target) => defined_in(&[target.as_slice(), &path[length + 1..]].concat(), sources, depth + 1),
        None => Some((module, false)),
    }
}

/// Which files' definitions each module uses.
fn imports(sources: &BTreeMap<String, Source>) -> BTreeMap<&str, BTreeSet<String>> {
    let of_module = |(module, source): (&'_ String, &'_ Source)| {
        let local: BTreeMap<&str, Vec<String>> = source
            .names
            .iter()
            .filter_map(|one| Some((one.alias.as_str(), absolute(&one.path, module, sources)?)))
            .collect();
        let used = source.names.iter().filter(|one| !one.is_export).filter_map(|one| {
            let whole = match local.get(one.path[0].as_str()).filter(|_| one.path.len() > 1) {
                Some(prefix) => [prefix.as_slice(), &one.path[1..]].concat(),
                None => absolute(&one.path, module, sources)?,
            };
            // An imported module is used where a path goes through it.
            let (used, is_module) = defined_in(&whole, sources, 0)?;
            (!is_module && used != *module).then_some(used)
        });
        used.collect::<BTreeSet<String>>()
    };
    sources
        .iter()
        .filter(|(module, _)| !matches!(module.as_str(), "lib" | "main"))
        .map(|(module, source)| (module.as_str(), of_module((module, source))))
        .collect()
}

fn room(module: &str) -> &str {
    module.split("::").next().unwrap_or_default()
}

#[test]
fn rooms_import_one_way() {
    let sources = sources();
    let place = |module: &str| ORDER.iter().position(|known| *known == room(module));
    let mut wrong = Vec::new();
    for room in &ORDER {
        if !sources.keys().any(|module| self::room(module) == *room) {
            wrong.push(format!("{room} is no folder"));
        }
    }
    for (module, used) in imports(&sources) {
        let Some(own) = place(module) else {
            wrong.push(format!("{module} is in no room"));
            continue;
        };
        let above = used.iter().filter(|one| place(one).is_none_or(|other| other > own));
        wrong.extend(above.map(|one| format!("{module} imports {one}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let sources = sources();
    let imports = imports(&sources);
    // What is reached from a file by imports does not come back to it.
    let reached = |start: &str| -> BTreeSet<&str> {
        let mut seen = BTreeSet::new();
        let mut due = vec![start];
        while let Some(module) = due.pop() {
            for next in imports.get(module).into_iter().flatten() {
                if seen.insert(next.as_str()) {
                    due.push(next);
                }
            }
        }
        seen
    };
    let circles: Vec<&&str> = imports
        .keys()
        .filter(|module| reached(module).contains(**module))
        .collect();
    assert!(circles.is_empty(), "in circles: {circles:#?}");
}

#[test]
fn borders_are_kept() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (module, source) in sources() {
        for (name, homes) in BORDERS {
            let uses = source.names.iter().any(|one| one.path[0] == name);
            let is_home = homes.iter().any(|home| source.file.starts_with(home));
            assert!(!uses || is_home, "{} names {name}", source.file);
        }
        let mut found = Found::default();
        found.visit_file(&syn::parse_file(&fs::read_to_string(root.join(&source.file)).unwrap()).unwrap());
        let is_test = source.file.ends_with("tests.rs");
        assert!(
            !found.prints || is_test || room(&module) == "cli",
            "{} prints",
            source.file
        );
    }
}
