//! The packages that the tests read: the newest of each client, and some earlier ones, from the
//! registries that they are published in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

/// One package on disk.
#[derive(Clone)]
pub(crate) struct Package {
    /// Its name, without a version.
    pub(crate) name: String,
    /// The wheel, or the directory that it is unpacked in.
    pub(crate) path: PathBuf,
}

/// What could be had, by the name and version asked for, and why not the others.
pub(crate) struct Packages(BTreeMap<String, Result<Package, String>>);

/// A client whose source is searched for paths.
#[derive(Clone)]
pub(crate) struct Client {
    /// `pypi` or `npm`.
    pub(crate) registry: &'static str,
    /// Its name there.
    pub(crate) package: &'static str,
    /// Fewer paths than these mean that the reading broke.
    pub(crate) least: usize,
    /// What a path may begin with, and what that stands for.
    pub(crate) bases: Vec<(String, String)>,
}

impl Packages {
    /// Gets all packages, each into a directory of its own.
    pub(crate) fn fetch() -> Self {
        let mut packages = BTreeMap::new();
        let pypi = clients().filter(|client| client.registry == "pypi");
        let pypi = pypi.map(|client| client.package);
        for wanted in super::NEWEST
            .iter()
            .copied()
            .chain(super::FORMER)
            .chain(pypi)
        {
            packages.insert(wanted.to_owned(), from_pypi(wanted));
        }
        for client in clients().filter(|client| client.registry == "npm") {
            packages.insert(client.package.to_owned(), from_npm(client.package));
        }
        Self(packages)
    }

    /// A package, or why there is none.
    pub(crate) fn find(&self, wanted: &str) -> Result<Package, String> {
        self.0
            .get(wanted)
            .cloned()
            .unwrap_or_else(|| Err("not asked for".to_owned()))
    }
}

/// The clients of `rules/clients.tsv`.
pub(crate) fn clients() -> impl Iterator<Item = Client> {
    let lines = include_str!("../../rules/clients.tsv").lines();
    let read = |line: &'static str| {
        let mut fields = line.split('\t');
        let (registry, package) = (fields.next()?, fields.next()?);
        let least = fields.next()?.parse().ok()?;
        let pairs = fields.next()?.split(',');
        let pair = |text: &str| {
            let (beginning, base) = text.split_once('=')?;
            Some((beginning.to_owned(), base.to_owned()))
        };
        Some(Client {
            registry,
            package,
            least,
            bases: pairs.filter_map(pair).collect(),
        })
    };
    lines.filter(|line| !line.starts_with('#')).filter_map(read)
}

fn from_pypi(wanted: &str) -> Result<Package, String> {
    let name = wanted.split("==").next().unwrap_or(wanted);
    if let Some(directory) = env::var_os("CATALOGUE_WHEELS") {
        if name != wanted {
            return Err("not among the wheels".to_owned());
        }
        return wheel(Path::new(&directory), name);
    }
    let directory = clean(wanted);
    let pip = [
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--retries",
        "1",
        "--timeout",
        "20",
        "--dest",
    ];
    let mut command = Command::new("python3");
    command.args(pip).arg(&directory).arg(wanted);
    run(&mut command, "PyPI is out of reach")?;
    wheel(&directory, name)
}

fn wheel(directory: &Path, name: &str) -> Result<Package, String> {
    let path = catalogue_tools::wheel::find(directory, name).map_err(|error| error.to_string())?;
    Ok(Package {
        name: name.to_owned(),
        path,
    })
}

fn from_npm(name: &str) -> Result<Package, String> {
    if env::var_os("CATALOGUE_WHEELS").is_some() {
        return Err("not a wheel".to_owned());
    }
    let directory = clean(name);
    fs::create_dir_all(&directory).map_err(|error| error.to_string())?;
    let mut pack = Command::new("npm");
    pack.args(["pack", "--silent", name])
        .current_dir(&directory);
    run(&mut pack, "npm's registry is out of reach")?;
    let mut unpack = Command::new("sh");
    unpack.args(["-c", "tar xzf *.tgz"]).current_dir(&directory);
    run(&mut unpack, "the package cannot be unpacked")?;
    Ok(Package {
        name: name.to_owned(),
        path: directory,
    })
}

fn run(command: &mut Command, otherwise: &str) -> Result<(), String> {
    let status = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(otherwise.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// An empty place for a package.
fn clean(wanted: &str) -> PathBuf {
    let name = wanted.replace(['/', '@', '='], "_");
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("clients")
        .join(name);
    let _ = fs::remove_dir_all(&directory);
    directory
}
