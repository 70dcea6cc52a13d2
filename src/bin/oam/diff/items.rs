//! What a line of differences is about: operations, paths of rules, and other requests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use databricks_oam_filter::comparison::RequestClass;
use databricks_oam_filter::comparison::samples::SampleRequest;
use databricks_oam_filter::databricks::scope::{self, ALL_APIS, Reach};
use databricks_oam_filter::databricks::{Catalogue, Lookup, Operation};
use databricks_oam_filter::path::Path;

use crate::cli::style;

/// Requests that change hands together.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Requests {
    /// The names of operations.
    pub(super) operations: BTreeSet<&'static str>,
    /// Paths of rules, each with the methods and the MCP calls.
    pub(super) paths: BTreeMap<String, BTreeSet<String>>,
    /// Operations of which only some spellings of the path, or some names in it, are meant.
    pub(super) in_part: BTreeSet<&'static str>,
    /// Whether there are requests besides that nothing describes.
    pub(super) has_unknown: bool,
}

/// What one class of requests is: worked out once, and needed with every caller.
#[derive(Default)]
pub(super) struct ClassContents {
    operations: BTreeSet<&'static str>,
    others: BTreeSet<Other>,
}

/// A request that is no operation as it is written: the operation that it is all the same, and the
/// template of the rule that it was written for, with its method or MCP call.
type Other = (Option<&'static str>, Option<(String, String)>);

impl ClassContents {
    /// What is in a class.
    pub(super) fn of(
        class: &RequestClass<'_, '_>,
        requests: &[(&SampleRequest, Option<&'static Operation>)],
    ) -> Self {
        let mut contents = Self::default();
        let members = class.members.iter();
        for (request, operation) in members.filter_map(|member| requests.get(*member)) {
            let operation = operation.map(|operation| operation.name);
            if request.is_plain {
                contents.operations.extend(operation);
            } else {
                let template = request.template.as_ref();
                let template = template.map(|template| (template.to_string(), how(request)));
                contents.others.insert((operation, template));
            }
        }
        contents
    }
}

/// The method of a request, or its MCP call.
fn how(request: &SampleRequest) -> String {
    match &request.tool {
        Some(tool) => match &tool.name {
            Some(name) => format!("{} {name}", tool.method),
            None => tool.method.to_string(),
        },
        None => request.method.to_string(),
    }
}

impl Requests {
    /// What these classes of requests are.
    pub(super) fn of(classes: &[&ClassContents]) -> Self {
        let mut requests = Self::default();
        let plain = classes.iter().flat_map(|class| &class.operations);
        requests.operations.extend(plain);
        for other in classes.iter().flat_map(|class| &class.others) {
            match other {
                (Some(name), _) if requests.operations.contains(name) => {}
                (_, Some((template, how))) => {
                    let known = requests.paths.entry(template.clone()).or_default();
                    known.insert(how.clone());
                }
                (Some(name), None) => {
                    requests.in_part.insert(name);
                }
                (None, None) => requests.has_unknown = true,
            }
        }
        requests
    }

    /// In words, each part by itself.
    pub(super) fn words(&self) -> Vec<String> {
        let mut words = of_operations(&self.operations);
        for (path, how) in &self.paths {
            let is_any = how.contains(FRESH);
            let methods = how.iter().filter(|text| text.chars().all(is_capital));
            let methods: Vec<&str> = methods.map(String::as_str).collect();
            let tools: Vec<&str> = how
                .iter()
                .map(String::as_str)
                .filter(|text| !methods.contains(text))
                .collect();
            words.push(match (is_any, methods.is_empty()) {
                (true, _) => format!("`{path}`"),
                (false, false) => format!("{} `{path}`", methods.join(", ")),
                (false, true) => format!("`{path}` ({})", few(&tools)),
            });
        }
        if !self.in_part.is_empty() {
            let names: Vec<&str> = self.in_part.iter().copied().collect();
            words.push(format!("certain paths of {}", few(&names)));
        }
        if self.has_unknown && words.is_empty() {
            words.push("requests that nothing describes".to_owned());
        }
        words
    }
}

/// The operation of the catalogue that a request is.
pub(super) fn operation(request: &SampleRequest) -> Option<&'static Operation> {
    let path = Path::parse(request.path.as_bytes()).ok()?;
    match Catalogue::shared().operation(&request.method, &path) {
        Lookup::Found(operation) => Some(operation),
        Lookup::Ambiguous | Lookup::Unknown => None,
    }
}

const fn is_capital(letter: char) -> bool {
    letter.is_ascii_uppercase()
}

/// Operations in words: by the scopes that cover just these.
fn of_operations(names: &BTreeSet<&'static str>) -> Vec<String> {
    let all = Catalogue::shared().operations();
    let every = reachable();
    let missing: Vec<&str> = every.difference(names).copied().collect();
    if missing.len() < names.len() / MOST_LEFT_OUT {
        return vec![format!(
            "{} of {}{}",
            names.len(),
            style::count(every.len(), "operation"),
            without(&missing)
        )];
    }
    let documented: BTreeSet<&str> = all
        .iter()
        .filter(|operation| {
            !operation.area().is_empty()
                && scope::covers(ALL_APIS, operation)
                && every.contains(operation.name)
        })
        .map(|operation| operation.name)
        .collect();
    let mut words = Vec::new();
    let mut left = names.clone();
    let missing: Vec<&str> = documented.difference(names).copied().collect();
    if missing.len() < names.len() / MOST_LEFT_OUT {
        let covered = documented.len().saturating_sub(missing.len());
        words.push(counted(ALL_APIS, covered) + &without(&missing));
        left.retain(|name| !documented.contains(name));
    }
    let mut areas: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for operation in all.iter().filter(|operation| left.contains(operation.name)) {
        let of_area = areas.entry(operation.area()).or_default();
        of_area.insert(operation.name);
    }
    if areas.len() > MOST_AREAS {
        let operations: usize = areas.values().map(BTreeSet::len).sum();
        let names: Vec<&str> = areas
            .keys()
            .copied()
            .filter(|area| !area.is_empty())
            .collect();
        words.push(format!(
            "{operations} operations of {} areas: {}",
            areas.len(),
            few(&names)
        ));
    } else {
        words.extend(areas.iter().map(|(area, names)| of_area(area, names)));
    }
    words
}

/// The names of operations that some path leads to: one that differs from another in a trailing
/// slash alone is read as that.
fn reachable() -> &'static BTreeSet<&'static str> {
    static SHARED: OnceLock<BTreeSet<&str>> = OnceLock::new();
    SHARED.get_or_init(|| {
        let leads = |operation: &&Operation| {
            let path = filled(operation.template);
            let method = if operation.method == "*" {
                "POST"
            } else {
                operation.method
            };
            let path = Path::parse(path.as_bytes());
            let found = path.map(|path| Catalogue::shared().operation(method, &path));
            matches!(found, Ok(Lookup::Found(found)) if found.name == operation.name)
        };
        let all = Catalogue::shared().operations().iter();
        all.filter(leads).map(|operation| operation.name).collect()
    })
}

/// A path of a template.
fn filled(template: &str) -> String {
    let fill = |segment: &str| match segment.split_once('}') {
        Some((_, verb)) => format!("5{verb}"),
        None => segment.to_owned(),
    };
    template.split('/').map(fill).collect::<Vec<_>>().join("/")
}

fn without(missing: &[&str]) -> String {
    if missing.is_empty() {
        String::new()
    } else {
        format!(", without {}", few(missing))
    }
}

/// Operations of one area.
fn of_area(area: &str, names: &BTreeSet<&str>) -> String {
    let reaching = |reaches: &[Reach]| -> BTreeSet<&str> {
        let own = Catalogue::shared().operations().iter();
        let own = own.filter(|operation| reachable().contains(operation.name));
        own.filter(|operation| operation.area() == area && reaches.contains(&Reach::of(operation)))
            .map(|operation| operation.name)
            .collect()
    };
    let (read, data, whole) = (Reach::Read, Reach::Data, Reach::Whole);
    let known: [(&[Reach], String); 6] = [
        (&[read, data, whole], area.to_owned()),
        (&[read], format!("{area}:read")),
        (&[read, data], format!("{area}:data")),
        (&[data, whole], format!("{area}` beyond `{area}:read")),
        (&[whole], format!("{area}` beyond `{area}:data")),
        (&[data], format!("{area}:data` beyond `{area}:read")),
    ];
    let list: Vec<&str> = names.iter().copied().collect();
    if area.is_empty() {
        return format!("calls that need no scope: {}", few(&list));
    }
    // The one that leaves out the fewest.
    let nearest = known
        .iter()
        .map(|(reaches, words)| (reaching(reaches), words))
        .filter(|(covered, _)| names.is_subset(covered))
        .min_by_key(|(covered, _)| covered.len());
    match nearest {
        Some((covered, words)) if covered.len() <= names.len().saturating_mul(5) / 4 => {
            let missing: Vec<&str> = covered.difference(names).copied().collect();
            counted(words, names.len()) + &without(&missing)
        }
        Some(_) | None => format!(
            "{} of `{area}`: {}",
            style::count(names.len(), "operation"),
            few(&list)
        ),
    }
}

fn counted(scope: &str, operations: usize) -> String {
    format!("`{scope}` ({})", style::count(operations, "operation"))
}

/// The first of them, and how many there are besides.
fn few(names: &[&str]) -> String {
    let shown = names.get(..MOST_SHOWN).unwrap_or(names);
    let text = shown.join(", ");
    match names.len().saturating_sub(shown.len()) {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

const MOST_SHOWN: usize = 6;

/// Areas that are listed one by one.
const MOST_AREAS: usize = 12;

/// The part of all operations, as one in so many, that a line may leave out and still be told by
/// what it leaves out.
const MOST_LEFT_OUT: usize = 20;

/// A method that no rule names, so that it stands for all others.
const FRESH: &str = "REPORT";
