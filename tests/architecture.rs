//! Holds the code to the arrows in the crate's documentation, and its types to names of their own:
//! a module names only itself and modules to its left.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read the code has failed"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");

/// The modules in the order of the crate's documentation, left to right. `bin` may name everything
/// and is no module of the library.
fn modules() -> Vec<String> {
    let lib = fs::read_to_string(format!("{SOURCE}/lib.rs")).unwrap();
    let line = lib.lines().find(|line| line.contains(" · ")).unwrap();
    line.trim_start_matches("//! ")
        .split([',', '·'])
        .map(|module| module.trim().to_owned())
        .filter(|module| module != "bin")
        .collect()
}

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// The first segment below `src`, without its extension.
fn module_of(file: &Path) -> String {
    let relative = file.strip_prefix(SOURCE).unwrap();
    let first = relative
        .components()
        .next()
        .unwrap()
        .as_os_str()
        .to_str()
        .unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// The modules that a text names by `crate::`, comments left out.
fn named(text: &str) -> Vec<String> {
    text.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| {
            rest.chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                .collect()
        })
        .filter(|module: &String| !module.is_empty())
        .collect()
}

#[test]
fn modules_name_only_modules_to_their_left() {
    let modules = modules();
    let rank = |module: &str| modules.iter().position(|known| known == module);
    let mut sources = Vec::new();
    files(Path::new(SOURCE), &mut sources);
    let mut seen = Vec::new();
    for file in sources {
        let module = module_of(&file);
        // Tests may build what they need out of any module.
        if module == "lib" || module == "bin" || file.ends_with("tests.rs") {
            continue;
        }
        let here = rank(&module)
            .unwrap_or_else(|| panic!("{module}: a module that the documentation does not name"));
        for other in named(&fs::read_to_string(&file).unwrap()) {
            let there = rank(&other)
                .unwrap_or_else(|| panic!("{}: names `{other}`, no module", file.display()));
            assert!(
                there <= here,
                "{}: `{module}` names `{other}`, which is to its right",
                file.display()
            );
        }
        seen.push(module);
    }
    for module in &modules {
        assert!(
            seen.contains(module),
            "{module}: in the documentation and not in the code"
        );
    }
}

#[test]
fn only_the_filter_knows_the_host() {
    let mut sources = Vec::new();
    files(Path::new(SOURCE), &mut sources);
    for file in sources.iter().filter(|file| module_of(file) != "filter") {
        let text = fs::read_to_string(file).unwrap();
        assert!(!text.contains("host_calls::"), "{}", file.display());
    }
}

/// The library and the command line are a crate each. Names in messages, searches and reviews then
/// need no path.
#[test]
fn a_type_has_a_name_of_its_own() {
    let mut sources = Vec::new();
    files(Path::new(SOURCE), &mut sources);
    // Tests may name what they build as it is called there.
    sources.retain(|file| {
        !file
            .iter()
            .any(|part| part == "tests" || part == "tests.rs")
    });
    let (command_line, library): (Vec<_>, Vec<_>) =
        sources.iter().partition(|file| module_of(file) == "bin");
    for crate_files in [library, command_line] {
        let mut homes: BTreeMap<String, Vec<&PathBuf>> = BTreeMap::new();
        for file in crate_files {
            for name in types(&fs::read_to_string(file).unwrap()) {
                homes.entry(name).or_default().push(file);
            }
        }
        homes.retain(|_, files| files.len() > 1);
        assert_eq!(homes, BTreeMap::new());
    }
}

/// The types that a file defines outside of functions and blocks.
fn types(text: &str) -> Vec<String> {
    let is_visibility = |word: &&str| word.starts_with("pub") || word.ends_with(')');
    let defined = |line: &str| {
        let mut words = line.split(' ').skip_while(is_visibility);
        let is_type = ["enum", "struct", "trait", "type"].contains(&words.next()?);
        let name = words.next()?.split(|c: char| !c.is_alphanumeric()).next()?;
        is_type.then(|| name.to_owned())
    };
    text.lines().filter_map(defined).collect()
}
