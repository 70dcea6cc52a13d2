//! Every case of `wasm-tests/corpus`, answered by every driver, and alike; and `oam explain` says
//! of it what a real Envoy did.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jsonschema::Validator;
use serde_json::{Value, json};

#[cfg(feature = "host")]
use wasm_tests::corpus::drivers::InProcess;
use wasm_tests::corpus::drivers::{Core, Driver, InEnvoy};
use wasm_tests::corpus::oam::{self, Inexpressible, Oam};
use wasm_tests::corpus::{Case, File, Prepared, check, outcome::Outcome};
use wasm_tests::paths;

#[test]
fn every_record_is_an_event_of_the_official_schema() {
    let schema = std::fs::read(paths::tests("schemas/ocsf-api-activity.json")).expect("a schema");
    let schema: Value = serde_json::from_slice(&schema).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    let (mut count, mut faults) = (0, Vec::new());
    for path in files("") {
        let file = File::read(&path);
        let mut configuration = file.plugin_configuration();
        configuration["audit"]["format"] = json!("ocsf");
        configuration["audit"]["inputs"] = json!(true);
        let mut core = Core::start(&configuration).expect("a configuration");
        for case in &file.cases {
            drop(core.answer(&file.prepare(case, paths::now())));
            let event: Value = serde_json::from_str(&core.said()).expect("JSON");
            let errors = schema.iter_errors(&event);
            faults.extend(errors.map(|error| format!("{}: {error}: {event}", case.name)));
            count += 1;
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(count >= 150, "{count} events");
}

/// The files of the corpus whose names have this in them, in order.
fn files(wanted: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(paths::tests("corpus"))
        .expect("a corpus")
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.to_string_lossy().contains(wanted))
        .collect();
    files.sort();
    files
}

#[test]
fn every_driver_answers_every_case_as_written_and_alike() {
    let wanted = std::env::var("CORPUS").unwrap_or_default();
    let (mut count, mut report) = (0, Report::new(&oam::record_schema()));
    for path in files(&wanted) {
        let file = File::read(&path);
        let name = path.file_stem().expect("a name").to_string_lossy();
        println!("{name:<16} {:>3} cases  {}", file.cases.len(), file.about);
        count += file.cases.len();
        run(&name, &file, &mut report);
    }
    println!("{count} cases");
    let Report {
        faults,
        inexpressible,
        ..
    } = report;
    for (reason, cases) in &inexpressible {
        println!("not given to oam, {reason}: {}", cases.join(", "));
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert!(
        count >= 150 || !wanted.is_empty(),
        "the corpus shrank to {count} cases"
    );
    let left_out: usize = inexpressible.values().map(Vec::len).sum();
    assert!(
        left_out * 20 <= count || !wanted.is_empty(),
        "oam was not given {left_out} of {count} cases"
    );
}

/// What is not as it should be, and the cases that cannot be given to `oam`.
struct Report {
    /// Of records.
    schema: Validator,
    faults: Vec<String>,
    inexpressible: BTreeMap<Inexpressible, Vec<String>>,
}

impl Report {
    fn new(schema: &Value) -> Self {
        Self {
            schema: jsonschema::validator_for(schema).expect("a schema"),
            faults: Vec::new(),
            inexpressible: BTreeMap::new(),
        }
    }
}

fn run(name: &str, file: &File, report: &mut Report) {
    let configuration = file.plugin_configuration();
    let mut drivers = match start(&configuration) {
        Ok(drivers) => drivers,
        Err(error) => {
            let fault = format!("{name}: the configuration was refused: {error}");
            return report.faults.push(fault);
        }
    };
    let oam = Oam::start(name, &configuration);
    for case in &file.cases {
        let prepared = file.prepare(case, paths::now());
        let (faults, outcome) = run_case(case, &prepared, &mut drivers, &report.schema);
        let in_file = |fault: &String| format!("{name}: {}{fault}", case.name);
        report.faults.extend(faults.iter().map(in_file));
        match (
            oam.explain(&prepared),
            outcome.as_ref().map(oam::of_gateway),
        ) {
            (Err(reason), _) => {
                let cases = report.inexpressible.entry(reason).or_default();
                cases.push(format!("{name}: {}", case.name));
            }
            (Ok(explained), Some(decided)) if explained != decided => {
                let fault = format!(": oam and the gateway differ:\n  {explained}\n  {decided}");
                report.faults.push(in_file(&fault));
            }
            (Ok(_), _) => {}
        }
    }
}

/// Every driver; the core alone where `CORPUS_DRIVERS=core` asks for a quick answer, which
/// `--no-default-features` gives without a wasm compiler too.
fn start(configuration: &Value) -> Result<Vec<Box<dyn Driver>>, String> {
    let mut drivers: Vec<Box<dyn Driver>> = vec![Box::new(Core::start(configuration)?)];
    if std::env::var("CORPUS_DRIVERS").as_deref() != Ok("core") {
        #[cfg(feature = "host")]
        drivers.push(Box::new(InProcess::start(configuration)?));
        drivers.push(Box::new(InEnvoy::start(configuration)?));
    }
    Ok(drivers)
}

/// What is wrong with the outcomes, and the one in which all that answered agree; Envoy's, when it
/// did.
fn run_case(
    case: &Case,
    prepared: &Prepared,
    drivers: &mut [Box<dyn Driver>],
    schema: &Validator,
) -> (Vec<String>, Option<Outcome>) {
    let mut faults = Vec::new();
    let mut last: Option<(&'static str, Outcome)> = None;
    for driver in drivers {
        let name = driver.name();
        let mut outcome = match (driver.answer(prepared), case.envoy_answers) {
            (Ok(outcome), _) => outcome,
            (Err(status), Some(expected)) if status == expected => continue,
            (Err(status), expected) => {
                faults.push(format!(
                    " [{name}]: answered {status} in its own name, expected {expected:?}"
                ));
                continue;
            }
        };
        let said = driver.said();
        faults.extend(
            check::leaks(&said, prepared).map(|leak| format!(" [{name}]: {leak} in the log")),
        );
        if prepared.method == "HEAD" {
            outcome.body = Value::Null;
        }
        faults.extend(
            schema
                .iter_errors(&outcome.audit)
                .map(|error| format!(" [{name}]: the record is none of the schema: {error}")),
        );
        faults.extend(
            check::faults(case, prepared, &outcome)
                .iter()
                .map(|fault| format!(" [{name}]: {fault}")),
        );
        if let Some((other, expected)) = &last
            && *expected != outcome
        {
            faults.push(format!(
                ": {other} and {name} differ:\n  {expected:?}\n  {outcome:?}"
            ));
        }
        last = Some((name, outcome));
    }
    (faults, last.map(|(_, outcome)| outcome))
}
