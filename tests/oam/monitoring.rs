//! What is shipped to watch the gateway by: alerts, dashboard and rules for a SIEM, held against
//! the pages and the code. Whether their metrics exist is for a real Envoy to say.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::oam;

#[test]
fn every_alert_says_how_bad_it_is_and_has_a_runbook() {
    let groups = yaml("envoy/monitoring/prometheus/alerts.yaml");
    let alerts = groups["groups"][0]["rules"].as_array().unwrap();
    let mut named = Vec::new();
    for alert in alerts {
        let name = alert["alert"].as_str().unwrap();
        let severity = alert["labels"]["severity"].as_str().unwrap();
        assert!(
            ["critical", "warning", "info"].contains(&severity),
            "{name}"
        );
        let annotation = |key: &str| alert["annotations"][key].as_str().unwrap_or_default();
        assert!(!annotation("summary").is_empty(), "{name}");
        assert!(annotation("description").ends_with('.'), "{name}");
        let page = "{{ $externalLabels.oam_pages }}operate/runbooks.html#";
        let runbook = format!("{page}{}", name.to_ascii_lowercase());
        assert_eq!(annotation("runbook_url"), runbook, "{name}");
        named.push(name);
    }
    let page = read("docs/operate/runbooks.md");
    let sections: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .collect();
    let sorted = |names: &[&str]| -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    };
    assert_eq!(sorted(&named), sorted(&sections));
    for section in page.split("\n## ").skip(1) {
        let name = section.lines().next().unwrap_or_default();
        for part in ["**Means.**", "**Look at**", "**Do"] {
            assert!(section.contains(part), "{name}: {part}");
        }
    }
    let overview = read("docs/operate/metrics.md");
    for name in named {
        assert!(overview.contains(&format!("[{name}]")), "{name}");
    }
}

#[test]
fn every_reason_that_is_watched_is_one() {
    let reasons = read("docs/troubleshoot/reasons.md");
    let known = |reason: &str| reasons.contains(&format!("### `{reason}`"));
    let alerts = read("envoy/monitoring/prometheus/alerts.yaml");
    let matchers = alerts.split("reason=~\"").skip(1);
    let in_alerts = matchers.filter_map(|text| text.split('"').next());
    for reason in in_alerts.flat_map(|list| list.split('|')) {
        assert!(known(reason), "alerts.yaml: {reason}");
    }
    for (file, rule) in sigma() {
        let detection = rule["detection"].as_object();
        for selection in detection.into_iter().flat_map(serde_json::Map::values) {
            for reason in selection["reason"].as_array().into_iter().flatten() {
                assert!(known(reason.as_str().unwrap()), "{file}: {reason}");
            }
        }
    }
}

#[test]
fn rules_for_a_siem_name_members_of_the_record() {
    let schema: Value = serde_json::from_str(&oam(&["schema", "--record"]).out).unwrap();
    let members = schema["properties"].as_object().unwrap();
    let mut rules = 0;
    for (file, rule) in sigma() {
        rules += 1;
        let detection = rule["detection"].as_object();
        let selections = detection.into_iter().flatten();
        let selected = selections
            .filter_map(|(_, selection)| selection.as_object())
            .flat_map(serde_json::Map::keys)
            .map(|name| name.split('|').next().unwrap());
        let listed = [
            &rule["fields"],
            &rule["correlation"]["group-by"],
            &Value::Array(vec![rule["correlation"]["condition"]["field"].clone()]),
        ]
        .into_iter()
        .flat_map(|list| list.as_array().into_iter().flatten())
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect::<Vec<_>>();
        for name in selected.chain(listed.iter().map(String::as_str)) {
            assert!(members.contains_key(name), "{file}: {name}");
        }
        if rule["correlation"].is_null() {
            let source = &rule["logsource"]["product"];
            assert_eq!(source, "databricks-oam-filter", "{file}");
        }
    }
    assert_eq!(rules, 6);
}

