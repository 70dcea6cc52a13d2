//! The deployments that are shipped, held by `oam check --strict`, with nothing to warn of.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::oam;

const ENVOY: [&str; 4] = [
    "production.yaml",
    "production/certificate.yaml",
    "production/compose.yaml",
    "production/listeners.yaml",
];
const ISTIO: [&str; 5] = [
    "istio/base/filter.yaml",
    "istio/base/gateway.yaml",
    "istio/base/issuer.yaml",
    "istio/base/settings.yaml",
    "istio/base/workspace.yaml",
];
const ENVOY_GATEWAY: [&str; 4] = [
    "envoy-gateway/base/filter.yaml",
    "envoy-gateway/base/gateway.yaml",
    "envoy-gateway/base/patches.yaml",
    "envoy-gateway/base/workspace.yaml",
];

#[test]
fn each_is_held_by_the_strict_check() {
    let mut before_1_30 = ISTIO;
    before_1_30[0] = "istio/overlays/wasm-plugin/wasm-plugin.yaml";
    let mut with_sign_in = ENVOY.to_vec();
    with_sign_in.retain(|file| *file != "production/listeners.yaml");
    with_sign_in.extend([
        "browser/listeners.yaml",
        "browser/oauth2-client.yaml",
        "browser/oauth2-hmac.yaml",
    ]);
    let deployments: [(&str, &[&str]); 7] = [
        ("the sample", &["envoy.yaml"]),
        ("Docker", &["envoy.yaml", "docker-compose.yaml"]),
        ("Envoy", &ENVOY),
        ("Envoy, and people in a browser", &with_sign_in),
        ("Istio", &ISTIO),
        ("Istio before 1.30", &before_1_30),
        ("Envoy Gateway", &ENVOY_GATEWAY),
    ];
    for (name, files) in deployments {
        let files: Vec<String> = files.iter().map(|file| format!("envoy/{file}")).collect();
        let mut arguments = vec!["check", "--strict"];
        arguments.extend(files.iter().map(String::as_str));
        let checked = oam(&arguments);
        assert_eq!(checked.code, Some(0), "{name}: {}", checked.out);
        assert!(
            checked.out.contains(" 0 warnings"),
            "{name}: {}",
            checked.out
        );
    }
}

/// Without its file, nobody knows how Envoy is started; with another command line, a new policy
/// waits for minutes.
#[test]
fn the_command_line_is_looked_at() {
    let codes = |name: &str, compose: Option<&str>| {
        let mut arguments: Vec<String> = ["check", "--json"].map(str::to_owned).to_vec();
        let files = ENVOY.iter().filter(|file| !file.ends_with("compose.yaml"));
        arguments.extend(files.map(|file| format!("envoy/{file}")));
        if let Some(compose) = compose {
            let path = super::file(&format!("start-{name}.yaml"), compose);
            arguments.push(super::text(&path).to_owned());
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let found: Vec<Value> = serde_json::from_str(&oam(&arguments).out).unwrap();
        let codes = found
            .iter()
            .map(|finding| finding["code"].as_str().unwrap().to_owned());
        codes.collect::<Vec<_>>()
    };
    #[rustfmt::skip]
    let cases: [(&str, Option<&str>, &[&str]); 8] = [
        // name          what starts Envoy
        // found
        ("none",         None,                                                                                                                 &["drain_not_seen"]),
        ("compose",      Some("services: { g: { command: [-c, /e.yaml, --drain-time-s, '1', --drain-strategy, immediate] } }"),                &[]),
        ("one-line",     Some("services: { g: { command: envoy -c /e.yaml --drain-time-s=1 --drain-strategy=immediate } }"),                   &[]),
        ("defaults",     Some("services: { g: { command: envoy -c /e.yaml } }"),                                                               &["drain_slow"]),
        ("gradual",      Some("services: { g: { command: envoy -c /e.yaml --drain-time-s 1 } }"),                                              &["drain_slow"]),
        ("long",         Some("services: { g: { command: envoy -c /e.yaml --drain-time-s 11 --drain-strategy immediate } }"),                  &["drain_slow"]),
        ("kubernetes",   Some("kind: Deployment\nspec: { template: { spec: { containers: [{ name: e, command: [envoy], args: [--config-path=/e.yaml, --drain-time-s=10, --drain-strategy=immediate] }] } } }"), &[]),
        ("a shell",      Some("services: { g: { command: [sh, -c, 'sleep 1'] } }"),                                                            &["drain_not_seen"]),
    ];
    for (name, compose, want) in cases {
        assert_eq!(codes(&name.replace(' ', "-"), compose), want, "{name}");
    }
}

/// What Kustomize would read: each file is there, and each patch names something that its target
/// has.
#[test]
fn the_kustomizations_name_what_there_is() {
    for folder in [
        "istio/base",
        "istio/overlays/shadow",
        "istio/overlays/wasm-plugin",
        "envoy-gateway/base",
        "envoy-gateway/overlays/shadow",
    ] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("envoy")
            .join(folder);
        let kustomization = &documents(&folder.join("kustomization.yaml"))[0];
        let mut resources = Vec::new();
        for name in kustomization["resources"].as_array().unwrap() {
            let path = folder.join(name.as_str().unwrap());
            if path.is_dir() {
                let base = &documents(&path.join("kustomization.yaml"))[0];
                let names = base["resources"].as_array().unwrap().iter();
                resources
                    .extend(names.flat_map(|name| documents(&path.join(name.as_str().unwrap()))));
            } else {
                resources.extend(documents(&path));
            }
        }
        for patch in kustomization["patches"].as_array().into_iter().flatten() {
            let text = patch["patch"].as_str().unwrap();
            let operations: Value = serde_saphyr::from_str(text).unwrap();
            let target = patch.get("target").unwrap_or(&operations);
            let name = |value: &Value| {
                value
                    .pointer("/metadata/name")
                    .or(value.get("name"))
                    .cloned()
            };
            let is_target = |resource: &&Value| {
                resource["kind"] == target["kind"] && name(resource) == name(target)
            };
            let found = resources.iter().find(is_target);
            let found = found.unwrap_or_else(|| panic!("{}: {target}", folder.display()));
            for operation in operations.as_array().into_iter().flatten() {
                let place = operation["path"].as_str().unwrap();
                assert!(
                    found.pointer(place).is_some(),
                    "{}: {place}",
                    folder.display()
                );
            }
        }
    }
}

