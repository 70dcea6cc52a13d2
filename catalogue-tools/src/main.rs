//! `update-catalogue WHEELS`: writes the list of operations that the wheels in a directory give.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use catalogue_tools::derive::{Derived, derive};
use catalogue_tools::rules::Rules;
use catalogue_tools::{mlflow, sdk, wheel};

fn main() -> ExitCode {
    let Some(directory) = env::args_os().nth(1) else {
        return report("usage: update-catalogue DIRECTORY-WITH-WHEELS", 2);
    };
    match read(Path::new(&directory)) {
        Ok(derived) if derived.errors.is_empty() => match write(&derived) {
            Ok(()) => report(
                &format!(
                    "{} operations in {} areas",
                    derived.rows.len(),
                    derived.areas.len()
                ),
                0,
            ),
            Err(error) => report(&error.to_string(), 1),
        },
        Ok(derived) => report(&derived.errors.join("\n"), 1),
        Err(error) => report(&error.to_string(), 2),
    }
}

fn read(directory: &Path) -> io::Result<Derived> {
    let mut calls = sdk::calls(&wheel::modules(&wheel::find(directory, "databricks-sdk")?)?);
    calls.extend(mlflow::calls(&wheel::modules(&wheel::find(
        directory,
        "mlflow-skinny",
    )?)?));
    Ok(derive(calls, &Rules::new()))
}

fn write(derived: &Derived) -> io::Result<()> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/databricks");
    fs::write(directory.join("operations.tsv"), derived.operations())?;
    fs::write(directory.join("areas.tsv"), derived.areas())
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
