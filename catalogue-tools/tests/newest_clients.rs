//! Every call of the newest clients on the Python Package Index finds exactly one operation.
//!
//! Where the index is out of reach the tests are reported as ignored, never as passed. `CATALOGUE_WHEELS` names a directory with
//! wheels to read instead.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs, io};

use catalogue_tools::call::Call;
use catalogue_tools::derive::{expand, key};
use catalogue_tools::rules::Rules;
use catalogue_tools::{mlflow, sdk, wheel};
use databricks_oam_filter::databricks::{Catalogue, Lookup};
use databricks_oam_filter::path;
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let wheels = wheels();
    let trial = |name: &str,
                 package: &'static str,
                 read: fn(&Path) -> io::Result<Vec<Call>>,
                 least: usize| {
        let directory = wheels.as_ref().ok().cloned();
        let name = match &wheels {
            Ok(_) => name.to_owned(),
            Err(reason) => format!("{name} ({reason})"),
        };
        let is_ignored = directory.is_none();
        let run = move || match directory {
            Some(directory) => {
                every_call_is_known(&read(&wheel::find(&directory, package)?)?, least)
            }
            None => Err(Failed::from("no wheels")),
        };
        Trial::test(name, run).with_ignored_flag(is_ignored)
    };
    // Fewer calls than these mean that the reading broke, not that the clients shrank.
    let trials = vec![
        trial(
            "every_call_of_databricks_sdk_is_known",
            "databricks-sdk",
            read_sdk,
            1400,
        ),
        trial(
            "every_operation_of_mlflow_is_known",
            "mlflow-skinny",
            read_mlflow,
            270,
        ),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn read_sdk(wheel: &Path) -> io::Result<Vec<Call>> {
    Ok(sdk::calls(&wheel::modules(wheel)?))
}

fn read_mlflow(wheel: &Path) -> io::Result<Vec<Call>> {
    Ok(mlflow::calls(&wheel::modules(wheel)?))
}

fn every_call_is_known(calls: &[Call], least: usize) -> Result<(), Failed> {
    if calls.len() < least {
        return Err(format!("only {} calls were read", calls.len()).into());
    }
    let mut wrong = Vec::new();
    for (call, template) in expand(calls, &Rules::new(), &mut wrong) {
        if let Err(problem) = is_known(&call.method, &template) {
            wrong.push(format!(
                "{} {template} ({}): {problem}",
                call.method, call.source
            ));
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(format!("run `scripts/update-catalogue`:\n{}", wrong.join("\n")).into())
}

/// Whether a request of this kind, in its own version and in others, finds one operation, and that of its own path.
fn is_known(method: &str, template: &str) -> Result<(), String> {
    let segments = template
        .split('/')
        .map(|segment| match segment.split_once('}') {
            Some(("{path=**", _)) => "a/b%20c.csv".to_owned(),
            Some((_, suffix)) => format!("zz.9-a{suffix}"),
            None => segment.to_owned(),
        });
    let request = segments.collect::<Vec<_>>().join("/");
    for request in versions(&request) {
        let path = path::Path::parse(request.as_bytes()).map_err(|error| error.to_string())?;
        match Catalogue::shared().find(method, &path) {
            Lookup::Found(operation)
                if key(method, operation.template) == key(method, template) => {}
            Lookup::Found(operation) => {
                return Err(format!("`{request}` finds {}", operation.name));
            }
            Lookup::Ambiguous => return Err(format!("`{request}` is ambiguous")),
            Lookup::Unknown => return Err(format!("`{request}` is unknown")),
        }
    }
    Ok(())
}

/// The request, and the same in another version of the API.
fn versions(request: &str) -> Vec<String> {
    let mut segments: BTreeMap<_, _> = request.split('/').map(str::to_owned).enumerate().collect();
    let version = segments
        .get(&2)
        .filter(|version| version.starts_with(|digit: char| digit.is_ascii_digit()));
    let mut requests = vec![request.to_owned()];
    if version.is_some() && request.starts_with("/api/") {
        segments.insert(2, "2.0".to_owned());
        requests.push(segments.into_values().collect::<Vec<_>>().join("/"));
    }
    requests
}

/// A directory that holds the newest wheels and no others, or why there is none.
fn wheels() -> Result<PathBuf, String> {
    if let Some(directory) = env::var_os("CATALOGUE_WHEELS") {
        return Ok(directory.into());
    }
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wheels");
    let _ = fs::remove_dir_all(&directory);
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
    let status = Command::new("python3")
        .args(pip)
        .arg(&directory)
        .args(["databricks-sdk", "mlflow-skinny"])
        .status()
        .map_err(|error| format!("python3 does not start: {error}"))?;
    if status.success() {
        Ok(directory)
    } else {
        Err("PyPI is out of reach".to_owned())
    }
}
