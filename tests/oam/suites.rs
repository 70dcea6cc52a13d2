//! `oam test`.

use super::{file, oam, text};

const CONFIG: &str = r#"{"issuers":[{"issuer":"https://i.example","audiences":["db"],"jwks":{"cluster":"c","uri":"https://i.example/k"}}],
  "roles":[{"name":"r","members":[{"group":"g"}],"grants":["jobs","sql"]},{"name":"unheld","members":[{"group":"h"}],"grants":["files"]}],
  "policy":{"rules":[{"name":"no-tokens","effect":"deny","paths":["/api/2.0/token/{path=**}"]}]}}"#;

const CASES: &str = r"
config: suite.json
cases:
  - name: lists jobs
    request: { path: /api/2.2/jobs/list }
    claims: { groups: [g], scope: jobs }
    expect: { decision: allow, operation: jobs.list, effective_scopes: [jobs] }
  - name: expects too much
    request: { method: POST, path: /api/2.0/sql/statements }
    claims: { groups: [g], scope: jobs }
    expect: { decision: allow, operation: jobs.list, rule: no-tokens }
";

#[test]
fn failures_are_told_and_what_no_case_reached() {
    file("suite.json", CONFIG);
    let cases = file("suite.cases.yaml", CASES);
    let junit = file("junit.xml", "");
    let ran = oam(&["test", text(&cases), "--junit", text(&junit)]);
    let folder = cases.parent().unwrap().display().to_string();
    let want = "\
FOLDER/suite.cases.yaml
  ok lists jobs
  FAILED expects too much
       decision: expected allow, got deny (insufficient_scope)
       operation: expected jobs.list, got statement-execution.execute-statement
       rule: expected no-tokens, got none
FOLDER/suite.json: 33 % of roles, grants and rules reached (2 of 6)
  no case reached grant sql of r
  no case reached role unheld
  no case reached grant files of unheld
  no case reached rule no-tokens
1 failed, 1 passed
";
    assert_eq!(ran.out.replace(&folder, "FOLDER"), want);
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""));
    let report = std::fs::read_to_string(&junit).unwrap();
    assert!(
        report.contains("<testsuite name=")
            && report.contains(r#"tests="2""#)
            && report.contains(r#"failures="1""#),
        "{report}"
    );
    assert!(
        report.contains("decision: expected allow, got deny (insufficient_scope)"),
        "{report}"
    );
}

#[test]
fn cases_that_cannot_be_read_are_no_failures() {
    #[rustfmt::skip]
    let cases = [
        // name              content
        // said
        ("unknown-key.yaml", CASES.replace("decision: allow,", "decision: allow, oracle: x,"),                               "cases[0].expect.oracle: unknown field `oracle`"),
        ("reason.yaml",      CASES.replace("decision: allow, operation: jobs.list, effective", "decision: allow, reason: permited, effective"), "lists jobs: expect: no reason is called `permited`; did you mean `permitted`?"),
        ("operation.yaml",   CASES.replace("operation: jobs.list, effective", "operation: job.list, effective"),            "expect: no operation is called `job.list`; did you mean `jobs.list`?"),
        ("rule.yaml",        CASES.replace("rule: no-tokens", "rule: no-token"),                                             "expect: no rule is called `no-token`; did you mean `no-tokens`?"),
        ("role.yaml",        CASES.replace("effective_scopes: [jobs]", "roles: [unhold]"),                                   "expect: no role is called `unhold`; did you mean `unheld`?"),
        ("mode.yaml",        CASES.replace("effective_scopes: [jobs]", "mode: enforced"),                                    "expect: no mode is called `enforced`; did you mean `enforce`?"),
        ("scope.yaml",       CASES.replace("effective_scopes: [jobs]", "effective_scopes: [\"jobs sql\"]"),                  "expect.effective_scopes: `jobs sql` is no scope"),
        ("status.yaml",      CASES.replace("effective_scopes: [jobs]", "status: 2000"),                                      "expect.status"),
        ("no-path.yaml",     CASES.replace("path: /api/2.2/jobs/list", "method: GET"),                                       "lists jobs: a request has either `url` or `path`"),
        ("no-config.yaml",   CASES.replace("suite.json", "no-such.json"),                                                    "no-such.json"),
        ("empty.yaml",       String::new(),                                                                                  "holds no cases"),
        ("bad-date.yaml",    CASES.replace("cases:", "at: 2027-02-30T00:00:00Z\ncases:"),                                    "2027-02-30T00:00:00Z"),
    ];
    file("suite.json", CONFIG);
    for (name, content, said) in cases {
        let ran = oam(&["test", text(&file(name, &content))]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{name}");
        assert!(ran.err.contains(said), "{name}: {}", ran.err);
    }
}