#[test]
fn every_operation_that_mints_credentials_is_watched() {
    let catalogue: Value = serde_json::from_str(&oam(&["catalogue", "--json"]).out).unwrap();
    let operations = catalogue.as_array().unwrap().iter();
    let minting: BTreeSet<&str> = operations
        .filter(|operation| {
            let marks = operation["marks"].as_array().unwrap();
            marks.contains(&Value::from("mints-credentials"))
        })
        .filter_map(|operation| operation["name"].as_str())
        // Where clients sign in: everybody's.
        .filter(|name| *name != "oidc.token")
        .collect();
    let rules = sigma();
    let mut watched = rules
        .iter()
        .filter_map(|(_, rule)| rule["detection"]["minting"]["operation"].as_array());
    let watched: BTreeSet<&str> = watched
        .next()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(watched, minting);
}

#[test]
fn the_dashboard_can_be_provisioned_and_read() {
    let text = read("envoy/monitoring/grafana/databricks-oam-filter.json");
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(dashboard["uid"], "databricks-oam-filter");
    assert!(dashboard.get("id").is_none() && dashboard.get("__inputs").is_none());
    let mut ids = BTreeSet::new();
    let mut panels = 0;
    for panel in dashboard["panels"].as_array().unwrap() {
        let title = panel["title"].as_str().unwrap();
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}");
        if panel["type"] == "row" {
            continue;
        }
        panels += 1;
        assert!(
            !panel["description"].as_str().unwrap().is_empty(),
            "{title}"
        );
        assert!(
            panel["fieldConfig"]["defaults"]["unit"].is_string(),
            "{title}"
        );
        for target in panel["targets"].as_array().unwrap() {
            assert!(
                !target["legendFormat"].as_str().unwrap().is_empty(),
                "{title}"
            );
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{title}");
            let expression = target["expr"].as_str().unwrap();
            let ranges = expression.split('[').skip(1);
            for range in ranges.filter_map(|text| text.split(']').next()) {
                assert!(range.starts_with("$__r"), "{title}: {expression}");
            }
        }
    }
    assert!(panels >= 20, "{panels}");
}

#[test]
fn every_sample_takes_the_same_labels_out_of_names() {
    let page = read("docs/reference/metrics.md");
    let rows = page.lines().filter(|line| line.starts_with("| `oam_"));
    let labels: BTreeSet<String> = rows
        .filter_map(|row| row.split('|').nth(3))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect();
    let samples = [
        "envoy/envoy.yaml",
        "envoy/production.yaml",
        "envoy/envoy-gateway/base/gateway.yaml",
        "envoy/helm/databricks-oam-filter/templates/envoy-gateway.yaml",
    ];
    for sample in samples {
        let text = read(sample);
        for label in &labels {
            let tag = format!(
                r"{{ tag_name: {label}, regex: '^wasmcustom\.oam_filter\..*?({label}=\.=(.*?);\.;)' }}"
            );
            assert!(text.contains(&tag), "{sample}: {tag}");
        }
        assert_eq!(text.matches("tag_name").count(), labels.len(), "{sample}");
    }
    let list: Vec<&str> = labels.iter().map(String::as_str).collect();
    let tags = format!("extraStatTags: [{}]", list.join(", "));
    for sample in [
        "envoy/istio/base/gateway.yaml",
        "envoy/helm/databricks-oam-filter/templates/istio.yaml",
    ] {
        assert!(read(sample).contains(&tags), "{sample}: {tags}");
    }
}

/// Every document of every Sigma rule, by the file's name.
fn sigma() -> Vec<(String, Value)> {
    let folder = fs::read_dir(root("envoy/monitoring/sigma")).unwrap();
    let mut rules = Vec::new();
    for file in folder {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        for document in text.split("\n---\n") {
            rules.push((name.clone(), serde_saphyr::from_str(document).unwrap()));
        }
    }
    rules
}

fn yaml(file: &str) -> Value {
    serde_saphyr::from_str(&read(file)).unwrap()
}

fn read(file: &str) -> String {
    fs::read_to_string(root(file)).unwrap()
}

fn root(file: &str) -> String {
    format!("{}/{file}", env!("CARGO_MANIFEST_DIR"))
}
