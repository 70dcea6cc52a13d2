//! Whether requests find an operation, and the one of their own path.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path as FilePath;

use catalogue_tools::call::Call;
use catalogue_tools::derive::{expand, key};
use catalogue_tools::literal::{self, Literal};
use catalogue_tools::rules::Rules;
use catalogue_tools::wheel::{self, Module};
use databricks_oam_filter::databricks::{Catalogue, Lookup};
use databricks_oam_filter::path;
use libtest_mimic::Failed;

use crate::packages::{Client, Package};

/// Each of these calls, in its own version and in others, finds one operation; where the calls are
/// the newest, that of its own path.
pub(crate) fn every_call(calls: &[Call], are_newest: bool) -> Result<(), Failed> {
    // Fewer calls mean that the reading broke, not that the clients shrank.
    if calls.len() < 270 {
        return Err(format!("only {} calls were read", calls.len()).into());
    }
    let mut wrong = Vec::new();
    for (call, template) in expand(calls, &Rules::new(), &mut wrong) {
        if let Err(problem) = is_known(&call.method, &template, are_newest) {
            wrong.push(format!(
                "{} {template} ({}): {problem}",
                call.method, call.source
            ));
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(format!("run `scripts/update-catalogue`:\n{}", wrong.join("\n")).into())
}

fn is_known(method: &str, template: &str, is_newest: bool) -> Result<(), String> {
    for request in versions(&request(template)) {
        match find(method, &request)? {
            Lookup::Found(operation)
                if !is_newest || key(method, operation.template) == key(method, template) => {}
            Lookup::Found(operation) => {
                return Err(format!("`{request}` finds {}", operation.name));
            }
            Lookup::Ambiguous => return Err(format!("`{request}` is ambiguous")),
            Lookup::Unknown => return Err(format!("`{request}` is unknown")),
        }
    }
    Ok(())
}

/// Each path in the source of a client finds an operation, or begins the paths of operations: what
/// follows stands elsewhere then.
pub(crate) fn every_path(client: &Client, found: &[Package]) -> Result<(), Failed> {
    let mut literals = BTreeSet::new();
    for package in found {
        literals.extend(match client.registry {
            "npm" => literal::in_javascript(&javascript(&package.path)?, &client.bases),
            _ => literal::in_python(&wheel::modules(&package.path)?, &client.bases),
        });
    }
    let paths: BTreeSet<_> = literals.iter().map(|literal| &literal.path).collect();
    if paths.len() < client.least {
        return Err(format!("only {} paths were read", paths.len()).into());
    }
    let mut wrong = Vec::new();
    for literal in literals
        .iter()
        .filter(|literal| !is_no_call(client, literal))
    {
        if !is_path_known(literal) {
            let method = literal.method.as_deref().unwrap_or("?");
            wrong.push(format!("{method} {} ({})", literal.path, literal.module));
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let advice =
        "add them to `rules/operations.tsv`, or say in `rules/no_calls.tsv` why they are no calls";
    Err(format!("{advice}:\n{}", wrong.join("\n")).into())
}

fn is_path_known(literal: &Literal) -> bool {
    let request = literal.path.replace("{}", "zz.9-a");
    let methods = match &literal.method {
        Some(method) => vec![method.as_str()],
        None => METHODS.to_vec(),
    };
    let finds = |method: &&str| matches!(find(method, &request), Ok(Lookup::Found(_)));
    methods.iter().any(finds) || begins_operations(&literal.path)
}

/// Whether operations stand below a path.
fn begins_operations(path: &str) -> bool {
    let wanted: Vec<_> = path.trim_end_matches('/').split('/').collect();
    Catalogue::shared().operations().iter().any(|operation| {
        let segments: Vec<_> = operation.template.split('/').collect();
        let fits = |(place, (wanted, segment)): (usize, (&&str, &&str))| {
            *wanted == "{}" || segment.starts_with('{') || wanted == segment || place == 2
        };
        segments.len() > wanted.len() && wanted.iter().zip(&segments).enumerate().all(fits)
    })
}

fn is_no_call(client: &Client, literal: &Literal) -> bool {
    include_str!("../../rules/no_calls.tsv")
        .lines()
        .any(|line| {
            let fields: Vec<_> = line.split('\t').collect();
            let [package, module, path, _] = fields[..] else {
                return false;
            };
            package == client.package
                && (module == "*" || literal.module.ends_with(module))
                && (path == "*" || literal.path == path)
        })
}

fn find(method: &str, request: &str) -> Result<Lookup, String> {
    let path = path::Path::parse(request.as_bytes()).map_err(|error| error.to_string())?;
    Ok(Catalogue::shared().find(method, &path))
}

/// A path that a template takes.
fn request(template: &str) -> String {
    let segments = template
        .split('/')
        .map(|segment| match segment.split_once('}') {
            Some(("{path=**", _)) => "a/b%20c.csv".to_owned(),
            Some((_, suffix)) => format!("zz.9-a{suffix}"),
            None => segment.to_owned(),
        });
    segments.collect::<Vec<_>>().join("/")
}

/// The request, and the same in another version of the API.
fn versions(request: &str) -> Vec<String> {
    let mut segments: BTreeMap<_, _> = request.split('/').map(str::to_owned).enumerate().collect();
    let version = segments
        .get(&2)
        .filter(|version| version.starts_with(|digit: char| digit.is_ascii_digit()));
    let mut requests = vec![request.to_owned()];
    if version.is_some() && request.starts_with("/api/") {
        segments.insert(2, "2.0".to_owned());
        requests.push(segments.into_values().collect::<Vec<_>>().join("/"));
    }
    requests
}

/// The JavaScript modules below a directory.
fn javascript(directory: &FilePath) -> Result<Vec<Module>, Failed> {
    let mut modules = Vec::new();
    let mut left = vec![directory.to_owned()];
    while let Some(place) = left.pop() {
        for entry in fs::read_dir(place)? {
            let path = entry?.path();
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|extension| extension == "js") {
                modules.push(Module {
                    source: fs::read_to_string(&path)?,
                    path: path.display().to_string(),
                });
            }
        }
    }
    Ok(modules)
}

const METHODS: [&str; 6] = ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"];
