//! `oam check`.

use proptest::prelude::*;

use super::{Ran, file, oam, oam_with, text};

const BOOTSTRAP: &str = include_str!("../../envoy/envoy.yaml");

/// The lines that `check` says about a file, without the file's own name.
fn lines(name: &str, content: &str) -> (Option<i32>, Vec<String>) {
    let path = file(name, content);
    let Ran { code, out, err } = oam(&["check", text(&path)]);
    assert_eq!(err, "", "{name}");
    let lines = out.replace(text(&path), "FILE");
    (
        code,
        lines
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect(),
    )
}

#[test]
fn everything_wrong_is_told_at_once() {
    let configuration = r#"
issuers:
  - issuer: https://i.example
    preset: oktaa
    audience: [a]
    clock_skew: 30
    jwks: { cluster: c, uri: "htp://k" }
roles:
  - { name: r, members: [], grants: [job] }
policy:
  rules:
    - { name: first, effect: require, paths: ["/a/{id}"], scopes: [s] }
    - { name: second, effect: require, paths: ["/a/{name}"], scopes: [t] }
"#;
    #[rustfmt::skip]
    let want = [
        "FILE",
        "  error    issuers[0].audience: unknown field `audience`, expected one of `issuer`, `preset`, `audiences`, `jwks`, `algorithms`, `clients`, `clock_skew`, `max_token_lifetime`, `token_type`, `claims`, `scopes`; did you mean `audiences`?",
        "  error    issuers[0].clock_skew: invalid type: integer `30`, expected a duration with its unit, as in `30s`",
        "  error    policy.rules[1].paths: `second` and `first` (policy.rules[0]) match the same requests and neither path is more specific: merge them, or give them different methods, issuers or paths",
        "  error    issuers[0].preset: no preset of this name; did you mean `okta`? there are auth0, aws_iam, cognito, databricks, entra, entra_v1, generic, github_actions, google, keycloak, okta, pingone, rfc9068: `oktaa`",
        "  error    issuers[0].jwks.uri: not an https URL: `htp://k`",
        "  unseen   not checked: the gateway that this configuration is for; check the Envoy bootstrap or the manifests that carry it",
        "5 errors, 0 warnings, 1 not checked",
    ];
    assert_eq!(
        lines("all-wrong.yaml", configuration),
        (Some(1), want.map(str::to_owned).to_vec())
    );
}

#[test]
fn what_stands_around_the_module_is_checked() {
    let filter = "static_resources.listeners[0].filter_chains[0].filters[0].typed_config.http_filters[0].typed_config.config";
    let manager = "static_resources.listeners[0].filter_chains[0].filters[0].typed_config";
    let open = "once the module has failed, every request goes to the workspace unchecked; write `FAIL_RELOAD`";
    let closed = "not `FAIL_RELOAD`: a worker whose module has failed once answers 503 until the configuration changes; write `FAIL_RELOAD`";
    let unnormal =
        "not `true`: Envoy and the workspace may read one path differently; write `true`";
    let unescaped =
        "escaped slashes pass, and servers differ on what they are; write `REJECT_REQUEST`";
    let idle = "missing or endless: a request that waits for a module which failed waits for minutes; write `30s`";
    let reset = "no `http.max_requests_per_io_cycle`: one client's burst of HTTP/2 resets keeps all others out; write a `static_layer` with `http.max_requests_per_io_cycle: 1`";
    let labels = "labels of the filter's metrics that nothing takes out of their names, so that alerts and dashboard find no series";
    #[rustfmt::skip]
    let cases = [
        // name                 from                              to                     what is
        // said
        ("as-it-is",            "",                               "",                    String::new()),
        ("no-failure-policy",   "failure_policy: FAIL_RELOAD",    "",                    format!("  error    {filter}.failure_policy: {closed}")),
        ("fail-open-policy",    "FAIL_RELOAD",                    "FAIL_OPEN",           format!("  error    {filter}.failure_policy: {open}")),
        ("fail-open",           "failure_policy: FAIL_RELOAD",    "fail_open: true",     format!("  error    {filter}.fail_open: {open}")),
        ("not-normalized",      "normalize_path: true",           "",                    format!("  error    {manager}.normalize_path: {unnormal}")),
        ("slashes-apart",       "merge_slashes: true",            "merge_slashes: false", format!("  error    {manager}.merge_slashes: {unnormal}")),
        ("escaped-slashes",     "REJECT_REQUEST",                 "KEEP_UNCHANGED",      format!("  error    {manager}.path_with_escaped_slashes_action: {unescaped}")),
        ("rapid-reset",         "http.max_requests_per_io_cycle: 1", "overload: {}",      format!("  warning  layered_runtime: {reset}")),
        ("unlimited",           "max_requests_per_io_cycle: 1",   "max_requests_per_io_cycle: 0", format!("  warning  layered_runtime: {reset}")),
        ("a-label-less",        "tag_name: reason,",              "tag_name: raison,",   format!("  warning  stats_config.stats_tags: {labels}: `reason`; copy `stats_tags` from `envoy/production.yaml`")),
        ("another-cluster",     "cluster: issuer\n",              "cluster: idp\n",      "  error    issuers[0].jwks.cluster: no such cluster in the bootstrap, which has workspace, issuer; add it there: `idp`".to_owned()),
        ("no-list-cluster",     "issuers:",                       "withdrawn: { list: { cluster: idp, uri: https://s.example/w } }\n                            issuers:", "  error    withdrawn.list.cluster: no such cluster in the bootstrap, which has workspace, issuer; add it there: `idp`".to_owned()),
        ("no-exchange-cluster", "cluster: workspace\n",           "cluster: idp\n",      "  error    exchange.cluster: no such cluster in the bootstrap, which has workspace, issuer; add it there: `idp`".to_owned()),
        ("no-vm-id",            "vm_id: databricks-oam-filter",   "",                    format!("  warning  {filter}.vm_config.vm_id: missing: workers do not share keys without one, and each fetches for itself; write one that no other module has")),
        ("grants",              "failure_policy: FAIL_RELOAD",    "failure_policy: FAIL_RELOAD\n                        capability_restriction_config: { allowed_capabilities: [proxy_log] }", format!("  error    {filter}.capability_restriction_config.allowed_capabilities: not an object; write `proxy_log: {{}}` and the like")),
        ("no-grants",           "failure_policy: FAIL_RELOAD",    "failure_policy: FAIL_RELOAD\n                        capability_restriction_config: { allowed_capabilities: {} }", String::new()),
        ("no-idle-timeout",     "stream_idle_timeout: 30s",       "",                    format!("  warning  {manager}.stream_idle_timeout: {idle}")),
    ];
    for (name, from, to, want) in cases {
        let (code, lines) = lines(&format!("{name}.yaml"), &BOOTSTRAP.replacen(from, to, 1));
        let said: Vec<&String> = lines.iter().filter(|line| line.starts_with("  ")).collect();
        let want: Vec<&String> = Some(&want)
            .filter(|want| !want.is_empty())
            .into_iter()
            .collect();
        assert_eq!(said, want, "{name}");
        assert_eq!(
            code,
            Some(i32::from(want.iter().any(|line| line.contains("error")))),
            "{name}"
        );
    }
}

