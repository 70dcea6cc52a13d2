//! The pages under `docs/reference` that are made from the code. `OAM_WRITE_PAGES=1` writes them;
//! without it they are compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::oam;

#[test]
fn the_reference_is_what_the_code_says() {
    let pages = [
        ("catalogue", catalogue()),
        ("configuration", configuration()),
        ("findings", findings()),
        ("oam", command_line()),
    ];
    for (name, text) in pages {
        let path = root(&format!("docs/reference/{name}.md"));
        if std::env::var_os("OAM_WRITE_PAGES").is_some() {
            fs::write(&path, &text).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == text,
            "docs/reference/{name}.md is old: run `scripts/docs --write`"
        );
    }
}

#[test]
fn every_reason_has_an_entry() {
    let sources = [
        "src/denial.rs",
        "src/issuer/invalid_token.rs",
        "src/request/dpop.rs",
        "src/request/error.rs",
        "src/token/dpop.rs",
        "src/token/jws.rs",
    ];
    let mut codes = BTreeSet::new();
    for source in sources {
        let text = read(source);
        let (_, functions) = text.split_once("fn code(").expect(source);
        // Names of reasons stand in this function and, for credentials, in the one that it calls.
        let body = functions.split("\n    }\n").next().unwrap_or_default();
        let refused = functions
            .split_once("const fn refused(")
            .map(|(_, rest)| rest);
        let refused = refused
            .and_then(|rest| rest.split("\n}\n").next())
            .unwrap_or_default();
        codes.extend(names(body).chain(names(refused)).map(str::to_owned));
    }
    let page = read("docs/troubleshoot/reasons.md");
    let lines = page
        .lines()
        .filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`'));
    let entries: BTreeSet<String> = lines.map(str::to_owned).collect();
    let missing: Vec<_> = codes.difference(&entries).collect();
    let left_over: Vec<_> = entries.difference(&codes).collect();
    assert!(codes.len() > 40, "{codes:?}");
    assert!(
        missing.is_empty() && left_over.is_empty(),
        "no entry for {missing:?}; no reason {left_over:?}"
    );
}

#[test]
fn every_metric_has_an_entry() {
    let page = read("docs/reference/metrics.md");
    let code = fs::read_to_string(root("src/gateway/metrics/name.rs")).unwrap();
    let named: BTreeSet<String> = code
        .lines()
        .filter(|line| line.contains("const ") && line.contains(": &str = "))
        .filter_map(|line| line.split('"').nth(1))
        .map(|name| format!("oam_filter_{name}"))
        .collect();
    let entries: BTreeSet<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .map(str::to_owned)
        .collect();
    assert_eq!(named, entries);
    assert!(named.len() > 20, "{named:?}");
}

/// The words in quotes that are made like names.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let is_name = |word: &&str| {
        word.len() > 3
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    text.split('"').skip(1).step_by(2).filter(is_name)
}

fn configuration() -> String {
    let schema: Value = serde_json::from_str(&oam(&["schema"]).out).unwrap();
    let mut page = format!(
        "# Configuration\n\n{MADE}\nA JSON object, or the same in YAML. Unknown keys are errors.\n\n## The whole\n\n"
    );
    section(&mut page, &schema);
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        write!(page, "\n## {name}\n\n").unwrap();
        if let Some(text) = definition["description"].as_str() {
            write!(page, "{text}\n\n").unwrap();
        }
        section(&mut page, definition);
    }
    page
}

/// A table of an object's keys; of anything else what it may be.
fn section(page: &mut String, schema: &Value) {
    let Some(keys) = schema["properties"].as_object() else {
        writeln!(page, "{}.", kind(schema)).unwrap();
        return;
    };
    let required = schema["required"].as_array().into_iter().flatten();
    let required: Vec<&Value> = required.collect();
    page.push_str("| key | is | default | what |\n| --- | --- | --- | --- |\n");
    for (key, value) in keys {
        let default = match value.get("default") {
            Some(default) => format!("`{default}`"),
            None if required.iter().any(|name| *name == key) => "required".to_owned(),
            None => String::new(),
        };
        let what = value["description"]
            .as_str()
            .unwrap_or_default()
            .replace('\n', " ");
        writeln!(
            page,
            "| `{key}` | {} | {} | {} |",
            kind(value),
            cell(&default),
            cell(&what)
        )
        .unwrap();
    }
}

/// What a value may be, with links to what is described elsewhere.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"]
        .as_str()
        .and_then(|name| name.rsplit('/').next())
    {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    for many in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[many].as_array() {
            return choices.iter().map(kind).collect::<Vec<_>>().join(" or ");
        }
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<String> = words
            .iter()
            .map(|word| format!("`{}`", word.as_str().unwrap_or_default()))
            .collect();
        return words.join(", ");
    }
    if let Some(word) = schema["const"].as_str() {
        return format!("`{word}`");
    }
    match schema["type"].as_str() {
        Some("array") => format!("list of {}", kind(&schema["items"])),
        Some("object") if schema["additionalProperties"].is_object() => {
            format!(
                "object: {} for each name",
                kind(&schema["additionalProperties"])
            )
        }
        Some("string") => match schema["pattern"].as_str() {
            Some(pattern) => format!("string like `{}`", cell(pattern)),
            None => "string".to_owned(),
        },
        Some(other) => other.to_owned(),
        None => "any value".to_owned(),
    }
}

fn command_line() -> String {
    let help = oam(&["--help"]).out;
    let mut page = format!(
        "# Command line\n\n{MADE}\n```text\n{}\n```\n",
        help.trim_end()
    );
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let commands = commands.lines().take_while(|line| line.starts_with("  "));
    let names = commands.filter_map(|line| line.split_whitespace().next());
    for name in names.filter(|name| *name != "help") {
        let help = oam(&[name, "--help"]).out;
        write!(
            page,
            "\n## oam {name}\n\n```text\n{}\n```\n",
            help.trim_end()
        )
        .unwrap();
    }
    page
}

fn findings() -> String {
    let mut page = format!(
        "# Findings of oam check\n\n{MADE}\nThe `code` in `oam check --json` is stable. Errors make the exit status 1; with `--strict`, what could not be\nchecked does too. The message says more than the table: it names what is at fault.\n\n"
    );
    page.push_str("## Around a configuration\n");
    page.push_str(&codes("src/bin/oam/surroundings/code.rs", 50));
    page.push_str("\n## In a configuration\n");
    page.push_str(&codes("src/config/code.rs", 35));
    page
}

/// A table of codes as a page: those of a file with one in a line.
fn codes(source: &str, least: usize) -> String {
    let mut rows = BTreeSet::new();
    for line in read(source).lines() {
        let mut texts = line.split('"').skip(1).step_by(2);
        let severity = line.split(", ").nth(1).unwrap_or_default();
        let severity = match severity {
            "Error" => "error",
            "NotChecked" => "not checked",
            "Warning" => "warning",
            _ => continue,
        };
        if let (Some(code), Some(what), Some(remedy)) = (texts.next(), texts.next(), texts.next()) {
            let fill = |text: &str| {
                cell(
                    &text
                        .replace(": {}", "")
                        .replace("`{}`", "…")
                        .replace("{}", "…"),
                )
            };
            rows.insert(format!(
                "| `{code}` | {severity} | {} | {} |\n",
                fill(what),
                fill(remedy)
            ));
        }
    }
    assert!(rows.len() >= least, "{source}: {}", rows.len());
    let head = "\n| code | severity | what | remedy |\n| --- | --- | --- | --- |\n";
    [head.to_owned()].into_iter().chain(rows).collect()
}

fn catalogue() -> String {
    let all: Vec<Value> = serde_json::from_str(&oam(&["catalogue", "--json"]).out).unwrap();
    let mut areas: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for operation in &all {
        areas.entry(area(operation)).or_default().push(operation);
    }
    let mut page = format!(
        "# Catalogue of operations\n\n{MADE}\n{} calls in {} areas. `oam catalogue WORD…` searches them. A scope in the table is the least one that covers the call.\n",
        all.len(),
        areas.len()
    );
    for (area, operations) in areas {
        write!(
            page,
            "\n## {area}\n\n| operation | call | scope | marks |\n| --- | --- | --- | --- |\n"
        )
        .unwrap();
        for operation in operations {
            let text = |name: &str| operation[name].as_str().unwrap_or("–").to_owned();
            let marks = operation["marks"].as_array().into_iter().flatten();
            let marks: Vec<&str> = marks.filter_map(Value::as_str).collect();
            writeln!(
                page,
                "| {} | `{} {}` | {} | {} |",
                text("name"),
                text("method"),
                cell(&text("template")),
                text("scope"),
                marks.join(", ")
            )
            .unwrap();
        }
    }
    page
}

fn area(operation: &Value) -> &str {
    match operation["area"].as_str() {
        Some("") | None => "No area: any valid token, or none",
        Some(area) => area,
    }
}

/// A text that ends no cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn read(name: &str) -> String {
    fs::read_to_string(root(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn root(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

const MADE: &str = "<!-- Made by `scripts/docs --write`; not edited by hand. -->\n";
