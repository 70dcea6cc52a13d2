//! The sections of a report.

mod access;
mod evidence;
mod work;

pub(super) use access::{grants, refused, shadowed, static_tokens};
pub(super) use evidence::{input, sequence};
pub(super) use work::{agents, workspaces};
