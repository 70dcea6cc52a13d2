//! Holds the code to the arrows in the crate's documentation: a room names only itself and rooms to
//! its left.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read the code has failed"
)]

use std::fs;
use std::path::{Path, PathBuf};

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");

/// The rooms in the order of the crate's documentation, left to right. `bin` may name everything
/// and is no module of the library.
fn rooms() -> Vec<String> {
    let lib = fs::read_to_string(format!("{SOURCE}/lib.rs")).unwrap();
    let line = lib.lines().find(|line| line.contains(" · ")).unwrap();
    line.trim_start_matches("//! ")
        .split([',', '·'])
        .map(|room| room.trim().to_owned())
        .filter(|room| room != "bin")
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
fn room_of(file: &Path) -> String {
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

/// The rooms that a text names by `crate::`, comments left out.
fn named(text: &str) -> Vec<String> {
    text.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| {
            rest.chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                .collect()
        })
        .filter(|room: &String| !room.is_empty())
        .collect()
}

#[test]
fn rooms_name_only_rooms_to_their_left() {
    let rooms = rooms();
    let rank = |room: &str| rooms.iter().position(|known| known == room);
    let mut sources = Vec::new();
    files(Path::new(SOURCE), &mut sources);
    let mut seen = Vec::new();
    for file in sources {
        let room = room_of(&file);
        // Tests may build what they need out of any room.
        if room == "lib" || room == "bin" || file.ends_with("tests.rs") {
            continue;
        }
        let here = rank(&room)
            .unwrap_or_else(|| panic!("{room}: a room that the documentation does not name"));
        for other in named(&fs::read_to_string(&file).unwrap()) {
            let there = rank(&other)
                .unwrap_or_else(|| panic!("{}: names `{other}`, no room", file.display()));
            assert!(
                there <= here,
                "{}: `{room}` names `{other}`, which is to its right",
                file.display()
            );
        }
        seen.push(room);
    }
    for room in &rooms {
        assert!(
            seen.contains(room),
            "{room}: in the documentation and not in the code"
        );
    }
}

#[test]
fn only_the_filter_knows_the_host() {
    let mut sources = Vec::new();
    files(Path::new(SOURCE), &mut sources);
    for file in sources.iter().filter(|file| room_of(file) != "filter") {
        let text = fs::read_to_string(file).unwrap();
        assert!(!text.contains("host_calls::"), "{}", file.display());
    }
}
