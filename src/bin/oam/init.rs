//! `oam init`: the files that ship with this product, with somebody's own names in them.
//!
//! What is written is what the tests run and `oam check --strict` proves, so the two cannot drift
//! apart. Nothing that is there is written over.

mod provider;

use std::fmt::Write as _;
use std::path::PathBuf;

use databricks_oam_filter::callout::uri::HttpsUri;
use databricks_oam_filter::issuer::preset::Preset;

use super::{Check, Said, Unreadable, check};
use provider::Provider;

/// Writes the files, and checks them.
pub(super) fn run(arguments: &super::Init) -> Result<Said, Unreadable> {
    let preset = preset(&arguments.idp)?;
    let invalid = |what: &str, text: &str| Unreadable(format!("{what} is not valid: `{text}`"));
    HttpsUri::parse(&arguments.issuer)
        .map_err(|error| Unreadable(format!("--issuer: {error}: `{}`", arguments.issuer)))?;
    for (what, name) in [("--host", &arguments.host), ("--name", &arguments.name)] {
        if !is_host(name) {
            return Err(invalid(what, name));
        }
    }
    if arguments.audience.is_empty() || arguments.audience.contains(['"', '\\', '\n']) {
        return Err(invalid("--audience", &arguments.audience));
    }
    let provider = Provider::of(preset, &arguments.issuer)?;
    let files = arguments.platform.files();
    let written: Vec<PathBuf> = files
        .iter()
        .map(|(name, _)| arguments.out.join(name))
        .collect();
    if let Some(there) = written.iter().find(|path| path.exists()) {
        let text = format!(
            "`{}` is there already: choose another folder by `--out`",
            there.display()
        );
        return Err(Unreadable(text));
    }
    let mut text = String::new();
    for (path, (_, shipped)) in written.iter().zip(files) {
        let unwritten = |error: std::io::Error| {
            Unreadable(format!("cannot write `{}`: {error}", path.display()))
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(unwritten)?;
        }
        std::fs::write(path, filled(shipped, arguments, &provider)).map_err(unwritten)?;
        let _ = writeln!(text, "{}", path.display());
    }
    let files: Vec<PathBuf> = written
        .into_iter()
        .filter(|path| !path.ends_with("controller-values.yaml"))
        .collect();
    let checked = check::run(&Check {
        files: files.clone(),
        strict: true,
        json: false,
    })?;
    text.push_str(&checked.text);
    let files: Vec<String> = files
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let _ = writeln!(
        text,
        "Now write who may do what (`roles`), and prove it again: oam check --strict {}",
        files.join(" ")
    );
    let out = arguments.out.display().to_string();
    text.push_str(&arguments.platform.next().replace("DIR", &out));
    Ok(Said::new(text, checked.yes))
}

/// Where the gateway runs.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum Platform {
    Envoy,
    Istio,
    EnvoyGateway,
}

impl Platform {
    /// The files of a platform, by their names.
    const fn files(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Envoy => &ENVOY,
            Self::Istio => &ISTIO,
            Self::EnvoyGateway => &ENVOY_GATEWAY,
        }
    }

    /// What is left to do in the folder `DIR`.
    const fn next(self) -> &'static str {
        match self {
            Self::Envoy => {
                "Then put databricks_oam_filter.wasm beside production.yaml, the certificate and its key into DIR/production/tls (tls.crt, and tls.key, which the account 101 has to be able to read), and start it: docker compose -f DIR/production/compose.yaml up --detach\n"
            }
            Self::Istio => {
                "Then make the secret databricks-gateway-tls, name your image in filter.yaml, and apply: kubectl apply -k DIR\n"
            }
            Self::EnvoyGateway => {
                "Then start the controller with controller-values.yaml, make the secret databricks-gateway-tls, name your image in filter.yaml, and apply: kubectl apply -k DIR\n"
            }
        }
    }
}

fn preset(name: &str) -> Result<Preset, Unreadable> {
    let known = Preset::ALL
        .into_iter()
        .find(|preset| preset.as_str() == name);
    known.ok_or_else(|| {
        let names = Preset::ALL.map(Preset::as_str);
        let meant = super::suggestion::nearest(name, names);
        let meant = meant.map_or_else(String::new, |meant| format!(" Did you mean `{meant}`?"));
        Unreadable(format!(
            "--idp: no preset `{name}`.{meant} There are {}",
            names.join(", ")
        ))
    })
}

