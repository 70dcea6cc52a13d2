//! "Did you mean": the known word that a misspelt one is nearest to.

use databricks_oam_filter::databricks::Catalogue;

/// The known word that is nearest to this one, if any is near.
pub(super) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(word, known), known))
        .filter(|(likeness, known)| *likeness >= NEAR && *known != word)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, known)| known)
}

/// The same of a remedy that lists what there is: "there are a, b, c: `x`".
pub(super) fn for_remedy(remedy: &str) -> Option<String> {
    let (known, word) = remedy.strip_prefix("there are ")?.rsplit_once(": ")?;
    let nearest = nearest(word.trim_matches('`'), known.split(", "))?;
    Some(format!("did you mean `{nearest}`? {remedy}"))
}

/// What a message of the reader's about an unknown key or value may have meant: "unknown field `x`,
/// expected one of `a`, `b`".
pub(super) fn for_message(message: &str) -> Option<String> {
    let (unknown, expected) = message.strip_prefix("unknown ")?.split_once("expected ")?;
    let word = quoted(unknown).last()?;
    let nearest = nearest(word, quoted(expected))?;
    Some(format!("did you mean `{nearest}`?"))
}

/// The method and template of the operation that a path nobody knows may have meant.
pub(super) fn for_path(path: &str) -> Option<String> {
    let unversioned = |text: &str| -> String {
        let segments = text.split('/').enumerate();
        let is_version = |place: usize, segment: &str| {
            place == 2 && segment.starts_with(|letter: char| letter.is_ascii_digit())
        };
        let kept = segments.filter(|(place, segment)| !is_version(*place, segment));
        kept.map(|(_, segment)| segment)
            .collect::<Vec<_>>()
            .join("/")
    };
    let sought = unversioned(path);
    let nearest = Catalogue::shared()
        .operations()
        .iter()
        .map(|operation| {
            let likeness =
                strsim::normalized_levenshtein(&sought, &unversioned(operation.template));
            (likeness, operation)
        })
        .filter(|(likeness, _)| *likeness >= NEAR_PATH)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    nearest.map(|(_, operation)| format!("{} {}", operation.method, operation.template))
}

/// The words between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Likeness, of 0 to 1, from which on two words are taken for the same one misspelt.
const NEAR: f64 = 0.82;

/// The same of paths, which are longer.
const NEAR_PATH: f64 = 0.85;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_keys_and_values_are_told_from_strange_ones() {
        #[rustfmt::skip]
        let cases = [
            // message                                                                        want
            ("unknown field `isuers`, expected one of `issuers`, `roles`, `policy`",         Some("did you mean `issuers`?")),
            ("unknown variant `enforced`, expected `enforce` or `shadow`",                   Some("did you mean `enforce`?")),
            ("unknown variant `ockta`, expected one of `auth0`, `okta`, `entra`",            Some("did you mean `okta`?")),
            ("unknown field `colour`, expected one of `issuers`, `roles`",                   None),
            ("empty: leave it out for any",                                                   None),
        ];
        for (message, want) in cases {
            assert_eq!(for_message(message).as_deref(), want, "{message}");
        }
    }

    #[test]
    fn misspelt_paths_are_told_from_ones_of_ones_own() {
        #[rustfmt::skip]
        let cases = [
            // path                              want
            ("/api/2.2/jobs/run-nwo",            Some("POST /api/2.2/jobs/run-now")),
            ("/api/2.0/cluster/list",            Some("GET /api/2.1/clusters/list")),
            ("/apps/etl/admin",                  None),
        ];
        for (path, want) in cases {
            assert_eq!(for_path(path).as_deref(), want, "{path}");
        }
    }
}
