//! What rules, alerts and the dashboard ask for, held against what a real Envoy shows.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wasm_tests::envoy::{Envoy, Setup};
use wasm_tests::scene::fetched;
use wasm_tests::{client, paths};

/// Of each metric, the labels and the values that they have.
type Labels = BTreeMap<String, BTreeSet<String>>;

#[test]
fn every_metric_and_label_that_is_asked_for_is_there() {
    let (_envoy, metrics) = scrape();
    let recorded: BTreeSet<String> = rules("rules.yaml").into_iter().map(|rule| rule.0).collect();
    let mut expressions = rules("rules.yaml");
    expressions.extend(rules("alerts.yaml"));
    expressions.extend(dashboard());
    let mut asked = BTreeSet::new();
    let mut faults = Vec::new();
    for (name, expression) in &expressions {
        for selector in selectors(expression) {
            if selector.metric.contains(':') {
                if !recorded.contains(&selector.metric) {
                    faults.push(format!("{name}: nothing records {}", selector.metric));
                }
                continue;
            }
            let Some(labels) = metrics.get(&selector.metric) else {
                faults.push(format!("{name}: Envoy has no {}", selector.metric));
                continue;
            };
            for (label, value) in &selector.matchers {
                if let Err(fault) = holds(&selector.metric, labels, label, value.as_deref()) {
                    faults.push(format!("{name}: {fault}"));
                }
            }
            asked.insert(selector.metric);
        }
    }
    assert_eq!(faults, [""; 0], "{metrics:?}");
    assert!(expressions.len() > 50, "{}", expressions.len());
    assert!(asked.len() > 20, "{asked:?}");
}

#[test]
fn the_reference_has_every_metric_with_its_labels() {
    let (_envoy, metrics) = scrape();
    let ours = metrics.iter().filter_map(|(name, labels)| {
        let name = name.strip_prefix("oam_filter_")?;
        let name = name.strip_suffix("_bucket").unwrap_or(name);
        let labels = labels.keys().filter(|label| *label != "le").cloned();
        Some((name.to_owned(), labels.collect::<BTreeSet<_>>()))
    });
    let of_histogram =
        |name: &str| name.ends_with("seconds_sum") || name.ends_with("seconds_count");
    let shown: BTreeMap<_, _> = ours.filter(|(name, _)| !of_histogram(name)).collect();
    let page = fs::read_to_string(paths::root().join("docs/reference/metrics.md")).expect("a page");
    let rows = page
        .lines()
        .filter(|line| line.starts_with("| `oam_filter_"));
    let told: BTreeMap<_, _> = rows
        .map(|row| {
            let quoted = |cell: &str| -> Vec<String> {
                cell.split('`')
                    .skip(1)
                    .step_by(2)
                    .map(str::to_owned)
                    .collect()
            };
            let cells: Vec<&str> = row.split('|').collect();
            let name = quoted(cells[1]).remove(0).replace("oam_filter_", "");
            (name, quoted(cells[3]).into_iter().collect())
        })
        .collect();
    assert_eq!(shown, told);
}

/// Whether a metric has a label, and the value that is asked for. Decisions have theirs when they
/// occur.
fn holds(metric: &str, labels: &Labels, label: &str, value: Option<&str>) -> Result<(), String> {
    if ["instance", "job"].contains(&label) {
        return Ok(());
    }
    let Some(values) = labels.get(label) else {
        return Err(format!("{metric} has no label {label}: {labels:?}"));
    };
    match value {
        Some(value) if metric != "oam_filter_decisions_total" && !values.contains(value) => {
            Err(format!("{metric} has no {label}=\"{value}\": {values:?}"))
        }
        Some(_) | None => Ok(()),
    }
}

