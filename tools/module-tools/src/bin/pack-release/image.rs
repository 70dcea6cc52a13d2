//! An image of the module as an OCI image layout, in the two forms that Istio and Envoy Gateway
//! read (solo-io's wasm image specification).
//!
//! One layer of the module's own media type is what other tools write and what both refuse: the
//! form with own media types has exactly two layers.

use std::path::PathBuf;

use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};

use super::hexadecimal;

/// How the module stands in an image.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    /// Two layers with media types of their own.
    Artifact,
    /// A file in an ordinary layer, for registries that know nothing else.
    Compat,
}

/// A folder that becomes an image layout.
pub(super) struct Layout(PathBuf);

/// A layer's descriptor, and the digest of what is in it once it is unpacked.
struct Layer {
    descriptor: Value,
    content: String,
}

impl Layout {
    /// In this folder.
    pub(super) const fn at(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// Writes an image of the module, and yields its digest.
    pub(super) fn write(
        &self,
        form: Form,
        module: &[u8],
        revision: &str,
    ) -> Result<String, String> {
        let layers = match form {
            Form::Artifact => self.own_layers(module)?,
            Form::Compat => vec![self.ordinary_layer(module)?],
        };
        let contents = layers
            .iter()
            .map(|layer| format!("sha256:{}", layer.content));
        let config = json!({
            "architecture": "wasm", "os": "wasi", "config": {},
            "rootfs": { "type": "layers", "diff_ids": contents.collect::<Vec<_>>() },
        });
        let config = self.blob(
            "application/vnd.oci.image.config.v1+json",
            config.to_string().as_bytes(),
        )?;
        let layers: Vec<Value> = layers.into_iter().map(|layer| layer.descriptor).collect();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers,
            "annotations": annotations(form, revision),
        });
        let mut manifest = self.blob(MANIFEST, manifest.to_string().as_bytes())?;
        let digest = manifest["digest"].as_str().unwrap_or_default().to_owned();
        manifest["annotations"] =
            json!({ "org.opencontainers.image.ref.name": env!("CARGO_PKG_VERSION") });
        let index = json!({ "schemaVersion": 2, "manifests": [manifest] });
        super::write(&self.0.join("index.json"), index.to_string().as_bytes())?;
        super::write(
            &self.0.join("oci-layout"),
            br#"{"imageLayoutVersion":"1.0.0"}"#,
        )?;
        Ok(digest)
    }

    fn own_layers(&self, module: &[u8]) -> Result<Vec<Layer>, String> {
        let about = json!({ "name": "databricks-oam-filter", "root_id": "databricks-oam-filter" })
            .to_string();
        let parts: [(&str, &[u8]); 2] = [
            (
                "application/vnd.module.wasm.config.v1+json",
                about.as_bytes(),
            ),
            ("application/vnd.module.wasm.content.layer.v1+wasm", module),
        ];
        let layer = |(media_type, bytes): (&str, &[u8])| {
            let descriptor = self.blob(media_type, bytes)?;
            Ok(Layer {
                descriptor,
                content: hexadecimal(bytes),
            })
        };
        parts.into_iter().map(layer).collect()
    }

    fn ordinary_layer(&self, module: &[u8]) -> Result<Layer, String> {
        let archive = archive(module)?;
        let descriptor = self.blob(
            "application/vnd.oci.image.layer.v1.tar+gzip",
            &compressed(&archive)?,
        )?;
        Ok(Layer {
            descriptor,
            content: hexadecimal(&archive),
        })
    }

    /// Writes bytes under their digest, and describes them.
    fn blob(&self, media_type: &str, bytes: &[u8]) -> Result<Value, String> {
        let digest = hexadecimal(bytes);
        super::write(&self.0.join("blobs/sha256").join(&digest), bytes)?;
        Ok(
            json!({ "mediaType": media_type, "digest": format!("sha256:{digest}"), "size": bytes.len() }),
        )
    }
}

fn annotations(form: Form, revision: &str) -> Value {
    let mut annotations = json!({
        "org.opencontainers.image.licenses": "Apache-2.0",
        "org.opencontainers.image.revision": revision,
        "org.opencontainers.image.title": "databricks-oam-filter",
        "org.opencontainers.image.version": env!("CARGO_PKG_VERSION"),
    });
    if form == Form::Compat {
        annotations["module.wasm.image/variant"] = json!("compat");
    }
    annotations
}

/// A tar archive with the one file that hosts look for.
fn archive(module: &[u8]) -> Result<Vec<u8>, String> {
    let mut header = tar::Header::new_ustar();
    header.set_size(u64::try_from(module.len()).map_err(|error| error.to_string())?);
    header.set_mode(0o644);
    header.set_mtime(0);
    let mut archive = tar::Builder::new(Vec::new());
    archive
        .append_data(&mut header, "plugin.wasm", module)
        .and_then(|()| archive.into_inner())
        .map_err(|error| error.to_string())
}

/// Without a time or a name in it.
fn compressed(bytes: &[u8]) -> Result<Vec<u8>, String> {
    use std::io::Write as _;
    let mut writer = GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), Compression::best());
    writer
        .write_all(bytes)
        .and_then(|()| writer.finish())
        .map_err(|error| error.to_string())
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
