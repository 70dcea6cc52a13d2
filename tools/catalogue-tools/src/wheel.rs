//! Python wheels: which one, and the text of the modules in it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

/// One Python module of a wheel.
pub struct Module {
    /// Its path in the wheel.
    pub path: String,
    /// Its source.
    pub source: String,
}

/// The wheel of a package in a directory; the last in alphabetical order when there are several.
pub fn find(directory: &Path, package: &str) -> io::Result<PathBuf> {
    let prefix = format!("{}-", package.replace('-', "_"));
    let mut wheels: Vec<_> = fs::read_dir(directory)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            name.starts_with(&prefix)
                && path.extension().is_some_and(|extension| extension == "whl")
        })
        .collect();
    wheels.sort();
    wheels.pop().ok_or_else(|| {
        let message = format!("no wheel of {package} in {}", directory.display());
        io::Error::new(io::ErrorKind::NotFound, message)
    })
}

/// The Python modules of a wheel, in order of their paths.
pub fn modules(wheel: &Path) -> io::Result<Vec<Module>> {
    let mut archive = ZipArchive::new(File::open(wheel)?)?;
    let mut modules = Vec::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index)?;
        let path = file.name().to_owned();
        if Path::new(&path)
            .extension()
            .is_some_and(|extension| extension == "py")
        {
            let mut source = String::new();
            file.read_to_string(&mut source)?;
            modules.push(Module { path, source });
        }
    }
    modules.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(modules)
}