/// What an Envoy shows that uses all that the filter has, and has judged one request.
fn scrape() -> (Envoy, BTreeMap<String, Labels>) {
    let mut configuration = fetched(&json!({}));
    configuration["credentials"] = json!({ "personal_access_token": { "until": "2099-12-31" } });
    configuration["exchange"] = json!({
        "cluster": "workspace", "token_endpoint": "https://workspace.example.com/oidc/v1/token",
    });
    let list = json!({ "cluster": "issuer", "uri": "https://security.example.com/withdrawn.json" });
    configuration["withdrawn"] = json!({ "list": list });
    let mut bootstrap = Setup::new(configuration).bootstrap();
    let scratch = std::env::temp_dir().join(format!("oam-listeners-{}.yaml", std::process::id()));
    fs::write(&scratch, r#"{"resources": []}"#).expect("a scratch file");
    bootstrap["node"] = json!({ "id": "gateway", "cluster": "gateway" });
    bootstrap["dynamic_resources"]["lds_config"] = json!({
        "resource_api_version": "V3", "path_config_source": { "path": scratch },
    });
    let envoy = Envoy::launch(&bootstrap, 1, None).unwrap_or_else(|log| panic!("{log}"));
    assert_eq!(
        client::get(envoy.address(), "/api/2.2/jobs/get", &[]).status,
        401
    );
    let started = Instant::now();
    loop {
        let metrics = labelled(&envoy);
        if metrics.contains_key("oam_filter_decisions_total") {
            return (envoy, metrics);
        }
        assert!(started.elapsed() < Duration::from_secs(30), "{metrics:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn labelled(envoy: &Envoy) -> BTreeMap<String, Labels> {
    let mut metrics: BTreeMap<String, Labels> = BTreeMap::new();
    for series in envoy.metrics().into_keys() {
        let selector = selectors(&series).into_iter().next();
        let Some(selector) = selector else {
            continue;
        };
        let labels = metrics.entry(selector.metric).or_default();
        for (label, value) in selector.matchers {
            labels.entry(label).or_default().extend(value);
        }
    }
    metrics
}

/// The rules of a file: what they record or which alert they are, and their expressions.
fn rules(file: &str) -> Vec<(String, String)> {
    let file = paths::root().join("envoy/monitoring/prometheus").join(file);
    let text = fs::read_to_string(file).expect("a file");
    let file: Value = serde_norway::from_str(&text).expect("YAML");
    let rules = file["groups"][0]["rules"].as_array().expect("rules");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    rules
        .iter()
        .map(|rule| {
            let name = text(&rule["record"]) + &text(&rule["alert"]);
            (name, text(&rule["expr"]))
        })
        .collect()
}

/// The expressions of the dashboard, by the titles of their panels.
fn dashboard() -> Vec<(String, String)> {
    let file = paths::root().join("envoy/monitoring/grafana/databricks-oam-filter.json");
    let text = fs::read_to_string(file).expect("a file");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels").iter();
    let targets = panels.flat_map(|panel| {
        let targets = panel["targets"].as_array().into_iter().flatten();
        targets.map(|target| (panel["title"].to_string(), target["expr"].clone()))
    });
    targets
        .filter_map(|(title, expression)| Some((title, expression.as_str()?.to_owned())))
        .collect()
}

/// A metric that is asked for.
struct Selector {
    metric: String,
    /// Labels, with the value where it is one and no pattern.
    matchers: Vec<(String, Option<String>)>,
}

/// The metrics of an expression, ours and Envoy's and what rules record, with their matchers.
fn selectors(expression: &str) -> Vec<Selector> {
    let in_name = |c: char| c.is_ascii_alphanumeric() || "_:".contains(c);
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(start) = rest.find(in_name) {
        let end = rest[start..].find(|c| !in_name(c));
        let (name, after) = rest[start..].split_at(end.unwrap_or(rest.len() - start));
        rest = after;
        let is_metric = ["oam_filter_", "envoy_"]
            .iter()
            .any(|prefix| name.starts_with(prefix));
        let is_recorded = name.contains(":oam_filter_") || name.contains(":envoy_");
        let matchers = after
            .strip_prefix('{')
            .and_then(|text| text.split_once('}'));
        if let Some((_, after)) = matchers {
            rest = after;
        }
        if is_metric || is_recorded {
            let list = matchers.map_or("", |(list, _)| list);
            found.push(Selector {
                metric: name.to_owned(),
                matchers: pairs(list),
            });
        }
    }
    found
}

/// `a="b", c=~"d"`: the labels, and the values that are compared as they stand.
fn pairs(list: &str) -> Vec<(String, Option<String>)> {
    let parts: Vec<&str> = list.split('"').collect();
    parts
        .chunks_exact(2)
        .map(|pair| {
            let label = pair[0].trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let is_equal = pair[0].ends_with('=') && !pair[0].ends_with("!=");
            (label.to_owned(), is_equal.then(|| pair[1].to_owned()))
        })
        .collect()
}
