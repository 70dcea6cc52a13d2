//! What a person has to look at before it becomes part of the list: operations that are new, have
//! changed or are gone, and answers that can hold a credential.

use std::collections::BTreeSet;

use crate::derive::{Derived, Row};
use crate::rules::Rules;

/// Lines that the reviewed list lacks, and lines in it that are derived no more. The list is never
/// written by a program: a line stands in it when a person has put it there.
pub fn changes(reviewed: &str, derived: &Derived) -> Vec<String> {
    let reviewed: BTreeSet<_> = reviewed.lines().map(str::to_owned).collect();
    let lines: BTreeSet<_> = derived.rows.iter().map(Row::line).collect();
    let added = lines.difference(&reviewed).map(|line| format!("+ {line}"));
    let gone = reviewed.difference(&lines).map(|line| format!("- {line}"));
    let mut changes: Vec<_> = gone.chain(added).collect();
    // What replaces a line stands beside it.
    changes.sort_by_cached_key(|change| change.get(2..).unwrap_or_default().to_owned());
    if !changes.is_empty() {
        changes.insert(0, REVIEW.to_owned());
    }
    changes
}

/// Operations whose answer can hold a credential or a link, and that are not marked so.
pub fn unmarked(rows: &[Row], rules: &Rules) -> Vec<String> {
    let mut unmarked = Vec::new();
    for row in rows {
        let members: Vec<_> = row
            .answers
            .iter()
            .filter(|member| !rules.is_harmless(member))
            .map(String::as_str)
            .collect();
        let is_marked = GIVE_OUT.iter().any(|&mark| row.marks.contains(mark));
        if !members.is_empty() && !is_marked {
            unmarked.push(format!(
                "{} ({} {}): its answer can hold {}: mark it in `rules/marks.tsv`, or say in `rules/harmless.tsv` why that is harmless",
                row.name,
                row.method,
                row.template,
                members.join(", ")
            ));
        }
    }
    unmarked
}

/// The marks that keep an operation from whoever may only read.
const GIVE_OUT: [&str; 2] = ["mints-credentials", "vends-data-access"];

const REVIEW: &str = "Read what each of these calls does and what it answers. Then put the lines with `+` into src/databricks/operations.tsv and take out those \
with `-`; what clients no longer call goes into tools/catalogue-tools/rules/former.tsv instead, and stays.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Call;
    use crate::derive::derive;

    #[test]
    fn what_is_new_has_changed_or_is_gone_is_reported() {
        let derived = derive(vec![call("GET", &[])], &Rules::new());
        let list = derived.operations();
        let line = "jobs.get\tGET\t/api/2.2/jobs/get\tjobs\tread\tworkspace\t-";
        assert!(list.lines().any(|known| known == line));
        let gone = "jobs.went\tGET\t/api/2.2/jobs/went\tjobs\tread\tworkspace\t-";
        let changed = line.replace("read", "write");
        #[rustfmt::skip]
        let cases = [
            // name         the reviewed list                       want
            ("reviewed",    list.clone(),                           vec![]),
            ("new",         list.replace(&format!("{line}\n"), ""), vec![format!("+ {line}")]),
            ("changed",     list.replace(line, &changed),           vec![format!("+ {line}"), format!("- {changed}")]),
            ("gone",        format!("{list}{gone}\n"),              vec![format!("- {gone}")]),
        ];
        for (name, reviewed, want) in cases {
            let told = changes(&reviewed, &derived);
            assert_eq!(told.get(1..).unwrap_or_default(), want, "{name}");
        }
    }

    #[test]
    fn answers_with_credentials_must_be_marked() {
        let message = |operation: &str, members: &str| {
            format!(
                "{operation}: its answer can hold {members}: mark it in `rules/marks.tsv`, or say in `rules/harmless.tsv` why that is harmless"
            )
        };
        #[rustfmt::skip]
        let cases = [
            // name                 call                                                want
            ("a secret by GET",     call("GET", &["JobInfo.token_value", "Job.name"]),  vec![message("jobs.get (GET /api/2.2/jobs/get)", "Job.name, JobInfo.token_value")]),
            ("a harmless member",   call("GET", &["Run.run_page_url"]),                 vec![]),
            ("nothing",             call("GET", &[]),                                   vec![]),
        ];
        for (name, call, want) in cases {
            let rules = Rules::new();
            let rows = derive(vec![call], &rules).rows;
            assert_eq!(unmarked(&rows, &rules), want, "{name}");
        }
    }

    fn call(method: &str, answers: &[&str]) -> Call {
        Call {
            source: "JobsAPI.get".to_owned(),
            method: method.to_owned(),
            path: "/api/2.2/jobs/get".to_owned(),
            answers: answers.iter().map(|&member| member.to_owned()).collect(),
            ..Call::default()
        }
    }
}