fn documents(path: &Path) -> Vec<Value> {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_saphyr::from_multiple(&text).unwrap()
}

/// With its own values the chart comes to what the Kustomize bases are.
#[test]
fn the_chart_comes_to_the_same_manifests() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("envoy/helm/databricks-oam-filter");
    let own = documents(&folder.join("values.yaml")).remove(0);
    let mut other = own.clone();
    let over = documents(&folder.join("values-envoy-gateway.yaml")).remove(0);
    for (key, value) in over.as_object().unwrap() {
        other[key] = value.clone();
    }
    for (values, platform) in [(own, "istio"), (other, "envoy-gateway")] {
        let mut rendered = Vec::new();
        for name in ["istio", "envoy-gateway"] {
            let path = folder.join(format!("templates/{name}.yaml"));
            let text = render(&fs::read_to_string(path).unwrap(), &values);
            rendered.extend(serde_saphyr::from_multiple::<Value>(&text).unwrap());
        }
        let base = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("envoy/{platform}/base"));
        let files = fs::read_dir(base).unwrap().map(|file| file.unwrap().path());
        let ours = |document: &Value| {
            !["Kustomization", "Namespace"]
                .map(Value::from)
                .contains(&document["kind"])
        };
        let want: Vec<Value> = files
            .flat_map(|file| documents(&file))
            .filter(ours)
            .collect();
        assert_eq!(rendered.len(), want.len(), "{platform}");
        for document in &want {
            assert!(
                rendered.contains(document),
                "{platform}: not rendered: {document}"
            );
        }
    }
}

/// What stands over the demonstration in containers replaces services that are there, by images
/// that the one Dockerfile makes, and starts Envoy in the same way.
#[test]
fn the_real_servers_take_the_places_of_stand_ins() {
    let envoy = Path::new(env!("CARGO_MANIFEST_DIR")).join("envoy");
    let services = |name: &str| documents(&envoy.join(name)).remove(0)["services"].take();
    let (base, over) = (
        services("docker-compose.yaml"),
        services("docker-compose.real.yaml"),
    );
    let dockerfile = fs::read_to_string(envoy.join("Dockerfile")).unwrap();
    for (name, service) in over.as_object().unwrap() {
        assert!(base[name].is_object(), "{name}");
        assert_eq!(base[name]["pull_policy"], "never", "{name}");
        if let Some(target) = service["build"]["target"].as_str() {
            assert!(dockerfile.contains(&format!(" AS {target}\n")), "{target}");
            assert_eq!(service["image"], format!("databricks-oam-filter/{target}"));
        }
    }
    let started = |services: &Value| {
        let command = services["gateway"]["command"].to_string();
        command.replace("envoy/envoy.yaml", "envoy/real.json")
    };
    assert_eq!(started(&base), started(&over));
}

/// The little of Helm's language that the chart uses: a whole file under one condition, values, and
/// a value as YAML.
fn render(template: &str, values: &Value) -> String {
    let (condition, rest) = template.split_once('\n').unwrap();
    let platform = condition
        .strip_prefix("{{- if eq .Values.platform \"")
        .and_then(|rest| rest.strip_suffix("\" }}"));
    let body = rest.strip_suffix("{{- end }}\n").unwrap();
    if values["platform"] != platform.unwrap() {
        return String::new();
    }
    let mut pieces = body.split("{{");
    let mut text = pieces.next().unwrap().to_owned();
    for piece in pieces {
        let (expression, rest) = piece.split_once("}}").unwrap();
        let expression = expression.trim_start_matches('-').trim();
        let value = match expression.strip_prefix(".Values.") {
            Some(name) => values[name].as_str().unwrap().to_owned(),
            None if expression == ".Release.Namespace" => "databricks-gateway".to_owned(),
            None => {
                // JSON is YAML.
                let whole = "toYaml .Values.configuration | nindent ";
                assert!(expression.starts_with(whole), "{expression}");
                [" ", &values["configuration"].to_string()].concat()
            }
        };
        text.push_str(&value);
        text.push_str(rest);
    }
    text
}

/// The page shows it by itself, without what stands around it in the file.
#[test]
fn the_access_log_on_its_page_is_the_shipped_one() {
    let read = |name: &str| {
        let path = format!("{}/{name}", env!("CARGO_MANIFEST_DIR"));
        fs::read_to_string(path).unwrap()
    };
    let page = read("docs/operate/records.md");
    let shown = page
        .split("```")
        .find(|block| block.contains("access_log:\n"));
    let shown: Vec<&str> = shown.unwrap().lines().skip(1).map(str::trim).collect();
    let shipped = read("envoy/production/listeners.yaml");
    let shipped: Vec<&str> = shipped.lines().map(str::trim).collect();
    assert!(shown.len() > 15, "{shown:?}");
    assert!(shipped.windows(shown.len()).any(|lines| lines == shown));
}
