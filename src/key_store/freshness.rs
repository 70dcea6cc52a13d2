//! How long an answer may be used, by its own word (RFC 9111 §4.2).

use std::time::Duration;

/// The freshness that `Cache-Control: max-age` grants, less what `Age` has used up; `None` when the
/// answer says nothing of it, and nothing at all when it asks not to be kept.
pub(super) fn granted(cache_control: Option<&[u8]>, age: Option<&[u8]>) -> Option<Duration> {
    let text = std::str::from_utf8(cache_control?).ok()?;
    let directives = || text.split(',').map(str::trim);
    let forbidden = directives().any(|directive| {
        directive.eq_ignore_ascii_case("no-store") || directive.eq_ignore_ascii_case("no-cache")
    });
    if forbidden {
        return Some(Duration::ZERO);
    }
    let max_age = directives().find_map(|directive| {
        let (name, value) = directive.split_once('=')?;
        name.eq_ignore_ascii_case("max-age")
            .then(|| seconds(value.trim_matches('"')))?
    })?;
    let age = age
        .and_then(|age| std::str::from_utf8(age).ok())
        .and_then(|age| seconds(age.trim()))
        .unwrap_or_default();
    Some(max_age.saturating_sub(age))
}

/// `delta-seconds`, RFC 9111 §1.2.2: past 2^31 it means "very long".
fn seconds(text: &str) -> Option<Duration> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| Duration::from_secs(u64::from(text.parse::<u32>().unwrap_or(u32::MAX))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freshness_is_what_the_answer_grants() {
        #[rustfmt::skip]
        let cases: [(&str, Option<&str>, Option<&str>, Option<u64>); 11] = [
            // name                     Cache-Control                     Age             want
            ("nothing said",            None,                             None,           None),
            ("max-age",                 Some("max-age=600"),              None,           Some(600)),
            ("among others",            Some("public, Max-Age=600, x=1"), None,           Some(600)),
            ("quoted",                  Some("max-age=\"600\""),          None,           Some(600)),
            ("partly used up",          Some("max-age=600"),              Some("100"),    Some(500)),
            ("used up",                 Some("max-age=600"),              Some("700"),    Some(0)),
            ("an odd age",              Some("max-age=600"),              Some("x"),      Some(600)),
            ("not to be kept",          Some("no-store, max-age=600"),    None,           Some(0)),
            ("not a number",            Some("max-age=soon"),             None,           None),
            ("negative",                Some("max-age=-1"),               None,           None),
            ("past every number",       Some("max-age=99999999999999"),   None,           Some(u64::from(u32::MAX))),
        ];
        for (name, cache_control, age, want) in cases {
            let got = granted(cache_control.map(str::as_bytes), age.map(str::as_bytes));
            assert_eq!(got, want.map(Duration::from_secs), "{name}");
        }
    }
}