fn is_host(name: &str) -> bool {
    let is_plain = |letter: char| {
        letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, '-' | '.')
    };
    name.contains('.') && name.chars().all(is_plain)
}

/// A shipped file with these names in place of its own.
fn filled(shipped: &str, arguments: &super::Init, provider: &Provider) -> String {
    let mut text = String::new();
    let mut lines = shipped.lines().peekable();
    while let Some(line) = lines.next() {
        let bare = line.trim_start();
        let indent = line
            .get(..line.len().saturating_sub(bare.len()))
            .unwrap_or_default();
        if bare.starts_with("access_request_url:") || bare.starts_with("max_token_lifetime:") {
            continue;
        }
        if bare == "roles:" {
            // As far as the list reaches.
            let within = |next: &&str| {
                let deeper = next.len().saturating_sub(next.trim_start().len()) > indent.len();
                deeper || next.trim_start().starts_with("- ")
            };
            while lines.next_if(within).is_some() {}
            for role in provider.roles() {
                let _ = writeln!(text, "{indent}{role}");
            }
            continue;
        }
        if !provider.is_exchanged() && (bare == "exchange:" || bare.contains("federation policy")) {
            let deeper = |next: &&str| next.starts_with(&format!("{indent}  "));
            while lines.next_if(deeper).is_some() {}
            continue;
        }
        let _ = writeln!(text, "{}", provider.line(line, arguments));
        if bare.starts_with("preset:")
            && let Some(scopes) = provider.scopes()
        {
            let _ = writeln!(text, "{indent}{scopes}");
        }
    }
    text
}

const ENVOY: [(&str, &str); 4] = [
    (
        "production.yaml",
        include_str!("../../../envoy/production.yaml"),
    ),
    (
        "production/listeners.yaml",
        include_str!("../../../envoy/production/listeners.yaml"),
    ),
    (
        "production/certificate.yaml",
        include_str!("../../../envoy/production/certificate.yaml"),
    ),
    (
        "production/compose.yaml",
        include_str!("../../../envoy/production/compose.yaml"),
    ),
];

const ISTIO: [(&str, &str); 7] = [
    (
        "kustomization.yaml",
        include_str!("../../../envoy/istio/base/kustomization.yaml"),
    ),
    (
        "namespace.yaml",
        include_str!("../../../envoy/istio/base/namespace.yaml"),
    ),
    (
        "gateway.yaml",
        include_str!("../../../envoy/istio/base/gateway.yaml"),
    ),
    (
        "workspace.yaml",
        include_str!("../../../envoy/istio/base/workspace.yaml"),
    ),
    (
        "issuer.yaml",
        include_str!("../../../envoy/istio/base/issuer.yaml"),
    ),
    (
        "settings.yaml",
        include_str!("../../../envoy/istio/base/settings.yaml"),
    ),
    (
        "filter.yaml",
        include_str!("../../../envoy/istio/base/filter.yaml"),
    ),
];

const ENVOY_GATEWAY: [(&str, &str); 7] = [
    (
        "kustomization.yaml",
        include_str!("../../../envoy/envoy-gateway/base/kustomization.yaml"),
    ),
    (
        "namespace.yaml",
        include_str!("../../../envoy/envoy-gateway/base/namespace.yaml"),
    ),
    (
        "gateway.yaml",
        include_str!("../../../envoy/envoy-gateway/base/gateway.yaml"),
    ),
    (
        "workspace.yaml",
        include_str!("../../../envoy/envoy-gateway/base/workspace.yaml"),
    ),
    (
        "filter.yaml",
        include_str!("../../../envoy/envoy-gateway/base/filter.yaml"),
    ),
    (
        "patches.yaml",
        include_str!("../../../envoy/envoy-gateway/base/patches.yaml"),
    ),
    (
        "controller-values.yaml",
        include_str!("../../../envoy/envoy-gateway/controller-values.yaml"),
    ),
];
