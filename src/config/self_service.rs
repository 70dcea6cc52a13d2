//! The section `self_service`: where callers look up who they are.

use crate::authorize::SelfService;
use crate::databricks::{Catalogue, Lookup};
use crate::path::Path;

use super::code::ProblemCode;
use super::document::SelfServiceSection;
use super::problem::{Place, Problems};

#[inline(never)]
pub(super) fn build(
    section: Option<SelfServiceSection>,
    problems: &mut Problems,
) -> Option<SelfService> {
    let SelfServiceSection { path } = section?;
    if let Some(fault) = fault(&path) {
        let place = Place::at("self_service.path");
        problems.add(
            &place,
            ProblemCode::ValueMalformed,
            format_args!("{fault}: `{path}`"),
        );
        return None;
    }
    let me = [&*path, "/me"].concat().into();
    Some(SelfService { me })
}

/// What is wrong with a path to stand under.
fn fault(path: &str) -> Option<&'static str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    if !path.starts_with('/') || path.ends_with('/') || path.contains("//") {
        return Some("not a path as `/.oam`");
    }
    if path.len() > MAX_BYTES || !path.bytes().all(is_plain) {
        return Some("not a short path of letters, digits, `.`, `_` and `-`");
    }
    let me = [path, "/me"].concat();
    let Ok(parsed) = Path::parse(me.as_bytes()) else {
        return Some("a path that would be refused as ambiguous");
    };
    let first = |path: &str| path.split('/').nth(1).unwrap_or_default().to_owned();
    let mut operations = Catalogue::shared().operations().iter();
    let is_databricks = operations.any(|operation| first(operation.template) == first(path))
        || Catalogue::shared().operation("GET", &parsed) != Lookup::Unknown;
    is_databricks.then_some("Databricks has paths under it: choose another, `/.oam` say")
}

const MAX_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_of_databricks_is_shadowed() {
        #[rustfmt::skip]
        let cases = [
            // path             fault
            ("/.oam",           None),
            ("/team/who-am-i",  None),
            ("/api",            Some("Databricks has paths under it: choose another, `/.oam` say")),
            ("/sql/1.0/x",      Some("Databricks has paths under it: choose another, `/.oam` say")),
            ("/.well-known",    Some("Databricks has paths under it: choose another, `/.oam` say")),
            ("oam",             Some("not a path as `/.oam`")),
            ("/oam/",           Some("not a path as `/.oam`")),
            ("/",               Some("not a path as `/.oam`")),
            ("/a//b",           Some("not a path as `/.oam`")),
            ("/a b",            Some("not a short path of letters, digits, `.`, `_` and `-`")),
            ("/%2e",            Some("not a short path of letters, digits, `.`, `_` and `-`")),
            ("/a/..",           Some("a path that would be refused as ambiguous")),
        ];
        for (path, want) in cases {
            assert_eq!(fault(path), want, "{path}");
        }
    }
}
