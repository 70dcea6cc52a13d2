//! A certificate for the gateway, and the authority that clients trust for it: both new, and nobody
//! else's.

use std::path::PathBuf;

use crate::envoy;
use crate::python::Python;

/// A certificate for `127.0.0.1` with its key; the files go when it is dropped.
pub struct Certificate {
    folder: PathBuf,
}

impl Certificate {
    /// Has one issued.
    pub fn issue() -> Self {
        let folder = envoy::scratch();
        let target = folder.display().to_string();
        Python::with("tls").module("trustme", &["--quiet", "--dir", &target]);
        Self { folder }
    }

    /// The certificate.
    pub fn chain(&self) -> PathBuf {
        self.folder.join("server.pem")
    }

    /// Its private key.
    pub fn key(&self) -> PathBuf {
        self.folder.join("server.key")
    }

    /// The certificate of the authority that issued it.
    pub fn authority(&self) -> PathBuf {
        self.folder.join("client.pem")
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.folder));
    }
}
