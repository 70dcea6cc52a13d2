//! Packs the list of operations, so that it costs the module a quarter of its text.
//!
//! The operations are ordered by path, and each is written as what differs from the one before; the words that this saves most on
//! are one byte each. `src/databricks/packed.rs` reads what is written here, and a test there compares it with the list.

use std::cmp::Reverse;
use std::collections::BTreeMap;
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
    // The schema of the configuration is the command line's alone; a feature by itself would also switch it on for the module.
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
    let texts = |pick: fn(&Row<'_>) -> String| differences(rows.iter().map(pick));
    let names = texts(|row| row.name.to_owned());
    let templates = texts(|row| row.template.to_owned());
    let words = words(
        names
            .iter()
            .chain(&templates)
            .map(|(_, text)| text.as_str()),
    );

    let mut packed = vec![u8::try_from(words.len()).ok()?];
    for word in &words {
        push_text(&mut packed, word.as_bytes())?;
    }
    let mut before = None;
    for (row, (name, template)) in rows.iter().zip(names.iter().zip(&templates)) {
        let kind = (row.area, row.marks);
        let is_same = before.replace(kind) == Some(kind);
        packed.push(row.method | row.access << 4 | row.level << 5 | u8::from(is_same) << 6);
        if !is_same {
            packed.extend([row.area, row.marks]);
        }
        for (shared, text) in [name, template] {
            packed.push(*shared);
            push_text(&mut packed, &code(text, &words))?;
        }
    }
    Some(packed)
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

/// The words that save most when each is one byte: a word is what stands between two separators, with those behind it.
fn words<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut counts = BTreeMap::<String, usize>::new();
    for text in texts {
        let pieces: Vec<_> = text
            .split_inclusive(['-', '.', '_', '/', '{', '}', ':'])
            .collect();
        for start in 0..pieces.len() {
            let mut word = String::new();
            for piece in pieces.iter().skip(start).take(4) {
                word.push_str(piece);
                let count = counts.entry(word.clone()).or_default();
                *count = count.saturating_add(1);
            }
        }
    }
    let mut words: Vec<_> = counts
        .into_iter()
        .filter(|(word, _)| word.len() > 2)
        .collect();
    words.sort_by_cached_key(|(word, count)| {
        (
            Reverse(count.saturating_mul(word.len().saturating_sub(1))),
            word.clone(),
        )
    });
    words.into_iter().map(|(word, _)| word).take(128).collect()
}

/// A text with every word that has a code replaced by it, the longest first.
fn code(text: &str, words: &[String]) -> Vec<u8> {
    let mut coded = Vec::new();
    let mut rest = text;
    while let Some(&byte) = rest.as_bytes().first() {
        let known = words
            .iter()
            .enumerate()
            .filter(|(_, word)| rest.starts_with(word.as_str()));
        let (code, length) = match known.max_by_key(|(_, word)| word.len()) {
            Some((index, word)) => (u8::try_from(index).unwrap_or_default() | 0x80, word.len()),
            None => (byte, 1),
        };
        coded.push(code);
        rest = rest.get(length..).unwrap_or_default();
    }
    coded
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
