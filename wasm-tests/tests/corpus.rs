//! Every case of `wasm-tests/corpus`, answered by every driver, and alike.

use wasm_tests::corpus::drivers::{Core, Driver, InEnvoy, InProcess};
use wasm_tests::corpus::{Case, File, check, outcome::Outcome};
use wasm_tests::paths;

#[test]
fn every_driver_answers_every_case_as_written_and_alike() {
    let wanted = std::env::var("CORPUS").unwrap_or_default();
    let mut files: Vec<_> = std::fs::read_dir(paths::tests("corpus"))
        .expect("a corpus")
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.to_string_lossy().contains(&wanted))
        .collect();
    files.sort();
    let (mut count, mut faults) = (0, Vec::new());
    for path in files {
        let file = File::read(&path);
        let name = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let of_file: Vec<String> = run(&file)
            .into_iter()
            .map(|fault| format!("{name}: {fault}"))
            .collect();
        println!("{name:<16} {:>3} cases  {}", file.cases.len(), file.about);
        count += file.cases.len();
        faults.extend(of_file);
    }
    println!("{count} cases");
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
}

fn run(file: &File) -> Vec<String> {
    match start(&file.plugin_configuration()) {
        Ok(mut drivers) => file
            .cases
            .iter()
            .flat_map(|case| run_case(file, case, &mut drivers))
            .collect(),
        Err(error) => vec![format!("the configuration was refused: {error}")],
    }
}

fn start(configuration: &serde_json::Value) -> Result<Vec<Box<dyn Driver>>, String> {
    Ok(vec![
        Box::new(Core::start(configuration)?),
        Box::new(InProcess::start(configuration)?),
        Box::new(InEnvoy::start(configuration)?),
    ])
}

fn run_case(file: &File, case: &Case, drivers: &mut [Box<dyn Driver>]) -> Vec<String> {
    let prepared = file.prepare(case, paths::now());
    let mut faults = Vec::new();
    let mut first: Option<(&'static str, Outcome)> = None;
    for driver in drivers {
        let name = driver.name();
        match (driver.answer(&prepared), case.envoy_answers) {
            (Err(status), Some(expected)) if status == expected => {}
            (Err(status), expected) => {
                faults.push(format!(
                    "{} [{name}]: answered {status} in its own name, expected {expected:?}",
                    case.name
                ));
            }
            (Ok(mut outcome), _) => {
                if prepared.method == "HEAD" {
                    outcome.body = serde_json::Value::Null;
                }
                faults.extend(
                    check::faults(case, &prepared, &outcome)
                        .iter()
                        .map(|fault| format!("{} [{name}]: {fault}", case.name)),
                );
                match &first {
                    Some((other, expected)) if *expected != outcome => {
                        faults.push(format!(
                            "{}: {other} and {name} differ:\n  {expected:?}\n  {outcome:?}",
                            case.name
                        ));
                    }
                    Some(_) => {}
                    None => first = Some((name, outcome)),
                }
            }
        }
    }
    faults
}
