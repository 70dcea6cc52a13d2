//! The requested operation as records have it: the same for every request of one method and path,
//! so that it is written once for those that come again.

use std::fmt;
use std::rc::Rc;

use crate::databricks::Operation;
use crate::few::Few;
use crate::json_line::{JsonLine, Members, Value, list, name};
use crate::policy::Requirement;

/// The requested operation.
#[derive(Clone, Copy)]
pub(crate) struct RequestedOperation<'a> {
    /// The method, as records quote it.
    pub(crate) method: &'a str,
    /// The path, as records quote it.
    pub(crate) path: &'a str,
    /// The operation that it is.
    pub(crate) operation: Option<&'static Operation>,
    /// What it needs its caller to hold, all of it.
    pub(crate) requirements: &'a Few<Requirement<'a>>,
}

/// The same as members of a record, where they were written before. They only spare writing them
/// again, so they make no two decisions differ.
#[derive(Clone, Default)]
pub(crate) struct WrittenBefore(pub(super) Option<Rc<Members>>);

impl WrittenBefore {
    /// The members.
    pub(crate) fn members(&self) -> Option<&Members> {
        self.0.as_deref()
    }
}

impl fmt::Debug for WrittenBefore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("_")
    }
}

impl RequestedOperation<'_> {
    /// Adds its members to a record.
    pub(crate) fn add_to(self, line: &mut JsonLine) {
        let required = self.requirements.iter().copied();
        let required = list(required.flat_map(Requirement::scopes));
        let operation = self.operation.map(|operation| operation.name);
        line.add(&[
            (name!("method"), Value::Text(self.method)),
            (name!("path"), Value::Text(self.path)),
            (name!("operation"), Value::nullable(operation)),
            (name!("required_scopes"), Value::Json(&required)),
        ]);
    }

    /// The same members, to be added to more than one.
    pub(crate) fn written(self) -> Members {
        let mut line = JsonLine::within(String::new());
        self.add_to(&mut line);
        line.into_members()
    }
}
