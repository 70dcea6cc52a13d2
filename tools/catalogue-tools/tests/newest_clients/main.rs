//! Every call of the newest clients finds exactly one operation, and the reviewed list is what they
//! and the rules give.
//!
//! Where the registries are out of reach the tests are reported as ignored, never as passed.
//! `CATALOGUE_WHEELS` names a directory with wheels to read instead, of which those that it lacks
//! are ignored.

mod known;
mod list;
mod packages;

use std::process::ExitCode;

use catalogue_tools::{mlflow, sdk, wheel};
use libtest_mimic::{Arguments, Failed, Trial};

use packages::{Package, Packages};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let packages = Packages::fetch();
    let mut trials = vec![
        trial(&packages, "the_list_is_reviewed", NEWEST, list::is_reviewed),
        trial(
            &packages,
            "a_doctored_client_is_refused",
            NEWEST,
            list::refuses_doctored_clients,
        ),
    ];
    for &package in NEWEST.iter().chain(&FORMER) {
        let are_newest = NEWEST.contains(&package);
        let name = format!("every_call_of_{package}_is_known");
        trials.push(trial(&packages, &name, &[package], move |found| {
            let [package] = found else {
                return Err(Failed::from("no package"));
            };
            let modules = wheel::modules(&package.path)?;
            let calls = match package.name.as_str() {
                "mlflow-skinny" => mlflow::calls(&modules),
                _ => sdk::calls(&modules),
            };
            known::every_call(&calls, are_newest)
        }));
    }
    for client in packages::clients() {
        let name = format!("every_path_of_{}_is_known", client.package);
        trials.push(trial(&packages, &name, &[client.package], move |found| {
            known::every_path(&client, found)
        }));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A test of these packages; ignored when one of them could not be had, with the reason in its
/// name.
fn trial(
    packages: &Packages,
    name: &str,
    wanted: &[&str],
    run: impl FnOnce(&[Package]) -> Result<(), Failed> + Send + 'static,
) -> Trial {
    let found: Result<Vec<_>, _> = wanted
        .iter()
        .map(|package| packages.find(package))
        .collect();
    match found {
        Ok(found) => Trial::test(name, move || run(&found)),
        Err(reason) => Trial::test(format!("{name} ({reason})"), || Ok(())).with_ignored_flag(true),
    }
}

/// The packages that the list is derived from.
const NEWEST: &[&str] = &["databricks-sdk", "mlflow-skinny"];

/// Earlier ones that are still installed, with old runtimes for example.
const FORMER: [&str; 5] = [
    "databricks-sdk==0.1.12",
    "databricks-sdk==0.10.0",
    "databricks-sdk==0.30.0",
    "databricks-sdk==0.50.0",
    "databricks-sdk==0.100.0",
];
