//! The reviewed list, against what the newest packages and the rules give, and against clients that
//! were changed on purpose.

use std::fs;
use std::path::Path;

use catalogue_tools::derive::{Derived, derive};
use catalogue_tools::rules::Rules;
use catalogue_tools::wheel::{self, Module};
use catalogue_tools::{mlflow, review, sdk};
use libtest_mimic::Failed;

use crate::packages::Package;

/// The list has every operation, and every answer that can hold a credential is marked or known to
/// be harmless.
pub(crate) fn is_reviewed(found: &[Package]) -> Result<(), Failed> {
    let wrong = wrong(&derived(found, "")?)?;
    if wrong.is_empty() {
        return Ok(());
    }
    Err(format!("run `scripts/update-catalogue`:\n{}", wrong.join("\n")).into())
}

/// A client that calls something new, or is answered something new, is not taken silently.
pub(crate) fn refuses_doctored_clients(found: &[Package]) -> Result<(), Failed> {
    let before = wrong(&derived(found, "")?)?;
    for (name, source, want) in DOCTORED {
        let after = wrong(&derived(found, source)?)?;
        let new: Vec<_> = after.iter().filter(|line| !before.contains(line)).collect();
        for line in want {
            if !new.iter().any(|found| found.contains(line)) {
                return Err(format!("{name}: `{line}` is not said, but {new:#?}").into());
            }
        }
    }
    Ok(())
}

fn wrong(derived: &Derived) -> Result<Vec<String>, Failed> {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../src/databricks/operations.tsv");
    let mut wrong = derived.errors.clone();
    wrong.extend(review::changes(&fs::read_to_string(list)?, derived));
    Ok(wrong)
}

/// What the packages give, with one more module in the first.
fn derived(found: &[Package], source: &str) -> Result<Derived, Failed> {
    let [sdk, mlflow] = found else {
        return Err(Failed::from("two packages are read"));
    };
    let mut modules = wheel::modules(&sdk.path)?;
    modules.push(Module {
        path: "databricks/sdk/service/doctored.py".to_owned(),
        source: source.to_owned(),
    });
    let mut calls = sdk::calls(&modules);
    calls.extend(mlflow::calls(&wheel::modules(&mlflow.path)?));
    Ok(derive(calls, &Rules::new()))
}

/// A change, as source of a client, and what has to be said of it.
const DOCTORED: [(&str, &str, &[&str]); 4] = [
    (
        "a GET that answers a secret",
        r#"
class Reveal:
    items: Optional[List[Item]] = None
class Item:
    api_secret: Optional[str] = None
class TokensAPI:
    def reveal(self, id) -> Iterator[Reveal]:
        return self._api.do("GET", f"/api/2.0/token/{id}/reveal")
"#,
        &[
            "+ tokens.reveal\tGET\t/api/2.0/token/{id}/reveal\tauthentication\tread",
            "tokens.reveal (GET /api/2.0/token/{id}/reveal): its answer can hold Item.api_secret",
        ],
    ),
    (
        "a list that creates",
        r#"
class TokensAPI:
    def list_or_create(self) -> Dict[str, Any]:
        return self._api.do("POST", "/api/2.0/token/list-or-create")
"#,
        &["+ tokens.list-or-create\tPOST\t/api/2.0/token/list-or-create\tauthentication\twrite"],
    ),
    (
        "a new operation under a known path",
        r#"
class JobsAPI:
    def peek(self) -> None:
        self._api.do("GET", "/api/2.2/jobs/peek")
"#,
        &["+ jobs.peek\tGET\t/api/2.2/jobs/peek\tjobs\tread"],
    ),
    (
        "an old operation with a new answer",
        r#"
class Job:
    session_token: str
class ZzzAPI:
    def get(self) -> Job:
        return self._api.do("GET", "/api/2.2/jobs/get")
"#,
        &["jobs.get (GET /api/2.2/jobs/get): its answer can hold Job.session_token"],
    ),
];