#[test]
fn a_configuration_is_found_in_whatever_carries_it() {
    let inner = r#"{"issuers":[{"issuer":"https://i.example","audiences":["a"],"jwks":{"cluster":"c","uri":"https://i.example/k"}}],"audit":{"level":"warn"}}"#;
    let string = serde_json::Value::from(inner).to_string();
    let envoy = |value: &str| {
        let kind = if value.starts_with('"') {
            "StringValue"
        } else {
            "Struct"
        };
        format!(
            r#"{{"name":"f","typed_config":{{"@type":"type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm","config":{{"failure_policy":"FAIL_RELOAD","configuration":{{"@type":"type.googleapis.com/google.protobuf.{kind}","value":{value}}}}}}}}}"#
        )
    };
    let closed = "  error    spec.failStrategy: not `FAIL_RELOAD`: a worker whose module has failed once answers 503 until the configuration changes; write `FAIL_RELOAD`";
    let dropped = "  error    audit.level: `info`: Istio keeps lines from `warning` on alone, so every request is refused (`record_unavailable`); write `warn`";
    let patch = "kind: EnvoyPatchPolicy\nspec: { jsonPatches: [{ operation: { op: add, path: /typed_config/config/failure_policy, value: FAIL_RELOAD } }] }";
    let closed_policy = "  error    spec.wasm[0]: Envoy Gateway sets no `failure_policy`: a worker whose module has failed once answers 503 until the configuration changes; set `FAIL_RELOAD` by an `EnvoyPatchPolicy`, and check it together with this file";
    let open = "  error    spec.wasm[0].failOpen: once the module has failed, every request goes to the workspace unchecked; remove it";
    #[rustfmt::skip]
    let cases = [
        // name                content
        // place, said
        ("plain.json",         inner.to_owned(),                                                                                           "FILE", ""),
        ("struct.json",        envoy(inner),                                                                                               "FILE: typed_config.config.configuration", ""),
        ("string.json",        envoy(&string),                                                                                             "FILE: typed_config.config.configuration", ""),
        ("plugin.yaml",        format!("apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nspec: {{ failStrategy: FAIL_RELOAD, pluginConfig: {inner} }}"), "FILE: spec.pluginConfig", ""),
        ("closed-plugin.yaml", format!("kind: Service\n---\nkind: WasmPlugin\nspec: {{ pluginConfig: {inner} }}"),                         "FILE: spec.pluginConfig", closed),
        ("info-plugin.yaml",   format!("kind: WasmPlugin\nspec: {{ failStrategy: FAIL_RELOAD, pluginConfig: {} }}", inner.replace("warn", "info")), "FILE: spec.pluginConfig", dropped),
        ("policy.yaml",        format!("kind: EnvoyExtensionPolicy\nspec: {{ wasm: [{{ name: oam, config: {inner} }}] }}\n---\n{patch}"), "FILE: spec.wasm[0].config", ""),
        ("closed-policy.yaml", format!("kind: EnvoyExtensionPolicy\nspec: {{ wasm: [{{ name: oam, config: {inner} }}] }}"),                "FILE: spec.wasm[0].config", closed_policy),
        ("open-policy.yaml",   format!("kind: EnvoyExtensionPolicy\nspec: {{ wasm: [{{ failOpen: true, config: {inner} }}] }}"),           "FILE: spec.wasm[0].config", open),
        ("patch.yaml",         format!("kind: EnvoyFilter\nspec: {{ configPatches: [{{ patch: {{ operation: INSERT_BEFORE, value: {} }} }}] }}", envoy(inner)), "FILE: spec.configPatches[0].patch.value.typed_config.config.configuration", ""),
    ];
    for (name, content, place, said) in cases {
        let (code, lines) = lines(name, &content);
        assert_eq!(lines[0], place, "{name}");
        let told: Vec<&str> = lines
            .iter()
            .filter(|line| line.starts_with("  error"))
            .map(String::as_str)
            .collect();
        assert_eq!(told.join("\n"), said, "{name}");
        assert_eq!(code, Some(i32::from(!said.is_empty())), "{name}");
    }
    let none = file("none.yaml", "kind: Service\nspec: {}");
    let ran = oam(&["check", text(&none)]);
    assert_eq!(
        (ran.code, ran.err),
        (
            Some(2),
            format!(
                "oam: `{}` holds no configuration of this filter\n",
                text(&none)
            )
        )
    );
}

