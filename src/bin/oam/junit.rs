//! The outcome of test cases for build servers: JUnit's XML.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::Unreadable;
use super::cases::Suite;

pub(super) fn report(suites: &[Suite]) -> Result<String, Unreadable> {
    let mut report = Report::new("oam test");
    for suite in suites {
        let mut test_suite = TestSuite::new(suite.name.clone());
        for case in &suite.cases {
            let mut status = TestCaseStatus::success();
            if !case.passed() {
                status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                status.set_message(case.differences.join("; "));
            }
            let mut test_case = TestCase::new(case.name.clone(), status);
            test_case.set_classname(suite.name.clone());
            test_suite.add_test_case(test_case);
        }
        report.add_test_suite(test_suite);
    }
    report
        .to_string()
        .map_err(|error| Unreadable(format!("cannot write the report: {error}")))
}
