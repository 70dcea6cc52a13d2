//! Python's packages for the tests: virtual environments under `target/`, filled by pip, and
//! scripts run in them.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::paths;

pub mod service;

/// A virtual environment with the packages of one requirements file.
pub struct Python {
    directory: PathBuf,
}

impl Python {
    /// The environment of `wasm-tests/clients/NAME.txt`, made first where it is missing or the file
    /// has changed since.
    pub fn with(name: &str) -> Self {
        let requirements = paths::tests("clients").join(format!("{name}.txt"));
        let wanted = fs::read_to_string(&requirements)
            .unwrap_or_else(|error| panic!("{}: {error}", requirements.display()));
        let directory = paths::root().join(format!("target/python-{name}"));
        let lock = File::create(directory.with_extension("lock")).expect("a file under target/");
        // Test binaries may run side by side.
        lock.lock().expect("a lock under target/");
        let installed = directory.join("installed.txt");
        if fs::read_to_string(&installed).ok().as_ref() != Some(&wanted) {
            let file = requirements.display().to_string();
            install(&directory, &["--requirement", &file])
                .unwrap_or_else(|missing| panic!("cannot install what {file} names: {missing}"));
            fs::write(&installed, &wanted).expect("a file in the environment");
        }
        Self { directory }
    }

    /// What the script `wasm-tests/clients/SCRIPT` writes when it is given this input and these
    /// variables. Tokens go in by `input`: variables and arguments are for all to read.
    pub fn run(&self, script: &str, variables: &[(&str, &str)], input: &str) -> String {
        let mut child = self
            .command(script)
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the environment has a Python");
        let mut stdin = child.stdin.take().expect("a piped stdin");
        // A script that failed early has closed it; its status tells.
        drop(stdin.write_all(input.as_bytes()));
        drop(stdin);
        let output = child.wait_with_output().expect("a child");
        assert!(
            output.status.success(),
            "{script}: {}\n{}",
            output.status,
            said(&output)
        );
        String::from_utf8(output.stdout).expect("Python writes UTF-8")
    }

    /// Runs a module of the environment as a program.
    pub fn module(&self, module: &str, arguments: &[&str]) {
        let program = self.program().display().to_string();
        run(&program, &[&["-m", module], arguments].concat())
            .unwrap_or_else(|failure| panic!("{failure}"));
    }

    /// The environment's Python with these arguments, not yet started.
    pub fn start(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.program());
        command.args(arguments);
        command
    }

    /// The script `wasm-tests/clients/SCRIPT`, not yet started. It sees nothing of this process's
    /// environment, and a home of its own, so that no profile of whoever runs the tests counts.
    fn command(&self, script: &str) -> Command {
        let home = self.directory.join("home");
        fs::create_dir_all(&home).expect("a directory in the environment");
        let mut command = Command::new(self.program());
        command
            .arg(paths::tests("clients").join(script))
            .env_clear()
            .envs([("HOME", home.as_os_str()), ("NO_PROXY", "*".as_ref())])
            .current_dir(&home);
        command
    }

    fn program(&self) -> PathBuf {
        self.directory.join("bin/python")
    }
}

/// Makes a virtual environment and has pip install into it; what is missing, in words, where that
/// fails.
pub fn install(directory: &Path, what: &[&str]) -> Result<(), String> {
    let target = directory.display().to_string();
    run("python3", &["-m", "venv", "--clear", &target])
        .map_err(|error| format!("{error}\n  needed: Python 3 with its venv module (Debian: apt-get install python3-venv)"))?;
    let pip = directory.join("bin/pip").display().to_string();
    let fixed = ["install", "--quiet", "--disable-pip-version-check"];
    run(&pip, &[&fixed, what].concat()).map_err(|error| {
        format!("{error}\n  needed: a package index that pip reaches and that has it")
    })
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| format!("`{program}` does not run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let arguments = arguments.join(" ");
    Err(format!("`{program} {arguments}` failed: {}", said(&output)))
}

fn said(output: &Output) -> String {
    let said = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8_lossy(&said).trim().to_owned()
}