#[test]
fn bombs_do_not_go_off() {
    let nine = |name: char, of: char| {
        format!(
            "{name}: &{name} [{}]\n",
            vec![format!("*{of}"); 9].join(",")
        )
    };
    let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for (of, name) in ('a'..'i').zip('b'..='i') {
        bomb.push_str(&nine(name, of));
    }
    for (name, content) in [
        ("bomb", bomb),
        ("brackets", "[".repeat(100_000)),
        ("braces", "{\"a\":".repeat(100_000)),
        ("dashes", "- ".repeat(100_000)),
    ] {
        let ran = oam_with(&["check", "-"], content.as_bytes());
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
        let ran = oam_with(&["check", "-"], &bytes);
        prop_assert!(matches!(ran.code, Some(1 | 2)), "{ran:?}");
    }

    #[test]
    fn no_change_of_a_bootstrap_panics(offset in 0..BOOTSTRAP.len(), byte in any::<u8>()) {
        let mut bytes = BOOTSTRAP.as_bytes().to_vec();
        bytes[offset] = byte;
        let ran = oam_with(&["check", "-"], &bytes);
        prop_assert!(matches!(ran.code, Some(0..=2)), "{ran:?}");
    }
}

#[test]
fn misspelt_words_and_doubtful_names_are_told() {
    let issuer = r#""audiences":["db"],"jwks":{"cluster":"c","uri":"https://i.example/k"}"#;
    let with =
        |iss: &str, more: &str| format!(r#"{{"issuers":[{{"issuer":"{iss}",{issuer}{more}}}]}}"#);
    let tenant = "11111111-2222-3333-4444-555555555555";
    let rules = r#","policy":{"rules":[{"name":"r","effect":"deny","paths":["/api/2.2/jobs/run-nwo","/apps/x","/api/2.0/token/{path=**}"]}]}}"#;
    #[rustfmt::skip]
    let cases = [
        // name           configuration
        // what is told
        ("key",           with("https://i.example", r#","clok_skew":"30s""#),                                      "did you mean `clock_skew`?"),
        ("value",         with("https://i.example", r#","preset":"ockta""#),                                       "did you mean `okta`?"),
        ("common",        with("https://login.microsoftonline.com/common/v2.0", r#","preset":"entra""#),           "`common` stands for every tenant, and no token has it in `iss`"),
        ("version 1",     with(&format!("https://sts.windows.net/{tenant}/"), r#","preset":"entra""#),             "write `preset: entra_v1`"),
        ("version 2",     with(&format!("https://login.microsoftonline.com/{tenant}/v2.0"), r#","preset":"entra_v1""#), "write `preset: entra`"),
        ("path",          with("https://i.example", "").trim_end_matches('}').to_owned() + rules,           "policy.rules[0].paths[0]: the catalogue has no operation at `/api/2.2/jobs/run-nwo`; did you mean `POST /api/2.2/jobs/run-now`?"),
    ];
    for (name, configuration, want) in cases {
        let ran = oam(&[
            "check",
            text(&file(&format!("doubtful-{name}.json"), &configuration)),
        ]);
        assert!(ran.out.contains(want), "{name}: {}{}", ran.out, ran.err);
        assert!(!ran.out.contains("/apps/x"), "{name}");
    }
    let valid = with(
        &format!("https://sts.windows.net/{tenant}/"),
        r#","preset":"entra_v1""#,
    );
    let ran = oam(&["check", text(&file("doubtful-none.json", &valid))]);
    assert!(!ran.out.contains("sts.windows.net"), "{}", ran.out);
}
