//! What the module and its host call in one another, from the one list of it.

/// The names of a kind: `runtime`, `gate`, `callback`, `call`, `note` or `share`.
pub fn names(kind: &str) -> impl Iterator<Item = &'static str> {
    LIST.lines().filter_map(move |line| {
        let (of, name) = line.split_once('\t')?;
        (of == kind).then_some(name)
    })
}

const LIST: &str = include_str!("border.tsv");
