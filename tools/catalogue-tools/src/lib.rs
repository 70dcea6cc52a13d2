//! Derives the list of Databricks operations from the packages that Databricks' own clients are
//! published in.
//!
//! The packages are read, never run: `databricks-sdk` as Python source, `mlflow-skinny` as the
//! protobuf descriptors in its source. What neither holds is kept by hand in `rules/`, with the
//! rules that give each operation its area, access and marks.
//!
//! ```text
//! wheel → sdk, mlflow (answers) → call → names → derive (rules, hand) → review ↔ src/databricks/operations.tsv
//! ```
//!
//! No program writes that list: `review` says what it lacks, and a person who has read what the
//! call does puts the line there.

pub mod answers;
pub mod call;
pub mod derive;
pub mod literal;
pub mod mlflow;
pub mod names;
pub mod review;
pub mod rules;
pub mod sdk;
pub mod wheel;
