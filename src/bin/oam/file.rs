//! Files: how much of them is read, and what they hold.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use databricks_oam_filter::token::json::{Json, JsonError};
use serde_json::Value;
use serde_saphyr::Spanned;

use super::Unreadable;
use super::surroundings::{Document, Layout};

/// The bytes of a file; `-` is standard input.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Unreadable> {
    let name = path.display();
    let mut bytes = Vec::new();
    let read = if path.as_os_str() == "-" {
        io::stdin().take(MOST_BYTES).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes))
    };
    let length = read.map_err(|error| Unreadable(format!("cannot read `{name}`: {error}")))?;
    if u64::try_from(length).is_ok_and(|length| length >= MOST_BYTES) {
        return Err(Unreadable(format!(
            "`{name}` has more than {MOST_BYTES} bytes"
        )));
    }
    Ok(bytes)
}

/// The documents of a JSON or YAML file, empty ones left out.
pub(super) fn documents(path: &Path) -> Result<Vec<Value>, Unreadable> {
    parse(path, &read(path)?)
}

/// The same, with the lines on which everything stands.
pub(super) fn laid_out(path: &Path) -> Result<Vec<Document>, Unreadable> {
    let bytes = read(path)?;
    let values = parse(path, &bytes)?;
    // JSON is YAML.
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    let layouts = serde_saphyr::from_multiple::<Spanned<Layout>>(text).unwrap_or_default();
    let are_same = layouts.len() == values.len();
    let mut layouts = layouts.into_iter().filter(|_| are_same);
    let documents = values.into_iter().map(|value| Document {
        file: path.to_owned(),
        value,
        layout: layouts.next(),
    });
    Ok(documents.collect())
}

/// The documents of a text, if it is JSON or YAML.
pub(super) fn documents_in(text: &str) -> Option<Vec<Value>> {
    parse(Path::new("-"), text.as_bytes()).ok()
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Vec<Value>, Unreadable> {
    let name = path.display();
    let is_json = bytes.trim_ascii_start().starts_with(b"{");
    let json = is_json.then(|| serde_json::from_slice::<Value>(bytes));
    if let Some(Ok(value)) = json {
        // As the module does: this reader would let the last of two equal keys win.
        if Json::parse(bytes).err() == Some(JsonError::DuplicateMember) {
            return Err(Unreadable(format!(
                "`{name}` has a key twice in one object: keep one of the two"
            )));
        }
        return Ok(vec![value]);
    }
    let yaml = std::str::from_utf8(bytes)
        .map_err(|error| error.to_string())
        .and_then(|text| {
            serde_saphyr::from_multiple::<Value>(text)
                .map_err(|error| first_line(&error.to_string()))
        });
    let documents = match (yaml, json) {
        (Ok(documents), _) => documents,
        // What begins as JSON was meant as JSON.
        (Err(_), Some(Err(error))) => {
            return Err(Unreadable(format!("`{name}` is not JSON: {error}")));
        }
        (Err(error), _) => {
            return Err(Unreadable(format!(
                "`{name}` is neither JSON nor YAML: {error}"
            )));
        }
    };
    Ok(documents
        .into_iter()
        .filter(|value| !value.is_null())
        .collect())
}

/// The text with whatever looks like a token left out.
pub(super) fn without_tokens(text: &str) -> String {
    // `eyJ` is how `{"` begins in base64url.
    let mut rest = text;
    let mut clean = String::with_capacity(text.len());
    while let Some((before, token)) = rest.split_once("eyJ") {
        clean.push_str(before);
        clean.push('…');
        let is_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '=');
        rest = token.trim_start_matches(is_token);
    }
    clean.push_str(rest);
    clean
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// Envoy's own configurations have a few megabytes at most.
const MOST_BYTES: u64 = 16 * 1024 * 1024;
