//! `update-catalogue WHEELS`: says what the reviewed list of operations lacks of what the wheels in
//! a directory give, and writes the list of areas once it lacks nothing.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use catalogue_tools::derive::{Derived, derive};
use catalogue_tools::rules::Rules;
use catalogue_tools::{mlflow, review, sdk, wheel};

fn main() -> ExitCode {
    let Some(directory) = env::args_os().nth(1) else {
        return report("usage: update-catalogue DIRECTORY-WITH-WHEELS", 2);
    };
    match run(Path::new(&directory)) {
        Ok(wrong) if wrong.is_empty() => report("the list has every operation", 0),
        Ok(wrong) => report(&wrong.join("\n"), 1),
        Err(error) => report(&error.to_string(), 2),
    }
}

fn run(wheels: &Path) -> io::Result<Vec<String>> {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../src/databricks");
    let derived = read(wheels)?;
    let reviewed = fs::read_to_string(list.join("operations.tsv"))?;
    let mut wrong = derived.errors.clone();
    wrong.extend(review::changes(&reviewed, &derived));
    if wrong.is_empty() {
        fs::write(list.join("areas.tsv"), derived.areas())?;
    }
    Ok(wrong)
}

fn read(directory: &Path) -> io::Result<Derived> {
    let mut calls = sdk::calls(&wheel::modules(&wheel::find(directory, "databricks-sdk")?)?);
    calls.extend(mlflow::calls(&wheel::modules(&wheel::find(
        directory,
        "mlflow-skinny",
    )?)?));
    Ok(derive(calls, &Rules::new()))
}

/// Says it, and ends with this status; a closed output changes neither.
fn report(message: &str, status: u8) -> ExitCode {
    let mut out: Box<dyn Write> = if status == 0 {
        Box::new(io::stdout())
    } else {
        Box::new(io::stderr())
    };
    let _ = writeln!(out, "{message}");
    ExitCode::from(status)
}
