//! Packs the list of operations, so that it costs the module an eighth of its text.
//!
//! The operations are ordered by path, and each is written as what differs from the one before; LZ4
//! does the rest. `src/databricks/packed.rs` reads what is written here, and a test there compares
//! it with the list.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let source = Path::new("src/databricks");
    println!(
        "cargo::rerun-if-changed={}",
        source.join("operations.tsv").display()
    );
    println!(
        "cargo::rerun-if-changed={}",
        source.join("areas.tsv").display()
    );
    println!("cargo::rerun-if-changed=build.rs");
    // The schema of the configuration is the command line's alone; a feature by itself would also
    // switch it on for the module.
    println!("cargo::rustc-check-cfg=cfg(schema)");
    if env::var_os("CARGO_FEATURE_CLI").is_some()
        && env::var("CARGO_CFG_TARGET_ARCH").as_deref() != Ok("wasm32")
    {
        println!("cargo::rustc-cfg=schema");
    }
    let operations = fs::read_to_string(source.join("operations.tsv"))?;
    let areas = fs::read_to_string(source.join("areas.tsv"))?;
    let out = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    let packed = pack(&operations, &areas).ok_or(io::ErrorKind::InvalidData)?;
    fs::write(Path::new(&out).join("operations.bin"), packed)
}

/// One line of the list, in its fields.
struct Row<'a> {
    name: &'a str,
    method: u8,
    template: &'a str,
    area: u8,
    access: u8,
    level: u8,
    marks: u8,
}

fn pack(operations: &str, areas: &str) -> Option<Vec<u8>> {
    let areas: Vec<_> = areas
        .lines()
        .filter_map(|line| line.split_once(":read\t"))
        .map(|(area, _)| area)
        .collect();
    let mut rows = operations
        .lines()
        .map(|line| row(line, &areas))
        .collect::<Option<Vec<_>>>()?;
    rows.sort_by_key(|row| (row.template, row.method, row.name));
    let count = |name: &str| rows.iter().filter(|row| row.name == name).count();
    let texts = |pick: fn(&Row<'_>) -> String| differences(rows.iter().map(pick));
    let names = texts(|row| row.name.to_owned());
    let templates = texts(|row| row.template.to_owned());

    let mut packed = Vec::new();
    let mut before = None;
    for (row, (name, template)) in rows.iter().zip(names.iter().zip(&templates)) {
        let kind = (row.area, row.marks);
        let is_same = before.replace(kind) == Some(kind);
        let is_several = count(row.name) > 1;
        let marks = u8::from(is_same) << 6 | u8::from(is_several) << 7;
        packed.push(row.method | row.access << 4 | row.level << 5 | marks);
        if !is_same {
            packed.extend([row.area, row.marks]);
        }
        for (shared, text) in [name, template] {
            packed.push(*shared);
            push_text(&mut packed, text.as_bytes())?;
        }
    }
    Some(lz4_flex::block::compress_prepend_size(&packed))
}

fn row<'a>(line: &'a str, areas: &[&str]) -> Option<Row<'a>> {
    let fields: Vec<_> = line.split('\t').collect();
    let &[name, method, template, area, access, level, marks] = &*fields else {
        return None;
    };
    let mut bits = 0;
    for mark in marks.split(',').filter(|&mark| mark != "-") {
        bits |= 1 << position(&MARKS, mark)?;
    }
    Some(Row {
        name,
        method: position(&METHODS, method)?,
        template,
        area: match area {
            "any-token" => 254,
            "no-token" => 255,
            area => position(areas, area).filter(|&area| area < 254)?,
        },
        access: position(&["read", "write"], access)?,
        level: position(&["account", "workspace"], level)?,
        marks: bits,
    })
}

fn position(words: &[&str], word: &str) -> Option<u8> {
    u8::try_from(words.iter().position(|&known| known == word)?).ok()
}

/// Each text as the number of bytes that it shares with the one before, and what follows them.
fn differences(texts: impl Iterator<Item = String>) -> Vec<(u8, String)> {
    let mut before = String::new();
    let mut differences = Vec::new();
    for text in texts {
        let shared = text
            .bytes()
            .zip(before.bytes())
            .take_while(|(left, right)| left == right)
            .count();
        let shared = u8::try_from(shared).unwrap_or(u8::MAX);
        differences.push((
            shared,
            text.get(usize::from(shared)..)
                .unwrap_or_default()
                .to_owned(),
        ));
        before = text;
    }
    differences
}

fn push_text(packed: &mut Vec<u8>, text: &[u8]) -> Option<()> {
    packed.push(u8::try_from(text.len()).ok()?);
    packed.extend_from_slice(text);
    Some(())
}

const METHODS: [&str; 7] = ["*", "DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"];

const MARKS: [&str; 6] = [
    "manages-access",
    "mints-credentials",
    "runs-code",
    "undocumented",
    "vends-data-access",
    "web-socket",
];
