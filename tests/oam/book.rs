//! The pages: links lead somewhere, and what they show is run or checked, unless a comment says
//! that it is checked elsewhere.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{file, oam, text};

#[test]
fn links_lead_somewhere() {
    let pages = pages();
    let mut wrong = Vec::new();
    for (path, page) in &pages {
        for link in links(page) {
            let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
            if target.contains("://") {
                continue;
            }
            let to = if target.is_empty() {
                path.clone()
            } else {
                normal(&path.parent().unwrap().join(target))
            };
            let found = match pages.get(&to) {
                Some(other) => anchor.is_empty() || anchors(other).contains(&anchor.to_owned()),
                None => anchor.is_empty() && to.exists(),
            };
            if !found {
                wrong.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_page_is_in_the_summary() {
    let summary = fs::read_to_string(docs().join("SUMMARY.md")).unwrap();
    let listed: Vec<PathBuf> = links(&summary).map(|link| docs().join(link)).collect();
    for path in pages()
        .keys()
        .filter(|path| path.starts_with(docs()) && !path.ends_with("SUMMARY.md"))
    {
        assert!(listed.contains(path), "{}", path.display());
    }
}

#[test]
fn configurations_are_valid() {
    let mut count = 0;
    for (path, page) in &pages() {
        for (number, block) in blocks(page, "yaml").enumerate() {
            let name = format!("page-{}-{number}.yaml", path.file_stem().unwrap().display());
            let checked = oam(&["check", text(&file(&name, &included(path, block)))]);
            assert_eq!(
                checked.code,
                Some(0),
                "{}: {}\n{block}",
                path.display(),
                checked.out
            );
            assert!(
                checked.out.contains(" 0 warnings"),
                "{}: {}\n{block}",
                path.display(),
                checked.out
            );
            count += 1;
        }
    }
    assert!(count > 10, "{count}");
}

#[test]
fn commands_run() {
    let folder = Path::new(env!("CARGO_BIN_EXE_oam")).parent().unwrap();
    let search = std::env::var("PATH").unwrap();
    let mut count = 0;
    for (path, page) in &pages() {
        for block in blocks(page, "sh") {
            let is_short = |line: &str| {
                ["echo ", "oam "]
                    .iter()
                    .any(|command| line.trim().starts_with(command))
            };
            assert!(
                block
                    .lines()
                    .filter(|line| !line.trim().is_empty())
                    .all(is_short),
                "{}: mark as checked elsewhere:\n{block}",
                path.display()
            );
            let ran = Command::new("bash")
                .args(["-euo", "pipefail", "-c", block])
                .current_dir(env!("CARGO_MANIFEST_DIR"))
                .env("PATH", format!("{}:{search}", folder.display()))
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&ran.stderr);
            assert!(
                ran.status.success() && said.is_empty(),
                "{}: {block}\n{said}",
                path.display()
            );
            count += 1;
        }
    }
    assert!(count > 10, "{count}");
}

/// The token on a provider's page is one that the policy on it accepts.
#[test]
fn tokens_of_providers_are_accepted() {
    for provider in [
        "auth0",
        "aws-iam",
        "entra",
        "github-actions",
        "keycloak",
        "okta",
    ] {
        let path = docs().join(format!(
            "providers/{}.md",
            provider.trim_end_matches("-iam")
        ));
        let page = fs::read_to_string(&path).unwrap();
        let token = blocks(&page, "json")
            .next()
            .unwrap_or_else(|| panic!("{provider}"));
        let claims = file(&format!("page-{provider}.json"), token);
        let policy = format!("envoy/policies/{provider}.yaml");
        let host = "https://databricks.example.com/api/2.0/preview/scim/v2/Me";
        let explained = oam(&[
            "explain",
            "--config",
            &policy,
            "--claims",
            text(&claims),
            "--at",
            "2026-11-23T10:34:00Z",
            "--json",
            "GET",
            host,
        ]);
        let answer: Value = serde_json::from_str(&explained.out)
            .unwrap_or_else(|_| panic!("{provider}: {explained:?}"));
        assert_eq!(answer["status"], 200, "{provider}: {}", explained.out);
        assert_ne!(
            answer["roles"],
            serde_json::json!([]),
            "{provider}: {}",
            explained.out
        );
    }
}

/// All pages, and the files at the root that are pages too.
fn pages() -> BTreeMap<PathBuf, String> {
    let mut pages = BTreeMap::new();
    let mut folders = vec![docs()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.insert(path.clone(), fs::read_to_string(path).unwrap());
            }
        }
    }
    for name in [
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "README.md",
        "SECURITY.md",
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        pages.insert(path.clone(), fs::read_to_string(path).unwrap());
    }
    pages
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// The blocks of a language that nothing says are checked elsewhere.
fn blocks<'a>(page: &'a str, language: &str) -> impl Iterator<Item = &'a str> {
    let fence = format!("```{language}\n");
    let parts: Vec<&str> = page.split(&fence).collect();
    let pairs: Vec<(&str, &str)> = parts.windows(2).map(|pair| (pair[0], pair[1])).collect();
    pairs.into_iter().filter_map(|(before, after)| {
        let elsewhere = before.trim_end().ends_with("<!-- checked: elsewhere -->");
        (!elsewhere).then(|| after.split("```").next().unwrap_or_default())
    })
}

/// A block, or the file that it includes.
fn included(page: &Path, block: &str) -> String {
    let name = block
        .trim()
        .strip_prefix("{{#include ")
        .and_then(|rest| rest.strip_suffix("}}"));
    match name {
        Some(name) => fs::read_to_string(page.parent().unwrap().join(name)).unwrap(),
        // Inside a list it is indented.
        None => block.to_owned(),
    }
}

/// Where the links of a page lead; code has none.
fn links(page: &str) -> impl Iterator<Item = &str> {
    let mut code = false;
    let prose = page.lines().filter(move |line| {
        code ^= line.trim_start().starts_with("```");
        !code
    });
    prose.flat_map(|line| {
        line.split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
    })
}

/// The anchors of a page's headings, as mdBook makes them.
fn anchors(page: &str) -> Vec<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let anchor = |line: &str| {
        let text = line.trim_start_matches('#').trim().to_lowercase();
        let kept = text
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

/// A path without `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        if part == std::path::Component::ParentDir {
            normal.pop();
        } else {
            normal.push(part);
        }
    }
    normal
}
