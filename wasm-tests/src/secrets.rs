//! Every secret that a test makes, kept in one place as it is made, so that whatever the product
//! says can be searched for all of them.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Keeps a secret: whole, and in each part of it that tells it from others.
pub fn keep(secret: &str) {
    let mut kept = kept();
    for piece in pieces(secret) {
        kept.insert(piece.to_owned(), secret.to_owned());
    }
}

/// A static token that no other test has, with a prefix of Databricks'.
pub fn static_token(prefix: &str) -> String {
    let random = || RandomState::new().hash_one(prefix);
    made(format!("{prefix}{:016x}{:016x}", random(), random()))
}

/// A text that nobody guesses, for what has no shape.
pub fn opaque() -> String {
    let random = || RandomState::new().hash_one(0);
    made(format!("secret_{:016x}{:016x}", random(), random()))
}

/// The `Authorization` of a user and a password.
pub fn basic(user: &str, password: &str) -> String {
    keep(password);
    format!(
        "Basic {}",
        made(STANDARD.encode(format!("{user}:{password}")))
    )
}

/// The secrets of which a part stands in a text, but for those that are meant to.
pub fn within(text: &str, meant: &[&str]) -> Vec<String> {
    let mut found: Vec<String> = kept()
        .iter()
        .filter(|(piece, secret)| text.contains(&**piece) && !meant.contains(&secret.as_str()))
        .map(|(_, secret)| secret.clone())
        .collect();
    found.dedup();
    found
}

/// How many were kept.
pub fn count() -> usize {
    kept().len()
}

fn made(secret: String) -> String {
    keep(&secret);
    secret
}

/// The digits of a static token, a token's payload and signature, and else the whole. The header of
/// a token is no secret: all have it.
fn pieces(secret: &str) -> Vec<&str> {
    let is_static = ["dapi", "doau", "dose"]
        .iter()
        .any(|prefix| secret.starts_with(prefix));
    let pieces: Vec<&str> = match secret.split_once('.') {
        Some((_, rest)) => rest.split('.').collect(),
        None if is_static => vec![&secret[4..]],
        None => vec![secret],
    };
    // What is shorter stands in many a text.
    pieces
        .into_iter()
        .filter(|piece| piece.len() >= 12)
        .collect()
}

/// Each piece, and whose it is.
fn kept() -> MutexGuard<'static, BTreeMap<String, String>> {
    static KEPT: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}
